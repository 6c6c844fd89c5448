"""Who is here just now, in memory only: from it come visits, bounces, entries, exits, steps and the time spent.

Never written, not even at the end: it dies with its process, and then a visitor who goes on is a new visit, which the
dashboard says. A visitor is sixteen bytes under a key that lives in the launcher's memory and changes at midnight, so
no visit is longer than a day. A visit ends half an hour after its last sign of life (V1). Touches nothing.

What comes out are sums that hold at every moment: a first view counts as a bounce and an exit at once, and the next one
takes both back. So a process that dies loses nothing of what it had said.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from troth.audience.counting.cells import ALL, PAIRED, Cell, Dim, Sums, pair

ENDS_AFTER = 30 * 60
"""Seconds without a sign of life."""
MOST = 200_000
"""Visits that are remembered at a time: the one that was silent longest goes first."""
LONGEST_STAY = 30 * 60
"""Seconds that one page is credited with at most."""
_PAGES_KNOWN = 64
"""Pages of one visit that are known to have been seen; beyond it a page seen again counts as one more visit of it."""
_cell = lru_cache(8_192)(Cell)
_pair = lru_cache(8_192)(pair)
"""Cells are made once for all visits that count for them: a visit of its own has some thirty. They say what may be
written anyway, and are forgotten at midnight."""


@dataclass(slots=True)
class _Visit:
    always: tuple[Cell, ...]
    """The cells that every view of this visit counts for; what is known of it stands among them."""
    entry: str
    page: str
    last: float
    views: int = 1
    pages: tuple[str, ...] = ()
    events: tuple[Cell, ...] = ()
    stayed: int = 0
    """Seconds that the present page was credited with."""
    before: str = ""
    stayed_before: int = 0
    """The page before it: its time is told as it is left, and may come after the view of the present one."""


class Visits:
    """All visits under way in one front. Times are seconds of a clock that only goes on."""

    def __init__(self, most: int = MOST) -> None:
        self._visits: OrderedDict[bytes, _Visit] = OrderedDict()
        self._most = most

    def __len__(self) -> int:
        return len(self._visits)

    def forget(self) -> None:
        """The day is over: its key is gone, and so is everybody."""
        self._visits.clear()
        _cell.cache_clear()
        _pair.cache_clear()

    def view(self, visitor: bytes, page: str, about: Mapping[Dim, str], now: float, sums: Sums) -> bool:
        """A page was shown. `about`: what is known of a visit that begins now, without empty names; one that goes on
        keeps what it began with. Returns whether a visit began."""
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
        """The page was really looked at for so long, all in all since it was shown. Of nobody, nothing is counted."""
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
        """Something was done: an event, a download, a link that leads away, a page that was missing. A visit counts
        once for each; where none is under way the deed alone is counted. Returns whether it was the visit's first."""
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
        """The visit, moved to the end of those that may be forgotten; none where it has ended."""
        visit = self._visits.get(visitor)
        if visit is None:
            return None
        if now - visit.last > ENDS_AFTER:
            del self._visits[visitor]
            return None
        self._visits.move_to_end(visitor)
        return visit

    def tidy(self, now: float) -> int:
        """Forget the visits that have ended; returns how many there were."""
        gone = 0
        while self._visits:
            visitor, visit = next(iter(self._visits.items()))
            if now - visit.last <= ENDS_AFTER:
                break
            del self._visits[visitor]
            gone += 1
        return gone


def _known(visit: _Visit) -> list[Cell]:
    """What is known of a visit: one cell for each."""
    return [cell for cell in visit.always if cell.by is None and cell is not ALL]


def _of_page(visit: _Visit, page: str) -> list[Cell]:
    """The cells of a page in this visit: the page, and the page together with what is known of the visit."""
    known = (cell for cell in _known(visit) if cell.dim in _BY_PAGE)
    return [_cell(Dim.PAGE, page), *(_pair(Dim.PAGE, page, cell.dim, cell.name) for cell in known)]


_BY_PAGE = frozenset(other for one, other in PAIRED if one is Dim.PAGE)


def _of_visit(about: Mapping[Dim, str]) -> tuple[Cell, ...]:
    """The cells of a visit, whatever it looks at."""
    known = list(about.items())
    return (ALL, *(_cell(dim, name) for dim, name in known), *_pairs(known))


def _pairs(about: list[tuple[Dim, str]]) -> list[Cell]:
    return [
        _pair(one, name, other, other_name)
        for one, name in about
        if one in _FIRST
        for other, other_name in about
        if (one, other) in PAIRED
    ]


_FIRST = frozenset(one for one, _ in PAIRED)


def _entry_cells(visit: _Visit) -> list[Cell]:
    """The cells that know whether this visit was a bounce."""
    known = (cell for cell in _known(visit) if (Dim.ENTRY, cell.dim) in PAIRED)
    entries = (_pair(Dim.ENTRY, visit.entry, cell.dim, cell.name) for cell in known)
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
    """One more view. Of a page, and of it together with another thing, a visit counts once; the rest were counted as
    the visit began."""
    sums.add_each(visit.always, 1, 0, 0, 0)
    sums.add_each(_of_page(visit, page), 1, int(page not in visit.pages), 0, 0)
