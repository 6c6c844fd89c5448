"""Answers every query of the statistics: `answer` turns a `Query` into an `Answer`, for console, API, public page
and report.

Whole months are read from months, other days from days, a single day from its hours. Answers leave out excluded
traffic, as far as cells allow. May touch: reads this room's tables.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import NamedTuple

from troth.audience.counting.cells import SKETCHED, Dim
from troth.audience.models import Day, Name, Registers, Sheet
from troth.audience.queries.periods import Period as Period
from troth.audience.queries.periods import days, hours, month_begin, month_of, spans
from troth.audience.queries.sums import Out, SumQuery, one_sum, outs, sums_by_time, top_sums, untold
from troth.audience.queries.sums import SumTotals as SumTotals
from troth.audience.storage import read
from troth.audience.storage.fold import kind_of, visitors_of

_DAYS_DRAWN = 92
"""A longer series is by month."""
_NOBODY = -1
"""The id of a name that does not exist."""


class Drill(NamedTuple):
    """A filter: one name of a dimension."""

    dim: Dim
    name: str


@dataclass(frozen=True, slots=True)
class PanelRow:
    """A name with its totals."""

    name: str
    totals: SumTotals


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """A point of a series."""

    label: str
    totals: SumTotals
    first: date | None = None
    """Its first day."""
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A question: which days, which visits, and what to list of them."""

    period: Period
    filters: tuple[Drill, ...] = ()
    """Two at most; totals of two have no visitors, and no chart by the hour."""
    dim: Dim | None = None
    """The dimension whose top names are the rows, by visits, then by views. None: totals only."""
    by_time: bool = False
    """Whether to return points instead: by hour for one day, by day, or by month for a long period."""
    limit: int = 10
    search: tuple[str, ...] = ()
    """Only names that contain one of these; empty for all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a query; zero or empty where things are not counted together."""

    totals: SumTotals = field(default_factory=SumTotals)
    rows: tuple[PanelRow, ...] = ()
    points: tuple[ChartPoint, ...] = ()
    """Includes empty ones."""
    more: bool = False
    """Whether there are more rows than `limit`."""
    includes_excluded: bool = False
    """Whether it includes excluded traffic, because no cell tells that apart."""


def answer(query: Query) -> Answer:
    """Return the answer to a query, without excluded traffic as far as cells allow."""
    period, question = query.period, resolved(query)
    excluded, hourly = outs(), query.by_time and period.days == 1
    included = bool(untold(question, [hours(period)] if hourly else spans(period), excluded))
    if query.by_time:
        return Answer(points=tuple(_series(period, question, excluded)), includes_excluded=included)
    if query.dim is None:
        sums = one_sum(question, spans(period), excluded)
        sums = replace(sums, visitors=_visitors(question, period, sums.visitors or 0, excluded))
        return Answer(sums, includes_excluded=included)
    rows = _steps_from(query) if query.dim is Dim.STEP else _top(query, question, excluded)
    return Answer(rows=tuple(rows[: query.limit]), more=len(rows) > query.limit, includes_excluded=included)


def resolved(query: Query) -> SumQuery:
    """Return what a query asks of cells, which hold ids of names."""
    return SumQuery({drill.dim: _id(drill.name) for drill in query.filters}, query.dim)


def _top(query: Query, question: SumQuery, excluded: Sequence[Out]) -> list[PanelRow]:
    rows = top_sums(question, spans(query.period), excluded, limit=query.limit + 1, like=query.search)
    names = names_of([name for name, _ in rows])
    return [PanelRow(names.get(name, ""), sums) for name, sums in rows]


def _steps_from(query: Query) -> list[PanelRow]:
    return [
        PanelRow(step.onto, step.totals)
        for drill in query.filters[:1]
        for step in steps(query.period, drill.name, limit=query.limit + 1)
    ]


def _id(name: str) -> int:
    if not name:
        return 0
    name_id = Name.objects.filter(text=name).values_list("id", flat=True).first()
    return _NOBODY if name_id is None else name_id


def names_of(ids: Sequence[int]) -> dict[int, str]:
    """Return the names of these ids."""
    return dict(Name.objects.filter(id__in=ids).values_list("id", "text"))


# -- sums -------------------------------------------------------------------------------------------------------------


def _visitors(question: SumQuery, period: Period, counted: int, excluded: Sequence[Out]) -> int | None:
    """Return the visitors: `counted` for days that are over, plus those of open days, from registers."""
    cell = _sketched(question)
    if cell is None:
        return None
    return counted + sum(_so_far(*cell, day, excluded) for day in _open_days(*cell, period))


def _open_days(dim: Dim, name: int, period: Period) -> list[int]:
    """Return the days of a cell that have registers only. Registers of closed days, from late hits, are ignored: their
    visitors are counted already."""
    rows = {"kind": kind_of(dim), "name": name, "at__range": (period.first.toordinal(), period.last.toordinal())}
    open_days = list(Registers.objects.filter(**rows).values_list("at", flat=True))
    if not open_days:
        return []
    over = set(Day.objects.filter(**rows, by=0, at__in=open_days, visitors__isnull=False).values_list("at", flat=True))
    over |= set(Sheet.objects.filter(unit=Sheet.DAY, kind=kind_of(dim), at__in=open_days).values_list("at", flat=True))
    return [day for day in open_days if day not in over]


def _sketched(question: SumQuery) -> tuple[Dim, int] | None:
    if len(question.fixed) > 1:
        return None
    dim, name = next(iter(question.fixed.items()), (Dim.ALL, 0))
    return (dim, name) if dim in SKETCHED else None


def _so_far(dim: Dim, name: int, day: int, excluded: Sequence[Out]) -> int:
    """Return an open day's visitors, less excluded ones; a visitor who also came another way is excluded."""
    of_day = [out for out in excluded if out.first <= day <= out.last]
    if dim is not Dim.ALL:
        is_excluded = any((out.dim, out.name) == (dim, name) for out in of_day)
        return 0 if is_excluded else visitors_of(dim, day, name)
    so_far = visitors_of(dim, day, name)
    return max(0, so_far - sum(visitors_of(out.dim, day, out.name) for out in of_day)) if so_far else 0


# -- by time ----------------------------------------------------------------------------------------------------------


def _series(period: Period, question: SumQuery, excluded: Sequence[Out]) -> list[ChartPoint]:
    if period.days == 1:
        return _by_hour(period, question, excluded)
    if period.days <= _DAYS_DRAWN:
        return _by_day(period, question, excluded)
    return _by_month(period, question, excluded)


def _by_hour(period: Period, question: SumQuery, excluded: Sequence[Out]) -> list[ChartPoint]:
    by_hour = {} if len(question.fixed) > 1 else sums_by_time(question, [hours(period)], excluded)
    start, day = period.first.toordinal() * 24, period.first
    return [ChartPoint(f"{n:02}:00", by_hour.get(start + n, SumTotals()), day, day) for n in range(24)]


def _by_day(period: Period, question: SumQuery, excluded: Sequence[Out]) -> list[ChartPoint]:
    by_day = sums_by_time(question, [days(period)], excluded)
    return [
        ChartPoint(
            f"{day:%-d %b}", _of_day(day, question, by_day.get(day.toordinal(), SumTotals()), excluded), day, day
        )
        for day in (period.first + timedelta(days=n) for n in range(period.days))
    ]


def _of_day(day: date, question: SumQuery, sums: SumTotals, excluded: Sequence[Out]) -> SumTotals:
    if sums.visitors:
        return sums
    return replace(sums, visitors=_visitors(question, Period(day, day), 0, excluded) if sums.views else 0)


def _by_month(period: Period, question: SumQuery, excluded: Sequence[Out]) -> list[ChartPoint]:
    by_span = sums_by_time(question, spans(period), excluded)
    by_month: dict[int, SumTotals] = {}
    for at, sums in by_span.items():
        month = -at if at < 0 else month_of(date.fromordinal(at))
        by_month[month] = _plus(by_month.get(month, SumTotals()), sums)
    points = []
    for month in range(month_of(period.first), month_of(period.last) + 1):
        first, last = month_begin(month), month_begin(month + 1) - timedelta(days=1)
        within = Period(max(period.first, first), min(period.last, last))
        points.append(ChartPoint(f"{first:%b %Y}", by_month.get(month, SumTotals()), within.first, within.last))
    if points and (so_far := _visitors(question, period, 0, excluded)):
        last_one = points[-1].totals
        points[-1] = replace(points[-1], totals=replace(last_one, visitors=(last_one.visitors or 0) + so_far))
    return points


def _plus(total: SumTotals, more: SumTotals) -> SumTotals:
    return SumTotals(
        total.views + more.views,
        total.visits + more.visits,
        total.bounces + more.bounces,
        total.seconds + more.seconds,
        (total.visitors or 0) + (more.visitors or 0),
        None if more.began is None else (total.began or 0) + more.began,
    )


# -- steps and products -----------------------------------------------------------------------------------------------


class PageStep(NamedTuple):
    """A step from a page to the next."""

    page: str
    onto: str
    totals: SumTotals


def steps(period: Period, page: str = "", *, onward: bool = True, limit: int = 10) -> list[PageStep]:
    """Return the most frequent steps; of one page, those from it (`onward`) or to it."""
    of = _id(page) if page else None
    name, by = (of, None) if onward else (None, of)
    return [PageStep(*pair, sums) for pair, sums in _pairs(period, kind_of(Dim.STEP, Dim.STEP), limit, name, by)]


def products(period: Period, limit: int = 500) -> list[tuple[str, str, SumTotals]]:
    """Return the update checks by product with version, and system."""
    return [(*pair, sums) for pair, sums in _pairs(period, kind_of(Dim.PRODUCT, Dim.SYSTEM), limit)]


def _pairs(
    period: Period, kind: int, limit: int, name: int | None = None, by: int | None = None
) -> Iterator[tuple[tuple[str, str], SumTotals]]:
    pairs = read.most_together(read.read(kind, period.first, period.last, name=name, by=by), limit, name, by)
    names = names_of(list({number for key, *_ in pairs for number in key}))
    for (name_id, by_id), views, visits in pairs:
        yield (names.get(name_id, ""), names.get(by_id, "")), SumTotals(views, visits)
