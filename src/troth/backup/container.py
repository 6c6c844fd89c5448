"""The file format of backups: encrypted with the site's recovery key; damage is detected.

    head    magic 8 | format 1 | kind 1 | site 16 | made 8 | recovery key's mark 8 | length 2 | wrapped key
    block   bytes 4 | AES-256-GCM ciphertext of up to 1 MiB

HPKE (RFC 9180, with ML-KEM-768 + X25519) wraps the file's own key, with the head as `info`. A block's nonce is its
number and a flag for the last block; its associated data is the head's hash (the STREAM construction of Hoang,
Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015). So
truncation, reordering, blocks from another file and changed bits are detected. The content is members: a name, its
bytes in records, its size. Nothing is compressed: ciphertext does not shrink.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from troth.backup.errors import Altered, Foreign, TooNew, Truncated, WrongKey
from troth.backup.recovery_key import PublicHalf, RecoveryKey

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_MAGIC, _FORMAT = b"TROTHBK\x01", 1
_FIXED = 8 + 1 + 1 + 16 + 8 + 8
_BLOCK, _TAG = 1 << 20, 16
_NAME, _DATA, _END = b"N", b"D", b"E"
_MOST_NAME = 255


class BackupKind(IntEnum):
    """Which half of a backup: the two are kept apart, and expire apart (WALL 2)."""

    DATA = 1
    KEYS = 2

    @property
    def word(self) -> str:
        """Return the word in the file's name."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class BackupHeader:
    """What a backup says of itself to whoever holds the file; opening it proves it."""

    kind: BackupKind
    site: uuid.UUID
    made_at: datetime
    key_mark: bytes

    def raw(self) -> bytes:
        """Return the fixed part of the head."""
        made_ms = round(self.made_at.timestamp() * 1000)
        return _MAGIC + bytes([_FORMAT, self.kind]) + self.site.bytes + made_ms.to_bytes(8) + self.key_mark


class Writer:
    """Writes one chest into an open file."""

    def __init__(self, file: BinaryIO, head: BackupHeader, public: PublicHalf) -> None:
        self._file, key, fixed = file, AESGCM.generate_key(256), head.raw()
        wrapped = _SUITE.encrypt(key, public.key(), info=fixed)
        raw = fixed + len(wrapped).to_bytes(2) + wrapped
        file.write(raw)
        self._cipher, self._about = AESGCM(key), sha256(raw).digest()
        self._number, self._left = 0, bytearray()

    def member(self, name: str, parts: Iterator[bytes]) -> int:
        """Add a member with these parts; returns its size in bytes."""
        self._record(_NAME, name.encode())
        size = 0
        for part in parts:
            for start in range(0, len(part), _BLOCK):
                self._record(_DATA, part[start : start + _BLOCK])
            size += len(part)
        self._record(_END, size.to_bytes(8))
        return size

    def close(self) -> None:
        """Write the last block. A chest without it is told as cut short."""
        self._block(bytes(self._left), last=True)

    def _record(self, kind: bytes, body: bytes) -> None:
        self._left += kind + len(body).to_bytes(4)
        self._left += body
        while len(self._left) > _BLOCK:
            self._block(bytes(self._left[:_BLOCK]), last=False)
            del self._left[:_BLOCK]

    def _block(self, plain: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, last), plain, self._about)
        self._file.write(len(sealed).to_bytes(4))
        self._file.write(sealed)
        self._number += 1


class BackupReader:
    """Reads one chest. Every byte that it gives was authenticated; the end is told only when it was seen."""

    def __init__(self, path: Path, key: RecoveryKey) -> None:
        self._name = path.name
        self._file = path.open("rb")
        try:
            self.head, fixed, wrapped = _read_head(self._file, self._name)
            if key.public().mark != self.head.key_mark:
                raise WrongKey(
                    f"{self._name} was encrypted to another recovery key ({self.head.key_mark.hex()}).",
                    mend="Use the key that was written down when this backup was created.",
                )
            file_key = _SUITE.decrypt(wrapped, key.private(), info=fixed)
        except (InvalidTag, ValueError):
            self._file.close()
            raise _altered(self._name) from None
        except BaseException:
            self._file.close()
            raise
        self._cipher, self._about = AESGCM(file_key), sha256(fixed + len(wrapped).to_bytes(2) + wrapped).digest()
        self._left, self._blocks, self.read = bytearray(), self._each_block(), 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def members(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield each member's name and parts, in order. Read the parts before asking for the next member."""
        while (record := self._record()) is not None:
            kind, body = record
            if kind != _NAME or not 0 < len(body) <= _MOST_NAME:
                raise _altered(self._name)
            parts = self._parts()
            yield body.decode("utf-8", "strict"), parts
            for _ in parts:
                pass

    def _parts(self) -> Iterator[bytes]:
        size = 0
        while True:
            kind, body = self._record() or (b"", b"")
            if kind == _END and body == size.to_bytes(8):
                return
            if kind != _DATA:
                raise _altered(self._name)
            size += len(body)
            yield body

    def _record(self) -> tuple[bytes, bytes] | None:
        if not self._fill(5):
            if self._left:
                raise _altered(self._name)
            return None
        kind, length = bytes(self._left[:1]), int.from_bytes(self._left[1:5])
        if length > _BLOCK or not self._fill(5 + length):
            raise _altered(self._name)
        body = bytes(self._left[5 : 5 + length])
        del self._left[: 5 + length]
        return kind, body

    def _fill(self, size: int) -> bool:
        while len(self._left) < size:
            block = next(self._blocks, None)
            if block is None:
                return False
            self._left += block
        return True

    def _each_block(self) -> Iterator[bytes]:
        number, last = 0, False
        while not last:
            length = int.from_bytes(self._exactly(4))
            if not _TAG <= length <= _BLOCK + _TAG:
                raise _altered(self._name)
            sealed = self._exactly(length)
            plain, last = self._opened(number, sealed)
            number += 1
            yield plain
        if self._file.read(1):
            raise Altered(f"{self._name} has extra data after its end.", mend=_OTHER)

    def _opened(self, number: int, sealed: bytes) -> tuple[bytes, bool]:
        for last in (False, True):
            try:
                return self._cipher.decrypt(_nonce(number, last), sealed, self._about), last
            except InvalidTag:
                continue
        raise _altered(self._name)

    def _exactly(self, count: int) -> bytes:
        chunk = self._file.read(count)
        self.read += len(chunk)
        if len(chunk) < count:
            raise _truncated(self._name)
        return chunk


_OTHER = "Take another copy of it, or another backup."


def head_of(path: Path) -> BackupHeader:
    """Read a backup's head. Raises `Foreign`, `Truncated` or `TooNew`."""
    with path.open("rb") as file:
        return _read_head(file, path.name)[0]


def _read_head(file: BinaryIO, name: str) -> tuple[BackupHeader, bytes, bytes]:
    fixed = file.read(_FIXED)
    if fixed[:7] != _MAGIC[:7]:
        raise Foreign(f"{name} is not a Troth backup.", mend="Name the .troth files that `troth backup` created.")
    if len(fixed) < _FIXED:
        raise _truncated(name)
    if fixed[7:9] != _MAGIC[7:] + bytes([_FORMAT]):
        raise TooNew(
            f"{name} was created by a later version of Troth, or is damaged.",
            mend="Install that version or a later one.",
        )
    try:
        kind = BackupKind(fixed[9])
        made_at = datetime.fromtimestamp(int.from_bytes(fixed[26:34]) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise _altered(name) from None
    length = int.from_bytes(file.read(2))
    wrapped = file.read(length)
    if not length or len(wrapped) < length:
        raise _truncated(name)
    return BackupHeader(kind, uuid.UUID(bytes=fixed[10:26]), made_at, fixed[34:42]), fixed, wrapped


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


def _altered(name: str) -> Altered:
    return Altered(f"{name} is damaged, or was changed after it was written.", mend=_OTHER)


def _truncated(name: str) -> Truncated:
    return Truncated(f"{name} is incomplete: it was cut off while being copied.", mend=_OTHER)
