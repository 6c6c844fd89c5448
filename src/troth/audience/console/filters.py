"""Reads the dashboard's state (period, filters, chart) from its URL, and writes it back into links.

The URL holds everything the page shows, so that it can be bookmarked and shared. Touches nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode

from troth.audience.counting.cells import WITH_PAGES, Dim
from troth.audience.queries.periods import Period, month_begin, month_of
from troth.audience.queries.queries import Drill, Query

MAY_DRILL = (Dim.PAGE, Dim.ENTRY, *WITH_PAGES, Dim.EVENT)
"""What can be a filter: every dimension that is counted together with another."""
MOST_FILTERS = 2
_LONGEST_NAME = 500
_LONGEST_QUERY = 4_000
_LONGEST = timedelta(days=25 * 31)
"""Statistics are kept no longer than this."""


class Show(StrEnum):
    """The figure that the chart shows."""

    VISITORS = "visitors"
    VISITS = "visits"
    VIEWS = "views"
    BOUNCE = "bounce"
    TIME = "time"


class Preset(StrEnum):
    """The periods to choose from."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "7"
    MONTH = "28"
    QUARTER = "91"
    THIS_MONTH = "month"
    YEAR = "year"
    CUSTOM = "own"


LABELS = {
    Preset.TODAY: "Today",
    Preset.YESTERDAY: "Yesterday",
    Preset.WEEK: "7 days",
    Preset.MONTH: "28 days",
    Preset.QUARTER: "91 days",
    Preset.THIS_MONTH: "This month",
    Preset.YEAR: "12 months",
}


@dataclass(frozen=True, slots=True)
class DashboardQuery:
    """What one URL of the dashboard asks for."""

    today: date
    preset: Preset = Preset.MONTH
    custom: Period | None = None
    drills: tuple[Drill, ...] = ()
    show: Show = Show.VISITS
    compare: bool = True
    tabs: frozenset[str] = frozenset()
    """The dimensions whose tab is selected, where it is not the first of its group."""

    @property
    def period(self) -> Period:
        """Return the days to show."""
        if self.preset is Preset.CUSTOM and self.custom:
            return self.custom
        return _named(self.preset, self.today)

    @property
    def question(self) -> Query:
        """Return the query for the totals of the period under the filters."""
        return Query(self.period, self.drills)

    def without_dim(self, dim: Dim) -> Query:
        """Return the same without a filter on this dimension: so one can switch from row to row in its panel."""
        return Query(self.period, tuple(drill for drill in self.drills if drill.dim is not dim))

    def encoded(self) -> str:
        """Return the URL's query string with its question mark, without defaults."""
        return encoded(self.pairs())

    def pairs(self) -> list[tuple[str, str]]:
        """Return the same as names and values, for a form's hidden fields."""
        pairs: list[tuple[str, str]] = []
        if self.preset is Preset.CUSTOM and self.custom:
            pairs += [("from", self.custom.first.isoformat()), ("to", self.custom.last.isoformat())]
        elif self.preset is not Preset.MONTH:
            pairs.append(("period", self.preset))
        pairs += [(drill.dim, drill.name) for drill in self.drills]
        if self.show is not Show.VISITS:
            pairs.append(("show", self.show))
        if not self.compare:
            pairs.append(("compare", "no"))
        if self.tabs:
            pairs.append(("tabs", ".".join(sorted(self.tabs))))
        return pairs

    def pairs_without_period(self) -> list[tuple[str, str]]:
        """Return the pairs for the form that chooses a period."""
        return [(name, value) for name, value in self.pairs() if name not in {"from", "to", "period"}]

    def over(self, preset: Preset) -> "DashboardQuery":
        """Return this query for another period."""
        return replace(self, preset=preset, custom=None)

    def on(self, first: date, last: date) -> "DashboardQuery":
        """Return this query for these days."""
        return replace(self, preset=Preset.CUSTOM, custom=Period(first, last))

    def of(self, drill: Drill) -> "DashboardQuery":
        """Return this query with one filter more, which replaces one of the same dimension."""
        remaining = [current for current in self.drills if current.dim is not drill.dim]
        return replace(self, drills=(*remaining, drill)[-MOST_FILTERS:])

    def without(self, drill: Drill) -> "DashboardQuery":
        """Return this query without a filter."""
        return replace(self, drills=tuple(current for current in self.drills if current != drill))

    def showing(self, show: Show) -> "DashboardQuery":
        """Return this query with another chart."""
        return replace(self, show=show)

    def with_tab(self, dim: Dim, group: Iterable[Dim]) -> "DashboardQuery":
        """Return this query with this tab of a group selected."""
        group = list(group)
        tabs = self.tabs - {member.value for member in group}
        return replace(self, tabs=tabs if dim is group[0] else tabs | {dim.value})

    def comparing(self, compare: bool) -> "DashboardQuery":
        """Return this query with or without the comparison."""
        return replace(self, compare=compare)


def parse(query: Mapping[str, str], today: date) -> DashboardQuery:
    """Read a query. Unknown names and values are ignored; future days are cut off."""
    custom = _custom(query.get("from", ""), query.get("to", ""), today)
    preset = _one_of(Preset, query.get("period", ""), Preset.MONTH)
    if custom is not None:
        preset = Preset.CUSTOM
    elif preset is Preset.CUSTOM:
        preset = Preset.MONTH
    drills = [Drill(dim, query[dim]) for dim in MAY_DRILL if 0 < len(query.get(dim, "")) <= _LONGEST_NAME]
    return DashboardQuery(
        today,
        preset,
        custom,
        tuple(drill for drill in drills if drill.name.isprintable())[:MOST_FILTERS],
        _one_of(Show, query.get("show", ""), Show.VISITS),
        query.get("compare") != "no",
        frozenset(query.get("tabs", "").split(".")) & {dim.value for dim in Dim} if query.get("tabs") else frozenset(),
    )


def encoded(pairs: Sequence[tuple[str, str]]) -> str:
    """Return a query string with its question mark."""
    return "?" + urlencode(pairs)


def decoded(query: str) -> dict[str, str]:
    """Return the pairs of a query string; none where it is malformed."""
    try:
        return dict(parse_qsl(query[:_LONGEST_QUERY].removeprefix("?"), max_num_fields=20))
    except ValueError:
        return {}


def day(text: str) -> date | None:
    """Read a day as a date field sends it; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _custom(first_text: str, last_text: str, today: date) -> Period | None:
    first, last = day(first_text), day(last_text)
    if first is None and last is None:
        return None
    first, last = first or last or today, last or today
    first, last = min(first, last, today), min(max(first, last), today)
    return Period(max(first, today - _LONGEST), max(last, today - _LONGEST))


def _one_of[Kind: StrEnum](kinds: type[Kind], text: str, otherwise: Kind) -> Kind:
    return next((kind for kind in kinds if kind.value == text), otherwise)


_DAYS = {Preset.WEEK: 7, Preset.MONTH: 28, Preset.QUARTER: 91}


def _named(preset: Preset, today: date) -> Period:
    if preset is Preset.YESTERDAY:
        return Period(today - timedelta(days=1), today - timedelta(days=1))
    if preset in _DAYS:
        return Period(today - timedelta(days=_DAYS[preset] - 1), today)
    if preset is Preset.THIS_MONTH:
        return Period(today.replace(day=1), today)
    if preset is Preset.YEAR:
        return Period(month_begin(month_of(today) - 11), today)
    return Period(today, today)
