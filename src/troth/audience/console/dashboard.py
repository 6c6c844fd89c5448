"""Builds the top of the dashboard: figures with their change, the chart, and notices needed to read them.

Only like is compared with like: complete days, and today with the same hours of yesterday. May touch: reads this
room's tables.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from troth.audience.console.filters import LABELS as PERIODS
from troth.audience.console.filters import DashboardQuery, Show
from troth.audience.counting import hyperloglog
from troth.audience.counting.cells import ALL, SKETCHED, Cell, Dim
from troth.audience.counting.registers import precision
from troth.audience.models import Restart
from troth.audience.queries import annotations, labels
from troth.audience.queries.annotations import DayNote
from troth.audience.queries.periods import HOURS, Period, SheetSpan
from troth.audience.queries.queries import ChartPoint, Drill, Query, SumTotals, answer, resolved
from troth.audience.queries.sums import one_sum, outs
from troth.audience.storage.fold import kind_of
from troth.audience.storage.read import oldest_day
from troth.kit import charts, numbers
from troth.kit.numbers import Change

_SURE = 2
"""Standard errors to either side: the true number lies within on 95 of 100 days."""


@dataclass(frozen=True, slots=True)
class TopFigure:
    """A figure at the top, with the link to its chart."""

    label: str
    value: str
    change: Change | None
    note: str
    href: str
    present: bool
    """Whether the chart shows this figure."""


@dataclass(frozen=True, slots=True)
class PeriodComparison:
    """SumTotals to compare, and what the earlier ones are called."""

    now: SumTotals
    before: SumTotals
    label: str


def nothing_yet() -> bool:
    """Return whether nothing has been counted yet."""
    return oldest_day(kind_of(Dim.ALL)) is None


def first_counted_day() -> date:
    """Return the first day with figures; `date.max` without any."""
    first = oldest_day(kind_of(Dim.ALL))
    return date.max if first is None else date.fromordinal(first)


# -- figures ----------------------------------------------------------------------------------------------------------


def comparison(query: DashboardQuery, now: datetime, sums: SumTotals) -> PeriodComparison | None:
    """Compare with the previous period where that is fair. `now`: in the site's zone; `sums`: the query's totals."""
    period, before = query.period, query.period.before()
    if not query.compare or before.first < first_counted_day():
        return None
    if period.last < query.today:
        return PeriodComparison(sums, _of(query, before), _days(before))
    if period.days > 1:
        period, before = period.shortened(), before.shortened()
        return PeriodComparison(_of(query, period), _of(query, before), f"{_days(before)}, complete days only")
    if len(query.drills) > 1:
        return None  # two filters together are not counted by the hour
    return PeriodComparison(
        replace(_hours(query, period.first, now.hour), visitors=None),
        replace(_hours(query, before.first, now.hour), visitors=None),
        f"yesterday until {now.hour:02}:00" if now.hour else "",
    )


def _of(query: DashboardQuery, period: Period) -> SumTotals:
    return answer(replace(query.question, period=period)).totals


def _hours(query: DashboardQuery, day: date, until: int) -> SumTotals:
    """Return the totals of a day's hours before `until` o'clock."""
    start = day.toordinal() * 24
    return one_sum(resolved(query.question), [SheetSpan(HOURS, start, start + until - 1)], outs())


def _days(period: Period) -> str:
    first, last = period.first, period.last
    if first == last:
        return f"{first:%-d %b}"
    return (
        f"{first:%-d}–{last:%-d %b}"
        if first.replace(day=1) == last.replace(day=1)
        else f"{first:%-d %b} – {last:%-d %b}"
    )


_MEASURES: dict[Show, Callable[[SumTotals], float]] = {
    Show.VISITORS: lambda sums: sums.visitors or 0,
    Show.VISITS: lambda sums: sums.visits,
    Show.VIEWS: lambda sums: sums.views,
    Show.BOUNCE: lambda sums: sums.bounce_rate * 100,
    Show.TIME: lambda sums: sums.seconds_a_visit,
}
_FORMATS: dict[Show, Callable[[float], str]] = {
    Show.VISITORS: lambda value: numbers.count(round(value)),
    Show.VISITS: lambda value: numbers.count(round(value)),
    Show.VIEWS: lambda value: numbers.count(round(value)),
    Show.BOUNCE: lambda value: numbers.share(value / 100),
    Show.TIME: numbers.span,
}
LABELS = {
    Show.VISITORS: "Visitors",
    Show.VISITS: "Visits",
    Show.VIEWS: "Page views",
    Show.BOUNCE: "Bounce rate",
    Show.TIME: "Visit duration",
}


def shows(query: DashboardQuery) -> list[Show]:
    """Return the figures that exist under these filters."""
    dims = [drill.dim for drill in query.drills]
    if not dims:
        return list(Show)
    available = [Show.VISITORS] if len(dims) == 1 and dims[0] in SKETCHED else []
    available += [Show.VISITS, Show.VIEWS]
    if Dim.EVENT in dims:
        return available
    if len(dims) == 1 or Dim.PAGE not in dims or set(dims) & {Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY}:
        available.append(Show.BOUNCE)
    if len(dims) == 1 and Dim.ENTRY not in dims:
        available.append(Show.TIME)
    return available


def figures(query: DashboardQuery, sums: SumTotals, compared: PeriodComparison | None) -> list[TopFigure]:
    """Return the figures at the top, each with its change."""
    one_day = query.period.days == 1
    figures = []
    for show in shows(query):
        value = _MEASURES[show](sums)
        figures.append(
            TopFigure(
                _label(show, query),
                _FORMATS[show](value),
                _change(show, compared),
                _error(query, value) if show is Show.VISITORS and one_day else "",
                query.showing(show).encoded(),
                show is present(query),
            )
        )
    return figures


def _label(show: Show, query: DashboardQuery) -> str:
    dims = {drill.dim for drill in query.drills}
    if show is Show.VISITORS and query.period.days > 1:
        return "Visitors (daily uniques, added up)"
    if show is Show.VIEWS and Dim.EVENT in dims:
        return "Event count"
    if show is Show.TIME and Dim.PAGE in dims:
        return "Time on page, per visit"
    if show is Show.BOUNCE and Dim.PAGE in dims:
        return "Bounce rate of visits that started here"
    return LABELS[show]


def present(query: DashboardQuery) -> Show:
    """Return the figure that the chart shows: the chosen one, or visits where it is not available."""
    can = [show for show in shows(query) if show is not Show.VISITORS or query.period.days > 1]
    return query.show if query.show in can else Show.VISITS


def _change(show: Show, compared: PeriodComparison | None) -> Change | None:
    if compared is None or (show is Show.VISITORS and compared.before.visitors is None):
        return None
    now, before = _MEASURES[show](compared.now), _MEASURES[show](compared.before)
    return numbers.change(now, before, more_is_better=show is not Show.BOUNCE)


def _error(query: DashboardQuery, visitors: float) -> str:
    """Return the margin of error of an estimate, in words."""
    cell = Cell(query.drills[0].dim, query.drills[0].name) if query.drills else ALL
    off = round(visitors * _SURE * hyperloglog.error(precision(cell)))
    return f"estimate, ±{off}" if off else "estimate, below ±1"


# -- the chart --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart with its table and notes."""

    drawn: charts.ColumnChart
    title: str
    unit: str
    step: str
    """What each column stands for: hour, day or month."""
    now_label: str
    before_label: str
    notes: tuple[tuple[int, DayNote], ...]
    unavailable: str = ""


def chart(query: DashboardQuery, now: datetime) -> Chart:
    """Build the chart, with the previous period behind it. `now`: in the site's zone."""
    show, period = present(query), query.period
    points = answer(replace(query.question, by_time=True)).points
    before = _before(query)
    noted = tuple(enumerate(annotations.within(period), 1))
    items = [
        _item(query, show, point, before[place] if place < len(before) else None, noted, now)
        for place, point in enumerate(points)
    ]
    step = _step(period, points)
    title = f"{_label(show, query)} by {step}"
    unavailable = (
        "Not available by the hour with two filters. Remove a filter or choose a longer period."
        if period.days == 1 and len(query.drills) > 1
        else ""
    )
    return Chart(
        charts.columns(title, items, lambda value: _axis(show, value), most=100 if show is Show.BOUNCE else 0),
        title,
        _label(show, query),
        step,
        _days(period),
        _days(period.before()) if before else "",
        noted,
        unavailable,
    )


def _before(query: DashboardQuery) -> list[ChartPoint | None]:
    """Return the previous period's points, None for those before counting began; no points where all are."""
    if not query.compare:
        return []
    first = first_counted_day()
    points = answer(replace(query.question, period=query.period.before(), by_time=True)).points
    available = [point if point.last is None or point.last >= first else None for point in points]
    return available if any(available) else []


def _step(period: Period, points: Sequence[ChartPoint]) -> str:
    if period.days == 1:
        return "hour"
    return "day" if len(points) == period.days else "month"


def _item(
    query: DashboardQuery,
    show: Show,
    point: ChartPoint,
    before: ChartPoint | None,
    noted: Sequence[tuple[int, DayNote]],
    now: datetime,
) -> charts.ColumnItem:
    measure, to_text = _MEASURES[show], _FORMATS[show]
    first, last = point.first or query.today, point.last or query.today
    hourly = ":" in point.label
    href = "" if hourly else query.on(first, last).encoded()
    note_numbers = () if hourly else tuple(number for number, note in noted if first <= note.day <= last)
    to_come = hourly and first == query.today and int(point.label[:2]) > now.hour
    running = last == query.today and (not hourly or int(point.label[:2]) == now.hour)
    label = point.label if hourly or first != last else f"{first:%a %-d %b}"
    return charts.ColumnItem(
        point.label if hourly or first != last else f"{first:%-d %b}",
        measure(point.totals),
        "to come" if to_come else to_text(measure(point.totals)) + (" so far" if running else ""),
        None if before is None else measure(before.totals),
        "" if before is None else to_text(measure(before.totals)),
        "" if before is None else _before_label(before, hourly),
        href,
        running,
        note_numbers,
        label,
    )


def _before_label(before: ChartPoint, hourly: bool) -> str:
    if hourly or before.first is None or before.first != before.last:
        return "the day before" if hourly else before.label
    return f"{before.first:%a %-d %b}"


def _axis(show: Show, value: float) -> str:
    if show is Show.BOUNCE:
        return f"{value:.0f}\u00a0%"
    if show is Show.TIME:
        return numbers.span(value)
    return numbers.short(value)


# -- what one must know -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A reason for which hits were not counted, and how many."""

    label: str
    times: str


def uncounted(period: Period) -> tuple[str, list[Uncounted]]:
    """Return how many page views opted out, and what else was dropped, by reason."""
    opted_out = answer(Query(period, (Drill(Dim.ASKED, ""),))).totals.views
    rows = sorted(answer(Query(period, dim=Dim.DROPPED, limit=12)).rows, key=lambda row: -row.totals.views)
    return numbers.count(opted_out), [
        Uncounted(labels.shown(Dim.DROPPED, row.name), numbers.count(row.totals.views)) for row in rows
    ]


def restarts(period: Period) -> list[str]:
    """Return when counting restarted, so that visitors may be counted twice; newest first, at most five."""
    rows = Restart.objects.filter(at__range=(period.first.toordinal(), period.last.toordinal()))
    return [f"{date.fromordinal(row.at):%-d %b} at {row.hour:02}:00" for row in rows.order_by("-at", "-hour")[:5]]


def periods(query: DashboardQuery) -> list[tuple[str, str, bool]]:
    """Return the periods to choose from: label, URL, whether it is the current one."""
    return [(label, query.over(preset).encoded(), query.preset is preset) for preset, label in PERIODS.items()]


def neighbours(query: DashboardQuery) -> tuple[str, str]:
    """Return the URLs of the previous and the next period; the next is empty where it has not begun."""
    period = query.period
    earlier, step = period.before(), timedelta(days=period.days)
    later = Period(period.first + step, min(period.last + step, query.today))
    forward = query.on(later.first, later.last).encoded() if later.first <= query.today else ""
    return query.on(earlier.first, earlier.last).encoded(), forward


def period_text(query: DashboardQuery) -> str:
    """Return the period in words."""
    period = query.period
    if period.days == 1:
        return f"{period.first:%A, %-d %B %Y}"
    if (period.first.year, period.first.month) == (period.last.year, period.last.month):
        return f"{period.first:%-d}–{period.last:%-d %B %Y}"
    first = f"{period.first:%-d %B}" + (f" {period.first.year}" if period.first.year != period.last.year else "")
    return f"{first} – {period.last:%-d %B %Y}"
