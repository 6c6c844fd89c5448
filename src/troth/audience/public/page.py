"""The public page, made in the worker: four whole weeks, the newest made on its Monday and then left as it is.

May touch: reads this room's tables.
"""

from datetime import date, timedelta

from django.conf import settings

from troth.audience.counting.cells import SKETCHED, Dim
from troth.audience.models import Name, Registers
from troth.audience.public import disclosure
from troth.audience.public.disclosure import Exact, ShownWeek, StatisticsPage
from troth.audience.queries import answers, site_time
from troth.audience.queries.answers import Asked
from troth.audience.queries.queries import Period
from troth.audience.storage import read
from troth.audience.storage.fold import kind_of

SETTLED = timedelta(hours=6)
"""How long after a week's end it is made: what waited in the spool is in, and the day's visitors are written down."""
_DIMS = {"pages": Dim.PAGE, "sources": Dim.SOURCE, "countries": Dim.COUNTRY, "devices": Dim.DEVICE}
_EVERY_ROW = 20_000
"""More than a week can have of one kind (`tally.MOST_ALONE` a day)."""


def made(before: StatisticsPage | None) -> StatisticsPage | None:
    """The page that should be in force; None where the operator wants none. Without a week until one is over.

    `before`: the page that is in force, whose weeks stay as they were shown.
    """
    here = settings.TROTH_CONFIG.audience
    if not here.public:
        return None
    step = disclosure.step_of(here.min_visitors)
    if before is not None and (before.step, before.at_least) != (step, here.min_visitors):
        before = None
    mondays = _mondays((site_time.now().replace(tzinfo=None) - SETTLED).date())
    held = {one.first: one for one in before.weeks} if before else {}
    if before is not None and mondays[-1].isoformat() in held:
        return before
    if Registers.objects.filter(at__lt=(mondays[-1] + timedelta(days=7)).toordinal()).exists():
        return before or StatisticsPage(step=step, at_least=here.min_visitors, weeks=[])  # its days are not closed yet
    weeks = [held.get(first.isoformat()) or _week(first, step, here.min_visitors) for first in mondays]
    told = [one for one in weeks if one is not None]
    return StatisticsPage(step=step, at_least=here.min_visitors, weeks=told)


def _mondays(today: date) -> list[date]:
    """Of the last weeks that were over before this day, the oldest first."""
    this = today - timedelta(days=today.weekday())
    return [this - timedelta(weeks=back) for back in range(disclosure.WEEKS, 0, -1)]


def _week(first: date, step: int, at_least: int) -> ShownWeek | None:
    """One week as it is shown; None where nothing had been counted before its end."""
    period = Period(first, first + timedelta(days=6))
    oldest = read.oldest_day(kind_of(Dim.ALL))
    if oldest is None or oldest > period.last.toordinal():
        return None
    days = [point.visits for point in answers.series(Asked(period)).points]
    tables = {name: _exact(period, dim, at_least) for name, dim in _DIMS.items()}
    return disclosure.week(first.isoformat(), days, tables, step)


def _exact(period: Period, dim: Dim, at_least: int) -> list[Exact]:
    rows = answers.top(Asked(period), dim, _EVERY_ROW).rows
    if dim not in SKETCHED:
        return [Exact(row.name, row.visits) for row in rows]
    several = _of_several(period, dim, at_least)
    return [Exact(row.name, row.visits, row.name in several) for row in rows]


def _of_several(period: Period, dim: Dim, at_least: int) -> set[str]:
    """The names that had so many different visitors on one day at least."""
    cells = read.read(kind_of(dim), period.first, period.last, by=0, by_day=True)
    days = [(name, figures) for _, name, by, figures in cells.rows if by == 0]
    days += [(name, figures) for _, _, sheet in cells.sheets for (name, by), figures in sheet if by == 0]
    several = [name for name, (*_, visitors) in days if visitors >= at_least]
    return set(Name.objects.filter(id__in=several).values_list("text", flat=True))
