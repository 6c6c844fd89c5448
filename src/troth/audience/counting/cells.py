"""What is counted, in what cells: one thing about a visit, or two things together, with four sums. Touches nothing.

    Cell     (Dim.PAGE, "/docs")                     the page, whoever read it
             (Dim.PAGE, "/docs", Dim.SOURCE, "Bing") this page's readers from Bing, who are that source's on this page
    Sums     views, visits, bounces, seconds         added up; a visit that goes on takes back that it was a bounce

Never three things together: what a cell says of one visitor stays a broad picture (V1), and cost is bounded by names.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple


class Dim(StrEnum):
    """What a cell is about. A new one goes to the end: its place in this list is how it is written (`code`)."""

    ALL = "all"
    PAGE = "page"
    ENTRY = "entry"
    EXIT = "exit"
    STEP = "step"
    """From a page (the first name) to another (the second)."""
    SOURCE = "source"
    CHANNEL = "channel"
    CAMPAIGN = "campaign"
    COUNTRY = "country"
    DEVICE = "device"
    BROWSER = "browser"
    SYSTEM = "system"
    LANGUAGE = "language"
    SCREEN = "screen"
    EVENT = "event"
    OUTBOUND = "outbound"
    DOWNLOAD = "download"
    MISSING = "missing"
    """A page that was not there (404)."""
    PRODUCT = "product"
    ASKED = "asked"
    """Views of those who asked not to be counted: the one sum that is kept of them."""
    DROPPED = "dropped"
    """What was not counted, by the reason."""

    @property
    def code(self) -> int:
        """Its place in the list, as it is written."""
        return _CODES[self]


DIMS = tuple(Dim)
_CODES = {dim: code for code, dim in enumerate(DIMS)}


class Cell(NamedTuple):
    """One cell. Two things together stand in the order of `Dim`."""

    dim: Dim
    name: str
    by: Dim | None = None
    by_name: str = ""


ALL = Cell(Dim.ALL, "")
SKETCHED = frozenset({Dim.ALL, Dim.PAGE, Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY, Dim.EVENT})
"""Of these, the different visitors of a day are counted; of the others, visits."""
WITH_PAGES = (Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN, Dim.COUNTRY, Dim.DEVICE, Dim.BROWSER, Dim.SYSTEM, Dim.LANGUAGE)
"""What is known of a visit and counted together with each page that it looks at."""
OF_A_VISIT = (*WITH_PAGES, Dim.SCREEN)
"""All that is known of a visit, whatever it looks at."""
PAIRED = frozenset(
    {
        *((Dim.PAGE, other) for other in WITH_PAGES),
        *((Dim.ENTRY, other) for other in (Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY)),
        *combinations((Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY), 2),
        *((one, Dim.DEVICE) for one in (Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY)),
        *((one, Dim.BROWSER) for one in (Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY)),
        *((one, Dim.EVENT) for one in (Dim.PAGE, Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY, Dim.DEVICE)),
    }
)
"""Which two things are counted together, so that one can be asked for by the other, either way."""
TOGETHER = PAIRED | {(Dim.STEP, Dim.STEP), (Dim.PRODUCT, Dim.SYSTEM)}
"""And those that are counted together only."""


class Sums:
    """What is to be added to cells: views, visits, bounces, seconds. Empty sums are not there."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells: defaultdict[Cell, list[int]] = defaultdict(lambda: [0, 0, 0, 0])

    def add(self, cell: Cell, *, views: int = 0, visits: int = 0, bounces: int = 0, seconds: int = 0) -> None:
        """Add to a cell; less than nothing takes back."""
        sums = self._cells[cell]
        sums[0] += views
        sums[1] += visits
        sums[2] += bounces
        sums[3] += seconds

    def add_each(self, cells: Iterable[Cell], views: int, visits: int, bounces: int, seconds: int) -> None:
        """Add the same to several cells."""
        held = self._cells
        for cell in cells:
            sums = held[cell]
            sums[0] += views
            sums[1] += visits
            sums[2] += bounces
            sums[3] += seconds

    def __iter__(self) -> Iterator[tuple[Cell, tuple[int, int, int, int]]]:
        for cell, (views, visits, bounces, seconds) in self._cells.items():
            if views or visits or bounces or seconds:
                yield cell, (views, visits, bounces, seconds)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def of(self, cell: Cell) -> tuple[int, int, int, int]:
        """The sums of one cell."""
        views, visits, bounces, seconds = self._cells.get(cell, (0, 0, 0, 0))
        return views, visits, bounces, seconds


def pair(one: Dim, name: str, other: Dim, other_name: str) -> Cell:
    """The cell of two things together, in whichever order they are given."""
    return Cell(one, name, other, other_name) if (one, other) in PAIRED else Cell(other, other_name, one, name)
