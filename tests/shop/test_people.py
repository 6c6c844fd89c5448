"""A buyer's own rights: what they see, what goes when they are deleted, and what the law keeps."""

from datetime import timedelta

import pytest

from tests.shop.conftest import bought, price, set_shop, told
from troth.core import clock
from troth.core.personal import EmailAddress
from troth.core.rooms import rooms
from troth.gate.models import Delivery
from troth.policy import data_map
from troth.policy import retention as policy_retention
from troth.rights import services
from troth.rights.holdings import dealt_with
from troth.shop import mails, orders, retention
from troth.shop.models import CompanyEvent, CustomerToForget, Movement, Order
from troth.vault.keeper import keeper
from troth.vault.models import LegalRecord, Person


@pytest.fixture
def order(on_sale, company):
    return told(bought(company, email="ada@example.com", name="Ada Example"))


def test_an_export_has_the_order_and_the_invoice(order):
    parts = {part.name: part for part in services.parts(order.person_id, "person")}
    (item,) = parts["orders"].items
    assert (item["order"], item["total"], item["card"]) == (order.number, "49.00 EUR", "visa 4242")
    assert "49.00 EUR" in parts["invoice"].items[0]["text"].reveal()
    assert dealt_with([order.person_id]) == {order.person_id}


def test_a_deleted_buyer_leaves_the_amounts_and_the_invoice_and_is_deleted_there(order):
    Order.objects.update(customer="cus_1")
    number = order.movements.get().document
    for room in rooms():
        if room.forget_address:
            room.forget_address(order.person_id, EmailAddress("ada@example.com"))
    keeper().erase([order.person_id])
    order.refresh_from_db()
    assert (order.person_id, order.customer, order.total) == (None, "", 4900)
    assert CustomerToForget.objects.get().customer == "cus_1"
    assert not Person.objects.exists() and LegalRecord.objects.count() == 1
    (record,) = keeper().holds.find("shell", number)
    assert record.content.named.name.reveal() == "Ada Example"
    assert orders.find("shell", "ada@example.com") == []
    assert [found.number for found in orders.find("shell", order.number.lower())] == [order.number]


def test_orders_are_found_by_address_number_and_last_four(order, company):
    other = told(bought(company, price("JPY"), email="bo@example.com", method="mastercard"))
    assert other.last4 != order.last4
    for words in (" Ada@example.com ", order.number, order.number.replace("-", "").lower(), order.last4):
        assert [found.id for found in orders.find("shell", words)] == [order.id], words
    for words in ("nobody@example.com", "0000", "XXXXX-XXXXX", ""):
        assert list(orders.find("shell", words)) == []
    with pytest.raises(orders.NoSuchOrder):
        orders.by_number("XXXXX-XXXXX")


def written(kind):
    rows = Delivery.objects.filter(kind=kind.name)
    compose = {mails.ORDER: mails.compose_orders, mails.REFUND: mails.compose_refunds}[kind]
    return list(compose(list(rows)).values())


def test_the_confirmation_says_what_was_bought_and_nothing_of_the_buyer(order):
    (mail,) = written(mails.ORDER)
    text = mail.text()
    assert "Plainbook, For one person" in text and "49.00 EUR" in text and order.number in text
    assert order.movements.get().document in text
    assert "Ada" not in text and "4242" not in text and "example.com" not in text.replace("127.0.0.1", "")
    assert mail.to.reveal() == "ada@example.com" and order.number in mail.subject()


def test_the_confirmation_can_be_sent_again(order):
    orders.resend(order)
    assert Delivery.objects.filter(kind="order").count() == 2
    keeper().erase([order.person_id])
    order.refresh_from_db()
    with pytest.raises(orders.TrothError):
        orders.resend(order)


def test_what_is_over_its_time_goes_and_nothing_else(order, company, on_sale, settings, monkeypatch):
    CompanyEvent.objects.create(id="evt_1", type="x", happened_at=clock.now(), by_notice=True, settled_at=clock.now())
    CompanyEvent.objects.create(id="evt_2", type="x", happened_at=clock.now(), by_notice=True)
    config = settings.TROTH_CONFIG
    assert {kind.name for kind in retention.KEPT} <= {kind.name for kind in policy_retention.kinds()}
    for days, events, paid in ((80, 2, 1), (100, 1, 1), (366 * 11 + 2, 1, 0)):
        later = clock.now() + timedelta(days=days)
        with monkeypatch.context() as patch:
            patch.setattr(clock, "now", lambda later=later: later)
            for kind in retention.KEPT:
                kind.sweep(config)
        assert (CompanyEvent.objects.count(), Order.objects.count()) == (events, paid), days
    assert not Movement.objects.exists()


def test_the_policy_names_purchases_only_where_there_is_a_shop(on_sale, settings):
    def names():
        config = settings.TROTH_CONFIG
        return {row.name for row in data_map.kept(config)}, {kind.name for kind in policy_retention.kinds()}

    kept, periods = names()
    assert {"orders", "invoice"} <= kept and {"orders", "invoice"} <= periods
    set_shop(settings, enabled=False)
    kept, periods = names()
    assert not {"orders", "invoice"} & (kept | periods)
