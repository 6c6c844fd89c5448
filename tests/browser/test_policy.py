"""The policy in a browser: without a script, by keyboard, on the vendor's page; tried and published in the office."""

import json
import os
import re
import sqlite3
import time
from contextlib import closing

import httpx
import pytest
from playwright.sync_api import expect

from tests import forked
from tests.browser import house as houses
from tests.browser.test_accessible import check
from troth.policy import json_document
from troth.policy.promises import PROMISES

_PATIENCE_SECONDS = 120
_PROMISES = len(PROMISES.ids)  # the demo has a shop


@pytest.fixture(scope="module")
def tried(browser):
    """A demo of its own, in which every promise has been tried once; with an operator who is signed in."""
    with houses.running() as house:
        context = browser.new_context()
        page = context.new_page()
        page.goto(house.sign_in)
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{house.office}/promises/")
        page.get_by_role("button", name="Run all checks").click()
        page.get_by_role("link", name=re.compile(r"\d{4}, \d\d:\d\d:\d\d")).wait_for(timeout=_PATIENCE_SECONDS * 1000)
        until = time.monotonic() + 30
        while "were tested" not in httpx.get(f"{house.front}/privacy").text and time.monotonic() < until:
            time.sleep(0.5)
        yield house, context
        context.close()


def test_without_a_script_each_promise_is_seen_and_unfolds(plain, tried):
    house, _ = tried
    plain.goto(f"{house.front}/privacy")
    expect(plain.get_by_role("status")).to_contain_text("were tested and kept")
    assert plain.locator("details.note").count() == _PROMISES
    first = plain.locator("details.note").first
    expect(first.get_by_text("How it was tested")).to_be_hidden()
    first.locator("summary").click()
    for words in ("How it is kept", "How it was tested", "What these tests would detect", "Check for yourself"):
        expect(first.get_by_text(words)).to_be_visible()


def test_by_keyboard_each_unfolds_in_turn(plain, tried):
    house, _ = tried
    plain.goto(f"{house.front}/privacy")
    for number in range(5):
        for _ in range(12):
            plain.keyboard.press("Tab")
            if plain.locator("details.note").nth(number).locator("summary:focus").count():
                break
        plain.keyboard.press("Enter")
        expect(plain.locator("details.note").nth(number).get_by_text("How it was tested")).to_be_visible()


def test_a_link_to_a_promise_leads_to_it(page, tried):
    house, _ = tried
    page.goto(f"{house.front}/privacy#contact.not-shared")
    expect(page.locator("[id='contact.not-shared']")).to_be_in_viewport()


def test_all_of_it_unfolded_is_accessible(page, tried):
    house, _ = tried
    page.goto(f"{house.front}/privacy")
    for summary in page.locator("summary").all():
        summary.click()
    check(page)


def test_on_the_vendors_page_it_stands_in_the_vendors_colours_and_is_accessible(page, tried):
    house, _ = tried
    page.goto(f"{house.vendor}/privacy.html")
    expect(page.get_by_role("heading", level=1)).to_have_text("Privacy policy")
    expect(page.locator(".troth-policy .standing")).to_contain_text("were tested and kept")
    page.emulate_media(color_scheme="light")
    colour = page.locator(".troth-policy .mark.kept").first.evaluate("mark => getComputedStyle(mark).color")
    assert colour == "rgb(138, 59, 18)", "the accent of the vendor's own style sheet"
    check(page)


def test_programs_read_the_same(tried):
    house, _ = tried
    document = json.loads(httpx.get(f"{house.front}/.well-known/privacy-promises.json").text)
    assert {one["state"] for one in document["promises"]} == {"kept"}
    assert httpx.get(document["schema_url"]).text == json_document.schema_text()


def test_the_office_shows_what_was_found_and_is_accessible(tried, watch):
    house, context = tried
    watch.over(context)
    page = context.new_page()
    page.goto(f"{house.office}/promises/")
    expect(page.locator(".promises .tag.good").first).to_have_text("Kept")
    for summary in page.locator(".promises summary").all():
        summary.click()
    check(page)
    page.get_by_role("link", name=re.compile(r"\d{4}, \d\d:\d\d:\d\d")).first.click()
    expect(page.get_by_text(f"{_PROMISES} of {_PROMISES} kept")).to_be_visible()
    check(page)
    page.close()


def in_database(house, statement):
    """Change something behind the program's back."""
    with closing(sqlite3.connect(house.site / "data" / "troth.sqlite3", isolation_level=None)) as database:
        database.execute("PRAGMA busy_timeout = 10000")
        database.execute(statement)


def test_what_is_edited_by_any_editor_is_seen_published_in_the_office_and_read_by_visitors(tried, watch, plain):
    house, context = tried
    watch.over(context)
    page = context.new_page()
    policy = house.site / "policy.md"
    fresh = house.site / "policy.md.new"
    fresh.write_text(policy.read_text().replace("Open a promise", "Unfold a promise"))
    os.replace(fresh, policy)  # as most editors do
    until = time.monotonic() + 10
    page.goto(f"{house.office}/promises/policy/")
    while not page.get_by_role("button", name="Publish version 2").count() and time.monotonic() < until:
        page.reload()
    assert "Open a promise" in httpx.get(f"{house.front}/privacy").text, "not before it is published"
    check(page)
    page.get_by_label("What changed").fill("One word is another.")
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_text("Version 2 is published. Visitors")).to_be_visible()
    page.close()
    until = time.monotonic() + 20
    while "Unfold a promise" not in httpx.get(f"{house.front}/privacy").text and time.monotonic() < until:
        time.sleep(0.5)
    plain.goto(f"{house.front}/privacy")
    plain.get_by_role("link", name="All versions").click()
    expect(plain.get_by_text("One word is another.")).to_be_visible()
    plain.get_by_text("Changes, line by line").click()
    expect(plain.locator("ins")).to_contain_text("Unfold a promise")
    plain.get_by_role("link", name="Read version 1").click()
    expect(plain.get_by_text("No longer in force.")).to_be_visible()
    expect(plain.get_by_text("Open a promise")).to_be_visible()


def test_a_promise_that_breaks_is_said_to_operators_and_visitors(tried, watch, page):
    """A published version is altered in the database."""
    house, context = tried
    desk = context.new_page()
    in_database(house, "UPDATE policy_policyversion SET text = text || ' ' WHERE number = 1")
    desk.goto(f"{house.office}/promises/")
    desk.get_by_role("button", name="Run quick checks").click()
    broken = desk.get_by_text(f"1 of {_PROMISES}", exact=False).or_(
        desk.get_by_text(f"{_PROMISES - 1} of {_PROMISES} kept")
    )
    broken.first.wait_for(timeout=_PATIENCE_SECONDS * 1000)
    desk.goto(house.office)
    expect(desk.get_by_text("Broken promise:")).to_be_visible()
    check(desk)
    desk.close()
    until = time.monotonic() + 20
    while "broken at present" not in httpx.get(f"{house.front}/privacy").text and time.monotonic() < until:
        time.sleep(0.5)
    page.goto(f"{house.front}/privacy")
    expect(page.get_by_role("status")).to_contain_text("One promise is broken.")
    check(page)
    in_database(house, "UPDATE policy_policyversion SET text = substr(text, 1, length(text) - 1) WHERE number = 1")


def test_a_draft_is_a_draft_until_it_is_published(tried):
    house, _ = tried
    policy = house.site / "policy.md"
    kept = policy.read_text()
    policy.write_text(kept.replace("# What happens", "# What might happen"))
    words = ("prove", "--light", "--json", "--site", house.site)
    done = forked.run(houses.TROTH[-1], *words, env=os.environ, timeout=_PATIENCE_SECONDS)
    assert {one["state"] for one in json.loads(done.stdout)["promises"]} == {"kept"}
    assert "What might happen" not in httpx.get(f"{house.front}/privacy").text
    policy.write_text(kept)
