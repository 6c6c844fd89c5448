"""Defines the cells in which visits are counted: one dimension, or two together, with four sums. Touches nothing.

    Cell     (Dim.PAGE, "/docs")                     the page
             (Dim.PAGE, "/docs", Dim.SOURCE, "Bing") the page, for visits from Bing
    Sums     views, visits, bounces, seconds         added up; a visit that continues subtracts its bounce

Three dimensions are never combined: so no cell describes an individual (V1), and cost is bounded.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple


class Dim(StrEnum):
    """A dimension. Add new ones at the end: the position in this list is stored (`code`)."""

    ALL = "all"
    PAGE = "page"
    ENTRY = "entry"
    EXIT = "exit"
    STEP = "step"
    """From a page (the first name) to the next (the second)."""
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
    """A page that does not exist (404)."""
    PRODUCT = "product"
    ASKED = "asked"
    """Page views of visitors who opted out: the only number stored of them."""
    DROPPED = "dropped"
    """Hits that were not counted, by reason."""

    @property
    def code(self) -> int:
        """Return the number under which the dimension is stored."""
        return _CODES[self]


DIMS = tuple(Dim)
_CODES = {dim: code for code, dim in enumerate(DIMS)}


class Cell(NamedTuple):
    """A cell. Two dimensions are in the order of `Dim`."""

    dim: Dim
    name: str
    by: Dim | None = None
    by_name: str = ""


ALL = Cell(Dim.ALL, "")
SKETCHED = frozenset({Dim.ALL, Dim.PAGE, Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY, Dim.EVENT})
"""Dimensions with unique visitors of a day; the others have visits only."""
WITH_PAGES = (Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN, Dim.COUNTRY, Dim.DEVICE, Dim.BROWSER, Dim.SYSTEM, Dim.LANGUAGE)
"""Attributes of a visit that are counted together with each of its pages."""
OF_A_VISIT = (*WITH_PAGES, Dim.SCREEN)
"""All attributes of a visit."""
PAIRED = frozenset(
    {
        *((Dim.PAGE, attribute) for attribute in WITH_PAGES),
        *((Dim.ENTRY, attribute) for attribute in (Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY)),
        *combinations((Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY), 2),
        *((dim, Dim.DEVICE) for dim in (Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY)),
        *((dim, Dim.BROWSER) for dim in (Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY)),
        *((dim, Dim.EVENT) for dim in (Dim.PAGE, Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY, Dim.DEVICE)),
    }
)
"""Pairs that are counted together, so that either can be filtered by the other."""
TOGETHER = PAIRED | {(Dim.STEP, Dim.STEP), (Dim.PRODUCT, Dim.SYSTEM)}
"""All pairs, including those that are counted as pairs only."""


class Increment(NamedTuple):
    """What to add to each of several cells; negative numbers subtract."""

    cells: Sequence[Cell]
    views: int
    visits: int
    bounces: int
    seconds: int


class Sums:
    """Sums to add to cells: views, visits, bounces, seconds. Leaves out zeros."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells: defaultdict[Cell, list[int]] = defaultdict(lambda: [0, 0, 0, 0])

    def add(self, cell: Cell, *, views: int = 0, visits: int = 0, bounces: int = 0, seconds: int = 0) -> None:
        """Add to a cell; negative numbers subtract."""
        self.add_all([Increment((cell,), views, visits, bounces, seconds)])

    def add_all(self, increments: Iterable[Increment]) -> None:
        """Add increments to their cells."""
        totals = self._cells
        for cells, views, visits, bounces, seconds in increments:
            for cell in cells:
                sums = totals[cell]
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
        """Return the sums of a cell."""
        views, visits, bounces, seconds = self._cells.get(cell, (0, 0, 0, 0))
        return views, visits, bounces, seconds
