"""Packs all cells of one kind in a closed span into a sheet, column by column. Touches nothing.

A row of the database has an overhead of 30 to 100 bytes; a cell in a sheet takes about 6 in all, and holds no text.

    u32 cells | for each column: u8 width (0x80: deflated), u32 length | the columns

Cells are sorted by (name, by), names are stored as differences, widths are 1, 2, 4 or 8 bytes, little-endian. Columns
are decompressed on first use.
"""

import struct
import sys
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from itertools import accumulate, pairwise


class CellColumn(IntEnum):
    """The columns, in the order in which they are stored."""

    NAME = 0
    BY = 1
    VIEWS = 2
    VISITS = 3
    BOUNCES = 4
    SECONDS = 5
    VISITORS = 6


type Key = tuple[int, int]
"""name, by"""
type Figures = list[int]
"""views, visits, bounces, seconds, visitors; visitors are `UNCOUNTED` where they are not counted."""
UNCOUNTED = -1
_HEAD, _ENTRY = struct.Struct("<I"), struct.Struct("<BI")
_DEFLATED = 0x80
_TYPES = {1: "b", 2: "h", 4: "i", 8: "q"}
_BODY = _HEAD.size + len(CellColumn) * _ENTRY.size


class SheetError(ValueError):
    """Bytes that are not a valid sheet."""


def bind(cells: Mapping[Key, Sequence[int]]) -> bytes:
    """Return the sheet of these cells, each with the five sums of `Figures`."""
    order = sorted(cells)
    names = [name for name, _ in order]
    columns: list[Sequence[int]] = [
        [after - before for before, after in pairwise([0, *names])],
        [by for _, by in order],
        *([cells[key][place] for key in order] for place in range(len(CellColumn) - CellColumn.VIEWS)),
    ]
    entries, bodies = [], []
    for column in columns:
        width, body = _packed(column)
        entries.append(_ENTRY.pack(width, len(body)))
        bodies.append(body)
    return b"".join([_HEAD.pack(len(order)), *entries, *bodies])


def _packed(column: Sequence[int]) -> tuple[int, bytes]:
    least, most = min(column, default=0), max(column, default=0)
    width = next(width for width in _TYPES if -(1 << (8 * width - 1)) <= least and most < 1 << (8 * width - 1))
    plain = _little(array(_TYPES[width], column)).tobytes()
    deflated = zlib.compress(plain)
    return (width | _DEFLATED, deflated) if len(deflated) < len(plain) else (width, plain)


def _little(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


class ColumnBlock:
    """A sheet, read column by column. Raises `SheetError` for invalid bytes."""

    __slots__ = ("_columns", "_data", "_places", "cells")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._columns: dict[CellColumn, Sequence[int]] = {}
        if len(data) < _BODY:
            raise SheetError("a sheet that is cut off")
        (self.cells,) = _HEAD.unpack_from(data)
        entries = [_ENTRY.unpack_from(data, _HEAD.size + n * _ENTRY.size) for n in range(len(CellColumn))]
        ends = list(accumulate((length for _, length in entries), initial=_BODY))
        if ends[-1] != len(data):
            raise SheetError("a sheet that is cut off")
        self._places = [(width, begin, end) for (width, _), (begin, end) in zip(entries, pairwise(ends), strict=True)]

    def column(self, column: CellColumn) -> Sequence[int]:
        """Return one number for each cell."""
        numbers = self._columns.get(column)
        if numbers is None:
            numbers = self._columns[column] = self._read(column)
        return numbers

    def _read(self, column: CellColumn) -> Sequence[int]:
        width, begin, end = self._places[column]
        body = self._data[begin:end]
        try:
            plain = zlib.decompress(body) if width & _DEFLATED else body
            numbers = array(_TYPES[width & ~_DEFLATED], plain)
        except (zlib.error, KeyError, ValueError):
            raise SheetError("a sheet that is damaged") from None
        if len(numbers) != self.cells:
            raise SheetError("a sheet that is damaged")
        numbers = _little(numbers)
        return list(accumulate(numbers)) if column is CellColumn.NAME else numbers

    def named(self, name: int) -> range:
        """Return the positions of the cells of a name."""
        names = self.column(CellColumn.NAME)
        return range(bisect_left(names, name), bisect_right(names, name))

    def by(self, by: int) -> list[int]:
        """Return the positions of the cells with this second name."""
        places, column, at = [], self.column(CellColumn.BY), 0
        try:
            while True:
                at = column.index(by, at)
                places.append(at)
                at += 1
        except ValueError:
            return places

    def at(self, name: int, by: int = 0) -> int | None:
        """Return the position of a cell, or None."""
        named = self.named(name)
        place = bisect_left(self.column(CellColumn.BY), by, named.start, named.stop)
        return place if place < named.stop and self.column(CellColumn.BY)[place] == by else None

    def places(self, name: int | None, by: int | None) -> Sequence[int]:
        """Return the positions of the cells with this name, second name, or both. None: any."""
        if name is not None and by is not None:
            place = self.at(name, by)
            return [] if place is None else [place]
        if name is not None:
            return self.named(name)
        places = range(self.cells) if by is None else self.by(by)
        return range(self.cells) if len(places) == self.cells else places

    def picked(self, column: CellColumn, places: Sequence[int]) -> Sequence[int]:
        """Return the numbers of a column at these positions."""
        numbers = self.column(column)
        return numbers[places.start : places.stop] if isinstance(places, range) else [numbers[at] for at in places]

    def figures(self, place: int) -> Figures:
        """Return the figures of the cell at a position."""
        return [self.column(column)[place] for column in FIGURES]

    def __iter__(self) -> Iterator[tuple[Key, Figures]]:
        keys = zip(self.column(CellColumn.NAME), self.column(CellColumn.BY), strict=True)
        sums = zip(*(self.column(column) for column in FIGURES), strict=True)
        for key, figures in zip(keys, sums, strict=True):
            yield key, list(figures)


FIGURES = (CellColumn.VIEWS, CellColumn.VISITS, CellColumn.BOUNCES, CellColumn.SECONDS, CellColumn.VISITORS)


def add(cells: dict[Key, Figures], more: Iterable[tuple[Key, Figures]]) -> None:
    """Add cells to others: sums, and visitors where they are counted."""
    for key, figures in more:
        totals = cells.get(key)
        if totals is None:
            cells[key] = list(figures)
            continue
        totals[0] += figures[0]
        totals[1] += figures[1]
        totals[2] += figures[2]
        totals[3] += figures[3]
        if figures[4] != UNCOUNTED:
            totals[4] = figures[4] + max(totals[4], 0)
