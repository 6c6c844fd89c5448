"""The public page of the statistics in a browser: readable for everybody, without a script, by keyboard."""

from datetime import date, timedelta

import pytest

from tests.browser.test_accessible import check
from tests.front.client import Keys, Serving
from troth.audience.public import disclosure
from troth.audience.public.disclosure import Exact, StatisticsPage

_SHARES = {
    "pages": {"/": 60, "/docs/getting-started": 22, "/blog/a-rather-long-title-of-an-article-that-somebody-linked": 9},
    "sources": {"Google": 40, "Hacker News": 12, "example.org": 3},
    "countries": {"DE": 35, "US": 30, "FR": 10},
    "devices": {"desktop": 66, "phone": 31, "tablet": 3},
}


def _week(first: date) -> disclosure.ShownWeek:
    days = [240, 310, 0, 280, 260, 90, 4]
    tables = {
        table: [Exact(name, sum(days) * share // 100) for name, share in rows.items()]
        for table, rows in _SHARES.items()
    }
    return disclosure.week(first.isoformat(), days, tables, disclosure.STEP)


PUBLIC = StatisticsPage(
    step=disclosure.STEP, at_least=3, weeks=[_week(date(2026, 10, 26) + timedelta(weeks=n)) for n in range(4)]
)
"""Four weeks as they are shown."""


@pytest.fixture
def front(tmp_path):
    """A front of its own whose statistics are public."""
    with Serving(tmp_path, Keys(), statistics=PUBLIC) as serving:
        yield f"http://127.0.0.1:{serving.port}/troth/statistics"


def test_axe_finds_nothing_in_any_look(page, front):
    page.goto(front)
    check(page)
    page.get_by_text("The same in numbers").click()
    check(page)


def test_without_a_script_and_by_keyboard_the_numbers_open(browser, front):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(front)
    assert not page.get_by_role("table", name="Visits by day").is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.get_by_role("table", name="Visits by day").is_visible()
    context.close()
