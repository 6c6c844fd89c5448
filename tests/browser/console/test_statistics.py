"""The visitors' dashboard as an operator uses it: a click asks for more, back goes back, and no script is needed."""

import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.console.test_console_look import _FOCUS, _SMALL
from tests.browser.test_accessible import check
from tests.browser.watch import Watch


@pytest.fixture(scope="module")
def counted(house):
    """Some weeks of visits."""
    environment = {"TROTH_SITE": str(house.site), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-m", "tests.audience.filled"], env=environment, check=True, timeout=600)
    return house


def _row(page, panel: str, name: str):
    return page.get_by_role("region", name=panel, exact=True).get_by_role("link", name=name, exact=True)


def test_a_click_asks_everything_of_one_thing_and_back_goes_back(desk, counted):
    desk.goto(f"{counted.office}/visitors/")
    desk.evaluate("window.here = 'the same page'")
    before = desk.locator(".measures").inner_text()
    _row(desk, "Sources", "DuckDuckGo").click()
    chip = desk.get_by_role("link", name="Remove filter: source DuckDuckGo")
    expect(chip).to_be_visible()
    assert desk.url.endswith("/visitors/?source=DuckDuckGo")
    assert desk.evaluate("window.here") == "the same page"
    assert desk.locator(".measures").inner_text() != before
    _row(desk, "Pages", "/pricing").click()
    expect(desk.get_by_role("link", name="Remove filter: page /pricing")).to_be_visible()
    desk.go_back()
    expect(desk.get_by_role("link", name="Remove filter: page /pricing")).to_have_count(0)
    expect(chip).to_be_visible()
    desk.go_back()
    expect(chip).to_have_count(0)
    expect(desk.locator(".measures")).to_have_text(re.compile("Bounce rate"))


def test_a_filter_is_taken_away_by_its_chip(desk, counted):
    desk.goto(f"{counted.office}/visitors/?period=7&country=DE")
    desk.get_by_role("link", name="Remove filter: country Germany").click()
    expect(desk.locator(".chip")).to_have_count(0)
    assert desk.url.endswith("/visitors/?period=7")


def test_everything_works_without_a_script(browser, operator, counted):
    context = browser.new_context(java_script_enabled=False, storage_state=operator.storage_state())
    page, watch = context.new_page(), Watch()
    watch.over(context)
    page.goto(f"{counted.office}/visitors/")
    _row(page, "Countries", "Germany").click()
    page.get_by_role("link", name="Channels").click()
    page.get_by_role("link", name="7 days").click()
    page.get_by_role("link", name="Page views").first.click()
    assert page.url.endswith("/visitors/?period=7&country=DE&show=views&tabs=channel")
    page.get_by_text("Custom range").click()
    page.get_by_label("From").fill("2026-01-01")
    page.get_by_role("button", name="Show").click()
    assert "from=2026-01-01" in page.url and "country=DE" in page.url
    page.goto(f"{counted.office}/visitors/")
    page.get_by_role("link", name="More pages").click()
    page.get_by_placeholder("Search names").fill("docs")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row")).to_have_count(5)
    page.get_by_role("link", name="/docs/install").click()
    expect(page.locator(".chip")).to_have_count(1)
    watch.judge()
    context.close()


def test_a_note_is_added_and_removed_in_place(desk, counted):
    desk.goto(f"{counted.office}/visitors/?period=7&source=Google")
    desk.get_by_text("Add a note").click()
    desk.get_by_label("What happened").fill("<b>Release</b> 4.2")
    desk.get_by_role("button", name="Save note").click()
    expect(desk.locator(".noted .words")).to_have_text("<b>Release</b> 4.2")
    expect(desk.locator(".columns .mark")).to_have_count(1)
    assert desk.url.endswith("/visitors/?period=7&source=Google")
    desk.get_by_role("button", name="Remove the note").click()
    desk.get_by_role("heading", name="Remove this note?").wait_for()
    desk.get_by_role("button", name="Remove").click()
    expect(desk.get_by_role("heading", name="Visitors", level=1)).to_be_visible()
    expect(desk.locator(".noted")).to_have_count(0)


def test_the_last_half_hour_is_fetched_anew_and_leaves_the_keyboard_where_it_is(desk, counted):
    desk.goto(f"{counted.office}/visitors/")
    desk.get_by_role("link", name="7 days").focus()
    for _ in range(2):
        with desk.expect_response(lambda answer: answer.url.endswith("/visitors/now/")) as answer:
            pass
        assert answer.value.status == 200
    desk.wait_for_timeout(200)
    assert desk.evaluate("document.activeElement.textContent") == "7 days"
    expect(desk.locator("#now")).to_have_count(1)


def test_a_burst_is_taken_out_and_put_back(desk, counted):
    desk.goto(f"{counted.office}/visitors/?source=cheap-clicks.example.com")
    desk.get_by_role("link", name="Exclude as spam…").click()
    desk.get_by_role("button", name="Exclude", exact=True).click()
    expect(desk.get_by_role("status")).to_contain_text("cheap-clicks.example.com is now excluded")
    desk.goto(f"{counted.office}/visitors/")
    expect(_row(desk, "Sources", "Google")).to_be_visible()
    expect(_row(desk, "Sources", "cheap-clicks.example.com")).to_have_count(0)
    desk.get_by_role("link", name="excluded traffic", exact=True).click()
    desk.get_by_role("button", name="Restore cheap-clicks.example.com").click()
    expect(desk.get_by_role("button", name="Restore cheap-clicks.example.com")).to_have_count(0)
    desk.goto(f"{counted.office}/visitors/")
    expect(_row(desk, "Sources", "cheap-clicks.example.com")).to_have_count(1)


@pytest.mark.parametrize(
    "path",
    [
        "/visitors/",
        "/visitors/?period=today&page=%2Fdocs&source=Google",
        "/visitors/?page=%2Fplainbook",
        "/visitors/all/page/",
        "/visitors/all/step/",
        "/visitors/excluded/",
    ],
)
def test_the_pages_are_accessible(desk, counted, path):
    desk.goto(counted.office + path)
    check(desk)


@pytest.mark.parametrize("path", ["/visitors/?page=%2Fplainbook", "/visitors/all/page/", "/visitors/excluded/"])
def test_what_is_pressed_is_large_enough_on_a_narrow_screen(desk, counted, path):
    desk.set_viewport_size({"width": 390, "height": 844})
    desk.goto(counted.office + path)
    assert desk.evaluate(_SMALL) == []


def test_by_keyboard_all_of_it_is_reached_and_the_focus_is_seen(desk, counted):
    desk.set_viewport_size({"width": 1280, "height": 800})
    desk.goto(f"{counted.office}/visitors/?source=Google")
    unseen, met = [], []
    for _ in range(150):
        desk.keyboard.press("Tab")
        tag, words, style, width = desk.evaluate(_FOCUS)
        if tag == "BODY":
            break
        met.append(words)
        if style == "none" or width < 2:
            unseen.append((tag, words))
    assert unseen == []
    assert {"More pages", "Custom range", "7 days", "/pricing"} <= set(met)


def test_whoever_goes_back_before_the_scripts_have_loaded_gets_the_page_of_that_address(desk, house):
    desk.goto(f"{house.office}/people/")
    for path in ("/newsletter/", "/promises/"):
        desk.locator(f"nav a[href='{path}']").first.click()
        desk.wait_for_url(f"**{path}")
    held = []
    desk.route("**/vendor/htmx.js", lambda route: held.append(route))
    desk.evaluate("history.back()")
    expect(desk.get_by_role("heading", name="Newsletter", level=1)).to_be_visible()
    desk.evaluate("history.back()")
    desk.wait_for_url("**/people/", wait_until="commit")
    for route in held:
        route.continue_()
    expect(desk.get_by_role("heading", name="People", level=1)).to_be_visible()
