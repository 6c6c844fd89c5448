"""What operators do with a conversation: answer, close, reopen, label; and the answers they keep ready.

Runs in the office, which sends nothing: an answer is sealed under the person's key and queued in one transaction, and
the worker mails it.
"""

from uuid import UUID

from django.conf import settings
from django.db import transaction

from troth.contact.models import Label, Message, Thread
from troth.contact.services import drop_unused_labels
from troth.core import clock
from troth.core.errors import TrothError
from troth.core.personal import MessageText
from troth.gate import outbox
from troth.gate.models import Delivery
from troth.vault.keeper import keeper
from troth.vault.records import ANSWER
from troth.vault.records import Message as Content

MOST_LABELS = 8
State = Thread.State


class NotAnswered(TrothError):
    """An answer that was not taken; what was typed is still the operator's."""


def answer(actor: UUID, thread_id: UUID, text: MessageText, *, seen: UUID) -> None:
    """Answer a conversation of which `actor` has seen everything up to the message `seen`. Raises `NotAnswered`."""
    with transaction.atomic():
        thread = Thread.objects.select_for_update().select_related("person").filter(id=thread_id).first()
        if thread is None:
            raise NotAnswered("This conversation is gone.")
        if thread.person.frozen_at is not None:
            raise NotAnswered("This person asked that nothing be done with their details: they get no mail.")
        # By when it was filed: one that waited in the spool is older than what was seen, and was not seen.
        last = thread.messages.order_by("-filed_at", "-id").first()
        if last is None or last.id != seen:
            raise NotAnswered("Something came or went since you opened this page. Look at it below, then send.")
        asked = thread.messages.filter(direction=Message.Direction.IN).order_by("-at", "-id").first()
        now = max(clock.now(), asked.at if asked else last.at)
        vault = keeper()
        record = vault.record(vault.held(thread.person), ANSWER, Content(text, int(now.timestamp() * 1000)))
        record.save(force_insert=True)
        said = Message.objects.create(
            thread=thread,
            record=record,
            direction=Message.Direction.OUT,
            operator=actor,
            answers=asked,
            at=now,
            filed_at=max(now, last.filed_at),
        )
        domain = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
        outbox.new(Delivery.Kind.ANSWER, said.id, thread.person_id, domain).save(force_insert=True)
        Thread.objects.filter(id=thread.id).update(state=State.ANSWERED, last_at=now)


def close(thread_id: UUID) -> bool:
    """Nothing is left to do. False if there is no such conversation."""
    return bool(Thread.objects.filter(id=thread_id).update(state=State.CLOSED))


def reopen(thread_id: UUID) -> bool:
    """Something is left to do after all. False if there is no such conversation."""
    return bool(Thread.objects.filter(id=thread_id).update(state=State.WAITING))


def label(thread_id: UUID, name: str) -> bool:
    """Put a label on a conversation, a new one if need be. False where there are too many, or no conversation."""
    with transaction.atomic():
        thread = Thread.objects.filter(id=thread_id).first()
        if thread is None or thread.labels.count() >= MOST_LABELS:
            return False
        there = Label.objects.filter(name__iexact=name).first() or Label.objects.create(name=name)
        thread.labels.add(there)
    return True


def unlabel(thread_id: UUID, label_id: UUID) -> None:
    """Take a label off. One that no conversation carries any more is gone."""
    with transaction.atomic():
        Thread.labels.through.objects.filter(thread=thread_id, label=label_id).delete()
        drop_unused_labels()
