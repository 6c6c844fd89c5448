"""Holds the days counted from a file until they are written. Touches nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from troth.audience.counting.cells import Cell, Sums
from troth.audience.counting.commit import MOST, MinuteCounts, pack, unpack
from troth.audience.counting.counter import GroupCommit
from troth.audience.counting.hyperloglog import Sketch
from troth.audience.counting.registers import Rise, precision
from troth.audience.storage.fold import NO_HOUR

type Tell = Callable[[str, int, int, int], None]
"""Reports progress: the step, bytes done, bytes in total, lines."""


class ImportProgress:
    """Counts bytes and lines, and reports progress."""

    def __init__(self, step: str, size: int, tell: Tell) -> None:
        self._step, self._size, self._tell, self._bytes, self._lines = step, size, tell, 0, 0

    def more(self, size: int, lines: int) -> None:
        """Add bytes and lines."""
        self._bytes, self._lines = self._bytes + size, self._lines + lines
        self._tell(self._step, min(self._bytes, self._size), self._size, self._lines)


class Clock:
    """Computes day and hour in the site's zone; zones differ by whole quarters of an hour."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._known: dict[int, tuple[int, int]] = {}

    def of(self, at: float) -> tuple[int, int]:
        """Return the day, as in `models.Day`, and the hour of a moment."""
        quarter = int(at) // 900
        day_and_hour = self._known.get(quarter)
        if day_and_hour is None:
            moment = datetime.fromtimestamp(quarter * 900, self._zone)
            day_and_hour = self._known[quarter] = (moment.toordinal(), moment.hour)
        return day_and_hour


@dataclass(slots=True)
class CountedDay:
    """One day, counted."""

    day: int
    counted: list[MinuteCounts] = field(default_factory=list)
    known_visitors: dict[Cell, int] = field(default_factory=dict)
    """Visitors, where the other program has counted them."""
    _sketches: dict[Cell, Sketch] = field(default_factory=dict)

    def add(self, batch: GroupCommit | None) -> None:
        """Add a batch. Registers go into sketches here: the day is over when it is written."""
        if batch is None:
            return
        for rise in batch.risen:
            self._raise(rise)
        batch.risen = []
        self.counted.append(unpack(pack(batch)))

    def _raise(self, rise: Rise) -> None:
        sketch = self._sketches.get(rise.cell)
        if sketch is None:
            sketch = self._sketches[rise.cell] = Sketch(precision(rise.cell))
        sketch.raised(rise.register, rise.rank)

    @property
    def visitors(self) -> dict[Cell, int]:
        """Return the visitors of each cell, known or estimated."""
        return self.known_visitors | {cell: round(sketch.count()) for cell, sketch in self._sketches.items()}


def whole_day(day: int, sums: Sums) -> list[MinuteCounts]:
    """Return the counts of a day whose hours are not known; several where one cannot hold so much."""
    remaining = {cell: list(four) for cell, four in sums}
    result = []
    while any(any(four) for four in remaining.values()):
        part = Sums()
        for cell, four in remaining.items():
            views, visits, bounces, seconds = (max(-MOST, min(MOST, figure)) for figure in four)
            part.add(cell, views=views, visits=visits, bounces=bounces, seconds=seconds)
            used = (views, visits, bounces, seconds)
            remaining[cell] = [figure - less for figure, less in zip(four, used, strict=True)]
        counts = unpack(pack(GroupCommit(date.fromordinal(day).isoformat(), 0, part)))
        result.append(MinuteCounts(counts.day, NO_HOUR, counts.names, counts.cells, []))
    return result
