"""htmx in the office swaps pages and nothing else, and no attribute in a page tells it what to do.

Here escaping has failed on purpose: what would be text stands in the page as HTML; htmx does nothing with it even so.
"""

import pytest
from playwright.sync_api import Page

ATTRIBUTES = """
<b hx-get="/stray?1" hx-trigger="load, every 1s">a</b><b data-hx-get="/stray?2" hx-trigger="load">b</b>
<b hx-action="/stray?3" hx-method="post" hx-trigger="load"></b><b hx-on:htmx:after:init="fetch('/stray?4')"></b>
<b hx-on="load -> fetch('/stray?5')" hx-get="/stray?5" hx-trigger="load[fetch('/stray?5')]"></b>
<b id="main" hx-swap-oob="true">gone</b>
<hx-partial hx-target="body"><b hx-get="/stray?6" hx-trigger="load"></b></hx-partial>
<div hx-vals:inherited="js:{x: fetch('/stray?7')}" hx-include:inherited="body" hx-boost:inherited="true">
<template><b hx-get="/stray?8" hx-trigger="load"></b></template><script src="/stray?9"></script>
"""


@pytest.fixture
def stray(desk: Page):
    """What was asked for that nobody asked for."""
    found: list[str] = []
    desk.on("request", lambda request: found.append(request.url) if "stray" in request.url else None)
    return found


def _loaded(desk: Page, house) -> None:
    desk.goto(f"{house.office}/inbox/saved-replies/")
    desk.wait_for_function("!document.body.hasAttribute('hx-ignore')")
    desk.evaluate("window.here = 'the same page'")


def _follow(desk: Page, name: str) -> None:
    desk.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()


def test_links_are_followed_without_a_new_page(desk, house):
    _loaded(desk, house)
    _follow(desk, "Retention")
    desk.wait_for_url("**/retention/")
    assert desk.evaluate("window.here") == "the same page"


def test_what_stands_in_a_page_as_it_is_loaded_does_nothing(desk, house, stray):
    def spoilt(route):
        answer = route.fetch()
        route.fulfill(
            response=answer, body=answer.text().replace("</h1>", f"</h1>{ATTRIBUTES.partition('<script')[0]}", 1)
        )

    desk.route("**/retention/", spoilt)
    desk.goto(f"{house.office}/retention/")
    desk.wait_for_timeout(1500)
    assert stray == []
    desk.unroute("**/retention/")


def test_what_htmx_puts_into_a_page_does_nothing(desk, house, stray):
    def spoilt(route):
        answer = route.fetch()
        with_it = ATTRIBUTES.replace("<hx-partial", "<i").replace('hx-swap-oob="true"', "")
        route.fulfill(response=answer, body=answer.text().replace("</h1>", f"</h1>{with_it}", 1))

    _loaded(desk, house)
    desk.route("**/retention/", spoilt)
    _follow(desk, "Retention")
    desk.wait_for_url("**/retention/")
    desk.wait_for_timeout(1500)
    assert desk.evaluate("window.here") == "the same page" and desk.locator("main b").count() > 0
    assert stray == []
    assert desk.evaluate("[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames())"
                         ".filter(name => name.includes('hx-') && name !== 'hx-boost').length") == 1  # fmt: skip
    desk.unroute("**/retention/")


@pytest.mark.parametrize(
    "part", ['<b id="main" hx-swap-oob="true">x</b>', '<hx-partial hx-target="#main">x</hx-partial>']
)
def test_an_answer_that_would_change_other_places_is_loaded_as_a_page(desk, house, part):
    def spoilt(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("</h1>", f"</h1>{part}", 1))

    _loaded(desk, house)
    desk.route("**/retention/", spoilt)
    _follow(desk, "Retention")
    desk.wait_for_url("**/retention/")
    desk.wait_for_function("!document.body.hasAttribute('hx-ignore')")
    assert desk.evaluate("window.here") is None
    desk.unroute("**/retention/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/csv"},
        {"Content-Type": "application/json"},
        {"Content-Type": "image/svg+xml"},
        {"Content-Type": "text/html", "Content-Disposition": 'attachment; filename="a.html"'},
    ],
    ids=["CSV", "JSON", "SVG", "a page to save"],
)
def test_what_is_no_page_is_never_put_into_one(desk, house, stray, headers):
    def spoilt(route):
        route.fulfill(status=200, headers=headers, body=f"<html><body>{ATTRIBUTES}</body></html>")

    _loaded(desk, house)
    desk.route("**/retention/", spoilt)
    before = desk.locator("main").inner_html()
    desk.evaluate("document.querySelector('a[href=\"/retention/\"]').click()")
    desk.wait_for_timeout(700)
    if desk.url.endswith("/saved-replies/"):
        assert desk.locator("main").inner_html() == before
    else:
        assert desk.evaluate("typeof htmx") == "undefined", "the browser shows it by itself"
    assert stray == []
    desk.unroute("**/retention/")
