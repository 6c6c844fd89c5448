"""The pages behind "more": up to 500 rows of one kind with all their sums, and only those that are looked for.

May touch: reads this room's tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from troth.audience.console import panels
from troth.audience.console.filters import MAY_DRILL, Asked
from troth.audience.console.panels import MOST, ONE
from troth.audience.counting.cells import OF_A_VISIT, Dim
from troth.audience.counting.page_names import OTHER
from troth.audience.queries import labels, queries
from troth.audience.queries.queries import Drill, Totals
from troth.kit import numbers

_LOOKED_THROUGH = 5_000
"""Steps and versions among which is looked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: its names and its figures."""

    names: tuple[tuple[str, str], ...]
    """Each as it is shown, with its address or nothing."""
    figures: tuple[tuple[str, str], ...]
    """Unit and figure."""
    width: float
    others: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A long list."""

    title: str
    kind: str
    heads: tuple[str, ...]
    """Of the names."""
    units: tuple[str, ...]
    """Of the figures."""
    rows: tuple[Entry, ...] = ()
    cannot: str = ""
    includes: bool = False


def table(asked: Asked, dim: Dim, sought: str) -> Table:
    """All of one kind that is asked for, the most first."""
    if dim is Dim.STEP:
        return _steps(asked, sought)
    if dim is Dim.PRODUCT:
        return _products(asked, sought)
    drills = [one for one in asked.drills if one.dim is not dim]
    units = _units(dim, drills)
    if cannot := panels.why_not(dim, drills):
        return Table(panels.title(dim), dim.value, (ONE[dim].capitalize(),), units, cannot=cannot)
    drill, also = (*drills, None, None)[:2]
    like = labels.coded(dim, sought)
    rows = queries.top(asked.period, dim, drill, also=also, limit=MOST, like=like)
    whole = queries.totals(asked.period, drill, also)
    most = max([1, *(_weight(dim, row.totals) for row in rows)])
    entries = tuple(
        Entry(
            ((labels.shown(dim, row.name), asked.of(Drill(dim, row.name)).query() if dim in MAY_DRILL else ""),),
            tuple((unit, _figure(unit, row.totals, whole)) for unit in units),
            round(100 * _weight(dim, row.totals) / most, 1),
            row.name == OTHER,
        )
        for row in rows
    )
    includes = bool(queries.unknown(asked.period, dim, drill, also))
    return Table(panels.title(dim), dim.value, (ONE[dim].capitalize(),), units, entries, includes=includes)


def _weight(dim: Dim, sums: Totals) -> int:
    return sums.views if dim in panels.BY_VIEWS else sums.visits


_BOUNCING = frozenset({Dim.ENTRY, *OF_A_VISIT})


def _units(dim: Dim, drills: Sequence[Drill]) -> tuple[str, ...]:
    """Which figures its cells have. Time is known of one thing alone, bounces of what a visit began with."""
    if dim is Dim.EVENT:
        return "Times", "Visits", "Conversion"
    if dim in panels.BY_VIEWS:
        return "Times", "Visits"
    if dim is Dim.EXIT:
        return "Visits", "Share"
    found = ["Visits", "Share"] + (["Views"] if dim is not Dim.ENTRY else [])
    if dim in _BOUNCING and all(one.dim is not Dim.PAGE and one.dim is not Dim.EVENT for one in drills):
        found.append("Bounce rate")
    if not drills and dim is not Dim.ENTRY:
        found.append("Time a visit")
    return tuple(found)


def _figure(unit: str, sums: Totals, whole: Totals) -> str:
    share = min(1.0, sums.visits / whole.visits) if whole.visits else 0.0
    return {
        "Visits": numbers.count(sums.visits),
        "Views": numbers.count(sums.views),
        "Times": numbers.count(sums.views),
        "Share": numbers.share(share),
        "Conversion": numbers.share(share),
        "Bounce rate": numbers.share(sums.bounce_rate),
        "Time a visit": numbers.span(sums.seconds_a_visit),
    }[unit]


def _steps(asked: Asked, sought: str) -> Table:
    title, heads, units = "Steps between pages", ("From", "To"), ("Times",)
    if any(drill.dim is not Dim.PAGE for drill in asked.drills):
        return Table(title, "step", heads, units, cannot=panels.walks(asked)[1])
    if asked.drill is None:
        found = queries.steps(asked.period, limit=_LOOKED_THROUGH)
    else:
        both = (queries.steps(asked.period, asked.drill.name, onward=way, limit=MOST) for way in (True, False))
        found = sorted({step for way in both for step in way}, key=lambda step: -step.totals.views)
    pages = {page: labels.shown(Dim.PAGE, page) for one in found for page in (one.page, one.onto)}
    found = [one for one in found if sought.lower() in f"{pages[one.page]}\n{pages[one.onto]}".lower()][:MOST]
    most = max([1, *(one.totals.views for one in found)])
    rows = [
        Entry(
            tuple((pages[page], asked.of(Drill(Dim.PAGE, page)).query()) for page in (one.page, one.onto)),
            (("Times", numbers.count(one.totals.views)),),
            round(100 * one.totals.views / most, 1),
        )
        for one in found
    ]
    return Table(title, "step", heads, units, tuple(rows))


def _products(asked: Asked, sought: str) -> Table:
    title, heads, units = "Products and versions", ("Product and version", "System"), ("Times",)
    if asked.drills:
        return Table(title, "product", heads, units, cannot="Products are counted by system only.")
    found = [
        (labels.shown(Dim.PRODUCT, name), labels.system(system), sums)
        for name, system, sums in queries.products(asked.period, _LOOKED_THROUGH)
    ]
    found = [one for one in found if sought.lower() in f"{one[0]}\n{one[1]}".lower()][:MOST]
    most = max([1, *(sums.views for _, _, sums in found)])
    rows = [
        Entry(((name, ""), (system, "")), (("Times", numbers.count(sums.views)),), round(100 * sums.views / most, 1))
        for name, system, sums in found
    ]
    return Table(title, "product", heads, units, tuple(rows))
