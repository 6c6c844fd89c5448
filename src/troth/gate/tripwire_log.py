"""The tripwire's own file: which process is armed, and what it refused.

    data/wire-<role>    lines of `armed <ms> <pid>` and `refused <ms> <attempt> | <line of code>`

Never a destination. When a process arms, all but the newest lines are deleted. May touch: that file.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from troth.core.disk import is_plain, open_plain, read_plain, write_synced
from troth.supervisor.roles import TRIPWIRES

_MOST, _LEFT = 64 << 10, 16 << 10
ROLES = TRIPWIRES


@dataclass(frozen=True, slots=True)
class Refusal:
    """One attempt that was refused."""

    at_ms: int
    attempt: str
    """`connect to an address | package/module.py:12`."""


def path(data: Path, role: str) -> Path:
    """Return the file of the process `role`."""
    return data / f"wire-{role}"


def note_armed(note: Path) -> None:
    """Record that this process is armed. Failing to write stops nothing; the proof will report it as missing."""
    with suppress(OSError):
        if is_plain(note) and note.stat().st_size > _MOST:
            newest = read_plain(note)[-_LEFT:]
            write_synced(note, newest[newest.find(b"\n") + 1 :])
        _add(note, f"armed {_now()} {os.getpid()}")


def note_refused(note: Path, attempt: str, line: str) -> None:
    """Record a refusal. A flood is cut off."""
    with suppress(OSError):
        if not note.exists() or note.stat().st_size < 4 * _MOST:
            _add(note, f"refused {_now()} {attempt} | {line}")


def read(note: Path) -> tuple[int, list[Refusal]]:
    """Return the process that armed last (0: none), and the refusals, oldest first."""
    pid, refusals = 0, list[Refusal]()
    try:
        lines = read_plain(note, 4 * _MOST + _LEFT).decode("utf-8", "replace").split("\n")
    except OSError:  # not there, or something else bears its name: then nobody is armed that can be seen
        return 0, []
    for kind, at, text in (parts for line in lines if len(parts := line.split(" ", 2)) == 3):
        if kind == "armed" and text.isdigit():
            pid = int(text)
        elif kind == "refused" and at.isdigit():
            refusals.append(Refusal(int(at), text))
    return pid, refusals


def _now() -> int:
    return time.time_ns() // 1_000_000


def _add(note: Path, line: str) -> None:
    descriptor = open_plain(note, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)
