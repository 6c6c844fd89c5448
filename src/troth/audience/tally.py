"""Folding, in the worker: what fronts counted is added to cells, in the transaction that moves the spool's position.

So a sum is added once, whatever dies when (WALL 4). Cost is bounded: of each kind so many names a day have a row of
their own, whoever comes later is "(other)". May touch: this room's tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import batched

from django.db import connection

from troth.audience.cells import DIMS, SKETCHED, Cell, Dim
from troth.audience.entry import Counts, cells_of, risen_of
from troth.audience.models import Day, Hour, Name, Registers
from troth.audience.models import Sheet as Kept
from troth.audience.names import OTHER
from troth.audience.registers import Rise, precision
from troth.audience.sheets import Column, Sheet
from troth.audience.sketch import Sketch

HOURLY = frozenset({Dim.ALL, Dim.PAGE, Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN, Dim.COUNTRY, Dim.EVENT, Dim.DROPPED})
"""What is kept by the hour, too: the chart of a day, whatever it is drilled down to."""
MOST_ALONE, MOST_TOGETHER = 2_000, 4_000
"""Rows of one kind that a day has at most: of one thing, and of two things together."""
MOST_NAMES = 200_000
"""Names that a folder remembers; beyond it, it learns anew."""
_ROWS_AT_ONCE = 400
_DAYS_REMEMBERED = 3
"""Of so many days a folder remembers which rows there are: today, yesterday, and one that comes late."""
_EIGHT = 8
_BY = 64
type _Key = tuple[int, int, int, int]
"""kind, at, name, by"""
type _Added = dict[_Key, list[int]]


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
        told = [(counts, list(cells_of(counts)), list(risen_of(counts))) for counts in counted]
        self._learn_names({name for counts, _, _ in told for name in counts.names} | {OTHER})
        days: _Added = {}
        hours: _Added = {}
        risen: dict[tuple[int, int, int], list[Rise]] = {}
        for counts, cells, rises in told:
            for cell, sums in cells:
                key = self._bounded(self._key(cell, counts.day))
                _add(days, key, sums)
                if cell.dim in HOURLY and cell.by is None:
                    _add(hours, (key[0], counts.day * 24 + counts.hour, *key[2:]), sums)
            for rise in rises:
                kind, at, name, _ = self._bounded(self._key(rise.cell, counts.day))
                risen.setdefault((kind, at, name), []).append(rise)
        _upsert(Day._meta.db_table, days)
        _upsert(Hour._meta.db_table, hours)
        _raise(risen)
        return sum(len(cells) for _, cells, _ in told)

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


def _add(added: _Added, key: _Key, sums: Iterable[int]) -> None:
    held = added.get(key)
    if held is None:
        added[key] = list(sums)
        return
    for place, more in enumerate(sums):
        held[place] += more


def _upsert(table: str, added: _Added) -> None:
    """Add to the rows that are there, make those that are not. Sorted, so that two who fold never wait in a circle."""
    rows = [(*key, *sums) for key, sums in sorted(added.items())]
    with connection.cursor() as cursor:
        for some in batched(rows, _ROWS_AT_ONCE):
            values = ", ".join(["(" + ", ".join(["%s"] * _EIGHT) + ")"] * len(some))
            cursor.execute(
                f"INSERT INTO {table} (kind, at, name, by, views, visits, bounces, seconds) VALUES {values} "  # noqa: S608
                "ON CONFLICT (kind, at, name, by) DO UPDATE SET "
                f"views = {table}.views + excluded.views, visits = {table}.visits + excluded.visits, "
                f"bounces = {table}.bounces + excluded.bounces, seconds = {table}.seconds + excluded.seconds",
                [value for row in some for value in row],
            )


def _raise(risen: Mapping[tuple[int, int, int], list[Rise]]) -> None:
    """Set the registers that rose; a cell that has none yet gets its sketch."""
    for (kind, at, name), rises in sorted(risen.items()):
        row = Registers.objects.filter(kind=kind, at=at, name=name).values_list("data", flat=True).first()
        sketch = Sketch.of(bytes(row)) if row is not None else Sketch(precision(rises[0].cell))
        for rise in rises:
            sketch.raised(rise.register, rise.rank)
        Registers.objects.update_or_create(kind=kind, at=at, name=name, defaults={"data": bytes(sketch)})


def visitors_of(dim: Dim, at: int, name: int) -> int:
    """The different visitors of a day that is not over, so far."""
    assert dim in SKETCHED
    row = Registers.objects.filter(kind=kind_of(dim), at=at, name=name).values_list("data", flat=True).first()
    return round(Sketch.of(bytes(row)).count()) if row is not None else 0
