"""Keeps the current visits in memory, and derives visits, bounces, entries, exits, steps and time from them.

Visits are never written: they end with the process, and a visitor who continues is a new visit, which the dashboard
says. A visitor is sixteen bytes under a key that changes at midnight, so no visit is longer than a day. A visit ends
half an hour after its last activity (V1). Touches nothing.

Sums are complete at every moment: a first view counts as a bounce and an exit at once, and the next one subtracts both.
So a crash loses nothing of what was reported.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from troth.audience.counting.cells import ALL, PAIRED, Cell, Dim, Sums, pair

ENDS_AFTER = 30 * 60
"""Seconds without activity."""
MOST = 200_000
"""Visits in memory at most: the one without activity for longest is dropped first."""
LONGEST_STAY = 30 * 60
"""Seconds of one page at most."""
_PAGES_KNOWN = 64
"""Pages remembered of a visit; beyond that a page seen again counts as another visit of it."""
_cell = lru_cache(8_192)(Cell)
_pair = lru_cache(8_192)(pair)
"""Cells are shared between visits, each of which has some thirty. They hold only names that may be stored, and are
dropped at midnight."""


@dataclass(slots=True)
class _Visit:
    always: tuple[Cell, ...]
    """The cells that every view of this visit counts for, including its attributes."""
    entry: str
    page: str
    last: float
    views: int = 1
    pages: tuple[str, ...] = ()
    events: tuple[Cell, ...] = ()
    stayed: int = 0
    """Seconds counted for the current page."""
    before: str = ""
    stayed_before: int = 0
    """Seconds counted for the previous page, whose time may arrive after the view of the current one."""


class Visits:
    """The current visits of one front. Times are monotonic seconds."""

    def __init__(self, most: int = MOST) -> None:
        self._visits: OrderedDict[bytes, _Visit] = OrderedDict()
        self._most = most

    def __len__(self) -> int:
        return len(self._visits)

    def forget(self) -> None:
        """Forget all visits, at the end of a day."""
        self._visits.clear()
        _cell.cache_clear()
        _pair.cache_clear()

    def view(self, visitor: bytes, page: str, about: Mapping[Dim, str], now: float, sums: Sums) -> bool:
        """Count a page view; return whether a visit began. `about`: attributes of a visit that begins now, without
        empty names; a visit that continues keeps its own."""
        visit = self._under_way(visitor, now)
        if visit is None:
            visit = _Visit(_of_visit(about), page, page, now)
            self._visits[visitor] = visit
            if len(self._visits) > self._most:
                self._visits.popitem(last=False)
            _begin(visit, sums)
        else:
            _go_on(visit, page, sums)
        _count_view(visit, page, sums)
        if page not in visit.pages and len(visit.pages) < _PAGES_KNOWN:
            visit.pages += (page,)
        visit.page, visit.last = page, now
        return visit.views == 1

    def stayed(self, visitor: bytes, page: str, seconds: int, now: float, sums: Sums) -> None:
        """Count the time on a page, in total since it was shown. Without a visit, nothing is counted."""
        visit = self._under_way(visitor, now)
        if visit is None or page not in {visit.page, visit.before}:
            return
        seconds = min(seconds, LONGEST_STAY)
        more = seconds - (visit.stayed if page == visit.page else visit.stayed_before)
        if more <= 0:
            return
        if page == visit.page:
            visit.stayed = seconds
        else:
            visit.stayed_before = seconds
        visit.last = now
        alone = (cell for cell in visit.always if cell.by is None)
        sums.add_each([*alone, Cell(Dim.PAGE, page)], 0, 0, 0, more)

    def did(self, visitor: bytes, event: Cell, page: str, now: float, sums: Sums) -> bool:
        """Count an action: an event, a download, an outbound link, a 404; return whether it was the visit's first.
        Without a visit, only the action is counted."""
        visit = self._under_way(visitor, now)
        first = visit is not None and event not in visit.events
        sums.add(event, views=1, visits=int(first))
        if visit is None:
            return False
        if first and len(visit.events) < _PAGES_KNOWN:
            visit.events += (event,)
        visit.last = now
        for cell in (_cell(Dim.PAGE, page), *_known(visit)):
            if (cell.dim, event.dim) in PAIRED:
                sums.add(Cell(cell.dim, cell.name, event.dim, event.name), views=1, visits=int(first))
        return first

    def _under_way(self, visitor: bytes, now: float) -> _Visit | None:
        """Return the current visit, marked as the most recent; None where it has ended."""
        visit = self._visits.get(visitor)
        if visit is None:
            return None
        if now - visit.last > ENDS_AFTER:
            del self._visits[visitor]
            return None
        self._visits.move_to_end(visitor)
        return visit

    def tidy(self, now: float) -> int:
        """Forget the visits that have ended; return their number."""
        count = 0
        while self._visits:
            visitor, visit = next(iter(self._visits.items()))
            if now - visit.last <= ENDS_AFTER:
                break
            del self._visits[visitor]
            count += 1
        return count


def _known(visit: _Visit) -> list[Cell]:
    """Return a cell for each attribute of a visit."""
    return [cell for cell in visit.always if cell.by is None and cell is not ALL]


def _of_page(visit: _Visit, page: str) -> list[Cell]:
    """Return the cells of a page in a visit: the page, alone and together with the visit's attributes."""
    attributes = (cell for cell in _known(visit) if cell.dim in _BY_PAGE)
    return [_cell(Dim.PAGE, page), *(_pair(Dim.PAGE, page, cell.dim, cell.name) for cell in attributes)]


_BY_PAGE = frozenset(by for dim, by in PAIRED if dim is Dim.PAGE)


def _of_visit(about: Mapping[Dim, str]) -> tuple[Cell, ...]:
    """Return the cells of a visit that do not depend on the page."""
    attributes = list(about.items())
    return (ALL, *(_cell(dim, name) for dim, name in attributes), *_pairs(attributes))


def _pairs(about: list[tuple[Dim, str]]) -> list[Cell]:
    return [
        _pair(dim, name, by, by_name)
        for dim, name in about
        if dim in _FIRST
        for by, by_name in about
        if (dim, by) in PAIRED
    ]


_FIRST = frozenset(dim for dim, _ in PAIRED)


def _entry_cells(visit: _Visit) -> list[Cell]:
    """Return the cells that count bounces of this visit."""
    attributes = (cell for cell in _known(visit) if (Dim.ENTRY, cell.dim) in PAIRED)
    entries = (_pair(Dim.ENTRY, visit.entry, cell.dim, cell.name) for cell in attributes)
    return [*visit.always, _cell(Dim.ENTRY, visit.entry), *entries]


def _begin(visit: _Visit, sums: Sums) -> None:
    sums.add_each(_entry_cells(visit), 0, 1, 1, 0)
    sums.add(Cell(Dim.EXIT, visit.page), visits=1)


def _go_on(visit: _Visit, page: str, sums: Sums) -> None:
    if visit.views == 1:
        sums.add_each(_entry_cells(visit), 0, 0, -1, 0)
    visit.views += 1
    visit.before, visit.stayed_before, visit.stayed = visit.page, visit.stayed, 0
    if page != visit.page:
        sums.add(Cell(Dim.EXIT, visit.page), visits=-1)
        sums.add(Cell(Dim.EXIT, page), visits=1)
        sums.add(Cell(Dim.STEP, visit.page, Dim.STEP, page), views=1)


def _count_view(visit: _Visit, page: str, sums: Sums) -> None:
    """Count a page view. A visit counts once for each page; its other cells were counted when it began."""
    sums.add_each(visit.always, 1, 0, 0, 0)
    sums.add_each(_of_page(visit, page), 1, int(page not in visit.pages), 0, 0)
