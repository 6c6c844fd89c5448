"""A visitor's choice is made by that visitor, on our own page; and what the page says of it is what it can know."""

import re

import pytest

from tests.front.client import Client, make_published
from tests.front.test_hits import SECRETS, _house, _plan
from troth.audience.counting.cells import ALL, Cell, Dim
from troth.core import facts
from troth.front import published
from troth.front.app import Front

OWN = "https://www.example.com"
PATH = "/troth/privacy/choices"
ELSEWHERE = "https://elsewhere.example.org"


@pytest.fixture
def client(tmp_path, keys, line):
    return _client(tmp_path, keys, line)


def _client(tmp_path, keys, line, **plan):
    told = make_published(keys, audience=_plan(**plan), trusted_proxies=["127.0.0.1"])
    published.write(tmp_path, told)
    front = Front(tmp_path, SECRETS, line)
    front.look()
    return Client(front, headers={"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"})


@pytest.mark.parametrize(
    "whence",
    [
        {"sec_fetch_site": "cross-site", "origin": ELSEWHERE},
        {"sec_fetch_site": "cross-site", "origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site", "origin": "https://other.example.net"},
        {"sec_fetch_site": "same-site", "origin": "null"},
        {"sec_fetch_site": "cross-site", "referer": f"{OWN}/page"},
        {"origin": ELSEWHERE},
        {"origin": "null"},
        {"origin": "https://www.example.com.elsewhere.example.org"},
        {"origin": "https://www.example.com@elsewhere.example.org"},
        {"referer": f"{ELSEWHERE}/?{OWN}/"},
    ],
)
@pytest.mark.parametrize("count", ["no", "yes"])
async def test_a_page_of_another_site_cannot_choose_for_its_visitor(client, whence, count):
    ticket = await _ticket(client)
    answer = await _chosen(client, {"count": count, "ticket": ticket}, **whence)
    assert answer.status == 403 and "set-cookie" not in answer.headers
    assert f"{OWN}/troth/privacy/choices" in answer.text


@pytest.mark.parametrize(
    "whence",
    [
        {"sec_fetch_site": "same-origin", "origin": OWN},
        {"sec_fetch_site": "same-origin", "origin": "null"},
        {"sec_fetch_site": "same-site", "origin": "https://example.com"},
        {"sec_fetch_site": "none"},
        {"origin": OWN},
        {"referer": f"{OWN}/troth/privacy/choices"},
    ],
)
async def test_our_own_page_may(client, whence):
    chosen = await _chosen(client, {"count": "no"}, **whence)
    assert chosen.status == 303 and chosen.headers["set-cookie"].startswith("troth-count=no;")
    again = await _chosen(client, {"count": "yes"}, **whence)
    assert again.status == 303 and "Max-Age=0" in again.headers["set-cookie"]


async def test_a_browser_that_says_nothing_shows_by_the_form_that_it_is_ours(client):
    assert (await _chosen(client, {"count": "no"})).status == 303
    assert (await _chosen(client, {"count": "yes"})).status == 403
    ticket = await _ticket(client)
    assert (await _chosen(client, {"count": "yes", "ticket": ticket})).status == 303
    of_the_attacker = await _ticket(client, x_forwarded_for="198.51.100.9")
    assert (await _chosen(client, {"count": "yes", "ticket": of_the_attacker})).status == 403


async def test_a_get_changes_nothing_and_no_other_page_may_frame_it(client):
    answer = await client.get(f"{PATH}?count=yes", cookie="troth-count=no")
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "same-origin", "else a browser writes Origin: null (Fetch, section 3.2)"


async def test_the_page_says_where_visits_are_not_counted(client):
    chosen = (await client.get(PATH, cookie="troth-count=no")).text
    assert "Your visits are not counted</strong> on example.com in this browser" in chosen
    asked = (await client.get(PATH, sec_gpc="1")).text
    assert "this browser sends Global Privacy Control" in asked and "which we honour" in asked


async def test_where_the_choice_may_not_arrive_the_page_does_not_say_that_it_does(tmp_path, keys, line):
    client = _client(tmp_path, keys, line, hosts=["example.com", "vendor.example.org"])
    answer = await client.get(PATH, cookie="troth-count=no")
    assert (
        "Your visits are not counted" not in answer.text and facts.not_everywhere(["vendor.example.org"]) in answer.text
    )
    cookie = (await _chosen(client, {"count": "no"})).headers["set-cookie"]
    assert "SameSite=none" in cookie and "Secure" in cookie


async def test_on_one_site_the_choice_stays_on_it(client):
    cookie = (await _chosen(client, {"count": "no"})).headers["set-cookie"]
    assert f"Max-Age={facts.CHOICE_DAYS * 86_400}" in cookie and facts.CHOICE_DAYS == 365, "as the facts say: a year"
    assert "SameSite=lax" in cookie and "Secure" in cookie and "Path=/troth" in cookie and "Domain" not in cookie


@pytest.mark.parametrize(
    ("asked", "counted"),
    [
        ({"origin": OWN, "sec_fetch_site": "same-origin"}, True),
        ({"origin": "https://example.com", "sec_fetch_site": "same-site"}, True),
        ({"origin": "null", "sec_fetch_site": "same-origin"}, True),
        ({"origin": "null"}, True),
        ({}, True),
        ({"origin": ELSEWHERE, "sec_fetch_site": "cross-site"}, False),
        ({"origin": ELSEWHERE}, False),
        ({"origin": "null", "sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
    ],
)
async def test_a_page_of_another_site_cannot_be_counted_as_one_of_ours(tmp_path, keys, line, asked, counted):
    async with _house(tmp_path, keys, line) as house:
        await house.client.post(
            "/troth/hit",
            {"k": "v", "u": f"{OWN}/docs"},
            x_forwarded_for="203.0.113.7",
            **asked,
        )
        assert house.sums().of(ALL)[0] == counted
        assert house.sums().of(Cell(Dim.DROPPED, "another site"))[0] == (not counted)


async def _chosen(client, fields, **headers):
    return await client.post(PATH, fields, **headers)


async def _ticket(client, **headers):
    page = (await client.get(PATH, **headers)).text
    return re.search(r'name="ticket" value="([0-9a-f]{32})"', page)[1]
