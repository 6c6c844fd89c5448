"""The real office, its database locked by somebody else: the page says so, soon, and the office goes on afterwards."""

import sqlite3
import time
from contextlib import closing

from playwright.sync_api import expect


def test_a_locked_database(desk, watch, house):
    watch.expected.append("status of 503")
    desk.goto(f"{house.office}/people/")
    desk.get_by_label("Search by email, name or phone number").fill("nobody@example.com")
    with closing(sqlite3.connect(house.site / "data" / "troth.sqlite3", isolation_level=None)) as other:
        other.execute("PRAGMA busy_timeout=5000")
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        desk.get_by_role("button", name="Search").click()
        expect(desk.get_by_role("heading", name="The database is not responding")).to_be_visible(timeout=10_000)
        took = time.monotonic() - began
        other.execute("ROLLBACK")
    assert took < 6.5
    desk.get_by_role("link", name="Go to Admin").click()
    expect(desk.get_by_role("heading", name="Today")).to_be_visible()
    desk.goto(f"{house.office}/people/")
    desk.get_by_label("Search by email, name or phone number").fill("nobody@example.com")
    desk.get_by_role("button", name="Search").click()
    expect(desk.get_by_text("No results")).to_be_visible()
