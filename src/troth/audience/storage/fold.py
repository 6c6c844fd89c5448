"""Adds the counts of fronts to cells, in the transaction that moves the spool's position: each once, whatever crashes
when (WALL 4). Each kind has a limited number of names a day; further ones are "(other)". May touch: this room's
tables."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import datetime
from itertools import batched

from django.db import connection
from django.db.models import Q

from troth.audience.counting.cells import ALL, DIMS, SKETCHED, Cell, Dim
from troth.audience.counting.commit import MinuteCounts, Told, rises_of, told_of
from troth.audience.counting.hyperloglog import PRECISION, Sketch, raised
from troth.audience.counting.page_names import OTHER
from troth.audience.counting.registers import precision
from troth.audience.models import Day, Hour, Minute, Name, Registers, Restart
from troth.audience.models import Sheet as Kept
from troth.audience.queries import site_time
from troth.audience.storage.column_block import CellColumn, ColumnBlock

HOURLY = frozenset({Dim.ALL, Dim.PAGE, Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN, Dim.COUNTRY, Dim.EVENT, Dim.DROPPED})
"""Dimensions that are also stored by the hour, for the chart of a day under any filter."""
MOST_ALONE, MOST_TOGETHER = 2_000, 4_000
"""Rows of one kind a day at most: of one dimension, and of two together."""
MOST_NAMES = 200_000
"""Names in memory at most; beyond that they are read again."""
NO_HOUR = 24
"""The hour of counts that are known for the whole day only, as in imports."""
BY_THE_MINUTE = 1
BY_FIVE = 5
FINE = {Dim.ALL: BY_THE_MINUTE, Dim.PAGE: BY_FIVE, Dim.SOURCE: BY_FIVE}
"""The resolution of the last half hour in minutes: names are never shown by the minute."""
MINUTES_KEPT = 31
MOST_IN_FIVE = 200
"""Pages or sources of five minutes at most."""
_ROWS_AT_ONCE = 400
_DAYS_REMEMBERED = 3
"""Days whose rows are remembered: today, yesterday and a late one."""
_BY = 64
type _Pair = tuple[int, int]
"""name, by"""
type _Cells[T] = dict[tuple[int, int], dict[_Pair, T]]
"""By kind and at, what to add to each cell: a kind is looked up once for a commit, not for each sum"""
type _Rise = tuple[int, int]
"""register, rank"""


def kind_of(dim: Dim, by: Dim | None = None) -> int:
    """Return both dimensions of a cell as one small number."""
    return dim.code * _BY + (0 if by is None else by.code + 1)


def dims_of(kind: int) -> tuple[Dim, Dim | None]:
    """Return the dimensions of a kind."""
    dim, by = divmod(kind, _BY)
    return DIMS[dim], DIMS[by - 1] if by else None


def day_of_proofs(day: int) -> int:
    """Return the day, before all real days, under which a proof's hits of this day are stored."""
    return day - _BEFORE_ALL_TIME


_BEFORE_ALL_TIME = 1_000_000
_removals = 0


def names_went() -> None:
    """Note that names were deleted, so that this process forgets their ids."""
    global _removals
    _removals += 1


_HOURLY = frozenset(dim.code for dim in HOURLY)


@contextmanager
def uncollected() -> Iterator[None]:
    """Turn the garbage collector off for one batch: it has many small lists and no cycles, and the search for cycles
    takes a quarter of the time. The size of a batch is bounded."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class CellFold:
    """Adds counts to the tables, and caches names and rows. Call `forget` after a rollback."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Clear the caches."""
        self._ids: dict[str, int] = {"": 0}
        self._rows: dict[int, dict[int, set[tuple[int, int]]]] = {}
        self._removals = _removals

    def _begin(self) -> None:
        """Clear caches that are outdated or too large."""
        if self._removals != _removals or len(self._ids) > MOST_NAMES:
            self.forget()
        while len(self._rows) > _DAYS_REMEMBERED:
            del self._rows[min(self._rows)]

    def fold(self, counted: Sequence[MinuteCounts]) -> int:
        """Add counts, in the caller's transaction; return the number of sums. Raises `CountsRefused`."""
        self._begin()
        written, rises = list(map(told_of, counted)), list(map(rises_of, counted))
        self._learn_names({name for counts in counted for name in counts.names} | {OTHER})
        days: _Cells[list[int]] = {}
        hours: _Cells[list[int]] = {}
        risen: _Cells[list[_Rise]] = {}
        for counts, sums, rose in zip(counted, written, rises, strict=True):
            ids = [self._ids[name] for name in counts.names]
            _sum(days, counts.day, sums, ids)
            if counts.hour != NO_HOUR:
                hourly = [row for row in sums if row[2] < 0 and row[0] in _HOURLY]
                _sum(hours, counts.day * 24 + counts.hour, hourly, ids)
            for dim, name, register, rank in rose:
                cells = risen.setdefault((dim * _BY, counts.day), {})
                cells.setdefault((ids[name], 0), []).append((register, rank))
        self._learn_cells([*days, *((kind, hour // 24) for kind, hour in hours), *risen])
        for (kind, day), cells_of_day in days.items():
            self._bound(kind, day, cells_of_day, _plus)
        for (kind, hour), cells_of_hour in hours.items():
            self._bound(kind, hour // 24, cells_of_hour, _plus)
        for (kind, day), risen_of_day in risen.items():
            self._bound(kind, day, risen_of_day, list.extend)
        _note_restarts(counted)
        _upsert(Day._meta.db_table, _KEY, _SUMS, _rows(days))
        _upsert(Hour._meta.db_table, _KEY, _SUMS, _rows(hours))
        _fold_minutes(counted, written, self._ids)
        _raise({(*where, name): rose for where, cells in risen.items() for (name, _), rose in cells.items()})
        return sum(len(sums) for sums in written)

    def add_visitors(self, day: int, visitors: Mapping[Cell, int]) -> None:
        """Add unique visitors of a closed day to its cells, in the caller's transaction. On a day with figures one may
        count twice."""
        added: _Cells[list[int]] = {}
        for cell, count in visitors.items():
            if cell.name in self._ids:
                cells = added.setdefault((kind_of(cell.dim, cell.by), day), {})
                _put(cells, (self._ids[cell.name], self._ids[cell.by_name]), [count], _plus)
        self._learn_cells(added)
        for (kind, at), cells in added.items():
            self._bound(kind, at, cells, _plus)
        table = Day._meta.db_table
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {table} SET visitors = COALESCE(visitors, 0) + %s "  # noqa: S608
                "WHERE kind = %s AND at = %s AND name = %s AND by = %s",
                [(count, *key) for *key, count in _rows(added)],
            )

    def _learn_names(self, names: set[str]) -> None:
        fresh = sorted(names - self._ids.keys())
        for batch in batched(fresh, _ROWS_AT_ONCE):
            Name.objects.bulk_create([Name(text=name) for name in batch], ignore_conflicts=True)
            self._ids.update(Name.objects.filter(text__in=batch).values_list("text", "id"))

    def _learn_cells(self, cells: Iterable[tuple[int, int]]) -> None:
        """Read which cells there are of these kinds on their days, unless that is known."""
        unknown: dict[int, set[int]] = {}
        for kind, day in cells:
            if kind not in self._rows.setdefault(day, {}):
                unknown.setdefault(day, set()).add(kind)
        for day, kinds in unknown.items():
            self._rows[day].update(_cells_there(kinds, day))

    def _bound[T](self, kind: int, day: int, cells: dict[_Pair, T], merge: Callable[[T, T], object]) -> None:
        """Move new cells to "(other)" where their kind has reached its limit of rows."""
        known_pairs = self._rows[day][kind]
        fresh = [pair for pair in cells if pair not in known_pairs]
        room = max(0, (MOST_TOGETHER if kind % _BY else MOST_ALONE) - len(known_pairs))
        known_pairs.update(fresh[:room])
        other_id = self._ids[OTHER]
        for pair in fresh[room:]:
            _put(cells, (other_id, other_id if kind % _BY else 0), cells.pop(pair), merge)


def _put[T](cells: dict[_Pair, T], pair: _Pair, more: T, merge: Callable[[T, T], object]) -> None:
    current = cells.setdefault(pair, more)
    if current is not more:
        merge(current, more)


def _plus(totals: list[int], more: Sequence[int]) -> None:
    for place, figure in enumerate(more):
        totals[place] += figure


def _sum(cells: _Cells[list[int]], at: int, sums: Told, ids: Sequence[int]) -> None:
    """Add up the sums of one commit. Inlined, because it runs for every sum."""
    kinds: dict[int, dict[_Pair, list[int]]] = {}
    for dim, name, by, by_name, views, visits, bounces, seconds in sums:
        kind = dim * _BY + by + 1
        pairs = kinds.get(kind)
        if pairs is None:
            pairs = kinds[kind] = cells.setdefault((kind, at), {})
        pair = (ids[name], ids[by_name] if by >= 0 else 0)
        totals = pairs.get(pair)
        if totals is None:
            pairs[pair] = [views, visits, bounces, seconds]
        else:
            totals[0] += views
            totals[1] += visits
            totals[2] += bounces
            totals[3] += seconds


def _rows(cells: _Cells[list[int]]) -> list[tuple[int, ...]]:
    """Return kind, at, name, by, sums, in one order, so that two writers never deadlock."""
    return [
        (*where, *pair, *pairs[pair])
        for where, pairs in sorted(cells.items(), key=lambda item: item[0])
        for pair in sorted(pairs)
    ]


def _cells_there(kinds: Set[int], at: int) -> dict[int, set[_Pair]]:
    """Return the cells of a day by kind, from rows and its sheets."""
    pairs: dict[int, set[_Pair]] = {kind: set() for kind in kinds}
    for kind, name, by in Day.with_proofs.filter(kind__in=kinds, at=at).values_list("kind", "name", "by"):
        pairs[kind].add((name, by))
    sheets = Kept.objects.filter(unit=Kept.DAY, kind__in=kinds, at=at)
    for kind, data in sheets.values_list("kind", "data"):
        sheet = ColumnBlock(bytes(data))
        pairs[kind].update(zip(sheet.column(CellColumn.NAME), sheet.column(CellColumn.BY), strict=True))
    return pairs


def _note_restarts(counted: Sequence[MinuteCounts]) -> None:
    """Note restarts of fronts on days that have counts already, whose visitors may be counted twice. Call it before
    adding these counts."""
    restarts = {(counts.day, counts.hour) for counts in counted if counts.fresh}
    had = set(Day.with_proofs.filter(at__in={day for day, _ in restarts}).values_list("at", flat=True).distinct())
    restarts = {(day, hour) for day, hour in restarts if day in had}
    Restart.with_proofs.bulk_create(
        [Restart(at=day, hour=hour) for day, hour in sorted(restarts)], ignore_conflicts=True
    )


_KEY = ("kind", "at", "name", "by")
_SUMS = ("views", "visits", "bounces", "seconds")


def _upsert(table: str, key: Sequence[str], sums: Sequence[str], rows: Sequence[tuple[int, ...]]) -> None:
    """Insert rows, or add to existing ones. `rows`: key, then sums, in order."""
    table_key, added_up = (
        ", ".join(key),
        ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in sums),
    )
    _write(
        f"INSERT INTO {table} ({table_key}, {', '.join(sums)})",
        [_TYPES.get(column, "bigint") for column in (*key, *sums)],
        f"ON CONFLICT ({table_key}) DO UPDATE SET {added_up}",
        rows,
    )


_TYPES = {"kind": "smallint", "at": "integer"}


def _write(into: str, types: Sequence[str], then: str, rows: Sequence[tuple[int | bytes, ...]]) -> None:
    """Write many rows with one statement; for PostgreSQL by columns, which is faster."""
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = ", ".join(f"%s::{sql_type}[]" for sql_type in types)
            sql = f"{into} SELECT * FROM unnest({columns}) {then}"  # noqa: S608
            cursor.execute(sql, [list(column) for column in zip(*rows, strict=True)])
            return
        values = ", ".join(["%s"] * len(types))
        cursor.executemany(f"{into} VALUES ({values}) {then}", rows)


def _raise(risen: Mapping[tuple[int, int, int], list[_Rise]]) -> None:
    """Raise registers; a cell without any gets a sketch."""
    current = _registers(risen)
    table = Registers._meta.db_table
    rows = [
        (*key, raised(current.get(key), precision(ALL) if key[::2] == _WHOLE else PRECISION, rises))
        for key, rises in sorted(risen.items())
    ]
    _write(
        f"INSERT INTO {table} (kind, at, name, data)",
        ("smallint", "integer", "bigint", "bytea"),
        "ON CONFLICT (kind, at, name) DO UPDATE SET data = excluded.data",
        rows,
    )


_WHOLE = (kind_of(Dim.ALL), 0)
"""Kind and name of the whole site, whose sketch is more precise."""


def _registers(keys: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int, int], bytes]:
    """Return the existing sketches of these cells, locked in PostgreSQL."""
    sketches, names = dict[tuple[int, int, int], bytes](), dict[tuple[int, int], list[int]]()
    for kind, at, name in sorted(keys):
        names.setdefault((kind, at), []).append(name)
    for (kind, at), all_names in names.items():
        rows = Registers.with_proofs.filter(kind=kind, at=at)
        if connection.in_atomic_block:  # always, except in tests
            rows = rows.order_by("name").select_for_update()
        for batch in batched(all_names, _ROWS_AT_ONCE):
            read = rows.filter(name__in=batch).values_list("name", "data")
            sketches.update({(kind, at, name): bytes(data) for name, data in read})
    return sketches


def visitors_of(dim: Dim, at: int, name: int) -> int:
    """Return the visitors so far of an open day."""
    assert dim in SKETCHED
    row = Registers.objects.filter(kind=kind_of(dim), at=at, name=name).values_list("data", flat=True).first()
    return round(Sketch.of(bytes(row)).count()) if row is not None else 0


# -- the last half hour -----------------------------------------------------------------------------------------------


def _fold_minutes(counted: Sequence[MinuteCounts], cells: Sequence[Told], ids: Mapping[str, int]) -> None:
    """Add the counts of the last half hour. Late counts go to their day only."""
    this_minute = site_time.minute_of(site_time.now())
    added: dict[tuple[int, int, int], list[int]] = {}
    for counts, sums in zip(counted, cells, strict=True):
        minute = (counts.day * 24 + counts.hour) * 60 + counts.minute
        if not this_minute - MINUTES_KEPT < minute <= this_minute + 1:
            continue
        for dim, name, by, _, views, visits, _, _ in sums:
            if by < 0 and (step := _FINE.get(dim)) and (views or visits):
                totals = added.setdefault((dim * _BY, minute - minute % step, ids[counts.names[name]]), [0, 0])
                totals[0] += views
                totals[1] += visits
    if added:
        bounded = _bounded_minutes(added, ids[OTHER])
        rows = [(*key, *sums) for key, sums in sorted(bounded.items())]
        _upsert(Minute._meta.db_table, ("kind", "at", "name"), ("views", "visits"), rows)


_FINE = {dim.code: step for dim, step in FINE.items()}


def _bounded_minutes(
    added: Mapping[tuple[int, int, int], list[int]], other_id: int
) -> dict[tuple[int, int, int], list[int]]:
    """Return the sums, with names beyond the limit of five minutes as "(other)"."""
    known_names: dict[tuple[int, int], set[int]] = {}
    bounded: dict[tuple[int, int, int], list[int]] = {}
    for (kind, at, name), (views, visits) in added.items():
        names = known_names.get((kind, at))
        if names is None:
            names = known_names[kind, at] = set(Minute.objects.filter(kind=kind, at=at).values_list("name", flat=True))
        if name not in names and len(names) >= MOST_IN_FIVE:
            name = other_id
        names.add(name)
        totals = bounded.setdefault((kind, at, name), [0, 0])
        totals[0] += views
        totals[1] += visits
    return bounded


def forget_minutes(now: datetime) -> int:
    """Delete minutes older than 31 minutes, and future ones, which a clock set back (or the end of summer time) left;
    return the number of rows. `now`: aware, in the site's zone."""
    this_minute = site_time.minute_of(now)
    over = Q(at__lte=this_minute - MINUTES_KEPT) | Q(at__gt=this_minute + 1)
    return Minute.objects.filter(over).delete()[0]
