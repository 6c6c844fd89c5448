"""Notices are believed if the card company signed them, and then only that something happened."""

import json
from datetime import timedelta

import pytest

from tests.conftest import both
from tests.shop.conftest import SECRET, bought, opened
from tests.worker.test_intake import drain
from troth.core import clock
from troth.demo.card_company.webhooks import signed
from troth.shop import asking, intake
from troth.shop import company as companies
from troth.shop.entry import CardNotice, CheckoutReturn
from troth.shop.models import CompanyEvent, Order, Question, RefusedNotice
from troth.vault.models import AsideItem


def event(about="cs_test_1", ident="evt_1", kind="checkout.session.completed", **more):
    about_object = {"id": about, "object": "checkout.session", **more}
    return {"id": ident, "object": "event", "type": kind, "created": now(), "data": {"object": about_object}}


def now():
    return int(clock.now().timestamp())


def notice(content=None, *, secret=SECRET, at=0, **facts):
    body = content if content is not None else json.dumps(event(**facts))
    return CardNotice(body.encode(), signed(body, secret, now() + at))


def refused():
    return dict(RefusedNotice.objects.values_list("reason", "count"))


@both
def test_a_signed_notice_raises_a_question_which_is_answered_by_the_company(on_sale, company):
    checkout = bought(company)
    on_sale.submit(notice(about=checkout))
    drain()
    known = CompanyEvent.objects.get()
    assert (known.type, known.about, known.by_notice, known.settled_at) == (
        "checkout.session.completed", checkout, True, None,
    )  # fmt: skip
    assert not Order.objects.exists()
    asking.work_off()
    assert Order.objects.get().state == "paid" and CompanyEvent.objects.get().settled_at
    assert refused() == {}


@both
def test_a_notice_that_comes_twice_is_one_event_and_one_order(on_sale, company):
    checkout = bought(company)
    twice = notice(about=checkout)
    on_sale.submit(twice, twice)
    drain()
    asking.work_off()
    on_sale.submit(twice, notice(about=checkout, ident="evt_2", kind="charge.refunded"))
    drain()
    asking.work_off()
    assert CompanyEvent.objects.count() == 2 and Order.objects.get().state == "paid"
    assert Order.objects.get().movements.count() == 1


def test_a_signed_notice_of_a_payment_that_was_never_made_changes_nothing(on_sale, company):
    checkout = opened(company)
    on_sale.submit(notice(about=checkout, payment_status="paid", status="complete", amount_total=4900))
    drain()
    asking.work_off()
    assert not Order.objects.exists() and not Question.objects.exists()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (lambda: notice(secret="whsec_of_somebody"), "wrong_signature"),
        (lambda: notice(at=-301), "wrong_time"),
        (lambda: notice(at=400), "wrong_time"),
        (lambda: notice(at=86400 * 365), "wrong_time"),
        (lambda: CardNotice(b"{}", f"t=1,v0={'0' * 64}"), "no_signature"),
        (lambda: CardNotice(notice().notice[:-1], notice().signature), "wrong_signature"),
        (lambda: notice(content="[]"), "unreadable"),
        (lambda: notice(content="{" * 20_000), "unreadable"),
        (lambda: notice(content=json.dumps(event() | {"id": 7})), "unreadable"),
    ],
)
def test_what_the_company_did_not_sign_just_now_is_counted_and_dropped(on_sale, bad, reason):
    on_sale.submit(bad(), notice(ident="evt_good"))
    drain()
    assert refused() == {reason: 1}
    assert [known.id for known in CompanyEvent.objects.all()] == ["evt_good"]


def test_without_a_secret_nothing_is_believed_and_the_reason_is_told(on_sale):
    on_sale.card_company_secrets.unlink()
    on_sale.submit(notice(), notice())
    drain()
    assert refused() == {intake.NO_SECRET: 2} and not CompanyEvent.objects.exists()


def test_while_the_secret_is_changed_both_are_good(on_sale):
    on_sale.card_company_secrets.write_text(f"whsec_next\n{SECRET}\nwhsec_long_ago")
    assert companies.notice_secrets() == ("whsec_next", SECRET)
    on_sale.submit(
        notice(ident="a", secret="whsec_next"), notice(ident="b"), notice(ident="c", secret="whsec_long_ago")
    )
    drain()
    assert CompanyEvent.objects.count() == 2 and refused() == {"wrong_signature": 1}


def test_what_came_while_the_worker_was_stopped_is_believed(on_sale, monkeypatch):
    on_sale.submit(notice())
    later = clock.now() + timedelta(hours=20)
    monkeypatch.setattr(clock, "now", lambda: later)
    drain()
    assert CompanyEvent.objects.count() == 1 and refused() == {}


def test_events_of_no_interest_raise_no_question(on_sale):
    on_sale.submit(*(notice(ident=f"evt_{kind}", kind=kind) for kind in ("product.created", "charge.succeeded")))
    drain()
    assert CompanyEvent.objects.count() == 2 and not Question.objects.exists()


def test_what_a_captured_front_seals_is_refused(on_sale):
    long, card = CardNotice(b"x" * 50_000, "t=1"), CardNotice(b"4242 4242 4242 4242", "t=1")
    on_sale.submit(long, card, CheckoutReturn("4242424242424242"), CheckoutReturn("../../x"))
    drain()
    assert AsideItem.objects.filter(reason="refused").count() == 4
    assert not RefusedNotice.objects.exists()


def test_a_buyer_who_comes_back_before_the_notice_is_enough(on_sale, company):
    on_sale.submit(CheckoutReturn(bought(company)), CheckoutReturn("cs_test_invented"))
    drain()
    asking.work_off()
    assert Order.objects.get().state == "paid" and not Question.objects.exists()


def test_who_comes_back_again_and_again_is_asked_about_once(on_sale, company):
    checkout = bought(company)
    for _ in range(3):
        on_sale.submit(CheckoutReturn(checkout))
        drain()
    assert Question.objects.get().number == 1
    asking.work_off()
    on_sale.submit(CheckoutReturn(checkout))
    drain()
    assert not Question.objects.exists()


def test_invented_ids_fill_no_table(on_sale, monkeypatch):
    monkeypatch.setattr(intake, "_MOST_RETURNS", 3)
    on_sale.submit(*(CheckoutReturn(f"cs_test_{number}") for number in range(9)))
    drain()
    assert Question.objects.count() == 3
