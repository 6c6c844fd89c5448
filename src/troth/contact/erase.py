"""What the inbox holds of a person, for their page, their export and their erasure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from troth.contact.mails import REPLY
from troth.contact.models import Message
from troth.core.holdings import Part, Step, Value
from troth.core.personal import each_detail
from troth.core.purpose import BASIC, Reason
from troth.gate import outbox
from troth.vault.keeper import keeper
from troth.vault.records import ANSWER, MESSAGE
from troth.vault.records import Message as Written

_TYPED = ("you_wrote", *(category.value for category in BASIC))


def history(person: UUID) -> Sequence[Step]:
    """Return what they wrote, what was answered, and the mails of it."""
    return list(_steps(person))


def _steps(person: UUID) -> Iterator[Step]:
    for message in Message.with_canaries.filter(thread__person=person):
        yield Step("Sent a message" if message.direction == Message.Direction.IN else "Reply written", message.at)
    yield from outbox.steps(person, REPLY, "Reply")


def export(person: UUID, actor: UUID | str) -> Sequence[Part]:
    """Return every message and every answer, in the order of time."""
    opened = [
        content
        for kind in (MESSAGE, ANSWER)
        for content in keeper()
        .open_records(Reason.EXPORT_PERSON, actor=actor, person_ids=[person], kind=kind)
        .get(person, [])
        if isinstance(content, Written)
    ]
    if not opened:
        return []
    items = tuple(_item(message) for message in sorted(opened, key=lambda message: message.at_ms))
    return [Part("messages", "Messages", items, frozenset(_TYPED))]


def _item(message: Written) -> dict[str, Value]:
    at = datetime.fromtimestamp(message.at_ms / 1000, UTC)
    if message.sender is None:
        return {"at": at, "we_answered": message.text}
    details = {category.value: value for category, value in each_detail(message.sender) if value is not None}
    return {"at": at, "you_wrote": message.text, **details}


def dealt_with(people: Sequence[UUID]) -> set[UUID]:
    """Return who was answered."""
    answered = Message.with_canaries.filter(thread__person__in=people, direction=Message.Direction.OUT)
    return set(answered.values_list("thread__person_id", flat=True))


def must_keep(person: UUID) -> Sequence[str]:
    """Return nothing: a conversation has no duty to be remembered."""
    return []
