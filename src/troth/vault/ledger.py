"""The access log: every use of people's records, in a hash chain that reveals changed or removed rows (C2).

A row commits to its content with a salted hash, and the chain runs over the commitments:

    commitment = SHA-256("troth ledger c1" | salt | content)
    link       = SHA-256("troth ledger l1" | link before | number | commitment | end date)

At its end date a row's content and salt are deleted; the chain still verifies. Content has random ids only, so nothing
here identifies a deleted person. Weak: whoever can rewrite the whole table can build a new chain; note `head()`
elsewhere.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction

from troth.core import clock
from troth.core.purpose import Purpose, Reason
from troth.vault.models import Canary, LedgerHead, LedgerRow
from troth.vault.read_snapshot import one_moment

WORKER = "worker"
"""The actor of what the worker does by itself."""
PROGRAM = "program"
"""The actor of what an operator's own program asks by API."""
PROOF = "proof"
"""The actor of a proof run."""
KEPT = timedelta(days=400)
"""How long a row's content is kept: over a year, so that a yearly review covers the year before."""


class Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The content of one row."""

    at: datetime
    actor: str
    """`worker`, `shell`, `person`, `program`, `proof`, or the operator's opaque id."""
    reason: Reason
    purpose: Purpose
    people: list[bytes]
    """Opaque ids, 16 bytes each."""
    count: int
    canaries: bool = False
    """Whether all of these people are canaries: then it was part of a proof run, whoever did it."""

    @property
    def of_proof(self) -> bool:
        """Return whether a proof run did or caused this."""
        return self.canaries or self.actor == PROOF


@dataclass(frozen=True, slots=True)
class Fault:
    """A place where the chain is broken."""

    number: int
    what: str
    """`altered`, `broken`, `missing`, `forgotten too early` or `end differs`."""


def write(reason: Reason, actor: UUID | str, people: Sequence[UUID]) -> int:
    """Add one row for one use by any number of people; returns its number. Commits unless in a transaction.

    Canaries get a row of their own.
    """
    canaries = Canary.among(people)
    real = [person for person in people if person not in canaries]
    with transaction.atomic():
        if canaries:
            number = _add(reason, actor, [person for person in people if person in canaries], canaries=True)
        return _add(reason, actor, real) if real or not canaries else number


def _add(reason: Reason, actor: UUID | str, people: Sequence[UUID], *, canaries: bool = False) -> int:
    now = clock.now()
    use = Use(now, str(actor), reason, reason.purpose, [person.bytes for person in people], len(people), canaries)
    content, salt, ends_at = msgspec.msgpack.encode(use), os.urandom(16), (now + KEPT).date()
    commitment = _commitment(salt, content)
    LedgerHead.objects.get_or_create(id=1)
    head = LedgerHead.objects.select_for_update().get(id=1)
    head.number += 1
    link = _link(bytes(head.link), head.number, commitment, ends_at)
    LedgerRow.objects.create(
        number=head.number,
        content=content,
        salt=salt,
        commitment=commitment,
        link=link,
        ends_at=ends_at,
        proof=use.of_proof,
    )
    head.link = link
    head.save()
    return head.number


def read(row: LedgerRow) -> Use | None:
    """Return a row's content; None once it is deleted."""
    return None if row.content is None else msgspec.msgpack.decode(bytes(row.content), type=Use)


def head() -> tuple[int, bytes]:
    """Return the last row's number and link. Recorded elsewhere, they show later whether the chain was replaced."""
    last = LedgerHead.objects.filter(id=1).first()
    return (last.number, bytes(last.link)) if last else (0, b"")


def forget_ended() -> int:
    """Delete the content of rows whose end date has come; return how many."""
    ended = LedgerRow.objects.filter(ends_at__lte=clock.now().date(), content__isnull=False)
    return ended.update(content=None, salt=None)


def verify_chain() -> list[Fault]:
    """Return every place where the chain is broken."""
    with one_moment():
        return list(_faults())


def _faults() -> Iterator[Fault]:
    before, expected, today = b"", 1, clock.now().date()
    for row in LedgerRow.objects.order_by("number").iterator(chunk_size=1000):
        if row.number != expected:
            yield Fault(expected, "missing")
        yield from _row_faults(row, before, today)
        before, expected = bytes(row.link), row.number + 1
    if head() != (expected - 1, before):
        yield Fault(expected - 1, "end differs")


def _row_faults(row: LedgerRow, before: bytes, today: date) -> Iterator[Fault]:
    if row.content is None or row.salt is None:
        if row.ends_at > today:
            yield Fault(row.number, "forgotten too early")
    elif _commitment(bytes(row.salt), bytes(row.content)) != bytes(row.commitment) or _is_hidden(row):
        yield Fault(row.number, "altered")
    if _link(before, row.number, bytes(row.commitment), row.ends_at) != bytes(row.link):
        yield Fault(row.number, "broken")


def _is_hidden(row: LedgerRow) -> bool:
    """Return whether the row's column contradicts its content, so that the page would omit it."""
    try:
        use = read(row)
    except ValueError:  # msgspec's, for content that is none
        return True
    return use is not None and use.of_proof != row.proof


def _commitment(salt: bytes, content: bytes) -> bytes:
    return hashlib.sha256(b"troth ledger c1" + salt + content).digest()


def _link(before: bytes, number: int, commitment: bytes, ends_at: date) -> bytes:
    data = before + number.to_bytes(8) + commitment + ends_at.isoformat().encode()
    return hashlib.sha256(b"troth ledger l1" + data).digest()
