"""Tell whether the wall clock can be believed before something is removed for good because its time is over.

A clock that leaps (a dead battery, a resumed virtual machine, somebody's `date`) makes everything old at once. So where
it was last seen is written down with the boot and the time since it (CLOCK_BOOTTIME, which nobody sets). Within one
boot the two must agree, measured from the boot, so that the clock cannot creep away; over a reboot it may go on by a
day. A clock that leapt further is doubted until it has run on from there for a day, has come back, or an operator
confirms it: until then nothing is removed for good and no mail given up as too late. Standard library only.

    data/clock.json    {"seen": Moment, "leapt": Moment or null}, Moment = {"at": s since 1970, "boot": id, "up": s}

Weak: a clock that is wrong when a site is made, or for longer than a day, is believed.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from troth.core import clock
from troth.core.disk import read_plain

NAME = "clock.json"
STEADY = 86_400.0
"""Seconds that it must run on from where it leapt to, to be believed."""
_WRITE_EVERY = 30.0
_MOST, _FAR = 4096, 2.0e11
"""Bytes that are read; seconds before and after 1970 (the year 8307) beyond which there is no time."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the clock was: `at` in seconds since 1970, `up` in seconds since the boot of this id."""

    at: float
    boot: str
    up: float

    def runs_on(self, now: "Moment") -> bool:
        """Whether the clock at `now` is where one would expect it, having been here."""
        if now.boot and now.boot == self.boot:
            return abs(now.at - self.at - (now.up - self.up)) <= clock.LEAP
        return -clock.LEAP <= now.at - self.at <= clock.LEAP

    def expected(self, now: "Moment") -> "Moment":
        """Return where the clock should be at `now`; over a reboot nobody knows, and it is taken as it is."""
        if now.boot and now.boot == self.boot:
            return Moment(self.at + now.up - self.up, now.boot, now.up)
        return now

    @property
    def sound(self) -> bool:
        """Whether it can be one: the file that it was read from lies where others write."""
        return -_FAR < self.at < _FAR and -_FAR < self.up < _FAR and isinstance(self.boot, str)


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """What is written down: where the clock was, or should have been. `leapt`: where it leapt to, while it is
    doubted."""

    seen: Moment
    leapt: Moment | None = None

    @property
    def doubted(self) -> bool:
        """Whether nothing may be removed by the clock now."""
        return self.leapt is not None

    def judged(self, now: Moment) -> "ClockRecord":
        """Return what is to be written down at `now`."""
        if self.seen.runs_on(now):
            return ClockRecord(self.seen.expected(now))
        if self.leapt is None or self.leapt.boot != now.boot or not self.leapt.runs_on(now):
            return ClockRecord(self.seen, now)
        return ClockRecord(now) if now.up - self.leapt.up >= STEADY else self


def here() -> Moment:
    """Return this moment."""
    return Moment(clock.now().timestamp(), boot_id(), time.clock_gettime(time.CLOCK_BOOTTIME))


def boot_id() -> str:
    """Return the id of this boot of the machine; empty where the kernel does not tell it."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:  # then no two moments are known to be of one boot, and a leap waits for an operator
        return ""


class ClockWatch:
    """The worker's: looks at the clock and writes down where it was. `data`: the site's data folder; `known`: when a
    worker was last there, where nothing is written down yet; `tell` hears of a leap and of its end."""

    def __init__(
        self, data: Path, last_known: datetime | None, tell: Callable[["ClockRecord"], None] = lambda _state: None
    ) -> None:
        self._data, self._tell, self._written = data, tell, -_WRITE_EVERY
        self._state = ClockRecord(_of(last_known))
        self.look()

    def look(self) -> bool:
        """Whether the clock can be believed now."""
        before = self._state
        written = read(self._data) or before  # an operator may have said that the clock is right
        self._state = written.judged(here())
        clock.doubt(self._state.doubted)
        if self._state.doubted != (before.doubted or written.doubted):
            self._tell(self._state)
        if self._state.doubted != written.doubted or time.monotonic() - self._written >= _WRITE_EVERY:
            self._written = time.monotonic()
            write(self._data, self._state)
        return not self._state.doubted


def _of(last_known: datetime | None) -> Moment:
    return here() if last_known is None else Moment(last_known.timestamp(), "", 0.0)


def read(data: Path) -> ClockRecord | None:
    """Return what is written down; None where nothing is, or nothing that can be read."""
    try:
        document = json.loads(read_plain(data / NAME, _MOST))
        state = ClockRecord(Moment(**document["seen"]), Moment(**document["leapt"]) if document["leapt"] else None)
        return state if all(moment.sound for moment in (state.seen, state.leapt) if moment) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def write(data: Path, state: ClockRecord) -> None:
    """Write it down. A full disk is told by others."""
    with suppress(OSError):
        _write(data, state)


def _write(data: Path, state: ClockRecord) -> None:
    fresh = data / f".{NAME}.new"
    fresh.write_text(json.dumps(asdict(state)))
    fresh.replace(data / NAME)


def accept(data: Path) -> None:
    """Accept the clock as it is now, as an operator said. Raises `OSError`."""
    _write(data, ClockRecord(here()))


def doubted(data: Path) -> ClockRecord | None:
    """Return what is written down, judged now, if the clock is doubted; else None. For any process."""
    state = read(data)
    now = state.judged(here()) if state else None
    return now if now and now.doubted else None


def words(state: ClockRecord) -> str:
    """Return a sentence for the log, doctor and status."""
    assert state.leapt is not None
    back, at = (datetime.fromtimestamp(moment.at, UTC) for moment in (state.seen, state.leapt))
    until = datetime.fromtimestamp(state.leapt.at + STEADY, UTC)
    return (
        f"The clock jumped from {back:%Y-%m-%d %H:%M} to {at:%Y-%m-%d %H:%M} (UTC): nothing is deleted by age "
        f"until it has run steadily until {until:%Y-%m-%d %H:%M}."
    )


MEND = "Set the clock; or, if it is right (the site was stopped for more than a day), run `troth clock accept`."
