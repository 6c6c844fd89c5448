"""What the proofs of B1 and B3 take for a breach, and what they do not; and that only a shop is asked for them."""

import ssl
from dataclasses import replace

import msgspec
import pytest

from tests.proofs.scenes import ready, scene
from troth.core.config.sections import ShopSection
from troth.core.contact_details import FIELDS
from troth.core.text.card_numbers import find
from troth.gate import doors
from troth.gate.loopback import mail_relay, tls_server
from troth.gate.loopback.front_client import FrontAnswer, OwnFront
from troth.policy.promise import State
from troth.proofs import cards_direct, cards_encrypted, run
from troth.proofs.instruments import canary_order, form_parser, invented_cards, shop_window
from troth.proofs.instruments.encodings import forms
from troth.shop.models import Edition, Price, Product

PAGES = "https://buy.example.com"
PAGE = f"{PAGES}/b/1"
SITE = "https://www.example.com/troth"


@pytest.fixture
def here(site, settings):
    """A site that sells one thing; nothing serves."""
    config = settings.TROTH_CONFIG
    settings.TROTH_CONFIG = msgspec.structs.replace(
        config,
        shop=ShopSection(enabled=True, pages=PAGES, terms_url="https://www.example.com/terms"),
        site=msgspec.structs.replace(config.site, url=SITE),
    )
    product = Product.objects.create(slug="plainbook", name="Plainbook")
    edition = Edition.objects.create(product=product, slug="single", name="For one person")
    Price.objects.create(edition=edition, currency="EUR", amount=4_900, state=Price.State.ON_SALE, url=PAGE)
    with scene(site, settings) as made:
        yield made


@pytest.fixture
def answers(monkeypatch):
    """Has the front answer: by path, status, headers and text; 403 over plain HTTP."""

    def answer(pages):
        def ask(self, method, path, body, headers):
            if headers.get("X-Forwarded-Proto") == "http":
                return FrontAnswer(403, {}, b"")
            status, fields, text = pages.get(path.partition("?")[0], (404, {}, ""))
            return FrontAnswer(405 if method == "POST" else status, fields, text.encode())

        monkeypatch.setattr(OwnFront, "_ask", ask)

    return answer


BUY, LINK = "/buy/plainbook", "/buy/plainbook/single/EUR"
HSTS = {"strict-transport-security": "max-age=31536000"}


def test_a_site_without_a_shop_is_not_asked(site, settings):
    ready(site)
    assert not {"cards.encrypted", "cards.direct"} & {promise.id for promise in run.run(light=True)}
    with scene(site, settings) as made:
        assert shop_window.prices(made) == shop_window.pages(made) == []


# -- B1 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "state"),
    [
        (HSTS, State.KEPT),
        ({"strict-transport-security": 'max-age="63072000"; preload'}, State.KEPT),
        ({}, State.BROKEN),
        ({"strict-transport-security": "max-age=0"}, State.BROKEN),
        ({"strict-transport-security": "max-age=3600"}, State.BROKEN),
    ],
)
def test_a_site_at_https_must_have_browsers_stay_there(here, answers, headers, state):
    answers({path: (200, headers, "") for path in ("/privacy", "/privacy/me", BUY, shop_window.THANKS)})
    assert cards_encrypted.plain_http_is_refused(here).state is state


@pytest.mark.parametrize(
    ("status", "headers", "refusal"),
    [
        (403, {}, True),
        (308, {"location": "https://www.example.com/troth/newsletter"}, True),
        (308, {"location": "http://www.example.com/troth/newsletter"}, False),
        (303, {"location": PAGE}, False),
        (200, {}, False),
        (422, {}, False),
    ],
)
def test_what_counts_as_a_refusal(status, headers, refusal):
    assert cards_encrypted._is_refusal(FrontAnswer(status, headers, b"")) is refusal


@pytest.mark.parametrize(
    ("address", "company"),
    [
        (PAGE, True),
        ("http://buy.example.com/b/1", False),
        ("https://buy.example.com.evil.example/b/1", False),
        ("https://buy.example.com@evil.example/", False),
        ("https://buy.example.com:444/b", False),
        ("https://buy.example.com\\@evil.example", False),
        ("/b/1", False),
        ("", False),
    ],
)
def test_only_the_declared_host_is_the_card_company(here, address, company):
    assert shop_window.is_company_page(here, address) is company


def test_a_stand_in_on_this_machine_may_do_without_encryption_and_no_other(here):
    def judged(pages):
        shop = msgspec.structs.replace(here.config.shop, pages=pages)
        changed = cards_direct.Scene(here.site, msgspec.structs.replace(here.config, shop=shop), here.canaries, True)
        return shop_window.is_company_page(changed, f"{pages}/b/1")

    assert judged("http://localhost:8705") and judged("http://127.0.0.1:8705")
    assert not judged("http://buy.example.com")


def test_the_client_for_the_card_company_takes_the_right_certificate_alone(here):
    found = cards_encrypted.connections_are_encrypted(here)
    assert found.state is State.KEPT, found.detail


def test_a_client_that_takes_any_certificate_is_seen(here, monkeypatch):
    monkeypatch.setattr(ssl, "create_default_context", ssl._create_unverified_context)
    found = cards_encrypted.connections_are_encrypted(here)
    assert found.state is State.BROKEN and "another server’s certificate" in found.detail


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated")
def test_the_oldest_version_that_a_client_offers_is_read_from_the_wire():
    def hello(prepare):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        prepare(tls)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with pytest.raises(ssl.SSLWantReadError):
            tls.wrap_bio(incoming, outgoing, server_hostname="example.com").do_handshake()
        return tls_server.lowest_version(outgoing.read())

    def old(tls):
        tls.set_ciphers("ALL:@SECLEVEL=0")
        tls.minimum_version = ssl.TLSVersion.TLSv1

    assert hello(lambda tls: None) == 0x0303
    assert hello(lambda tls: setattr(tls, "minimum_version", ssl.TLSVersion.TLSv1_3)) == 0x0304
    assert hello(old) < 0x0303
    assert tls_server.lowest_version(b"GET /v1/events HTTP/1.1\r\nHost: api.example.com\r\n\r\n") == 0
    assert tls_server.lowest_version(b"") == 0


def test_a_door_without_encryption_is_seen(here, monkeypatch):
    door = doors.card_company("https://api.example.com")
    object.__setattr__(door, "encryption", "none-public")
    monkeypatch.setattr(doors, "declared", lambda config: (door,))
    assert cards_encrypted.connections_are_encrypted(here).state is State.BROKEN


def test_an_email_with_something_of_the_buyer_is_seen(here, site, settings):
    canary = here.canaries[0]
    (_, mail), *_ = canary_order.samples(canary)
    details = [*forms(canary.texts(email=False)), *(word.encode() for word in canary_order.CARD_WORDS)]

    def judged(product):
        (went,) = mail_relay.send(
            [replace(mail, product=product)], site, settings.TROTH_CONFIG, here.listener, anyway=True
        )
        return cards_encrypted._mail_fault(went, details)

    assert judged("Plainbook") == ""
    assert "detail of theirs" in judged(f"Plainbook for {canary.invented.telephone}")
    assert "detail of theirs" in judged("Plainbook, by unionpay")
    assert "card number" in judged(f"Plainbook {invented_cards.new_number()}")


# -- B3 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        '<input name="cardnumber">',
        '<input name="n" autocomplete="cc-number">',
        '<input name="n" autocomplete="section-a billing cc-csc">',
        '<label for="n">Card number</label><input id="n">',
        '<label for="n">Card <b>no.</b></label><input id="n" name="card_no">',
        '<input placeholder="Credit card">',
        '<input aria-label="CVC">',
        '<textarea name="kartennummer"></textarea>',
        '<div contenteditable aria-label="Security code"></div>',
    ],
)
def test_a_field_for_a_card_is_known(field):
    assert any(cards_direct._CARD_FIELD.search(word) for word in form_parser.parts(field).asked_for())


def test_a_topic_may_be_about_cards():
    box = '<input id="t1" name="topic1" type="checkbox" value="yes"> <label for="t1">Card numbers in the news</label>'
    assert not any(cards_direct._CARD_FIELD.search(word) for word in form_parser.parts(box).asked_for())


def test_no_field_of_ours_is_taken_for_one():
    for known in FIELDS.values():
        assert not cards_direct._CARD_FIELD.search(f"{known.label}"), known.label
        assert not cards_direct._CARD_FIELD.search(known.autocomplete)
    for words in (
        "Postcards",
        "Discard",
        "Company",
        "Expires soon",
        "Spanish",
        "wording",
        "newsletter-name",
        "Cardiff",
    ):
        assert not cards_direct._CARD_FIELD.search(words), words


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="/buy/plainbook/single/EUR">Buy</a><a href="https://www.example.com/terms">Terms</a>', ""),
        (f'<a href="{SITE}/buy/x">Buy</a>', ""),
        ("<script>1</script>", "has a script"),
        ('<a href="/x" onclick="f()">x</a>', "has a script"),
        ('<a href=" javascript:f()">x</a>', "has a script"),
        ('<link rel="preload" as="script" href="/x.js">', "has a script"),
        ("<form></form>", "has a form"),
        ("<input>", "has a field"),
        ('<p contenteditable="true">x</p>', "has a field"),
        ('<iframe src="/x"></iframe>', "has a frame"),
        ('<object data="/x"></object>', "has a frame"),
        ('<a href="https://pay.example.net/">x</a>', "leads to another site"),
        ('<a href="/x" ping="https://count.example.net/">x</a>', "leads to another site"),
        ('<meta http-equiv="refresh" content="0; url=https://pay.example.net/">', "leads to another site"),
    ],
)
def test_what_is_wrong_with_a_page_on_the_way_to_pay(here, html, fault):
    assert cards_direct._way_fault(here, form_parser.parts(html)) == fault


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((303, {"location": PAGE}, ""), State.KEPT),
        ((302, {"location": PAGE}, ""), State.BROKEN),
        ((200, {}, f'<a href="{PAGE}">on</a>'), State.BROKEN),
        ((303, {"location": f"{PAGE}?from=1"}, ""), State.BROKEN),
        ((303, {"location": f"{PAGES}/b/2"}, ""), State.BROKEN),
        ((303, {"location": "https://pay.example.net/b/1"}, ""), State.BROKEN),
        ((303, {"location": PAGE, "set-cookie": "a=1"}, ""), State.BROKEN),
        ((404, {}, ""), State.UNPROVEN),
        ((503, {}, ""), State.UNPROVEN),
    ],
)
def test_a_link_to_pay_leads_to_the_very_page_that_the_card_company_gave(here, answers, answer, state):
    answers({LINK: answer})
    assert cards_direct.buyers_go_straight_to_the_card_company(here).state is state


def test_with_nothing_on_sale_nothing_is_broken(here, answers):
    Price.objects.update(state=Price.State.ENDED)
    answers({shop_window.THANKS: (200, {}, "<h1>Thank you</h1>")})
    assert cards_direct.buyers_go_straight_to_the_card_company(here).state is State.KEPT
    assert cards_direct.way_to_pay_is_plain(here).state is State.KEPT
    assert cards_encrypted.links_lead_to_encrypted_pages(here).state is State.KEPT


# -- card numbers -----------------------------------------------------------------------------------------------------


def test_a_number_of_each_brand_is_known_however_it_is_written():
    for number in invented_cards.numbers_of_all_brands():
        for written in (*invented_cards.spellings(number), *(hide(number) for hide in invented_cards._DISGUISES)):
            assert [hit.last_four for hit in find(f"Mine: {written}; or another.")] == [number[-4:]], written
