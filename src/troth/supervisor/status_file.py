"""What the supervisor sees of its children, written down for the office; and when somebody has to be told.

    data/house.json    {"at": ms, "log": place, "processes": [{"name", "up", "since": ms, "restarts", "pid"}]}, every
                       few seconds; `place` is a path, `journal <unit>`, or empty for a terminal or a pipe
    data/beat          touched by the worker each time it could write that it lives
    data/prove-asked   made by the office: somebody wants promises tried now, `light` or `full`
    data/dns-asked     made by the office: somebody wants the sender's DNS records checked now

A worker whose beat is older than `silent_minutes` is silent: dead, stuck, or without its database. The alarm goes out
by mail once for each silence, and once more when the beat is back. The folder is the worker's and the office's, and
what lies there may be a trap: it is gone about as `supervisor.safe_write` says. Standard library only; touches those
files.
"""

import json
import os
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from troth.core.disk import read_plain
from troth.supervisor.safe_write import SharedFolder, User

WRITE_SECONDS = 5.0
HOUSE, BEAT, PROVE_ASKED, DNS_ASKED = "house.json", "beat", "prove-asked", "dns-asked"
_FIRST_PROOF_SECONDS = 15.0
_FIRST_LOOKUP_SECONDS = 5.0
_LOOKUP_SECONDS = 6 * 3600.0
_DAY_SECONDS = 86_400.0
_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class ChildStatus:
    """One child, as the office shows it."""

    name: str
    up: bool
    since: int
    """When it said that it serves, or died; milliseconds since 1970."""
    restarts: int
    pid: int = 0


class StatusFile:
    """`data`: the site's data folder. `silent_minutes`: 0 turns the alarm off. `log`: the descriptor all write to.
    `user`: whose folder it is, where that is not this process's user."""

    def __init__(self, data: Path, silent_minutes: int, log: int = 2, user: User | None = None) -> None:
        self._data, self._patience, self._log = SharedFolder(data, user), silent_minutes * 60.0, log
        self._written = 0.0
        self._there: list[tuple[str, bool, int]] = []
        self._silent = False
        self._beat, self._heard = self._last_beat(), time.monotonic()

    def write(self, children: Sequence[ChildStatus]) -> None:
        """Replace `house.json`, every `WRITE_SECONDS` and when a child came or went. A full disk is told by others."""
        processes = [(child.name, child.up, child.pid) for child in children]
        if processes == self._there and time.monotonic() - self._written < WRITE_SECONDS:
            return
        self._there, self._written = processes, time.monotonic()
        document = {
            "at": int(time.time() * 1000),
            "log": where_it_logs(self._log),
            "processes": [asdict(child) for child in children],
        }
        with suppress(OSError):
            self._data.write(HOUSE, json.dumps(document).encode())

    def alarm(self) -> str:
        """Return `silent` or `back` where that has just become so; else nothing. Silence counts from our own start, and
        by no clock that somebody sets: one that was ahead for a moment would leave a beat that is younger than all that
        follow."""
        if not self._patience:
            return ""
        beat, now = self._last_beat(), time.monotonic()
        if beat != self._beat:
            self._beat, self._heard = beat, now
        silent = now - self._heard > self._patience
        if silent == self._silent:
            return ""
        self._silent = silent
        return "silent" if silent else "back"

    def _last_beat(self) -> float:
        try:
            return self._data.changed_at(BEAT)
        except OSError:
            return 0.0


class Timetable:
    """When promises are tried: all of them soon after the start, once a day, and when somebody asks; what is quickly
    tried, every `minutes`. 0: only when somebody asks."""

    def __init__(self, data: Path, minutes: int, user: User | None = None) -> None:
        self._data, self._every = SharedFolder(data, user), minutes * 60.0
        now = time.monotonic()
        self._full_at = now + _FIRST_PROOF_SECONDS
        self._light_at = now + _FIRST_PROOF_SECONDS + self._every

    def due(self) -> str:
        """Return `full` or `light` if it is time; else nothing."""
        now, request = time.monotonic(), self._take_asked()
        if request == "light":
            self._light_at = now + self._every
            return "light"
        if request or (self._every and now >= self._full_at):
            self._full_at, self._light_at = now + _DAY_SECONDS, now + self._every
            return "full"
        if self._every and now >= self._light_at:
            self._light_at = now + self._every
            return "light"
        return ""

    def _take_asked(self) -> str:
        """What somebody asked for; nothing, where nobody did."""
        try:
            word = self._data.read(PROVE_ASKED, 8)
            self._data.remove(PROVE_ASKED)
        except OSError:
            return ""
        return "light" if word == b"light" else "full"


class LookupTimetable:
    """When the sender's DNS records are looked up: soon after the start, every few hours, and when somebody asks; never
    unless `enabled`."""

    def __init__(self, data: Path, user: User | None = None, *, enabled: bool = True) -> None:
        self._data, self._enabled = SharedFolder(data, user), enabled
        self._at = time.monotonic() + _FIRST_LOOKUP_SECONDS

    def due(self) -> bool:
        """Return whether it is time now; the next time is later."""
        if not self._enabled or not (self._take_asked() or time.monotonic() >= self._at):
            return False
        self._at = time.monotonic() + _LOOKUP_SECONDS
        return True

    def _take_asked(self) -> bool:
        try:
            self._data.changed_at(DNS_ASKED)
            self._data.remove(DNS_ASKED)
        except OSError:
            return False
        return True


def where_it_logs(descriptor: int) -> str:
    """Return where the log can be read later: a path, or `journal <unit>`; empty if nowhere."""
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            return str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}":  # systemd.exec(5)
            return f"journal {_unit()}"
    except OSError:
        pass
    return ""


def _unit() -> str:
    """The systemd unit that this process belongs to, by its control group: `.../troth.service`."""
    control_group = Path("/proc/self/cgroup").read_text()
    return next(
        (part for part in reversed(control_group.strip().split("/")) if part.endswith(".service")), "troth.service"
    )


def log_of(data: Path) -> str:
    """Return where the log is, as `where_it_logs` says. Raises `OSError` if the supervisor has not said so."""
    try:
        return str(json.loads(read_plain(data / HOUSE, _MOST))["log"])
    except (ValueError, KeyError):
        raise OSError("the supervisor has not recorded where the log goes") from None


def read(data: Path) -> tuple[int, list[ChildStatus]] | None:
    """Read `house.json`: when it was written (milliseconds since 1970) and what it says; None without one."""
    try:
        document = json.loads(read_plain(data / HOUSE, _MOST))
        return int(document["at"]), [ChildStatus(**process) for process in document["processes"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
