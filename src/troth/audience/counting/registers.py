"""The registers of the day, as one front knows them: what is said of a visitor is only that a register rose.

A hit of somebody who was counted in a cell changes nothing there and so says nothing. In memory only; after a restart
what had been said is said again, which changes nothing either. Touches nothing (V1).
"""

from collections.abc import Iterable
from typing import NamedTuple

from troth.audience.counting.cells import ALL, Cell
from troth.audience.counting.hyperloglog import PRECISION, WIDE, Sketch, cell_key, place

MOST = 20_000
"""Cells whose visitors are counted, a day; beyond it a cell has views and visits only."""


class Rise(NamedTuple):
    """A register of a cell that rose."""

    cell: Cell
    register: int
    rank: int


def precision(cell: Cell) -> int:
    """How fine a cell's sketch is: the site as a whole is counted closer than its parts."""
    return WIDE if cell == ALL else PRECISION


class Registers:
    """All sketches of one day, under that day's key."""

    def __init__(self, day_key: bytes, most: int = MOST) -> None:
        self._day_key, self._most = day_key, most
        self._cells: dict[Cell, tuple[bytes, Sketch]] = {}

    def saw(self, visitor: bytes, cells: Iterable[Cell]) -> list[Rise]:
        """Count `visitor` in these cells; what rose."""
        risen = []
        for cell in cells:
            held = self._cells.get(cell)
            if held is None:
                if len(self._cells) >= self._most:
                    continue
                held = (cell_key(self._day_key, "\0".join((cell.dim, cell.name)).encode()), Sketch(precision(cell)))
                self._cells[cell] = held
            key, sketch = held
            index, rank = place(key, visitor, sketch.precision)
            if sketch.raised(index, rank):
                risen.append(Rise(cell, index, rank))
        return risen
