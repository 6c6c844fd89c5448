"""What stands below a list: which rows, of how many, and where next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kit.paging import Page, stretch


@pytest.mark.parametrize(
    ("rows", "number", "total", "first", "last", "pages", "newer", "older"),
    [
        (0, 1, 0, 0, 0, 1, None, None),
        (5, 1, 5, 1, 5, 1, None, None),
        (50, 1, 51, 1, 50, 2, None, 2),
        (1, 2, 51, 51, 51, 2, 1, None),
        (50, 2, 150, 51, 100, 3, 1, 3),
    ],
)
def test_which_rows_these_are(rows, number, total, first, last, pages, newer, older):
    page = Page([0] * rows, number, 50, total)
    assert (page.first, page.last, page.pages, page.newer, page.older) == (first, last, pages, newer, older)


@given(st.integers(0, 500), st.integers(1, 60))
def test_the_pages_together_are_the_whole_list(total, size):
    everything, number, seen = list(range(total)), 1, []
    while True:
        page = Page(everything[(number - 1) * size : number * size], number, size, total)
        seen += page.rows
        assert page.last - page.first + 1 == len(page.rows) or not page.rows
        if page.older is None:
            break
        number = page.older
    assert seen == everything
    assert number == page.pages


class Rows(list):
    """Ordered rows as a queryset gives them; how many were walked over on the way to a page."""

    walked = 0

    def __getitem__(self, cut):
        Rows.walked = cut.stop
        return list.__getitem__(self, cut)

    def reverse(self):
        return Rows(reversed(self))


@given(st.integers(0, 500), st.integers(1, 60), st.integers(1, 30))
def test_a_stretch_is_the_page_and_is_reached_from_the_nearer_end(total, size, number):
    rows = Rows(range(total))
    assert stretch(rows, number, size, total) == list(range(total))[(number - 1) * size : number * size]
    if (number - 1) * size < total:
        assert Rows.walked <= total // 2 + size
