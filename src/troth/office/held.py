"""What was held back: mails, by the mail door or a restore, and exports. What an owner does with them. No HTTP.

Nobody's details are opened: a row says what kind of thing it is, for whom (by opaque id) and what tripped, never whose
details it carries. Looking is in the ledger all the same: it tells who gets a mail.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.gate import outbox
from troth.gate.models import Delivery
from troth.ground.purpose import Reason
from troth.promises import heldexports
from troth.promises.models import HeldExport
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
    """One mail or export that waits for an owner."""

    id: UUID
    kind: str
    at: datetime
    """When it was queued, or asked for."""
    person: UUID | None
    """Who is to get it, or whose export it is; None for an operator."""
    mail: bool
    """Whether it leaves by itself once it is let go."""
    reason: str
    categories: tuple[str, ...]
    why: str
    """Reason and categories in a sentence."""


def rows(actor: UUID | str) -> list[Row]:
    """All that is held, the oldest first; one row in the ledger."""
    found = [_mail(one) for one in outbox.held()] + [_export(one) for one in heldexports.waiting()]
    if found:
        ledger.write(Reason.LIST_HELD, actor, sorted({row.person for row in found if row.person}))
    return sorted(found, key=lambda row: row.at)


def _mail(one: Delivery) -> Row:
    told = _told(one.reason, one.tripped)
    return Row(one.id, one.get_kind_display(), one.created_at, one.person_id, True, one.reason, *told)


def _export(one: HeldExport) -> Row:
    return Row(one.id, "Export", one.asked_at, one.person_id, False, one.reason, *_told(one.reason, one.tripped))


def _told(reason: str, tripped: str) -> tuple[tuple[str, ...], str]:
    categories = tuple(tripped.split())
    words = " and ".join(_CATEGORIES.get(category, category) for category in categories) or "details"
    return categories, _WHY.get(reason, "It was held.").format(words)


def let_go(ident: UUID) -> str:
    """Let it leave as it is. What happens now, in a sentence; empty where it is not held."""
    if outbox.let_go(ident):
        return "It leaves with the next mails."
    return "It can be taken along now, for a day." if heldexports.let_go(ident) else ""


def drop(ident: UUID) -> str:
    """See that it never leaves. What happens now, in a sentence; empty where it is not held."""
    if outbox.drop(ident):
        return "It will not be sent."
    return "It stays here." if heldexports.drop(ident) else ""
