"""The sums that visits make are those that a plain list of all hits would give, at every moment."""

from collections import Counter, defaultdict
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.audience.counts import hit, stay, view
from troth.audience.counting.cells import ALL, Cell, Dim, Sums
from troth.audience.counting.hit import HitKind
from troth.audience.counting.visits import ENDS_AFTER, LONGEST_STAY, Visits, advance, increments

ADA, BEN = b"a" * 16, b"b" * 16
FROM_BING = {Dim.SOURCE: "Bing", Dim.COUNTRY: "DE", Dim.DEVICE: "desktop"}


def _views(*seen, most=1000):
    visits, sums = Visits(most), Sums()
    for visitor, page, at in seen:
        sums.add_all(visits.count(view(visitor, page, FROM_BING), at))
    return visits, sums


def test_one_view_is_a_visit_a_bounce_an_entry_and_an_exit():
    _, sums = _views((ADA, "/", 0))
    assert sums.of(ALL) == (1, 1, 1, 0)
    assert sums.of(Cell(Dim.ENTRY, "/")) == (0, 1, 1, 0)
    assert sums.of(Cell(Dim.EXIT, "/")) == (0, 1, 0, 0)
    assert sums.of(Cell(Dim.PAGE, "/")) == (1, 1, 0, 0)
    assert sums.of(Cell(Dim.SOURCE, "Bing")) == (1, 1, 1, 0)
    assert sums.of(Cell(Dim.PAGE, "/", Dim.SOURCE, "Bing")) == (1, 1, 0, 0)


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
    sums.add_all(visits.count(view(ADA, "/", {Dim.SOURCE: "Bing"}), 0))
    sums.add_all(visits.count(view(ADA, "/docs", {Dim.SOURCE: "Google"}), 9))
    assert sums.of(Cell(Dim.SOURCE, "Bing")) == (2, 1, 0, 0) and sums.of(Cell(Dim.SOURCE, "Google")) == (0, 0, 0, 0)


def test_time_is_counted_for_the_page_that_is_shown_and_only_once():
    visits, sums = _views((ADA, "/", 0))
    for seconds in (5, 12, 12, 7):
        sums.add_all(visits.count(stay(ADA, "/", seconds), 20))
    sums.add_all(visits.count(stay(ADA, "/elsewhere", 90), 20))
    sums.add_all(visits.count(stay(BEN, "/", 90), 20))
    assert sums.of(ALL)[3] == sums.of(Cell(Dim.PAGE, "/"))[3] == sums.of(Cell(Dim.SOURCE, "Bing"))[3] == 12


def test_time_that_is_told_after_the_next_page_was_shown_counts_for_the_page_it_was_spent_on():
    visits, sums = _views((ADA, "/", 0))
    sums.add_all(visits.count(stay(ADA, "/", 5), 5))
    sums.add_all(visits.count(view(ADA, "/docs", FROM_BING), 9))
    for seconds in (9, 9):
        sums.add_all(visits.count(stay(ADA, "/", seconds), 9))
    sums.add_all(visits.count(stay(ADA, "/docs", 3), 12))
    assert (sums.of(Cell(Dim.PAGE, "/"))[3], sums.of(Cell(Dim.PAGE, "/docs"))[3]) == (9, 3)
    assert sums.of(ALL)[3] == 12


def test_a_tab_that_stayed_open_for_a_week_is_no_week():
    visits, sums = _views((ADA, "/", 0))
    sums.add_all(visits.count(stay(ADA, "/", 604_800), 10))
    assert sums.of(ALL)[3] == LONGEST_STAY


def test_an_event_counts_each_time_and_for_a_visit_once():
    visits, sums = _views((ADA, "/", 0))
    event = Cell(Dim.EVENT, "trial")
    for at in (1, 2):
        sums.add_all(visits.count(hit(ADA, HitKind.EVENT, "/", name="trial"), at))
    assert sums.of(event) == (2, 1, 0, 0)
    assert sums.of(Cell(Dim.SOURCE, "Bing", Dim.EVENT, "trial")) == (2, 1, 0, 0)
    sums.add_all(visits.count(hit(BEN, HitKind.EVENT, "/", name="trial"), 3))
    assert sums.of(event) == (3, 1, 0, 0)


def test_where_there_are_too_many_the_one_that_was_silent_longest_is_forgotten():
    visits, sums = _views((ADA, "/", 0), (BEN, "/", 1), (ADA, "/x", 2), (b"c" * 16, "/", 3), most=2)
    assert len(visits) == 2
    sums.add_all(visits.count(view(ADA, "/y", FROM_BING), 4))
    assert sums.of(ALL)[1] == 3


def test_ended_visits_are_forgotten():
    visits, _ = _views((ADA, "/", 0), (BEN, "/", 100))
    assert visits.tidy(ENDS_AFTER + 50) == 1 and len(visits) == 1
    visits.forget()
    assert not len(visits)


# -- one step ---------------------------------------------------------------------------------------------------------


def test_a_step_leaves_the_visit_before_it_as_it_was():
    first = advance(None, view(ADA, "/", FROM_BING), 0.0)
    second = advance(first, view(ADA, "/docs"), 9.0)
    assert (first.page, first.views, first.pages) == ("/", 1, ("/",))
    assert (second.page, second.views, second.pages, second.before) == ("/docs", 2, ("/", "/docs"), "/")
    assert second.alone == first.alone and second.entry == "/"


def test_what_a_step_adds_follows_from_the_visit_before_and_after_it():
    first, again = advance(None, view(ADA, "/"), 0.0), view(ADA, "/")
    second = advance(first, again, 9.0)
    added = increments(first, second, again)
    assert increments(first, second, again) == added
    assert [(one.cells[0], *one[1:]) for one in added] == [
        (ALL, 0, 0, -1, 0),  # the bounce is taken back
        (ALL, 1, 0, 0, 0),
        (Cell(Dim.PAGE, "/"), 1, 0, 0, 0),
    ]


def test_only_a_view_begins_a_visit():
    for late in (stay(ADA, "/", 9), hit(ADA, HitKind.EVENT, "/", name="trial")):
        assert advance(None, late, 0.0) is None
    assert increments(None, None, stay(ADA, "/", 9)) == []


def test_time_that_was_told_already_changes_nothing():
    visit = advance(advance(None, view(ADA, "/"), 0.0), stay(ADA, "/", 9), 9.0)
    for told in (stay(ADA, "/", 9), stay(ADA, "/", 3), stay(ADA, "/elsewhere", 30)):
        assert advance(visit, told, 12.0) is visit


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
        sums.add_all(visits.count(view(*told[-1][:2], FROM_BING), now))
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
