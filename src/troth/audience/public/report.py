"""The weekly or monthly report: which period is over, and what is said of it. Sums, and never a person (V1).

Made of the same answers as the API. May touch: reads this room's tables.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from django.conf import settings

from troth.audience.counting.cells import Dim
from troth.audience.queries import answers
from troth.audience.queries.answers import Row, Scope, Totals
from troth.audience.queries.queries import Period
from troth.audience.storage import read
from troth.audience.storage.fold import kind_of

type Every = Literal["weekly", "monthly"]
SETTLED = timedelta(hours=6)
"""How long after midnight at the site a period is told: what waited is in, and it is there in the morning."""
_ROWS = 5


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of one period."""

    period: Period
    totals: Totals
    pages: list[Row]
    sources: list[Row]


def wanted() -> Every | None:
    """How often the operator wants it."""
    every = settings.TROTH_CONFIG.audience.report
    return None if every == "never" else every


def over(every: Every, now: datetime) -> Period:
    """The newest week (Monday to Sunday) or month that is over. `now`: in the site's zone."""
    today = (now.replace(tzinfo=None) - SETTLED).date()
    if every == "weekly":
        last = today - timedelta(days=today.weekday() + 1)
        return Period(last - timedelta(days=6), last)
    return month(today.replace(day=1) - timedelta(days=1))


def begun(every: Every, first: date) -> Period:
    """The week or month that begins on this day."""
    return Period(first, first + timedelta(days=6)) if every == "weekly" else month(first)


def month(day: date) -> Period:
    """The whole month that a day lies in."""
    first = day.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    return Period(first, after - timedelta(days=1))


def counted_by(last: date) -> bool:
    """Whether anything had been counted by the end of that day: before, there is nothing to tell."""
    first = read.oldest_day(kind_of(Dim.ALL))
    return first is not None and first <= last.toordinal()


def made(period: Period) -> Report:
    """The report of a period."""
    scope = Scope(period)
    pages, sources = (answers.top(scope, dim, _ROWS).rows for dim in (Dim.PAGE, Dim.SOURCE))
    return Report(period, answers.totals(scope), pages, sources)
