"""A hit becomes sums; nothing that is taken out names a visitor, an address or an agent."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.audience.user_agents import CHROME, IPHONE
from troth.audience.counting.cells import ALL, Cell, Dim, Sums
from troth.audience.counting.counted_hit import SeenHit, SiteFacts, counted_hit, visitor_of
from troth.audience.counting.counter import Counter
from troth.audience.counting.hit import Hit, HitKind
from troth.audience.counting.name_threshold import NameThreshold
from troth.audience.counting.page_names import OTHER

SITE = SiteFacts(
    hosts=frozenset({"example.com"}),
    events=frozenset({"trial"}),
    products=frozenset({"plainbook"}),
    spam=frozenset({"spam.example"}),
)
PAGES = [(Dim.PAGE, path) for path in ("/", "/docs", "/buy")]
AT = datetime(2026, 11, 25, 14, 30, tzinfo=ZoneInfo("Europe/Berlin"))


def _counter() -> Counter:
    return Counter(SITE, NameThreshold(3, PAGES), b"k" * 32)


def _view(path="/", address="203.0.113.7", agent=CHROME, **more) -> SeenHit:
    made = {name: more.pop(name) for name in ("referrer", "width", "kind", "name", "seconds") if name in more}
    return SeenHit(
        Hit(made.pop("kind", HitKind.VIEW), f"https://www.example.com{path}", **made), address, agent, **more
    )


def _counted(*seen: SeenHit) -> Sums:
    counter = _counter()
    for now, one in enumerate(seen):
        counter.count(one, float(now))
    taken = counter.take(AT)
    assert taken
    return taken.sums


def test_a_view_is_counted_in_every_panel():
    sums = _counted(
        _view("/docs", referrer="https://www.google.de/", width=1280, country="DE", languages="de-DE,de;q=0.9")
    )
    for cell in (
        ALL,
        Cell(Dim.CHANNEL, "search"),
        Cell(Dim.COUNTRY, "DE"),
        Cell(Dim.DEVICE, "desktop"),
        Cell(Dim.BROWSER, "Chrome"),
        Cell(Dim.SYSTEM, "Windows"),
        Cell(Dim.LANGUAGE, "de"),
        Cell(Dim.SCREEN, "large"),
    ):
        assert sums.of(cell)[:2] == (1, 1), cell
    assert sums.of(Cell(Dim.PAGE, "/docs"))[0] == 1


def test_two_agents_behind_one_address_are_two_visitors():
    sums = _counted(_view(), _view(agent=IPHONE), _view("/docs"))
    assert sums.of(ALL)[:2] == (3, 2)


def test_a_visitor_is_counted_once_a_day_and_anew_the_next():
    counter = _counter()
    counter.count(_view(), 0.0)
    counter.count(_view("/docs"), 1.0)
    assert sum(rise.cell == ALL for rise in counter.take(AT).risen) == 1
    counter.new_day(b"n" * 32)
    counter.count(_view(), 2.0)
    taken = counter.take(AT)
    assert sum(rise.cell == ALL for rise in taken.risen) == 1 and taken.sums.of(ALL)[1] == 1


def test_who_asked_not_to_be_counted_is_one_sum_and_nothing_else():
    counter = _counter()
    assert counter.count(_view(asked_not=True), 0.0) == "asked"
    taken = counter.take(AT)
    assert [cell for cell, _ in taken.sums] == [Cell(Dim.ASKED, "")] and not taken.risen


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (_view(agent="python-requests/2.32.3"), "bot"),
        (_view(prefetched=True), "prefetched"),
        (_view(referrer="https://www.spam.example/x"), "referrer spam"),
        (_view(referrer="https://13.go.spam.example/"), "referrer spam"),
        (SeenHit(Hit(HitKind.VIEW, "https://elsewhere.example/"), "203.0.113.7", CHROME), "another site"),
        (_view(kind=HitKind.EVENT, name="flo: pregnant"), "undeclared event"),
    ],
)
def test_what_is_dropped_is_counted_by_its_reason(seen, why):
    counter = _counter()
    assert counter.count(seen, 0.0) == why
    assert [cell for cell, _ in counter.take(AT).sums] == [Cell(Dim.DROPPED, why)]


def test_a_path_that_one_visitor_brings_is_other():
    assert _counted(_view("/ada-example")).of(Cell(Dim.PAGE, OTHER))[0] == 1


def test_a_path_that_one_network_brings_by_many_of_its_addresses_is_other():
    sums = _counted(*(_view("/ada", f"20010db80001{n:04x}") for n in range(9)))
    assert sums.of(Cell(Dim.PAGE, OTHER))[0] == 9
    others = _counted(*(_view("/ada", f"20010db8{n:04x}0001") for n in range(9)))
    assert others.of(Cell(Dim.PAGE, "/ada"))[0] == 7


def test_time_events_downloads_and_links_that_lead_away():
    sums = _counted(
        _view("/docs"),
        _view("/docs", kind=HitKind.TIME, seconds=12),
        _view("/docs", kind=HitKind.EVENT, name="trial"),
        _view("/docs", kind=HitKind.OUTBOUND, name="https://ada:pw@shop.example/u/ada@example.com"),
        _view("/gone", kind=HitKind.MISSING),
    )
    assert sums.of(ALL)[3] == 12 and sums.of(Cell(Dim.EVENT, "trial"))[:2] == (1, 1)
    assert sums.of(Cell(Dim.OUTBOUND, OTHER))[0] == 1 and sums.of(Cell(Dim.MISSING, OTHER))[0] == 1


def test_a_program_that_asks_for_its_newest_version_is_product_version_and_system():
    counter = _counter()
    hit = Hit(HitKind.PRODUCT, name="plainbook", version="4.1.2", system="linux")
    for address in ("203.0.113.7", "203.0.113.8", "203.0.113.9"):
        assert counter.count(SeenHit(hit, address, "Plainbook/4.1.2"), 0.0) == ""
    taken = counter.take(AT)
    assert not taken.risen and taken.sums.of(Cell(Dim.PRODUCT, "plainbook"))[0] == 3
    assert taken.sums.of(Cell(Dim.PRODUCT, "plainbook 4.1.2", Dim.SYSTEM, "linux"))[0] == 1
    assert counter.count(SeenHit(Hit(HitKind.PRODUCT, name="other", version="1"), "203.0.113.7", ""), 0.0)


def test_a_version_that_one_program_alone_has_is_not_written():
    counter = _counter()
    for _ in range(9):
        counter.count(
            SeenHit(Hit(HitKind.PRODUCT, name="plainbook", version="4.1.771", system="linux"), "203.0.113.7", ""), 0.0
        )
    sums = counter.take(AT).sums
    assert sums.of(Cell(Dim.PRODUCT, "plainbook (other)", Dim.SYSTEM, "linux"))[0] == 9
    assert not any("771" in name for cell, _ in sums for name in (cell.name, cell.by_name))


def test_nothing_that_is_taken_out_names_a_visitor():
    counter = _counter()
    for seen in (_view(), _view("/docs"), _view(kind=HitKind.EVENT, name="trial")):
        counter.count(seen, 0.0)
    taken = counter.take(AT)
    told = repr((taken.day, taken.hour, list(taken.sums), taken.risen))
    visitor = visitor_of(b"k" * 32, "203.0.113.7", CHROME)
    for secret in ("203.0.113.7", CHROME, visitor.hex(), repr(visitor)):
        assert secret not in told


def test_a_hit_is_reduced_without_address_and_agent_and_always_to_the_same():
    listed = frozenset({"/docs"})
    view = _view("/docs", country="DE", languages="de-DE")
    counted = counted_hit(view, SITE, b"k" * 32, listed)
    assert counted == counted_hit(view, SITE, b"k" * 32, listed) and counted.sound()
    assert (counted.page, counted.about[Dim.COUNTRY.code], counted.about[Dim.LANGUAGE.code]) == ("/docs", "DE", "de")
    assert repr(counted) == "<CountedHit VIEW>"
    told = repr([getattr(counted, name) for name in counted.__struct_fields__])
    assert "203.0.113.7" not in told and "Mozilla" not in told
    assert counted_hit(view, SITE, b"n" * 32, listed).visitor != counted.visitor


def test_an_update_check_has_no_visitor_and_is_sound_at_no_other_front():
    hit = Hit(HitKind.PRODUCT, name="plainbook", version="4.1.2", system="solaris")
    counted = counted_hit(SeenHit(hit, "203.0.113.7", ""), SITE, b"k" * 32, frozenset())
    assert (counted.visitor, counted.name, sorted(counted.about.values())) == (
        b"",
        "plainbook",
        ["other", "plainbook 4.1.2"],
    )
    assert not counted.sound()


def test_nothing_counted_is_nothing_taken():
    assert _counter().take(AT) is None
