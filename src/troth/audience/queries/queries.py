"""What the dashboard asks: sums over a period, by time, and the top of each kind, drilled down to one thing if asked.

A period of whole months is answered from months, what is left of it from days, one day by its hours. Every answer is
without what the operator took out (`taken`), as far as cells know it. May touch: reads this room's tables.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from troth.audience.counting.cells import SKETCHED, Dim
from troth.audience.models import Day, Name, Registers, Sheet
from troth.audience.queries.periods import Period as Period
from troth.audience.queries.periods import days, hours, month_begin, month_of, spans
from troth.audience.queries.sums import Out, Question, one_sum, outs, sums_by_time, top_sums, untold
from troth.audience.queries.sums import Totals as Totals
from troth.audience.storage import read
from troth.audience.storage.fold import kind_of, visitors_of

_DAYS_DRAWN = 92
"""A longer period is drawn by months."""
_NOBODY = -1
"""The number of a name that there is not."""


class Drill(NamedTuple):
    """One thing that everything is asked of: this page's sources, this source's pages."""

    dim: Dim
    name: str


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
    first: date | None = None
    """The first of its days."""
    last: date | None = None


def _fixed(*drills: Drill | None) -> dict[Dim, int]:
    return {drill.dim: _id(drill.name) for drill in drills if drill is not None}


def question(*drills: Drill | None) -> Question:
    """What the cells are asked for, where nothing is left free."""
    return Question(_fixed(*drills))


def _id(name: str) -> int:
    if not name:
        return 0
    found = Name.objects.filter(text=name).values_list("id", flat=True).first()
    return _NOBODY if found is None else found


def names_of(ids: Sequence[int]) -> dict[int, str]:
    """The names that these numbers stand for."""
    return dict(Name.objects.filter(id__in=ids).values_list("id", "text"))


# -- sums -------------------------------------------------------------------------------------------------------------


def totals(period: Period, drill: Drill | None = None, also: Drill | None = None) -> Totals:
    """The sums of the whole site, of one thing, or of two together. What no cell knows is nothing."""
    question, taken = Question(_fixed(drill, also)), outs()
    found = one_sum(question, spans(period), taken)
    return replace(found, visitors=_visitors(question, period, found.visitors or 0, taken))


def _visitors(question: Question, period: Period, counted: int, taken: Sequence[Out]) -> int | None:
    """What is `counted` of days that are over, and the visitors of those that are not: they have registers still."""
    cell = _sketched(question)
    if cell is None:
        return None
    return counted + sum(_so_far(*cell, day, taken) for day in _open_days(*cell, period))


def _open_days(dim: Dim, name: int, period: Period) -> list[int]:
    """The days of a cell whose visitors are in registers still. What came late for a day that is over waits there,
    too, until it is closed once more; it is no more visitors than were written already."""
    here = {"kind": kind_of(dim), "name": name, "at__range": (period.first.toordinal(), period.last.toordinal())}
    found = list(Registers.objects.filter(**here).values_list("at", flat=True))
    if not found:
        return []
    over = set(Day.objects.filter(**here, by=0, at__in=found, visitors__isnull=False).values_list("at", flat=True))
    over |= set(Sheet.objects.filter(unit=Sheet.DAY, kind=kind_of(dim), at__in=found).values_list("at", flat=True))
    return [day for day in found if day not in over]


def _sketched(question: Question) -> tuple[Dim, int] | None:
    if len(question.fixed) > 1:
        return None
    dim, name = next(iter(question.fixed.items()), (Dim.ALL, 0))
    return (dim, name) if dim in SKETCHED else None


def _so_far(dim: Dim, name: int, day: int, taken: Sequence[Out]) -> int:
    """The visitors of an open day, less those of what was taken out: who came twice, by both, is taken out with it."""
    here = [one for one in taken if one.first <= day <= one.last]
    if dim is not Dim.ALL:
        whole = any((one.dim, one.name) == (dim, name) for one in here)
        return 0 if whole else visitors_of(dim, day, name)
    so_far = visitors_of(dim, day, name)
    return max(0, so_far - sum(visitors_of(one.dim, day, one.name) for one in here)) if so_far else 0


def top(
    period: Period,
    dim: Dim,
    drill: Drill | None = None,
    *,
    also: Drill | None = None,
    limit: int = 10,
    like: Sequence[str] = (),
) -> list[Row]:
    """The most of a kind, by visits, then by views; of one thing where it is drilled down to. Empty where the two are
    not counted together. `like`: only names with one of these in them."""
    if dim is Dim.STEP:
        return [Row(step.onto, step.totals) for step in steps(period, drill.name, limit=limit)] if drill else []
    question = Question(_fixed(drill, also), dim)
    found = top_sums(question, spans(period), outs(), limit=limit, like=like)
    names = names_of([name for name, _ in found])
    return [Row(names.get(name, ""), sums) for name, sums in found]


def unknown(period: Period, dim: Dim | None, drill: Drill | None = None, also: Drill | None = None) -> list[Out]:
    """What was taken out in this period and is in this answer all the same, because no cell knows it."""
    stretches = [hours(period)] if dim is None and period.days == 1 and drill else spans(period)
    return untold(Question(_fixed(drill, also), dim), stretches, outs())


# -- by time ----------------------------------------------------------------------------------------------------------


def series(period: Period, drill: Drill | None = None, also: Drill | None = None) -> list[Point]:
    """The chart: by hour for one day, by day, or by month for a long period. Each span is there, also an empty one.
    Two things together are not known by the hour."""
    question, taken = Question(_fixed(drill, also)), outs()
    if period.days == 1:
        return _by_hour(period, question, taken)
    if period.days <= _DAYS_DRAWN:
        return _by_day(period, question, taken)
    return _by_month(period, question, taken)


def _by_hour(period: Period, question: Question, taken: Sequence[Out]) -> list[Point]:
    found = {} if len(question.fixed) > 1 else sums_by_time(question, [hours(period)], taken)
    start, day = period.first.toordinal() * 24, period.first
    return [Point(f"{n:02}:00", found.get(start + n, Totals()), day, day) for n in range(24)]


def _by_day(period: Period, question: Question, taken: Sequence[Out]) -> list[Point]:
    found = sums_by_time(question, [days(period)], taken)
    return [
        Point(f"{day:%-d %b}", _of_day(day, question, found.get(day.toordinal(), Totals()), taken), day, day)
        for day in (period.first + timedelta(days=n) for n in range(period.days))
    ]


def _of_day(day: date, question: Question, sums: Totals, taken: Sequence[Out]) -> Totals:
    if sums.visitors:
        return sums
    return replace(sums, visitors=_visitors(question, Period(day, day), 0, taken) if sums.views else 0)


def _by_month(period: Period, question: Question, taken: Sequence[Out]) -> list[Point]:
    found = sums_by_time(question, spans(period), taken)
    by_month: dict[int, Totals] = {}
    for at, sums in found.items():
        month = -at if at < 0 else month_of(date.fromordinal(at))
        by_month[month] = _plus(by_month.get(month, Totals()), sums)
    made = []
    for month in range(month_of(period.first), month_of(period.last) + 1):
        first, last = month_begin(month), month_begin(month + 1) - timedelta(days=1)
        within = Period(max(period.first, first), min(period.last, last))
        made.append(Point(f"{first:%b %Y}", by_month.get(month, Totals()), within.first, within.last))
    if made and (so_far := _visitors(question, period, 0, taken)):
        last_one = made[-1].totals
        made[-1] = replace(made[-1], totals=replace(last_one, visitors=(last_one.visitors or 0) + so_far))
    return made


def _plus(one: Totals, other: Totals) -> Totals:
    return Totals(
        one.views + other.views,
        one.visits + other.visits,
        one.bounces + other.bounces,
        one.seconds + other.seconds,
        (one.visitors or 0) + (other.visitors or 0),
        None if other.began is None else (one.began or 0) + other.began,
    )


# -- steps and products -----------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """From a page to another."""

    page: str
    onto: str
    totals: Totals


def steps(period: Period, page: str = "", *, onward: bool = True, limit: int = 10) -> list[Step]:
    """The most gone steps; of one page where it is named, onward or those that led to it."""
    of = _id(page) if page else None
    name, by = (of, None) if onward else (None, of)
    return [Step(*pair, sums) for pair, sums in _pairs(period, kind_of(Dim.STEP, Dim.STEP), limit, name, by)]


def products(period: Period, limit: int = 500) -> list[tuple[str, str, Totals]]:
    """Product with version, and system: how often each asked."""
    return [(*pair, sums) for pair, sums in _pairs(period, kind_of(Dim.PRODUCT, Dim.SYSTEM), limit)]


def _pairs(
    period: Period, kind: int, limit: int, name: int | None = None, by: int | None = None
) -> Iterator[tuple[tuple[str, str], Totals]]:
    found = read.most_together(read.read(kind, period.first, period.last, name=name, by=by), limit, name, by)
    names = names_of(list({number for key, *_ in found for number in key}))
    for (one, other), views, visits in found:
        yield (names.get(one, ""), names.get(other, "")), Totals(views, visits)
