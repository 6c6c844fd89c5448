"""An order is what the card company says of its checkout, settled once, whatever brought us to ask."""

import dataclasses

import pytest
from django.apps import apps
from msgspec.structs import replace

from tests.conftest import both
from tests.shop.conftest import PRODUCTS, balance, bought, opened, price, set_shop, take, told
from troth.core import clock
from troth.core.personal import EmailAddress
from troth.core.purpose import Reason
from troth.core.text.card_numbers import find
from troth.gate.card_company.types import Money
from troth.gate.models import Delivery
from troth.shop import asking, events, publishing, settlement
from troth.shop.models import CustomerToForget, Movement, Order, Price, Question
from troth.vault import ledger as access_log
from troth.vault.keeper import keeper
from troth.vault.models import LegalRecord, Person


def movements(order):
    return [(row.kind, row.amount) for row in order.movements.order_by("at", "id")]


def documents():
    return sorted(filter(None, Movement.objects.values_list("document", flat=True)))


@both
def test_a_paid_checkout_becomes_an_order_with_an_invoice_and_an_email(on_sale, company):
    checkout = bought(company, email="ada@example.com", name="Ada Example")
    order = told(checkout)
    assert (order.state, order.problem, order.total, order.currency) == ("paid", "", 4900, "EUR")
    assert (order.card_brand, order.last4, order.country) == ("visa", "4242", "DE")
    assert movements(order) == [("payment", 4900)]
    assert order.person_id == keeper().find("worker", EmailAddress("ada@example.com"))
    (number,) = documents()
    (record,) = keeper().holds.find("shell", number)
    assert record.content.named.name.reveal() == "Ada Example"
    assert "49.00 EUR" in record.content.text.reveal() and order.number in record.content.text.reveal()
    (mail,) = Delivery.objects.all()
    assert (mail.kind, mail.about, mail.person_id) == ("order", order.id, order.person_id)
    assert not Question.objects.exists()


@both
def test_settled_again_nothing_changes(on_sale, company):
    order = told(bought(company))
    for _ in range(3):
        assert told(order.checkout).state == "paid"
    assert (Movement.objects.count(), Delivery.objects.count(), LegalRecord.objects.count()) == (1, 1, 1)


def test_no_detail_of_the_buyer_is_in_a_column(on_sale, company):
    told(bought(company, email="ada@example.com", name="Ada Example"))
    texts = [
        str(value)
        for model in apps.get_app_config("shop").get_models()
        for row in model.objects.values()
        for value in row.values()
    ]
    assert len(texts) > 50 and not any("ada@" in text or "Ada Example" in text for text in texts)


def test_an_open_checkout_and_an_invented_one_are_no_order(on_sale, company):
    for checkout in (opened(company), "cs_test_invented"):
        assert told(checkout) is None
    assert not Question.objects.exists() and not Person.objects.exists()


def test_an_expired_checkout_is_no_order(on_sale, company):
    checkout = opened(company)
    company.client.v1.checkout.sessions.expire(checkout)
    assert told(checkout) is None


def test_what_another_shop_of_the_account_sold_is_not_ours(on_sale, company):
    assert told(company.paid().id) is None
    assert told(company.paid(metadata={"reference": "product-7"}).id) is None
    assert told(company.paid(metadata={"reference": "01a228ed-4e99-7000-9300-edae12b64278"}).id) is None
    assert not Person.objects.exists()


def test_a_delayed_payment_waits_and_then_is_paid(on_sale, company):
    sold = price()
    company.client.v1.payment_links.update(sold.company_link, {"metadata": {"reference": str(sold.id)}})
    session = company.session(
        metadata={"reference": str(sold.id)}, allowed_payment_method_types=["card", "sepa_debit"]
    ).id
    company.control("pay", session=session, method="debit")
    order = told(session)
    assert (order.state, order.person_id, movements(order)) == ("pending", None, [])
    assert not Delivery.objects.exists() and not Person.objects.exists()
    company.advance(86400 * 10)
    assert told(session).state == "paid"
    assert movements(Order.objects.get()) == [("payment", 4900)]


def test_a_delayed_payment_that_fails_is_told_so_and_nothing_is_sent(on_sale, company):
    sold = price()
    session = company.session(
        metadata={"reference": str(sold.id)}, allowed_payment_method_types=["card", "sepa_debit"]
    ).id
    company.control("pay", session=session, method="debit_fails")
    assert told(session).state == "pending"
    company.advance(86400 * 10)
    order = told(session)
    assert (order.state, movements(order)) == ("failed", [])
    assert not Delivery.objects.exists()


@both
def test_part_and_whole_refunds_are_written_once_each_with_a_credit_note(on_sale, company, adapter):
    order = told(bought(company))
    adapter.refund(order.payment, Money(900, "eur"), f"1-{order.id}")
    assert told(order.checkout).state == "part_refunded"
    adapter.refund(order.payment, None, f"2-{order.id}")
    order = told(order.checkout)
    assert order.state == "refunded" and balance(order) == 0
    assert movements(order) == [("payment", 4900), ("refund", -900), ("refund", -4000)]
    assert [mail.kind for mail in Delivery.objects.order_by("created_at", "id")].count("refund") == 2
    numbers = documents()
    assert [number[-5:] for number in numbers] == ["00001", "00002", "00003"]


def test_a_refund_before_the_first_notice_is_not_lost(on_sale, company, adapter):
    checkout = bought(company)
    adapter.refund(adapter.checkout(checkout).payment, None, f"early-{checkout}")
    order = told(checkout)
    assert (order.state, movements(order)) == ("refunded", [("payment", 4900), ("refund", -4900)])


def test_a_state_never_goes_back(on_sale, company, adapter):
    order = told(bought(company))
    adapter.refund(order.payment, None, f"all-{order.id}")
    order = told(order.checkout)
    answer = settlement.Answer(dataclasses.replace(adapter.checkout(order.checkout), refunded=0))
    question = settlement.Asked(Question.Kind.CHECKOUT, order.checkout, 1, order.revision)
    assert settlement.settle(question, answer) is settlement.Outcome.SETTLED
    order.refresh_from_db()
    assert order.state == "refunded" and balance(order) == 4900  # the bank did not take the refund


def test_an_answer_from_before_the_last_settlement_is_asked_for_again(on_sale, company, adapter):
    order = told(bought(company))
    events.raise_question(Question.Kind.CHECKOUT, order.checkout)
    (job,) = [job for job in asking.due() if isinstance(job, settlement.Asked)]
    early = asking.ask(job)
    adapter.refund(order.payment, None, f"between-{order.id}")
    told(order.checkout)
    assert asking.record(job, early) == 0
    assert Question.objects.get().about == order.checkout
    asking.work_off()
    order.refresh_from_db()
    assert order.state == "refunded" and balance(order) == 0


@both
def test_a_dispute_is_written_with_its_deadline_and_operators_are_told_once(on_sale, company, settings):
    config = settings.TROTH_CONFIG
    settings.TROTH_CONFIG = replace(config, office=replace(config.office, notify=["desk@example.com"]))
    order = told(bought(company, method="dispute_fraudulent"))
    dispute = order.disputes.get()
    assert (dispute.amount, dispute.state, dispute.reason) == (4900, "needs_response", "fraudulent")
    assert dispute.due_at > clock.now() and balance(order) == 0
    told(order.checkout)
    assert Delivery.objects.filter(kind="shop_alert").count() == 1
    company.client.v1.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
    )
    company.advance(2 * 3600)
    order = told(order.checkout)
    assert order.disputes.get().state == "won" and balance(order) == 4900
    assert movements(order) == [("payment", 4900), ("dispute", -4900), ("dispute_won", 4900)]


def test_an_inquiry_takes_no_money(on_sale, company):
    order = told(bought(company, method="inquiry"))
    events.raise_question(Question.Kind.PAYMENT, order.payment)
    asking.work_off()
    assert order.disputes.get().state == "warning_needs_response" and balance(order) == 4900


def test_a_price_that_changed_while_somebody_paid_is_what_its_page_said(on_sale, company, settings, adapter):
    checkout = opened(company)
    take(PRODUCTS.replace("49.00", "99.00"), settings)
    publishing.publish(adapter)
    company.control("pay", session=checkout)
    order = told(checkout)
    assert (order.state, order.problem, order.total, order.price.state) == ("paid", "", 4900, "ended")


def sold_otherwise(company, **more):
    """A checkout that names our price and was made for something else."""
    session = company.session(metadata={"reference": str(price().id)}, **more).id
    company.control("pay", session=session)
    return session


def test_another_amount_or_currency_is_not_delivered_and_the_money_is_written(on_sale, company):
    delivered = []
    settlement.PAID.append(delivered.append)
    try:
        order = told(sold_otherwise(company, price=company.price(amount=100)))
        assert (order.problem, order.state, balance(order)) == ("amount", "paid", 100)
        other = told(sold_otherwise(company, price=company.price(currency="usd")))
        assert (other.problem, other.currency, balance(other)) == ("currency", "USD", 4900)
        assert delivered == [] and not Delivery.objects.filter(kind="order").exists()
        assert told(bought(company)) in delivered
    finally:
        settlement.PAID.remove(delivered.append)


def test_yen_and_a_free_order(on_sale, company, settings, adapter):
    order = told(bought(company, price("JPY")))
    assert (order.total, order.currency, movements(order)) == (7800, "JPY", [("payment", 7800)])
    take(f'{PRODUCTS}\n[[coupon]]\ncode = "GIFT"\npercent = 100\n', settings)
    publishing.publish(adapter)
    order = told(bought(company, code="GIFT"))
    assert (order.state, order.problem, order.total, order.discount) == ("paid", "", 0, 4900)
    assert movements(order) == [("payment", 0)] and order.movements.get().document == ""


def test_a_coupon_lowers_what_is_due(on_sale, company, settings, adapter):
    take(f'{PRODUCTS}\n[[coupon]]\ncode = "TENOFF"\namount = "10.00"\ncurrency = "EUR"\n', settings)
    publishing.publish(adapter)
    order = told(bought(company, code="TENOFF"))
    assert (order.problem, order.total, order.discount) == ("", 3900, 1000)


@pytest.mark.parametrize(
    ("values", "total", "tax", "rate"),
    [
        ({"tax": "company", "tax_included": False}, 5831, 931, 1900),
        ({"tax": "company", "tax_included": True}, 4900, 782, 1900),
        ({"tax": "table", "tax_rates": ["DE 19", "FR 20"]}, 4900, 782, 1900),
        ({"tax": "table", "tax_rates": ["FR 20"]}, 4900, 0, 0),
        ({"tax": "none"}, 4900, 0, 0),
    ],
)
def test_tax(on_sale, settings, company, adapter, values, total, tax, rate):
    set_shop(settings, **values)
    take(PRODUCTS, settings)
    publishing.publish(adapter)
    order = told(bought(company))
    assert (order.problem, order.total, order.tax, order.tax_rate) == ("", total, tax, rate)
    adapter.refund(order.payment, Money(total // 2, "eur"), f"half-{order.id}")
    told(order.checkout)
    adapter.refund(order.payment, None, f"rest-{order.id}")
    order = told(order.checkout)
    assert sum(movement.tax for movement in order.movements.all()) == 0


def test_a_buyer_who_is_known_keeps_their_details(on_sale, company):
    first = told(bought(company, email="ada@example.com", name="Ada Example"))
    second = told(bought(company, email="Ada@example.com", name="Ada Elsewhere"))
    assert first.person_id == second.person_id and Person.objects.count() == 1
    opened_details = keeper().open_records(Reason.SHOW_PERSON, actor=access_log.WORKER, person_ids=[first.person_id])
    assert [each.name.reveal() for each in opened_details[first.person_id]] == ["Ada Example"]


def test_numbers_have_no_gaps_when_a_settlement_is_rolled_back(on_sale, company, monkeypatch):
    told(bought(company))

    def fails(*_arguments):
        raise OSError("no room")

    monkeypatch.setattr(settlement.mails, "queue", fails)
    with pytest.raises(OSError, match="no room"):
        told(bought(company))
    monkeypatch.undo()
    Question.objects.update(next_at=clock.now())
    asking.work_off()
    assert [number[-5:] for number in documents()] == ["00001", "00002"]
    assert Order.objects.count() == 2


def test_a_buyer_who_was_deleted_is_refunded_all_the_same(on_sale, company, adapter):
    order = told(bought(company))
    keeper().erase([order.person_id])
    adapter.refund(order.payment, None, f"after-{order.id}")
    order = told(order.checkout)
    assert (order.state, order.person_id, balance(order)) == ("refunded", None, 0)
    assert not Person.objects.exists() and not Delivery.objects.filter(kind="refund").exists()


def test_the_number_is_the_same_after_a_restore_and_no_card_number(on_sale, company):
    numbers = {settlement.order_number(f"cs_test_{count}") for count in range(2000)}
    assert len(numbers) == 2000 and not any(find(number) for number in numbers)
    assert settlement.order_number("cs_test_1") == settlement.order_number("cs_test_1")
    assert not CustomerToForget.objects.exists() and Price.objects.exists()
