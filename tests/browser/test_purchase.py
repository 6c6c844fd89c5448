"""A purchase in the demo, from the vendor's page through the test card company's to the refund."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_accessible import check

DECLINED, ASKS_THE_BANK = "4000 0000 0000 0002", "4000 0025 0000 3155"


def _pay(page, address, number):
    page.get_by_label("Email address").fill(address)
    page.get_by_label("Name", exact=True).fill("Ursula Quillfeather")
    for label, text in (("Card number", number), ("Month", "12"), ("Year", "34"), ("Security code", "123")):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name=re.compile("^Pay ")).click()


def _open_order(desk, house, address):
    """The operator finds the order by the buyer's address, once it is settled."""
    for _ in range(100):
        desk.goto(f"{house.office}/orders/")
        desk.get_by_role("searchbox").fill(address)
        desk.get_by_role("button", name="Search").click()
        desk.wait_for_load_state("networkidle")
        orders = desk.get_by_role("link", name=re.compile(r"^\d{4}-|^[0-9A-Z-]{6,}$"))
        if orders.count():
            orders.first.click()
            return
        desk.wait_for_timeout(200)
    raise AssertionError(desk.locator("main").inner_text())


def test_declined_then_paid_with_another_card_and_refunded(page, desk, house, address):
    page.goto(f"{house.vendor}/products.html")
    page.get_by_role("link", name="Buy Plainbook").click()
    check(page)
    page.get_by_role("link", name="Buy for 49.00 EUR").click()
    assert not page.url.startswith((house.front, house.vendor)), "the card is typed at the card company"
    _pay(page, address, DECLINED)
    expect(page.get_by_text("Your card was declined.")).to_be_visible()
    _pay(page, address, ASKS_THE_BANK)
    page.get_by_role("button", name="Complete authentication").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert page.url.startswith(f"{house.front}/buy/thanks/")
    check(page)
    confirmation = house.mail_for(address)
    assert "Your payment of 49.00 EUR has arrived." in " ".join(confirmation.text.split())

    _open_order(desk, house, address)
    expect(desk.get_by_text("Paid", exact=True)).to_be_visible()
    desk.get_by_role("button", name="Refund…").click()
    desk.locator("button[name=sure]").click()
    expect(desk.get_by_text("The refund is on its way")).to_be_visible()
    refunded = house.mail_for(address, count=2)
    assert "We have refunded 49.00 EUR" in " ".join(refunded.text.split())
    _open_order(desk, house, address)
    expect(desk.get_by_text("Refunded", exact=True)).to_be_visible()


@pytest.mark.parametrize("path", ["/buy/plainbook", "/buy/tidemark", "/buy/thanks/cs_test_unknown"])
def test_no_page_on_the_way_to_pay_has_a_script_a_form_or_anything_of_others(page, house, watch, path):
    page.goto(house.front + path)
    assert page.locator("script, form, input, iframe, object, embed, img").count() == 0
    origins = {url.split("/")[2] for _, url in watch.requests}
    assert origins == {house.front.split("/")[2]}
