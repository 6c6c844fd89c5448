"""Whatever goes wrong between us and the card company: nothing is lost, nothing done twice, and it is tried again."""

from datetime import timedelta

import pytest

from tests.shop.conftest import balance, bought, told
from troth.core import clock, ids
from troth.shop import asking, events, orders
from troth.shop.models import CustomerToForget, Order, Question, RefundOrder


@pytest.fixture
def waited(monkeypatch):
    """`waited(hours)`: so much later."""
    present = clock.now
    monkeypatch.setattr(ids, "_last", ids._last)  # what follows makes no ids of that time

    def wait(hours):
        later = present() + timedelta(hours=hours)
        monkeypatch.setattr(clock, "now", lambda: later)

    return wait


@pytest.mark.parametrize(
    ("kind", "more", "word"),
    [
        ("refused", {}, "no_answer"),
        ("lost_answer", {}, "no_answer"),
        ("bad_gateway", {}, "no_answer"),
        ("error_after", {}, "broken"),
        ("nonsense", {}, "no_answer"),
        ("nonsense", {"body": "{}"}, "no_answer"),
        ("nonsense", {"body": '{"object": "checkout.session", "id": 7}'}, "no_answer"),
        ("rate_limit", {"seconds": 9}, "busy"),
    ],
)
@pytest.mark.parametrize("call", ["GET /v1/checkout", "GET /v1/disputes"])
def test_a_question_without_an_answer_waits_and_is_put_again(on_sale, company, waited, kind, more, word, call):
    company.fault("answer", kind, call=call, **more)
    checkout = bought(company)
    assert told(checkout) is None
    question = Question.objects.get()
    assert (question.problem, question.tries) == (word, 1) and question.next_at > clock.now()
    assert asking.due() == ()
    waited(1)
    asking.work_off()
    assert Order.objects.get().state == "paid" and not Question.objects.exists()


def test_waits_grow_to_an_hour_and_no_question_is_dropped(on_sale, company, waited):
    checkout = bought(company)
    company.fault("answer", "refused", call="GET /v1/checkout", times=12)
    told(checkout)
    for hours in range(2, 24, 2):
        waited(hours)
        asking.work_off()
    question = Question.objects.get()
    assert question.tries == 12 and question.next_at - clock.now() == timedelta(hours=1)
    waited(30)
    asking.work_off()
    assert Order.objects.get().state == "paid"


def test_a_key_that_is_refused_or_missing_waits(on_sale, company, waited):
    on_sale.card_company_key.write_text("rk_test_wrong_key_0123")
    checkout = bought(company)
    assert told(checkout) is None and Question.objects.get().problem == "key_refused"
    asking.company._opened.cache_clear()
    on_sale.card_company_key.unlink()
    waited(1)
    asking.work_off()
    assert Question.objects.get().problem == "no_key"


@pytest.mark.parametrize("step", ["claimed", "asked", "recorded"])
def test_a_worker_that_is_killed_at_any_step_settles_once(on_sale, company, waited, step):
    checkout = bought(company)
    events.raise_question(Question.Kind.CHECKOUT, checkout)
    (job,) = [job for job in asking.due() if not isinstance(job, asking.ReconcileJob)]
    if step != "claimed":
        answer = asking.ask(job)
        if step == "recorded":
            asking.record(job, answer)
    waited(1)
    asking.work_off()
    assert balance(Order.objects.get()) == 4900 and Order.objects.get().movements.count() == 1
    assert not Question.objects.exists()


# -- refunds ----------------------------------------------------------------------------------------------------------


def test_a_refund_is_made_written_and_mailed(on_sale, company):
    order = told(bought(company))
    orders.refund(order, 900, "shell")
    asking.work_off()
    order.refresh_from_db()
    assert (order.state, balance(order), RefundOrder.objects.get().state) == ("part_refunded", 4000, "done")


@pytest.mark.parametrize("kind", ["lost_answer", "bad_gateway", "nonsense", "refused", "rate_limit", "error_after"])
def test_a_refund_whose_answer_is_lost_is_made_once(on_sale, company, waited, kind):
    order = told(bought(company))
    company.fault("answer", kind, call="POST /v1/refunds", seconds=1)
    orders.refund(order, 900, "shell")
    asking.work_off()
    waited(1)
    asking.work_off()
    waited(2)
    asking.work_off()
    order.refresh_from_db()
    assert (order.state, balance(order)) == ("part_refunded", 4000)
    assert len(company.client.v1.refunds.list({"payment_intent": order.payment}).data) == 1


def test_a_worker_killed_after_the_refund_and_before_it_was_written_refunds_once(on_sale, company, waited):
    order = told(bought(company))
    orders.refund(order, 900, "shell")
    (job,) = [job for job in asking.due() if isinstance(job, asking.RefundJob)]
    asking.ask(job)
    waited(1)
    asking.work_off()
    order.refresh_from_db()
    assert balance(order) == 4000
    assert len(company.client.v1.refunds.list({"payment_intent": order.payment}).data) == 1


@pytest.mark.parametrize("amount", [4901, 0, -1])
def test_a_refund_of_more_than_there_is_is_refused(on_sale, company, amount):
    order = told(bought(company))
    with pytest.raises(orders.RefundRefused):
        orders.refund(order, amount, "shell")
    assert not RefundOrder.objects.exists()


def test_two_refunds_that_wait_may_not_be_more_than_the_payment(on_sale, company):
    order = told(bought(company))
    orders.refund(order, 4000, "shell")
    with pytest.raises(orders.RefundRefused):
        orders.refund(order, 901, "shell")
    orders.refund(order, 900, "shell")
    asking.work_off()
    order.refresh_from_db()
    assert order.state == "refunded" and balance(order) == 0


def test_a_refund_that_the_company_refuses_says_why(on_sale, company, adapter):
    order = told(bought(company))
    adapter.refund(order.payment, None, f"elsewhere-{order.id}")  # in its dashboard; we have not heard of it
    orders.refund(order, 900, "shell")
    asking.work_off()
    refund = RefundOrder.objects.get()
    assert (refund.state, refund.reason) == ("refused", "charge_already_refunded")
    order.refresh_from_db()
    assert order.state == "refunded" and balance(order) == 0


# -- who is forgotten --------------------------------------------------------------------------------------------------


def test_a_customer_is_deleted_there_once(on_sale, company, waited):
    customer = company.client.v1.customers.create({"email": "ada@example.com"}).id
    for ident in (customer, "cus_unknown"):
        CustomerToForget.objects.create(customer=ident)
    company.fault("answer", "refused", call=f"DELETE /v1/customers/{customer}")
    asking.work_off()
    assert CustomerToForget.objects.get().customer == customer
    waited(1)
    asking.work_off()
    assert not CustomerToForget.objects.exists()
    assert company.client.v1.customers.retrieve(customer).deleted
