"""What becomes of counts with time: a day that is over is bound into sheets, a month is added up, what is old goes.

Every job is safe to run twice, at any time and beside one that folds: rows are taken away by the statement that reads
them, in the transaction that adds them to their sheets, so that each is added once (WALL 4). What comes late for a day
that is over lies in rows again, is answered from there, and the next run adds it to the day's sheet and the month's.

A day is over a quarter of an hour after the site's midnight, and not before all that was counted in it has been folded.
Then its registers go, too: with the key that died at midnight nobody can be looked for in them, without them nobody at
all; the number stays (V1). `forget` removes for good: call it only while the clock can be trusted. A clock that ran
ahead makes the other jobs early, and only the number of that day's visitors may then be too low.
May touch: this room's tables.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import batched
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from troth.audience.counting.hyperloglog import Sketch
from troth.audience.models import Day, Hour, Name, Registers, Restart
from troth.audience.models import Sheet as Kept
from troth.audience.queries.periods import month_begin, month_of
from troth.audience.storage import fold
from troth.audience.storage.column_block import UNCOUNTED, Column, Figures, Key, Sheet, add, bind
from troth.audience.storage.read import closed_months

GRACE = timedelta(minutes=15)
"""After midnight, for what fronts still held."""
HOURS_KEPT = 100
"""Days: a quarter, and some days to look back at it. By the hour a small site's counts are close to single visits, and
nobody asks for the hours of a day last year."""
_AT_ONCE = 500
_LOCK = 7_240_115
"""Of PostgreSQL: two who close wait for each other. SQLite has one writer anyway."""


def close(now: datetime, zone: tzinfo, folded: datetime | None = None) -> int:
    """Close the days and months that are over in `zone`; returns how many sheets were written. `now` is aware.

    `folded`: everything counted before then has been folded, where that is less than all: the time of the oldest frame
    that waits in the spool.
    """
    over = site_day((now if folded is None else min(now, folded)) - GRACE, zone)
    return close_days(over.toordinal()) + close_months(over)


def site_day(at: datetime, zone: tzinfo) -> date:
    """The day that a moment lies in, in the site's zone; `at` is aware."""
    return at.astimezone(zone).date()


# -- days -------------------------------------------------------------------------------------------------------------


def close_days(before: int) -> int:
    """Bind what there is of days before this one (as in `Day.at`) into sheets; returns how many were written."""
    days = set(Day.objects.filter(at__lt=before).values_list("kind", "at").distinct())
    days |= set(Registers.objects.filter(at__lt=before).values_list("kind", "at").distinct())
    for kind, at in sorted(days):
        with transaction.atomic():
            _close_day(kind, at)
    hours = {
        (kind, at // 24) for kind, at in Hour.objects.filter(at__lt=before * 24).values_list("kind", "at").distinct()
    }
    for kind, at in sorted(hours):
        with transaction.atomic():
            _close_hours(kind, at)
    return len(days) + len(hours)


def _close_day(kind: int, at: int) -> None:
    _alone()
    found = {
        (name, by): [*sums, UNCOUNTED if visitors is None else visitors]
        for name, by, *sums, visitors in _taken(Day, kind, at, at)
    }
    for name, data in _taken_registers(kind, at):
        figures = found.setdefault((name, 0), [0, 0, 0, 0, UNCOUNTED])
        figures[4] = max(figures[4], round(Sketch.of(data).count()))
    sheet = _sheet(Kept.DAY, kind, at)
    for key, figures in found.items():
        figures[4] = _rise(sheet.get(key), figures[4])
    _write(Kept.DAY, kind, at, sheet, found)
    month = month_of(date.fromordinal(at))
    if month in closed_months(kind):
        _write(Kept.MONTH, kind, month, _sheet(Kept.MONTH, kind, month), found)


def _rise(held: Figures | None, visitors: int) -> int:
    """By how many visitors more a cell has, now that so many were counted of those who came late. They cannot be told
    from those who were counted before, so the larger number stands."""
    if held is None or held[4] == UNCOUNTED:
        return visitors
    return visitors - held[4] if visitors > held[4] else UNCOUNTED


def _close_hours(kind: int, at: int) -> None:
    _alone()
    rows = _taken(Hour, kind, at * 24, at * 24 + 23)
    found = {(name, hour - at * 24): [*sums, UNCOUNTED] for name, hour, *sums in rows}
    _write(Kept.HOURS, kind, at, _sheet(Kept.HOURS, kind, at), found)


def _alone() -> None:
    """Nobody else closes meanwhile."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _taken(model: type[Day | Hour], kind: int, first: int, last: int) -> list[tuple[Any, ...]]:
    """Take the rows away, and say what was in them: one statement, so that nothing is added in between."""
    told = (
        "name, by, views, visits, bounces, seconds, visitors"
        if model is Day
        else "name, at, views, visits, bounces, seconds"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {model._meta.db_table} WHERE kind = %s AND at BETWEEN %s AND %s RETURNING {told}",  # noqa: S608
            [kind, first, last],
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _taken_registers(kind: int, at: int) -> list[tuple[int, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {Registers._meta.db_table} WHERE kind = %s AND at = %s RETURNING name, data",  # noqa: S608
            [kind, at],
        )
        return [(name, bytes(data)) for name, data in cursor.fetchall()]


def _sheet(unit: int, kind: int, at: int) -> dict[Key, Figures]:
    data = Kept.objects.filter(unit=unit, kind=kind, at=at).values_list("data", flat=True).first()
    return {} if data is None else dict(Sheet(bytes(data)))


def _write(unit: int, kind: int, at: int, held: dict[Key, Figures], more: dict[Key, Figures]) -> None:
    """Write the sheet with more in it. What adds up to nothing needs no cell."""
    add(held, more.items())
    cells = {key: figures for key, figures in held.items() if any(figures[:4]) or figures[4] > 0}
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Kept._meta.db_table} (unit, kind, at, cells, data) VALUES (%s, %s, %s, %s, %s) "  # noqa: S608
            "ON CONFLICT (unit, kind, at) DO UPDATE SET cells = excluded.cells, data = excluded.data",
            [unit, kind, at, len(cells), bind(cells)],
        )


# -- months -----------------------------------------------------------------------------------------------------------


def close_months(before: date) -> int:
    """Add up the months that are over before this day's; returns how many sheets were written. Their days stay, for
    what asks by day."""
    made = 0
    for kind in list(Kept.objects.filter(unit=Kept.DAY).values_list("kind", flat=True).distinct()):
        with transaction.atomic():
            _alone()
            made += sum(_close_month(kind, month) for month in _open_months(kind, month_of(before)))
    return made


def _open_months(kind: int, before: int) -> range:
    closed = closed_months(kind)
    if closed:
        return range(closed.stop, before)
    oldest = Kept.objects.filter(unit=Kept.DAY, kind=kind).order_by("at").values_list("at", flat=True).first()
    return range(0) if oldest is None else range(month_of(date.fromordinal(oldest)), before)


def _close_month(kind: int, month: int) -> int:
    first, after = month_begin(month).toordinal(), month_begin(month + 1).toordinal()
    days = Kept.objects.filter(unit=Kept.DAY, kind=kind, at__gte=first, at__lt=after).values_list("data", flat=True)
    cells: dict[Key, Figures] = {}
    for data in days:
        add(cells, Sheet(bytes(data)))
    if cells:
        _write(Kept.MONTH, kind, month, {}, cells)
    return bool(cells)


# -- what is old ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """The first of each kind that may still be kept."""

    hours: int
    """The first day whose hours are kept."""
    day: int
    month: int

    @classmethod
    def of(cls, now: datetime, zone: tzinfo, keep_months: int) -> "Limits":
        """A month goes as its first day is too old; those of its days that are not stay until they are."""
        today = site_day(now, zone)
        oldest = month_begin(month_of(today) - keep_months)
        after = month_begin(month_of(oldest) + 1)
        first = min(oldest + timedelta(days=today.day - 1), after)
        month = month_of(first) + (first.day > 1)
        return cls(max(today.toordinal() - HOURS_KEPT, first.toordinal()), first.toordinal(), month)

    def begin(self, zone: tzinfo) -> datetime:
        """The first moment that may still be kept, aware."""
        return datetime.combine(date.fromordinal(self.day), datetime.min.time(), zone)


def forget(now: datetime, zone: tzinfo, keep_months: int) -> int:
    """Remove what is older than so many months, hours older than `HOURS_KEPT` days, and names that no cell has any
    more; returns how many rows went. Only while the clock can be trusted (`worker.timers.steady`)."""
    limits, gone = Limits.of(now, zone, keep_months), 0
    for model, old in _over(limits):
        went = _remove(model, old)
        gone += went
    return gone + (_forget_names() if gone else 0)


def _over(limits: Limits) -> Iterable[tuple[type[Model], dict[str, int]]]:
    return (
        (Kept, {"unit": Kept.HOURS, "at__lt": limits.hours}),
        (Kept, {"unit": Kept.DAY, "at__lt": limits.day}),
        (Kept, {"unit": Kept.MONTH, "at__lt": limits.month}),
        (Hour, {"at__lt": limits.hours * 24}),
        (Day, {"at__lt": limits.day}),
        (Registers, {"at__lt": limits.day}),
        (Restart, {"at__lt": limits.day}),
    )


def _remove(model: type[Model], old: dict[str, int]) -> int:
    """Delete so many at a time: nobody waits long for the database."""
    gone = 0
    while keys := list(model._default_manager.filter(**old).values_list("pk", flat=True)[:_AT_ONCE]):
        gone += model._default_manager.filter(pk__in=keys).delete()[0]
    return gone


def _forget_names() -> int:
    """Remove the names that stand in no cell. Whoever folds in this process learns its names anew."""
    used, gone = _used(), 0
    unused = [one for one in Name.objects.values_list("id", flat=True) if one not in used]
    for some in batched(unused, _AT_ONCE):
        with transaction.atomic():
            again = _in_rows(some)  # somebody may have come with it just now
            gone += Name.objects.filter(id__in=[one for one in some if one not in again]).delete()[0]
    if gone:
        fold.names_went()
    return gone


def _used() -> set[int]:
    """Every name that stands in a cell. Hours have those of their days, days those of their months."""
    used = _in_rows()
    for kind in list(Kept.objects.values_list("kind", flat=True).distinct()):
        closed, sheets = closed_months(kind), Kept.objects.filter(kind=kind).values_list("data", flat=True)
        days = sheets.filter(unit=Kept.DAY)
        parts = [sheets.filter(unit=Kept.MONTH), days]
        if closed:
            begin, end = (month_begin(month).toordinal() for month in (closed.start, closed.stop))
            parts = [parts[0], days.filter(at__lt=begin), days.filter(at__gte=end)]
        for data in (data for part in parts for data in part.iterator(chunk_size=50)):
            sheet = Sheet(bytes(data))
            used.update(sheet.column(Column.NAME), sheet.column(Column.BY))
    return used


def _in_rows(some: Sequence[int] = ()) -> set[int]:
    found = set[int]()
    for model, column in ((Day, "name"), (Day, "by"), (Hour, "name"), (Registers, "name")):
        # All there are: a proof that is under way has names, too.
        rows = model._base_manager.filter(**{f"{column}__in": some}) if some else model._base_manager.all()
        found |= set(rows.values_list(column, flat=True).distinct())
    return found


@dataclass(frozen=True, slots=True)
class Oldest:
    """When the oldest of each was counted: the beginning of its day, aware; None where there is none."""

    hours: datetime | None
    days: datetime | None
    months: datetime | None
    registers: datetime | None


def oldest(zone: tzinfo) -> Oldest:
    """The oldest that is kept (for the policy, which says how long)."""

    def begin(*days: int | None) -> datetime | None:
        there = [day for day in days if day is not None]
        return datetime.combine(date.fromordinal(min(there)), datetime.min.time(), zone) if there else None

    hour, month = _least(Hour), _least(Kept, unit=Kept.MONTH)
    return Oldest(
        begin(None if hour is None else hour // 24, _least(Kept, unit=Kept.HOURS)),
        begin(_least(Day), _least(Kept, unit=Kept.DAY)),
        begin(None if month is None else month_begin(month).toordinal()),
        begin(_least(Registers)),
    )


def _least(model: type[Model], **of: int) -> int | None:
    found: int | None = model._default_manager.filter(**of).order_by("at").values_list("at", flat=True).first()
    return found
