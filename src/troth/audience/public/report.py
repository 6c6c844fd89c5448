"""Builds the weekly or monthly report from the same answers as the API: totals, and no personal data (V1)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from django.conf import settings

from troth.audience.counting.cells import Dim
from troth.audience.queries import answers
from troth.audience.queries.answers import Row, Totals
from troth.audience.queries.queries import Period, Query
from troth.audience.storage import read
from troth.audience.storage.fold import kind_of

type Every = Literal["weekly", "monthly"]
SETTLED = timedelta(hours=6)
"""Time after midnight at the site until the report is built: the spool is processed."""
_ROWS = 5


@dataclass(frozen=True, slots=True)
class AudienceReport:
    """The figures of one period."""

    period: Period
    totals: Totals
    pages: list[Row]
    sources: list[Row]


def wanted() -> Every | None:
    """Return how often the report is sent; None for never."""
    frequency = settings.TROTH_CONFIG.audience.report
    return None if frequency == "never" else frequency


def over(frequency: Every, now: datetime) -> Period:
    """Return the latest complete week (Monday to Sunday) or month. `now`: in the site's zone."""
    today = (now.replace(tzinfo=None) - SETTLED).date()
    if frequency == "weekly":
        last = today - timedelta(days=today.weekday() + 1)
        return Period(last - timedelta(days=6), last)
    return month(today.replace(day=1) - timedelta(days=1))


def begun(frequency: Every, first: date) -> Period:
    """Return the week or month that begins on this day."""
    return Period(first, first + timedelta(days=6)) if frequency == "weekly" else month(first)


def month(day: date) -> Period:
    """Return the month of a day."""
    first = day.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    return Period(first, after - timedelta(days=1))


def counted_by(last: date) -> bool:
    """Return whether anything had been counted by the end of that day."""
    first = read.oldest_day(kind_of(Dim.ALL))
    return first is not None and first <= last.toordinal()


def made(period: Period) -> AudienceReport:
    """Return the report of a period."""
    query = Query(period, limit=_ROWS)
    pages, sources = (answers.top(query, dim).rows for dim in (Dim.PAGE, Dim.SOURCE))
    return AudienceReport(period, answers.totals(query), pages, sources)
