"""Which emails were begun, and which the relay took: written as it happens, read after a kill.

    file   keys/sent/begun: rows of 33 bytes; what 1 | id 16 | checksum 16
    rows   B the boot of the machine | C a claim, before the database has it | D a delivery whose content begins
           S a delivery that the relay took

The worker claims many emails at once, and writes their results down many at once. Without this file, a killed worker
leaves all of them uncertain; with it, only those whose content had begun and which the relay had not answered: one for
each connection. A row is one `write`, not synced: what a process wrote survives its death, whatever kills it, and costs
a few microseconds where a synced transaction costs milliseconds. It need not survive the machine's: of another boot, or
of a claim that is not in it, the file says nothing, and all are uncertain. Worker only.
"""

import errno
import os
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from troth.core.checked_rows import RowFormat
from troth.core.clock_jumps import boot_id
from troth.core.disk import is_plain

_ROWS = RowFormat(b"troth begun", body=17, checksum=16)
_BOOT, _CLAIM, _DELIVERY, _SENT = b"B", b"C", b"D", b"S"
_NAME = "begun"
_NEEDLESS = 1 << 18
"""Bytes of claims that are over, from which the file is written anew without them."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What the file tells. `claims`: those of which it knows every email that was begun."""

    claims: frozenset[uuid.UUID] = frozenset()
    deliveries: frozenset[uuid.UUID] = frozenset()
    sent: frozenset[uuid.UUID] = frozenset()


class BegunLog:
    """The file in the journal's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._descriptor, self._size = -1, 0
        self._claims: dict[uuid.UUID, int] = {}
        """Those that are not over, and where each begins."""
        self._boot = _this_boot()
        """None: the machine does not tell, and nothing is written."""

    def read(self) -> Begun:
        """Return what it tells; nothing where it is of an earlier boot, damaged at its head, or not there."""
        if self._boot is None or not is_plain(self._path):
            return Begun()
        data = self._path.read_bytes()
        rows = [(body[:1], uuid.UUID(bytes=body[1:])) for body in _ROWS.bodies(data)]
        if not rows or rows[0] != (_BOOT, self._boot) or len(rows) * _ROWS.size != len(data):
            return Begun()  # a row that cannot be read could be of any email
        return Begun(
            frozenset(ident for event, ident in rows if event == _CLAIM),
            frozenset(ident for event, ident in rows if event == _DELIVERY),
            frozenset(ident for event, ident in rows if event == _SENT),
        )

    def claim(self, claim: uuid.UUID) -> None:
        """Record that this claim is about to be made: from now on, each of its emails that begins is recorded."""
        self._write(_CLAIM, claim)
        self._claims[claim] = self._size - _ROWS.size

    def begin(self, delivery: uuid.UUID) -> None:
        """Record that the content of this email is about to be sent. Raises `OSError`: then it must not be."""
        self._write(_DELIVERY, delivery)

    def sent(self, delivery: uuid.UUID) -> None:
        """Record that the relay took it. If that cannot be recorded, it is uncertain after a kill."""
        with suppress(OSError):
            self._write(_SENT, delivery)

    def over(self, claim: uuid.UUID) -> None:
        """Forget a claim: what became of each of its emails is in the database."""
        self._claims.pop(claim, None)
        if self._descriptor < 0:
            return
        if not self._claims:
            os.ftruncate(self._descriptor, _ROWS.size)
            self._size = _ROWS.size
        elif (first := min(self._claims.values())) > _NEEDLESS:
            self._shorten(first)

    def _shorten(self, first: int) -> None:
        """Write the file anew, without what lies before `first`."""
        with suppress(OSError):  # it stays longer than it need be
            kept = self._path.read_bytes()[first : self._size]
            fresh = self._path.with_name(f"{_NAME}.new")
            fresh.unlink(missing_ok=True)
            descriptor = self._made(fresh)
            try:
                _write_whole(descriptor, _ROWS.pack(_BOOT + self._claims_boot) + kept)
                fresh.rename(self._path)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(self._descriptor)
            less = first - _ROWS.size
            self._descriptor, self._size = descriptor, self._size - less
            self._claims = {claim: start - less for claim, start in self._claims.items()}

    @property
    def _claims_boot(self) -> bytes:
        assert self._boot is not None
        return self._boot.bytes

    def _write(self, event: bytes, ident: uuid.UUID) -> None:
        if self._boot is None:
            return
        if self._descriptor < 0:
            self._begin_file()
        _write_whole(self._descriptor, _ROWS.pack(event + ident.bytes))
        self._size += _ROWS.size

    def _begin_file(self) -> None:
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        self._path.unlink(missing_ok=True)
        descriptor = self._made(self._path)
        _write_whole(descriptor, _ROWS.pack(_BOOT + self._claims_boot))
        self._descriptor, self._size = descriptor, _ROWS.size

    @staticmethod
    def _made(path: Path) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        return os.open(path, flags, 0o600)


def _write_whole(descriptor: int, rows: bytes) -> None:
    if os.write(descriptor, rows) != len(rows):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _this_boot() -> uuid.UUID | None:
    try:
        return uuid.UUID(boot_id())
    except ValueError:
        return None
