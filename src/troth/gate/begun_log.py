"""Which emails were begun: written before the content of each is handed to a relay, read after a kill.

    file   keys/sent/begun: rows of 33 bytes; what 1 | id 16 | checksum 16
    rows   B the boot of the machine | C a claim, before the database has it | D a delivery whose content begins

The worker claims many emails at once. Without this file, a killed worker leaves all of them uncertain; with it, only
those whose content had begun: one for each connection. A row is one `write`, not synced: what a process wrote survives
its death, whatever kills it, and costs a few microseconds where a synced transaction costs milliseconds. It need not
survive the machine's: of another boot, or of a claim that is not in it, the file says nothing, and all are uncertain.
Worker only.
"""

import errno
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from troth.core.checked_rows import RowFormat
from troth.core.clock_jumps import boot_id
from troth.core.disk import is_plain

_ROWS = RowFormat(b"troth begun", body=17, checksum=16)
_BOOT, _CLAIM, _DELIVERY = b"B", b"C", b"D"
_NAME = "begun"


@dataclass(frozen=True, slots=True)
class Begun:
    """What the file tells. `claims`: those of which it knows every email that was begun."""

    claims: frozenset[uuid.UUID] = frozenset()
    deliveries: frozenset[uuid.UUID] = frozenset()


class BegunLog:
    """The file in the journal's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._descriptor = -1
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
        )

    def claim(self, claim: uuid.UUID) -> None:
        """Record that this claim is about to be made: from now on, each of its emails that begins is recorded."""
        self._write(_CLAIM, claim)

    def begin(self, delivery: uuid.UUID) -> None:
        """Record that the content of this email is about to be sent. Raises `OSError`: then it must not be."""
        self._write(_DELIVERY, delivery)

    def clear(self) -> None:
        """Forget all: what became of every claimed email is in the database."""
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, _ROWS.size)

    def _write(self, event: bytes, ident: uuid.UUID) -> None:
        if self._boot is None:
            return
        if self._descriptor < 0:
            self._descriptor = self._anew(self._boot)
        _write_whole(self._descriptor, _ROWS.pack(event + ident.bytes))

    def _anew(self, boot: uuid.UUID) -> int:
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        self._path.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        _write_whole(descriptor, _ROWS.pack(_BOOT + boot.bytes))
        return descriptor


def _write_whole(descriptor: int, row: bytes) -> None:
    if os.write(descriptor, row) != len(row):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _this_boot() -> uuid.UUID | None:
    try:
        return uuid.UUID(boot_id())
    except ValueError:
        return None
