"""No page asks anybody else for anything, keeps anything in the browser, or tells where its visitor came from."""

from urllib.parse import urlsplit

import httpx

from tests.browser import steps


def test_each_page_asks_only_its_own_site(page, watch, house, address):
    steps.sign_up(page, house, address)
    mail = house.mail_for(address)
    steps.confirm(page, mail)
    page.goto(mail.link("unsubscribe"))
    page.goto(f"{house.front}/newsletter")
    asked = {f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for _, url in watch.requests}
    assert asked == {house.front, house.vendor}


def test_the_office_asks_only_itself(desk, watch, house):
    for path in ("/", "/people/", "/account/"):
        desk.goto(house.office + path)
    assert {f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for _, url in watch.requests} == {house.office}


def test_a_visitor_gets_no_cookie_and_nothing_is_stored(page, context, house, address):
    steps.sign_up(page, house, address)
    steps.confirm(page, house.mail_for(address))
    assert context.cookies() == []
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    page.goto(house.vendor)
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def test_nothing_typed_gets_into_an_address(page, watch, house, address):
    steps.sign_up(page, house, address)
    local = address.partition("@")[0]
    assert not [url for _, url in watch.requests if local in url or "Quillfeather" in url]


def test_public_pages_carry_strict_headers(house):
    for path in ("/newsletter", "/thanks/signup", "/nothing-here"):
        headers = httpx.get(house.front + path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
        assert "set-cookie" not in headers
