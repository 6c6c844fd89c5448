"""The sums that visits make are those that a plain list of all hits would give, at every moment."""

from collections import Counter, defaultdict
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from troth.audience.counting.cells import ALL, Cell, Dim, Sums, pair
from troth.audience.counting.visits import ENDS_AFTER, LONGEST_STAY, Visits

ADA, BEN = b"a" * 16, b"b" * 16
FROM_BING = {Dim.SOURCE: "Bing", Dim.COUNTRY: "DE", Dim.DEVICE: "desktop"}


def _views(*seen, most=1000):
    visits, sums = Visits(most), Sums()
    for visitor, page, at in seen:
        visits.view(visitor, page, FROM_BING, at, sums)
    return visits, sums


def test_one_view_is_a_visit_a_bounce_an_entry_and_an_exit():
    _, sums = _views((ADA, "/", 0))
    assert sums.of(ALL) == (1, 1, 1, 0)
    assert sums.of(Cell(Dim.ENTRY, "/")) == (0, 1, 1, 0)
    assert sums.of(Cell(Dim.EXIT, "/")) == (0, 1, 0, 0)
    assert sums.of(Cell(Dim.PAGE, "/")) == (1, 1, 0, 0)
    assert sums.of(Cell(Dim.SOURCE, "Bing")) == (1, 1, 1, 0)
    assert sums.of(pair(Dim.SOURCE, "Bing", Dim.PAGE, "/")) == (1, 1, 0, 0)


def test_a_second_view_takes_the_bounce_back_and_moves_the_exit():
    _, sums = _views((ADA, "/", 0), (ADA, "/docs", 20))
    assert sums.of(ALL) == (2, 1, 0, 0)
    assert sums.of(Cell(Dim.ENTRY, "/")) == (0, 1, 0, 0)
    assert sums.of(Cell(Dim.EXIT, "/")) == (0, 0, 0, 0)
    assert sums.of(Cell(Dim.EXIT, "/docs")) == (0, 1, 0, 0)
    assert sums.of(Cell(Dim.STEP, "/", Dim.STEP, "/docs")) == (1, 0, 0, 0)


def test_a_page_that_is_shown_again_is_no_step_and_no_second_visit_of_it():
    _, sums = _views((ADA, "/", 0), (ADA, "/", 20))
    assert sums.of(Cell(Dim.PAGE, "/")) == (2, 1, 0, 0)
    assert not [cell for cell, _ in sums if cell.dim is Dim.STEP]


def test_after_half_an_hour_it_is_another_visit():
    _, sums = _views((ADA, "/", 0), (ADA, "/docs", ENDS_AFTER + 1))
    assert sums.of(ALL) == (2, 2, 2, 0)


def test_two_visitors_are_two_visits():
    _, sums = _views((ADA, "/", 0), (BEN, "/", 1), (ADA, "/docs", 2))
    assert sums.of(ALL) == (3, 2, 1, 0)


def test_a_visit_keeps_what_it_began_with():
    visits, sums = Visits(), Sums()
    visits.view(ADA, "/", {Dim.SOURCE: "Bing"}, 0, sums)
    visits.view(ADA, "/docs", {Dim.SOURCE: "Google"}, 9, sums)
    assert sums.of(Cell(Dim.SOURCE, "Bing")) == (2, 1, 0, 0) and sums.of(Cell(Dim.SOURCE, "Google")) == (0, 0, 0, 0)


def test_time_is_counted_for_the_page_that_is_shown_and_only_once():
    visits, sums = _views((ADA, "/", 0))
    for seconds in (5, 12, 12, 7):
        visits.stayed(ADA, "/", seconds, 20, sums)
    visits.stayed(ADA, "/elsewhere", 90, 20, sums)
    visits.stayed(BEN, "/", 90, 20, sums)
    assert sums.of(ALL)[3] == sums.of(Cell(Dim.PAGE, "/"))[3] == sums.of(Cell(Dim.SOURCE, "Bing"))[3] == 12


def test_time_that_is_told_after_the_next_page_was_shown_counts_for_the_page_it_was_spent_on():
    visits, sums = _views((ADA, "/", 0))
    visits.stayed(ADA, "/", 5, 5, sums)
    visits.view(ADA, "/docs", FROM_BING, 9, sums)
    for seconds in (9, 9):
        visits.stayed(ADA, "/", seconds, 9, sums)
    visits.stayed(ADA, "/docs", 3, 12, sums)
    assert (sums.of(Cell(Dim.PAGE, "/"))[3], sums.of(Cell(Dim.PAGE, "/docs"))[3]) == (9, 3)
    assert sums.of(ALL)[3] == 12


def test_a_tab_that_stayed_open_for_a_week_is_no_week():
    visits, sums = _views((ADA, "/", 0))
    visits.stayed(ADA, "/", 604_800, 10, sums)
    assert sums.of(ALL)[3] == LONGEST_STAY


def test_an_event_counts_each_time_and_for_a_visit_once():
    visits, sums = _views((ADA, "/", 0))
    event = Cell(Dim.EVENT, "trial")
    assert visits.did(ADA, event, "/", 1, sums) and not visits.did(ADA, event, "/", 2, sums)
    assert sums.of(event) == (2, 1, 0, 0)
    assert sums.of(Cell(Dim.SOURCE, "Bing", Dim.EVENT, "trial")) == (2, 1, 0, 0)
    assert not visits.did(BEN, event, "/", 3, sums)
    assert sums.of(event) == (3, 1, 0, 0)


def test_where_there_are_too_many_the_one_that_was_silent_longest_is_forgotten():
    visits, sums = _views((ADA, "/", 0), (BEN, "/", 1), (ADA, "/x", 2), (b"c" * 16, "/", 3), most=2)
    assert len(visits) == 2
    visits.view(ADA, "/y", FROM_BING, 4, sums)
    assert sums.of(ALL)[1] == 3


def test_ended_visits_are_forgotten():
    visits, _ = _views((ADA, "/", 0), (BEN, "/", 100))
    assert visits.tidy(ENDS_AFTER + 50) == 1 and len(visits) == 1
    visits.forget()
    assert not len(visits)


# -- against a plain list -------------------------------------------------------------------------------------------

_HITS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from("/ /a /b /c".split()), st.integers(0, 2_500)), max_size=40
)


@given(_HITS)
def test_the_sums_are_those_of_a_plain_list(steps):
    visits, sums, now, told = Visits(), Sums(), 0, []
    for who, page, later in steps:
        now += later
        told.append((bytes([who]) * 16, page, now))
        visits.view(*told[-1][:2], FROM_BING, now, sums)
        assert sums.of(ALL)[:3] == _plain(told)[0]
    _, entries, exits, walked = _plain(told)
    assert {cell.name: made[1] for cell, made in sums if cell.dim is Dim.ENTRY and cell.by is None} == entries
    assert {cell.name: made[1] for cell, made in sums if cell.dim is Dim.EXIT} == exits
    assert {(cell.name, cell.by_name): made[0] for cell, made in sums if cell.dim is Dim.STEP} == walked


def _plain(told):
    """What a list of all hits says: views, visits and bounces; entries, exits, steps."""
    by_visitor = defaultdict(list)
    for who, page, at in told:
        by_visitor[who].append((page, at))
    visits = []
    for seen in by_visitor.values():
        for place, (page, at) in enumerate(seen):
            if not place or at - seen[place - 1][1] > ENDS_AFTER:
                visits.append([])
            visits[-1].append(page)
    steps = Counter((one, two) for pages in visits for one, two in pairwise(pages) if one != two)
    sums = (len(told), len(visits), sum(len(pages) == 1 for pages in visits))
    return sums, Counter(pages[0] for pages in visits), Counter(pages[-1] for pages in visits), steps
