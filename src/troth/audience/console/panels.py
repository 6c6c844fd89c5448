"""The panels of the dashboard: the most of each kind, each line a link that asks everything of that one thing.

What cannot be asked together is said in the panel's place, never shown as nothing. May touch: reads this room's tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from troth.audience.console.filters import MAY_DRILL, Asked
from troth.audience.counting.cells import Dim
from troth.audience.counting.page_names import OTHER
from troth.audience.queries import labels, queries
from troth.audience.queries.queries import Drill, Row, Totals
from troth.audience.queries.sums import Question, countable
from troth.kit import numbers

LINES = 8
"""Of a panel; "more" has the rest."""
MOST = 500
"""Of the page behind "more"."""

ONE = {
    Dim.PAGE: "page",
    Dim.ENTRY: "entry page",
    Dim.EXIT: "exit page",
    Dim.SOURCE: "source",
    Dim.CHANNEL: "channel",
    Dim.CAMPAIGN: "campaign",
    Dim.COUNTRY: "country",
    Dim.DEVICE: "device",
    Dim.BROWSER: "browser",
    Dim.SYSTEM: "system",
    Dim.LANGUAGE: "language",
    Dim.SCREEN: "screen",
    Dim.EVENT: "event",
    Dim.OUTBOUND: "outbound link",
    Dim.DOWNLOAD: "download",
    Dim.MISSING: "missing page",
    Dim.STEP: "step",
    Dim.PRODUCT: "product",
}
"""What one of them is called."""
SEVERAL = {dim: f"{word}s" for dim, word in ONE.items()} | {Dim.COUNTRY: "countries"}
GROUPS: tuple[tuple[Dim, ...], ...] = (
    (Dim.PAGE, Dim.ENTRY, Dim.EXIT),
    (Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN),
    (Dim.COUNTRY, Dim.LANGUAGE),
    (Dim.DEVICE, Dim.BROWSER, Dim.SYSTEM, Dim.SCREEN),
    (Dim.OUTBOUND, Dim.DOWNLOAD, Dim.MISSING),
)
"""Panels that share a place; the first is in front unless another is asked for."""
BY_VIEWS = frozenset({Dim.EVENT, Dim.OUTBOUND, Dim.DOWNLOAD, Dim.MISSING, Dim.STEP, Dim.PRODUCT})
"""What is told by how often, not by visits."""
_TABS = {Dim.ENTRY: "Entry", Dim.EXIT: "Exit", Dim.OUTBOUND: "Outbound", Dim.MISSING: "Missing"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel."""

    name: str
    shown: str
    value: str
    share: str = ""
    width: float = 0
    """Of its bar, in per cent."""
    href: str = ""
    chosen: bool = False
    """It is a filter already."""
    others: bool = False
    """Names that too few visitors brought."""


@dataclass(frozen=True, slots=True)
class Tab:
    """The way to a panel that shares this place."""

    label: str
    href: str
    present: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel as the page shows it."""

    key: str
    title: str
    unit: str
    lines: tuple[Line, ...] = ()
    tabs: tuple[Tab, ...] = ()
    more: str = ""
    """The dim that the page behind "more" is about; nothing where there is no more."""
    cannot: str = ""
    """Why there is no answer."""
    includes: bool = False
    """It shows what was taken out elsewhere."""
    empty: str = "Nothing in these days."


def title(dim: Dim) -> str:
    """As a heading: `Entry pages`."""
    return SEVERAL[dim].capitalize()


def groups(asked: Asked, whole: Totals) -> list[Panel]:
    """The panels that stand for kinds, one for each place. `whole`: of what is asked, for shares."""
    found = []
    for group in GROUPS:
        front = next((dim for dim in group if dim.value in asked.tabs), group[0])
        tabs = tuple(Tab(_TABS.get(dim, title(dim)), asked.with_tab(dim, group).query(), dim is front) for dim in group)
        found.append(_panel(asked, front, whole, tabs))
    return found


def _panel(asked: Asked, dim: Dim, whole: Totals, tabs: tuple[Tab, ...]) -> Panel:
    """The panel of one kind."""
    # Of its own kind a panel shows the others, too, so that one can go from one to the next.
    drills = [one for one in asked.drills if one.dim is not dim]
    unit = "Times" if dim in BY_VIEWS else "Visits"
    if cannot := why_not(dim, drills):
        return Panel(dim.value, title(dim), unit, tabs=tabs, cannot=cannot)
    drill, also = (*drills, None, None)[:2]
    rows = queries.top(asked.period, dim, drill, also=also, limit=LINES + 1)
    lines = lined(asked, dim, rows[:LINES], whole if len(drills) == len(asked.drills) else None)
    unknown = bool(queries.unknown(asked.period, dim, drill, also))
    more = dim.value if len(rows) > LINES else ""
    return Panel(dim.value, title(dim), unit, lines, tabs, more, includes=unknown and bool(lines))


def why_not(dim: Dim, drills: Sequence[Drill]) -> str:
    """Why there is no such panel under these filters; nothing where there is one."""
    if countable(Question({one.dim: 0 for one in drills}, dim)):
        return ""
    if len(drills) > 1:
        return "Three things are never counted together. Take one filter away to see this."
    return f"{title(dim)} are not counted by {ONE[drills[0].dim]}."


def lined(asked: Asked, dim: Dim, rows: Sequence[Row], whole: Totals | None) -> tuple[Line, ...]:
    """Rows as lines. `whole`: what they are shares of; without it they are shares of their own sum."""
    values = [row.totals.views if dim in BY_VIEWS else row.totals.visits for row in rows]
    all_in_all = max(sum(values), 1)
    if whole is not None and dim not in BY_VIEWS:
        all_in_all = max(whole.visits, 1)
    most = max([1, *values])
    return tuple(_line(asked, dim, row, value, all_in_all, most) for row, value in zip(rows, values, strict=True))


def _line(asked: Asked, dim: Dim, row: Row, value: int, all_in_all: int, most: int) -> Line:
    drill = Drill(dim, row.name)
    may = dim in MAY_DRILL and bool(row.name)
    return Line(
        row.name,
        labels.shown(dim, row.name),
        numbers.count(value),
        numbers.share(min(1.0, value / all_in_all)),
        round(100 * value / most, 1),
        asked.of(drill).query() if may else "",
        drill in asked.drills,
        row.name == OTHER,
    )


# -- panels of their own kind -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Goal:
    """An event or goal, with the share of visits that came to it."""

    name: str
    visits: str
    times: str
    conversion: str
    width: float
    href: str
    chosen: bool


def goals(asked: Asked, whole: Totals, names: Sequence[str]) -> list[Goal]:
    """The operator's goals in their order: events, and pages (which begin with a slash)."""
    made = []
    for name in names:
        drill = Drill(Dim.PAGE if name.startswith("/") else Dim.EVENT, name)
        others = [one for one in asked.drills if one.dim is not drill.dim]
        if len(others) > 1 or not countable(Question({one.dim: 0 for one in (drill, *others)})):
            continue
        sums = queries.totals(asked.period, drill, *others[:1])
        made.append(_goal(asked, drill, sums, _of_whom(asked, others, whole)))
    return made


def _of_whom(asked: Asked, others: Sequence[Drill], whole: Totals) -> Totals:
    """What a conversion is a share of: all that the other filters leave."""
    return whole if len(others) == len(asked.drills) else queries.totals(asked.period, *others[:1])


def events(asked: Asked, whole: Totals) -> tuple[list[Goal], str]:
    """The events, with conversion, or why they are not to be had."""
    drills = [one for one in asked.drills if one.dim is not Dim.EVENT]
    if cannot := why_not(Dim.EVENT, drills):
        return [], cannot
    drill, also = (*drills, None, None)[:2]
    rows = queries.top(asked.period, Dim.EVENT, drill, also=also, limit=LINES)
    of = _of_whom(asked, drills, whole)
    return [_goal(asked, Drill(Dim.EVENT, row.name), row.totals, of) for row in rows], ""


def _goal(asked: Asked, drill: Drill, sums: Totals, whole: Totals) -> Goal:
    rate = min(1.0, sums.visits / whole.visits) if whole.visits else 0.0
    return Goal(
        drill.name,
        numbers.count(sums.visits),
        numbers.count(sums.views),
        numbers.share(rate),
        round(100 * rate, 2),
        asked.of(drill).query(),
        drill in asked.drills,
    )


@dataclass(frozen=True, slots=True)
class Walked:
    """A step from a page to another."""

    page: str
    onto: str
    times: str
    width: float
    href: str
    onto_href: str


@dataclass(frozen=True, slots=True)
class Walks:
    """Steps between pages: all of them, or those to and from one page."""

    title: str
    steps: tuple[Walked, ...]


def walks(asked: Asked) -> tuple[list[Walks], str]:
    """Steps, or why they are not to be had."""
    if not asked.drills:
        return [Walks("", _walked(asked, queries.steps(asked.period, limit=LINES)))], ""
    if len(asked.drills) > 1 or asked.drills[0].dim is not Dim.PAGE:
        one = next(drill for drill in asked.drills if drill.dim is not Dim.PAGE)
        return [], f"Steps are not counted by {ONE[one.dim]}."
    page, some = asked.drills[0].name, LINES // 2
    return [
        Walks("From", _walked(asked, queries.steps(asked.period, page, onward=False, limit=some))),
        Walks("On to", _walked(asked, queries.steps(asked.period, page, limit=some))),
    ], ""


def _walked(asked: Asked, steps: Sequence[queries.Step]) -> tuple[Walked, ...]:
    most = max([1, *(step.totals.views for step in steps)])
    return tuple(
        Walked(
            labels.shown(Dim.PAGE, step.page),
            labels.shown(Dim.PAGE, step.onto),
            numbers.count(step.totals.views),
            round(100 * step.totals.views / most, 1),
            asked.of(Drill(Dim.PAGE, step.page)).query(),
            asked.of(Drill(Dim.PAGE, step.onto)).query(),
        )
        for step in steps
    )


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a product, and on which systems it asked."""

    name: str
    times: str
    width: float
    systems: str


def versions(asked: Asked) -> list[Version]:
    """Products with their versions, the most asked first."""
    told: dict[str, list[tuple[str, int]]] = {}
    for name, on, sums in queries.products(asked.period):
        told.setdefault(name, []).append((on, sums.views))
    rows = sorted(((sum(n for _, n in systems), name, systems) for name, systems in told.items()), reverse=True)
    most = max([1, *(times for times, _, _ in rows)])
    return [
        Version(
            labels.shown(Dim.PRODUCT, name),
            numbers.count(times),
            round(100 * times / most, 1),
            ", ".join(f"{labels.system(one)} {numbers.share(n / times)}" for one, n in systems),
        )
        for times, name, systems in rows[: LINES * 2]
    ]
