"""What stands on top of the dashboard: figures with what became of them, the chart, and what one must know to read it.

A running day is compared with nothing whole: what changed is told by complete days, today by the same hours of
yesterday. May touch: reads this room's tables.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from troth.audience.console.filters import LABELS as PERIODS
from troth.audience.console.filters import Asked, Show
from troth.audience.counting import hyperloglog
from troth.audience.counting.cells import ALL, SKETCHED, Cell, Dim
from troth.audience.counting.registers import precision
from troth.audience.models import Restart
from troth.audience.queries import annotations, queries
from troth.audience.queries.annotations import Note
from troth.audience.queries.periods import HOURS, Period, Span
from troth.audience.queries.queries import Drill, Point, Totals
from troth.audience.queries.sums import one_sum, outs
from troth.audience.storage.fold import kind_of
from troth.audience.storage.read import oldest_day
from troth.kit import charts, numbers
from troth.kit.numbers import Change

_SURE = 2
"""Standard errors to either side: in 95 of 100 days the true number lies within."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the figures on top, which is also the way to its chart."""

    label: str
    value: str
    change: Change | None
    note: str
    href: str
    present: bool
    """The chart is of this."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Sums to compare, and in which words."""

    now: Totals
    before: Totals
    words: str


def nothing_yet() -> bool:
    """Whether nothing at all has been counted."""
    return oldest_day(kind_of(Dim.ALL)) is None


def began() -> date:
    """The first day that has been counted; before it there is nothing to compare with."""
    first = oldest_day(kind_of(Dim.ALL))
    return date.max if first is None else date.fromordinal(first)


# -- figures ----------------------------------------------------------------------------------------------------------


def whole(asked: Asked) -> Totals:
    """The sums of all that is asked for."""
    return queries.totals(asked.period, asked.drill, asked.also)


def compared(asked: Asked, now: datetime, sums: Totals) -> Compared | None:
    """With the period before, as far as it can be done fairly. `now`: in the site's zone; `sums`: of what is asked."""
    period, before = asked.period, asked.period.before()
    if not asked.compare or before.first < began():
        return None
    if period.last < asked.today:
        return Compared(sums, _of(asked, before), _days(before))
    if period.days > 1:
        period, before = period.shortened(), before.shortened()
        return Compared(_of(asked, period), _of(asked, before), f"{_days(before)}, complete days only")
    if len(asked.drills) > 1:
        return None  # two things together are not known by the hour
    return Compared(
        replace(_hours(asked, period.first, now.hour), visitors=None),
        replace(_hours(asked, before.first, now.hour), visitors=None),
        f"yesterday until {now.hour:02}:00" if now.hour else "",
    )


def _of(asked: Asked, period: Period) -> Totals:
    return queries.totals(period, asked.drill, asked.also)


def _hours(asked: Asked, day: date, until: int) -> Totals:
    """The sums of a day's hours that were over at `until` o'clock."""
    start = day.toordinal() * 24
    question = queries.question(asked.drill)
    return one_sum(question, [Span(HOURS, start, start + until - 1)], outs())


def _days(period: Period) -> str:
    first, last = period.first, period.last
    if first == last:
        return f"{first:%-d %b}"
    return (
        f"{first:%-d}–{last:%-d %b}"
        if first.replace(day=1) == last.replace(day=1)
        else f"{first:%-d %b} – {last:%-d %b}"
    )


_MEASURES: dict[Show, Callable[[Totals], float]] = {
    Show.VISITORS: lambda sums: sums.visitors or 0,
    Show.VISITS: lambda sums: sums.visits,
    Show.VIEWS: lambda sums: sums.views,
    Show.BOUNCE: lambda sums: sums.bounce_rate * 100,
    Show.TIME: lambda sums: sums.seconds_a_visit,
}
_SAID: dict[Show, Callable[[float], str]] = {
    Show.VISITORS: lambda value: numbers.count(round(value)),
    Show.VISITS: lambda value: numbers.count(round(value)),
    Show.VIEWS: lambda value: numbers.count(round(value)),
    Show.BOUNCE: lambda value: numbers.share(value / 100),
    Show.TIME: numbers.span,
}
LABELS = {
    Show.VISITORS: "Visitors",
    Show.VISITS: "Visits",
    Show.VIEWS: "Views",
    Show.BOUNCE: "Bounce rate",
    Show.TIME: "Time a visit",
}


def shows(asked: Asked) -> list[Show]:
    """Which figures there are under these filters."""
    dims = [drill.dim for drill in asked.drills]
    if not dims:
        return list(Show)
    found = [Show.VISITORS] if len(dims) == 1 and dims[0] in SKETCHED else []
    found += [Show.VISITS, Show.VIEWS]
    if Dim.EVENT in dims:
        return found
    if len(dims) == 1 or Dim.PAGE not in dims or set(dims) & {Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY}:
        found.append(Show.BOUNCE)
    if len(dims) == 1 and Dim.ENTRY not in dims:
        found.append(Show.TIME)
    return found


def figures(asked: Asked, sums: Totals, against: Compared | None) -> list[Figure]:
    """Those that there are, each with what became of it."""
    one_day = asked.period.days == 1
    made = []
    for show in shows(asked):
        value = _MEASURES[show](sums)
        made.append(
            Figure(
                _label(show, asked),
                _SAID[show](value),
                _change(show, against),
                _error(asked, value) if show is Show.VISITORS and one_day else "",
                asked.showing(show).query(),
                show is present(asked),
            )
        )
    return made


def _label(show: Show, asked: Asked) -> str:
    dims = {drill.dim for drill in asked.drills}
    if show is Show.VISITORS and asked.period.days > 1:
        return "Daily visitors, summed"
    if show is Show.VIEWS and Dim.EVENT in dims:
        return "Times"
    if show is Show.TIME and Dim.PAGE in dims:
        return "Time on it, a visit"
    if show is Show.BOUNCE and Dim.PAGE in dims:
        return "Bounced, of visits that began here"
    return LABELS[show]


def present(asked: Asked) -> Show:
    """What the chart is of: what is asked for, or visits where that is not to be had."""
    can = [show for show in shows(asked) if show is not Show.VISITORS or asked.period.days > 1]
    return asked.show if asked.show in can else Show.VISITS


def _change(show: Show, against: Compared | None) -> Change | None:
    if against is None or (show is Show.VISITORS and against.before.visitors is None):
        return None
    now, before = _MEASURES[show](against.now), _MEASURES[show](against.before)
    return numbers.change(now, before, more_is_better=show is not Show.BOUNCE)


def _error(asked: Asked, visitors: float) -> str:
    """How far off the estimate may be."""
    cell = Cell(asked.drills[0].dim, asked.drills[0].name) if asked.drills else ALL
    off = round(visitors * _SURE * hyperloglog.error(precision(cell)))
    return f"± {off}" if off else "counted closely"


# -- the chart --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart with its table and notes."""

    drawn: charts.Columns
    title: str
    unit: str
    now_words: str
    before_words: str
    notes: tuple[tuple[int, Note], ...]
    cannot: str = ""


def chart(asked: Asked, now: datetime) -> Chart:
    """What is asked for over time, the period before behind it. `now`: in the site's zone."""
    show, period = present(asked), asked.period
    points = queries.series(period, asked.drill, asked.also)
    before = _before(asked)
    noted = tuple(enumerate(annotations.within(period), 1))
    told = [
        _told(asked, show, point, before[place] if place < len(before) else None, noted, now)
        for place, point in enumerate(points)
    ]
    title = f"{_label(show, asked)} by {_by(period, points)}"
    cannot = "Two things together are not known by the hour." if period.days == 1 and asked.also else ""
    return Chart(
        charts.columns(title, told, lambda value: _axis(show, value), most=100 if show is Show.BOUNCE else 0),
        title,
        _label(show, asked),
        _days(period),
        _days(period.before()) if before else "",
        noted,
        cannot,
    )


def _before(asked: Asked) -> list[Point | None]:
    """The period before, without what lies before the first day; nothing where all of it does."""
    if not asked.compare:
        return []
    first = began()
    points = queries.series(asked.period.before(), asked.drill, asked.also)
    found = [point if point.last is None or point.last >= first else None for point in points]
    return found if any(found) else []


def _by(period: Period, points: Sequence[Point]) -> str:
    if period.days == 1:
        return "hour"
    return "day" if len(points) == period.days else "month"


def _told(
    asked: Asked,
    show: Show,
    point: Point,
    before: Point | None,
    noted: Sequence[tuple[int, Note]],
    now: datetime,
) -> charts.Told:
    measure, said = _MEASURES[show], _SAID[show]
    first, last = point.first or asked.today, point.last or asked.today
    hourly = ":" in point.label
    href = "" if hourly else asked.on(first, last).query()
    there = () if hourly else tuple(number for number, note in noted if first <= note.day <= last)
    to_come = hourly and first == asked.today and int(point.label[:2]) > now.hour
    running = last == asked.today and (not hourly or int(point.label[:2]) == now.hour)
    label = point.label if hourly or first != last else f"{first:%a %-d %b}"
    return charts.Told(
        point.label if hourly or first != last else f"{first:%-d %b}",
        measure(point.totals),
        "to come" if to_come else said(measure(point.totals)) + (" so far" if running else ""),
        None if before is None else measure(before.totals),
        "" if before is None else said(measure(before.totals)),
        "" if before is None else _before_label(before, hourly),
        href,
        running,
        there,
        label,
    )


def _before_label(before: Point, hourly: bool) -> str:
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
    """Why hits were not counted, and how many."""

    reason: str
    times: str


def uncounted(period: Period) -> tuple[str, list[Uncounted]]:
    """How many views were those of people who asked not to be counted; and what else was dropped, by reason."""
    asked_not = queries.totals(period, Drill(Dim.ASKED, "")).views
    rows = queries.top(period, Dim.DROPPED, limit=12)
    rows.sort(key=lambda row: -row.totals.views)
    return numbers.count(asked_not), [Uncounted(row.name.capitalize(), numbers.count(row.totals.views)) for row in rows]


def restarts(period: Period) -> list[str]:
    """Moments from which visitors of that day may have been counted twice, newest first, at most five."""
    rows = Restart.objects.filter(at__range=(period.first.toordinal(), period.last.toordinal()))
    return [f"{date.fromordinal(row.at):%-d %b} at {row.hour:02}:00" for row in rows.order_by("-at", "-hour")[:5]]


def stretches(asked: Asked) -> list[tuple[str, str, bool]]:
    """The periods that have a name: label, address, whether it is the present one."""
    return [(label, asked.over(stretch).query(), asked.stretch is stretch) for stretch, label in PERIODS.items()]


def days_beside(asked: Asked) -> tuple[str, str]:
    """The addresses of as many days earlier and later; the later is nothing where they have not come yet."""
    period = asked.period
    earlier, step = period.before(), timedelta(days=period.days)
    later = Period(period.first + step, min(period.last + step, asked.today))
    forward = asked.on(later.first, later.last).query() if later.first <= asked.today else ""
    return asked.on(earlier.first, earlier.last).query(), forward


def words(asked: Asked) -> str:
    """The period in words."""
    period = asked.period
    if period.days == 1:
        return f"{period.first:%A, %-d %B %Y}"
    if (period.first.year, period.first.month) == (period.last.year, period.last.month):
        return f"{period.first:%-d}–{period.last:%-d %B %Y}"
    first = f"{period.first:%-d %B}" + (f" {period.first.year}" if period.first.year != period.last.year else "")
    return f"{first} – {period.last:%-d %B %Y}"
