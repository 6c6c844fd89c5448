"""A sheet: all cells of one kind in a span that is over, bound together, column by column. Touches nothing.

A row in a database costs some 30 bytes in SQLite and 100 in PostgreSQL before it says anything; a cell in a sheet costs
about 6 all in all. There are numbers in it and no texts: whoever looks for a name on the disk need not unpack it.

    u32 cells | for each column: u8 width (0x80: deflated), u32 length | the columns

Cells stand in the order of (name, by), names as the step from the one before, widths 1, 2, 4 or 8 bytes, little-endian.
A column is read when it is asked for.
"""

import struct
import sys
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from itertools import accumulate, pairwise


class Column(IntEnum):
    """What a cell says, in the order in which it is written."""

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
"""views, visits, bounces, seconds, visitors; visitors are `UNCOUNTED` where nobody counted them."""
UNCOUNTED = -1
_HEAD, _ENTRY = struct.Struct("<I"), struct.Struct("<BI")
_DEFLATED = 0x80
_TYPES = {1: "b", 2: "h", 4: "i", 8: "q"}
_BODY = _HEAD.size + len(Column) * _ENTRY.size


class SheetError(ValueError):
    """Bytes that `bind` did not make."""


def bind(cells: Mapping[Key, Sequence[int]]) -> bytes:
    """The sheet of these cells, each with the five sums of `Figures`."""
    order = sorted(cells)
    names = [name for name, _ in order]
    columns: list[Sequence[int]] = [
        [after - before for before, after in pairwise([0, *names])],
        [by for _, by in order],
        *([cells[key][place] for key in order] for place in range(len(Column) - Column.VIEWS)),
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


class Sheet:
    """A sheet, read column by column. Raises `SheetError` where it is none."""

    __slots__ = ("_columns", "_data", "_places", "cells")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._columns: dict[Column, Sequence[int]] = {}
        if len(data) < _BODY:
            raise SheetError("a sheet that is cut off")
        (self.cells,) = _HEAD.unpack_from(data)
        entries = [_ENTRY.unpack_from(data, _HEAD.size + n * _ENTRY.size) for n in range(len(Column))]
        ends = list(accumulate((length for _, length in entries), initial=_BODY))
        if ends[-1] != len(data):
            raise SheetError("a sheet that is cut off")
        self._places = [(width, begin, end) for (width, _), (begin, end) in zip(entries, pairwise(ends), strict=True)]

    def column(self, which: Column) -> Sequence[int]:
        """One number for each cell."""
        held = self._columns.get(which)
        if held is None:
            held = self._columns[which] = self._read(which)
        return held

    def _read(self, which: Column) -> Sequence[int]:
        width, begin, end = self._places[which]
        body = self._data[begin:end]
        try:
            plain = zlib.decompress(body) if width & _DEFLATED else body
            numbers = array(_TYPES[width & ~_DEFLATED], plain)
        except (zlib.error, KeyError, ValueError):
            raise SheetError("a sheet that is damaged") from None
        if len(numbers) != self.cells:
            raise SheetError("a sheet that is damaged")
        numbers = _little(numbers)
        return list(accumulate(numbers)) if which is Column.NAME else numbers

    def named(self, name: int) -> range:
        """Where the cells of a name stand."""
        names = self.column(Column.NAME)
        return range(bisect_left(names, name), bisect_right(names, name))

    def by(self, by: int) -> list[int]:
        """Where the cells stand whose second name is this."""
        found, column, at = [], self.column(Column.BY), 0
        try:
            while True:
                at = column.index(by, at)
                found.append(at)
                at += 1
        except ValueError:
            return found

    def at(self, name: int, by: int = 0) -> int | None:
        """Where one cell stands."""
        named = self.named(name)
        place = bisect_left(self.column(Column.BY), by, named.start, named.stop)
        return place if place < named.stop and self.column(Column.BY)[place] == by else None

    def places(self, name: int | None, by: int | None) -> Sequence[int]:
        """Where the cells stand that have this name, this second name, both, or whichever."""
        if name is not None and by is not None:
            place = self.at(name, by)
            return [] if place is None else [place]
        if name is not None:
            return self.named(name)
        found = range(self.cells) if by is None else self.by(by)
        return range(self.cells) if len(found) == self.cells else found

    def picked(self, which: Column, places: Sequence[int]) -> Sequence[int]:
        """Of a column, the numbers at these places."""
        whole = self.column(which)
        return whole[places.start : places.stop] if isinstance(places, range) else [whole[at] for at in places]

    def figures(self, place: int) -> Figures:
        """What the cell at a place says."""
        return [self.column(which)[place] for which in FIGURES]

    def __iter__(self) -> Iterator[tuple[Key, Figures]]:
        keys = zip(self.column(Column.NAME), self.column(Column.BY), strict=True)
        sums = zip(*(self.column(which) for which in FIGURES), strict=True)
        for key, figures in zip(keys, sums, strict=True):
            yield key, list(figures)


FIGURES = (Column.VIEWS, Column.VISITS, Column.BOUNCES, Column.SECONDS, Column.VISITORS)


def add(cells: dict[Key, Figures], more: Iterable[tuple[Key, Figures]]) -> None:
    """Add cells to others: sums add up, visitors, too, where they were counted."""
    for key, figures in more:
        held = cells.get(key)
        if held is None:
            cells[key] = list(figures)
            continue
        held[0] += figures[0]
        held[1] += figures[1]
        held[2] += figures[2]
        held[3] += figures[3]
        if figures[4] != UNCOUNTED:
            held[4] = figures[4] + max(held[4], 0)
