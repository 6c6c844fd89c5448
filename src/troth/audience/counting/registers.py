"""Keeps one front's sketches of the day, and reports only the registers that a visitor raises.

A further hit of a counted visitor raises nothing. In memory only; after a restart registers are reported again, which
changes nothing. Touches nothing (V1).
"""

from collections.abc import Iterable
from typing import NamedTuple

from troth.audience.counting.cells import ALL, Cell
from troth.audience.counting.hyperloglog import PRECISION, WIDE, Sketch, cell_key, place

MOST = 20_000
"""Cells with unique visitors a day; beyond that cells have views and visits only."""


class Rise(NamedTuple):
    """A raised register of a cell."""

    cell: Cell
    register: int
    rank: int


def precision(cell: Cell) -> int:
    """Return the precision of a cell's sketch, which is higher for the whole site."""
    return WIDE if cell == ALL else PRECISION


class DayRegisters:
    """All sketches of one day, under that day's key."""

    def __init__(self, day_key: bytes, most: int = MOST) -> None:
        self._day_key, self._most = day_key, most
        self._cells: dict[Cell, tuple[bytes, Sketch]] = {}

    def saw(self, visitor: bytes, cells: Iterable[Cell]) -> list[Rise]:
        """Count a visitor in these cells; return the raised registers."""
        risen = []
        for cell in cells:
            key_and_sketch = self._cells.get(cell)
            if key_and_sketch is None:
                if len(self._cells) >= self._most:
                    continue
                key_and_sketch = (
                    cell_key(self._day_key, "\0".join((cell.dim, cell.name)).encode()),
                    Sketch(precision(cell)),
                )
                self._cells[cell] = key_and_sketch
            key, sketch = key_and_sketch
            index, rank = place(key, visitor, sketch.precision)
            if sketch.raised(index, rank):
                risen.append(Rise(cell, index, rank))
        return risen
