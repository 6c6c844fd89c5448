"""Who bought: the details that a buyer gave to the card company, filed in the vault. May touch: the database, the
vault."""

from troth.core.purpose import Reason
from troth.gate.card_company.types import Buyer
from troth.vault import ledger
from troth.vault.keeper import keeper
from troth.vault.models import Person
from troth.vault.records import DETAILS, Details


def details_of(buyer: Buyer) -> Details | None:
    """Return a buyer's details; None without an email address that can be used."""
    if buyer.email is None:
        return None
    return Details(email=buyer.email, name=buyer.name, postal_address=buyer.address, company=buyer.company)


def file(named: Details) -> Person:
    """Return the person with this email address; a new one is filed with these details. In the caller's transaction.
    Somebody who is known already keeps the details that they have."""
    (located,) = keeper().find_or_make([named])
    if located.new:
        located.person.save(force_insert=True)
        keeper().record(located, DETAILS, named).save(force_insert=True)
    ledger.write(Reason.FILE_SUBMISSION, ledger.WORKER, [located.person.id])
    return located.person
