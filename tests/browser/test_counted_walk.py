"""A browser's walk through the vendor's site is counted, as a walk and as nobody's."""

import sqlite3
import time
from contextlib import closing

import pytest

from tests.audience.user_agents import CHROME
from troth.audience.counting.cells import ALL, Cell, Dim
from troth.audience.storage.fold import kind_of


@pytest.fixture
def visitor(browser):
    context = browser.new_context(user_agent=CHROME, locale="de-DE")
    context.add_init_script("Object.defineProperty(Navigator.prototype, 'webdriver', {get: () => false})")
    yield context
    context.close()


def _sums(house, cell):
    """The views and visits of a cell on real days: the demo's own proofs walk through the site, too."""
    with closing(sqlite3.connect(house.site / "data" / "troth.sqlite3")) as database:
        ids = {text: number for number, text in database.execute("SELECT id, text FROM audience_name")} | {"": 0}
        found = database.execute(
            "SELECT SUM(views), SUM(visits) FROM audience_day WHERE kind = ? AND name = ? AND by = ? AND at >= 0",
            [kind_of(cell.dim, cell.by), ids.get(cell.name, -1), ids.get(cell.by_name, -1)],
        ).fetchone()
    return tuple(one or 0 for one in found)


def _until(house, cell, wanted, seconds=20.0):
    end = time.monotonic() + seconds
    while (found := _sums(house, cell)) != wanted:
        assert time.monotonic() < end, (cell, found, wanted)
        time.sleep(0.05)


def test_a_walk_is_in_every_panel_within_seconds_and_leaves_no_cookie(house, visitor):
    before, device = _sums(house, ALL), _sums(house, Cell(Dim.DEVICE, "desktop"))
    trial = _sums(house, Cell(Dim.EVENT, "trial"))  # by other tests' visitors
    page = visitor.new_page()
    page.goto(house.vendor)
    page.wait_for_timeout(300)
    page.get_by_role("link", name="Products").click()
    page.wait_for_timeout(300)
    with page.expect_download():
        page.get_by_role("link", name="Try it for a month").click()
    _until(house, ALL, (before[0] + 2, before[1] + 1))
    _until(house, Cell(Dim.DEVICE, "desktop"), (device[0] + 2, device[1] + 1))
    _until(house, Cell(Dim.EVENT, "trial"), (trial[0] + 1, trial[1] + 1))
    assert visitor.cookies() == []
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def test_one_click_and_a_visitor_is_not_counted(house, visitor):
    page = visitor.new_page()
    page.goto(f"{house.front}/privacy/choices")
    page.get_by_role("button", name="Do not count my visits").click()
    assert page.get_by_text("Your visits are not counted").is_visible()
    before, asked = _sums(house, ALL), _sums(house, Cell(Dim.ASKED, ""))[0]
    page.evaluate("url => fetch('/hit', {method: 'POST', body: new URLSearchParams({k: 'v', u: url})})", house.vendor)
    _until(house, Cell(Dim.ASKED, ""), (asked + 1, 0))
    assert _sums(house, ALL) == before
    page.get_by_role("button", name="Count my visits again").click()
    assert page.get_by_role("button", name="Do not count my visits").is_visible()
