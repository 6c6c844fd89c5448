"""What operators do with a conversation: reply, close, reopen, label. Runs in the office: a reply is encrypted under
the person's key and queued in one transaction, and the worker sends it."""

from uuid import UUID

from django.conf import settings
from django.db import transaction

from troth.contact.mails import REPLY
from troth.contact.models import Label, Message, Thread
from troth.contact.services import drop_unused_labels
from troth.core import clock
from troth.core.errors import TrothError
from troth.core.personal import MessageText
from troth.gate import outbox
from troth.vault.keeper import keeper
from troth.vault.records import ANSWER
from troth.vault.records import Message as Content

MOST_LABELS = 8
State = Thread.State


class ReplyRefused(TrothError):
    """A refused reply. The operator keeps what they typed."""


def answer(actor: UUID, thread_id: UUID, text: MessageText, *, last_seen: UUID) -> None:
    """Reply to a conversation of which `actor` has seen everything up to `seen`. Raises `NotAnswered`."""
    with transaction.atomic():
        thread = Thread.objects.select_for_update().select_related("person").filter(id=thread_id).first()
        if thread is None:
            raise ReplyRefused("This conversation no longer exists.")
        if thread.person.frozen_at is not None:
            raise ReplyRefused("Processing is restricted for this person: you cannot email them.")
        # By when it was filed: one that waited in the spool is older than what was seen, and was not seen.
        last = thread.messages.order_by("-filed_at", "-id").first()
        if last is None or last.id != last_seen:
            raise ReplyRefused("This conversation has changed since you opened the page. Check it below, then send.")
        question = thread.messages.filter(direction=Message.Direction.IN).order_by("-at", "-id").first()
        now = max(clock.now(), question.at if question else last.at)
        vault = keeper()
        record = vault.record(vault.held(thread.person), ANSWER, Content(text, int(now.timestamp() * 1000)))
        record.save(force_insert=True)
        reply = Message.objects.create(
            thread=thread,
            record=record,
            direction=Message.Direction.OUT,
            operator=actor,
            answers=question,
            at=now,
            filed_at=max(now, last.filed_at),
        )
        domain = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
        outbox.new(REPLY, reply.id, thread.person_id, domain).save(force_insert=True)
        Thread.objects.filter(id=thread.id).update(state=State.ANSWERED, last_at=now)


def close(thread_id: UUID) -> bool:
    """Close a conversation. False if there is none."""
    return bool(Thread.objects.filter(id=thread_id).update(state=State.CLOSED))


def reopen(thread_id: UUID) -> bool:
    """Reopen a conversation. False if there is none."""
    return bool(Thread.objects.filter(id=thread_id).update(state=State.WAITING))


def label(thread_id: UUID, name: str) -> bool:
    """Add a label to a conversation, creating it if it is new. False if it has too many labels, or does not exist."""
    with transaction.atomic():
        thread = Thread.objects.filter(id=thread_id).first()
        if thread is None or thread.labels.count() >= MOST_LABELS:
            return False
        existing = Label.objects.filter(name__iexact=name).first() or Label.objects.create(name=name)
        thread.labels.add(existing)
    return True


def unlabel(thread_id: UUID, label_id: UUID) -> None:
    """Remove a label from a conversation; a label that no conversation has is deleted."""
    with transaction.atomic():
        Thread.labels.through.objects.filter(thread=thread_id, label=label_id).delete()
        drop_unused_labels()
