"""Idempotency keys, and what goes wrong with answers on demand."""

import threading

import pytest
import stripe

from tests.demo.card_company.company import running


def named(company, name):
    return [each for each in company.client.v1.products.list({"limit": 100}).data if each.name == name]


def make(company, name, key=None, **more):
    return company.client.v1.products.create({"name": name, **more}, {"idempotency_key": key} if key else None)


def test_the_same_key_and_parameters_get_the_same_answer(company):
    first, second = (make(company, "Once", "key-once") for _ in range(2))
    assert first.id == second.id and len(named(company, "Once")) == 1
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.last_response.headers


def test_a_key_is_for_one_call(company):
    make(company, "Key", "key-one")
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        make(company, "Other", "key-one")
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        company.client.v1.customers.create({"name": "Key"}, {"idempotency_key": "key-one"})
    assert named(company, "Other") == []
    with pytest.raises(stripe.IdempotencyError, match="255"):
        make(company, "Long", "k" * 256)


def test_an_error_of_a_call_that_began_is_remembered_and_one_of_its_parameters_is_not(company):
    intent = company.paid().payment_intent
    too_much = {"payment_intent": intent.id, "amount": 5000}
    for replayed in (False, True):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            company.client.v1.refunds.create(too_much, {"idempotency_key": "key-refund"})
        assert ("Idempotent-Replayed" in caught.value.headers) == replayed
    with pytest.raises(stripe.InvalidRequestError):
        make(company, "Mended", "key-mended", colour="red")
    assert make(company, "Mended", "key-mended").name == "Mended"


def test_a_declined_payment_is_remembered_and_charged_once(company):
    params = {"amount": 900, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa_chargeDeclined"}
    charges = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            company.client.v1.payment_intents.create(params, {"idempotency_key": "key-declined"})
        charges.append(caught.value.error.charge)
    assert charges[0] == charges[1]


def test_a_key_is_forgotten_after_a_day(company):
    first = make(company, "Daily", "key-daily")
    company.advance(86401)
    assert make(company, "Daily", "key-daily").id != first.id


def test_a_key_that_is_in_use_is_refused_until_there_is_an_answer(company):
    company.fault("answer", "slow", call="POST /v1/products", seconds=2)
    outcomes = []
    slow = threading.Thread(target=lambda: outcomes.append(make(company, "Slow", "key-slow")))
    other = company.client_of(company.key)
    slow.start()
    while not outcomes and slow.is_alive():
        try:
            answer = other.v1.products.create({"name": "Slow"}, {"idempotency_key": "key-slow"})
        except stripe.StripeError as error:
            assert (error.http_status, error.json_body["error"]["code"]) == (409, "idempotency_key_in_use")
            break
        outcomes.append(answer)
    slow.join()
    assert len(named(company, "Slow")) == 1


def test_a_500_after_the_deed_is_what_the_key_remembers(company):
    company.fault("answer", "error_after", call="POST /v1/products")
    for _ in range(2):
        with pytest.raises(stripe.APIError) as caught:
            make(company, "Done", "key-500")
        assert caught.value.http_status == 500
    assert len(named(company, "Done")) == 1


@pytest.mark.parametrize("kind", ["bad_gateway", "lost_answer", "nonsense"])
def test_what_was_done_before_the_answer_went_wrong_is_learnt_by_the_same_key(company, kind):
    company.fault("answer", kind, call="POST /v1/products")
    with pytest.raises((stripe.APIError, stripe.APIConnectionError)):
        make(company, kind, f"key-{kind}")
    (product,) = named(company, kind)
    assert make(company, kind, f"key-{kind}").id == product.id


def test_the_clients_own_retries_keep_the_key(company):
    company.fault("answer", "lost_answer", call="POST /v1/products", times=2)
    client = company.client_of(company.key, max_network_retries=3)
    product = client.v1.products.create({"name": "Retried"})
    assert [each.id for each in named(company, "Retried")] == [product.id]


def test_a_refused_connection_does_nothing(company):
    company.fault("answer", "refused", call="POST /v1/products")
    with pytest.raises(stripe.APIConnectionError):
        make(company, "Never")
    assert named(company, "Never") == []


def test_a_limit_names_when_to_come_back_and_is_not_remembered(company):
    company.fault("answer", "rate_limit", call="POST /v1/products", seconds=7)
    with pytest.raises(stripe.RateLimitError) as caught:
        make(company, "Limited", "key-limited")
    assert caught.value.headers["Retry-After"] == "7"
    assert make(company, "Limited", "key-limited").name == "Limited"


def test_an_unknown_fault_or_control_is_refused(company):
    for name, body in (("faults", {"of": "answer", "kind": "explode"}), ("clock", {"advance": "soon"}), ("pay", {})):
        assert company.web.post(f"/_control/{name}", json=body).status_code == 422
    assert company.web.post("/_control/pay", json={"session": "cs_test_none"}).status_code == 422
    assert company.web.post("/_control/nothing", json={}).status_code == 404
    assert company.web.post("/_control/work", headers={"Authorization": ""}).status_code == 403


def test_a_restart_loses_nothing(tmp_path):
    state = str(tmp_path / "state.sqlite3")
    with running("--state", state) as company:
        key, session = company.key, company.session()
        company.control("pay", session=session.id)
        make(company, "Kept", "key-kept")
        company.advance(100)
        before = company.web.post("/_control/clock", json={"advance": 0}).json()["now"]
        company.process.kill()
        company.process.wait(30)
    with running("--state", state) as company:
        assert company.key == key
        assert company.client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
        assert make(company, "Kept", "key-kept").last_response.headers["Idempotent-Replayed"] == "true"
        assert company.control("clock", advance=0)["now"] >= before
