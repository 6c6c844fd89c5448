"""Builds the panels of the dashboard: the top rows of each dimension, each linked to the filter for it.

A combination that is not counted is explained in the panel, never shown as empty. May touch: reads this room's tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from troth.audience.console.filters import MAY_DRILL, DashboardQuery
from troth.audience.counting.cells import Dim
from troth.audience.counting.page_names import OTHER
from troth.audience.queries import labels, queries
from troth.audience.queries.queries import Drill, PanelRow, SumTotals, answer
from troth.audience.queries.sums import SumQuery, countable
from troth.core.config.sections import PURCHASED
from troth.kit import numbers

LINES = 8
"""Rows in a panel; the page behind "More" has the rest."""
MOST = 500
"""Rows on the page behind "More"."""

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
    Dim.MISSING: "404",
    Dim.STEP: "page step",
    Dim.PRODUCT: "product",
}
"""What one row of a dimension is called."""
SEVERAL = {dim: f"{word}s" for dim, word in ONE.items()} | {Dim.COUNTRY: "countries"}
GROUPS: tuple[tuple[Dim, ...], ...] = (
    (Dim.PAGE, Dim.ENTRY, Dim.EXIT),
    (Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN),
    (Dim.COUNTRY, Dim.LANGUAGE),
    (Dim.DEVICE, Dim.BROWSER, Dim.SYSTEM, Dim.SCREEN),
    (Dim.OUTBOUND, Dim.DOWNLOAD, Dim.MISSING),
)
"""Dimensions that share a panel, as tabs; the first is selected by default."""
BY_VIEWS = frozenset({Dim.EVENT, Dim.OUTBOUND, Dim.DOWNLOAD, Dim.MISSING, Dim.STEP, Dim.PRODUCT})
"""Dimensions whose rows show how often, not how many visits."""
_TABS = {Dim.ENTRY: "Entry", Dim.EXIT: "Exit"}


@dataclass(frozen=True, slots=True)
class PanelLine:
    """A row of a panel."""

    name: str
    label: str
    value: str
    share: str = ""
    width: float = 0
    """Width of its bar, in per cent."""
    href: str = ""
    chosen: bool = False
    """Whether it is a filter already."""
    is_others: bool = False
    """Whether it sums up names that too few visitors brought."""


@dataclass(frozen=True, slots=True)
class PanelTab:
    """A tab of a panel."""

    label: str
    href: str
    present: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel, ready to show."""

    key: str
    title: str
    unit: str
    lines: tuple[PanelLine, ...] = ()
    tabs: tuple[PanelTab, ...] = ()
    more: str = ""
    """The dimension of the page behind "More"; empty where there are no more rows."""
    unavailable: str = ""
    """Why there is nothing to show."""
    includes_excluded: bool = False
    """Whether it includes traffic that is excluded elsewhere."""


def title(dim: Dim) -> str:
    """Return a dimension's heading: `Entry pages`."""
    return SEVERAL[dim].capitalize()


def groups(query: DashboardQuery, totals: SumTotals) -> list[Panel]:
    """Return one panel for each group of dimensions. `totals`: the query's, for shares."""
    panels = []
    for group in GROUPS:
        front = next((dim for dim in group if dim.value in query.tabs), group[0])
        tabs = tuple(
            PanelTab(_TABS.get(dim, title(dim)), query.with_tab(dim, group).encoded(), dim is front) for dim in group
        )
        panels.append(_panel(query, front, totals, tabs))
    return panels


def _panel(query: DashboardQuery, dim: Dim, totals: SumTotals, tabs: tuple[PanelTab, ...]) -> Panel:
    question = replace(query.without_dim(dim), dim=dim, limit=LINES)
    unit = "Times" if dim in BY_VIEWS else "Visits"
    if unavailable := why_not(dim, question.filters):
        return Panel(dim.value, title(dim), unit, tabs=tabs, unavailable=unavailable)
    top = answer(question)
    lines = panel_lines(query, dim, top.rows, totals if question.filters == query.drills else None)
    more = dim.value if top.more else ""
    return Panel(
        dim.value, title(dim), unit, lines, tabs, more, includes_excluded=top.includes_excluded and bool(lines)
    )


def why_not(dim: Dim, drills: Sequence[Drill]) -> str:
    """Return why a panel is not available under these filters; empty where it is."""
    if countable(SumQuery({drill.dim: 0 for drill in drills}, dim)):
        return ""
    if len(drills) > 1:
        return "Not available with two filters: Troth never combines three things. Remove a filter to see this."
    return f"{title(dim)} are not counted by {ONE[drills[0].dim]}."


def panel_lines(
    query: DashboardQuery, dim: Dim, rows: Sequence[PanelRow], totals: SumTotals | None
) -> tuple[PanelLine, ...]:
    """Return rows as a panel's lines. `totals`: what shares are of; None: of the rows' own sum."""
    values = [row.totals.views if dim in BY_VIEWS else row.totals.visits for row in rows]
    base = max(sum(values), 1)
    if totals is not None and dim not in BY_VIEWS:
        base = max(totals.visits, 1)
    most = max([1, *values])
    return tuple(_line(query, dim, row, value, base, most) for row, value in zip(rows, values, strict=True))


def _line(query: DashboardQuery, dim: Dim, row: PanelRow, value: int, base: int, most: int) -> PanelLine:
    drill = Drill(dim, row.name)
    is_link = dim in MAY_DRILL and bool(row.name)
    return PanelLine(
        row.name,
        labels.shown(dim, row.name),
        numbers.count(value),
        numbers.share(min(1.0, value / base)),
        round(100 * value / most, 1),
        query.of(drill).encoded() if is_link else "",
        drill in query.drills,
        row.name == OTHER,
    )


# -- panels of their own kind -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Goal:
    """An event or goal, with its conversion rate."""

    name: str
    label: str
    visits: str
    times: str
    conversion: str
    width: float
    href: str
    chosen: bool


_PURCHASES = Drill(Dim.PAGE, PURCHASED)


def goals(query: DashboardQuery, totals: SumTotals, names: Sequence[str]) -> list[Goal]:
    """Return the configured goals in order: events, and pages (which begin with a slash)."""
    goals = []
    for name in names:
        drill = Drill(Dim.PAGE if name.startswith("/") else Dim.EVENT, name)
        others = query.without_dim(drill.dim)
        question = replace(others, filters=(drill, *others.filters))
        if len(others.filters) > 1 or not countable(SumQuery({part.dim: 0 for part in question.filters})):
            continue
        base = totals if others == query.question else answer(others).totals
        goals.append(_goal(query, drill, answer(question).totals, base))
    return goals


def events(query: DashboardQuery, totals: SumTotals) -> tuple[list[Goal], str]:
    """Return the events with their conversion rate, or why they are not available."""
    others = query.without_dim(Dim.EVENT)
    if unavailable := why_not(Dim.EVENT, others.filters):
        return [], unavailable
    rows = answer(replace(others, dim=Dim.EVENT, limit=LINES)).rows
    base = totals if others == query.question else answer(others).totals
    return [_goal(query, Drill(Dim.EVENT, row.name), row.totals, base) for row in rows], ""


def _goal(query: DashboardQuery, drill: Drill, sums: SumTotals, totals: SumTotals) -> Goal:
    rate = min(1.0, sums.visits / totals.visits) if totals.visits else 0.0
    return Goal(
        drill.name,
        "Purchases" if drill == _PURCHASES else drill.name,
        numbers.count(sums.visits),
        numbers.count(sums.views),
        numbers.share(rate),
        round(100 * rate, 2),
        query.of(drill).encoded(),
        drill in query.drills,
    )


@dataclass(frozen=True, slots=True)
class FlowStep:
    """Visits that went from one page to another."""

    page: str
    next_page: str
    times: str
    width: float
    href: str
    next_href: str


@dataclass(frozen=True, slots=True)
class Flow:
    """Steps between pages: all of them, or those to or from one page."""

    title: str
    steps: tuple[FlowStep, ...]
    ends: Literal["both", "from", "to"] = "both"
    """Which pages of a step to show."""


def page_flow(query: DashboardQuery) -> tuple[list[Flow], str]:
    """Return the steps between pages, or why they are not available."""
    if not query.drills:
        return [Flow("", _flow_steps(query, queries.steps(query.period, limit=LINES)))], ""
    if len(query.drills) > 1 or query.drills[0].dim is not Dim.PAGE:
        drill = next(drill for drill in query.drills if drill.dim is not Dim.PAGE)
        return [], f"Page flow is not counted by {ONE[drill.dim]}."
    page, limit = query.drills[0].name, LINES // 2
    return [
        Flow("Came from", _flow_steps(query, queries.steps(query.period, page, onward=False, limit=limit)), "from"),
        Flow("Went on to", _flow_steps(query, queries.steps(query.period, page, limit=limit)), "to"),
    ], ""


def _flow_steps(query: DashboardQuery, steps: Sequence[queries.PageStep]) -> tuple[FlowStep, ...]:
    most = max([1, *(step.totals.views for step in steps)])
    return tuple(
        FlowStep(
            labels.shown(Dim.PAGE, step.page),
            labels.shown(Dim.PAGE, step.onto),
            numbers.count(step.totals.views),
            round(100 * step.totals.views / most, 1),
            query.of(Drill(Dim.PAGE, step.page)).encoded(),
            query.of(Drill(Dim.PAGE, step.onto)).encoded(),
        )
        for step in steps
    )


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a product that checked for updates, and on which systems."""

    name: str
    times: str
    width: float
    systems: str


def versions(query: DashboardQuery) -> list[Version]:
    """Return products with their versions, the most update checks first."""
    by_version: dict[str, list[tuple[str, int]]] = {}
    for name, on, sums in queries.products(query.period):
        by_version.setdefault(name, []).append((on, sums.views))
    rows = sorted(((sum(n for _, n in systems), name, systems) for name, systems in by_version.items()), reverse=True)
    most = max([1, *(times for times, _, _ in rows)])
    return [
        Version(
            labels.shown(Dim.PRODUCT, name),
            numbers.count(times),
            round(100 * times / most, 1),
            ", ".join(f"{labels.system(system)} {numbers.share(n / times)}" for system, n in systems),
        )
        for times, name, systems in rows[: LINES * 2]
    ]
