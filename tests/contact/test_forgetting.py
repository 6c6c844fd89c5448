"""A conversation goes when its time is over, and a person with the last thing that was known of them."""

from datetime import timedelta

import pytest

from tests.conftest import both
from tests.contact.conftest import message
from tests.worker.test_intake import drain, leave_link, signup
from troth.contact import replies, services
from troth.contact.models import Label, Message, Thread
from troth.core import clock
from troth.core.personal import EmailAddress, MessageText
from troth.gate.models import Delivery
from troth.newsletter import services as newsletter
from troth.newsletter.models import Request, Subscription
from troth.vault.keeper import keeper
from troth.vault.models import Person, Record


@pytest.fixture
def later(monkeypatch):
    """`later(days)` sets the clock forward."""
    now = clock.now()
    return lambda days: monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=days))


@both
def test_a_conversation_over_its_time_goes_and_takes_whom_nothing_else_knows(site, written, later):
    written()
    later(364)
    assert services.purge_over() == 0
    later(366)
    assert services.purge_over() == 1
    assert not Person.objects.exists() and not Record.objects.exists() and not Message.objects.exists()
    assert keeper().find("worker", EmailAddress("ada@example.com")) is None


@both
def test_who_is_on_the_list_stays_on_it(site, written, later):
    site.submit(signup("ada@example.com"))
    drain()
    thread = written()
    replies.answer(thread.person_id, thread.id, MessageText("Yes."), last_seen=thread.messages.get().id)
    replies.label(thread.id, "printing")
    later(366)
    assert services.purge_over() == 1
    assert not Thread.objects.exists() and not Label.objects.exists()
    assert sorted(Record.objects.values_list("kind", flat=True)) == ["consent", "details"]
    assert not Delivery.objects.filter(kind="answer").exists()
    assert Subscription.objects.count() == 1


def test_a_younger_conversation_keeps_the_person(site, written, later):
    written()
    Thread.objects.update(state="closed")
    later(300)
    written()
    later(366)
    assert services.purge_over() == 1
    assert (Thread.objects.count(), Person.objects.count(), Message.objects.count()) == (1, 1, 1)


def test_an_answer_begins_the_time_anew(site, written, later):
    thread = written()
    later(300)
    replies.answer(thread.person_id, thread.id, MessageText("Yes."), last_seen=thread.messages.get().id)
    later(366)
    assert services.purge_over() == 0


def test_who_asked_to_be_frozen_is_left_as_they_are(site, written, later):
    written()
    Person.objects.update(frozen_at=clock.now())
    later(366)
    assert services.purge_over() == 0


@both
def test_a_sign_up_that_nobody_confirmed_goes_without_the_conversation(site, written, later):
    site.submit(signup("ada@example.com"))
    drain()
    written()
    later(30)
    assert newsletter.purge_expired() == 1
    assert not Subscription.objects.exists() and not Request.objects.exists()
    assert (Person.objects.count(), Thread.objects.count()) == (1, 1)


def test_who_left_is_remembered_though_their_conversation_goes(site, written, later):
    site.submit(signup("ada@example.com"))
    drain()
    site.submit(leave_link(Subscription.objects.get()))
    drain()
    written()
    later(366)
    assert services.purge_over() == 1
    assert Subscription.objects.get().state == "left"


def test_erasing_a_person_takes_their_conversations(site, written):
    site.submit(message("bo@example.com"))
    drain()
    person = written().person_id
    keeper().erase([person])
    assert person not in Thread.objects.values_list("person", flat=True)
    assert (Thread.objects.count(), Message.objects.count(), Person.objects.count()) == (1, 1, 1)
