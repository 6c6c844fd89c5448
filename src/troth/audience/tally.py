"""Folding, in the worker: what fronts counted is added to cells, in the transaction that moves the spool's position.

So a sum is added once, whatever dies when (WALL 4). Cost is bounded: of each kind so many names a day have a row of
their own, whoever comes later is "(other)". May touch: this room's tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import batched

from django.db import connection
from django.db.models import Q

from troth.audience import sitetime
from troth.audience.cells import DIMS, SKETCHED, Cell, Dim
from troth.audience.entry import Counts, cells_of, risen_of
from troth.audience.models import Day, Hour, Minute, Name, Registers
from troth.audience.names import OTHER
from troth.audience.registers import Rise, precision
from troth.audience.sketch import Sketch

HOURLY = frozenset({Dim.ALL, Dim.PAGE, Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN, Dim.COUNTRY, Dim.EVENT, Dim.DROPPED})
"""What is kept by the hour, too: the chart of a day, whatever it is drilled down to."""
MOST_ALONE, MOST_TOGETHER = 2_000, 4_000
"""Rows of one kind that a day has at most: of one thing, and of two things together."""
BY_THE_MINUTE = 1
BY_FIVE = 5
FINE = {Dim.ALL: BY_THE_MINUTE, Dim.PAGE: BY_FIVE, Dim.SOURCE: BY_FIVE}
"""What the last half hour is told by, and how finely, in minutes: a name never so finely that it tells the moment."""
MINUTES_KEPT = 31
MOST_IN_FIVE = 200
"""Pages, and sources, that five minutes name at most."""
_ROWS_AT_ONCE = 400
_BY = 64
type _Key = tuple[int, int, int, int]
"""kind, at, name, by"""
type _Added = dict[_Key, list[int]]
type _Rows = Mapping[tuple[int, int, int], list[int]] | Mapping[_Key, list[int]]
type _Told = tuple[Counts, list[tuple[Cell, tuple[int, int, int, int]]], list[Rise]]


def kind_of(dim: Dim, by: Dim | None = None) -> int:
    """Both dims of a cell in one small number."""
    return dim.code * _BY + (0 if by is None else by.code + 1)


def dims_of(kind: int) -> tuple[Dim, Dim | None]:
    """The dims that `kind_of` made this of."""
    one, other = divmod(kind, _BY)
    return DIMS[one], DIMS[other - 1] if other else None


class Tally:
    """Folds counts into the tables. Knows which names there are; `forget` after a transaction that was rolled back."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {"": 0}
        self._rows: dict[tuple[int, int], set[tuple[int, int]]] = {}

    def forget(self) -> None:
        """Know nothing: what was learnt in a transaction that did not happen is not so."""
        self._ids, self._rows = {"": 0}, {}

    def fold(self, counted: Sequence[Counts]) -> int:
        """Add all of it, in the caller's transaction. Returns how many sums there were. Raises `CountsRefused`."""
        told = [(counts, list(cells_of(counts)), list(risen_of(counts))) for counts in counted]
        self._learn_names({name for counts, _, _ in told for name in counts.names} | {OTHER})
        days: _Added = {}
        hours: _Added = {}
        risen: dict[tuple[int, int, int], list[Rise]] = {}
        _fold_minutes(told, self._ids)
        for counts, cells, rises in told:
            for cell, sums in cells:
                key = self._bounded(self._key(cell, counts.day))
                _add(days, key, sums)
                if cell.dim in HOURLY and cell.by is None:
                    _add(hours, (key[0], counts.day * 24 + counts.hour, *key[2:]), sums)
            for rise in rises:
                kind, at, name, _ = self._bounded(self._key(rise.cell, counts.day))
                risen.setdefault((kind, at, name), []).append(rise)
        _upsert(Day._meta.db_table, _KEY, _SUMS, days)
        _upsert(Hour._meta.db_table, _KEY, _SUMS, hours)
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
        there = self._rows.get((kind, at))
        if there is None:
            there = set(Day.objects.filter(kind=kind, at=at).values_list("name", "by"))
            self._rows[kind, at] = there
        if (name, by) in there:
            return key
        if len(there) >= (MOST_TOGETHER if kind % _BY else MOST_ALONE):
            other = self._ids[OTHER]
            return kind, at, other, other if kind % _BY else 0
        there.add((name, by))
        return key


def _add(added: _Added, key: _Key, sums: Iterable[int]) -> None:
    held = added.get(key)
    if held is None:
        added[key] = list(sums)
        return
    for place, more in enumerate(sums):
        held[place] += more


_KEY = ("kind", "at", "name", "by")
_SUMS = ("views", "visits", "bounces", "seconds")


def _upsert(table: str, key: Sequence[str], sums: Sequence[str], added: _Rows) -> None:
    """Add to the rows that are there, make those that are not. Sorted, so that two who fold never wait in a circle."""
    rows = [(*where, *more) for where, more in sorted(added.items())]
    columns, more = (*key, *sums), ", ".join(f"{one} = {table}.{one} + excluded.{one}" for one in sums)
    row = "(" + ", ".join(["%s"] * len(columns)) + ")"
    with connection.cursor() as cursor:
        for some in batched(rows, _ROWS_AT_ONCE):
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * len(some))} "  # noqa: S608
                f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {more}",
                [value for one in some for value in one],
            )


def _raise(risen: Mapping[tuple[int, int, int], list[Rise]]) -> None:
    """Set the registers that rose; a cell that has none yet gets its sketch."""
    for (kind, at, name), rises in sorted(risen.items()):
        row = Registers.objects.filter(kind=kind, at=at, name=name).values_list("data", flat=True).first()
        sketch = Sketch.of(bytes(row)) if row is not None else Sketch(precision(rises[0].cell))
        for rise in rises:
            sketch.raised(rise.register, rise.rank)
        Registers.objects.update_or_create(kind=kind, at=at, name=name, defaults={"data": bytes(sketch)})


def close_days(before: int) -> int:
    """Write down how many visitors each day before this one had, and let its registers go; returns how many went.

    Their key died at midnight, so without the registers nobody can be looked for, and with them hardly. What comes
    late, out of a spool that had to wait, never lowers what was written.
    """
    gone = 0
    for row in Registers.objects.filter(at__lt=before).iterator(chunk_size=200):
        visitors = round(Sketch.of(bytes(row.data)).count())
        cell = Day.objects.filter(kind=row.kind, at=row.at, name=row.name, by=0)
        cell.filter(Q(visitors=None) | Q(visitors__lt=visitors)).update(visitors=visitors)
        gone += 1
    Registers.objects.filter(at__lt=before).delete()
    return gone


def visitors_of(dim: Dim, at: int, name: int) -> int:
    """The different visitors of a day that is not over, so far."""
    assert dim in SKETCHED
    row = Registers.objects.filter(kind=kind_of(dim), at=at, name=name).values_list("data", flat=True).first()
    return round(Sketch.of(bytes(row)).count()) if row is not None else 0


# -- the last half hour -----------------------------------------------------------------------------------------------


def _fold_minutes(told: Sequence[_Told], ids: Mapping[str, int]) -> None:
    """Add what was counted within the last half hour. What comes late out of the spool is in its day, not here."""
    here = sitetime.minute_of(sitetime.now())
    added: dict[tuple[int, int, int], list[int]] = {}
    for counts, cells, _ in told:
        minute = (counts.day * 24 + counts.hour) * 60 + getattr(counts, "minute", 0)
        if not here - MINUTES_KEPT < minute <= here + 1:
            continue
        for cell, (views, visits, _, _) in cells:
            if cell.by is None and (step := FINE.get(cell.dim)) and (views or visits):
                key = (kind_of(cell.dim), minute - minute % step, ids[cell.name])
                held = added.setdefault(key, [0, 0])
                held[0] += views
                held[1] += visits
    if added:
        bounded = _bounded_minutes(added, ids[OTHER])
        _upsert(Minute._meta.db_table, ("kind", "at", "name"), ("views", "visits"), bounded)


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
    here = sitetime.minute_of(now)
    over = Q(at__lte=here - MINUTES_KEPT) | Q(at__gt=here + 1)
    return Minute.objects.filter(over).delete()[0]
