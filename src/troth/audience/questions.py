"""What the dashboard asks: sums over a period, by time, and the top of each kind, drilled down to one thing if asked.

A period of whole months is answered from months, what is left of it from days, one day by its hours. Each answer is one
or two reads of a table in the order of its key. May touch: reads this room's tables.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from django.db import connection

from troth.audience.cells import PAIRED, SKETCHED, TOGETHER, Dim
from troth.audience.models import Day, Hour, Month, Name
from troth.audience.tally import kind_of, visitors_of

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


# -- spans ------------------------------------------------------------------------------------------------------------


class _Span(NamedTuple):
    """A stretch of one table: days or months."""

    table: str
    first: int
    last: int


def _spans(period: Period, closed: int) -> list[_Span]:
    """The stretches that a period is made of. `closed`: the first month that has not been added up yet."""
    first_month, last_month = _month_from(period.first), _month_to(period.last)
    last_month = min(last_month, closed - 1)
    day, month = Day._meta.db_table, Month._meta.db_table
    if last_month < first_month:
        return [_Span(day, period.first.toordinal(), period.last.toordinal())]
    spans = [_Span(month, first_month, last_month)]
    begin, end = month_begin(first_month), month_begin(last_month + 1)
    if period.first < begin:
        spans.append(_Span(day, period.first.toordinal(), begin.toordinal() - 1))
    if end <= period.last:
        spans.append(_Span(day, end.toordinal(), period.last.toordinal()))
    return spans


def month_of(day: date) -> int:
    """A month as `Month.at` has it."""
    return day.year * 12 + day.month - 1


def month_begin(month: int) -> date:
    """Its first day."""
    return date(month // 12, month % 12 + 1, 1)


def _month_from(day: date) -> int:
    return month_of(day) + (day.day > 1)


def _month_to(day: date) -> int:
    return month_of(day + timedelta(days=1)) - 1


def _first_open_month() -> int:
    newest = Month.objects.order_by("-at").values_list("at", flat=True).first()
    return 0 if newest is None else newest + 1


# -- answers ----------------------------------------------------------------------------------------------------------


def totals(period: Period, drill: Drill | None = None) -> Totals:
    """The sums of the whole site, or of one thing."""
    dim, name = (Dim.ALL, 0) if drill is None else (drill.dim, _id(drill.name))
    if name is None:
        return Totals(visitors=0)
    found = Totals()
    for span in _spans(period, _first_open_month()):
        found = _plus(found, _one(span, kind_of(dim), name))
    if drill is not None and drill.dim is Dim.PAGE:  # a bounce is told by where a visit began
        began = [_one(span, kind_of(Dim.ENTRY), name) for span in _spans(period, _first_open_month())]
        found = Totals(found.views, found.visits, sum(one.bounces for one in began), found.seconds, found.visitors)
    return _with_today(found, dim, name, period)


def _with_today(found: Totals, dim: Dim, name: int, period: Period) -> Totals:
    """Add the visitors of days that are not over: those that have registers still."""
    if dim not in SKETCHED:
        return found
    open_days = (day.toordinal() for day in (period.last, period.last - timedelta(days=1)) if day >= period.first)
    more = sum(visitors_of(dim, day, name) for day in open_days)
    return Totals(found.views, found.visits, found.bounces, found.seconds, (found.visitors or 0) + more)


def _one(span: _Span, kind: int, name: int) -> Totals:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(SUM(views), 0), COALESCE(SUM(visits), 0), COALESCE(SUM(bounces), 0), "  # noqa: S608
            f"COALESCE(SUM(seconds), 0), COALESCE(SUM(visitors), 0) FROM {span.table} "
            "WHERE kind = %s AND at BETWEEN %s AND %s AND name = %s AND by = 0",
            [kind, span.first, span.last, name],
        )
        return Totals(*(int(one) for one in cursor.fetchone()))


def _plus(one: Totals, other: Totals) -> Totals:
    return Totals(
        one.views + other.views,
        one.visits + other.visits,
        one.bounces + other.bounces,
        one.seconds + other.seconds,
        (one.visitors or 0) + (other.visitors or 0),
    )


def top(period: Period, dim: Dim, drill: Drill | None = None, *, limit: int = 10) -> list[Row]:
    """The most of a kind, by visits, then by views; of one thing where it is drilled down to. Empty where the two are
    not counted together."""
    asked = _asked(dim, drill)
    if asked is None:
        return []
    kind, column, where, of = asked
    found = _top(_spans(period, _first_open_month()), kind, column, where, of, limit)
    names = dict(Name.objects.filter(id__in=[name for name, _ in found]).values_list("id", "text"))
    return [Row(names.get(name, ""), sums) for name, sums in found]


def _asked(dim: Dim, drill: Drill | None) -> tuple[int, str, str, int] | None:
    """Which kind answers, by which column, under which condition."""
    if drill is None:
        return kind_of(dim), "name", "by = %s", 0
    one = _id(drill.name)
    if one is None:
        return None
    if (drill.dim, dim) in TOGETHER:
        return kind_of(drill.dim, dim), "by", "name = %s", one
    if (dim, drill.dim) in PAIRED:
        return kind_of(dim, drill.dim), "name", "by = %s", one
    return None


def _top(spans: Sequence[_Span], kind: int, column: str, where: str, of: int, limit: int) -> list[tuple[int, Totals]]:
    parts, values = [], list[int]()
    for span in spans:
        parts.append(
            f"SELECT {column} AS one, views, visits, bounces, seconds, visitors FROM {span.table} "  # noqa: S608
            f"WHERE kind = %s AND at BETWEEN %s AND %s AND {where}"
        )
        values += [kind, span.first, span.last, of]
    union = " UNION ALL ".join(parts)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT one, SUM(views), SUM(visits), SUM(bounces), SUM(seconds), SUM(visitors) "  # noqa: S608
            f"FROM ({union}) AS spans GROUP BY one "
            "HAVING SUM(views) > 0 OR SUM(visits) > 0 ORDER BY 3 DESC, 2 DESC, 1 LIMIT %s",
            [*values, limit],
        )
        rows = cursor.fetchall()
    return [(int(one), _totals(sums)) for one, *sums in rows]


def _totals(sums: Sequence[int | None]) -> Totals:
    views, visits, bounces, seconds = (int(one or 0) for one in sums[:4])
    return Totals(views, visits, bounces, seconds, None if sums[4] is None else int(sums[4]))


def series(period: Period, drill: Drill | None = None) -> list[Point]:
    """The chart: by hour for one day, by day, or by month for a long period. Each span is there, also an empty one."""
    dim, name = (Dim.ALL, 0) if drill is None else (drill.dim, _id(drill.name))
    kind = kind_of(dim)
    if name is None:
        name = -1
    if period.days == 1:
        return _points(Hour._meta.db_table, kind, name, _hours(period))
    if period.days <= _DAYS_DRAWN:
        return _points(Day._meta.db_table, kind, name, _days(period))
    return _by_month(period, kind, name)


def _hours(period: Period) -> Iterator[tuple[int, str]]:
    start = period.first.toordinal() * 24
    return ((start + hour, f"{hour:02}:00") for hour in range(24))


def _days(period: Period) -> Iterator[tuple[int, str]]:
    days = (period.first + timedelta(days=n) for n in range(period.days))
    return ((day.toordinal(), f"{day:%-d %b}") for day in days)


def _points(table: str, kind: int, name: int, spans: Iterator[tuple[int, str]]) -> list[Point]:
    labels = dict(spans)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT at, views, visits, bounces, seconds FROM {table} "  # noqa: S608
            "WHERE kind = %s AND at BETWEEN %s AND %s AND name = %s AND by = 0",
            [kind, min(labels), max(labels), name],
        )
        found = {at: Totals(*sums) for at, *sums in cursor.fetchall()}
    return [Point(label, found.get(at, Totals())) for at, label in labels.items()]


def _by_month(period: Period, kind: int, name: int) -> list[Point]:
    made, closed = [], _first_open_month()
    for month in range(month_of(period.first), month_of(period.last) + 1):
        first, after = max(period.first, month_begin(month)), month_begin(month + 1)
        part = Period(first, min(period.last, after - timedelta(days=1)))
        sums = Totals()
        for span in _spans(part, closed):
            sums = _plus(sums, _one(span, kind, name))
        made.append(Point(f"{month_begin(month):%b %Y}", sums))
    return made


def _id(name: str) -> int | None:
    return Name.objects.filter(text=name).values_list("id", flat=True).first()


def close_months(before: date) -> int:
    """Add up the months that are over before this day's; returns how many. Their days stay for what asks by day."""
    newest = Month.objects.order_by("-at").values_list("at", flat=True).first()
    oldest = Day.objects.order_by("at").values_list("at", flat=True).first()
    if oldest is None:
        return 0
    first = month_of(date.fromordinal(oldest)) if newest is None else newest + 1
    for month in range(first, month_of(before)):
        _close_month(month)
    return max(0, month_of(before) - first)


def _close_month(month: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Month._meta.db_table} (kind, at, name, by, views, visits, bounces, seconds, visitors) "  # noqa: S608
            f"SELECT kind, %s, name, by, SUM(views), SUM(visits), SUM(bounces), SUM(seconds), SUM(visitors) "
            f"FROM {Day._meta.db_table} WHERE at BETWEEN %s AND %s GROUP BY kind, name, by",
            [month, month_begin(month).toordinal(), month_begin(month + 1).toordinal() - 1],
        )


def renew_month(day: date) -> None:
    """Add up the month of this day anew, if it was added up already: figures of its days came later."""
    newest = Month.objects.order_by("-at").values_list("at", flat=True).first()
    if newest is not None and month_of(day) <= newest:
        Month.objects.filter(at=month_of(day)).delete()
        _close_month(month_of(day))
