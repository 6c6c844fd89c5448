"""`/buy`: a plain page, and the way to the card company's pages alone."""

import re

import pytest

from tests.front.client import Client
from troth.shop.published import OfferedEdition, OfferedPrice, OfferedProduct, Shop

PAGES = "https://buy.example.com"


def price(currency="EUR", amount="49.00 EUR", url=f"{PAGES}/b/1"):
    return OfferedPrice(currency=currency, amount=amount, url=url)


def shop(*prices, **more):
    editions = [
        OfferedEdition(slug="single", name="For <one> person", seats=1, prices=list(prices or [price()])),
        OfferedEdition(
            slug="team", name="For a team", seats=5, prices=[price(url=f"{PAGES}/b/2", amount="199.00 EUR")]
        ),
    ]
    product = OfferedProduct(slug="plainbook", name="Plainbook", description="Bookkeeping.", editions=editions)
    return Shop(company="buy.example.com", pages=PAGES, products=[product], **more)


@pytest.fixture
def selling(front):
    def sell(offered=None, **changes):
        front.publish(shop=offered or shop(), **changes)
        return Client(front)

    return sell


async def test_the_page_shows_each_price_with_a_link_and_nothing_else(selling):
    prices = [price(), price("JPY", "7,800 JPY", f"{PAGES}/b/3")]
    answer = await selling(shop(*prices, tax_note="Prices include VAT.", terms_url="https://example.com/terms")).get(
        "/troth/buy/plainbook"
    )
    assert answer.status == 200
    links = re.findall(r'<a class="button[^"]*"[^>]*href="([^"]+)"', answer.text)
    assert links == [
        "/troth/buy/plainbook/single/EUR",
        "/troth/buy/plainbook/single/JPY",
        "/troth/buy/plainbook/team/EUR",
    ]
    for words in (
        "49.00 EUR",
        "7,800 JPY",
        "5 seats",
        "Prices include VAT.",
        "&lt;one&gt;",
        "https://example.com/terms",
    ):
        assert words in answer.text, words
    assert not re.search(r"<(script|form|input|iframe|img|button)", answer.text)


async def test_a_price_leads_to_the_card_companys_page(selling):
    answer = await selling().get("/troth/buy/plainbook/single/EUR")
    assert (answer.status, answer.headers["location"]) == (303, f"{PAGES}/b/1")
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "buy/other",
        "buy/plainbook/single/USD",
        "buy/plainbook/other/EUR",
        "buy/other/single/EUR",
        "buy/plainbook/single",
    ],
)
async def test_what_is_not_on_sale_is_not_found(selling, path):
    assert (await selling().get(f"/troth/{path}")).status == 404


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/b/1",
        "http://buy.example.com/b/1",
        "https://buy.example.com.evil.example/b",
        "https://buy.example.com@evil.example/b",
        "https://buy.example.com:444/b",
        "//evil.example",
        "/b/1",
        "https://buy.example.com\\@evil.example/",
        "javascript:alert(1)",
    ],
)
async def test_nobody_is_sent_elsewhere_whatever_was_published(selling, url):
    answer = await selling(shop(price(url=url))).get("/troth/buy/plainbook/single/EUR")
    assert answer.status == 404 and "location" not in answer.headers


@pytest.mark.parametrize("path", ["buy/plainbook", "buy/plainbook/single/EUR"])
async def test_plain_http_is_refused(selling, path):
    client = selling(trusted_proxies=["127.0.0.1"])
    answer = await client.get(f"/troth/{path}", x_forwarded_for="192.0.2.1", x_forwarded_proto="http")
    assert answer.status == 403 and "location" not in answer.headers
    answer = await client.get(f"/troth/{path}", x_forwarded_for="192.0.2.1", x_forwarded_proto="https")
    assert answer.status in (200, 303)


async def test_without_a_shop_there_is_no_page(client):
    for path in ("buy/plainbook", "buy/plainbook/single/EUR", "buy/thanks/cs_1"):
        assert (await client.get(f"/troth/{path}")).status == 404


async def test_who_comes_back_is_thanked(selling):
    answer = await selling().get("/troth/buy/thanks/cs_test_1")
    assert answer.status == 200 and "we email you" in answer.text
