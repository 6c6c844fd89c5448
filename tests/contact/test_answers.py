"""An answer: sealed, mailed, once, to the person and to nobody else."""

import uuid
from datetime import timedelta

import pytest

from tests.conftest import both
from troth.contact import replies
from troth.contact.models import Message, Thread
from troth.contact.replies import ReplyRefused
from troth.core import clock
from troth.core.personal import EmailAddress, MessageText
from troth.gate import message, outbox
from troth.gate.models import Delivery
from troth.vault.keeper import keeper
from troth.vault.models import Person, Record
from troth.worker.composers import COMPOSERS

ACTOR = uuid.UUID("018f0000-0000-7000-8000-000000000001")


def answer(thread, text="Yes, it does.", **named):
    seen = named.pop("seen", None) or thread.messages.order_by("-at", "-id").first().id
    replies.answer(ACTOR, thread.id, MessageText(text), last_seen=seen)


def only_mail():
    (job,) = outbox.claim(10, COMPOSERS)
    outbox.record(job, outbox.Sent())
    return job.mail


@both
def test_an_answer_is_sealed_and_leaves_by_mail_with_what_they_wrote_below_it(site, written):
    thread = written(text="Does it print?\n<b>Really</b>")
    answer(thread)
    assert Thread.objects.get().state == "answered"
    said = Message.objects.get(direction="out")
    assert said.operator == ACTOR and said.record.kind == "answer"
    assert b"Yes, it does" not in bytes(said.record.box)
    mail = only_mail()
    assert mail.to == EmailAddress("ada@example.com")
    assert mail.text().startswith("Yes, it does.\n")
    assert "> Does it print?\n> <b>Really</b>" in mail.text()
    assert mail.headers()["Reply-To"] == "newsletter@example.com"
    assert mail.headers()["References"] == f"<{thread.id}@example.com>"
    assert Delivery.objects.get().state == "sent"


def test_what_was_written_cannot_add_a_header_or_a_recipient(site, written):
    thread = written(text="a\r\nBcc: victim@example.org\r\n\r\n.\r\n", name="x", unjudged=True)
    answer(thread, "Hello\r\n.\r\nBcc: other@example.org")
    mail = only_mail()
    raw = message.write(mail, message.recipient(mail.to), message.Sender(message.recipient("a@example.com"))).decode()
    head = raw.partition("\r\n\r\n")[0]
    assert "victim" not in head and "other@" not in head
    assert head.count("\r\nTo:") == 1


def test_who_has_not_seen_the_newest_message_is_told_to_look_and_nothing_is_sent(site, written):
    thread = written()
    seen = thread.messages.get().id
    written(text="Never mind!")
    with pytest.raises(ReplyRefused):
        answer(thread, seen=seen)
    assert Thread.objects.get().state == "waiting" and not Delivery.objects.exists()
    assert not Record.objects.filter(kind="answer").exists()


def test_a_message_that_waited_in_the_spool_is_not_taken_for_seen(site, written):
    thread = written(text="Second")
    seen = thread.messages.get().id
    written(text="First, but late")
    Message.objects.exclude(id=seen).update(at=clock.now() - timedelta(hours=3))
    with pytest.raises(ReplyRefused):
        answer(thread, seen=seen)


def test_the_same_press_twice_sends_one_answer(site, written):
    thread = written()
    seen = thread.messages.get().id
    answer(thread, seen=seen)
    with pytest.raises(ReplyRefused):
        answer(thread, seen=seen)
    assert Delivery.objects.count() == 1


def test_a_frozen_person_gets_no_answer(site, written):
    thread = written()
    Person.objects.update(frozen_at=clock.now())
    with pytest.raises(ReplyRefused):
        answer(thread)


def test_an_answer_to_one_who_was_erased_meanwhile_is_not_sent(site, written):
    thread = written()
    answer(thread)
    keeper().erase([thread.person_id])
    assert outbox.claim(10, COMPOSERS) == []


def test_an_answer_goes_to_the_persons_address_and_quotes_the_last_message(site, written):
    thread = written(text="First")
    answer(thread, "To the first")
    only_mail()
    written("ADA@example.com", text="Second", name="Mallory")
    answer(thread, "To the second")
    mail = only_mail()
    assert mail.to == EmailAddress("ada@example.com")
    assert "> Second" in mail.text() and "First" not in mail.text()
