"""What was held back: mails, by the mail door or a restore, and exports. What an owner does with them. No HTTP.

A row says what kind of thing it is, for whom (by opaque id) and what tripped. What holds mails is shown once, whatever
it holds, with the very words, for which the person's details are opened. Looking is in the ledger: it tells who gets a
mail, and whose details were opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from troth.contact.models import Message
from troth.core.personal import Personal
from troth.core.purpose import Reason
from troth.gate import causes, outbox
from troth.gate.models import Cause, Delivery
from troth.rights import held_exports, services
from troth.rights.models import HeldExport
from troth.vault import ledger

_MOST_ALARMS = 100
_NOTHING, _QUIET = "Nothing was waiting for this.", "These words hold nothing any more."
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
    thread: UUID | None = None
    """The conversation that it belongs to."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One detail of one person, and how much waits because of it."""

    id: UUID
    person: UUID
    what: str
    """`full name`, in words."""
    words: Personal | None
    """The detail itself; None where it cannot be opened any more."""
    waiting: int
    quiet: bool
    """It has held so much that it holds nothing more until an owner has looked."""


def rows(actor: UUID | str) -> list[Row]:
    """All that is held, the oldest first; one row in the ledger."""
    mails = outbox.held()
    threads = _threads(mails)
    found = [_mail(one, threads) for one in mails] + [_export(one) for one in held_exports.waiting()]
    if found:
        ledger.write(Reason.LIST_HELD, actor, sorted({row.person for row in found if row.person}))
    return sorted(found, key=lambda row: row.at)


def alarms(actor: UUID | str) -> list[Alarm]:
    """What holds something now, with the words, the oldest first. Opens the details of whose words these are."""
    waiting = Count("mails", Q(mails__state=Delivery.State.HELD), distinct=True) + Count(
        "exports", Q(exports__decided_at=None), distinct=True
    )
    found = list(Cause.objects.annotate(waiting=waiting).filter(waiting__gt=0).order_by("since", "id")[:_MOST_ALARMS])
    if not found:
        return []
    people = sorted({cause.person_id for cause in found})
    details = services.details_of_all(people, Reason.LIST_HELD, actor)
    return [_alarm(cause, getattr(details.get(cause.person_id), cause.category, None)) for cause in found]


def _alarm(cause: Cause, words: Personal | None) -> Alarm:
    what, waiting = _CATEGORIES.get(cause.category, cause.category), cause.waiting  # type: ignore[attr-defined]
    return Alarm(cause.id, cause.person_id, what, words, waiting, cause.quiet_at is not None)


def spare(ident: UUID) -> str:
    """These words are nobody's detail: all that they alone hold leaves, and they hold nothing more."""
    if causes.spare(ident) is None:
        return ""
    settled, waiting = _settled(ident, leave=True), _held_otherwise(ident)
    return " ".join(filter(None, [settled or waiting or _NOTHING, settled and waiting, _QUIET]))


def uphold(ident: UUID) -> str:
    """They are somebody's: what carries them stays here, and so will whatever carries them next."""
    if causes.uphold(ident) is None:
        return ""
    return _settled(ident, leave=False) or _NOTHING


def _settled(ident: UUID, *, leave: bool) -> str:
    mails, exports = outbox.settle(ident, leave=leave), held_exports.settle(ident, leave=leave)
    told = [f"{mails} {'email' if mails == 1 else 'emails'} will {'' if leave else 'not '}be sent."] if mails else []
    if exports:
        which = "export" if exports == 1 else "exports"
        told.append(f"{exports} {which} {'can be taken along for a day' if leave else 'stay here'}.")
    return " ".join(told)


def _held_otherwise(ident: UUID) -> str:
    """What waits on though this cause is judged, because there is another."""
    mails = Delivery.objects.filter(state=Delivery.State.HELD, causes=ident).count()
    count = mails + HeldExport.objects.filter(decided_at=None, causes=ident).count()
    if not count:
        return ""
    return (
        "1 still waits: other words hold it, too." if count == 1 else f"{count} still wait: other words hold them, too."
    )


def _threads(mails: Sequence[Delivery]) -> dict[UUID, UUID]:
    """The conversations of those of these mails that are answers, by what a mail is about."""
    answers = [one.about for one in mails if one.kind == Delivery.Kind.ANSWER]
    return dict(Message.objects.filter(id__in=answers).values_list("id", "thread_id"))


def _mail(one: Delivery, threads: Mapping[UUID, UUID]) -> Row:
    told = _told(one.reason, one.tripped)
    thread = threads.get(one.about)
    return Row(one.id, one.get_kind_display(), one.created_at, one.person_id, True, one.reason, *told, thread)


def _export(one: HeldExport) -> Row:
    return Row(one.id, "Export", one.asked_at, one.person_id, False, one.reason, *_told(one.reason, one.tripped))


def _told(reason: str, tripped: str) -> tuple[tuple[str, ...], str]:
    categories = tuple(tripped.split())
    words = " and ".join(_CATEGORIES.get(category, category) for category in categories) or "details"
    return categories, _WHY.get(reason, "It was held.").format(words)


def let_go(ident: UUID) -> str:
    """Let it leave as it is. What happens now, in a sentence; empty where it is not held."""
    if outbox.let_go(ident):
        return "It is queued again."
    return "It can be taken along now, for a day." if held_exports.let_go(ident) else ""


def drop(ident: UUID) -> str:
    """See that it never leaves. What happens now, in a sentence; empty where it is not held."""
    if outbox.drop(ident):
        return "It will not be sent."
    return "It stays here." if held_exports.drop(ident) else ""
