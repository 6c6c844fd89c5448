"""What an address of the dashboard asks for: period, filters, what the chart shows. And back: the address of a link.

Everything that the page shows is in its address, so that it can be kept, sent and gone back to. Touches nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode

from troth.audience.counting.cells import WITH_PAGES, Dim
from troth.audience.queries.periods import Period, month_begin, month_of
from troth.audience.queries.queries import Drill

MAY_DRILL = (Dim.PAGE, Dim.ENTRY, *WITH_PAGES, Dim.EVENT)
"""What can be a filter: all that is counted together with something."""
MOST_FILTERS = 2
_LONGEST_NAME = 500
_LONGEST_QUERY = 4_000
_LONGEST = timedelta(days=25 * 31)
"""No statistics are kept longer."""


class Show(StrEnum):
    """What the chart is of."""

    VISITORS = "visitors"
    VISITS = "visits"
    VIEWS = "views"
    BOUNCE = "bounce"
    TIME = "time"


class Stretch(StrEnum):
    """The periods that have a name."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "7"
    MONTH = "28"
    QUARTER = "91"
    THIS_MONTH = "month"
    YEAR = "year"
    OWN = "own"


LABELS = {
    Stretch.TODAY: "Today",
    Stretch.YESTERDAY: "Yesterday",
    Stretch.WEEK: "7 days",
    Stretch.MONTH: "28 days",
    Stretch.QUARTER: "91 days",
    Stretch.THIS_MONTH: "This month",
    Stretch.YEAR: "12 months",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One address of the dashboard."""

    today: date
    stretch: Stretch = Stretch.MONTH
    own: Period | None = None
    drills: tuple[Drill, ...] = ()
    show: Show = Show.VISITS
    compare: bool = True
    tabs: frozenset[str] = frozenset()
    """Dims whose panel is in front of its neighbours."""

    @property
    def period(self) -> Period:
        """The days that are asked for."""
        if self.stretch is Stretch.OWN and self.own:
            return self.own
        return _named(self.stretch, self.today)

    @property
    def drill(self) -> Drill | None:
        """The first filter."""
        return self.drills[0] if self.drills else None

    @property
    def also(self) -> Drill | None:
        """The second one."""
        return self.drills[1] if len(self.drills) > 1 else None

    def query(self) -> str:
        """The address's query, with its question mark; what is as ever is left out."""
        return encoded(self.pairs())

    def pairs(self) -> list[tuple[str, str]]:
        """The same as names and values, for a form's hidden fields."""
        pairs: list[tuple[str, str]] = []
        if self.stretch is Stretch.OWN and self.own:
            pairs += [("from", self.own.first.isoformat()), ("to", self.own.last.isoformat())]
        elif self.stretch is not Stretch.MONTH:
            pairs.append(("period", self.stretch))
        pairs += [(drill.dim, drill.name) for drill in self.drills]
        if self.show is not Show.VISITS:
            pairs.append(("show", self.show))
        if not self.compare:
            pairs.append(("compare", "no"))
        if self.tabs:
            pairs.append(("tabs", ".".join(sorted(self.tabs))))
        return pairs

    def kept(self) -> list[tuple[str, str]]:
        """What a form keeps that asks for other days."""
        return [(name, value) for name, value in self.pairs() if name not in {"from", "to", "period"}]

    def over(self, stretch: Stretch) -> "Asked":
        """The same over another period."""
        return replace(self, stretch=stretch, own=None)

    def on(self, first: date, last: date) -> "Asked":
        """The same on these days."""
        return replace(self, stretch=Stretch.OWN, own=Period(first, last))

    def of(self, drill: Drill) -> "Asked":
        """The same of one thing more; what was asked of its kind before is replaced."""
        kept = [one for one in self.drills if one.dim is not drill.dim]
        return replace(self, drills=(*kept, drill)[-MOST_FILTERS:])

    def without(self, drill: Drill) -> "Asked":
        """The same without a filter."""
        return replace(self, drills=tuple(one for one in self.drills if one != drill))

    def showing(self, show: Show) -> "Asked":
        """The same with another chart."""
        return replace(self, show=show)

    def with_tab(self, dim: Dim, group: Iterable[Dim]) -> "Asked":
        """The same with this panel in front of its group."""
        group = list(group)
        kept = self.tabs - {one.value for one in group}
        return replace(self, tabs=kept if dim is group[0] else kept | {dim.value})

    def comparing(self, compare: bool) -> "Asked":
        """The same with or without the period before."""
        return replace(self, compare=compare)


def parse(query: Mapping[str, str], today: date) -> Asked:
    """What a query asks for. What there is not is as if it were not there; days to come are cut off."""
    own = _own(query.get("from", ""), query.get("to", ""), today)
    stretch = _one_of(Stretch, query.get("period", ""), Stretch.MONTH)
    if own is not None:
        stretch = Stretch.OWN
    elif stretch is Stretch.OWN:
        stretch = Stretch.MONTH
    drills = [Drill(dim, query[dim]) for dim in MAY_DRILL if 0 < len(query.get(dim, "")) <= _LONGEST_NAME]
    return Asked(
        today,
        stretch,
        own,
        tuple(drill for drill in drills if drill.name.isprintable())[:MOST_FILTERS],
        _one_of(Show, query.get("show", ""), Show.VISITS),
        query.get("compare") != "no",
        frozenset(query.get("tabs", "").split(".")) & {dim.value for dim in Dim} if query.get("tabs") else frozenset(),
    )


def encoded(pairs: Sequence[tuple[str, str]]) -> str:
    """A query with its question mark."""
    return "?" + urlencode(pairs)


def decoded(query: str) -> dict[str, str]:
    """What `encoded` made; nothing of what it would not make."""
    try:
        return dict(parse_qsl(query[:_LONGEST_QUERY].removeprefix("?"), max_num_fields=20))
    except ValueError:
        return {}


def day(text: str) -> date | None:
    """A day as a date field sends it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _own(first_text: str, last_text: str, today: date) -> Period | None:
    first, last = day(first_text), day(last_text)
    if first is None and last is None:
        return None
    first, last = first or last or today, last or today
    first, last = min(first, last, today), min(max(first, last), today)
    return Period(max(first, today - _LONGEST), max(last, today - _LONGEST))


def _one_of[Kind: StrEnum](kinds: type[Kind], text: str, otherwise: Kind) -> Kind:
    return next((one for one in kinds if one.value == text), otherwise)


_DAYS = {Stretch.WEEK: 7, Stretch.MONTH: 28, Stretch.QUARTER: 91}


def _named(stretch: Stretch, today: date) -> Period:
    if stretch is Stretch.YESTERDAY:
        return Period(today - timedelta(days=1), today - timedelta(days=1))
    if stretch in _DAYS:
        return Period(today - timedelta(days=_DAYS[stretch] - 1), today)
    if stretch is Stretch.THIS_MONTH:
        return Period(today.replace(day=1), today)
    if stretch is Stretch.YEAR:
        return Period(month_begin(month_of(today) - 11), today)
    return Period(today, today)
