"""A throwaway copy of the program, and a demo that runs from it: real processes, on ports of their own."""

import compileall
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutants.breach import OnSite
from troth.core.sandbox.restrict import die_with_parent
from troth.policy.promises import KILLED, PROMISES

SOURCE = Path(__file__).resolve().parents[2] / "src" / "troth"
_COMMAND = "from troth.cli import main; main()"
_READY_SECONDS, _PROVE_SECONDS = 240, 240


class NotRun(Exception):
    """The demo did not start, or no proof could run."""


@contextmanager
def copied(source: Path = SOURCE) -> Iterator[Path]:
    """Yield a copy of the program (the folder that contains `troth`), and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="troth-mutant-"))
    folder.chmod(0o755)
    try:
        shutil.copytree(source, folder / "troth")
        _let_publish(folder / "troth")
        # Each of a demo's processes would compile all of it again.
        compileall.compile_dir(folder / "troth", quiet=2)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _let_publish(source: Path) -> None:
    """Let the copy publish its policy although its promises have no killed mutant yet: the mutants are about to run."""
    killed = {promise: {"being-tried": "A breach is being tried."} for promise in PROMISES.ids}
    (source / KILLED.relative_to(SOURCE)).write_text(json.dumps({"killed": killed}))


def _ports(number: int) -> int:
    """Return the first of six consecutive free ports, in a range of this runner's own."""
    for base in range(19_000 + 200 * number, 19_194 + 200 * number, 6):
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in range(base, base + 6):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return base
    raise NotRun("no ports are free")


@contextmanager
def served(code: Path, lane: int) -> Iterator[OnSite]:
    """Run a demo from the copy in `code`; `lane` separates those that run in parallel."""
    command = [sys.executable, "-c", _COMMAND, "demo", "--json", "--days", "2", "--port-base", str(_ports(lane))]
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            env=_environ(code),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=lambda: die_with_parent(signal.SIGTERM),
        )
        try:
            assert process.stdout is not None
            there, _, _ = select.select([process.stdout], [], [], _READY_SECONDS)
            line = process.stdout.readline() if there else ""
            if not line:
                process.kill()
                errors.seek(0)
                raise NotRun(f"the demo did not start: {errors.read()[-2000:]}")
            told = json.loads(line)
            root = Path(told["site"])
            yield OnSite(root, lambda *words: prove(code, root, *words), told["front"])
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def prove(code: Path, site: Path, *words: str) -> dict[str, dict[str, str]]:
    """Run `troth prove --json` on the site with the copy's own code; return state and detail of each proof."""
    command = [sys.executable, "-c", _COMMAND, "prove", "--json", "--site", str(site), *words]
    done = subprocess.run(
        command, env=_environ(code), capture_output=True, text=True, timeout=_PROVE_SECONDS, check=False
    )
    if not done.stdout.startswith("{"):
        raise NotRun(f"nothing could be tried: {done.stderr[-2000:]}")
    told = json.loads(done.stdout)["promises"]
    return {proof["id"]: proof for promise in told for proof in promise["proofs"]}


def _environ(code: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(code),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TROTH_PROMISES__PROVE_MINUTES": "0",  # no trial but the one that is asked for
    }
