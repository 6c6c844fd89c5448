"""Folding, in the worker: what fronts counted is added to cells, in the transaction that moves the spool's position.

So a sum is added once, whatever dies when (WALL 4). Cost is bounded: of each kind so many names a day have a row of
their own, whoever comes later is "(other)". May touch: this room's tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import batched

from django.db import connection

from troth.audience.cells import DIMS, SKETCHED, Cell, Dim
from troth.audience.entry import Counts, Told, risen_of, told_of
from troth.audience.models import Day, Hour, Name, Registers
from troth.audience.models import Sheet as Kept
from troth.audience.names import OTHER
from troth.audience.registers import Rise, precision
from troth.audience.sheets import Column, Sheet
from troth.audience.sketch import Sketch, raised

HOURLY = frozenset({Dim.ALL, Dim.PAGE, Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN, Dim.COUNTRY, Dim.EVENT, Dim.DROPPED})
"""What is kept by the hour, too: the chart of a day, whatever it is drilled down to."""
MOST_ALONE, MOST_TOGETHER = 2_000, 4_000
"""Rows of one kind that a day has at most: of one thing, and of two things together."""
MOST_NAMES = 200_000
"""Names that a folder remembers; beyond it, it learns anew."""
_ROWS_AT_ONCE = 400
_DAYS_REMEMBERED = 3
"""Of so many days a folder remembers which rows there are: today, yesterday, and one that comes late."""
_BY = 64
type _Key = tuple[int, int, int, int]
"""kind, at, name, by"""
type _Added = dict[_Key, list[int]]
type _Summed = dict[tuple[int, int, int], list[int]]
"""Of one hour: kind, name, by"""


def kind_of(dim: Dim, by: Dim | None = None) -> int:
    """Both dims of a cell in one small number."""
    return dim.code * _BY + (0 if by is None else by.code + 1)


def dims_of(kind: int) -> tuple[Dim, Dim | None]:
    """The dims that `kind_of` made this of."""
    one, other = divmod(kind, _BY)
    return DIMS[one], DIMS[other - 1] if other else None


_gone = 0


def names_went() -> None:
    """Names were removed: nobody in this process may go on with a number that stands for none."""
    global _gone
    _gone += 1


_HOURLY = frozenset(kind_of(dim) for dim in HOURLY)


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
        told, risen_told = list(map(told_of, counted)), [(counts.day, list(risen_of(counts))) for counts in counted]
        self._learn_names({name for counts in counted for name in counts.names} | {OTHER})
        spans: dict[tuple[int, int], _Summed] = {}
        for counts, sums in zip(counted, told, strict=True):
            self._sum(counts, sums, spans.setdefault((counts.day, counts.hour), {}))
        days: _Added = {}
        hours: _Added = {}
        for (day, hour), summed in spans.items():
            for (kind, name, by), figures in summed.items():
                key = self._bounded((kind, day, name, by))
                _add(days, key, figures)
                if kind in _HOURLY:
                    _add(hours, (kind, day * 24 + hour, key[2], 0), figures)
        risen: dict[tuple[int, int, int], list[Rise]] = {}
        for day, rises in risen_told:
            for rise in rises:
                risen.setdefault(self._bounded(self._key(rise.cell, day))[:3], []).append(rise)
        _upsert(Day._meta.db_table, days)
        _upsert(Hour._meta.db_table, hours)
        _raise(risen)
        return sum(len(sums) for sums in told)

    def _sum(self, counts: Counts, sums: Told, summed: _Summed) -> None:
        """Add up those of one hour. It is done for every sum that there is, and so without a call."""
        ids = [self._ids[name] for name in counts.names]
        for dim, name, by, by_name, views, visits, bounces, seconds in sums:
            key = (dim * _BY + by + 1, ids[name], ids[by_name] if by >= 0 else 0)
            held = summed.get(key)
            if held is None:
                summed[key] = [views, visits, bounces, seconds]
            else:
                held[0] += views
                held[1] += visits
                held[2] += bounces
                held[3] += seconds

    def _key(self, cell: Cell, at: int) -> _Key:
        return kind_of(cell.dim, cell.by), at, self._ids[cell.name], self._ids[cell.by_name]

    def _learn_names(self, names: set[str]) -> None:
        fresh = sorted(names - self._ids.keys())
        for some in batched(fresh, _ROWS_AT_ONCE):
            Name.objects.bulk_create([Name(text=name) for name in some], ignore_conflicts=True)
            self._ids.update(Name.objects.filter(text__in=some).values_list("text", "id"))

    def _bounded(self, key: _Key) -> _Key:
        """The key, or that of "(other)" where its kind has as many rows on that day as it may."""
        kind, at, name, by = key
        day = self._rows.setdefault(at, {})
        there = day.get(kind)
        if there is None:
            there = day[kind] = _cells_there(kind, at)
        if (name, by) in there:
            return key
        if len(there) >= (MOST_TOGETHER if kind % _BY else MOST_ALONE):
            other = self._ids[OTHER]
            return kind, at, other, other if kind % _BY else 0
        there.add((name, by))
        return key


def _cells_there(kind: int, at: int) -> set[tuple[int, int]]:
    """The cells that a day has: in rows, and where it is over, in its sheet."""
    there = set(Day.objects.filter(kind=kind, at=at).values_list("name", "by"))
    sheet = Kept.objects.filter(unit=Kept.DAY, kind=kind, at=at).values_list("data", flat=True).first()
    if sheet is not None:
        bound = Sheet(bytes(sheet))
        there.update(zip(bound.column(Column.NAME), bound.column(Column.BY), strict=True))
    return there


def _add(added: _Added, key: _Key, sums: Sequence[int]) -> None:
    held = added.get(key)
    if held is None:
        added[key] = list(sums)
        return
    held[0] += sums[0]
    held[1] += sums[1]
    held[2] += sums[2]
    held[3] += sums[3]


def _upsert(table: str, added: _Added) -> None:
    """Add to the rows that are there, make those that are not. Sorted, so that two who fold never wait in a circle."""
    columns = "kind, at, name, by, views, visits, bounces, seconds"
    _write(
        f"INSERT INTO {table} ({columns})",
        ("smallint", "integer", *["bigint"] * 6),
        f"ON CONFLICT (kind, at, name, by) DO UPDATE SET views = {table}.views + excluded.views, "
        f"visits = {table}.visits + excluded.visits, bounces = {table}.bounces + excluded.bounces, "
        f"seconds = {table}.seconds + excluded.seconds",
        [(*key, *sums) for key, sums in sorted(added.items())],
    )


def _write(into: str, types: Sequence[str], then: str, rows: Sequence[tuple[int | bytes, ...]]) -> None:
    """Many rows by one statement. PostgreSQL takes columns, which is five times as quick there as row by row."""
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


def _raise(risen: Mapping[tuple[int, int, int], list[Rise]]) -> None:
    """Set the registers that rose; a cell that has none yet gets its sketch."""
    held = _registers(risen)
    table = Registers._meta.db_table
    rows = [
        (*key, raised(held.get(key), precision(rises[0].cell), ((one.register, one.rank) for one in rises)))
        for key, rises in sorted(risen.items())
    ]
    _write(
        f"INSERT INTO {table} (kind, at, name, data)",
        ("smallint", "integer", "bigint", "bytea"),
        "ON CONFLICT (kind, at, name) DO UPDATE SET data = excluded.data",
        rows,
    )


def _registers(keys: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int, int], bytes]:
    """The sketches that there are of these cells. In PostgreSQL nobody else raises them meanwhile."""
    found, names = dict[tuple[int, int, int], bytes](), dict[tuple[int, int], list[int]]()
    for kind, at, name in sorted(keys):
        names.setdefault((kind, at), []).append(name)
    for (kind, at), all_names in names.items():
        rows = Registers.objects.filter(kind=kind, at=at)
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
