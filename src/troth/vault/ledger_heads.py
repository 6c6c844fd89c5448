"""The end of the access log's chain at each run of proofs, kept outside the database and its backups: reveals a chain
that was truncated or rebuilt (C2).

    <time> run|restored <number> <link, hex> <seal, hex>     a line each in `keys/people/ledger-heads`, appended, synced
    seal = SHA-256("troth head 1" | seal before | the line up to here)

A restored copy has an older log: the restore notes its end, and later rows are no longer expected. Weak: whoever can
also write `keys/people/` can remove lines from the end, or note a restore. May touch: that file; reads the access log.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from pathlib import Path

from troth.core import clock
from troth.core.disk import open_shared
from troth.vault import ledger
from troth.vault.ledger import Fault
from troth.vault.models import LedgerRow

NAME = "ledger-heads"
_RUN, _RESTORED = "run", "restored"
_SEAL = 64


@dataclass(frozen=True, slots=True)
class RecordedHead:
    """The end of the chain at some time."""

    at: datetime
    restored: bool
    number: int
    link: bytes


class Heads:
    """The list of one site. `folder`: the people's keys."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def note(self, *, restored: bool = False) -> None:
        """Append the current end of the chain; synced on return."""
        number, link = ledger.head()
        before = self._lines()[-1:] or [""]
        text = f"{clock.now().isoformat()} {_RESTORED if restored else _RUN} {number} {link.hex() or '-'} "
        line = f"{text}{_sealed(before[0][-_SEAL:], text)}\n".encode()
        descriptor = open_shared(self._path, os.O_RDWR | os.O_APPEND)
        try:
            size = os.pread(descriptor, os.fstat(descriptor).st_size, 0).rfind(b"\n") + 1
            os.ftruncate(descriptor, size)  # a torn line would spoil the one behind it
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def faults(self) -> list[Fault]:
        """Return where the ledger lacks what an earlier run saw."""
        heads, sound = self._read()
        expected = list(_still_there(heads))
        faults = [] if sound else [Fault(0, "the list of earlier ends was changed")]
        for batch in batched(expected, 500):
            rows = LedgerRow.objects.filter(number__in=[head.number for head in batch])
            links = {number: bytes(link) for number, link in rows.values_list("number", "link")}
            faults += [Fault(head.number, f"not as it was on {head.at:%-d %B %Y}") for head in batch
                      if links.get(head.number) != head.link]  # fmt: skip
        return faults

    def restored(self) -> RecordedHead | None:
        """Return the end of the chain at the last restore; None if there was none."""
        heads, _ = self._read()
        return next((head for head in reversed(heads) if head.restored), None)

    def _lines(self) -> list[str]:
        try:
            text = self._path.read_text("ascii", "replace")
        except FileNotFoundError:
            return []
        return text.split("\n")[:-1]  # a torn last line was never believed

    def _read(self) -> tuple[list[RecordedHead], bool]:
        """Return all recorded ends, and whether the list is unaltered."""
        heads, seal = list[RecordedHead](), ""
        for line in self._lines():
            text, line_seal = line[:-_SEAL], line[-_SEAL:]
            try:
                at, event, number, link = text.split()
                head = RecordedHead(
                    datetime.fromisoformat(at), event == _RESTORED, int(number), bytes.fromhex(link.strip("-"))
                )
            except ValueError:
                return heads, False
            if line_seal != _sealed(seal, text):
                return heads, False
            heads.append(head)
            seal = line_seal
        return heads, True


def _sealed(before: str, text: str) -> str:
    return hashlib.sha256(f"troth head 1{before}{text}".encode()).hexdigest()


def _still_there(heads: Sequence[RecordedHead]) -> Iterator[RecordedHead]:
    """Yield the ends whose row must still exist: not those that a later restore removed."""
    least: int | None = None
    for head in reversed(heads):
        if head.number and (least is None or head.number <= least):
            yield head
        if head.restored:
            least = head.number if least is None else min(least, head.number)
