"""A hit is answered once it is on the disk; who asked not to be counted is not; nothing of a visitor is handed on."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from tests.audience.counts import sums_of
from tests.audience.user_agents import CHROME, IPHONE
from tests.front.client import Client, make_published
from tests.front.test_shop import shop
from troth.audience.counting.cells import ALL, Cell, Dim, Sums
from troth.audience.counting.commit import Counted, unpack
from troth.core.entry import Kind
from troth.front import published
from troth.front.app import Front
from troth.front.channels.clerk_client import ClerkBusy, ClerkGone
from troth.front.channels.peers import Peers
from troth.front.hits.counting import Counting
from troth.front.published import Audience
from troth.front.views import choices
from troth.supervisor.day_key import fresh

SECRETS = {"altcha": "11" * 32, "buckets": "22" * 32}
MARK = "0123456789abcdef" * 2
PAGES = {Dim.PAGE.code: ["/", "/docs", "/buy", "/buy/thanks"], Dim.SOURCE.code: ["DuckDuckGo"]}


def _plan(**changes) -> Audience:
    return Audience(**({"hosts": ["example.com"], "timezone": "UTC", "events": ["trial"], "names": PAGES} | changes))


class House:
    """A front that counts, its clerk, and what came to the clerk."""

    def __init__(self, folder, keys, line, key=None, proof="", **changes):
        self._keys, self.line, self.day = keys, line, key or fresh(datetime.now(UTC).date())
        self.counting = Counting(self.day, None, line, Peers(0, [None]))
        self.front = Front(folder, SECRETS, line, counting=self.counting)
        published.write(
            folder, make_published(keys, audience=_plan(proof=proof), trusted_proxies=["127.0.0.1"], **changes)
        )
        self.front.look()
        self.client = Client(self.front, headers={"user-agent": CHROME})

    def sums(self) -> Sums:
        total = Sums()
        for kind, body, _, _ in self.line.frames:
            if kind == Kind.NOTICE:
                continue  # a buyer came back
            assert kind == Kind.HITS
            for cell, (views, visits, bounces, seconds) in sums_of(unpack(self.opened(body))):
                total.add(cell, views=views, visits=visits, bounces=bounces, seconds=seconds)
        return total

    def opened(self, body) -> bytes:
        return self._keys.opening.open(body, Counted).packed

    async def beacon(self, k="v", u="https://www.example.com/docs", *, address="203.0.113.7", **more):
        headers = {name.replace("_", "-"): more.pop(name) for name in list(more) if name in _HEADERS}
        fields = {"k": k, "u": u, **more}
        return await self.client.post("/troth/hit", fields, x_forwarded_for=address, **headers)


_HEADERS = {
    "sec_gpc",
    "cookie",
    "sec_purpose",
    "x_purpose",
    "x_moz",
    "user_agent",
    "accept_language",
    "purpose",
    "troth_proof",
}


@asynccontextmanager
async def _house(tmp_path, keys, line, **changes):
    house = House(tmp_path, keys, line, **changes)
    running = asyncio.create_task(house.counting.run())
    try:
        yield house
    finally:
        running.cancel()


async def test_a_hit_of_a_proof_is_counted_apart_from_everybody(tmp_path, keys, line):
    async with _house(tmp_path, keys, line, proof=MARK) as house:
        assert (await house.beacon(troth_proof=MARK)).status == 204
        assert (await house.beacon()).status == 204
        assert (await house.beacon(troth_proof=MARK, sec_gpc="1")).status == 204
        assert (await house.beacon(troth_proof="another mark")).status == 204
        counted = [unpack(house.opened(body)) for _, body, _, _ in line.frames]
        views = [(one.proof, sums_of(one).of(ALL)[0], sums_of(one).of(Cell(Dim.ASKED, ""))[0]) for one in counted]
        assert views == [(True, 1, 0), (False, 1, 0), (True, 0, 1), (False, 1, 0)]
        # The same visitor by address and agent: the visits of the one know nothing of the other's.
        assert [sums_of(one).of(ALL)[1] for one in counted] == [1, 1, 0, 0]
        assert [bool(one.risen) for one in counted] == [True, True, False, False]


async def test_a_proof_helps_no_name_over_its_threshold(tmp_path, keys, line):
    async with _house(tmp_path, keys, line, proof=MARK) as house:
        for number in range(3):
            await house.beacon(u="https://example.com/new", address=f"198.{51 + number}.100.7", troth_proof=MARK)
        await house.beacon(u="https://example.com/new", address="203.0.113.9")
        counted = [unpack(house.opened(body)) for _, body, _, _ in line.frames]
        assert "/new" in counted[2].names and "/new" not in counted[3].names


@pytest.mark.parametrize("mark", ["", MARK])
async def test_where_no_mark_was_published_nobody_has_one(tmp_path, keys, line, mark):
    async with _house(tmp_path, keys, line) as house:
        await house.beacon(troth_proof=mark)
        assert not unpack(house.opened(line.frames[0][1])).proof


async def test_a_beacon_is_counted_and_answered_with_nothing(tmp_path, keys, line):
    async with _house(tmp_path, keys, line) as house:
        answer = await house.beacon(r="https://duckduckgo.com/", w="1280", accept_language="de-DE")
        assert (answer.status, answer.body) == (204, b"")
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
        assert house.sums().of(Cell(Dim.PAGE, "/docs", Dim.SOURCE, "DuckDuckGo"))[0] == 1


async def test_a_pixel_is_a_picture_that_other_sites_may_load(tmp_path, keys, line):
    async with _house(tmp_path, keys, line) as house:
        query = urlencode({"k": "v", "u": "https://www.example.com/buy"})
        answer = await house.client.get(f"/troth/hit?{query}", x_forwarded_for="203.0.113.7")
        assert (answer.status, answer.headers["content-type"], answer.body[:6]) == (200, "image/gif", b"GIF89a")
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert house.sums().of(Cell(Dim.PAGE, "/buy"))[:2] == (1, 1)


async def test_a_pixel_that_names_no_page_is_on_the_one_that_the_browser_names(tmp_path, keys, line):
    async with _house(tmp_path, keys, line) as house:
        await house.client.get("/troth/hit?k=v", x_forwarded_for="203.0.113.7", referer="https://www.example.com/docs")
        assert house.sums().of(Cell(Dim.PAGE, "/docs"))[0] == 1


def test_a_signal_that_came_is_not_taken_back_by_a_second_header():
    assert choices.told([(b"sec-gpc", b"1"), (b"sec-gpc", b"0")]) == (True, False)


@pytest.mark.parametrize("asks", [{"sec_gpc": "1"}, {"cookie": "a=b; troth-count=no"}])
async def test_who_asks_not_to_be_counted_is_one_more_who_asked_and_nothing_else(tmp_path, keys, line, asks):
    async with _house(tmp_path, keys, line) as house:
        assert (await house.beacon(**asks)).status == 204
        assert dict(house.sums()) == {Cell(Dim.ASKED, ""): (1, 0, 0, 0)}


@pytest.mark.parametrize(
    ("asks", "why"),
    [
        ({"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}, "bot"),
        ({"sec_purpose": "prefetch;prerender"}, "prefetched"),
        ({"x_purpose": "preview"}, "prefetched"),
        ({"x_moz": "Prefetch"}, "prefetched"),
        ({"u": "https://elsewhere.example/"}, "another site"),
        ({"k": "e", "n": "unheard"}, "undeclared event"),
    ],
)
async def test_what_is_not_counted_is_counted_by_the_reason(tmp_path, keys, line, asks, why):
    async with _house(tmp_path, keys, line) as house:
        assert (await house.beacon(**asks)).status == 204
        assert dict(house.sums()) == {Cell(Dim.DROPPED, why): (1, 0, 0, 0)}


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"k=zz", 400), (b"k=v&k=v", 400), (b"x=1", 400), (b"k=v&w=-1", 400), (b"k=v&u=" + b"a" * 9_000, 413)],
)
async def test_what_the_snippet_never_sends_is_refused_and_not_counted(tmp_path, keys, line, body, status):
    async with _house(tmp_path, keys, line) as house:
        answer = await house.client.post("/troth/hit", body=body)
        assert answer.status == status and line.frames == []


async def test_other_methods_are_told_which_there_are(tmp_path, keys, line):
    async with _house(tmp_path, keys, line) as house:
        answer = await house.client.ask("PUT", "/troth/hit")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


async def test_many_hits_share_one_commit_and_each_is_counted_once(tmp_path, keys, line):
    async with _house(tmp_path, keys, line) as house:
        answers = await asyncio.gather(*(house.beacon(address=f"198.51.100.{n}") for n in range(100)))
        assert {answer.status for answer in answers} == {204}
        assert house.sums().of(ALL)[:2] == (100, 100)
        assert len(line.frames) < 20


@pytest.mark.parametrize("refusal", [ClerkBusy(60), ClerkGone("gone")])
async def test_what_could_not_be_kept_is_503_and_takes_nothing_back_later(tmp_path, keys, line, refusal):
    async with _house(tmp_path, keys, line) as house:
        line.refusal = refusal
        answer = await house.beacon()
        assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
        line.refusal = None
        await house.beacon(
            u="https://www.example.com/buy"
        )  # the same visitor goes on: to the disk, that is a new visit
        sums = house.sums()
        assert sums.of(ALL) == (1, 1, 1, 0) and sums.of(Cell(Dim.PAGE, "/docs")) == (0, 0, 0, 0)


async def test_a_key_that_is_not_of_today_counts_nobody(tmp_path, keys, line):
    yesterday = fresh((datetime.now(UTC) - timedelta(days=1, minutes=2)).date())
    async with _house(tmp_path, keys, line, key=yesterday) as house:
        assert (await house.beacon()).status == 503 and line.frames == []


async def test_one_network_that_floods_is_slowed_down(tmp_path, keys, line):
    async with _house(tmp_path, keys, line) as house:
        statuses = [(await house.beacon()).status for _ in range(620)]
        assert statuses.count(204) >= 600 and statuses[-1] == 429
        assert (await house.beacon(address="192.0.2.9")).status == 204


async def test_nothing_that_is_handed_over_names_a_visitor(tmp_path, keys, line):
    async with _house(tmp_path, keys, line) as house:
        for page in ("/docs", "/buy", "/ada@example.org"):
            await house.beacon(u=f"https://www.example.com{page}", user_agent=IPHONE)
        opened = b"".join(house.opened(body) for _, body, _, _ in line.frames)
        for trace in (b"203.0.113", bytes([203, 0, 113, 7]), b"cb007107", b"iPhone OS", b"Mozilla", b"ada@"):
            assert trace not in opened


async def test_where_nothing_is_counted_there_is_no_such_page(tmp_path, keys, line):
    house = House(tmp_path, keys, line)
    published.write(tmp_path, make_published(keys, generation=2))
    house.front.look()
    assert (await house.beacon()).status == 404
    assert (await house.client.get("/troth/t.js")).status == 404


async def test_the_snippet_is_served_to_the_vendor_s_pages(tmp_path, keys, line):
    answer = await House(tmp_path, keys, line).client.get("/troth/t.js")
    assert answer.status == 200 and answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert b"sendBeacon" in answer.body and answer.body.rstrip().endswith(b"})([], 0)")


async def test_the_snippet_knows_what_makes_a_page_here(tmp_path, keys, line):
    house = House(tmp_path, keys, line)
    plan = _plan(parameters=["version", "lang"], hash_routes=True)
    published.write(tmp_path, make_published(keys, generation=2, audience=plan))
    before = (await house.client.get("/troth/t.js")).headers["etag"]
    house.front.look()
    answer = await house.client.get("/troth/t.js")
    assert answer.body.rstrip().endswith(b'})(["lang", "version"], 1)') and answer.headers["etag"] != before


async def test_a_route_behind_the_hash_is_a_page_where_the_setting_says_so(tmp_path, keys, line):
    async with _house(tmp_path, keys, line) as house:
        await house.beacon(u="https://www.example.com/docs#/buy")
        assert house.sums().of(Cell(Dim.PAGE, "/docs"))[0] == 1
        names = {Dim.PAGE.code: ["/docs#/buy"]}
        plan = _plan(hash_routes=True, names=names)
        published.write(tmp_path, make_published(keys, generation=2, audience=plan, trusted_proxies=["127.0.0.1"]))
        house.front.look()
        await house.beacon(u="https://www.example.com/docs#/buy")
        assert house.sums().of(Cell(Dim.PAGE, "/docs#/buy"))[0] == 1


async def test_who_asks_by_what_the_script_saw_of_the_signal_is_one_of_those_who_asked(tmp_path, keys, line):
    async with _house(tmp_path, keys, line) as house:
        await house.beacon(g="1")
        assert dict(house.sums()) == {Cell(Dim.ASKED, ""): (1, 0, 0, 0)}


# -- pages of the shop, which have no script ---------------------------------------------------------------------------


@asynccontextmanager
async def _selling(tmp_path, keys, line):
    async with _house(tmp_path, keys, line, shop=shop()) as house:
        yield house


async def _visit(house, *paths, **headers):
    """Ask for pages, one after the other, and wait until what came of it is counted."""
    for path in paths:
        await house.client.get(
            f"/troth/{path}", **{"x_forwarded_for": "203.0.113.7", "x_forwarded_proto": "https", **headers}
        )
        while house.front._hits._views:
            await asyncio.sleep(0)
            await asyncio.gather(*house.front._hits._views)
    return house.sums()


async def test_the_way_to_a_purchase_is_one_visit_with_its_source_and_no_checkout(tmp_path, keys, line):
    async with _selling(tmp_path, keys, line) as house:
        await _visit(
            house, "buy/plainbook?utm_campaign=spring&email=ada@example.org", referer="https://duckduckgo.com/"
        )
        paid = ("buy/plainbook/single/EUR", "buy/thanks/cs_test_a1B2c3D4")
        sums = await _visit(house, *paid, referer="https://buy.example.com/c/pay/cs_test_a1B2c3D4")
        assert sums.of(ALL)[:2] == (3, 1)
        assert sums.of(Cell(Dim.PAGE, "/buy/thanks"))[:2] == (1, 1)
        assert sums.of(Cell(Dim.PAGE, "/buy/thanks", Dim.SOURCE, "DuckDuckGo"))[1] == 1
        kept = repr([unpack(house.opened(body)) for kind, body, _, _ in line.frames if kind == Kind.HITS])
        assert "cs_test" not in kept and "ada" not in kept and "buy.example.com" not in kept


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("buy/plainbook", {"sec_fetch_dest": "iframe"}),
        ("buy/other", {}),
        ("buy/thanks", {}),
        ("newsletter", {}),
    ],
)
async def test_what_is_no_visit_to_the_shop_is_not_counted(tmp_path, keys, line, path, headers):
    async with _selling(tmp_path, keys, line) as house:
        assert dict(await _visit(house, path, **headers)) == {}


async def test_a_buyer_who_asks_not_to_be_counted_is_not(tmp_path, keys, line):
    async with _selling(tmp_path, keys, line) as house:
        assert dict(await _visit(house, "buy/plainbook", sec_gpc="1")) == {Cell(Dim.ASKED, ""): (1, 0, 0, 0)}


async def test_somebody_who_comes_from_elsewhere_straight_to_the_shop_is_counted(tmp_path, keys, line):
    async with _selling(tmp_path, keys, line) as house:
        came = {"sec_fetch_site": "cross-site", "sec_fetch_dest": "document", "referer": "https://example.net/"}
        assert (await _visit(house, "buy/plainbook", **came)).of(ALL)[:2] == (1, 1)


async def test_a_sale_goes_on_where_nothing_can_be_counted(tmp_path, keys, line):
    async with _selling(tmp_path, keys, line) as house:
        line.refusal = ClerkGone("gone")
        forwarded = {"x_forwarded_for": "203.0.113.7", "x_forwarded_proto": "https"}
        answer = await house.client.get("/troth/buy/plainbook/single/EUR", **forwarded)
        assert answer.status == 303
        await asyncio.gather(*house.front._hits._views)
        line.refusal = None
        assert (await _visit(house, "buy/plainbook")).of(ALL)[:2] == (1, 1)
