"""An address of the dashboard says all that the page shows, and what it should not say is as if it were not there."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.audience.console import filters
from troth.audience.console.filters import MAY_DRILL, DashboardQuery, Preset, Show, parse
from troth.audience.counting.cells import Dim
from troth.audience.queries.periods import Period
from troth.audience.queries.queries import Drill

TODAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ({}, "2026-10-29", "2026-11-25"),
        ({"period": "today"}, "2026-11-25", "2026-11-25"),
        ({"period": "yesterday"}, "2026-11-24", "2026-11-24"),
        ({"period": "7"}, "2026-11-19", "2026-11-25"),
        ({"period": "91"}, "2026-08-27", "2026-11-25"),
        ({"period": "month"}, "2026-11-01", "2026-11-25"),
        ({"period": "year"}, "2025-12-01", "2026-11-25"),
        ({"from": "2026-03-01", "to": "2026-03-05"}, "2026-03-01", "2026-03-05"),
        ({"from": "2026-03-05", "to": "2026-03-01"}, "2026-03-01", "2026-03-05"),
        ({"from": "2026-11-20", "to": "2027-01-01"}, "2026-11-20", "2026-11-25"),
        ({"from": "2026-11-20"}, "2026-11-20", "2026-11-25"),
        ({"from": "no day", "to": ""}, "2026-10-29", "2026-11-25"),
        ({"from": "0001-01-01", "to": "9999-12-31"}, "2024-10-11", "2026-11-25"),
        ({"period": "own"}, "2026-10-29", "2026-11-25"),
        ({"period": "for ever"}, "2026-10-29", "2026-11-25"),
    ],
)
def test_the_period_that_is_asked_for(query, first, last):
    assert parse(query, TODAY).period == Period(date.fromisoformat(first), date.fromisoformat(last))


def test_what_cannot_be_asked_for_is_not():
    found = parse({"screen": "wide", "page": "", "source": "x" * 501, "browser": "a\nb", "show": "people"}, TODAY)
    assert found == DashboardQuery(TODAY)
    assert len(parse({dim.value: "x" for dim in MAY_DRILL}, TODAY).drills) == 2
    assert parse({"tabs": "entry.nothing.campaign"}, TODAY).tabs == {"entry", "campaign"}


_text = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40)


@given(
    stretch=st.sampled_from([one for one in Preset if one is not Preset.CUSTOM]),
    drills=st.lists(st.tuples(st.sampled_from(MAY_DRILL), _text), max_size=3),
    show=st.sampled_from(Show),
    compare=st.booleans(),
    tab=st.sampled_from([Dim.PAGE, Dim.EXIT]),
)
def test_an_address_asks_for_what_it_was_made_of(stretch, drills, show, compare, tab):
    one = (
        DashboardQuery(TODAY)
        .over(stretch)
        .showing(show)
        .comparing(compare)
        .with_tab(tab, (Dim.PAGE, Dim.ENTRY, Dim.EXIT))
    )
    for drill in drills:
        one = one.of(Drill(*drill))
    found = parse(filters.decoded(one.encoded()), TODAY)
    assert set(found.drills) == set(one.drills) and len({dim for dim, _ in found.drills}) == len(found.drills) <= 2
    assert found.encoded() == parse(filters.decoded(found.encoded()), TODAY).encoded()
    assert (found.preset, found.show, found.compare, found.tabs) == (stretch, show, compare, one.tabs)


def test_a_thing_of_the_same_kind_takes_the_place_of_the_one_before():
    one = DashboardQuery(TODAY).of(Drill(Dim.PAGE, "/a")).of(Drill(Dim.PAGE, "/b"))
    assert one.drills == (Drill(Dim.PAGE, "/b"),)
    assert one.without(Drill(Dim.PAGE, "/b")) == DashboardQuery(TODAY)
