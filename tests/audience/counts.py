"""What a frame of counts says, as the counter had it."""

from troth.audience.counting.cells import DIMS, Cell, Sums
from troth.audience.counting.commit import cells_of, rises_of
from troth.audience.counting.registers import Rise


def risen_of(counts):
    """Each register that rose. Raises `CountsRefused`."""
    for dim, name, register, rank in rises_of(counts):
        yield Rise(Cell(DIMS[dim], counts.names[name]), register, rank)


def sums_of(counts):
    """The sums as the counter had them."""
    sums = Sums()
    for cell, (views, visits, bounces, seconds) in cells_of(counts):
        sums.add(cell, views=views, visits=visits, bounces=bounces, seconds=seconds)
    return sums
