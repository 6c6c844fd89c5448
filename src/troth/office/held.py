"""Held mails: what the mail door or a restore kept back, and what an owner does with it. No request, no response.

Nobody's details are opened: a row says what kind of mail it is, for whom (by opaque id) and what tripped, never whose
details it carries. Looking is in the ledger all the same: it tells who gets a mail.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.gate import outbox
from troth.gate.models import Delivery
from troth.ground.purpose import Reason
from troth.vault import ledger

_WHY = {
    "leak": "It carries what looks like somebody else’s {0}.",
    "unchecked": "It could not be looked through whole: it is packed too deep or too large.",
    "restored": "A backup brought it back, and it may have gone already.",
}
_CATEGORIES = {
    "email": "e-mail address",
    "name": "full name",
    "telephone": "telephone number",
    "postal_address": "postal address",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One mail that waits for an owner."""

    id: UUID
    kind: str
    at: datetime
    """When it was queued."""
    person: UUID | None
    """Who is to get it; None for an operator."""
    reason: str
    categories: tuple[str, ...]
    why: str
    """Reason and categories in a sentence."""


def rows(actor: UUID | str) -> list[Row]:
    """All mails that are held, the oldest first; one row in the ledger."""
    found = [_row(one) for one in outbox.held()]
    if found:
        ledger.write(Reason.LIST_HELD, actor, sorted({row.person for row in found if row.person}))
    return found


def _row(one: Delivery) -> Row:
    categories = tuple(one.tripped.split())
    words = " and ".join(_CATEGORIES.get(category, category) for category in categories) or "details"
    why = _WHY.get(one.reason, "It was held.").format(words)
    return Row(one.id, one.get_kind_display(), one.created_at, one.person_id, one.reason, categories, why)
