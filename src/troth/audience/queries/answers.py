"""One typed answer to each question, of which JSON, CSV, the public page and the report by mail are all made.

The structs are the whole shape: the OpenAPI document is made from them, so what it says is what is sent. No field of
any of them could hold a person (V1). May touch: reads this room's tables, through `questions`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from troth.audience.queries.queries import Drill, Period
from troth.core.errors import TrothError

FIRST_DAY = date(2000, 1, 1)
"""Nothing was counted before; an earlier day is a slip."""
MOST_DAYS = 1_100
"""A longer period is a slip, too: three years, and statistics are kept 25 months at most."""
USUAL_DAYS = 28
ERROR = round(hyperloglog.error(hyperloglog.WIDE), 4)
ERROR_OF_PARTS = round(hyperloglog.error(hyperloglog.PRECISION), 4)

Count = Annotated[int, Meta(ge=0)]


class NotAnswered(TrothError):
    """A question that has no answer, with what to ask instead. `field`: what of it is at fault."""

    def __init__(self, what: str, *, field: str, mend: str) -> None:
        super().__init__(what, mend=mend)
        self.field = field


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer is made of."""


class Span(Answer, frozen=True, kw_only=True):
    """Days from the first to the last, both counted, in the site's time zone."""

    first: date
    last: date


class Thing(Answer, frozen=True, kw_only=True):
    """The one thing that everything in an answer is about: this page, this source."""

    dim: Dim
    name: str


class Figures(Answer, frozen=True, kw_only=True):
    """The sums of a period."""

    views: Annotated[int, Meta(ge=0, description="Pages that were shown.")]
    visits: Annotated[int, Meta(ge=0, description="A visit ends after half an hour without a view.")]
    visitors: Annotated[int, Meta(ge=0)] | None = msgspec.field(default=None)
    """Different visitors of one day, within the error; of more days the days' visitors, summed. None: not counted."""
    bounce_rate: Annotated[float, Meta(ge=0, le=1, description="Share of visits with one view only.")]
    seconds_a_visit: Annotated[float, Meta(ge=0, description="Seconds really looked, for each visit.")]


class Row(Figures, frozen=True, kw_only=True):
    """One thing of a kind, with its sums."""

    name: str
    """Empty only where it was never named."""


class Point(Answer, frozen=True, kw_only=True):
    """One hour, day or month."""

    at: Annotated[str, Meta(description="`2026-11-25T13` (an hour of the site's day), `2026-11-25` or `2026-11`.")]
    views: Count
    visits: Count


class Unit(StrEnum):
    """How long each point of a series is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Totals(Answer, frozen=True, kw_only=True):
    """The sums of a period, beside those of as many days just before."""

    period: Span
    about: Thing | None
    figures: Figures
    before: Figures
    visitors_error: Annotated[float, Meta(ge=0, le=1, description="Standard error of a day's visitors, as a share.")]
    visitors_summed: Annotated[bool, Meta(description="Who came on two days is counted on both: visitors are summed.")]
    restarts: Annotated[int, Meta(ge=0, description="Moments from which a day's visitors may be counted twice.")]


class Series(Answer, frozen=True, kw_only=True):
    """Views and visits by hour (of one day), by day, or by month (of more than 92 days). Each point is there."""

    period: Span
    about: Thing | None
    unit: Unit
    points: list[Point]


class Top(Answer, frozen=True, kw_only=True):
    """The most of a kind, by visits, then by views."""

    period: Span
    dim: Dim
    about: Thing | None
    rows: list[Row]
    more: Annotated[bool, Meta(description="Whether there are rows beyond the limit.")]


class LastDay(Answer, frozen=True, kw_only=True):
    """The day that is running, as far as it has come: by the hour, with its pages and sources."""

    day: date
    zone: Annotated[str, Meta(description="The site's time zone, in which its day begins.")]
    figures: Figures
    hours: list[Point]
    pages: list[Row]
    sources: list[Row]


# -- asking -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer is to be about."""

    period: Period
    drill: Drill | None = None


def period(first: date | None = None, last: date | None = None) -> Period:
    """The days that are asked for; the last four weeks where nothing is said. Raises `NotAnswered`."""
    today = site_time.today()
    last = last or today
    if last > today:
        raise NotAnswered(
            "`last` lies in the future.", field="last", mend=f"It is {today} in the site's time zone: ask up to that."
        )
    if last < FIRST_DAY or (first and first < FIRST_DAY):
        field = "last" if last < FIRST_DAY else "first"
        raise NotAnswered(f"`{field}` is too long ago.", field=field, mend=f"Ask from {FIRST_DAY} on.")
    first = first or max(FIRST_DAY, last - timedelta(days=USUAL_DAYS - 1))
    if first > last:
        raise NotAnswered("`first` lies behind `last`.", field="first", mend="Exchange the two.")
    if (last - first).days >= MOST_DAYS:
        raise NotAnswered("The period is too long.", field="first", mend=f"Ask for {MOST_DAYS} days at most.")
    return Period(first, last)


def totals(asked: Asked) -> Totals:
    """The sums of the site, or of one thing."""
    here = asked.period
    days = here.first.toordinal(), here.last.toordinal()
    return Totals(
        period=_span(here),
        about=_thing(asked.drill),
        figures=figures(queries.totals(here, asked.drill)),
        before=figures(queries.totals(here.before(), asked.drill)),
        visitors_error=ERROR if asked.drill is None else ERROR_OF_PARTS,
        visitors_summed=here.days > 1,
        restarts=Restart.objects.filter(at__range=days).count(),
    )


def series(asked: Asked) -> Series:
    """The chart's points."""
    unit, points = _series(asked.period, queries.series(asked.period, asked.drill))
    return Series(period=_span(asked.period), about=_thing(asked.drill), unit=unit, points=points)


def top(asked: Asked, dim: Dim, limit: int = 10) -> Top:
    """The most of a kind; of one thing, where it is asked so. Raises `NotAnswered` where the two are not counted
    together."""
    drill = asked.drill
    if dim is Dim.STEP and drill is None:
        raise NotAnswered("A step has a page that it leads from.", field="about", mend="Ask with about=step&name=/.")
    if drill and (drill.dim, dim) not in TOGETHER and (dim, drill.dim) not in TOGETHER:
        found = sorted({other for pair in TOGETHER for other in pair if drill.dim in pair} - {drill.dim})
        mend = f"Of {drill.dim} one may ask for: {', '.join(found) or 'its totals and its series only'}."
        raise NotAnswered(f"{dim} and {drill.dim} are not counted together.", field="about", mend=mend)
    rows = queries.top(asked.period, dim, drill, limit=limit + 1)
    told = [row(one) for one in rows[:limit]]
    return Top(period=_span(asked.period), dim=dim, about=_thing(drill), rows=told, more=len(rows) > limit)


def last_day(limit: int = 10) -> LastDay:
    """The site's present day."""
    today = Asked(period(site_time.today(), site_time.today()))
    return LastDay(
        day=today.period.last,
        zone=str(site_time.now().tzinfo),
        figures=figures(queries.totals(today.period)),
        hours=series(today).points,
        pages=top(today, Dim.PAGE, limit).rows,
        sources=top(today, Dim.SOURCE, limit).rows,
    )


# -- making -----------------------------------------------------------------------------------------------------------


def figures(sums: queries.Totals) -> Figures:
    """Sums as they are told. What was taken back may leave less than nothing for an hour; it is told as nothing."""
    return Figures(
        views=max(0, sums.views),
        visits=max(0, sums.visits),
        visitors=None if sums.visitors is None else max(0, sums.visitors),
        bounce_rate=round(min(1.0, max(0.0, sums.bounce_rate)), 4),
        seconds_a_visit=round(max(0.0, sums.seconds_a_visit), 1),
    )


def row(one: queries.Row) -> Row:
    """One row as it is told."""
    return Row(name=one.name, **msgspec.structs.asdict(figures(one.totals)))


def _span(here: Period) -> Span:
    return Span(first=here.first, last=here.last)


def _thing(drill: Drill | None) -> Thing | None:
    return None if drill is None else Thing(dim=drill.dim, name=drill.name)


def _series(here: Period, points: Sequence[queries.Point]) -> tuple[Unit, list[Point]]:
    """The points of `questions.series`, each with a place that a program can read."""
    unit = Unit.HOUR if here.days == 1 else Unit.DAY if len(points) == here.days else Unit.MONTH
    told = [
        Point(at=at, views=max(0, one.totals.views), visits=max(0, one.totals.visits))
        for at, one in zip(_places(here, unit), points, strict=True)
    ]
    return unit, told


def _places(here: Period, unit: Unit) -> Iterator[str]:
    if unit is Unit.HOUR:
        return (f"{here.first}T{hour:02}" for hour in range(24))
    if unit is Unit.DAY:
        return (str(here.first + timedelta(days=n)) for n in range(here.days))
    months = range(month_of(here.first), month_of(here.last) + 1)
    return (f"{month_begin(month):%Y-%m}" for month in months)
