"""What the console sees of people, and that the ledger says who looked at whom, for what (C2)."""

import hashlib
import uuid
from datetime import UTC, datetime

import pytest

from tests.conftest import both
from tests.newsletter import test_services as acts
from troth.core import clock, ids
from troth.core.personal import Company, EmailAddress, PersonName, PostalAddress, Telephone
from troth.core.purpose import Purpose, Reason
from troth.gate.models import Delivery
from troth.newsletter import consent_texts
from troth.newsletter.entry import Signup
from troth.people import queries
from troth.people.queries import StateCounts, SubscriberState
from troth.vault import ledger
from troth.vault.keeper import keeper
from troth.vault.models import LedgerRow, Person

OPERATOR = uuid.UUID(int=42)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CONSENT = "Send me the newsletter. I can leave at any time with one click."
WORDING = hashlib.sha256(CONSENT.encode()).digest()


@pytest.fixture
def held(site, monkeypatch):
    """A site with Anna (confirmed), Ben (waiting) and Cleo (left), and a clock that stands."""
    monkeypatch.setattr(ids, "_last", 0)
    with clock.hold(NOW) as held:
        for name in ("cleo", "anna", "ben"):
            acts.sign_up(Signup(EmailAddress(f"{name}@example.com"), PersonName(name.title()), wording=WORDING))
            held.move(minutes=1)
            if name != "ben":
                acts.use(acts.confirm_link())
            if name == "cleo":
                acts.use(acts.leave_link(), acts.Act.UNSUBSCRIBE)
            held.move(minutes=1)
        LedgerRow.objects.all().delete()
        ledger.LedgerHead.objects.all().delete()
        yield held


def who(name):
    person = keeper().find("worker", EmailAddress(f"{name}@example.com"))
    LedgerRow.objects.all().delete()
    ledger.LedgerHead.objects.all().delete()
    return person


def uses():
    """What the ledger says: (reason, people) of each row; the actor is always the operator."""
    told = [ledger.read(row) for row in LedgerRow.objects.order_by("number")]
    assert {use.actor for use in told} <= {str(OPERATOR)}
    assert ledger.verify_chain() == []
    return [(use.reason, [uuid.UUID(bytes=one) for one in use.people]) for use in told]


@both
def test_a_page_is_one_ledger_row_with_everybody_on_it(held):
    page = queries.page(OPERATOR, state=None, number=1)
    assert [row.email.reveal() for row in page.rows] == ["ben@example.com", "anna@example.com", "cleo@example.com"]
    assert [row.state for row in page.rows] == [
        SubscriberState.WAITING,
        SubscriberState.CONFIRMED,
        SubscriberState.LEFT,
    ]
    assert [row.name.reveal() for row in page.rows] == ["Ben", "Anna", "Cleo"]
    assert (page.total, page.number, page.first, page.last) == (3, 1, 1, 3)
    assert uses() == [(Reason.LIST_PEOPLE, [row.person_id for row in page.rows])]
    assert "3 people" in page.note and "administration" in page.note


@pytest.mark.parametrize("state", SubscriberState)
def test_a_page_of_one_state_opens_nobody_else(held, state):
    page = queries.page(OPERATOR, state=state, number=1)
    (row,) = page.rows
    assert row.state is state
    assert uses() == [(Reason.LIST_PEOPLE, [row.person_id])]


def test_a_page_beyond_the_end_opens_nobody_and_writes_nothing(held):
    page = queries.page(OPERATOR, state=None, number=9)
    assert page.rows == [] and page.total == 3 and page.note == "No personal data was shown."
    assert uses() == []


def test_a_long_list_has_pages_that_together_show_everybody_once(held):
    acts.sign_up(*[acts.signup(f"a{number}@example.com") for number in range(60)])
    LedgerRow.objects.all().delete()
    ledger.LedgerHead.objects.all().delete()
    pages = [queries.page(OPERATOR, state=None, number=number) for number in (1, 2)]
    assert [len(page.rows) for page in pages] == [50, 13]
    shown = [row.person_id for page in pages for row in page.rows]
    assert len(set(shown)) == Person.objects.count() == 63
    assert [len(opened) for _, opened in uses()] == [50, 13]


@both
def test_a_search_is_written_whether_or_not_it_finds(held):
    anna = who("anna")
    assert queries.find(OPERATOR, " ANNA@Example.com") == [anna]
    assert queries.find(OPERATOR, "nobody@example.com") == []
    assert uses() == [(Reason.FIND_PERSON, [anna]), (Reason.FIND_PERSON, [])]


def test_one_person_is_one_row_and_shows_their_history_in_order(held):
    cleo = who("cleo")
    shown = queries.person(OPERATOR, cleo)
    assert (shown.person_id, shown.state, shown.title.reveal()) == (cleo, SubscriberState.LEFT, "cleo@example.com")
    assert [(label, value.reveal()) for label, value in shown.details] == [
        ("Email address", "cleo@example.com"),
        ("Name", "Cleo"),
    ]
    assert [step.what for step in shown.history] == ["Signed up", "Confirmed", "Unsubscribed"]
    assert [step.at for step in shown.history] == sorted(step.at for step in shown.history)
    assert uses() == [(Reason.SHOW_PERSON, [cleo])]
    assert "cleo" not in repr(shown).lower()


def test_all_five_details_are_labelled_and_a_mails_end_is_told(held):
    more = {"telephone": Telephone("1"), "postal_address": PostalAddress("2"), "company": Company("3")}
    acts.sign_up(acts.signup("dora@example.com", "Dora", **more))
    for state in ("sent", "failed"):
        Delivery.objects.filter(person=who("dora")).update(state=state, done_at=clock.now())
        shown = queries.person(OPERATOR, who("dora"))
        assert [label for label, _ in shown.details] == [
            "Email address",
            "Name",
            "Phone number",
            "Postal address",
            "Company",
        ]
        assert {"sent": "Confirmation email: sent", "failed": "Confirmation email: rejected"}[state] in {
            step.what for step in shown.history
        }


@both
def test_consent_is_opened_for_identification_and_tells_each_step(held):
    consent_texts.keep(CONSENT)
    cleo = who("cleo")
    shown = queries.consent(OPERATOR, cleo)
    assert shown.facts == (
        ("Signed up", "2 Mar 2026, 12:00:00 UTC"),
        ("Consent text", f"“{CONSENT}”"),
        ("Confirmed", "2 Mar 2026, 12:01:00 UTC"),
        ("Unsubscribed", "2 Mar 2026, 12:01:00 UTC"),
    )
    assert uses() == [(Reason.SHOW_CONSENT, [cleo])]
    assert Reason.SHOW_CONSENT.purpose is Purpose.IDENTIFICATION and "identification" in shown.note


def test_a_sentence_that_never_stood_here_is_shown_by_its_hash(held):
    acts.sign_up(Signup(EmailAddress("dora@example.com"), wording=bytes(32)))
    facts = dict(queries.consent(OPERATOR, who("dora")).facts)
    assert facts["Consent text"].endswith("00" * 32)


def test_nobody_is_nobody_and_writes_nothing(held):
    assert queries.person(OPERATOR, uuid.uuid4()) is None
    assert queries.consent(OPERATOR, uuid.uuid4()) is None
    assert uses() == []


def test_counting_opens_nobody(held):
    assert queries.counts() == StateCounts(all=3, confirmed=1, waiting=1, left=1)
    assert uses() == []
    Person.objects.all().delete()
    assert queries.counts() == StateCounts(all=0, confirmed=0, waiting=0, left=0)


def test_somebody_whose_key_is_gone_stays_a_line_without_details(held, site):
    ben = Person.objects.get(id=who("ben"))
    keeper().store.erase([(ben.slot, ben.id)])
    row = next(row for row in queries.page(OPERATOR, state=None, number=1).rows if row.person_id == ben.id)
    assert (row.email, row.name) == (None, None)
    shown = queries.person(OPERATOR, ben.id)
    assert shown.title is None and shown.details == ()
