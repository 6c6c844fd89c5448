"""`/buy`: a plain page, and the way to the card company's pages alone."""

import re

import pytest

from tests.front.client import Client
from troth.core.frames import MAX_BODY
from troth.front.channels.clerk_client import ClerkBusy, ClerkGone
from troth.shop.entry import LONGEST_NOTICE, CardNotice, CheckoutReturn
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


# -- the card company's notices, and buyers who come back --------------------------------------------------------------

NAME = "a" * 48
NOTICE = b'{"id": "evt_1", "object": "event"}\r\n \xc3\xbc'
SIGNATURE = "t=1800000000,v1=" + "0" * 64


@pytest.fixture
def told(selling):
    async def tell(content=NOTICE, name=NAME, signature=SIGNATURE, client=None, **headers):
        sent = {"content_type": "application/json", **headers}
        if signature is not None:
            sent["stripe_signature"] = signature
        return await (client or selling(shop(notices=NAME))).ask("POST", f"/troth/notices/{name}", content, **sent)

    return tell


async def test_a_notice_is_sealed_byte_for_byte_with_its_signature(told, keys, line):
    answer = await told()
    assert answer.status == 200
    ((kind, envelope, _, _),) = line.frames
    notice = keys.opening.open(envelope, CardNotice)
    assert (kind, notice.notice, notice.signature) == (6, NOTICE, SIGNATURE)
    assert b"evt_1" not in envelope


@pytest.mark.parametrize("name", ["b" * 48, "a" * 47, "a" * 49, "notices", "%C3%BC"])
async def test_at_another_address_there_is_nothing(told, line, name):
    assert (await told(name=name)).status == 404
    assert line.frames == []


async def test_without_a_path_no_notice_is_taken(selling, told, line):
    client = selling(shop())
    for name in (NAME, "x"):
        assert (await told(name=name, client=client)).status == 404
    assert line.frames == []


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "x" * 1_001,
        "t=1",
        "t=4242424242424242",
        f"t=1,v1={'0' * 64},n=4242424242424242",
        f"t=1{f',v1={0:064}' * 20}",
    ],
)
async def test_a_notice_without_a_signature_is_refused(told, line, signature):
    assert (await told(signature=signature)).status == 400
    assert line.frames == []


async def test_a_notice_that_is_too_long_is_refused_and_one_that_just_fits_is_taken(told, line):
    assert (await told(b"x" * (LONGEST_NOTICE + 1))).status == 413
    assert line.frames == []
    assert (await told(b"x" * LONGEST_NOTICE)).status == 200
    ((_, envelope, _, _),) = line.frames
    assert len(envelope) < MAX_BODY


async def test_a_notice_with_a_card_number_is_not_stored(told, line, capfd):
    answer = await told(b'{"note": "4242 4242 4242 4242"}')
    assert answer.status == 422 and line.frames == []
    said = capfd.readouterr().err
    assert "card_number_in_notice" in said and "4242" not in said + answer.text


@pytest.mark.parametrize("refusal", [ClerkBusy(7), ClerkGone("gone")])
async def test_a_notice_that_could_not_be_stored_is_asked_for_again(told, line, refusal):
    line.refusal = refusal
    answer = await told()
    assert answer.status == 503 and answer.headers["retry-after"]


async def test_a_notice_over_plain_http_is_refused(selling, told, line):
    client = selling(shop(notices=NAME), trusted_proxies=["127.0.0.1"])
    answer = await told(client=client, x_forwarded_for="192.0.2.1", x_forwarded_proto="http")
    assert answer.status == 403 and line.frames == []


async def test_a_notice_is_not_asked_for(selling):
    assert (await selling(shop(notices=NAME)).get(f"/troth/notices/{NAME}")).status == 405


async def test_who_comes_back_is_asked_about(selling, keys, line):
    assert (await selling().get("/troth/buy/thanks/cs_test_1")).status == 200
    ((_, envelope, _, _),) = line.frames
    assert keys.opening.open(envelope, CheckoutReturn).checkout == "cs_test_1"


@pytest.mark.parametrize("name", ["zq", "cs-test", "4242424242424242", "x" * 201, "%0a%0a%0a%0a"])
async def test_what_can_be_no_checkout_is_thanked_and_dropped(selling, line, name):
    answer = await selling().get(f"/troth/buy/thanks/{name}")
    assert answer.status == 200 and line.frames == [] and name not in answer.text


async def test_a_flood_of_returns_is_thanked_and_dropped(selling, line):
    client = selling(burst=3, refill_seconds=1_000)
    for number in range(6):
        assert (await client.get(f"/troth/buy/thanks/cs_test_{number}")).status == 200
    assert len(line.frames) == 3
    line.refusal = ClerkBusy(7)
    assert (await client.get("/troth/buy/thanks/cs_test_7")).status == 200
