"""A sheet gives back what was bound into it, cell by cell and column by column, and is small."""

import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.audience.storage.column_block import UNCOUNTED, CellColumn, ColumnBlock, SheetError, add, bind

_NUMBER = st.integers(-(1 << 62), 1 << 62)
_NAME = st.integers(0, 1 << 40)
_CELLS = st.dictionaries(st.tuples(_NAME, _NAME), st.lists(_NUMBER, min_size=5, max_size=5), max_size=30)


@given(_CELLS)
def test_what_is_bound_is_read(cells):
    assert dict(ColumnBlock(bind(cells))) == cells


@given(_CELLS, _NAME, _NAME)
def test_a_cell_is_found_by_its_names(cells, name, by):
    sheet = ColumnBlock(bind(cells))
    for key, figures in cells.items():
        place = sheet.at(*key)
        assert place is not None and sheet.figures(place) == figures
    assert (sheet.at(name, by) is not None) == ((name, by) in cells)


@given(_CELLS)
def test_all_of_one_name_are_found_either_way(cells):
    sheet = ColumnBlock(bind(cells))
    for name, by in cells:
        assert {sheet.column(CellColumn.BY)[place] for place in sheet.named(name)} == {b for n, b in cells if n == name}
        assert {sheet.column(CellColumn.NAME)[place] for place in sheet.by(by)} == {n for n, b in cells if b == by}


@given(_CELLS, st.data())
def test_bytes_that_nobody_bound_are_refused_or_read_and_nothing_else(cells, data):
    whole = bind(cells)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(SheetError):
        ColumnBlock(whole[:cut])
    flipped = bytearray(whole)
    flipped[cut] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(SheetError):
        list(ColumnBlock(bytes(flipped)))


def test_sums_add_up_and_what_nobody_counted_stays_uncounted():
    cells = {(1, 0): [1, 1, 1, 5, UNCOUNTED], (2, 0): [1, 0, 0, 0, 4]}
    add(cells, [((1, 0), [2, 1, -1, 5, UNCOUNTED]), ((2, 0), [0, 0, 0, 0, 3]), ((3, 0), [1, 1, 0, 0, UNCOUNTED])])
    assert cells == {(1, 0): [3, 2, 0, 10, UNCOUNTED], (2, 0): [1, 0, 0, 0, 7], (3, 0): [1, 1, 0, 0, UNCOUNTED]}
    add(cells, [((1, 0), [0, 0, 0, 0, 2])])
    assert cells[1, 0][4] == 2


def test_a_cell_of_a_busy_day_takes_few_bytes():
    drawn = random.Random(3)
    cells = {
        (page, drawn.randint(1, 300)): [views, views // 2, views // 4, views * drawn.randint(10, 90), UNCOUNTED]
        for page in range(4_000)
        for views in [1 + 3_000 // (page + 1)]
    }
    assert len(bind(cells)) < 8 * len(cells)
