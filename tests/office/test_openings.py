"""Must-show 4 over every address of the office: a wrong role opens nobody, and each opening is in the ledger first."""

import uuid

import pytest
from django.urls import get_resolver

from tests.office.test_roles import sign_in
from tests.people.people import answered
from troth.audience.api import tokens
from troth.audience.models import ApiToken
from troth.contact.models import Canned, Thread
from troth.core import clock
from troth.gate import bulk
from troth.gate.models import Delivery
from troth.kit.roles import Role, roles_of
from troth.newsletter.campaigns.mails import CAMPAIGN
from troth.newsletter.models import Campaign, MailTemplate, Topic
from troth.office.models import Operator
from troth.policy import versions
from troth.policy.models import ProofRun
from troth.rights.models import HeldExport
from troth.shop.models import Edition, Movement, Order, Price, Product
from troth.vault import ledger
from troth.vault.models import Erasure, LedgerRow
from troth.vault.records import Boxer

TYPED = {
    "sought": "ada@example.com",
    "form": "json",
    "frozen": "yes",
    "answer": "Hello",
    "email": "ada@example.com",
    "name": "Ada Example",
    "role": "clerk",
    "state": "closed",
    "label": "invoices",
    "title": "Thanks",
    "text": "Thank you.",
}
LAST = ("restrict_person", "delete_person", "team_remove", "team_role", "account_logout")
"""What takes away what the others need."""


@pytest.fixture
def opened(monkeypatch):
    """Who was opened, for which purpose; and how many rows the ledger had by then."""
    seen, right = [], Boxer.open

    def watched(self, key, purpose, person, *rest):
        seen.append((person, purpose, LedgerRow.objects.count()))
        return right(self, key, purpose, person, *rest)

    monkeypatch.setattr(Boxer, "open", watched)
    return seen


@pytest.fixture
def there(site, people):
    """An id for each kind of thing that an address can name."""
    person = people()
    thread = Thread.objects.get(person=answered(site, "ada@example.com", "Hello?", "Hello."))
    Thread.objects.update(state="waiting")  # so that the first page of messages shows it
    mail = Delivery.objects.filter(kind="answer").get()
    Delivery.objects.filter(id=mail.id).update(state="held", reason="leak", tripped="email")
    HeldExport.objects.create(person_id=person, asked_by="shell", reason="leak", tripped="email")
    gone = Erasure.objects.create(asked_by="shell")
    canned = Canned.objects.create(title="Thanks", text="Thank you.")
    tokens.add("The monthly report")
    return {
        "person_id": person,
        "thread_id": thread.id,
        "held_id": mail.id,
        "cause_id": uuid.uuid4(),
        "erasure_id": gone.id,
        "canned_id": canned.id,
        "operator_id": uuid.uuid4(),
        "run_id": ProofRun.objects.create(light=True, ended_at=clock.now()).id,
        "number": versions.in_force().number,
        **campaign_there(person),
        "order_id": order_of(person).id,
        "ident": uuid.uuid4(),
        "token": "x" * 43,
        "kind": "page",
        "token_id": ApiToken.objects.get().id,
        "pk": 1,
    }


def campaign_there(person):
    """A campaign that was sent, and did not reach somebody; a topic; a picture."""
    campaign = Campaign.objects.create(subject="Spring news", markdown="Hello.", state="sent", started_at=clock.now())
    bulk.add(CAMPAIGN, campaign.id, [person], "example.com")
    Delivery.objects.filter(about=campaign.id).update(state="failed", next_at=None, done_at=clock.now())
    Campaign.objects.update(audience=1, finished_at=clock.now())
    topic = Topic.objects.create(name="Releases", number=0)
    template = MailTemplate.objects.create(name="receipt", subject="Thank you", markdown="{{ data.number }}")
    return {
        "campaign_id": campaign.id,
        "topic_id": topic.id,
        "template_id": template.id,
        "image_name": "0.png",
        "outcome": "failed",
    }


def order_of(person):
    """An order that was paid, by somebody who may be an invented one."""
    product, _ = Product.objects.get_or_create(slug="plainbook", defaults={"name": "Plainbook"})
    edition, _ = Edition.objects.get_or_create(product=product, slug="single", defaults={"name": "For one person"})
    price, _ = Price.objects.get_or_create(edition=edition, currency="EUR", amount=4900, state="on_sale")
    order = Order.with_canaries.create(
        id=uuid.uuid4(),
        number=uuid.uuid4().hex[:12],
        price=price,
        person_id=person,
        state="paid",
        checkout=uuid.uuid4().hex,
        currency="EUR",
        total=4900,
        last4="4242",
        created_at=clock.now(),
        paid_at=clock.now(),
    )
    Movement.with_canaries.create(order=order, kind="payment", amount=4900, currency="EUR", document="2026-0001")
    return order


def addresses(there):
    """Every address of the office, filled in, with its view; what takes away the others' things comes last."""
    patterns = sorted(get_resolver("troth.office.urls").url_patterns, key=lambda one: one.name in LAST)
    for one in patterns:
        path = "/" + str(one.pattern)
        for name, converter in one.pattern.converters.items():
            kind = {"UUIDConverter": "uuid", "StringConverter": "str", "IntConverter": "int"}[type(converter).__name__]
            path = path.replace(f"<{kind}:{name}>", str(there[name]))
        assert "<" not in path, path
        yield one, path


@pytest.mark.parametrize("role", [Role.CLERK, Role.ANALYST])
def test_a_wrong_role_gets_403_at_every_address_and_opens_nobody(there, opened, role):
    client, refused = sign_in(role), 0
    before, seen = LedgerRow.objects.count(), len(opened)
    for one, path in addresses(there):
        roles = roles_of(one.callback)
        if roles is None or role in roles:
            continue
        refused += 1
        assert client.get(path).status_code == 403, path
        assert client.post(path, TYPED).status_code == 403, path
    assert refused >= {Role.CLERK: 10, Role.ANALYST: 25}[role]
    assert (LedgerRow.objects.count(), len(opened)) == (before, seen)


def test_every_opening_at_every_address_is_in_the_ledger_before_it_happens(there, opened):
    client, pages = sign_in(Role.OWNER), set()
    actor = str(Operator.objects.get().id)
    for one, path in addresses(there):
        if one.name and one.name.startswith(("account_", "mfa_")):
            continue  # allauth's, of the operator alone
        for ask in (client.get, lambda at: client.post(at, TYPED)):
            seen, rows = len(opened), LedgerRow.objects.count()
            assert ask(path).status_code < 500, path
            for person, purpose, by_then in opened[seen:]:
                told = [ledger.read(row) for row in LedgerRow.objects.filter(number__gt=rows, number__lte=by_then)]
                fits = [use for use in told if person.bytes in use.people and use.purpose is purpose]
                assert fits and all(use.actor == actor for use in fits), (path, purpose)
                pages.add(one.name)
    assert pages >= {
        "people",
        "person",
        "consent",
        "export_person",
        "edit_person",
        "messages",
        "thread",
        "campaign_recipients",
    }
    assert ledger.verify_chain() == []
