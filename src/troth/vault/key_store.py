"""The key store: one file of fixed slots, a key for each person, overwritten when the person is deleted (WALL 2).

    header 64    magic 8 | store id 16 | checksum 12 | zeros
    slot 64      state 4 | owner 16 | key 32 | checksum 12       at 64 * (1 + slot)

    state        KEY1                  a person's key; the owner is the person
                 H | last day 3        the key of a legal hold; the owner is the hold (`vault.legal_holds`)
                 GONE                  overwritten

It is outside the database and its backups: a data backup has ciphertext without keys. Worker and office read it; a
writer holds a lock on the file. A slot number is never reused.

The last day of a hold, in days since 1970-01-01, is written with its key and by nothing else: no code here can change
it, whatever the database says, and it is known when the database has lost the hold. The first hold makes TROTHKS2 of
TROTHKS1, so that no program that does not know of last days opens the file.

Weak: overwriting in place works on plain disks and most file systems, not on copy-on-write ones (btrfs, ZFS snapshots)
or inside an SSD; there, only the disk's own encryption can destroy old copies.
"""

import fcntl
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Self

from troth.core.checked_rows import RowFormat
from troth.core.disk import open_plain, sync_folder
from troth.core.ids import new_id
from troth.vault.errors import KeyErased, KeyStoreError

SLOT_SIZE = 64
_KIND, _WITHOUT_HOLDS, _WITH_HOLDS = b"TROTHKS", b"TROTHKS1", b"TROTHKS2"
_USED, _GONE, _HELD = b"KEY1", b"GONE", b"H"
_EPOCH = date(1970, 1, 1)
_STRETCH = 1 << 20
_LOST_MEND = "Put keys/people/ back from the key store's own backup. Without it nobody's records can be read."
_APART_MEND = "Restore keys/people/ and the database from backups that belong together."
_HEADER, _SLOT = (RowFormat(b"troth keystore", body=size, checksum=12) for size in (24, 52))


@dataclass(frozen=True, slots=True, repr=False)
class Allotted:
    """A new slot and its key."""

    slot: int
    key: bytes


@dataclass(frozen=True, slots=True, repr=False)
class HoldKey:
    """The key of a legal hold. `until`: the last day on which it opens anything."""

    key: bytes
    until: date


@dataclass(frozen=True, slots=True)
class HoldSlot:
    """A slot with the key of a legal hold. `until`: the last day on which it is kept."""

    slot: int
    hold: uuid.UUID
    until: date


def path_in(folder: Path) -> Path:
    """Return the path of the slots' file in `keys/people/`."""
    return folder / "slots"


class KeyStore:
    """An open key store. Safe to share between threads: reads and writes are positioned."""

    def __init__(self, descriptor: int, store_id: uuid.UUID, folder: Path) -> None:
        self._fd, self.id, self._folder = descriptor, store_id, folder

    @classmethod
    def create(cls, folder: Path) -> uuid.UUID:
        """Create an empty key store in the existing folder; return its id. Never replaces an existing one."""
        store_id = new_id()
        try:
            descriptor = os.open(path_in(folder), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o660)
        except FileExistsError:
            raise KeyStoreError(
                "There is a key store here already.", mend="It holds people's keys: leave it where it is."
            ) from None
        try:
            os.write(descriptor, _HEADER.pack(_WITHOUT_HOLDS + store_id.bytes).ljust(SLOT_SIZE, b"\0"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(folder)
        return store_id

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the store in `folder`. A missing one is an error and is never recreated: that would orphan every
        record."""
        try:
            descriptor = open_plain(path_in(folder), os.O_RDWR, linked=True)
        except FileNotFoundError:
            raise KeyStoreError("The people's key store (keys/people/slots) is missing.", mend=_LOST_MEND) from None
        head = os.pread(descriptor, SLOT_SIZE, 0)
        if head[:8] not in (_WITHOUT_HOLDS, _WITH_HOLDS) or not _HEADER.is_sound(head[:36]):
            os.close(descriptor)
            raise _refused(head)
        return cls(descriptor, uuid.UUID(bytes=head[8:24]), folder)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._fd, fcntl.LOCK_EX)  # between processes; within one, all writing is on one thread
        try:
            yield
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    @contextmanager
    def filing(self) -> Iterator[None]:
        """Hold a lock while new people are looked up and indexed, so that nobody is created twice.

        Take it within a database transaction, never the other way round. It locks an existing file: a lock file's owner
        could be the first process, and lock out the others.
        """
        descriptor = open_plain(self._folder / "index-administration.key", linked=True)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def allot(self, people: Sequence[uuid.UUID]) -> list[Allotted]:
        """Return a new key for each person, in order, synced: the database may now name the slots."""
        if not people:
            return []
        with self._locked():
            return self._append([(_USED, person) for person in people])

    def allot_hold(self, hold: uuid.UUID, until: date) -> Allotted:
        """Return a new key for this legal hold, synced. It is destroyed after `until`, its last day."""
        with self._locked():
            self._note_holds()
            (allotted,) = self._append([(_HELD + (until - _EPOCH).days.to_bytes(3), hold)])
        return allotted

    def _append(self, owners: Sequence[tuple[bytes, uuid.UUID]]) -> list[Allotted]:
        # A tail that is not a whole slot was torn by a crash; no database ever named it.
        first = os.fstat(self._fd).st_size // SLOT_SIZE - 1
        allotted = [Allotted(first + index, os.urandom(32)) for index in range(len(owners))]
        data = b"".join(
            _slot(state, owner, allotment.key) for (state, owner), allotment in zip(owners, allotted, strict=True)
        )
        _write_at(self._fd, data, SLOT_SIZE * (1 + first))
        os.fdatasync(self._fd)
        return allotted

    def _note_holds(self) -> None:
        if os.pread(self._fd, 8, 0) != _WITH_HOLDS:
            _write_at(self._fd, _HEADER.pack(_WITH_HOLDS + self.id.bytes), 0)
            os.fsync(self._fd)

    def key(self, slot: int, person: uuid.UUID) -> bytes:
        """Return the key of `person` in `slot`. Raises `KeyErased`, or `KeyStoreError` if store and data do not
        match."""
        return self._sound(slot, person, _USED)[20:52]

    def hold_key(self, slot: int, hold: uuid.UUID) -> HoldKey:
        """Return the key of a legal hold, which opens no person's records. Raises the same."""
        raw = self._sound(slot, hold, _HELD)
        return HoldKey(raw[20:52], _until(raw))

    def _sound(self, slot: int, owner: uuid.UUID, state: bytes) -> bytes:
        raw = self._raw(slot)
        if raw[:20] == _GONE + owner.bytes:
            raise KeyErased("The key was destroyed.")
        if len(raw) < SLOT_SIZE or not raw.startswith(state) or raw[4:20] != owner.bytes:
            raise KeyStoreError("The key store and the data do not belong together.", mend=_APART_MEND)
        if not _SLOT.is_sound(raw):
            raise KeyStoreError("A slot of the key store is damaged.", mend=_LOST_MEND)
        return raw

    def _raw(self, slot: int) -> bytes:
        return os.pread(self._fd, SLOT_SIZE, SLOT_SIZE * (1 + slot))

    def person(self, slot: int) -> uuid.UUID | None:
        """Return the slot's person; None if they were erased, the slot was never used, or is a hold's."""
        raw = self._raw(slot)
        return uuid.UUID(bytes=raw[4:20]) if raw[:4] == _USED and _SLOT.is_sound(raw) else None

    @property
    def slots(self) -> int:
        """Return how many slots were ever used."""
        return max(0, os.fstat(self._fd).st_size // SLOT_SIZE - 1)

    def holds(self) -> Iterator[HoldSlot]:
        """Yield every legal hold whose key is there, by slot. Reads the whole file: 64 MB for a million people."""
        start = 0
        while data := os.pread(self._fd, _STRETCH, SLOT_SIZE * (1 + start)):
            states = data[::SLOT_SIZE]
            place = states.find(_HELD)
            while place >= 0:
                raw = data[SLOT_SIZE * place : SLOT_SIZE * (place + 1)]
                if _SLOT.is_sound(raw):
                    yield HoldSlot(start + place, uuid.UUID(bytes=raw[4:20]), _until(raw))
                place = states.find(_HELD, place + 1)
            start += len(states)

    def owns(self, slot: int, owner: uuid.UUID) -> bool:
        """Return whether this slot has the key of this person or hold."""
        raw = self._raw(slot)
        return raw[4:20] == owner.bytes and raw.startswith((_USED, _HELD)) and _SLOT.is_sound(raw)

    def erase(self, people: Sequence[tuple[int, uuid.UUID]]) -> None:
        """Overwrite the keys of these (slot, person) and sync. May be repeated."""
        self._erase(people, _USED)

    def erase_holds(self, holds: Sequence[tuple[int, uuid.UUID]]) -> None:
        """Overwrite the keys of these (slot, hold) and sync. May be repeated."""
        self._erase(holds, _HELD)

    def _erase(self, owners: Sequence[tuple[int, uuid.UUID]], state: bytes) -> None:
        with self._locked():
            for slot, owner in owners:
                try:
                    self._sound(slot, owner, state)  # never overwrite a slot that is somebody else's
                except KeyErased:
                    continue
                _write_at(self._fd, _slot(_GONE, owner, bytes(32)), SLOT_SIZE * (1 + slot))
            os.fsync(self._fd)


def _refused(head: bytes) -> KeyStoreError:
    if head[:7] == _KIND and _HEADER.is_sound(head[:36]):
        mend = "Install that version or a later one."
        return KeyStoreError("keys/people/slots was written by a later version of Troth.", mend=mend)
    return KeyStoreError("keys/people/slots is not a key store, or its head is damaged.", mend=_LOST_MEND)


def _until(raw: bytes) -> date:
    return _EPOCH + timedelta(days=int.from_bytes(raw[1:4]))


def _slot(state: bytes, owner: uuid.UUID, key: bytes) -> bytes:
    return _SLOT.pack(state + owner.bytes + key)


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
