"""The site's own pages come out of a sitemap or a list; a hostile sitemap gets nowhere."""

from datetime import date

import pytest

from tests.audience.figures import fold
from tests.audience.user_agents import CHROME
from tests.conftest import both
from troth.audience import services
from troth.audience.counting import name_threshold
from troth.audience.counting.cells import Cell, Dim
from troth.audience.counting.counted_hit import SeenHit, SiteFacts
from troth.audience.counting.counter import Counter
from troth.audience.counting.hit import Hit, HitKind
from troth.audience.counting.page_names import OTHER
from troth.audience.imports import sitemap
from troth.audience.imports.sitemap import PagesError, known_names, own_pages, read, store
from troth.audience.models import Day, Name
from troth.audience.queries.periods import Period
from troth.audience.storage.fold import kind_of
from troth.core import clock

HOSTS = frozenset({"example.com"})
SITEMAP = """\
<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:i="http://www.google.com/schemas/sitemap-image/1.1">
  <url><loc>https://www.example.com/</loc><lastmod>2026-11-01</lastmod></url>
  <url><loc> https://example.com/docs?version=4&amp;wilma=1 </loc><i:image><i:loc>https://example.com/a.png</i:loc></i:image></url>
  <url><loc>https://example.com/caf%C3%A9</loc></url>
  <url><loc>https://www.example.org/other</loc></url>
</urlset>
"""


def test_a_sitemap_names_pages_as_they_are_counted():
    listed = read(SITEMAP.encode(), HOSTS, frozenset({"version"}))
    assert listed.pages == {"/", "/docs?version=4", "/café"}
    assert (listed.elsewhere, listed.sitemaps) == (1, [])


def test_a_list_names_a_page_a_line():
    listed = read("\ufeff/\n\n# ours\n/docs\nhttps://example.com/buy?x=1\nhttp://example.org/\n".encode(), HOSTS)
    assert (listed.pages, listed.elsewhere) == ({"/", "/docs", "/buy"}, 1)


def test_a_sitemap_of_sitemaps_tells_which_and_fetches_none():
    text = "<sitemapindex><sitemap><loc>https://example.com/map-1.xml</loc></sitemap></sitemapindex>"
    listed = read(text.encode(), HOSTS)
    assert (listed.pages, listed.sitemaps) == (set(), ["https://example.com/map-1.xml"])


def test_what_the_operator_lists_is_counted_as_it_is():
    listed = {
        "/security/cve-2022-21658",
        "/order/20931187",
        "/k/9f86d081884c7d659a2feaa0c55ad015",
        "/team/ada@example.com",
    }
    text = "".join(f"<url><loc>https://example.com{page}</loc></url>" for page in listed)
    pages = read(f"<urlset>{text}</urlset>".encode(), HOSTS).pages
    assert pages == listed
    counter = Counter(
        SiteFacts(HOSTS), name_threshold.NameThreshold(3, [(Dim.PAGE, page) for page in pages]), b"k" * 32
    )
    for page in listed:
        seen = SeenHit(Hit(HitKind.VIEW, f"https://example.com{page}"), "203.0.113.0/24", CHROME)
        assert counter.receive(seen).page == page
    other = SeenHit(Hit(HitKind.VIEW, "https://example.com/team/ben@example.com"), "203.0.113.0/24", CHROME)
    assert counter.receive(other).page == "/team/(e-mail)"


_BOMB = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(12))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'<!DOCTYPE x [<!ENTITY l0 "lol">{_BOMB}]><urlset><url><loc>&l12;</loc></url></urlset>', "document type"),
        (
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><urlset><url><loc>&e;</loc></url></urlset>',
            "document",
        ),
        ('<!DOCTYPE urlset SYSTEM "http://127.0.0.1/x.dtd"><urlset/>', "document type"),
        ("<urlset><url><loc>&e;</loc></url></urlset>", "not well-formed"),
        ("<urlset><url><loc>/", "not well-formed"),
        ("<a>" * 100, "nested too deeply"),
        ('<?xml version="1.0" encoding="klingon"?><urlset/>', "encoding|well-formed"),
    ],
)
def test_a_hostile_sitemap_is_refused(text, said):
    with pytest.raises(PagesError, match=said):
        read(text.encode(), HOSTS)


@pytest.mark.parametrize(
    ("data", "said"), [(b"/docs\nWilma Oddsworth\n", "Line 2 is not a page"), (b"/\xff\xfe", "not UTF-8")]
)
def test_what_is_no_list_is_refused_and_not_repeated(data, said):
    with pytest.raises(PagesError, match=said) as caught:
        read(data, HOSTS)
    assert "Wilma" not in str(caught.value)


def test_a_list_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(sitemap, "LARGEST", 100)
    with pytest.raises(PagesError, match="too long"):
        read(b"/docs\n" * 100, HOSTS)


@both
def test_a_new_list_takes_the_place_of_the_old(site):
    first = store(["/", "/docs", "/old"])
    assert (first.new, first.gone, first.stays) == (["/", "/docs", "/old"], [], 0)
    assert store(["/", "/new"], dry_run=True).gone == ["/docs", "/old"]
    second = store(["/", "/docs", "/new"])
    assert (second.new, second.gone, second.stays) == (["/new"], ["/old"], 2)
    assert own_pages() == {"/", "/docs", "/new"}


def test_pages_beyond_what_can_be_counted_are_said(site, monkeypatch):
    monkeypatch.setattr(sitemap, "MOST", 2)
    change = store(["/deep/er/page", "/", "/docs"])
    assert (own_pages(), change.left_out) == ({"/", "/docs"}, 1)


def test_counting_begins_with_own_pages_and_what_was_written_before(site):
    store(["/docs"])
    for text, dim in (("Bing", Dim.SOURCE), ("/brought", Dim.PAGE), ("DE", Dim.COUNTRY), ("(other)", Dim.PAGE)):
        name = Name.objects.create(text=text)
        Day.objects.create(kind=kind_of(dim), at=clock.now().date().toordinal(), name=name.id, by=0, views=1)
    names = known_names()
    assert set(names) == {(Dim.PAGE, "/docs"), (Dim.PAGE, "/brought"), (Dim.SOURCE, "Bing")}
    assert name_threshold.NameThreshold(3, names).stored(Dim.PAGE, "/brought", b"v") == "/brought"


def test_pages_among_the_goals_are_known_from_the_start(site):
    assert known_names(["/thanks/20931187"]) == [(Dim.PAGE, "/thanks/20931187")]
    assert "/thanks/20931187" in services.names_known(["/thanks/20931187"])[Dim.PAGE.code]


def test_a_version_that_several_asked_for_is_known_to_a_front_that_begins_anew(site):
    today = date(2026, 11, 25)
    told = [Cell(Dim.PRODUCT, name, Dim.SYSTEM, "linux") for name in ("plainbook 4.1", f"plainbook {OTHER}")]
    fold([(today, {Cell(Dim.PRODUCT, "plainbook"): (5, 0, 0, 0), **{cell: (2, 0, 0, 0) for cell in told}})])
    assert services._of(Dim.PRODUCT, Period(today, today)) == ["plainbook", "plainbook 4.1"]
