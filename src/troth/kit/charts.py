"""Lays out small SVG charts on the server. Each page shows the same numbers in a table, too."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar. Lengths are in the chart's own units."""

    label: str
    value: int
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bars:
    """A row of bars, for `kit/bars.html`."""

    title: str
    bars: tuple[Bar, ...]
    width: int
    height: int
    bar_width: float
    total: int
    most: int
    """The highest of the values."""


def bars(title: str, values: list[tuple[str, int]], *, height: int = 72, step: int = 14, gap: int = 4) -> Bars:
    """Lay out bars for (label, count) pairs, oldest first. A zero leaves a hairline, so that its day is visible."""
    top = max([1, *(value for _, value in values)])
    drawn = []
    for position, (label, value) in enumerate(values):
        tall = max(1.5, value / top * height)
        drawn.append(Bar(label, value, position * step, round(height - tall, 2), round(tall, 2)))
    total = sum(value for _, value in values)
    most = max((value for _, value in values), default=0)
    return Bars(title, tuple(drawn), max(1, len(values)) * step - gap, height, step - gap, total, most)


# -- columns over time, with the period before and notes --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColumnItem:
    """What one column shows."""

    label: str
    value: float
    text: str
    """The value as text, for the tooltip and the table."""
    before: float | None = None
    before_text: str = ""
    before_label: str = ""
    href: str = ""
    running: bool = False
    """Whether its time is not over yet: drawn lighter."""
    note_numbers: tuple[int, ...] = ()
    """The numbers of its notes."""
    long_label: str = ""
    """The label for places with more room."""

    @property
    def full_label(self) -> str:
        """Return the longer label, or the only one."""
        return self.long_label or self.label


@dataclass(frozen=True, slots=True)
class ChartColumn:
    """A column. Horizontal sizes are in per cent of the width, vertical ones in pixels."""

    item: ColumnItem
    slot_x: float
    """Where its slot begins."""
    slot: float
    x: float
    """Where the column itself begins."""
    width: float
    middle: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the previous period's line."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at an axis."""

    at: float
    label: str
    anchor: str = "middle"
    wide: bool = False
    """Whether it is left out on narrow screens."""


@dataclass(frozen=True, slots=True)
class ColumnChart:
    """A chart over time, for `kit/columns.html`. Its width is fluid, its height fixed."""

    title: str
    columns: tuple[ChartColumn, ...]
    before: tuple[Segment, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    top: float
    floor: float
    height: float


_TOP, _PLOT, _FOOT = 30.0, 190.0, 26.0
_LABELS_WIDE, _LABELS_NARROW = 7, 3
_THIN = 45
"""The number of columns from which on there is hardly room between them."""


def columns(title: str, items: Sequence[ColumnItem], axis: Callable[[float], str], *, most: float = 0) -> ColumnChart:
    """Lay out columns, oldest first. `axis` formats a value for the axis, which reaches `most` at least."""
    values = [item.value for item in items] + [item.before for item in items if item.before is not None]
    step, lines = _scale(max([most, *values]))
    reach, slot, floor = step * lines, 100 / max(1, len(items)), _TOP + _PLOT
    share = 0.8 if len(items) > _THIN else 0.68
    drawn = []
    for place, item in enumerate(items):
        tall = max(2.0 if item.value else 0.0, item.value / reach * _PLOT)
        slot_x = place * slot
        x, middle = slot_x + slot * (1 - share) / 2, slot_x + slot / 2
        sizes = (slot_x, slot, x, slot * share, middle, floor - tall, tall)
        drawn.append(ChartColumn(item, *(round(size, 3) for size in sizes)))
    up = tuple(Tick(round(floor - n * step / reach * _PLOT, 1), axis(n * step)) for n in range(lines + 1))
    return ColumnChart(title, tuple(drawn), _line(drawn, reach, floor), _across(drawn), up, _TOP, floor, floor + _FOOT)


def _scale(most: float) -> tuple[float, int]:
    """Return a step of 1, 2, 2.5 or 5 times a power of ten, and how many steps reach `most`: five at most."""
    power = 10.0 ** math.floor(math.log10(max(most, 1) / 4)) if most > 4 else 1.0
    for size in (1, 2, 2.5, 5, 10):
        step = size * power
        if step >= 1 and step == int(step) and math.ceil(most / step) <= 4:
            return step, max(1, math.ceil(most / step))
    return 10 * power, max(1, math.ceil(most / (10 * power)))


def _line(drawn: Sequence[ChartColumn], reach: float, floor: float) -> tuple[Segment, ...]:
    points = [
        (column.middle, round(floor - column.item.before / reach * _PLOT, 2))
        for column in drawn
        if column.item.before is not None
    ]
    return tuple(Segment(*start, *end) for start, end in pairwise(points))


def _across(drawn: Sequence[ChartColumn]) -> tuple[Tick, ...]:
    """Return as many of the labels as fit, and which of them narrow screens leave out."""
    last = len(drawn) - 1
    if last < 1:
        return tuple(Tick(column.middle, column.item.label) for column in drawn)
    wide = list(range(last, -1, -math.ceil((last + 1) / _LABELS_WIDE)))[::-1]
    narrow = wide[:: -math.ceil(len(wide) / _LABELS_NARROW)]
    return tuple(Tick(drawn[at].middle, drawn[at].item.label, _anchor(at, last), at not in narrow) for at in wide)


def _anchor(at: int, last: int) -> str:
    if last < _THIN // 4:
        return "middle"
    return "start" if at == 0 else "end" if at == last else "middle"
