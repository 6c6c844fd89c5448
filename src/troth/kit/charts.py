"""Small charts as SVG, drawn on the server. Each stands above a table that says the same in numbers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. Lengths are in the chart's own units."""

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
    """Bars for (label, count) pairs, oldest first. A zero leaves a hairline, so that the day is seen to exist."""
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
class Told:
    """What one column is to show."""

    label: str
    value: float
    said: str
    """The value in words, for whoever points at the column or reads the table."""
    before: float | None = None
    before_said: str = ""
    before_label: str = ""
    href: str = ""
    running: bool = False
    """It is not over yet: drawn lighter."""
    marks: tuple[int, ...] = ()
    """Numbers of the notes that belong to it."""
    whole_label: str = ""
    """The label where there is room for it."""

    @property
    def named(self) -> str:
        """The longer label."""
        return self.whole_label or self.label


@dataclass(frozen=True, slots=True)
class Column:
    """One column. What runs across is in per cent of the width, what runs down in pixels."""

    told: Told
    left: float
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
    """A piece of the line that the period before draws."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A word at an axis."""

    at: float
    label: str
    anchor: str = "middle"
    wide: bool = False
    """Left out where the screen is narrow."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart over time, for `kit/columns.html`. It takes the width that it gets; its height is fixed."""

    title: str
    columns: tuple[Column, ...]
    before: tuple[Segment, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    top: float
    floor: float
    height: float


_TOP, _PLOT, _FOOT = 30.0, 190.0, 26.0
_LABELS_WIDE, _LABELS_NARROW = 7, 3
_THIN = 45
"""From so many columns on there is hardly room between them."""


def columns(title: str, told: Sequence[Told], axis: Callable[[float], str], *, most: float = 0) -> Columns:
    """Columns, oldest first. `axis` says a value in a few letters; `most`: what the axis reaches at least."""
    values = [one.value for one in told] + [one.before for one in told if one.before is not None]
    step, lines = _scale(max([most, *values]))
    reach, slot, floor = step * lines, 100 / max(1, len(told)), _TOP + _PLOT
    share = 0.8 if len(told) > _THIN else 0.68
    drawn = []
    for place, one in enumerate(told):
        tall = max(2.0 if one.value else 0.0, one.value / reach * _PLOT)
        left = place * slot
        x, middle = left + slot * (1 - share) / 2, left + slot / 2
        sizes = (left, slot, x, slot * share, middle, floor - tall, tall)
        drawn.append(Column(one, *(round(size, 3) for size in sizes)))
    up = tuple(Tick(round(floor - n * step / reach * _PLOT, 1), axis(n * step)) for n in range(lines + 1))
    return Columns(title, tuple(drawn), _line(drawn, reach, floor), _across(drawn), up, _TOP, floor, floor + _FOOT)


def _scale(most: float) -> tuple[float, int]:
    """A step of 1, 2, 2.5 or 5 times a power of ten, and how many of them reach `most`: four or five at most."""
    power = 10.0 ** math.floor(math.log10(max(most, 1) / 4)) if most > 4 else 1.0
    for size in (1, 2, 2.5, 5, 10):
        step = size * power
        if step >= 1 and step == int(step) and math.ceil(most / step) <= 4:
            return step, max(1, math.ceil(most / step))
    return 10 * power, max(1, math.ceil(most / (10 * power)))


def _line(drawn: Sequence[Column], reach: float, floor: float) -> tuple[Segment, ...]:
    points = [
        (one.middle, round(floor - one.told.before / reach * _PLOT, 2)) for one in drawn if one.told.before is not None
    ]
    return tuple(Segment(*one, *other) for one, other in pairwise(points))


def _across(drawn: Sequence[Column]) -> tuple[Tick, ...]:
    """Some of the labels: as many as fit, and fewer where it is narrow."""
    last = len(drawn) - 1
    if last < 1:
        return tuple(Tick(one.middle, one.told.label) for one in drawn)
    wide = list(range(last, -1, -math.ceil((last + 1) / _LABELS_WIDE)))[::-1]
    narrow = wide[:: -math.ceil(len(wide) / _LABELS_NARROW)]
    return tuple(Tick(drawn[at].middle, drawn[at].told.label, _anchor(at, last), at not in narrow) for at in wide)


def _anchor(at: int, last: int) -> str:
    if last < _THIN // 4:
        return "middle"
    return "start" if at == 0 else "end" if at == last else "middle"
