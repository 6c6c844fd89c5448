"""Held emails and exports, and an owner's decisions about them. No HTTP.

A row has the kind, the recipient (by random id) and the reason. An alarm shows a person's detail itself, for which that
person is opened. Both reads are written to the access log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from troth.contact.mails import REPLY
from troth.contact.models import Message
from troth.core.contact_details import WORDS
from troth.core.personal import Personal
from troth.core.purpose import Category, Reason
from troth.gate import causes, outbox
from troth.gate.email_kinds import title_of
from troth.gate.models import Cause, Delivery
from troth.rights import held_exports, services
from troth.rights.models import HeldExport
from troth.vault import ledger

_MOST_ALARMS = 100
_NOTHING, _QUIET = "Nothing was held for these words.", "They will no longer hold anything."
_REASONS = {
    "leak": "It seems to contain somebody else’s {0}.",
    "unchecked": "It could not be checked completely: it is too large or too deeply nested.",
    "restored": "It was restored from a backup and may already have been sent.",
}
_CATEGORIES: dict[str, str] = {**WORDS, Category.NAME: "full name"}  # a first name alone holds nothing


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One held email or export."""

    id: UUID
    title: str
    at: datetime
    """When it was queued or requested."""
    person: UUID | None
    """The recipient, or whose export it is; None for an operator."""
    mail: bool
    """Whether it is sent automatically once it is released."""
    reason: str
    categories: tuple[str, ...]
    why: str
    """Reason and categories as a sentence."""
    thread: UUID | None = None
    """The conversation that it belongs to."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One detail of one person, with the number of emails and exports that it holds."""

    id: UUID
    person: UUID
    category: str
    """In words: `full name`."""
    words: Personal | None
    """The detail itself; None if it can no longer be opened."""
    waiting: int
    quiet: bool
    """It has held so much that it holds nothing more until an owner decides."""


def rows(actor: UUID | str) -> list[HeldRow]:
    """Return all held emails and exports, oldest first. Writes one row to the access log."""
    mails = outbox.held()
    threads = _threads(mails)
    entries = [_mail(mail, threads) for mail in mails] + [_export(export) for export in held_exports.waiting()]
    if entries:
        ledger.write(Reason.LIST_HELD, actor, sorted({row.person for row in entries if row.person}))
    return sorted(entries, key=lambda row: row.at)


def alarms(actor: UUID | str) -> list[Alarm]:
    """Return the details that hold something now, oldest first. Opens the people whose details these are."""
    waiting = Count("mails", Q(mails__state=Delivery.State.HELD), distinct=True) + Count(
        "exports", Q(exports__decided_at=None), distinct=True
    )
    causes_now = list(
        Cause.objects.annotate(waiting=waiting).filter(waiting__gt=0).order_by("since", "id")[:_MOST_ALARMS]
    )
    if not causes_now:
        return []
    people = sorted({cause.person_id for cause in causes_now})
    details = services.details_of_all(people, Reason.LIST_HELD, actor)
    return [_alarm(cause, getattr(details.get(cause.person_id), cause.category, None)) for cause in causes_now]


def _alarm(cause: Cause, words: Personal | None) -> Alarm:
    category, waiting = _CATEGORIES.get(cause.category, cause.category), cause.waiting  # type: ignore[attr-defined]
    return Alarm(cause.id, cause.person_id, category, words, waiting, cause.quiet_at is not None)


def spare(ident: UUID) -> str:
    """Decide that these words are no leak: release all that they alone hold. Returns the outcome as sentences."""
    if causes.spare(ident) is None:
        return ""
    settled, waiting = _settled(ident, approved=True), _held_otherwise(ident)
    return " ".join(filter(None, [settled or waiting or _NOTHING, settled and waiting, _QUIET]))


def uphold(ident: UUID) -> str:
    """Decide that these words are a leak: what contains them is never sent. Returns the outcome as sentences."""
    if causes.uphold(ident) is None:
        return ""
    return _settled(ident, approved=False) or _NOTHING


def _settled(ident: UUID, *, approved: bool) -> str:
    mails, exports = outbox.settle(ident, approved=approved), held_exports.settle(ident, approved=approved)
    sentences = []
    if mails:
        sentences.append(f"{mails} {'email' if mails == 1 else 'emails'} will {'' if approved else 'not '}be sent.")
    if exports:
        outcome = "can be downloaded for a day" if approved else "will not be released"
        sentences.append(f"{exports} {'export' if exports == 1 else 'exports'} {outcome}.")
    return " ".join(sentences)


def _held_otherwise(ident: UUID) -> str:
    """Return a sentence about what stays held for other words; empty if nothing does."""
    mails = Delivery.objects.filter(state=Delivery.State.HELD, causes=ident).count()
    count = mails + HeldExport.objects.filter(decided_at=None, causes=ident).count()
    if not count:
        return ""
    return "1 is still held for other words." if count == 1 else f"{count} are still held for other words."


def _threads(mails: Sequence[Delivery]) -> dict[UUID, UUID]:
    """Return the conversations of the replies among these emails, by the message's id."""
    answers = [mail.about for mail in mails if mail.kind == REPLY.name]
    return dict(Message.objects.filter(id__in=answers).values_list("id", "thread_id"))


def _mail(mail: Delivery, threads: Mapping[UUID, UUID]) -> HeldRow:
    why = _why(mail.reason, mail.tripped)
    thread = threads.get(mail.about)
    return HeldRow(mail.id, title_of(mail.kind), mail.created_at, mail.person_id, True, mail.reason, *why, thread)


def _export(export: HeldExport) -> HeldRow:
    why = _why(export.reason, export.tripped)
    return HeldRow(export.id, "Data export", export.asked_at, export.person_id, False, export.reason, *why)


def _why(reason: str, tripped: str) -> tuple[tuple[str, ...], str]:
    """Return the categories, and the reason as a sentence."""
    categories = tuple(tripped.split())
    words = " and ".join(_CATEGORIES.get(category, category) for category in categories) or "details"
    return categories, _REASONS.get(reason, "It was held.").format(words)


def let_go(ident: UUID) -> str:
    """Release it unchanged. Returns the outcome as a sentence; empty if it is not held."""
    if outbox.let_go(ident):
        return "It is queued for sending."
    return "It can now be downloaded for a day." if held_exports.let_go(ident) else ""


def drop(ident: UUID) -> str:
    """Delete it for good. Returns the outcome as a sentence; empty if it is not held."""
    if outbox.drop(ident):
        return "It will not be sent."
    return "It will not be released." if held_exports.drop(ident) else ""
