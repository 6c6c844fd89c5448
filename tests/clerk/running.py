"""A real clerk: its own process behind its own fence, started as the supervisor starts it."""

import os
import resource
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.walls.prison import SOURCE, brief_for
from troth.core import frames as journal
from troth.supervisor import sockets
from troth.supervisor.brief import Brief, pack

SIGNUP, LINK = 1, 2


def start(brief: Brief) -> subprocess.Popen[bytes]:
    """Start what `brief` describes and wait until it says that it serves."""
    told, tell = os.pipe()
    ready, say = os.pipe()
    code = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); from troth.supervisor.child import main; main({told})"
    inherit = [*brief.lines, *(number for number in (brief.clerk, brief.listener) if number is not None)]
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-c", code],
        env={},
        cwd="/",
        stdin=subprocess.DEVNULL,
        pass_fds=[told, say, *inherit],
    )
    os.close(told)
    os.close(say)
    with os.fdopen(tell, "wb") as pipe:
        pipe.write(pack(replace(brief, ready=say, parent=os.getpid())))
    readable, _, _ = select.select([ready], [], [], 30)
    assert readable and os.read(ready, 1) == b"1", f"the {brief.role} did not start"
    os.close(ready)
    return child


class RunningClerk:
    """A clerk with some fronts' lines and a worker's."""

    def __init__(self, root: Path, fronts: int = 1, quota: int = 1 << 24) -> None:
        self.root = root
        self.spool = root / "spool"
        pairs = [sockets.pair() for _ in range(fronts)]
        self.clerk_ends = [pair[0] for pair in pairs]
        self.front_ends = [pair[1] for pair in pairs]
        self.to_worker, self.worker_end = sockets.pair()
        self.brief = brief_for(
            "clerk",
            root,
            lines=[end.fileno() for end in self.clerk_ends],
            clerk=self.to_worker.fileno(),
            quotas={SIGNUP: quota, LINK: quota},
        )
        self.process = start(self.brief)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.process = start(self.brief)

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def close(self) -> None:
        self.end()
        for end in [*self.clerk_ends, *self.front_ends, self.to_worker, self.worker_end]:
            if end.fileno() >= 0:
                end.close()

    def frames(self) -> list[tuple[int, bytes]]:
        """Every good frame in the spool, in order."""
        found = []
        for sequence in journal.segments(self.spool):
            data = (self.spool / journal.segment_name(sequence)).read_bytes()[journal.HEADER_SIZE :]
            for item in journal.read(data, journal.HEADER_SIZE, sequence, closed=False):
                if isinstance(item, journal.Frame):
                    found.append((item.kind, item.body))
        return found


def descriptor(end: socket.socket) -> int:
    """A descriptor of its own for a `ClerkLine`, which closes what it is given."""
    return os.dup(end.fileno())


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file may grow beyond `size`: a write ends early or fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
