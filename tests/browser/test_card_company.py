"""The test card company's hosted pages, in a browser: pay, be declined, authenticate, come back to the shop."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_accessible import check
from tests.demo.card_company.company import receiving, running

GOOD = "4242 4242 4242 4242"
SECURE = "4000 0025 0000 3155"


@pytest.fixture(scope="module")
def company():
    with running() as company:
        yield company


@pytest.fixture
def shop():
    """Where buyers come back to; another origin."""
    with receiving() as receiver:
        yield receiver.url


def link(company, **more):
    params = {"line_items": [{"price": company.price().id, "adjustable_quantity": {"enabled": True}}]}
    return company.client.v1.payment_links.create(params | more).url


def session_of(company, page):
    return company.client.v1.checkout.sessions.retrieve(page.url.rpartition("/")[2].partition("?")[0])


def pay(page, number, year="34"):
    page.get_by_label("Email address").fill("ada@example.com")
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Month").fill("12")
    page.get_by_label("Year").fill(year)
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay 49.00 EUR").click()


def test_a_buyer_is_declined_then_pays_and_comes_back_to_the_shop(plain, watch, company, shop):
    watch.expected.append("status of")  # the receiver serves no pages
    session = company.session(success_url=f"{shop}?id={{CHECKOUT_SESSION_ID}}", cancel_url=shop)
    plain.goto(session.url)
    for number, words in [
        ("4000 0000 0000 0002", "Your card was declined."),
        ("4000 0000 0000 9995", "Your card has insufficient funds."),
        ("4000 0000 0000 0069", "Your card has expired."),
        ("4000 0000 0000 0127", "Your card's security code is incorrect."),
        ("4242 4242 4242 4241", "Your card number is invalid."),
    ]:
        pay(plain, number)
        expect(plain.get_by_role("alert")).to_have_text(words)
        expect(plain.get_by_label("Card number")).to_have_value("")
        expect(plain.get_by_label("Email address")).to_have_value("ada@example.com")
    pay(plain, GOOD, year="20")
    expect(plain.get_by_role("alert")).to_have_text("Your card's expiration year is in the past.")
    pay(plain, GOOD)
    plain.wait_for_url(f"{shop}?id={session.id}")
    assert company.client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    plain.goto(session.url)
    expect(plain.get_by_role("link", name="Back to the shop")).to_be_visible()


@pytest.mark.parametrize(("button", "status"), [("Complete", "paid"), ("Fail", "unpaid")])
def test_the_bank_asks_and_the_buyer_answers(plain, company, button, status):
    plain.goto(link(company))
    session = session_of(company, plain)
    pay(plain, SECURE)
    expect(plain.get_by_role("heading", name="Your bank asks")).to_be_visible()
    assert company.client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    plain.get_by_role("button", name=f"{button} authentication").click()
    if status == "paid":
        expect(plain.get_by_role("heading", name="Thank you")).to_be_visible()
    else:
        expect(plain.get_by_role("alert")).to_contain_text("unable to authenticate")
    assert company.client.v1.checkout.sessions.retrieve(session.id).payment_status == status


def test_quantity_code_country_and_bank_debit(plain, company):
    coupon = company.client.v1.coupons.create({"percent_off": 50})
    company.client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "HALF"})
    plain.goto(
        link(
            company,
            allow_promotion_codes=True,
            automatic_tax={"enabled": True},
            tax_id_collection={"enabled": True},
            payment_method_types=["card", "sepa_debit"],
        )
    )
    session = session_of(company, plain)
    plain.get_by_label("Quantity of Plainbook").fill("2")
    plain.get_by_role("button", name="Update quantities").click()
    expect(plain.get_by_role("heading", name="Pay 98.00 EUR")).to_be_visible()
    plain.get_by_label("Promotion code").fill("NOTHING")
    plain.get_by_role("button", name="Apply").click()
    expect(plain.get_by_role("alert")).to_have_text("This code is not valid.")
    plain.get_by_label("Promotion code").fill("half")
    plain.get_by_role("button", name="Apply").click()
    expect(plain.get_by_role("heading", name="Pay 49.00 EUR")).to_be_visible()
    plain.get_by_label("Email address").fill("ada@example.com")
    plain.get_by_label("Country").select_option("DE")
    plain.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    plain.get_by_role("button", name="Pay by bank debit").click()
    expect(plain.get_by_role("heading", name="Thank you")).to_be_visible()
    after = company.client.v1.checkout.sessions.retrieve(session.id)
    assert (after.amount_total, after.total_details.amount_tax, after.payment_status) == (5831, 931, "unpaid")
    company.advance(181)
    assert company.client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_every_page_is_accessible(page, watch, company, tmp_path):
    watch.expected.append("status of 4")
    session = company.session(allow_promotion_codes=True, automatic_tax={"enabled": True}, cancel_url=f"{company.url}/")
    opened = link(company, payment_method_types=["card", "sepa_debit"])
    for url in (session.url, opened, f"{company.url}/", f"{company.url}/b/test_nothing"):
        page.goto(url)
        check(page)
    page.goto(opened)
    pay(page, "4000 0000 0000 0002")
    page.get_by_role("alert").wait_for()
    check(page)
    pay(page, SECURE)
    page.get_by_role("heading", name="Your bank asks").wait_for()
    check(page)
