"""Only that a register rose is said, and who was counted says nothing more."""

from troth.audience.counting.cells import ALL, Cell, Dim
from troth.audience.counting.hyperloglog import Sketch
from troth.audience.counting.registers import DayRegisters

DOCS = Cell(Dim.PAGE, "/docs")


def test_who_was_counted_says_nothing_more():
    registers = DayRegisters(b"k" * 32)
    assert len(registers.saw(b"a" * 16, [ALL, DOCS])) == 2
    assert registers.saw(b"a" * 16, [ALL, DOCS]) == []


def test_what_rose_adds_up_to_the_count():
    registers, whole = DayRegisters(b"k" * 32), Sketch(14)
    for n in range(5_000):
        for rise in registers.saw(n.to_bytes(16), [ALL]):
            whole.raised(rise.register, rise.rank)
    assert abs(whole.count() - 5_000) < 150


def test_two_fronts_under_one_key_count_a_visitor_once():
    one, other, whole = DayRegisters(b"k" * 32), DayRegisters(b"k" * 32), Sketch(14)
    for rise in one.saw(b"a" * 16, [ALL]) + other.saw(b"a" * 16, [ALL]):
        whole.raised(rise.register, rise.rank)
    assert round(whole.count()) == 1


def test_beyond_the_most_a_cell_has_no_visitors():
    registers = DayRegisters(b"k" * 32, most=1)
    assert [rise.cell for rise in registers.saw(b"a" * 16, [ALL, DOCS])] == [ALL]
