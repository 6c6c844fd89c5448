"""Days that were counted from a file, ready to be written; and what counting them needs. Touches nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from troth.audience.counting.cells import Cell, Sums
from troth.audience.counting.commit import MOST, Counts, pack, unpack
from troth.audience.counting.counter import Taken
from troth.audience.counting.hyperloglog import Sketch
from troth.audience.counting.registers import Rise, precision
from troth.audience.storage.fold import NO_HOUR

type Tell = Callable[[str, int, int, int], None]
"""Told what is being done, how many bytes of how many are done, and lines."""


class Progress:
    """How far it is, for whoever is told."""

    def __init__(self, what: str, size: int, tell: Tell) -> None:
        self._what, self._size, self._tell, self._bytes, self._lines = what, size, tell, 0, 0

    def more(self, some: int, lines: int) -> None:
        """So many bytes and lines more."""
        self._bytes, self._lines = self._bytes + some, self._lines + lines
        self._tell(self._what, min(self._bytes, self._size), self._size, self._lines)


class Clock:
    """Day and hour in the site's zone; zones differ by whole quarters of an hour."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._known: dict[int, tuple[int, int]] = {}

    def of(self, at: float) -> tuple[int, int]:
        """The day, as in `models.Day`, and the hour of a moment."""
        quarter = int(at) // 900
        told = self._known.get(quarter)
        if told is None:
            moment = datetime.fromtimestamp(quarter * 900, self._zone)
            told = self._known[quarter] = (moment.toordinal(), moment.hour)
        return told


@dataclass(slots=True)
class CountedDay:
    """One day, counted."""

    day: int
    counted: list[Counts] = field(default_factory=list)
    told: dict[Cell, int] = field(default_factory=dict)
    """Different visitors, where somebody else has counted them."""
    _sketches: dict[Cell, Sketch] = field(default_factory=dict)

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
        sketch = self._sketches.get(rise.cell)
        if sketch is None:
            sketch = self._sketches[rise.cell] = Sketch(precision(rise.cell))
        sketch.raised(rise.register, rise.rank)

    @property
    def visitors(self) -> dict[Cell, int]:
        """Different visitors of each cell: told, or estimated."""
        return self.told | {cell: round(sketch.count()) for cell, sketch in self._sketches.items()}


def whole_day(day: int, sums: Sums) -> list[Counts]:
    """Counts of a day whose hours are not known: several where one cannot hold so much."""
    left = {cell: list(four) for cell, four in sums}
    made = []
    while any(any(four) for four in left.values()):
        part = Sums()
        for cell, four in left.items():
            views, visits, bounces, seconds = (max(-MOST, min(MOST, one)) for one in four)
            part.add(cell, views=views, visits=visits, bounces=bounces, seconds=seconds)
            left[cell] = [one - taken for one, taken in zip(four, (views, visits, bounces, seconds), strict=True)]
        told = unpack(pack(Taken(date.fromordinal(day).isoformat(), 0, part)))
        made.append(Counts(told.day, NO_HOUR, told.names, told.cells, []))
    return made
