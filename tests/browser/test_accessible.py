"""axe-core on every page, light and dark, narrow and wide: no violation of WCAG 2.2 A and AA."""

from pathlib import Path

import pytest

from tests.browser import steps

_AXE = Path(__file__).parents[2] / "assets" / "node_modules" / "axe-core" / "axe.min.js"
_RULES = "{preload: false, runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
LOOKS = [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]


def check(page, *, without=()) -> None:
    """No violation, but of the rules named by `without`; each is named with its place."""
    assert _AXE.exists(), "axe-core is missing; `make test` fetches it"
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(_AXE.read_text())
        found = page.evaluate(f"async () => (await axe.run(document, {_RULES})).violations")
        told = [(width, scheme, one["id"], one["help"], [node["html"][:160] for node in one["nodes"]]) for one in found]
        told = [violation for violation in told if violation[2] not in without]
        assert not told
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"the page scrolls sideways by {wide} px at {width} px"


@pytest.mark.parametrize(
    "path",
    [
        "/newsletter",
        "/newsletter/archive",
        "/contact",
        "/thanks/message",
        "/thanks/message/masked/0",
        "/thanks/signup",
        "/thanks/confirmed",
        "/thanks/left",
        "/privacy",
        "/privacy/versions",
        "/nothing-here",
    ],
)
def test_public_pages(page, watch, house, path):
    watch.expected.append("status of 404")
    page.goto(house.front + path)
    check(page)


def test_the_form_with_errors(browser, house):
    context = browser.new_context(java_script_enabled=True)
    page = context.new_page()
    page.route("**/form-*.js", lambda route: route.abort())  # the server's own page of errors
    page.goto(f"{house.front}/newsletter")
    page.get_by_label("Email address").fill("nobody@localhost")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("alert").wait_for()
    check(page)
    context.close()


@pytest.mark.parametrize("path", ["/", "/contact.html", "/contact-thanks.html", "/thanks.html", "/privacy.html"])
def test_the_vendors_page_with_the_form_in_it(page, house, path):
    page.goto(house.vendor + path)
    check(page)


def test_the_vendors_page_with_errors_in_place(page, watch, house):
    watch.expected.append("status of 422")
    page.goto(house.vendor)
    page.get_by_label("Email address").fill("nobody@localhost")
    page.get_by_role("button", name="Sign up").click()
    page.locator("[data-troth-problem]").first.wait_for()
    check(page)


def test_the_pages_behind_links(page, house, address):
    steps.sign_up(page, house, address)
    mail = house.mail_for(address)
    for act in ("confirm", "unsubscribe"):
        page.goto(mail.link(act))
        check(page)


def test_the_mail_companys_pages(page, house, address):
    steps.sign_up(page, house, address)
    house.mail_for(address)
    page.goto(house.mail)
    check(page)


def test_the_offices_door(page, house):
    page.goto(f"{house.office}/sign-in/")
    check(page)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/people/",
        "/promises/",
        "/promises/policy/",
        "/api-tokens/",
        "/account/",
        "/account/app/add/",
        "/account/password/",
    ],
)
def test_the_office(desk, house, path):
    desk.goto(house.office + path)
    check(desk)


def test_a_persons_page(page, desk, house, address):
    steps.sign_up(page, house, address)
    house.mail_for(address)
    steps.find(desk, house, address)
    check(desk)
