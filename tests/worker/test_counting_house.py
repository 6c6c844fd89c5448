"""Visits in a whole house: counted once, whichever front they come to, whatever dies; and nobody on the disk."""

import os
import signal
import sqlite3
import time
from contextlib import closing

import httpx
import pytest

from bench.site import running
from tests.audience.user_agents import CHROME, IPHONE
from troth.audience.counting.cells import ALL, Cell, Dim
from troth.audience.storage.fold import kind_of

WALK = ("/", "/docs", "/buy")


@pytest.fixture(scope="module")
def house():
    with running(proof=False, fronts=3) as site:
        base = f"http://127.0.0.1:{site.port}"
        config = site.root / "troth.toml"
        assert config.exists()
        _until(lambda: all(httpx.get(f"{base}/healthz").status_code == 200 for _ in range(30)))  # every front
        yield site, base


def _until(done, seconds=20):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def _hit(base, page, agent=CHROME, kind="v", **more):
    """A beacon on a connection of its own, so that any front may take it; its status, 0 where there was none."""
    fields = {"k": kind, "u": f"{base}{page}", **more}
    try:
        return httpx.post(f"{base}/hit", data=fields, headers={"user-agent": agent}).status_code
    except httpx.TransportError:
        return 0


def _sums(site, cell):
    kind = kind_of(cell.dim, cell.by)
    with closing(sqlite3.connect(site.root / "data" / "troth.sqlite3")) as database:
        ids = {text: number for number, text in database.execute("SELECT id, text FROM audience_name")} | {"": 0}
        found = database.execute(
            "SELECT SUM(views), SUM(visits), SUM(bounces) FROM audience_day"
            " WHERE kind = ? AND name = ? AND by = ? AND at >= 0",
            [kind, ids.get(cell.name, -1), ids.get(cell.by_name, -1)],
        ).fetchone()
    return tuple(one or 0 for one in found)


def test_a_visitor_is_one_visitor_whichever_front_takes_the_hits(house):
    site, base = house
    before = _sums(site, ALL)
    for page in WALK * 4:
        assert _hit(base, page) == 204
    _until(lambda: _sums(site, ALL)[0] == before[0] + 12)
    views, visits, bounces = _sums(site, ALL)
    assert (views - before[0], visits - before[1], bounces - before[2]) == (12, 1, 0)


def test_a_hit_is_in_the_database_within_three_seconds(house):
    site, base = house
    before = _sums(site, Cell(Dim.DEVICE, "phone"))[0]
    assert _hit(base, "/docs", IPHONE) == 204
    _until(lambda: _sums(site, Cell(Dim.DEVICE, "phone"))[0] == before + 1, seconds=3)


def test_what_was_answered_is_counted_and_nothing_twice_while_fronts_and_worker_die(house):
    site, base = house
    before, answered, asked = _sums(site, ALL)[0], 0, 0
    for number in range(60):
        if number % 6 == 3:
            role = ("front", "worker", "clerk")[number // 6 % 3]
            child = next(one for one in site.supervisor._children if one.brief.role == role and one.process)
            os.kill(child.process.pid, signal.SIGKILL)
        asked += 1
        answered += _hit(base, WALK[number % 3]) == 204
        site.supervisor._turn(0.05)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        site.supervisor._turn(0.2)
    _until(lambda: httpx.get(f"{base}/healthz").status_code == 200)
    assert _hit(base, "/") == 204
    _until(lambda: answered + 1 <= _sums(site, ALL)[0] - before)
    counted = _sums(site, ALL)[0] - before
    assert answered + 1 <= counted <= asked + 1, (answered, counted, asked)
    assert answered > 20


def test_no_address_and_no_agent_is_on_the_disk_and_no_row_is_a_hit(house):
    site, base = house
    agent = CHROME.replace("126.0", "126.4711")
    for page in WALK:
        assert _hit(base, page, agent) == 204
    time.sleep(1)
    for path in site.root.rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert b"4711.0" not in held and b"AppleWebKit" not in held, path
    with closing(sqlite3.connect(site.root / "data" / "troth.sqlite3")) as database:
        assert database.execute("SELECT COUNT(*) FROM vault_seenentry").fetchone() == (0,)
