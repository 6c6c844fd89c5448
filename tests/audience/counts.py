"""What a frame of counts says, as the counter had it; and hits as a counter hands them to its visits."""

from collections.abc import Mapping

from troth.audience.counting.cells import DIMS, Cell, Dim, Sums
from troth.audience.counting.commit import cells_of, rises_of
from troth.audience.counting.counted_hit import CountedHit
from troth.audience.counting.hit import HitKind
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


def hit(visitor: bytes, kind: HitKind, page: str, *, about: Mapping[Dim, str] = {}, **more) -> CountedHit:
    """A hit with names that may be stored."""
    return CountedHit(visitor, b"", kind, page, about={dim.code: name for dim, name in about.items()}, **more)


def view(visitor: bytes, page: str, about: Mapping[Dim, str] = {}) -> CountedHit:
    """A page view."""
    return hit(visitor, HitKind.VIEW, page, about=about)


def stay(visitor: bytes, page: str, seconds: int) -> CountedHit:
    """Time on a page so far."""
    return hit(visitor, HitKind.TIME, page, seconds=seconds)
