"""What no notice told of is found, and each order's money is compared with the card company's own."""

from datetime import timedelta

import pytest

from tests.conftest import both
from tests.shop.conftest import balance, bought, told
from troth.core import clock
from troth.shop import asking, reconciliation
from troth.shop.models import CompanyEvent, Comparison, Movement, Order, Question


def compare(adapter):
    return reconciliation.whole(adapter, asking.work_off)


@both
def test_orders_of_which_no_notice_told_are_found(on_sale, company, adapter):
    checkouts = {bought(company) for _ in range(3)}
    report = compare(adapter)
    assert set(Order.objects.values_list("checkout", flat=True)) == checkouts
    assert (report.orders, report.differing) == (3, 0) and report.events >= 3 and report.settled == 3
    again = compare(adapter)
    assert (again.events, again.settled, again.orders, again.differing) == (0, 0, 3, 0)


@both
def test_refunds_and_disputes_of_which_no_notice_told_are_found(on_sale, company, adapter):
    refunded, disputed = told(bought(company)), told(bought(company))
    adapter.refund(refunded.payment, None, f"quiet-{refunded.id}")
    company.control("disputes", charge=adapter.checkout(disputed.checkout).charge)
    compare(adapter)
    for order in (refunded, disputed):
        order.refresh_from_db()
    assert (refunded.state, balance(refunded)) == ("refunded", 0)
    assert balance(disputed) == 0 and disputed.disputes.get().state == "needs_response"


def test_sums_are_compared_even_when_the_company_lists_no_event_any_more(on_sale, company, adapter, monkeypatch):
    bought(company)
    monkeypatch.setattr(adapter, "events", lambda _since: iter(()))
    assert compare(adapter).orders == 1


def test_what_is_missing_in_our_books_is_mended_and_told(on_sale, company, adapter):
    order = told(bought(company))
    Movement.objects.filter(order=order).update(amount=100)
    report = compare(adapter)
    assert report.differing == 1
    assert Comparison.objects.get().differing == 1


def test_what_is_not_ours_or_not_paid_is_left_alone(on_sale, company, adapter):
    company.paid()
    company.session()
    report = compare(adapter)
    assert (report.orders, report.differing) == (0, 0) and not Order.objects.exists()


def test_the_worker_compares_when_it_is_due_and_goes_on_from_the_last_event(on_sale, company):
    Comparison.objects.update(next_at=clock.now())
    checkout = bought(company)
    asking.work_off()
    state = Comparison.objects.get()
    assert Order.objects.get().checkout == checkout
    assert state.problem == "" and state.at is not None
    assert state.next_at - clock.now() > timedelta(minutes=14)
    newest = CompanyEvent.objects.order_by("-happened_at").first()
    assert state.events_until == newest.happened_at
    start = reconciliation.since(clock.now(), everything=False)
    assert start.events == int((newest.happened_at - timedelta(hours=1)).timestamp())


@pytest.mark.parametrize("call", ["GET /v1/events", "GET /v1/checkout"])
def test_a_comparison_that_fails_says_why_and_is_made_again(on_sale, company, call):
    Comparison.objects.update(next_at=clock.now())
    checkout = bought(company)
    company.fault("answer", "refused", call=call)
    asking.work_off()
    state = Comparison.objects.get()
    assert (state.problem, state.at) == ("no_answer", None) and not Order.objects.exists()
    Comparison.objects.update(next_at=clock.now())
    asking.work_off()
    assert Comparison.objects.get().problem == "" and Order.objects.get().checkout == checkout
    assert not Question.objects.exists()
