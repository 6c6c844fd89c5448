"""What a front says it has counted: the sums of one group commit, in one minute, about nobody (V1).

The front imports this; it has no models. Names stand once, in a list, and cells point into it. What comes out of an
envelope was made by a front, and a front may be captured: `unpack`, `told_of` and `rises_of` take nothing that a
counter could not have made.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Annotated, ClassVar

import msgspec

from troth.audience.counting.cells import ALL, DIMS, SKETCHED, TOGETHER, Cell, Sums
from troth.audience.counting.counter import Taken
from troth.audience.counting.hyperloglog import PRECISION
from troth.audience.counting.page_names import LONGEST
from troth.audience.counting.registers import precision
from troth.core.entry import Entry, EntryRefused, Kind
from troth.core.purpose import Purpose
from troth.core.text.card_numbers import mask

MOST = 1_000_000
"""What one sum of one commit is at most, either way."""
MOST_BYTES = 60_000
"""Bytes of one entry at most: a frame must hold it, sealed (`clerk.protocol.MAX_PACKET`)."""
_BLOCK = 2_048
"""Bytes that the whole is padded to a multiple of, so that its size does not tell how many hits there were."""
_ALONE = -1
_DIMS = {(dim.code, _ALONE) for dim in DIMS} | {(one.code, other.code) for one, other in TOGETHER}
"""What a cell may be about."""


class CountsRefused(EntryRefused):
    """Counts that no counter of ours makes."""


class Counted(Entry, frozen=True):
    """What travels: `pack`'s bytes, sealed like all that comes in, for no purpose because they are about nobody."""

    schema: ClassVar[int] = 9
    purpose: ClassVar[Purpose | None] = None
    kind: ClassVar[Kind] = Kind.HITS

    packed: bytes
    """Looked through where it is folded: `unpack`."""


type _Sum = Annotated[int, msgspec.Meta(ge=-MOST, le=MOST)]


class Counts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """Sums of one minute."""

    day: int
    """Days since 1 January of the year 1 (`date.toordinal`), in the site's zone."""
    hour: int
    names: list[str]
    cells: list[tuple[int, int, int, int, _Sum, _Sum, _Sum, _Sum]]
    """Dim, name, second dim (or -1), its name; views, visits, bounces, seconds."""
    risen: list[tuple[int, int, int, int]]
    """Dim, name; register, rank."""
    minute: int = 0
    fresh: bool = False
    """The first of a front that has just begun: whoever was here may be counted a second time."""
    proof: bool = False
    """Of a proof's invented visitor: filed beside the figures, never in them."""


class _Names:
    """Each name once, and where it stands."""

    def __init__(self) -> None:
        self.all: dict[str, int] = {}

    def place(self, name: str) -> int:
        return self.all.setdefault(name, len(self.all))


def entries(taken: Taken) -> Iterator[Counted]:
    """What was taken out of a counter, ready to be sealed: one entry, or as many as its frames must be."""
    waiting = [taken]
    while waiting:
        part = waiting.pop()
        packed = pack(part)
        if len(packed) <= MOST_BYTES or len(part.sums) + len(part.risen) < 2:
            yield Counted(packed=packed)
        else:
            waiting += _halves(part)


def _halves(taken: Taken) -> list[Taken]:
    halves = [replace(taken, sums=Sums(), risen=taken.risen[half::2]) for half in (0, 1)]
    for place, (cell, (views, visits, bounces, seconds)) in enumerate(taken.sums):
        halves[place % 2].sums.add(cell, views=views, visits=visits, bounces=bounces, seconds=seconds)
    return halves


def pack(taken: Taken) -> bytes:
    """What was taken out of a counter, padded."""
    names = _Names()
    cells = [
        (
            cell.dim.code,
            names.place(cell.name),
            _ALONE if cell.by is None else cell.by.code,
            names.place(cell.by_name),
            *sums,
        )
        for cell, sums in taken.sums
    ]
    risen = [(one.cell.dim.code, names.place(one.cell.name), one.register, one.rank) for one in taken.risen]
    day = date.fromisoformat(taken.day).toordinal()
    counts = Counts(day, taken.hour, list(names.all), cells, risen, taken.minute, taken.fresh, taken.proof)
    data = msgspec.msgpack.encode(counts)
    return data + b"\x80" + bytes(-(len(data) + 1) % _BLOCK)


def unpack(data: bytes) -> Counts:
    """What `pack` made. Raises `CountsRefused`."""
    try:
        counts = msgspec.msgpack.decode(data[: data.rindex(b"\x80")], type=Counts)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise CountsRefused("These are no counts.") from None
    if not (0 <= counts.hour < 24 and 0 <= counts.minute < 60 and 700_000 < counts.day < 1_000_000):
        raise CountsRefused("Counts of no hour that there is.")
    if any(len(name) > 2 * LONGEST or not name.isprintable() for name in counts.names):
        raise CountsRefused("Counts with a name that is none.")
    names = [_without_cards(name) for name in counts.names]
    return counts if names == counts.names else msgspec.structs.replace(counts, names=names)


_without_cards = lru_cache(maxsize=20_000)(mask)
"""A name that looks like a card number to us and did not to the front counts on, without it (B2)."""


type Told = list[tuple[int, int, int, int, int, int, int, int]]


def told_of(counts: Counts) -> Told:
    """The cells as they are written, looked through, column by column. Raises `CountsRefused`."""
    if not counts.cells:
        return counts.cells
    dims, names, bys, by_names, *_ = zip(*counts.cells, strict=True)
    if not set(zip(dims, bys, strict=True)) <= _DIMS:
        raise CountsRefused("A cell that there is not, or two things that are not counted together.")
    if min(min(names), min(by_names)) < 0 or max(max(names), max(by_names)) >= len(counts.names):
        raise CountsRefused("A name that there is not.")
    return counts.cells


def cells_of(counts: Counts) -> Iterator[tuple[Cell, tuple[int, int, int, int]]]:
    """Each cell with what is to be added. Raises `CountsRefused`."""
    names = counts.names
    for dim, name, by, by_name, views, visits, bounces, seconds in told_of(counts):
        cell = Cell(DIMS[dim], names[name]) if by == _ALONE else Cell(DIMS[dim], names[name], DIMS[by], names[by_name])
        yield cell, (views, visits, bounces, seconds)


def rises_of(counts: Counts) -> list[tuple[int, int, int, int]]:
    """The registers that rose as they are written, looked through. Raises `CountsRefused`."""
    names = len(counts.names)
    for dim, name, register, rank in counts.risen:
        if not (dim in _SKETCHED and 0 <= name < names):
            raise CountsRefused("A cell that there is not.")
        bits = _WIDE if dim == _ALL and not counts.names[name] else PRECISION
        if not (0 <= register < 1 << bits and 0 < rank <= 65 - bits):
            raise CountsRefused("A register that there is not.")
    return counts.risen


_ALL, _WIDE = ALL.dim.code, precision(ALL)
_SKETCHED = {dim.code for dim in SKETCHED}
