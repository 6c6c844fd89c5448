"""What the dashboard asks: sums over a period, by time, and the top of each kind, drilled down to one thing if asked.

A period of whole months is answered from months, what is left of it from days, one day by its hours: see `store`.
May touch: reads this room's tables.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import batched
from typing import NamedTuple

from troth.audience.cells import PAIRED, TOGETHER, Dim
from troth.audience.models import Name
from troth.audience.sheets import UNCOUNTED, Figures
from troth.audience.store import by_day_or_month, by_hour, month_begin, month_of, most, read
from troth.audience.tally import kind_of

_NAMES_AT_ONCE = 500
_DAYS_DRAWN = 92
"""A longer period is drawn by months."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days from the first to the last, both counted."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """As many days just before, to compare with."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))


class Drill(NamedTuple):
    """One thing that everything is asked of: this page's sources, this source's pages."""

    dim: Dim
    name: str


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums. `visitors` is exact-within-the-error for one day; for more it is the days' visitors, summed."""

    views: int = 0
    visits: int = 0
    bounces: int = 0
    seconds: int = 0
    visitors: int | None = None

    @property
    def bounce_rate(self) -> float:
        """Share of visits with one view only, 0 to 1."""
        return self.bounces / self.visits if self.visits else 0.0

    @property
    def seconds_a_visit(self) -> float:
        """Time really looked, for each visit."""
        return self.seconds / self.visits if self.visits else 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a panel."""

    name: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class Point:
    """One bar of the chart."""

    label: str
    totals: Totals


# -- answers ----------------------------------------------------------------------------------------------------------


def totals(period: Period, drill: Drill | None = None) -> Totals:
    """The sums of the whole site, or of one thing."""
    dim, name = (Dim.ALL, 0) if drill is None else (drill.dim, _id(drill.name))
    if name is None:
        return Totals(visitors=0)
    found = _one(period, kind_of(dim), name)
    if drill is not None and drill.dim is Dim.PAGE:  # a bounce is told by where a visit began
        began = _one(period, kind_of(Dim.ENTRY), name)
        found = Totals(found.views, found.visits, began.bounces, found.seconds, found.visitors)
    return found


def _one(period: Period, kind: int, name: int) -> Totals:
    cells = read(kind, period.first, period.last, name=name, by=0)
    sums = Totals(visitors=sum(cells.visitors.values()))
    for _, figures in by_day_or_month(cells, name):
        sums = _plus(sums, _totals(figures))
    return sums


def _plus(one: Totals, other: Totals) -> Totals:
    return Totals(
        one.views + other.views,
        one.visits + other.visits,
        one.bounces + other.bounces,
        one.seconds + other.seconds,
        (one.visitors or 0) + (other.visitors or 0),
    )


def _totals(figures: Figures) -> Totals:
    views, visits, bounces, seconds, visitors = figures
    return Totals(views, visits, bounces, seconds, None if visitors == UNCOUNTED else visitors)


def top(period: Period, dim: Dim, drill: Drill | None = None, *, limit: int = 10) -> list[Row]:
    """The most of a kind, by visits, then by views; of one thing where it is drilled down to. Empty where the two are
    not counted together."""
    asked = _asked(dim, drill)
    if asked is None:
        return []
    kind, name, by = asked
    found = most(read(kind, period.first, period.last, name=name, by=by), limit, name=name, by=by)
    names = _texts([one for one, _ in found])
    return [Row(names.get(one, ""), _totals(figures)) for one, figures in found]


def _asked(dim: Dim, drill: Drill | None) -> tuple[int, int | None, int | None] | None:
    """Which kind answers, of which name, or of which second name."""
    if drill is None:
        return kind_of(dim), None, 0
    one = _id(drill.name)
    if one is None:
        return None
    if (drill.dim, dim) in TOGETHER:
        return kind_of(drill.dim, dim), one, None
    if (dim, drill.dim) in PAIRED:
        return kind_of(dim, drill.dim), None, one
    return None


def _texts(ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in batched(ids, _NAMES_AT_ONCE):
        found.update(Name.objects.filter(id__in=some).values_list("id", "text"))
    return found


def series(period: Period, drill: Drill | None = None) -> list[Point]:
    """The chart: by hour for one day, by day, or by month for a long period. Each span is there, also an empty one."""
    dim, name = (Dim.ALL, 0) if drill is None else (drill.dim, _id(drill.name))
    kind = kind_of(dim)
    if name is None:
        name = -1
    if period.days == 1:
        hours = ((hour, _totals(figures)) for hour, figures in by_hour(kind, period.first, name))
        return _points(hours, ((hour, f"{hour:02}:00") for hour in range(24)))
    by_day = period.days <= _DAYS_DRAWN
    parts = by_day_or_month(read(kind, period.first, period.last, name=name, by=0, by_day=by_day), name)
    if by_day:
        return _points(((day, _totals(figures)) for day, figures in parts), _days(period))
    months = ((month_of(day), _totals(figures)) for day, figures in parts)
    there = range(month_of(period.first), month_of(period.last) + 1)
    return _points(months, ((month, f"{month_begin(month):%b %Y}") for month in there))


def _days(period: Period) -> Iterator[tuple[date, str]]:
    days = (period.first + timedelta(days=n) for n in range(period.days))
    return ((day, f"{day:%-d %b}") for day in days)


def _points[Span](sums: Iterable[tuple[Span, Totals]], labels: Iterable[tuple[Span, str]]) -> list[Point]:
    found: dict[Span, Totals] = {}
    for span, more in sums:
        found[span] = _plus(found[span], more) if span in found else more
    return [Point(label, found.get(span, Totals())) for span, label in labels]


def _id(name: str) -> int | None:
    return Name.objects.filter(text=name).values_list("id", flat=True).first()
