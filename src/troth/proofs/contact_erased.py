"""The proof of C2 about who is erased: their key goes, and what a law requires serves the law alone, until its day. May
touch: database and key store, through the keeper."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from troth.core import clock
from troth.core.personal import MessageText
from troth.core.purpose import Purpose, Reason
from troth.core.site import Site
from troth.policy.promise import Verdict
from troth.proofs.context import Scene, proof
from troth.proofs.instruments import canaries
from troth.proofs.instruments.canaries import CanaryPerson
from troth.vault import ledger, legal_holds
from troth.vault.errors import RecordDamaged, WrongPurpose
from troth.vault.keeper import keeper
from troth.vault.key_store import path_in
from troth.vault.legal_holds import INVOICE
from troth.vault.models import LegalHold, LegalRecord, Person, Record
from troth.vault.records import Invoice

_FOR_THE_LAW = ("show_retained", "keep_retained", "rebuild_index")
"""Repeated here on purpose: a new reason is noticed."""


@dataclass(frozen=True, slots=True, repr=False)
class _Buyer:
    """A canary with an invoice, and what an old backup of the data would have of them."""

    canary: CanaryPerson
    number: str
    record: uuid.UUID
    hold: LegalHold
    slots: tuple[int, int]
    """Of their key and of the invoice's."""
    rows: Sequence[Record]
    first: bytes
    second: bytes


@proof("purpose.erased")
def erased_people_are_forgotten_but_for_the_law(scene: Scene) -> Verdict:
    """Check that the key of a canary who is erased is gone, that the key of their invoice opens nothing else, that the
    invoice is found by its number alone and opens for the law alone, and that its key goes on its day."""
    try:
        buyer = _bought()
        keeper().erase([buyer.canary.person])
        wrong = _after_erasure(buyer, scene.site) or _at_its_end(buyer, scene.site)
    finally:
        keeper().holds.end_invented()
    if wrong:
        return Verdict.broken(wrong)
    return Verdict.kept(
        "A test person was deleted: their key is gone, and an invented invoice opened by its number only, for the law "
        "only, until its last day."
    )


def _bought() -> _Buyer:
    canary, vault, number = canaries.plant_another(), keeper(), f"canary-{secrets.token_hex(8)}"
    content = Invoice(
        number=number, at_ms=clock.timestamp_ms(), named=canary.details, text=MessageText("An invented purchase.")
    )
    record = vault.holds.file(canary.person, INVOICE, content, on=legal_holds.today())
    hold = LegalRecord.with_canaries.select_related("hold").get(id=record).hold
    person = Person.with_canaries.get(id=canary.person)
    rows = list(Record.with_canaries.filter(person=person))
    keys = vault.store.key(person.slot, person.id), vault.store.hold_key(hold.slot, hold.id).key
    return _Buyer(canary, number, record, hold, (person.slot, hold.slot), rows, *keys)


def _after_erasure(buyer: _Buyer, site: Site) -> str:
    """Return what is wrong with what is left of them; empty if nothing is."""
    vault = keeper()
    if buyer.first in path_in(site.people_keys).read_bytes():
        return "A test person was deleted, and their key is still in the key store."
    if any(_opens(buyer, row) for row in buyer.rows):
        return "The key of a record that the law requires opens other records of a deleted test person."
    if vault.index.leads_to(buyer.slots, vault.index.digests(buyer.canary.details)):  # others may share a name
        return "A deleted test person is still found by their details."
    for reason in Reason:
        if reason.value not in _FOR_THE_LAW and _serves(reason, buyer):
            return (
                f"What the law requires of a deleted test person could be opened to {reason.value.replace('_', ' ')}."
            )
    if [record.id for record in vault.holds.find(ledger.PROOF, buyer.number)] != [buyer.record]:
        return "What the law requires of a deleted test person is not found by its number."
    return ""


def _opens(buyer: _Buyer, row: Record) -> bool:
    for owner in (buyer.canary.person, buyer.hold.id):
        try:
            keeper().boxer.open(buyer.second, Purpose(row.purpose), owner, row.kind, row.id, bytes(row.box))
        except RecordDamaged:
            continue
        return True
    return False


def _serves(reason: Reason, buyer: _Buyer) -> bool:
    try:
        return bool(keeper().holds.open_by_id(reason, ledger.PROOF, [buyer.record]))
    except WrongPurpose:
        return False


def _at_its_end(buyer: _Buyer, site: Site) -> str:
    """Return what is wrong with how it ends. Asks what will end on its day, and ends this one now."""
    holds, hold = keeper().holds, (buyer.hold.slot, buyer.hold.id)
    if hold in holds.due(buyer.hold.until):
        return "What the law requires would be destroyed before its last day is over."
    if hold not in holds.due(buyer.hold.until + timedelta(days=1)):
        return "What the law requires would be kept after its last day."
    holds.destroy([hold])
    if buyer.second in path_in(site.people_keys).read_bytes() or holds.find(ledger.PROOF, buyer.number):
        return "What the law required was destroyed, and its key is still in the key store."
    return ""
