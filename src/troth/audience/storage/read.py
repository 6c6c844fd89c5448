"""Reads cells from rows (open days) and sheets (closed ones: whole months, and days at both ends) in one statement, so
at one moment. Each part is a scan along a key; the cost depends on the kind's cells, not on hits. Reads this room's
tables."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, timedelta
from heapq import nsmallest
from typing import Any, NamedTuple

from django.db import connection

from troth.audience.counting.hyperloglog import Sketch
from troth.audience.models import Day, Hour, Registers
from troth.audience.models import Sheet as Kept
from troth.audience.queries.periods import month_begin, month_of
from troth.audience.storage.column_block import UNCOUNTED, CellColumn, ColumnBlock, Figures, Key
from troth.audience.storage.fold import day_of_proofs

_ROW, _REGISTERS = 0, 4
_SHEETS, _ROWS = Kept._meta.db_table, Day._meta.db_table
_BITS = 40
"""Visits in the upper bits, views in the lower: one number that ranks and adds up."""


_of_proofs: ContextVar[bool] = ContextVar("of_proofs", default=False)


@contextmanager
def of_proofs() -> Iterator[None]:
    """Make queries within read a proof's own hits, and nothing else."""
    token = _of_proofs.set(True)
    try:
        yield
    finally:
        _of_proofs.reset(token)


def asks_of_proofs() -> bool:
    """Return whether a proof reads its own hits."""
    return _of_proofs.get()


def closed_months(kind: int) -> range:
    """Return the months of a kind that have been added up; those without a sheet between them are empty."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT min(at), max(at) FROM {_SHEETS} WHERE unit = %s AND kind = %s",  # noqa: S608
            [Kept.MONTH, kind],
        )
        oldest, newest = cursor.fetchone()
    return range(0) if oldest is None or newest is None else range(oldest, newest + 1)


@dataclass(slots=True)
class Cells:
    """The cells that were read of one kind."""

    rows: list[tuple[int, int, int, Figures]] = field(default_factory=list)
    """at, name, by, figures"""
    sheets: list[tuple[int, int, ColumnBlock]] = field(default_factory=list)
    """unit, at, sheet"""
    visitors: dict[int, int] = field(default_factory=dict)
    """Visitors by day, of open days where one name was read."""


def read(
    kind: int, first: date, last: date, *, name: int | None = None, by: int | None = None, by_day: bool = False
) -> Cells:
    """Read the cells of a kind from the first day to the last, both included. `by_day`: without sheets of months.
    `name`, `by`: limit the rows (sheets are read whole). With a name and no second one, visitors of open days are
    included."""
    spans = [] if asks_of_proofs() else list(_spans(first, last, range(0) if by_day else closed_months(kind)))
    sql, values = _statement(kind, first, last, spans, name, by)
    cells, bound = Cells(), set[int]()
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        for source, at, data, name_id, by_id, *sums, visitors in cursor.fetchall():
            if source == _ROW:
                cells.rows.append((at, name_id, by_id, [*sums, UNCOUNTED if visitors is None else visitors]))
            elif source == _REGISTERS:
                cells.visitors[at] = round(Sketch.of(bytes(data)).count())
            else:
                cells.sheets.append((source, at, ColumnBlock(bytes(data))))
                bound.add(at)
    cells.visitors = {
        at: count for at, count in cells.visitors.items() if not bound & {at, month_of(date.fromordinal(at))}
    }
    return cells


def _statement(
    kind: int, first: date, last: date, spans: list[tuple[int, int, int]], name: int | None, by: int | None
) -> tuple[str, list[Any]]:
    parts, values = [], list[Any]()
    for unit, begin, end in spans:
        parts.append(
            f"SELECT unit, at, data, 0 AS name, 0 AS by, 0 AS views, 0 AS visits, 0 AS bounces, 0 AS seconds, "  # noqa: S608
            f"CAST(NULL AS integer) AS visitors FROM {_SHEETS} WHERE unit = %s AND kind = %s AND at BETWEEN %s AND %s"
        )
        values += [unit, kind, begin, end]
    narrow = " AND name = %s" * (name is not None) + " AND by = %s" * (by is not None)
    days = [kind, *(day_of_proofs(at) if asks_of_proofs() else at for at in (first.toordinal(), last.toordinal()))]
    parts.append(
        f"SELECT {_ROW}, at, NULL, name, by, views, visits, bounces, seconds, visitors FROM {_ROWS} "  # noqa: S608
        f"WHERE kind = %s AND at BETWEEN %s AND %s{narrow}"
    )
    values += [*days, *(value for value in (name, by) if value is not None)]
    if name is not None and by == 0:
        parts.append(
            f"SELECT {_REGISTERS}, at, data, name, 0, 0, 0, 0, 0, NULL FROM {Registers._meta.db_table} "  # noqa: S608
            "WHERE kind = %s AND at BETWEEN %s AND %s AND name = %s"
        )
        values += [*days, name]
    return " UNION ALL ".join(parts), values


def _spans(first: date, last: date, closed: range) -> Iterator[tuple[int, int, int]]:
    """Return unit, first and last of the sheets to read: whole months, and days before and after."""
    months = range(
        max(month_of(first) + (first.day > 1), closed.start), min(month_of(last + timedelta(days=1)), closed.stop)
    )
    if not months:
        yield Kept.DAY, first.toordinal(), last.toordinal()
        return
    yield Kept.MONTH, months.start, months.stop - 1
    begin, end = month_begin(months.start), month_begin(months.stop)
    if first < begin:
        yield Kept.DAY, first.toordinal(), begin.toordinal() - 1
    if end <= last:
        yield Kept.DAY, end.toordinal(), last.toordinal()


# -- one cell ---------------------------------------------------------------------------------------------------------


def by_at(cells: Cells, name: int, by: int = 0) -> Iterator[tuple[int, Figures]]:
    """Return the figures of a cell, part by part, by day or negative month."""
    for unit, at, sheet in cells.sheets:
        if (place := sheet.at(name, by)) is not None:
            yield -at if unit == Kept.MONTH else at, sheet.figures(place)
    for at, name_id, by_id, figures in cells.rows:
        if (name_id, by_id) == (name, by):
            yield at, figures


def by_hour(kind: int, day: date, name: int) -> Iterator[tuple[int, Figures]]:
    """Return the figures of a name, hour by hour."""
    at = day.toordinal()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT data, 0 AS at, 0 AS views, 0 AS visits, 0 AS bounces, 0 AS seconds FROM {_SHEETS} "  # noqa: S608
            "WHERE unit = %s AND kind = %s AND at = %s UNION ALL "
            f"SELECT NULL, at, views, visits, bounces, seconds FROM {Hour._meta.db_table} "
            "WHERE kind = %s AND at BETWEEN %s AND %s AND name = %s AND by = 0",
            [Kept.HOURS, kind, at, kind, at * 24, at * 24 + 23, name],
        )
        for data, hour, *sums in cursor.fetchall():
            if data is None:
                yield hour - at * 24, [*sums, UNCOUNTED]
                continue
            sheet = ColumnBlock(bytes(data))
            for place in sheet.named(name):
                yield sheet.column(CellColumn.BY)[place], sheet.figures(place)


# -- the most ---------------------------------------------------------------------------------------------------------


class Lines(NamedTuple):
    """Cells to rank, by their first or second name; `less`: to subtract."""

    cells: Cells
    by_second: bool = False
    name: int | None = None
    by: int | None = None
    less: bool = False


class _SheetPart(NamedTuple):
    """A sheet or rows, to rank."""

    figures: Callable[[int], Figures]
    names: Sequence[int]
    visits: Sequence[int]
    views: Sequence[int]
    less: bool


def most(lines: Iterable[Lines], limit: int | None, among: Set[int] | None = None) -> list[tuple[int, Figures]]:
    """Return the top names by visits, then by views; only of `among`."""
    parts = [part for line in lines for part in _parts(line)]
    ranks: dict[int, int] = {}
    for part in parts:
        sign = -1 if part.less else 1
        for name, visits, views in zip(part.names, part.visits, part.views, strict=True):
            ranks[name] = ranks.get(name, 0) + sign * ((visits << _BITS) + views)
    ranked = ((-rank, name) for name, rank in ranks.items() if rank > 0 and (among is None or name in among))
    first = [name for _, name in (sorted(ranked) if limit is None else nsmallest(limit, ranked))]
    sums: dict[int, Figures] = {name: [0, 0, 0, 0, UNCOUNTED] for name in first}
    for part in parts:
        for place, name in enumerate(part.names):
            if name in sums:
                _plus(sums[name], part.figures(place), part.less)
    return list(sums.items())


def _plus(totals: Figures, more: Sequence[int], less: bool) -> None:
    sign = -1 if less else 1
    for place, figure in enumerate(more[:4]):
        totals[place] += sign * figure
    if more[4] != UNCOUNTED:
        totals[4] = max(totals[4], 0) + sign * more[4]


def _parts(lines: Lines) -> Iterator[_SheetPart]:
    column = CellColumn.BY if lines.by_second else CellColumn.NAME
    for _, _, sheet in lines.cells.sheets:
        yield _part(sheet, column, sheet.places(lines.name, lines.by), lines.less)
    rows = [(by if lines.by_second else name, figures) for _, name, by, figures in lines.cells.rows]
    names, figures = [name for name, _ in rows], [figures for _, figures in rows]
    yield _SheetPart(figures.__getitem__, names, [row[1] for row in figures], [row[0] for row in figures], lines.less)


def _part(sheet: ColumnBlock, column: CellColumn, places: Sequence[int], less: bool) -> _SheetPart:
    def figures(place: int) -> Figures:
        return sheet.figures(places[place])

    names, visits, views = (
        sheet.picked(wanted_column, places) for wanted_column in (column, CellColumn.VISITS, CellColumn.VIEWS)
    )
    return _SheetPart(figures, names, visits, views, less)


def most_together(
    cells: Cells, limit: int, name: int | None = None, by: int | None = None
) -> list[tuple[Key, int, int]]:
    """Return the top pairs of names, by views, then by visits, optionally of one `name` or `by`."""
    ranks: dict[int, int] = {}
    for _, _, sheet in cells.sheets:
        places = sheet.places(name, by)
        names, bys, views, visits = (
            sheet.picked(column, places)
            for column in (CellColumn.NAME, CellColumn.BY, CellColumn.VIEWS, CellColumn.VISITS)
        )
        for name_id, by_id, view_count, visit_count in zip(names, bys, views, visits, strict=True):
            key = name_id << _BITS | by_id  # one number is looked up twice as quickly as two
            ranks[key] = ranks.get(key, 0) + (view_count << _BITS) + visit_count
    for _, name_id, by_id, figures in cells.rows:
        key = name_id << _BITS | by_id
        ranks[key] = ranks.get(key, 0) + (figures[0] << _BITS) + figures[1]
    largest = nsmallest(limit, ((-rank, key) for key, rank in ranks.items() if rank > 0))
    low = (1 << _BITS) - 1
    return [((key >> _BITS, key & low), -less >> _BITS, -less & low) for less, key in largest]


def oldest_day(kind: int) -> int | None:
    """Return the oldest day, as in `Day.at`, with counts of a kind."""
    rows = Day._default_manager.filter(kind=kind).order_by("at").values_list("at", flat=True)[:1]
    sheets = Kept._default_manager.filter(unit=Kept.DAY, kind=kind).order_by("at").values_list("at", flat=True)[:1]
    return min([*rows, *sheets], default=None)


def days_with_figures(first: int, last: int, kinds: Iterable[int]) -> set[int]:
    """Return the days, as in `Day.at`, with counts of one of these kinds."""
    filters = {"at__gte": first, "at__lte": last, "kind__in": list(kinds)}
    rows = Day._default_manager.filter(**filters).values_list("at", flat=True).distinct()
    return set(rows) | set(
        Kept._default_manager.filter(unit=Kept.DAY, **filters).values_list("at", flat=True).distinct()
    )
