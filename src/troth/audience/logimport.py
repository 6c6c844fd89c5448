"""Server logs become sums by the rules of live counting: nothing of a line, an address or an agent is ever written.

Each day has a key of its own, made here, held in memory and gone with the day. Lines are counted by `audience.count` in
order of time, and folded by `audience.tally`, a day at a time. May touch: this room's tables, by `audience.imports`.
"""

import os
from collections import Counter as Tallied
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

from troth.audience import logfiles
from troth.audience.cells import Cell
from troth.audience.count import Counter, Seen, Taken
from troth.audience.entry import Counts, pack, unpack
from troth.audience.hit import Hit, HitKind
from troth.audience.imports import Given, Ground, Plan, begin, finish, plan, take_in
from troth.audience.known import Known
from troth.audience.logfiles import Line, Looked
from troth.audience.ownpages import known_names
from troth.audience.registers import Rise, precision
from troth.audience.requests import Sorting
from troth.audience.sketch import Sketch
from troth.audience.tally import Tally

_AT_ONCE = 100_000
"""Hits that one commit holds at most: fewer than `entry.MOST`."""
type Tell = Callable[[str, int, int, int], None]
"""Told what is being done, how many bytes of how many are done, and lines."""


@dataclass(slots=True)
class Examined:
    """Files that were looked through, and what would be taken of them."""

    files: list[Looked]
    given: list[Given]
    plan: Plan


@dataclass(slots=True)
class Done:
    """What came of it."""

    counts: Tallied[str] = field(default_factory=Tallied)
    """Requests by what they counted as, or why they did not."""
    days: list[int] = field(default_factory=list)


def examine(paths: Sequence[Path], ground: Ground, form: str = "", *, also: bool = False, tell: Tell) -> Examined:
    """Look all files through. Writes nothing. Raises `logfiles.LogError`."""
    progress = _Progress("looking through", sum(path.stat().st_size for path in paths if path.exists()), tell)
    files: dict[bytes, Looked] = {}
    for path in paths:
        looked = logfiles.look(path, ground.key, ground.span, form, progress.more)
        files.setdefault(looked.digest, looked)  # the same file named twice is one
    local = _Clock(ground)
    given = [Given(one.format.name, one.digest, _days(one, local)) for one in files.values()]
    return Examined(list(files.values()), given, plan(given, ground, also=also))


def _days(looked: Looked, local: "_Clock") -> dict[int, int]:
    days: Tallied[int] = Tallied()
    for quarter, lines in looked.quarters.items():
        days[local.of(quarter * 900)[0]] += lines
    return dict(days)


def carry_out(job: Examined, ground: Ground, *, dry_run: bool, tell: Tell) -> Done:
    """Count, and write day by day. `dry_run`: write nothing."""
    done, tally = Done(), Tally()
    progress = _Progress("counting", sum(one.path.stat().st_size for one in job.files), tell)
    sources = [] if dry_run else begin(job.given, [one.lines for one in job.files], ground.now)
    lines = logfiles.in_order(job.files, ground.span, progress.more)
    for day in _Counting(ground, job.plan, done.counts).days(lines):
        if not dry_run:
            givers = [sources[place] for place in sorted(job.plan.days[day.day])]
            take_in(tally, day.day, day.counted, day.visitors, givers)
        done.days.append(day.day)
    if not dry_run:
        finish(sources, ground.now)
    return done


class _Progress:
    def __init__(self, what: str, size: int, tell: Tell) -> None:
        self._what, self._size, self._tell, self._bytes, self._lines = what, size, tell, 0, 0

    def more(self, some: int, lines: int) -> None:
        self._bytes, self._lines = self._bytes + some, self._lines + lines
        self._tell(self._what, min(self._bytes, self._size), self._size, self._lines)


class _Clock:
    """Day and hour in the site's zone; zones differ by whole quarters of an hour."""

    def __init__(self, ground: Ground) -> None:
        self._zone = ground.zone
        self._known: dict[int, tuple[int, int]] = {}

    def of(self, at: float) -> tuple[int, int]:
        quarter = int(at) // 900
        told = self._known.get(quarter)
        if told is None:
            moment = datetime.fromtimestamp(quarter * 900, self._zone)
            told = self._known[quarter] = (moment.toordinal(), moment.hour)
        return told


@dataclass(slots=True)
class _Day:
    """One day, counted."""

    day: int
    counted: list[Counts] = field(default_factory=list)
    sketches: dict[Cell, Sketch] = field(default_factory=dict)

    def add(self, taken: Taken | None) -> None:
        """One commit more. What rose goes into sketches here: the day is over when it is written, and nothing is
        raised any more."""
        if taken is None:
            return
        for rise in taken.risen:
            self._raise(rise)
        taken.risen = []
        self.counted.append(unpack(pack(taken)))

    def _raise(self, rise: Rise) -> None:
        sketch = self.sketches.get(rise.cell)
        if sketch is None:
            sketch = self.sketches[rise.cell] = Sketch(precision(rise.cell))
        sketch.raised(rise.register, rise.rank)

    @property
    def visitors(self) -> dict[Cell, int]:
        """Different visitors of each cell, estimated."""
        return {cell: round(sketch.count()) for cell, sketch in self.sketches.items()}


class _Counting:
    """Counts the lines of the days that are planned."""

    def __init__(self, ground: Ground, planned: Plan, counts: Tallied[str]) -> None:
        self._ground, self._plan, self._counts = ground, planned, counts
        self._sorting, self._clock = Sorting(ground.prefix), _Clock(ground)
        self._known = Known(ground.at_least, known_names())

    def days(self, lines: Iterator[Line]) -> Iterator[_Day]:
        """Each day that is planned and has come to its end."""
        day: _Day | None = None
        counter, hour, hits = self._new_counter(), -1, 0
        for line in lines:
            at_day, at_hour = self._clock.of(line.at)
            if day is None or at_day != day.day:
                if day is not None and day.day in self._plan.days:
                    day.add(self._taken(counter, day.day, hour))
                    yield day
                day, counter = _Day(at_day), self._new_counter()
                hour = at_hour
            if at_hour != hour or hits >= _AT_ONCE:
                day.add(self._taken(counter, at_day, hour))
                counter.tidy(line.at)
                hour, hits = at_hour, 0
            if line.file in self._plan.days.get(at_day, ()):
                hits += self._count(line, counter)
            else:
                self._counts["on days that are left out"] += 1
        if day is not None and day.day in self._plan.days:
            day.add(self._taken(counter, day.day, hour))
            yield day

    def _new_counter(self) -> Counter:
        self._known.new_day()
        return Counter(self._ground.site, self._known, os.urandom(32))

    def _taken(self, counter: Counter, day: int, hour: int) -> Taken | None:
        return counter.take(datetime.combine(date.fromordinal(day), time(hour), self._ground.zone))

    def _count(self, line: Line, counter: Counter) -> bool:
        """Count one request; whether it came to the counter."""
        request = line.request
        kind = self._sorting.sort(request)
        if not isinstance(kind, HitKind):
            self._counts[kind] += 1
            return False
        host = request.host.lower().removeprefix("www.") or self._ground.host
        if host not in self._ground.site.hosts:
            self._counts["another site"] += 1
            return False
        url = f"https://{host}{request.target}"
        hit = Hit(kind, url, request.referrer, name=url if kind is HitKind.DOWNLOAD else "")
        country = self._ground.country(request.address) if kind is HitKind.VIEW else ""
        seen = Seen(
            hit, request.address, request.agent, request.languages, country, request.asked_not, request.prefetched
        )
        self._counts[counter.count(seen, line.at) or _WORDS[kind]] += 1
        return True


_WORDS = {HitKind.VIEW: "views", HitKind.MISSING: "missing pages", HitKind.DOWNLOAD: "downloads"}
