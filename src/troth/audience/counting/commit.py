"""Packs the sums of one group commit of a front, and checks them when they arrive. They identify nobody (V1).

Each name is stored once; cells refer to its position. A front may be compromised: `unpack`, `told_of` and `rises_of`
accept only what a counter could have produced. No models here, because the front imports this file.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Annotated, ClassVar

import msgspec

from troth.audience.counting.cells import ALL, DIMS, SKETCHED, TOGETHER, Cell, Sums
from troth.audience.counting.counter import GroupCommit
from troth.audience.counting.hyperloglog import PRECISION
from troth.audience.counting.page_names import LONGEST
from troth.audience.counting.registers import precision
from troth.core.entry import Entry, EntryRefused, Kind
from troth.core.purpose import Purpose
from troth.core.text.card_numbers import mask

MOST = 1_000_000
"""The largest absolute value of a sum in one commit."""
MOST_BYTES = 60_000
"""Bytes of an entry at most: it must fit, sealed, into a frame (`clerk.protocol.MAX_PACKET`)."""
_BLOCK = 2_048
"""Entries are padded to a multiple of so many bytes, so that their size does not reveal the number of hits."""
_ALONE = -1
_DIMS = {(dim.code, _ALONE) for dim in DIMS} | {(first.code, second.code) for first, second in TOGETHER}
"""The valid dimensions of a cell."""


class CountsRefused(EntryRefused):
    """Counts that no counter produces."""


class Counted(Entry, frozen=True):
    """The entry: `pack`'s bytes, sealed like every entry, without a purpose because they identify nobody."""

    schema: ClassVar[int] = 9
    purpose: ClassVar[Purpose | None] = None
    kind: ClassVar[Kind] = Kind.HITS

    packed: bytes
    """Checked by `unpack` before it is added."""


type _Sum = Annotated[int, msgspec.Meta(ge=-MOST, le=MOST)]


class MinuteCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """The sums of one minute."""

    day: int
    """`date.toordinal` of the day in the site's zone."""
    hour: int
    names: list[str]
    cells: list[tuple[int, int, int, int, _Sum, _Sum, _Sum, _Sum]]
    """Dim, name, second dim (or -1), its name; views, visits, bounces, seconds."""
    risen: list[tuple[int, int, int, int]]
    """Dim, name; register, rank."""
    minute: int = 0
    fresh: bool = False
    """Whether the front has just started, so that current visitors may be counted twice."""
    proof: bool = False
    """Whether these are hits of a proof's invented visitor, which no figure includes."""


class _NameTable:
    """Stores each name once, with its position."""

    def __init__(self) -> None:
        self.all: dict[str, int] = {}

    def place(self, name: str) -> int:
        return self.all.setdefault(name, len(self.all))


def entries(batch: GroupCommit) -> Iterator[Counted]:
    """Split a batch into entries that fit into a frame."""
    waiting = [batch]
    while waiting:
        part = waiting.pop()
        packed = pack(part)
        if len(packed) <= MOST_BYTES or len(part.sums) + len(part.risen) < 2:
            yield Counted(packed=packed)
        else:
            waiting += _halves(part)


def _halves(batch: GroupCommit) -> list[GroupCommit]:
    halves = [replace(batch, sums=Sums(), risen=batch.risen[half::2]) for half in (0, 1)]
    for place, (cell, (views, visits, bounces, seconds)) in enumerate(batch.sums):
        halves[place % 2].sums.add(cell, views=views, visits=visits, bounces=bounces, seconds=seconds)
    return halves


def pack(batch: GroupCommit) -> bytes:
    """Return a batch as padded bytes."""
    names = _NameTable()
    cells = [
        (
            cell.dim.code,
            names.place(cell.name),
            _ALONE if cell.by is None else cell.by.code,
            names.place(cell.by_name),
            *sums,
        )
        for cell, sums in batch.sums
    ]
    risen = [(rise.cell.dim.code, names.place(rise.cell.name), rise.register, rise.rank) for rise in batch.risen]
    day = date.fromisoformat(batch.day).toordinal()
    counts = MinuteCounts(day, batch.hour, list(names.all), cells, risen, batch.minute, batch.fresh, batch.proof)
    data = msgspec.msgpack.encode(counts)
    return data + b"\x80" + bytes(-(len(data) + 1) % _BLOCK)


def unpack(data: bytes) -> MinuteCounts:
    """Return the counts that `pack` packed. Raises `CountsRefused`."""
    try:
        counts = msgspec.msgpack.decode(data[: data.rindex(b"\x80")], type=MinuteCounts)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise CountsRefused("Not valid counts.") from None
    if not (0 <= counts.hour < 24 and 0 <= counts.minute < 60 and 700_000 < counts.day < 1_000_000):
        raise CountsRefused("Counts with an invalid time.")
    if any(len(name) > 2 * LONGEST or not name.isprintable() for name in counts.names):
        raise CountsRefused("Counts with an invalid name.")
    names = [_without_cards(name) for name in counts.names]
    return counts if names == counts.names else msgspec.structs.replace(counts, names=names)


_clean: set[str] = set()
_MOST_CLEAN = 20_000


def _without_cards(name: str) -> str:
    """Mask card numbers that the front did not recognise (B2). Only names without any are remembered."""
    if name in _clean:
        return name
    masked = mask(name)
    if masked == name:
        if len(_clean) >= _MOST_CLEAN:
            _clean.clear()
        _clean.add(name)
    return masked


type Told = list[tuple[int, int, int, int, int, int, int, int]]


def told_of(counts: MinuteCounts) -> Told:
    """Check all cells, column by column, and return them as packed. Raises `CountsRefused`."""
    if not counts.cells:
        return counts.cells
    dims, names, bys, by_names, *_ = zip(*counts.cells, strict=True)
    if not set(zip(dims, bys, strict=True)) <= _DIMS:
        raise CountsRefused("Counts with an invalid cell.")
    if min(min(names), min(by_names)) < 0 or max(max(names), max(by_names)) >= len(counts.names):
        raise CountsRefused("Counts with an invalid position of a name.")
    return counts.cells


def cells_of(counts: MinuteCounts) -> Iterator[tuple[Cell, tuple[int, int, int, int]]]:
    """Return each cell with its sums. Raises `CountsRefused`."""
    names = counts.names
    for dim, name, by, by_name, views, visits, bounces, seconds in told_of(counts):
        cell = Cell(DIMS[dim], names[name]) if by == _ALONE else Cell(DIMS[dim], names[name], DIMS[by], names[by_name])
        yield cell, (views, visits, bounces, seconds)


def rises_of(counts: MinuteCounts) -> list[tuple[int, int, int, int]]:
    """Check the raised registers and return them as packed. Raises `CountsRefused`."""
    names = len(counts.names)
    for dim, name, register, rank in counts.risen:
        if not (dim in _SKETCHED and 0 <= name < names):
            raise CountsRefused("Counts with a register of an invalid cell.")
        bits = _WIDE if dim == _ALL and not counts.names[name] else PRECISION
        if not (0 <= register < 1 << bits and 0 < rank <= 65 - bits):
            raise CountsRefused("Counts with an invalid register.")
    return counts.risen


_ALL, _WIDE = ALL.dim.code, precision(ALL)
_SKETCHED = {dim.code for dim in SKETCHED}
