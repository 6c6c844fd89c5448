"""Builds the pages behind "More": up to 500 rows of one dimension with all their figures, searchable.

May touch: reads this room's tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from troth.audience.console import panels
from troth.audience.console.filters import MAY_DRILL, DashboardQuery
from troth.audience.console.panels import MOST, ONE
from troth.audience.counting.cells import OF_A_VISIT, Dim
from troth.audience.counting.page_names import OTHER
from troth.audience.queries import labels, queries
from troth.audience.queries.queries import Drill, SumTotals, answer
from troth.kit import numbers

_MOST_SEARCHED = 5_000
"""Page steps and versions that are searched."""


@dataclass(frozen=True, slots=True)
class TopListRow:
    """A row: its names and its figures."""

    names: tuple[tuple[str, str], ...]
    """Each with its label and its link, or no link."""
    figures: tuple[tuple[str, str], ...]
    """Heading and figure."""
    width: float
    is_others: bool = False


@dataclass(frozen=True, slots=True)
class TopList:
    """A long list."""

    title: str
    kind: str
    heads: tuple[str, ...]
    """Headings of the names."""
    units: tuple[str, ...]
    """Headings of the figures."""
    rows: tuple[TopListRow, ...] = ()
    unavailable: str = ""
    includes_excluded: bool = False


def table(query: DashboardQuery, dim: Dim, search: str) -> TopList:
    """Return the rows of one dimension, the largest first."""
    if dim is Dim.STEP:
        return _steps(query, search)
    if dim is Dim.PRODUCT:
        return _products(query, search)
    others = query.without_dim(dim)
    units = _units(dim, others.filters)
    if unavailable := panels.why_not(dim, others.filters):
        return TopList(panels.title(dim), dim.value, (ONE[dim].capitalize(),), units, unavailable=unavailable)
    top = answer(replace(others, dim=dim, limit=MOST, search=tuple(labels.coded(dim, search))))
    totals = answer(others).totals
    most = max([1, *(_weight(dim, row.totals) for row in top.rows)])
    entries = tuple(
        TopListRow(
            ((labels.shown(dim, row.name), query.of(Drill(dim, row.name)).encoded() if dim in MAY_DRILL else ""),),
            tuple((unit, _figure(unit, row.totals, totals)) for unit in units),
            round(100 * _weight(dim, row.totals) / most, 1),
            row.name == OTHER,
        )
        for row in top.rows
    )
    heads = (ONE[dim].capitalize(),)
    return TopList(panels.title(dim), dim.value, heads, units, entries, includes_excluded=top.includes_excluded)


def _weight(dim: Dim, sums: SumTotals) -> int:
    return sums.views if dim in panels.BY_VIEWS else sums.visits


_BOUNCING = frozenset({Dim.ENTRY, *OF_A_VISIT})


def _units(dim: Dim, drills: Sequence[Drill]) -> tuple[str, ...]:
    """Return the figures of a dimension. Time is counted without filters only, bounces by what a visit began with."""
    if dim is Dim.EVENT:
        return "Count", "Visits", "Conversion"
    if dim in panels.BY_VIEWS:
        return "Count", "Visits"
    if dim is Dim.EXIT:
        return "Visits", "Share"
    units = ["Visits", "Share"] + (["Page views"] if dim is not Dim.ENTRY else [])
    if dim in _BOUNCING and all(drill.dim not in {Dim.PAGE, Dim.EVENT} for drill in drills):
        units.append("Bounce rate")
    if not drills and dim is not Dim.ENTRY:
        units.append("Visit duration")
    return tuple(units)


def _figure(unit: str, sums: SumTotals, totals: SumTotals) -> str:
    share = min(1.0, sums.visits / totals.visits) if totals.visits else 0.0
    return {
        "Visits": numbers.count(sums.visits),
        "Page views": numbers.count(sums.views),
        "Count": numbers.count(sums.views),
        "Share": numbers.share(share),
        "Conversion": numbers.share(share),
        "Bounce rate": numbers.share(sums.bounce_rate),
        "Visit duration": numbers.span(sums.seconds_a_visit),
    }[unit]


def _steps(query: DashboardQuery, search: str) -> TopList:
    title, heads, units = "Page flow", ("From", "To"), ("Count",)
    if any(drill.dim is not Dim.PAGE for drill in query.drills):
        return TopList(title, "step", heads, units, unavailable=panels.page_flow(query)[1])
    if not query.drills:
        steps = queries.steps(query.period, limit=_MOST_SEARCHED)
    else:
        page = query.drills[0].name
        both = (queries.steps(query.period, page, onward=onward, limit=MOST) for onward in (True, False))
        steps = sorted(
            dict.fromkeys(step for direction in both for step in direction), key=lambda step: -step.totals.views
        )
    names = {page: labels.shown(Dim.PAGE, page) for step in steps for page in (step.page, step.onto)}
    steps = [step for step in steps if search.lower() in f"{names[step.page]}\n{names[step.onto]}".lower()][:MOST]
    most = max([1, *(step.totals.views for step in steps)])
    rows = [
        TopListRow(
            tuple((names[page], query.of(Drill(Dim.PAGE, page)).encoded()) for page in (step.page, step.onto)),
            (("Count", numbers.count(step.totals.views)),),
            round(100 * step.totals.views / most, 1),
        )
        for step in steps
    ]
    return TopList(title, "step", heads, units, tuple(rows))


def _products(query: DashboardQuery, search: str) -> TopList:
    title, heads, units = "Products and versions", ("Product and version", "System"), ("Count",)
    if query.drills:
        return TopList(
            title,
            "product",
            heads,
            units,
            unavailable="Products and versions are counted by system only. Remove the filters to see them.",
        )
    products = [
        (labels.shown(Dim.PRODUCT, name), labels.system(system), sums)
        for name, system, sums in queries.products(query.period, _MOST_SEARCHED)
    ]
    products = [row for row in products if search.lower() in f"{row[0]}\n{row[1]}".lower()][:MOST]
    most = max([1, *(sums.views for _, _, sums in products)])
    rows = [
        TopListRow(
            ((name, ""), (system, "")), (("Count", numbers.count(sums.views)),), round(100 * sums.views / most, 1)
        )
        for name, system, sums in products
    ]
    return TopList(title, "product", heads, units, tuple(rows))
