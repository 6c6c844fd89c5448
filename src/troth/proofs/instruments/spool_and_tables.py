"""What a test visitor's hits left behind: frames in the spool, decrypted with the site's own key before they are
removed, and the tables at that position. Used by proofs. May touch: the spool and its keys (reading); the statistics
tables."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model, QuerySet

from troth.audience.counting.cells import Cell, Dim, Sums
from troth.audience.counting.commit import Counted, CountsRefused, MinuteCounts, cells_of, unpack
from troth.audience.counting.page_names import OTHER
from troth.audience.models import Day, Hour, Minute, Name, Registers, Restart
from troth.audience.storage.fold import HOURLY, day_of_proofs, kind_of
from troth.core import frames
from troth.core.entry import Kind
from troth.proofs.context import Scene
from troth.vault.envelope import OpeningKey, Unopenable, read_head
from troth.vault.keeper import read_site_id
from troth.vault.models import Position
from troth.vault.read_snapshot import one_moment

_FILED_SECONDS = 10.0
type Rows = dict[tuple[int, int, int, int], tuple[int, int, int, int]]
"""kind, at, name, by: views, visits, bounces, seconds."""
type Place = tuple[int, int]
"""A segment of the spool, and an offset in it."""


@dataclass(frozen=True, slots=True)
class OpenedFrame:
    """One frame of the spool, decrypted."""

    packed: bytes
    counts: MinuteCounts

    @property
    def cells(self) -> dict[Cell, tuple[int, int, int, int]]:
        """Return what the frame adds to each cell."""
        return dict(cells_of(self.counts))

    def is_of_one(self, *, seconds: int) -> bool:
        """Return whether the frame holds exactly one hit: one that reports a duration if `seconds` is not 0."""
        cells = self.cells
        total = sum(sums[0] for cell, sums in cells.items() if cell.dim in _WHOLE and cell.by is None)
        stayed = max((sums[3] for sums in cells.values()), default=0)
        return (total, stayed) == ((0, seconds) if seconds else (1, 0))


_WHOLE = frozenset({Dim.ALL, Dim.ASKED, Dim.DROPPED, Dim.EVENT, Dim.OUTBOUND, Dim.DOWNLOAD, Dim.MISSING, Dim.PRODUCT})
"""Every hit but one that reports a duration raises exactly one of these by one."""


@dataclass(frozen=True, slots=True)
class Book:
    """The test visitor's part of the tables at one position of the spool, and each table's number of rows."""

    at: Place
    days: Rows
    hours: Rows
    names: dict[str, int]
    counts: dict[str, int]
    """Rows of every table; of the statistics tables, only those of proofs."""


class NotTried(Exception):
    """The check could not be made; says why."""


# -- the spool --------------------------------------------------------------------------------------------------------


class SpoolWatch:
    """Reads what enters the spool from now on."""

    def __init__(self, scene: Scene) -> None:
        self._folder = scene.site.spool
        self._keys: dict[int, OpeningKey] = {}
        self.end: Place = (0, 0)
        self.fresh(opens=False)

    def fresh(self, *, opens: bool = True) -> tuple[list[OpenedFrame], list[str]]:
        """Return the test visits' frames since the last call, decrypted, and what is wrong with frames that could not
        be."""
        opened_frames, stray = list[OpenedFrame](), list[str]()
        for sequence in frames.segments(self._folder):
            start = max(self.end[1], frames.HEADER_SIZE) if sequence == self.end[0] else frames.HEADER_SIZE
            if sequence < self.end[0]:
                continue
            try:
                data = (self._folder / frames.segment_name(sequence)).read_bytes()[start:]
            except FileNotFoundError:
                continue
            for item in frames.read(data, start, sequence, closed=False):
                self.end = sequence, item.end
                if opens and isinstance(item, frames.Frame) and item.kind == Kind.HITS:
                    opened = self._open(item.body)
                    if isinstance(opened, str):
                        stray.append(opened)
                    elif opened.counts.proof:
                        opened_frames.append(opened)
        return opened_frames, stray

    def _open(self, body: bytes) -> OpenedFrame | str:
        try:
            packed = self._key(read_head(body).epoch).open(body, Counted).packed
            return OpenedFrame(packed, unpack(packed))
        except (Unopenable, CountsRefused):
            return "a frame of visit data does not contain totals"

    def _key(self, epoch: int) -> OpeningKey:
        if epoch not in self._keys:
            site = settings.TROTH_SITE
            private = (site.seal_keys / f"{epoch}.key").read_bytes()
            self._keys[epoch] = OpeningKey(read_site_id(site), epoch, private)
        return self._keys[epoch]


# -- the tables -------------------------------------------------------------------------------------------------------


def wait_until_filed(end: Place) -> None:
    """Return once everything up to this position of the spool is filed. Raises `NotTried`."""
    until = time.monotonic() + _FILED_SECONDS
    while _position() < end:
        if time.monotonic() > until:
            raise NotTried(f"The worker did not process a test visitor’s hits within {_FILED_SECONDS:.0f} seconds.")
        time.sleep(0.02)


def filed_up_to(end: Place) -> Book:
    """Return the tables once everything up to this position of the spool is filed. Other visits are not included."""
    wait_until_filed(end)
    return book_now()


def _position() -> Place:
    position = Position.objects.filter(id=1).values_list("segment", "offset").first()
    return position or (0, 0)


def book_now() -> Book:
    """Return the tables as they are now."""
    with one_moment():
        return Book(
            _position(),
            _rows(Day.with_proofs.filter(at__lt=0)),
            _rows(Hour.with_proofs.filter(at__lt=0)),
            dict(Name.objects.values_list("text", "id")),
            _sizes(),
        )


def _rows(rows: QuerySet[Any]) -> Rows:
    fields = ("kind", "at", "name", "by", "views", "visits", "bounces", "seconds")
    return {row[:4]: row[4:] for row in rows.values_list(*fields)}


def rows_of(day: int) -> Rows:
    """Return the totals of one day."""
    return _rows(Day.with_proofs.filter(at=day))


def remove() -> None:
    """Delete the test visitor's rows, which no figure ever included."""
    with transaction.atomic():
        for model in _SUMS:
            model._base_manager.filter(at__lt=0).delete()


_SUMS: tuple[type[Model], ...] = (Day, Hour, Minute, Registers, Restart)
"""Tables in which a test visitor has rows of their own."""


def _sizes() -> dict[str, int]:
    apart = {model._meta.db_table for model in _SUMS}
    with connection.cursor() as cursor:
        counts = {}
        for table in connection.introspection.table_names(cursor):
            condition = "WHERE at < 0" if table in apart else ""
            cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)} {condition}")  # noqa: S608 - quoted
            counts[table] = cursor.fetchone()[0]
    return counts


def gained(before: Rows, after: Rows) -> Rows:
    """Return what was added to each row, without unchanged rows."""
    none = (0, 0, 0, 0)
    gains = {}
    for key in before.keys() | after.keys():
        then, now = before.get(key, none), after.get(key, none)
        if then != now:
            gains[key] = (now[0] - then[0], now[1] - then[1], now[2] - then[2], now[3] - then[3])
    return gains


def as_rows(frames: Iterable[OpenedFrame], names: Mapping[str, int], existing: Rows, *, hourly: bool = False) -> Rows:
    """Return what these frames must add to the tables: a name beyond its kind's limit of rows is "(other)"."""
    totals: dict[tuple[int, int, int, int], list[int]] = {}
    for frame in frames:
        for cell, sums in frame.cells.items():
            if hourly and (cell.dim not in HOURLY or cell.by is not None):
                continue
            day = day_of_proofs(frame.counts.day)
            at = day * 24 + frame.counts.hour if hourly else day
            key = kind_of(cell.dim, cell.by), at, _id(cell.name, names), _id(cell.by_name, names)
            if key not in existing:
                key = (*key[:2], _id(OTHER, names), _id(OTHER, names) if cell.by is not None else 0)
            row = totals.setdefault(key, [0, 0, 0, 0])
            for place, more in enumerate(sums):
                row[place] += more
    return {key: (row[0], row[1], row[2], row[3]) for key, row in totals.items() if any(row)}


def _id(name: str, names: Mapping[str, int]) -> int:
    return names.get(name, -1) if name else 0


def added(frames: Iterable[OpenedFrame]) -> dict[Cell, tuple[int, int, int, int]]:
    """Return the sum of these frames."""
    sums = Sums()
    for frame in frames:
        for cell, (views, visits, bounces, seconds) in frame.cells.items():
            sums.add(cell, views=views, visits=visits, bounces=bounces, seconds=seconds)
    return dict(sums)
