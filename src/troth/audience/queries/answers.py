"""Answers each query with a typed struct, from which JSON, CSV, the public page and the emailed report are made.

The OpenAPI document is generated from the structs, so it matches what is sent. No field could hold personal data (V1).
May touch: reads this room's tables, through `queries`.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from troth.audience.counting import hyperloglog
from troth.audience.counting.cells import TOGETHER, Dim
from troth.audience.models import Restart
from troth.audience.queries import queries, site_time
from troth.audience.queries.periods import month_begin, month_of
from troth.audience.queries.queries import Period, Query, answer
from troth.core.errors import TrothError

FIRST_DAY = date(2000, 1, 1)
"""An earlier day is taken for a typing error."""
MOST_DAYS = 1_100
"""Days of a period at most: three years; statistics are kept for 25 months at most."""
USUAL_DAYS = 28
ERROR = round(hyperloglog.error(hyperloglog.WIDE), 4)
ERROR_OF_PARTS = round(hyperloglog.error(hyperloglog.PRECISION), 4)

Count = Annotated[int, Meta(ge=0)]


class NotAnswered(TrothError):
    """A query that cannot be answered, with what to ask instead. `field`: the parameter at fault."""

    def __init__(self, message: str, *, field: str, mend: str) -> None:
        super().__init__(message, mend=mend)
        self.field = field


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every answer as programs read it."""


class Span(Published, frozen=True, kw_only=True):
    """The first and the last day of a period, both included, in the site's time zone."""

    first: date
    last: date


class Thing(Published, frozen=True, kw_only=True):
    """The filter of an answer: one page, one source and so on."""

    dim: Dim
    name: str


class Figures(Published, frozen=True, kw_only=True):
    """The totals of a period."""

    views: Annotated[int, Meta(ge=0, description="Page views.")]
    visits: Annotated[int, Meta(ge=0, description="A visit ends after 30 minutes without a page view.")]
    visitors: Annotated[int, Meta(ge=0)] | None = msgspec.field(default=None)
    """Estimated visitors of one day; for a longer period daily uniques, added up. None: not counted."""
    bounce_rate: Annotated[float, Meta(ge=0, le=1, description="Share of visits with a single page view.")]
    seconds_a_visit: Annotated[
        float, Meta(ge=0, description="Average time per visit during which the page was in focus, in seconds.")
    ]


class Row(Figures, frozen=True, kw_only=True):
    """One name of a dimension, with its totals."""

    name: str
    """Empty only where it was never named."""


class Point(Published, frozen=True, kw_only=True):
    """One hour, day or month of a series."""

    at: Annotated[str, Meta(description="`2026-11-25T13` (an hour of the site's day), `2026-11-25` or `2026-11`.")]
    views: Count
    visits: Count


class Unit(StrEnum):
    """The time that each point of a series covers."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Totals(Published, frozen=True, kw_only=True):
    """The totals of a period, and those of the previous period of the same length."""

    period: Span
    about: Thing | None
    figures: Figures
    before: Figures
    visitors_error: Annotated[float, Meta(ge=0, le=1, description="Standard error of a day's visitors, as a fraction.")]
    visitors_summed: Annotated[
        bool,
        Meta(description="Whether visitors are daily uniques, added up: somebody who came on two days counts twice."),
    ]
    restarts: Annotated[
        int, Meta(ge=0, description="How often counting restarted; visitors of those days may be counted twice.")
    ]


class Series(Published, frozen=True, kw_only=True):
    """Page views and visits by hour (one day), by day, or by month (more than 92 days). Empty points are included."""

    period: Span
    about: Thing | None
    unit: Unit
    points: list[Point]


class Top(Published, frozen=True, kw_only=True):
    """The top names of a dimension, by visits, then by page views."""

    period: Span
    dim: Dim
    about: Thing | None
    rows: list[Row]
    more: Annotated[bool, Meta(description="Whether there are more rows than `limit`.")]


class LastDay(Published, frozen=True, kw_only=True):
    """Today so far: by the hour, with its top pages and sources."""

    day: date
    zone: Annotated[str, Meta(description="The site's time zone.")]
    figures: Figures
    hours: list[Point]
    pages: list[Row]
    sources: list[Row]


# -- asking -----------------------------------------------------------------------------------------------------------


def period(first: date | None = None, last: date | None = None) -> Period:
    """Return the period to answer for; the last four weeks by default. Raises `NotAnswered`."""
    today = site_time.today()
    last = last or today
    if last > today:
        raise NotAnswered(
            "`last` is in the future.",
            field="last",
            mend=f"Use {today} (today in the site's time zone) or an earlier day.",
        )
    if last < FIRST_DAY or (first and first < FIRST_DAY):
        field = "last" if last < FIRST_DAY else "first"
        raise NotAnswered(f"`{field}` is too early.", field=field, mend=f"Use {FIRST_DAY} or a later day.")
    first = first or max(FIRST_DAY, last - timedelta(days=USUAL_DAYS - 1))
    if first > last:
        raise NotAnswered("`first` is after `last`.", field="first", mend="Swap the two.")
    if (last - first).days >= MOST_DAYS:
        raise NotAnswered("The period is too long.", field="first", mend=f"Ask for at most {MOST_DAYS} days.")
    return Period(first, last)


def totals(query: Query) -> Totals:
    """Return the totals of the site, or under a filter."""
    period, before = query.period, replace(query, period=query.period.before())
    days = period.first.toordinal(), period.last.toordinal()
    return Totals(
        period=_span(period),
        about=_thing(query),
        figures=figures(answer(query).totals),
        before=figures(answer(before).totals),
        visitors_error=ERROR_OF_PARTS if query.filters else ERROR,
        visitors_summed=period.days > 1,
        restarts=Restart.objects.filter(at__range=days).count(),
    )


def series(query: Query) -> Series:
    """Return the points of a chart."""
    period, points = query.period, answer(replace(query, by_time=True)).points
    unit = Unit.HOUR if period.days == 1 else Unit.DAY if len(points) == period.days else Unit.MONTH
    published = [
        Point(at=at, views=max(0, point.totals.views), visits=max(0, point.totals.visits))
        for at, point in zip(_times(period, unit), points, strict=True)
    ]
    return Series(period=_span(period), about=_thing(query), unit=unit, points=published)


def top(query: Query, dim: Dim) -> Top:
    """Return the top names of a dimension, or under a filter. Raises `NotAnswered` where the two are not counted
    together."""
    if dim is Dim.STEP and not query.filters:
        raise NotAnswered("Page steps need a starting page.", field="about", mend="Add about=step&name=/.")
    for drill in query.filters:
        if (drill.dim, dim) not in TOGETHER and (dim, drill.dim) not in TOGETHER:
            combinable = sorted({member for pair in TOGETHER for member in pair if drill.dim in pair} - {drill.dim})
            mend = f"{drill.dim} can be combined with: {', '.join(combinable) or _NOTHING}."
            raise NotAnswered(f"{dim} and {drill.dim} are not counted together.", field="about", mend=mend)
    top_names = answer(replace(query, dim=dim))
    rows = [row(counted) for counted in top_names.rows]
    return Top(period=_span(query.period), dim=dim, about=_thing(query), rows=rows, more=top_names.more)


_NOTHING = "nothing; ask for its totals or series"


def last_day(limit: int = 10) -> LastDay:
    """Return today's figures so far."""
    today = Query(period(site_time.today(), site_time.today()), limit=limit)
    return LastDay(
        day=today.period.last,
        zone=str(site_time.now().tzinfo),
        figures=figures(answer(today).totals),
        hours=series(today).points,
        pages=top(today, Dim.PAGE).rows,
        sources=top(today, Dim.SOURCE).rows,
    )


# -- making -----------------------------------------------------------------------------------------------------------


def figures(sums: queries.SumTotals) -> Figures:
    """Return totals as they are published. A correction can make an hour negative; it is published as zero."""
    return Figures(
        views=max(0, sums.views),
        visits=max(0, sums.visits),
        visitors=None if sums.visitors is None else max(0, sums.visitors),
        bounce_rate=round(min(1.0, max(0.0, sums.bounce_rate)), 4),
        seconds_a_visit=round(max(0.0, sums.seconds_a_visit), 1),
    )


def row(counted: queries.PanelRow) -> Row:
    """Return a row as it is published."""
    return Row(name=counted.name, **msgspec.structs.asdict(figures(counted.totals)))


def _span(period: Period) -> Span:
    return Span(first=period.first, last=period.last)


def _thing(query: Query) -> Thing | None:
    return Thing(dim=query.filters[0].dim, name=query.filters[0].name) if query.filters else None


def _times(period: Period, unit: Unit) -> Iterator[str]:
    if unit is Unit.HOUR:
        return (f"{period.first}T{hour:02}" for hour in range(24))
    if unit is Unit.DAY:
        return (str(period.first + timedelta(days=n)) for n in range(period.days))
    months = range(month_of(period.first), month_of(period.last) + 1)
    return (f"{month_begin(month):%Y-%m}" for month in months)
