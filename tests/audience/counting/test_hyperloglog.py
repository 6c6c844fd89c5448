"""Visitors are counted within the stated error, by registers that say nothing about any of them."""

import contextlib
import secrets
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.audience.counting.hyperloglog import PRECISION, WIDE, Sketch, cell_key, error, place

DAY = b"d" * 32


def _counted(visitors: range, key: bytes, precision: int = PRECISION) -> Sketch:
    sketch = Sketch(precision)
    for visitor in visitors:
        sketch.raised(*place(key, visitor.to_bytes(16), precision))
    return sketch


@pytest.mark.parametrize("visitors", [0, 1, 2, 3, 10, 50])
def test_a_few_are_counted_exactly(visitors):
    assert round(_counted(range(visitors), cell_key(DAY, b"overall"), WIDE).count()) == visitors


@pytest.mark.parametrize("visitors", [300, 3_000, 30_000])
def test_many_are_counted_within_the_stated_error(visitors):
    """Twenty cells: their errors' root mean square stays near the stated one, and they do not lean to a side."""
    off = [_counted(range(visitors), cell_key(DAY, bytes([n]))).count() / visitors - 1 for n in range(20)]
    assert mean(one * one for one in off) ** 0.5 < 1.5 * error(PRECISION)
    assert abs(mean(off)) < error(PRECISION)


def test_the_field_s_own_library_says_about_the_same():
    datasketches = pytest.importorskip("datasketches")
    theirs, key = datasketches.hll_sketch(PRECISION), cell_key(DAY, b"x")
    for visitor in range(20_000):
        theirs.update(visitor)
    assert _counted(range(20_000), key).count() == pytest.approx(theirs.get_estimate(), rel=6 * error(PRECISION))


def test_who_comes_again_is_counted_once():
    key, sketch = cell_key(DAY, b"x"), Sketch()
    assert sketch.raised(*place(key, b"somebody", PRECISION))
    assert not sketch.raised(*place(key, b"somebody", PRECISION))


def test_two_cells_have_nothing_in_common_for_one_visitor():
    """The registers of one visitor in two cells agree as often as chance has it."""
    one, two = cell_key(DAY, b"page /a"), cell_key(DAY, b"page /b")
    visitors = [secrets.token_bytes(16) for _ in range(4_000)]
    same = sum(place(one, who, 4)[0] == place(two, who, 4)[0] for who in visitors)
    assert 4_000 / 16 * 0.7 < same < 4_000 / 16 * 1.3


def test_two_days_have_nothing_in_common():
    assert cell_key(DAY, b"overall") != cell_key(b"e" * 32, b"overall")


@given(st.lists(st.integers(0, 2_000), max_size=400), st.lists(st.integers(0, 2_000), max_size=400))
def test_merging_counts_those_of_either(here, there):
    key = cell_key(DAY, b"x")
    both, other, whole = Sketch(), Sketch(), Sketch()
    for sketch, visitors in ((both, here), (other, there), (whole, here + there)):
        for visitor in visitors:
            sketch.raised(*place(key, visitor.to_bytes(16), PRECISION))
    both.merge(other)
    assert sorted(both.registers()) == sorted(whole.registers())


@given(st.dictionaries(st.integers(0, 2**PRECISION - 1), st.integers(1, 65 - PRECISION)))
def test_what_is_kept_comes_back(registers):
    sketch = Sketch()
    for index, rank in registers.items():
        sketch.raised(index, rank)
    assert dict(Sketch.of(bytes(sketch)).registers()) == registers
    assert len(bytes(sketch)) <= 1 + 2**PRECISION


@given(st.binary(max_size=40))
def test_bytes_that_no_sketch_made_are_refused_or_read(data):
    with contextlib.suppress(ValueError):
        assert Sketch.of(data).count() >= 0


def test_two_precisions_do_not_merge():
    with pytest.raises(ValueError, match="precisions"):
        Sketch(11).merge(Sketch(12))


@pytest.mark.parametrize(("index", "rank"), [(-1, 1), (2**PRECISION, 1), (0, 0), (0, 66 - PRECISION)])
def test_there_is_no_such_register(index, rank):
    with pytest.raises(ValueError, match="no such"):
        Sketch().raised(index, rank)
