"""Signed notices: sent, tried again by the clock, and spoilt on demand."""

import json

import pytest
import stripe

from tests.demo.card_company.company import receiving
from troth.demo.card_company.webhooks import RETRY_SECONDS


def product(company, name="Tidemark"):
    return company.client.v1.products.create({"name": name})


def test_a_notice_is_signed_and_says_what_the_call_did(company, receiver, endpoint):
    made = product(company)
    event = receiver.event(endpoint.secret)
    assert (event.type, event.data.object.id) == ("product.created", made.id)
    assert event.request.id.startswith("req_") and event.request.idempotency_key
    company.client.v1.products.update(made.id, {"name": "Tidemark 2"})
    changed = receiver.event(endpoint.secret)
    assert changed.data.previous_attributes["name"] == "Tidemark"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(b"{}", "t=1,v1=0", endpoint.secret)


def test_the_secret_is_shown_to_the_maker_only(company, endpoint):
    assert endpoint.secret.startswith("whsec_")
    shown = company.client.v1.webhook_endpoints.retrieve(endpoint.id)
    assert "secret" not in shown.to_dict()


def test_an_endpoint_is_told_what_it_asked_for_and_nothing_while_disabled(company, receiver):
    endpoints = company.client.v1.webhook_endpoints
    endpoint = endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    product(company)
    company.client.v1.customers.create({"email": "ada@example.com"})
    assert receiver.event(endpoint.secret).type == "customer.created"
    assert endpoints.update(endpoint.id, {"disabled": True}).status == "disabled"
    company.client.v1.customers.create({"email": "bob@example.com"})
    company.control("work")
    assert receiver.notices.empty()
    endpoints.delete(endpoint.id)


def test_only_this_machine_is_told(company):
    for url in ("https://example.com/hook", "http://example.com/hook", "http://localhost.example.com/"):
        with pytest.raises(stripe.InvalidRequestError):
            company.client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})


def test_a_notice_that_is_not_taken_is_tried_again_by_the_timetable(company, receiver, endpoint):
    receiver.statuses = [500, 302, 200]
    product(company)
    first = receiver.next()[0]
    company.control("work")
    assert receiver.notices.empty()
    event = json.loads(first)["id"]
    assert company.client.v1.events.retrieve(event).pending_webhooks == 1
    for seconds in RETRY_SECONDS[:2]:
        company.advance(seconds + 1)
        assert json.loads(receiver.next()[0])["id"] == event
    assert company.client.v1.events.retrieve(event).pending_webhooks == 0
    company.advance(86400)
    assert receiver.notices.empty()


def test_after_three_days_it_is_given_up(company):
    with receiving() as receiver:
        url = receiver.url
    endpoint = company.client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    product(company)
    company.control("work")
    for seconds in RETRY_SECONDS:
        company.advance(seconds + 1)
    (delivery,) = [each for each in company.deliveries() if each["endpoint"] == endpoint.id]
    assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("failed", len(RETRY_SECONDS) + 1, 0)
    assert 2 * 86400 < sum(RETRY_SECONDS) < 4 * 86400
    company.client.v1.webhook_endpoints.delete(endpoint.id)


def test_a_duplicate_has_the_same_id(company, receiver, endpoint):
    company.fault("notice", "duplicate", event="product.created")
    product(company)
    assert receiver.event(endpoint.secret).id == receiver.event(endpoint.secret).id


def test_a_reordered_notice_comes_after_the_next_one(company, receiver, endpoint):
    company.fault("notice", "reorder", event="product.created")
    made = product(company)
    company.client.v1.products.update(made.id, {"name": "Later"})
    assert [receiver.event(endpoint.secret).type for _ in range(2)] == ["product.updated", "product.created"]


def test_a_delayed_notice_comes_by_the_clock(company, receiver, endpoint):
    company.fault("notice", "delay", seconds=500)
    product(company)
    company.control("work")
    assert receiver.notices.empty()
    company.advance(501)
    assert receiver.event(endpoint.secret).type == "product.created"


def test_a_dropped_notice_never_comes_but_the_event_is_listed(company, receiver, endpoint):
    company.fault("notice", "drop")
    made = product(company)
    company.advance(7 * 86400)
    assert receiver.notices.empty()
    assert company.client.v1.events.list({"type": "product.created", "limit": 1}).data[0].data.object.id == made.id


@pytest.mark.parametrize(
    ("kind", "seconds", "words"),
    [("forge", 0, "No signatures found matching"), ("misdate", -400, "tolerance"), ("truncate", 0, "No signatures")],
)
def test_a_spoilt_notice_is_refused_by_the_client(company, receiver, endpoint, kind, seconds, words):
    company.fault("notice", kind, seconds=seconds)
    product(company)
    with pytest.raises(stripe.SignatureVerificationError, match=words):
        receiver.event(endpoint.secret)


def test_a_notice_from_the_future_is_taken_by_the_client(company, receiver, endpoint):
    """So the receiver has to refuse it itself."""
    company.fault("notice", "misdate", seconds=10**7)
    product(company)
    assert receiver.event(endpoint.secret).type == "product.created"


def test_a_paid_session_tells_all_that_happened(company, receiver, endpoint):
    company.paid()
    kinds = []
    while "checkout.session.completed" not in kinds:
        kinds.append(receiver.event(endpoint.secret).type)
    assert [kind for kind in kinds if kind.startswith(("payment_intent", "charge", "checkout"))] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
