"""The journal of sent emails and unsubscribes, which a restored copy must not undo (WALL 4).

    file   keys/sent/<number>.log: rows of 40 bytes, the first of which is its head
    row    what 1 | milliseconds since 1970 7 | id 16 | checksum 16

It is outside the database and its backups, with random ids of deliveries and subscriptions. *Tried* is synced before an
email is sent. The outcome is written before the database has it, and synced with the next try: if that row is lost, the
email counts as uncertain, which is true. *Left* is synced before the database has it. Worker only; an incomplete last
row is cut off.
"""

import fcntl
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from troth.core import clock
from troth.core.checked_rows import RowFormat
from troth.core.disk import is_plain, sync_folder, write_all
from troth.core.site import Site

_ROWS = RowFormat(b"troth sent", body=24, checksum=16)
_ROW = _ROWS.size
_HEAD, _TRIED, _SENT, _NOT_SENT, _LEFT, _GAP = b"H", b"T", b"S", b"N", b"L", b"G"
_MOST = 4 << 20
"""Bytes of one file, some 100,000 rows; then the next is begun, so that old ones can go."""


@dataclass(slots=True)
class Deeds:
    """What the journal tells, by opaque id, with the time in milliseconds since 1970."""

    sent: dict[uuid.UUID, int] = field(default_factory=dict)
    tried: dict[uuid.UUID, int] = field(default_factory=dict)
    """Handed over, and nobody wrote down what became of it."""
    left: dict[uuid.UUID, int] = field(default_factory=dict)


class SentJournal:
    """The journal in one folder. Opened for each use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, site: Site) -> "SentJournal":
        """Return the journal of a site."""
        return cls(site.sent)

    # -- writing --------------------------------------------------------------------------------------------------

    def tried(self, deliveries: Iterable[uuid.UUID]) -> None:
        """Record that these emails are about to be sent. Synced on return."""
        self._add([(_TRIED, delivery) for delivery in deliveries], synced=True)

    def sent(self, deliveries: Iterable[uuid.UUID]) -> None:
        """Record that the relay accepted them."""
        self._add([(_SENT, delivery) for delivery in deliveries], synced=False)

    def not_sent(self, deliveries: Iterable[uuid.UUID]) -> None:
        """Record that the relay certainly does not have them."""
        self._add([(_NOT_SENT, delivery) for delivery in deliveries], synced=False)

    def left(self, subscription: uuid.UUID) -> None:
        """Record an unsubscribe. Synced on return."""
        self._add([(_LEFT, subscription)], synced=True)

    def note_gap(self) -> None:
        """Record a gap: it does not have everything before this point. Synced on return."""
        self._add([(_GAP, uuid.UUID(int=0))], synced=True)

    def _add(self, rows: list[tuple[bytes, uuid.UUID]], *, synced: bool) -> None:
        if not rows:
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)  # worker and shell may write at once
            descriptor = self._open_last()
            try:
                write_all(descriptor, b"".join(_row(event, delivery) for event, delivery in rows))
                if synced:
                    os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
        finally:
            os.close(lock)

    def _open_last(self) -> int:
        files = self.files()
        if files:
            descriptor = os.open(files[-1], os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            size = os.fstat(descriptor).st_size
            if _ROW <= size < _MOST:
                os.ftruncate(descriptor, size // _ROW * _ROW)
                return descriptor
            os.fdatasync(descriptor)
            os.close(descriptor)
        number = int(files[-1].stem, 16) + 1 if files else 1
        created = os.open(
            self._folder / f"{number:08x}.log", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        write_all(created, _row(_HEAD, self.id or uuid.uuid4()))
        os.fsync(created)
        sync_folder(self._folder)
        return created

    # -- reading --------------------------------------------------------------------------------------------------

    def files(self) -> list[Path]:
        """Return its files, oldest first."""
        return sorted(path for path in self._folder.glob("*.log") if len(path.stem) == 8 and is_plain(path))

    @property
    def id(self) -> uuid.UUID | None:
        """Return its id, by which a restore tells whether it continued without a gap; None if there is no journal."""
        for path in reversed(self.files()):
            with path.open("rb") as file:
                for event, _, delivery in _rows(file.read(_ROW)):
                    if event == _HEAD:
                        return delivery
        return None

    def deeds(self) -> Deeds:
        """Read all rows; skips incomplete and damaged ones."""
        deeds = Deeds()
        rows = [row for path in self.files() for row in _rows(path.read_bytes())]
        for event, at, delivery in sorted(rows, key=lambda row: row[1]):  # taken over rows stand behind newer ones
            _note(deeds, event, at, delivery)
        return deeds

    def gap(self) -> datetime | None:
        """Return the time of the last gap; None if there is none."""
        rows = [row for path in self.files() for row in _rows(path.read_bytes())]
        last = max((at for event, at, _ in rows if event == _GAP), default=None)
        return None if last is None else datetime.fromtimestamp(last / 1000, clock.now().tzinfo)

    @property
    def oldest_closed(self) -> datetime | None:
        """Return the time of the last row of the oldest full file; None if there is only the present one."""
        closed = self.files()[:-1]
        if not closed:
            return None
        last = max((at for _, at, _ in _rows(closed[0].read_bytes())), default=0)
        return datetime.fromtimestamp(last / 1000, clock.now().tzinfo)

    # -- keeping --------------------------------------------------------------------------------------------------

    def expire(self, retention: timedelta) -> int:
        """Remove files of which every row is older than that; returns how many. The last one stays."""
        removed, before = 0, (clock.now() - retention).timestamp() * 1000
        for path in self.files()[:-1]:
            if max((at for _, at, _ in _rows(path.read_bytes())), default=0) < before:
                path.unlink()
                removed += 1
        return removed

    def take_over(self, files: Iterable[Path]) -> None:
        """Add the rows of another copy of this journal, as after a restore; duplicates do no harm."""
        rows = [
            (event, at, delivery)
            for path in files
            for event, at, delivery in _rows(path.read_bytes())
            if event != _HEAD
        ]
        existing = {(event, at, delivery) for path in self.files() for event, at, delivery in _rows(path.read_bytes())}
        fresh = [row for row in rows if row not in existing]
        if not fresh:
            return
        self._add([(_TRIED, uuid.UUID(int=0))], synced=True)  # makes the file where there is none
        descriptor = os.open(self.files()[-1], os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            write_all(
                descriptor,
                b"".join(_row(event, delivery, at) for event, at, delivery in sorted(fresh, key=lambda row: row[1])),
            )
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _note(deeds: Deeds, event: bytes, at: int, delivery: uuid.UUID) -> None:
    if event == _SENT:
        deeds.sent[delivery] = at
        deeds.tried.pop(delivery, None)
    elif event == _TRIED:
        deeds.tried[delivery] = at
    elif event == _NOT_SENT:
        deeds.tried.pop(delivery, None)
    elif event == _LEFT:
        deeds.left[delivery] = at


def _row(event: bytes, delivery: uuid.UUID, at: int | None = None) -> bytes:
    return _ROWS.pack(event + (clock.timestamp_ms() if at is None else at).to_bytes(7) + delivery.bytes)


def _rows(data: bytes) -> Iterator[tuple[bytes, int, uuid.UUID]]:
    for body in _ROWS.bodies(data):
        yield body[:1], int.from_bytes(body[1:8]), uuid.UUID(bytes=body[8:])
