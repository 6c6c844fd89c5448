"""Reads cells, wherever they lie: rows of what is not over, sheets of what is, in one statement, so at one moment.

A stretch of days is read from the sheets of whole months where there are any, from those of days at both its ends, and
from whatever rows there are. Each part is a walk along a key in its order; the cost is that of the cells of the kind
that is asked for, however many hits are in them. May touch: reads this room's tables.
"""

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
from troth.audience.storage.column_block import UNCOUNTED, Column, Figures, Key, Sheet
from troth.audience.storage.fold import day_of_proofs

_ROW, _REGISTERS = 0, 4
_SHEETS, _ROWS = Kept._meta.db_table, Day._meta.db_table
_BITS = 40
"""Visits above, views below: one number to rank by, and it adds up."""


_of_proofs: ContextVar[bool] = ContextVar("of_proofs", default=False)


@contextmanager
def of_proofs() -> Iterator[None]:
    """For a proof: questions that are asked within find what its invented visitor brought, and nothing else."""
    token = _of_proofs.set(True)
    try:
        yield
    finally:
        _of_proofs.reset(token)


def asks_of_proofs() -> bool:
    """Whether a proof asks just now."""
    return _of_proofs.get()


def closed_months(kind: int) -> range:
    """The months of a kind that have been added up; what lies between two that have is empty."""
    there = Kept._default_manager.filter(unit=Kept.MONTH, kind=kind).order_by("at").values_list("at", flat=True)
    oldest, newest = there.first(), there.last()
    return range(0) if oldest is None or newest is None else range(oldest, newest + 1)


@dataclass(slots=True)
class Cells:
    """What was read of one kind."""

    rows: list[tuple[int, int, int, Figures]] = field(default_factory=list)
    """at, name, by, figures"""
    sheets: list[tuple[int, int, Sheet]] = field(default_factory=list)
    """unit, at, sheet"""
    visitors: dict[int, int] = field(default_factory=dict)
    """By day, where it is not over yet and one name was asked for."""


def read(
    kind: int, first: date, last: date, *, name: int | None = None, by: int | None = None, by_day: bool = False
) -> Cells:
    """The cells of a kind from the first day to the last, both counted; `by_day`: from no sheets of months.

    `name`, `by`: of rows only those of it (sheets come whole). With a name and no second, its visitors of days that are
    not over are counted, too.
    """
    spans = [] if asks_of_proofs() else list(_spans(first, last, range(0) if by_day else closed_months(kind)))
    sql, values = _statement(kind, first, last, spans, name, by)
    found, bound = Cells(), set[int]()
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        for what, at, data, one, other, *sums, visitors in cursor.fetchall():
            if what == _ROW:
                found.rows.append((at, one, other, [*sums, UNCOUNTED if visitors is None else visitors]))
            elif what == _REGISTERS:
                found.visitors[at] = round(Sketch.of(bytes(data)).count())
            else:
                found.sheets.append((what, at, Sheet(bytes(data))))
                bound.add(at)
    found.visitors = {
        at: count for at, count in found.visitors.items() if not bound & {at, month_of(date.fromordinal(at))}
    }
    return found


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
    values += [*days, *(one for one in (name, by) if one is not None)]
    if name is not None and by == 0:
        parts.append(
            f"SELECT {_REGISTERS}, at, data, name, 0, 0, 0, 0, 0, NULL FROM {Registers._meta.db_table} "  # noqa: S608
            "WHERE kind = %s AND at BETWEEN %s AND %s AND name = %s"
        )
        values += [*days, name]
    return " UNION ALL ".join(parts), values


def _spans(first: date, last: date, closed: range) -> Iterator[tuple[int, int, int]]:
    """unit, first, last of each stretch of sheets: whole months, and the days before and behind."""
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
    """What the cell of these names says, part by part, under its day, or the negative of its month."""
    for unit, at, sheet in cells.sheets:
        if (place := sheet.at(name, by)) is not None:
            yield -at if unit == Kept.MONTH else at, sheet.figures(place)
    for at, one, other, figures in cells.rows:
        if (one, other) == (name, by):
            yield at, figures


def by_hour(kind: int, day: date, name: int) -> Iterator[tuple[int, Figures]]:
    """What the cell of a name says, hour by hour."""
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
            sheet = Sheet(bytes(data))
            for place in sheet.named(name):
                yield sheet.column(Column.BY)[place], sheet.figures(place)


# -- the most ---------------------------------------------------------------------------------------------------------


class Lines(NamedTuple):
    """Cells of which each is a line of a list, under its first name or its second; `less`: to be subtracted."""

    cells: Cells
    by_second: bool = False
    name: int | None = None
    by: int | None = None
    less: bool = False


class _Part(NamedTuple):
    """A sheet, or the rows."""

    figures: Callable[[int], Figures]
    ones: Sequence[int]
    visits: Sequence[int]
    views: Sequence[int]
    less: bool


def most(lines: Iterable[Lines], limit: int | None, among: Set[int] | None = None) -> list[tuple[int, Figures]]:
    """The most by visits, then by views; of `among` only."""
    parts = [part for one in lines for part in _parts(one)]
    ranks: dict[int, int] = {}
    for part in parts:
        sign = -1 if part.less else 1
        for one, visits, views in zip(part.ones, part.visits, part.views, strict=True):
            ranks[one] = ranks.get(one, 0) + sign * ((visits << _BITS) + views)
    there = ((-rank, one) for one, rank in ranks.items() if rank > 0 and (among is None or one in among))
    first = [one for _, one in (sorted(there) if limit is None else nsmallest(limit, there))]
    sums: dict[int, Figures] = {one: [0, 0, 0, 0, UNCOUNTED] for one in first}
    for part in parts:
        for place, one in enumerate(part.ones):
            if one in sums:
                _plus(sums[one], part.figures(place), part.less)
    return list(sums.items())


def _plus(held: Figures, more: Sequence[int], less: bool) -> None:
    sign = -1 if less else 1
    for place, figure in enumerate(more[:4]):
        held[place] += sign * figure
    if more[4] != UNCOUNTED:
        held[4] = max(held[4], 0) + sign * more[4]


def _parts(lines: Lines) -> Iterator[_Part]:
    column = Column.BY if lines.by_second else Column.NAME
    for _, _, sheet in lines.cells.sheets:
        yield _part(sheet, column, sheet.places(lines.name, lines.by), lines.less)
    rows = [(other if lines.by_second else one, figures) for _, one, other, figures in lines.cells.rows]
    ones, figures = [one for one, _ in rows], [figures for _, figures in rows]
    yield _Part(figures.__getitem__, ones, [each[1] for each in figures], [each[0] for each in figures], lines.less)


def _part(sheet: Sheet, column: Column, places: Sequence[int], less: bool) -> _Part:
    def figures(place: int) -> Figures:
        return sheet.figures(places[place])

    ones, visits, views = (sheet.picked(which, places) for which in (column, Column.VISITS, Column.VIEWS))
    return _Part(figures, ones, visits, views, less)


def most_together(
    cells: Cells, limit: int, name: int | None = None, by: int | None = None
) -> list[tuple[Key, int, int]]:
    """The most of two names together by views, then by visits, of a `name` or a `by` where it is given; with both."""
    ranks: dict[int, int] = {}
    for _, _, sheet in cells.sheets:
        places = sheet.places(name, by)
        ones, others, views, visits = (
            sheet.picked(which, places) for which in (Column.NAME, Column.BY, Column.VIEWS, Column.VISITS)
        )
        for one, other, seen, visited in zip(ones, others, views, visits, strict=True):
            key = one << _BITS | other  # one number is looked up twice as quickly as two
            ranks[key] = ranks.get(key, 0) + (seen << _BITS) + visited
    for _, one, other, figures in cells.rows:
        key = one << _BITS | other
        ranks[key] = ranks.get(key, 0) + (figures[0] << _BITS) + figures[1]
    found = nsmallest(limit, ((-rank, key) for key, rank in ranks.items() if rank > 0))
    low = (1 << _BITS) - 1
    return [((key >> _BITS, key & low), -less >> _BITS, -less & low) for less, key in found]


def oldest_day(kind: int) -> int | None:
    """The oldest day, as in `Day.at`, that has counts of a kind."""
    rows = Day._default_manager.filter(kind=kind).order_by("at").values_list("at", flat=True)[:1]
    sheets = Kept._default_manager.filter(unit=Kept.DAY, kind=kind).order_by("at").values_list("at", flat=True)[:1]
    return min([*rows, *sheets], default=None)


def days_with_figures(first: int, last: int, kinds: Iterable[int]) -> set[int]:
    """The days, as in `Day.at`, from the first to the last that have counts of one of these kinds."""
    here = {"at__gte": first, "at__lte": last, "kind__in": list(kinds)}
    rows = Day._default_manager.filter(**here).values_list("at", flat=True).distinct()
    return set(rows) | set(Kept._default_manager.filter(unit=Kept.DAY, **here).values_list("at", flat=True).distinct())
