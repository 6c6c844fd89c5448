"""Builds the public page in the worker: four complete weeks, each computed once, on the Monday after it."""

from datetime import date, timedelta

from django.conf import settings

from troth.audience.counting.cells import SKETCHED, Dim
from troth.audience.models import Name, Registers
from troth.audience.public import disclosure
from troth.audience.public.disclosure import Exact, ShownWeek, StatisticsPage
from troth.audience.queries import answers, site_time
from troth.audience.queries.queries import Period, Query
from troth.audience.storage import read
from troth.audience.storage.fold import kind_of

SETTLED = timedelta(hours=6)
"""Time after a week's end until it is computed: the spool is processed, and visitors are stored."""
_DIMS = {"pages": Dim.PAGE, "sources": Dim.SOURCE, "countries": Dim.COUNTRY, "devices": Dim.DEVICE}
_EVERY_ROW = 20_000
"""More rows than a week can have (`fold.MOST_ALONE` a day)."""


def made(before: StatisticsPage | None) -> StatisticsPage | None:
    """Return the page to publish; None where it is turned off. `before`: the published page, whose weeks stay as they
    are."""
    section = settings.TROTH_CONFIG.audience
    if not section.public:
        return None
    step = disclosure.step_of(section.min_visitors)
    if before is not None and (before.step, before.at_least) != (step, section.min_visitors):
        before = None
    mondays = _mondays((site_time.now().replace(tzinfo=None) - SETTLED).date())
    published = {week.first: week for week in before.weeks} if before else {}
    if before is not None and mondays[-1].isoformat() in published:
        return before
    if Registers.objects.filter(at__lt=(mondays[-1] + timedelta(days=7)).toordinal()).exists():
        return before or StatisticsPage(
            step=step, at_least=section.min_visitors, weeks=[]
        )  # its days are not closed yet
    weeks = [published.get(first.isoformat()) or _week(first, step, section.min_visitors) for first in mondays]
    made_weeks = [week for week in weeks if week is not None]
    return StatisticsPage(step=step, at_least=section.min_visitors, weeks=made_weeks)


def _mondays(today: date) -> list[date]:
    """Return the Mondays of the last complete weeks before this day, oldest first."""
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=back) for back in range(disclosure.WEEKS, 0, -1)]


def _week(first: date, step: int, at_least: int) -> ShownWeek | None:
    """Return a week as published; None where nothing had been counted before its end."""
    period = Period(first, first + timedelta(days=6))
    oldest = read.oldest_day(kind_of(Dim.ALL))
    if oldest is None or oldest > period.last.toordinal():
        return None
    days = [point.visits for point in answers.series(Query(period)).points]
    tables = {name: _exact(period, dim, at_least) for name, dim in _DIMS.items()}
    return disclosure.week(first.isoformat(), days, tables, step)


def _exact(period: Period, dim: Dim, at_least: int) -> list[Exact]:
    rows = answers.top(Query(period, limit=_EVERY_ROW), dim).rows
    if dim not in SKETCHED:
        return [Exact(row.name, row.visits) for row in rows]
    several = _of_several(period, dim, at_least)
    return [Exact(row.name, row.visits, row.name in several) for row in rows]


def _of_several(period: Period, dim: Dim, at_least: int) -> set[str]:
    """Return the names with at least so many visitors on one day."""
    cells = read.read(kind_of(dim), period.first, period.last, by=0, by_day=True)
    days = [(name, figures) for _, name, by, figures in cells.rows if by == 0]
    days += [(name, figures) for _, _, sheet in cells.sheets for (name, by), figures in sheet if by == 0]
    several = [name for name, (*_, visitors) in days if visitors >= at_least]
    return set(Name.objects.filter(id__in=several).values_list("text", flat=True))
