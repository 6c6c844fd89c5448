"""What the processes say, brought into the log: each has a pipe of its own, and the supervisor alone holds the log.

So no process cuts, fills or overwrites what another said. Bytes at once and bytes a second are limited; the log says
how much was dropped. Long lines are cut, control characters are shown, and no line passes for the supervisor's own. A
process also holds the reading end of its pipe, so that nothing ends it while it works when the supervisor dies.
Standard library only; touches the pipes and the log.
"""

import os
import selectors
import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress

from troth.core.text.terminal import steers

LONGEST = 4096
"""Bytes of a line."""
BURST, EACH_SECOND = 512 << 10, 4096
"""Bytes that a process may say at once, and a second besides."""
_READ, _MOST_READS = 64 << 10, 64
_TELL_SECONDS, _REST_SECONDS = 10.0, 0.05
"""How often it is told what was dropped, and how long who said too much is not listened to."""
_OURS = b"troth:"


class Pipe:
    """The pipe of one process. `write`: puts a whole line, with its end, into the log."""

    def __init__(self, name: str, write: Callable[[bytes], None]) -> None:
        self.name, self._write = name, write
        self.reads, self._writes = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.reads, False)
        self._rest, self._cut = b"", False
        self._allowance, self._counted = float(BURST), time.monotonic()
        self._lines, self._bytes, self._told = 0, 0, 0.0

    def ends(self) -> tuple[int, int]:
        """Return, once, where the process writes and where that can be read, both for the caller to close. The second
        is opened for itself: who has it cannot make our own end wait."""
        return self._writes, os.open(f"/proc/self/fd/{self.reads}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def follow(self) -> bool:
        """Bring what has been said so far; False where nobody will say more."""
        with suppress(BlockingIOError):
            chunk = os.read(self.reads, _READ)
            if not chunk:
                return False
            self._take(chunk)
        self._tell_dropped()
        return True

    @property
    def is_spent(self) -> bool:
        """Whether it has said too much of late."""
        return self._allowance < LONGEST

    def close(self) -> None:
        """Bring what is left of a process that has ended, and say what was dropped."""
        with suppress(BlockingIOError):
            for _ in range(_MOST_READS):
                if not (chunk := os.read(self.reads, _READ)):
                    break
                self._take(chunk)
        if self._rest:
            self._line(self._rest)
        self._tell_dropped(last=True)
        os.close(self.reads)

    def _take(self, chunk: bytes) -> None:
        *lines, remainder = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._line(line)
        if len(remainder) > LONGEST:  # said in part now; what belongs to it goes
            self._line(remainder)
            remainder, self._cut = b"", True
        self._rest = remainder

    def _line(self, line: bytes) -> None:
        if self._cut:  # the end of a line whose beginning was said
            self._cut = False
            return
        now = time.monotonic()
        self._allowance = min(float(BURST), self._allowance + (now - self._counted) * EACH_SECOND)
        self._counted = now
        if len(line) > LONGEST:
            line = line[:LONGEST] + b" [...]"
        if len(line) + 1 > self._allowance:
            self._lines, self._bytes = self._lines + 1, self._bytes + len(line) + 1
            return
        self._allowance -= len(line) + 1
        line = _shown(line)
        self._write((b"> " if line.lstrip().startswith(_OURS) else b"") + line + b"\n")

    def _tell_dropped(self, *, last: bool = False) -> None:
        now = time.monotonic()
        if self._lines and (last or now - self._told >= _TELL_SECONDS):
            message = (
                f"the {self.name} logged more than the limit allows: {self._lines} lines, {self._bytes} bytes dropped"
            )
            self._write(f"troth: {message}\n".encode())
            self._lines, self._bytes, self._told = 0, 0, now


def _shown(line: bytes) -> bytes:
    """A line with a question mark for what would steer a terminal, or is not seen at all."""
    if line.isascii() and (text := line.decode("ascii")).isprintable():
        return line
    text = line.decode("utf-8", "replace")
    hidden = (char != "\t" and (steers(char) or unicodedata.category(char) == "Cf") for char in text)
    return "".join("?" if hides else char for hides, char in zip(hidden, text, strict=True)).encode()


class Pipes:
    """All pipes of a house, listened to by its selector. `write`: puts a whole line into the log."""

    def __init__(self, selector: selectors.BaseSelector, write: Callable[[bytes], None]) -> None:
        self._selector, self._write = selector, write
        self._resting: dict[Pipe, float] = {}

    def open(self, name: str) -> Pipe:
        """Return a pipe for the process of that name, to be handed over and closed when the process has ended."""
        pipe = Pipe(name, self._write)
        self._listen(pipe)
        return pipe

    def close(self, pipe: Pipe) -> None:
        """Read the rest: its process has ended."""
        if self._resting.pop(pipe, None) is None:
            self._forget(pipe)
        pipe.close()

    def wake(self) -> float:
        """Listen again to who has rested; return how many seconds nobody else has to rest."""
        now = time.monotonic()
        for pipe in [pipe for pipe, until in self._resting.items() if until <= now]:
            del self._resting[pipe]
            self._listen(pipe)
        return _REST_SECONDS if self._resting else float("inf")

    def _listen(self, pipe: Pipe) -> None:
        self._selector.register(pipe.reads, selectors.EVENT_READ, lambda: self._follow(pipe))

    def _forget(self, pipe: Pipe) -> None:
        with suppress(KeyError):  # it said that it was the last
            self._selector.unregister(pipe.reads)

    def _follow(self, pipe: Pipe) -> None:
        if not pipe.follow():
            self._forget(pipe)
        elif pipe.is_spent:
            self._forget(pipe)
            self._resting[pipe] = time.monotonic() + _REST_SECONDS
