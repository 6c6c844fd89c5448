"""A name that came from outside is written once enough visitors brought it, and not before."""

import pytest

from troth.audience.counting import name_threshold
from troth.audience.counting.cells import Dim
from troth.audience.counting.name_threshold import NameThreshold
from troth.audience.counting.page_names import OTHER

WHO = [bytes([n]) * 16 for n in range(200)]


def test_a_name_is_written_once_three_visitors_brought_it():
    names = NameThreshold(3)
    assert [names.stored(Dim.SOURCE, "ada-example.org", who) for who in WHO[:4]] == [
        OTHER,
        OTHER,
        *["ada-example.org"] * 2,
    ]


def test_one_visitor_alone_never_brings_a_name_in():
    names = NameThreshold(3)
    assert {names.stored(Dim.CAMPAIGN, "Ada Example", WHO[0]) for _ in range(50)} == {OTHER}


def test_the_site_s_own_pages_are_written_at_once():
    names = NameThreshold(3, [(Dim.PAGE, "/docs")])
    assert names.stored(Dim.PAGE, "/docs", WHO[0]) == "/docs" and names.stored(Dim.PAGE, "/ada", WHO[0]) == OTHER


@pytest.mark.parametrize(
    ("dim", "name"),
    [(Dim.COUNTRY, "LI"), (Dim.DEVICE, "phone"), (Dim.BROWSER, "Firefox"), (Dim.LANGUAGE, "de"), (Dim.SOURCE, "Bing")],
)
def test_what_does_not_come_from_outside_is_written(dim, name):
    assert NameThreshold(3).stored(dim, name, WHO[0]) == name


@pytest.mark.parametrize("dim", [Dim.BROWSER, Dim.SYSTEM, Dim.LANGUAGE])
def test_an_agent_cannot_name_a_browser_of_one_s_own(dim):
    assert NameThreshold(3).stored(dim, "ada", WHO[0]) == OTHER


def test_nothing_is_no_name():
    assert NameThreshold(3).stored(Dim.CAMPAIGN, "", WHO[0]) == ""


def test_a_new_day_forgets_who_brought_what_and_keeps_what_is_known():
    names = NameThreshold(2)
    names.stored(Dim.SOURCE, "known.example", WHO[0])
    names.stored(Dim.SOURCE, "known.example", WHO[1])
    names.stored(Dim.SOURCE, "new.example", WHO[0])
    names.new_day()
    assert names.stored(Dim.SOURCE, "known.example", WHO[5]) == "known.example"
    assert names.stored(Dim.SOURCE, "new.example", WHO[1]) == OTHER


def test_a_flood_of_names_neither_grows_nor_shuts_the_others_out(monkeypatch):
    monkeypatch.setattr(name_threshold, "MOST_WAITING", 100)
    monkeypatch.setattr(name_threshold, "MOST", 5)
    names = NameThreshold(1, [(Dim.PAGE, "/docs")])
    told = {names.stored(Dim.PAGE, f"/forged/{n}", WHO[0]) for n in range(1000)}
    assert len(told - {OTHER}) == 4 and names.stored(Dim.PAGE, "/docs", WHO[0]) == "/docs"
    patient = NameThreshold(2)
    for n in range(1000):
        patient.stored(Dim.SOURCE, f"forged-{n}.example", WHO[0])
    assert len(patient._waiting) == 100


def test_who_makes_names_up_by_the_thousand_uses_up_nothing_of_the_others(monkeypatch):
    monkeypatch.setattr(name_threshold, "MOST", 500)
    monkeypatch.setattr(name_threshold, "MOST_WAITING", 500)
    monkeypatch.setattr(name_threshold, "MOST_BROUGHT", 100)
    names = NameThreshold(3)
    names.stored(Dim.PAGE, "/new", WHO[7])
    for n in range(1000):
        for forger in WHO[:3]:
            names.stored(Dim.PAGE, f"/forged/{n}", forger)
    names.stored(Dim.PAGE, "/new", WHO[8])
    assert names.stored(Dim.PAGE, "/new", WHO[9]) == "/new"
    assert len(names.allowed(Dim.PAGE)) == 101
    assert names.stored(Dim.PAGE, "/also", WHO[0]) == OTHER
    names.new_day()
    assert names._brought == {}
