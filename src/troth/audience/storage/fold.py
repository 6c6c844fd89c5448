"""Folding, in the worker: what fronts counted is added to cells, in the transaction that moves the spool's position.

So a sum is added once, whatever dies when (WALL 4). Cost is bounded: of each kind so many names a day have a row of
their own, whoever comes later is "(other)". May touch: this room's tables.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import batched

from django.db import connection
from django.db.models import Q

from troth.audience.counting.cells import ALL, DIMS, SKETCHED, Cell, Dim
from troth.audience.counting.commit import Counts, Told, rises_of, told_of
from troth.audience.counting.hyperloglog import PRECISION, Sketch, raised
from troth.audience.counting.page_names import OTHER
from troth.audience.counting.registers import precision
from troth.audience.models import Day, Hour, Minute, Name, Registers, Restart
from troth.audience.models import Sheet as Kept
from troth.audience.queries import site_time
from troth.audience.storage.column_block import Column, Sheet

HOURLY = frozenset({Dim.ALL, Dim.PAGE, Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN, Dim.COUNTRY, Dim.EVENT, Dim.DROPPED})
"""What is kept by the hour, too: the chart of a day, whatever it is drilled down to."""
MOST_ALONE, MOST_TOGETHER = 2_000, 4_000
"""Rows of one kind that a day has at most: of one thing, and of two things together."""
MOST_NAMES = 200_000
"""Names that a folder remembers; beyond it, it learns anew."""
NO_HOUR = 24
"""The hour of counts that are known for the whole day only: figures of another program."""
BY_THE_MINUTE = 1
BY_FIVE = 5
FINE = {Dim.ALL: BY_THE_MINUTE, Dim.PAGE: BY_FIVE, Dim.SOURCE: BY_FIVE}
"""What the last half hour is told by, and how finely, in minutes: a name never so finely that it tells the moment."""
MINUTES_KEPT = 31
MOST_IN_FIVE = 200
"""Pages, and sources, that five minutes name at most."""
_ROWS_AT_ONCE = 400
_DAYS_REMEMBERED = 3
"""Of so many days a folder remembers which rows there are: today, yesterday, and one that comes late."""
_BY = 64
type _Pair = tuple[int, int]
"""name, by"""
type _Cells[T] = dict[tuple[int, int], dict[_Pair, T]]
"""By kind and at, each cell of it with what is to be added: a kind is looked up once for a commit, not for each sum"""
type _Rise = tuple[int, int]
"""register, rank"""


def kind_of(dim: Dim, by: Dim | None = None) -> int:
    """Both dims of a cell in one small number."""
    return dim.code * _BY + (0 if by is None else by.code + 1)


def dims_of(kind: int) -> tuple[Dim, Dim | None]:
    """The dims that `kind_of` made this of."""
    one, other = divmod(kind, _BY)
    return DIMS[one], DIMS[other - 1] if other else None


def day_of_proofs(day: int) -> int:
    """Where what a proof's invented visitor brings on this day is filed: before all days that there were."""
    return day - _BEFORE_ALL_TIME


_BEFORE_ALL_TIME = 1_000_000
_gone = 0


def names_went() -> None:
    """Names were removed: nobody in this process may go on with a number that stands for none."""
    global _gone
    _gone += 1


_HOURLY = frozenset(dim.code for dim in HOURLY)


@contextmanager
def uncollected() -> Iterator[None]:
    """A batch is many small lists and no circle: they go when they are let go of, and to look through them for circles
    meanwhile takes a quarter of the time. For one batch only, whose size is bounded."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class Tally:
    """Folds counts into the tables. Knows which names there are; `forget` after a transaction that was rolled back."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Know nothing: what was learnt in a transaction that did not happen is not so."""
        self._ids: dict[str, int] = {"": 0}
        self._rows: dict[int, dict[int, set[tuple[int, int]]]] = {}
        self._gone = _gone

    def _begin(self) -> None:
        """Forget what is not so any more, and what is of days that are hardly asked for."""
        if self._gone != _gone or len(self._ids) > MOST_NAMES:
            self.forget()
        while len(self._rows) > _DAYS_REMEMBERED:
            del self._rows[min(self._rows)]

    def fold(self, counted: Sequence[Counts]) -> int:
        """Add all of it, in the caller's transaction. Returns how many sums there were. Raises `CountsRefused`."""
        self._begin()
        told, rises = list(map(told_of, counted)), list(map(rises_of, counted))
        self._learn_names({name for counts in counted for name in counts.names} | {OTHER})
        days: _Cells[list[int]] = {}
        hours: _Cells[list[int]] = {}
        risen: _Cells[list[_Rise]] = {}
        for counts, sums, rose in zip(counted, told, rises, strict=True):
            ids = [self._ids[name] for name in counts.names]
            _sum(days, counts.day, sums, ids)
            if counts.hour != NO_HOUR:
                hourly = [one for one in sums if one[2] < 0 and one[0] in _HOURLY]
                _sum(hours, counts.day * 24 + counts.hour, hourly, ids)
            for dim, name, register, rank in rose:
                cells = risen.setdefault((dim * _BY, counts.day), {})
                cells.setdefault((ids[name], 0), []).append((register, rank))
        for (kind, day), cells_of_day in days.items():
            self._bound(kind, day, cells_of_day, _plus)
        for (kind, hour), cells_of_hour in hours.items():
            self._bound(kind, hour // 24, cells_of_hour, _plus)
        for (kind, day), risen_of_day in risen.items():
            self._bound(kind, day, risen_of_day, list.extend)
        _note_restarts(counted)
        _upsert(Day._meta.db_table, _KEY, _SUMS, _rows(days))
        _upsert(Hour._meta.db_table, _KEY, _SUMS, _rows(hours))
        _fold_minutes(counted, told, self._ids)
        _raise({(*where, name): rose for where, cells in risen.items() for (name, _), rose in cells.items()})
        return sum(len(sums) for sums in told)

    def add_visitors(self, day: int, visitors: Mapping[Cell, int]) -> None:
        """Add different visitors of a day that is over, in the caller's transaction, to cells that were folded. Who was
        counted there before cannot be known again: on a day that had figures, one may count twice."""
        added: _Cells[list[int]] = {}
        for cell, count in visitors.items():
            if cell.name in self._ids:
                cells = added.setdefault((kind_of(cell.dim, cell.by), day), {})
                _put(cells, (self._ids[cell.name], self._ids[cell.by_name]), [count], _plus)
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
        for some in batched(fresh, _ROWS_AT_ONCE):
            Name.objects.bulk_create([Name(text=name) for name in some], ignore_conflicts=True)
            self._ids.update(Name.objects.filter(text__in=some).values_list("text", "id"))

    def _bound[T](self, kind: int, day: int, cells: dict[_Pair, T], merge: Callable[[T, T], object]) -> None:
        """Move what has no row on that day to "(other)", where its kind has as many rows as it may."""
        rows = self._rows.setdefault(day, {})
        there = rows.get(kind)
        if there is None:
            there = rows[kind] = _cells_there(kind, day)
        fresh = [pair for pair in cells if pair not in there]
        room = max(0, (MOST_TOGETHER if kind % _BY else MOST_ALONE) - len(there))
        there.update(fresh[:room])
        other = self._ids[OTHER]
        for pair in fresh[room:]:
            _put(cells, (other, other if kind % _BY else 0), cells.pop(pair), merge)


def _put[T](cells: dict[_Pair, T], pair: _Pair, more: T, merge: Callable[[T, T], object]) -> None:
    held = cells.setdefault(pair, more)
    if held is not more:
        merge(held, more)


def _plus(held: list[int], more: Sequence[int]) -> None:
    for place, figure in enumerate(more):
        held[place] += figure


def _sum(cells: _Cells[list[int]], at: int, sums: Told, ids: Sequence[int]) -> None:
    """Add up those of one commit. It is done for every sum that there is, and so without a call."""
    kinds: dict[int, dict[_Pair, list[int]]] = {}
    for dim, name, by, by_name, views, visits, bounces, seconds in sums:
        kind = dim * _BY + by + 1
        here = kinds.get(kind)
        if here is None:
            here = kinds[kind] = cells.setdefault((kind, at), {})
        pair = (ids[name], ids[by_name] if by >= 0 else 0)
        held = here.get(pair)
        if held is None:
            here[pair] = [views, visits, bounces, seconds]
        else:
            held[0] += views
            held[1] += visits
            held[2] += bounces
            held[3] += seconds


def _rows(cells: _Cells[list[int]]) -> list[tuple[int, ...]]:
    """kind, at, name, by, sums. In one order, so that two who fold never wait in a circle."""
    return [
        (*where, *pair, *here[pair])
        for where, here in sorted(cells.items(), key=lambda one: one[0])
        for pair in sorted(here)
    ]


def _cells_there(kind: int, at: int) -> set[tuple[int, int]]:
    """The cells that a day has: in rows, and where it is over, in its sheet."""
    there = set(Day.with_proofs.filter(kind=kind, at=at).values_list("name", "by"))
    sheet = Kept.objects.filter(unit=Kept.DAY, kind=kind, at=at).values_list("data", flat=True).first()
    if sheet is not None:
        bound = Sheet(bytes(sheet))
        there.update(zip(bound.column(Column.NAME), bound.column(Column.BY), strict=True))
    return there


def _note_restarts(counted: Sequence[Counts]) -> None:
    """Where a front had just begun on a day that has counts already, some of its visitors may be counted a second
    time. Call it before those counts are added."""
    begun = {(counts.day, counts.hour) for counts in counted if counts.fresh}
    had = set(Day.with_proofs.filter(at__in={day for day, _ in begun}).values_list("at", flat=True).distinct())
    begun = {(day, hour) for day, hour in begun if day in had}
    Restart.with_proofs.bulk_create([Restart(at=day, hour=hour) for day, hour in sorted(begun)], ignore_conflicts=True)


_KEY = ("kind", "at", "name", "by")
_SUMS = ("views", "visits", "bounces", "seconds")


def _upsert(table: str, key: Sequence[str], sums: Sequence[str], rows: Sequence[tuple[int, ...]]) -> None:
    """Add to the rows that are there, make those that are not; `rows`: key, then sums, in order."""
    table_key, added_up = ", ".join(key), ", ".join(f"{one} = {table}.{one} + excluded.{one}" for one in sums)
    _write(
        f"INSERT INTO {table} ({table_key}, {', '.join(sums)})",
        [_TYPES.get(one, "bigint") for one in (*key, *sums)],
        f"ON CONFLICT ({table_key}) DO UPDATE SET {added_up}",
        rows,
    )


_TYPES = {"kind": "smallint", "at": "integer"}


def _write(into: str, types: Sequence[str], then: str, rows: Sequence[tuple[int | bytes, ...]]) -> None:
    """Many rows by one statement. PostgreSQL takes columns, which is quicker there than row by row."""
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = ", ".join(f"%s::{one}[]" for one in types)
            sql = f"{into} SELECT * FROM unnest({columns}) {then}"  # noqa: S608
            cursor.execute(sql, [list(one) for one in zip(*rows, strict=True)])
            return
        values = ", ".join(["%s"] * len(types))
        cursor.executemany(f"{into} VALUES ({values}) {then}", rows)


def _raise(risen: Mapping[tuple[int, int, int], list[_Rise]]) -> None:
    """Set the registers that rose; a cell that has none yet gets its sketch."""
    held = _registers(risen)
    table = Registers._meta.db_table
    rows = [
        (*key, raised(held.get(key), precision(ALL) if key[::2] == _WHOLE else PRECISION, rises))
        for key, rises in sorted(risen.items())
    ]
    _write(
        f"INSERT INTO {table} (kind, at, name, data)",
        ("smallint", "integer", "bigint", "bytea"),
        "ON CONFLICT (kind, at, name) DO UPDATE SET data = excluded.data",
        rows,
    )


_WHOLE = (kind_of(Dim.ALL), 0)
"""Kind and name of the site as a whole, which has finer registers."""


def _registers(keys: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int, int], bytes]:
    """The sketches that there are of these cells. In PostgreSQL nobody else raises them meanwhile."""
    found, names = dict[tuple[int, int, int], bytes](), dict[tuple[int, int], list[int]]()
    for kind, at, name in sorted(keys):
        names.setdefault((kind, at), []).append(name)
    for (kind, at), all_names in names.items():
        rows = Registers.with_proofs.filter(kind=kind, at=at)
        if connection.in_atomic_block:  # as it is but in tests
            rows = rows.order_by("name").select_for_update()
        for some in batched(all_names, _ROWS_AT_ONCE):
            read = rows.filter(name__in=some).values_list("name", "data")
            found.update({(kind, at, name): bytes(data) for name, data in read})
    return found


def visitors_of(dim: Dim, at: int, name: int) -> int:
    """The different visitors of a day that is not over, so far."""
    assert dim in SKETCHED
    row = Registers.objects.filter(kind=kind_of(dim), at=at, name=name).values_list("data", flat=True).first()
    return round(Sketch.of(bytes(row)).count()) if row is not None else 0


# -- the last half hour -----------------------------------------------------------------------------------------------


def _fold_minutes(counted: Sequence[Counts], told: Sequence[Told], ids: Mapping[str, int]) -> None:
    """Add what was counted within the last half hour. What comes late out of the spool is in its day, not here."""
    here = site_time.minute_of(site_time.now())
    added: dict[tuple[int, int, int], list[int]] = {}
    for counts, sums in zip(counted, told, strict=True):
        minute = (counts.day * 24 + counts.hour) * 60 + counts.minute
        if not here - MINUTES_KEPT < minute <= here + 1:
            continue
        for dim, name, by, _, views, visits, _, _ in sums:
            if by < 0 and (step := _FINE.get(dim)) and (views or visits):
                held = added.setdefault((dim * _BY, minute - minute % step, ids[counts.names[name]]), [0, 0])
                held[0] += views
                held[1] += visits
    if added:
        bounded = _bounded_minutes(added, ids[OTHER])
        rows = [(*key, *sums) for key, sums in sorted(bounded.items())]
        _upsert(Minute._meta.db_table, ("kind", "at", "name"), ("views", "visits"), rows)


_FINE = {dim.code: step for dim, step in FINE.items()}


def _bounded_minutes(
    added: Mapping[tuple[int, int, int], list[int]], other: int
) -> dict[tuple[int, int, int], list[int]]:
    """The same, where five minutes that name as many as they may say "(other)" of the rest."""
    there: dict[tuple[int, int], set[int]] = {}
    bounded: dict[tuple[int, int, int], list[int]] = {}
    for (kind, at, name), (views, visits) in added.items():
        names = there.get((kind, at))
        if names is None:
            names = there[kind, at] = set(Minute.objects.filter(kind=kind, at=at).values_list("name", flat=True))
        if name not in names and len(names) >= MOST_IN_FIVE:
            name = other
        names.add(name)
        held = bounded.setdefault((kind, at, name), [0, 0])
        held[0] += views
        held[1] += visits
    return bounded


def forget_minutes(now: datetime) -> int:
    """Delete the minutes that are over for 31 minutes, and those to come, which a clock set back (or the end of
    summer time) left; returns how many rows went. `now`: aware, in the site's zone."""
    here = site_time.minute_of(now)
    over = Q(at__lte=here - MINUTES_KEPT) | Q(at__gt=here + 1)
    return Minute.objects.filter(over).delete()[0]
