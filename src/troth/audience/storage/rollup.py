"""Packs closed days into sheets, adds up months, and deletes what is old.

Every job may run twice, at any time and beside a writer: the statement that reads rows deletes them, in the transaction
that adds them to sheets (WALL 4). Late counts are rows again, and the next run adds them to the sheets. A day is closed
15 minutes after the site's midnight; its registers are deleted then, so that nobody can be looked for in them (V1).
`forget` deletes for good: call it only while the clock can be trusted. With a fast clock the other jobs run early, and
only that day's number of visitors may be too low. May touch: this room's tables.
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
from troth.audience.storage.column_block import UNCOUNTED, CellColumn, ColumnBlock, Figures, Key, add, bind
from troth.audience.storage.read import closed_months

GRACE = timedelta(minutes=15)
"""Time after midnight for what fronts still hold."""
HOURS_KEPT = 100
"""Days that hours are kept: a quarter, and some days to look back at it. A small site's hourly counts are close to
single visits."""
_AT_ONCE = 500
_LOCK = 7_240_115
"""The advisory lock in PostgreSQL that serialises closing. SQLite has one writer anyway."""


def close(now: datetime, zone: tzinfo, folded: datetime | None = None) -> int:
    """Close the days and months that are over in `zone`; return the number of sheets written. `now`: aware. `folded`:
    the time of the oldest frame waiting in the spool; None for no frame."""
    over = site_day((now if folded is None else min(now, folded)) - GRACE, zone)
    return close_days(over.toordinal()) + close_months(over)


def site_day(at: datetime, zone: tzinfo) -> date:
    """Return the day of a moment in the site's zone. `at`: aware."""
    return at.astimezone(zone).date()


# -- days -------------------------------------------------------------------------------------------------------------


def close_days(before: int) -> int:
    """Pack the days before this one (as in `Day.at`) into sheets; return the number written."""
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
    cells = {
        (name, by): [*sums, UNCOUNTED if visitors is None else visitors]
        for name, by, *sums, visitors in _taken(Day, kind, at, at)
    }
    for name, data in _taken_registers(kind, at):
        figures = cells.setdefault((name, 0), [0, 0, 0, 0, UNCOUNTED])
        figures[4] = max(figures[4], round(Sketch.of(data).count()))
    sheet = _sheet(Kept.DAY, kind, at)
    for key, figures in cells.items():
        figures[4] = _rise(sheet.get(key), figures[4])
    _write(Kept.DAY, kind, at, sheet, cells)
    month = month_of(date.fromordinal(at))
    if month in closed_months(kind):
        _write(Kept.MONTH, kind, month, _sheet(Kept.MONTH, kind, month), cells)


def _rise(current: Figures | None, visitors: int) -> int:
    """Return how many visitors to add for late ones. They cannot be told from those counted before, so the larger
    number is kept."""
    if current is None or current[4] == UNCOUNTED:
        return visitors
    return visitors - current[4] if visitors > current[4] else UNCOUNTED


def _close_hours(kind: int, at: int) -> None:
    _alone()
    rows = _taken(Hour, kind, at * 24, at * 24 + 23)
    cells = {(name, hour - at * 24): [*sums, UNCOUNTED] for name, hour, *sums in rows}
    _write(Kept.HOURS, kind, at, _sheet(Kept.HOURS, kind, at), cells)


def _alone() -> None:
    """Wait until nobody else closes days."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _taken(model: type[Day | Hour], kind: int, first: int, last: int) -> list[tuple[Any, ...]]:
    """Delete rows and return them in one statement, so that nothing is added in between."""
    columns = (
        "name, by, views, visits, bounces, seconds, visitors"
        if model is Day
        else "name, at, views, visits, bounces, seconds"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {model._meta.db_table} WHERE kind = %s AND at BETWEEN %s AND %s RETURNING {columns}",  # noqa: S608
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
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT data FROM {Kept._meta.db_table} WHERE unit = %s AND kind = %s AND at = %s",  # noqa: S608
            [unit, kind, at],
        )
        row = cursor.fetchone()
    return {} if row is None else dict(ColumnBlock(bytes(row[0])))


def _write(unit: int, kind: int, at: int, current: dict[Key, Figures], more: dict[Key, Figures]) -> None:
    """Write a sheet with more added to it, without cells that add up to zero."""
    add(current, more.items())
    cells = {key: figures for key, figures in current.items() if any(figures[:4]) or figures[4] > 0}
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Kept._meta.db_table} (unit, kind, at, cells, data) VALUES (%s, %s, %s, %s, %s) "  # noqa: S608
            "ON CONFLICT (unit, kind, at) DO UPDATE SET cells = excluded.cells, data = excluded.data",
            [unit, kind, at, len(cells), bind(cells)],
        )


# -- months -----------------------------------------------------------------------------------------------------------


def close_months(before: date) -> int:
    """Add up the months before this day's; return the number of sheets written. The sheets of their days are kept."""
    written = 0
    for kind in list(Kept.objects.filter(unit=Kept.DAY).values_list("kind", flat=True).distinct()):
        with transaction.atomic():
            _alone()
            written += sum(_close_month(kind, month) for month in _open_months(kind, month_of(before)))
    return written


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
        add(cells, ColumnBlock(bytes(data)))
    if cells:
        _write(Kept.MONTH, kind, month, {}, cells)
    return bool(cells)


# -- what is old ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RollupLimits:
    """The oldest hours, day and month within the retention period."""

    hours: int
    """The first day whose hours are kept."""
    day: int
    month: int

    @classmethod
    def of(cls, now: datetime, zone: tzinfo, keep_months: int) -> "RollupLimits":
        """Return the limits. A month goes when its first day is too old; its later days stay until they are."""
        today = site_day(now, zone)
        oldest = month_begin(month_of(today) - keep_months)
        after = month_begin(month_of(oldest) + 1)
        first = min(oldest + timedelta(days=today.day - 1), after)
        month = month_of(first) + (first.day > 1)
        return cls(max(today.toordinal() - HOURS_KEPT, first.toordinal()), first.toordinal(), month)

    def begin(self, zone: tzinfo) -> datetime:
        """Return the first moment within the retention period, aware."""
        return datetime.combine(date.fromordinal(self.day), datetime.min.time(), zone)


def forget(now: datetime, zone: tzinfo, keep_months: int) -> int:
    """Delete what is older than so many months, hours older than `HOURS_KEPT` days, and unused names; return the number
    of rows. Only while the clock can be trusted (`worker.timers.steady`)."""
    limits, removed = RollupLimits.of(now, zone, keep_months), 0
    for model, old in _over(limits):
        count = _remove(model, old)
        removed += count
    return removed + (_forget_names() if removed else 0)


def _over(limits: RollupLimits) -> Iterable[tuple[type[Model], dict[str, int]]]:
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
    """Delete rows in batches, so that nobody waits long for the database."""
    removed = 0
    while keys := list(model._default_manager.filter(**old).values_list("pk", flat=True)[:_AT_ONCE]):
        removed += model._default_manager.filter(pk__in=keys).delete()[0]
    return removed


def _forget_names() -> int:
    """Delete names without a cell, and make this process forget them."""
    used, removed = _used(), 0
    unused = [name_id for name_id in Name.objects.values_list("id", flat=True) if name_id not in used]
    for batch in batched(unused, _AT_ONCE):
        with transaction.atomic():
            used_again = _in_rows(batch)  # a hit may have brought it just now
            removed += Name.objects.filter(id__in=[name_id for name_id in batch if name_id not in used_again]).delete()[
                0
            ]
    if removed:
        fold.names_went()
    return removed


def _used() -> set[int]:
    """Return every name in a cell. Hours share those of their days, days those of their months."""
    used = _in_rows()
    for kind in list(Kept.objects.values_list("kind", flat=True).distinct()):
        closed, sheets = closed_months(kind), Kept.objects.filter(kind=kind).values_list("data", flat=True)
        days = sheets.filter(unit=Kept.DAY)
        parts = [sheets.filter(unit=Kept.MONTH), days]
        if closed:
            begin, end = (month_begin(month).toordinal() for month in (closed.start, closed.stop))
            parts = [parts[0], days.filter(at__lt=begin), days.filter(at__gte=end)]
        for data in (data for part in parts for data in part.iterator(chunk_size=50)):
            sheet = ColumnBlock(bytes(data))
            used.update(sheet.column(CellColumn.NAME), sheet.column(CellColumn.BY))
    return used


def _in_rows(ids: Sequence[int] = ()) -> set[int]:
    used = set[int]()
    for model, column in ((Day, "name"), (Day, "by"), (Hour, "name"), (Registers, "name")):
        # Including those of a running proof.
        rows = model._base_manager.filter(**{f"{column}__in": ids}) if ids else model._base_manager.all()
        used |= set(rows.values_list(column, flat=True).distinct())
    return used


@dataclass(frozen=True, slots=True)
class Oldest:
    """The day on which the oldest of each was counted, as its first moment, aware; None for none."""

    hours: datetime | None
    days: datetime | None
    months: datetime | None
    registers: datetime | None


def oldest(zone: tzinfo) -> Oldest:
    """Return the oldest data of each kind, for the policy."""

    def begin(*days: int | None) -> datetime | None:
        existing = [day for day in days if day is not None]
        return datetime.combine(date.fromordinal(min(existing)), datetime.min.time(), zone) if existing else None

    hour, month = _least(Hour), _least(Kept, unit=Kept.MONTH)
    return Oldest(
        begin(None if hour is None else hour // 24, _least(Kept, unit=Kept.HOURS)),
        begin(_least(Day), _least(Kept, unit=Kept.DAY)),
        begin(None if month is None else month_begin(month).toordinal()),
        begin(_least(Registers)),
    )


def _least(model: type[Model], **of: int) -> int | None:
    at: int | None = model._default_manager.filter(**of).order_by("at").values_list("at", flat=True).first()
    return at
