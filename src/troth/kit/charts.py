"""Small charts as SVG, drawn on the server. Each stands above a table that says the same in numbers."""

from dataclasses import dataclass


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
