"""The demo's own programs: started in a session of their own, ended with the demo, however it ends."""

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from troth.core.errors import TrothError
from troth.core.sandbox.restrict import die_with_parent

_START_SECONDS = 30.0
_ASK_SECONDS = 180.0
_END_SECONDS = 5.0


class Helper:
    """Runs `python -m <module> <arguments>` and waits for its first line. Raises `TrothError` if there is none. `log`:
    the file descriptor for its stderr."""

    line: str
    """What it said when it was ready."""

    def __init__(self, module: str, arguments: Sequence[str], *, log: int) -> None:
        self._module = module
        demo = os.getpid()

        def end_with_demo() -> None:
            die_with_parent(signal.SIGKILL)  # it holds nothing that a kill could lose
            if os.getppid() != demo:  # the demo went first
                os._exit(1)

        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own code
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            preexec_fn=end_with_demo,
        )
        try:
            self.line = self._first_line()
        except BaseException:  # stopped meanwhile: nobody else knows this process yet
            self.end()
            raise

    def _first_line(self) -> str:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            line = self._process.stdout.readline() if selector.select(_START_SECONDS) else b""
        if not line:
            raise TrothError(f"{self._module} did not start.", mend="See the last lines of the demo's log.")
        return line.decode().strip()

    def end(self) -> None:
        """Terminate it, and kill it if it does not end in time."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def ask(module: str, arguments: Sequence[str], *, log: int) -> str:
    """Return the line that `python -m <module> <arguments>` prints. Raises `TrothError` if it fails."""
    process = subprocess.run(  # noqa: S603
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        timeout=_ASK_SECONDS,
        check=False,
    )
    if process.returncode != 0:
        raise TrothError(f"{module} failed.", mend="See the last lines of the demo's log.")
    return process.stdout.decode().strip()
