"""The public page of the statistics on the front: what the worker chose, as a page that needs no script."""

import re

import pytest

from tests.front.client import Client
from troth.audience.public.disclosure import Exact, StatisticsPage, week

WEEKS = [
    week(
        f"2026-11-{2 + 7 * n:02}",
        [1200, 40, 0, 12, 7, 3, 2],
        {
            "pages": [Exact("/", 900), Exact("/<b>docs</b>", 90), Exact("/secret", 4)],
            "sources": [Exact("Google", 1200), Exact("=2+2", 60)],
            "countries": [Exact("DE", 1000), Exact("FR", 200), Exact("IS", 3)],
            "devices": [Exact("desktop", 800), Exact("phone", 464)],
        },
        5,
    )
    for n in range(3)
]


@pytest.fixture
def public(front):
    """A front whose operator made the statistics public."""
    front.publish(statistics=StatisticsPage(step=5, at_least=3, weeks=WEEKS))
    return Client(front)


async def test_the_page_says_what_was_published_and_nothing_that_was_hidden(public):
    answer = await public.get("/troth/statistics")
    assert answer.status == 200
    for shown in ("2 November", "22 November 2026", "3,765", "2,700", "Google", "Desktop", "Germany"):
        assert shown in answer.text, shown
    assert "/secret" not in answer.text and "Iceland" not in answer.text
    assert "/&lt;b&gt;docs&lt;/b&gt;" in answer.text and "<b>docs" not in answer.text


async def test_each_bar_of_the_chart_is_in_the_table_below_it(public):
    text = (await public.get("/troth/statistics")).text
    assert text.count("<title>") == 22  # the page's own, and one for each day
    days = re.findall(r'<time datetime="(2026-11-\d\d)">\w{3}, [^<]+</time></th><td class="number">([^<]+)</td>', text)
    assert [count for _, count in reversed(days)][:7] == ["1,200", "40", "under 5", "10", "5", "under 5", "under 5"]


async def test_it_needs_no_script_and_loads_nothing_but_two_style_sheets(public):
    answer = await public.get("/troth/statistics")
    assert "<script" not in answer.text and " style=" not in answer.text and "<img" not in answer.text
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', answer.text)
    assert len(sheets) == 2
    for sheet in sheets:
        assert (await public.get(sheet)).headers["content-type"].startswith("text/css")


async def test_it_may_be_kept_for_ten_minutes_by_anybody(public):
    assert (await public.get("/troth/statistics")).headers["cache-control"] == "public, max-age=600"


async def test_before_the_first_week_is_over_the_page_says_so(front):
    front.publish(statistics=StatisticsPage(step=5, at_least=3, weeks=[]))
    answer = await Client(front).get("/troth/statistics")
    assert answer.status == 200 and "No figures yet" in answer.text


async def test_where_the_operator_wants_none_there_is_none(front):
    assert (await Client(front).get("/troth/statistics")).status == 404


async def test_it_is_read_only(public):
    assert (await public.post("/troth/statistics", b"")).status == 405
