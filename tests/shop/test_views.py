"""The shop in the console: orders are found and refunded; no page has a buyer's detail."""

import pytest

from tests.office.test_roles import sign_in
from tests.shop.conftest import balance, bought, set_shop, told
from troth.core import clock
from troth.core.purpose import Reason
from troth.gate.models import Delivery
from troth.kit.roles import Role
from troth.shop import asking
from troth.shop.models import Comparison, Order, Question, RefundOrder
from troth.vault import ledger
from troth.vault.models import LedgerRow


@pytest.fixture
def order(on_sale, company):
    return told(bought(company, email="ada@example.com", name="Ada <b>Example"))


@pytest.fixture
def owner(order):
    return sign_in(Role.OWNER)


def read(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "ada@example.com" not in text and "Ada" not in text
    return text


def test_orders_are_listed_with_the_comparison_and_lead_to_their_page(owner, order):
    Comparison.objects.update(at=clock.now(), orders=1204)
    page = read(owner, "/orders/")
    assert "All 1,204 settled orders agree with the card company, checked just now." in page
    assert order.number in page and f"/orders/{order.id}/" in page and "49.00 EUR" in page and "Paid" in page


def test_an_order_shows_its_money_and_leads_to_the_buyer(owner, order):
    page = read(owner, f"/orders/{order.id}/")
    assert order.movements.get().document in page and "visa 4242" in page and "Payment" in page
    assert f"/people/{order.person_id}/" in page


@pytest.mark.parametrize("find", ["number", "last4", "email"])
def test_orders_are_found_and_a_search_for_an_address_is_logged(owner, order, find):
    words = {"number": order.number, "last4": "4242", "email": "ada@example.com"}[find]
    page = owner.post("/orders/search/", {"sought": words}).content.decode()
    assert f"/orders/{order.id}/" in page and "Ada" not in page
    logged = ledger.read(LedgerRow.objects.latest("number")).reason is Reason.FIND_PERSON
    assert logged == (find == "email")


def test_a_search_that_finds_nothing_says_what_can_be_sought(owner):
    assert "No orders found" in owner.post("/orders/search/", {"sought": "bo@example.com"}).content.decode()
    answer = owner.post("/orders/search/", {"sought": ""})
    assert answer.status_code == 422 and "Enter a number" in answer.content.decode()


def test_a_refund_is_asked_about_then_ordered_then_made(owner, order):
    path = f"/orders/{order.id}/refund/"
    asked = owner.post(path, {"amount": "9.00"}).content.decode()
    assert "Refund 9.00 EUR?" in asked and not RefundOrder.objects.exists()
    page = owner.post(path, {"amount": "9.00", "sure": "yes"}, follow=True).content.decode()
    assert "Refund of 9.00 EUR: queued" in page
    asking.work_off()
    assert balance(order) == 4000
    assert "Refund 40.00 EUR?" in owner.post(path, {"amount": ""}).content.decode()


@pytest.mark.parametrize(("amount", "status"), [("50.00", 409), ("9,00", 422), ("-1", 422), ("0", 422)])
def test_a_refund_that_cannot_be_is_said_at_the_field(owner, order, amount, status):
    answer = owner.post(f"/orders/{order.id}/refund/", {"amount": amount, "sure": "yes"})
    assert answer.status_code == status and 'id="problem"' in answer.content.decode()
    assert not RefundOrder.objects.exists()


def test_support_sees_orders_and_refunds_none(order):
    support = sign_in(Role.CLERK)
    assert "/refund/" not in read(support, f"/orders/{order.id}/")
    assert support.post(f"/orders/{order.id}/refund/", {"sure": "yes"}).status_code == 403
    analyst = sign_in(Role.ANALYST)
    for path in ("/orders/", f"/orders/{order.id}/", "/products/"):
        assert analyst.get(path).status_code == 403


def test_the_confirmation_is_sent_again(owner, order):
    page = owner.post(f"/orders/{order.id}/resend/", follow=True).content.decode()
    assert "queued" in page and Delivery.objects.filter(kind="order").count() == 2


def test_what_needs_somebody_is_said(owner, order, company, on_sale):
    told(bought(company, method="dispute_fraudulent"))
    Order.objects.filter(id=order.id).update(problem="amount")
    Question.objects.create(about="cs_test_9", kind="checkout", problem="key_refused")
    page = read(owner, "/orders/")
    for words in ("Disputes that wait for evidence: 1", "do not agree with what was offered: 1", "refuses the API key"):
        assert words in page, words
    assert "Another amount was charged" in read(owner, f"/orders/{order.id}/")


def test_products_are_shown(owner):
    page = read(owner, "/products/")
    assert "Plainbook" in page and "7,800 JPY" in page and "On sale" in page


def test_a_page_that_is_not_there(owner):
    for path in ("/orders/?page=2", "/orders/?page=x", "/orders/018f0000-0000-7000-8000-000000000000/"):
        assert owner.get(path).status_code == 404


def test_the_menu_has_orders_where_there_is_a_shop(owner, settings):
    assert 'href="/orders/"' in read(owner, "/")
    set_shop(settings, enabled=False)
    assert 'href="/orders/"' not in read(owner, "/")
