"""A message is filed under its person's key, once, and changes nothing about who they are."""

from tests.conftest import both
from tests.contact.conftest import message
from tests.worker.test_intake import confirm_link, drain, signup
from troth.contact.models import Message, Thread
from troth.core.personal import EmailAddress, Telephone
from troth.core.purpose import Reason
from troth.gate.models import Delivery
from troth.newsletter.models import Request, Subscription
from troth.vault import ledger
from troth.vault.keeper import keeper
from troth.vault.models import Person, Record
from troth.vault.records import MESSAGE


def opened(person, kind="details"):
    return keeper().open_records(Reason.READ_MESSAGES, actor="worker", person_ids=[person], kind=kind)[person]


@both
def test_somebody_new_becomes_a_person_with_a_waiting_conversation(site):
    site.submit(message("Ada@Example.com", "Line one\n  line two", telephone=Telephone("+49 30 901820")))
    drain()
    person = keeper().find("worker", EmailAddress("ada@example.com"))
    assert person == Person.objects.get().id
    assert [one.name.reveal() for one in opened(person)] == ["Ada Example"]
    (said,) = opened(person, MESSAGE)
    assert said.text.reveal() == "Line one\n  line two"
    assert said.sender.telephone.reveal() == "+49 30 901820"
    thread = Thread.objects.get()
    assert (thread.person_id, thread.state, thread.messages.count()) == (person, "waiting", 1)
    assert not Subscription.objects.exists(), "writing is no sign-up"
    assert ledger.verify_chain() == []


@both
def test_what_is_typed_for_a_known_address_changes_nothing_about_that_person(site):
    site.submit(signup("ada@example.com", "Ada Example"))
    drain()
    site.submit(confirm_link(Request.objects.get()))
    site.submit(message("ADA@example.com", "Change me", "Mallory", telephone=Telephone("+1 555 0100")))
    drain()
    person = Person.objects.get().id
    assert [one.name.reveal() for one in opened(person)] == ["Ada Example"]
    assert opened(person, MESSAGE)[0].sender.name.reveal() == "Mallory"
    assert not keeper().find_all("worker", "telephone", Telephone("+1 555 0100"))
    assert Subscription.objects.get().state == "confirmed"


@both
def test_another_message_joins_the_open_conversation_and_it_waits_again(site, written):
    thread = written()
    Thread.objects.update(state="answered")
    assert written(text="And another thing").id == thread.id
    assert Thread.objects.get().state == "waiting"
    assert Message.objects.count() == 2


def test_after_a_closed_conversation_a_new_one_begins(site, written):
    first = written()
    Thread.objects.update(state="closed")
    assert written().id != first.id
    assert sorted(Thread.objects.values_list("state", flat=True)) == ["closed", "waiting"]


@both
def test_the_same_entry_twice_is_filed_once(site):
    envelope = site.key().seal(message())
    site.spooled(envelope, envelope, kind=3)
    drain()
    site.spooled(envelope, kind=3)
    drain()
    assert Message.objects.count() == 1


def test_several_in_one_batch_meet_one_person_and_one_conversation(site):
    site.submit(message(text="one"), message("ADA@example.com", "two"), message("bo@example.com", "three"))
    drain()
    assert (Person.objects.count(), Thread.objects.count(), Message.objects.count()) == (2, 2, 3)
    assert Record.objects.filter(kind="details").count() == 2


def test_a_frame_read_again_after_a_crash_before_the_commit_meets_the_same_person(site, monkeypatch):
    import pytest

    from tests.worker.test_intake import Intake, _crash

    site.submit(message())
    with monkeypatch.context() as patched:
        patched.setattr("troth.worker.intake._move", _crash)
        with pytest.raises(KeyboardInterrupt):
            Intake().turn()
    assert not Thread.objects.exists()
    drain()
    assert (Person.objects.count(), Message.objects.count()) == (1, 1)


def test_no_mail_goes_to_whoever_wrote(site, written):
    written()
    assert not Delivery.objects.exists()
