"""Stripe's adapter against the stand-in: each method, and every fault."""

import dataclasses
import os
import ssl
import subprocess
import sys

import pytest

from troth.gate import doors
from troth.gate.card_company.errors import Broken, Busy, KeyRefused, NoAnswer, Refused, Unknown
from troth.gate.card_company.stripe_company import StripeCompany
from troth.gate.card_company.transport import DoorClient
from troth.gate.card_company.types import CardCompany, ForSale, Money

SOLD = ForSale("Plainbook", "product-7", Money(4900, "eur"), "https://shop.example.com/back?id={CHECKOUT_SESSION_ID}")


def names(company, name):
    return [each for each in company.client.v1.products.list({"limit": 100}).data if each.name == name]


def bought(company, adapter, key="bought", method="success"):
    published = adapter.publish(SOLD, key)
    place = company.web.get(published.url).headers["location"]
    session = place.rpartition("/")[2]
    company.control("pay", session=session, method=method)
    return session


def test_what_is_published_is_bought_refunded_and_withdrawn(company, adapter):
    checked: CardCompany = adapter  # by mypy, where tests are checked; here by what follows
    session = bought(company, checked)
    checkout = adapter.checkout(session)
    assert (checkout.state, checkout.paid, checkout.total) == ("complete", "paid", Money(4900, "eur"))
    assert (checkout.reference, checkout.country, checkout.last4) == ("product-7", "DE", "4242")
    part = adapter.refund(checkout.payment, Money(900, "eur"), "refund-1")
    assert part == adapter.refund(checkout.payment, Money(900, "eur"), "refund-1")
    assert adapter.refund(checkout.payment, None, "refund-2").money == Money(4000, "eur")
    assert adapter.checkout(session).refunded == 4900
    with pytest.raises(Refused) as caught:
        adapter.refund(checkout.payment, None, "refund-3")
    assert caught.value.code == "charge_already_refunded"
    published = adapter.publish(SOLD, "bought")
    adapter.withdraw(published.link, "withdraw")
    assert company.web.get(published.url).status_code == 410


def test_nothing_about_a_person_is_kept_of_a_checkout(company, adapter):
    checkout = adapter.checkout(bought(company, adapter, "private"))
    assert "buyer@example.com" not in repr(checkout) and "Bo Buyer" not in repr(checkout)
    assert all(isinstance(value, str | int | bool | Money) for value in dataclasses.astuple(checkout)[:3])


def test_a_dispute_has_its_deadline(company, adapter):
    checkout = adapter.checkout(bought(company, adapter, "disputed", "dispute_fraudulent"))
    (event,) = [each for each in adapter.events(0) if each.type == "charge.dispute.created"]
    (dispute,) = adapter.disputes(checkout.payment)
    assert (event.about, event.payment) == (dispute.id, checkout.payment)
    assert (dispute.payment, dispute.state, dispute.money) == (checkout.payment, "needs_response", Money(4900, "eur"))
    assert dispute.due_by > event.created and checkout.disputed


def test_events_are_all_there_over_several_pages(company, adapter):
    for number in range(120):
        company.client.v1.products.create({"name": f"Event {number}"})
    events = list(adapter.events(0))
    assert len({event.id for event in events}) == len(events) > 120
    assert list(adapter.events(events[0].created + 1000)) == []


def test_a_customer_is_forgotten_once_and_asking_again_is_no_error(company, adapter):
    customer = company.client.v1.customers.create({"email": "ada@example.com"}).id
    adapter.forget_customer(customer)
    adapter.forget_customer(customer)
    assert company.client.v1.customers.retrieve(customer).deleted


@pytest.mark.parametrize("kind", ["bad_gateway", "lost_answer", "nonsense"])
def test_what_may_be_done_is_asked_again_with_the_same_key_and_done_once(company, adapter, kind):
    sold = dataclasses.replace(SOLD, name=kind)
    company.fault("answer", kind, call="POST /v1/products")
    with pytest.raises(NoAnswer) as caught:
        adapter.publish(sold, kind)
    assert caught.value.retry and len(names(company, kind)) == 1
    assert [adapter.publish(sold, kind).product] == [each.id for each in names(company, kind)]


@pytest.mark.parametrize("body", ["[]", "{}", "null", '"text"', '{"object": "list"}', '{"id": 7}', ""])
def test_nonsense_is_no_answer(company, adapter, body):
    session = bought(company, adapter, "nonsense-json")
    company.fault("answer", "nonsense", call="GET /v1/checkout", body=body)
    with pytest.raises(NoAnswer):
        adapter.checkout(session)


def test_a_refused_connection_and_a_slow_one_are_no_answer(company, stripe_door, key):
    hasty = StripeCompany(stripe_door, key, timeout=0.3, retries=0)
    for kind, more in (("refused", {}), ("slow", {"seconds": 3})):
        company.fault("answer", kind, call="GET /v1/checkout", **more)
        with pytest.raises(NoAnswer):
            hasty.checkout("cs_test_none")


def test_a_500_that_is_remembered_is_not_tried_again(company, stripe_door, key):
    company.fault("answer", "error_after", call="POST /v1/products")
    sold = dataclasses.replace(SOLD, name="Broken")
    with pytest.raises(Broken) as caught:
        StripeCompany(stripe_door, key, retries=2).publish(sold, "broken")
    assert not caught.value.retry and len(names(company, "Broken")) == 1


def test_a_limit_says_when_to_come_back(company, adapter):
    company.fault("answer", "rate_limit", call="GET /v1/checkout", seconds=9)
    with pytest.raises(Busy) as caught:
        adapter.checkout("cs_test_none")
    assert caught.value.retry and caught.value.after == 9


def test_the_clients_own_retries_keep_our_key(company, stripe_door, key):
    company.fault("answer", "lost_answer", call="POST /v1/products")
    sold = dataclasses.replace(SOLD, name="Retried")
    StripeCompany(stripe_door, key, retries=2).publish(sold, "retried")
    assert len(names(company, "Retried")) == 1


def test_what_there_is_not_and_what_is_not_permitted(company, stripe_door, adapter):
    with pytest.raises(Unknown):
        adapter.checkout("none_1")
    assert adapter.checkout_of("none_1") is None and adapter.disputes("none_1") == ()
    poor = company.control("keys", permissions=["product_read"])["key"]
    for key in (poor, "rk_test_wrong"):
        with pytest.raises(KeyRefused) as caught:
            StripeCompany(stripe_door, key, retries=0).checkout("cs_test_none")
        assert key not in str(caught.value)


def test_the_environment_changes_nothing(company, adapter, monkeypatch, tmp_path):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert adapter.checkout(bought(company, adapter, "environment")).paid == "paid"
    assert list(tmp_path.iterdir()) == []


_ASKING = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
if sys.argv[4] == "ours":
    from troth.gate import doors
    from troth.gate.card_company.stripe_company import StripeCompany
    print(StripeCompany(doors.card_company(sys.argv[1]), sys.argv[2]).checkout(sys.argv[3]).paid)
else:
    import stripe
    stripe.enable_telemetry = False
    client = stripe.StripeClient(sys.argv[2], base_addresses={"api": sys.argv[1]})
    print(client.v1.checkout.sessions.retrieve(sys.argv[3]).payment_status)
"""


def test_no_log_level_shows_an_answer(company, adapter, key):
    """With the client alone, it does."""
    session = bought(company, adapter, "logged")
    environment = {**os.environ, "STRIPE_LOG": "debug"}
    errors = {}
    for whose in ("ours", "stripe's"):
        command = [sys.executable, "-c", _ASKING, company.url, key, session, whose]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == "paid\n"
        errors[whose] = done.stderr
    assert "buyer@example.com" not in errors["ours"] and "buyer@example.com" in errors["stripe's"]


@pytest.mark.parametrize(
    "address", ["http://api.example.com", "ftp://localhost", "https://", "https://api.example.com/v1"]
)
def test_only_an_encrypted_door_leaves_this_machine(address):
    with pytest.raises(doors.DoorError):
        doors.card_company(address)


def test_the_door_to_the_real_one():
    door = doors.card_company("https://api.stripe.com")
    assert (door.host, door.port, door.encryption, door.categories) == ("api.stripe.com", 443, "tls", frozenset())
    tls = DoorClient(door, 1.0)._tls
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert tls.minimum_version >= ssl.TLSVersion.TLSv1_2
