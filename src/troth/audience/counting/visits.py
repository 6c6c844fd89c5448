"""Keeps the current visits in memory, and derives visits, bounces, entries, exits, steps and time from them.

Visits are never written: they end with the process, and a visitor who continues is a new visit, which the dashboard
says. A visitor is sixteen bytes under a key that changes at midnight, so no visit is longer than a day. A visit ends
half an hour after its last activity (V1). Touches nothing.

Sums are complete at every moment: a first view counts as a bounce and an exit at once, and the next one subtracts both.
So a crash loses nothing of what was reported.
"""

from collections import OrderedDict
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from troth.audience.counting.cells import ALL, DIMS, PAIRED, SKETCHED, Cell, Dim, Increment
from troth.audience.counting.counted_hit import CountedHit
from troth.audience.counting.hit import ACTIONS, HitKind

ENDS_AFTER = 30 * 60
"""Seconds without activity."""
MOST = 200_000
"""Visits in memory at most: the one without activity for longest is dropped first."""
LONGEST_STAY = 30 * 60
"""Seconds of one page at most."""
_PAGES_KNOWN = 64
"""Pages remembered of a visit; beyond that a page seen again counts as another visit of it."""
_cell = lru_cache(16_384)(Cell)
"""Cells are shared between visits, each of which has some thirty. They hold only names that may be stored, and are
dropped at midnight."""


class Visit(msgspec.Struct, frozen=True):
    """A current visit, as of its last hit."""

    alone: tuple[Cell, ...]
    """The site, and each attribute of the visit."""
    together: tuple[Cell, ...]
    """Its attributes, two by two. Every view of the visit counts for these cells and for those before."""
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
        self._visits: OrderedDict[bytes, Visit] = OrderedDict()
        self._most = most

    def __len__(self) -> int:
        return len(self._visits)

    def count(self, hit: CountedHit, now: float) -> list[Increment]:
        """Advance the hit's visit; return what to add to which cells. The hit has names that may be stored."""
        before = self._current(hit.visitor, now)
        after = advance(before, hit, now)
        if after is not None:
            self._visits[hit.visitor] = after
            if len(self._visits) > self._most:
                self._visits.popitem(last=False)
        return increments(before, after, hit)

    def _current(self, visitor: bytes, now: float) -> Visit | None:
        """Return the current visit, marked as the most recent; None where it has ended."""
        visit = self._visits.get(visitor)
        if visit is None:
            return None
        if now - visit.last > ENDS_AFTER:
            del self._visits[visitor]
            return None
        self._visits.move_to_end(visitor)
        return visit

    def forget(self) -> None:
        """Forget all visits, at the end of a day."""
        self._visits.clear()
        _cell.cache_clear()

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


def advance(visit: Visit | None, hit: CountedHit, now: float) -> Visit | None:
    """Return the visit after a hit. None: there is none, because only a page view begins one, with the attributes that
    it keeps."""
    if visit is None:
        return Visit(*_of_visit(hit), hit.page, hit.page, now, pages=(hit.page,)) if hit.kind is HitKind.VIEW else None
    if hit.kind is HitKind.VIEW:
        pages, views = _with(visit.pages, hit.page), visit.views + 1
        left = {"before": visit.page, "stayed": 0, "stayed_before": visit.stayed}
        return replace(visit, page=hit.page, last=now, views=views, pages=pages, **left)
    if hit.kind is not HitKind.TIME:
        return replace(visit, events=_with(visit.events, _event(hit)), last=now)
    seconds = min(hit.seconds, LONGEST_STAY)  # in total since the page was shown
    if hit.page == visit.page and seconds > visit.stayed:
        return replace(visit, stayed=seconds, last=now)
    if hit.page == visit.before != visit.page and seconds > visit.stayed_before:
        return replace(visit, stayed_before=seconds, last=now)
    return visit


def _with[T](known: tuple[T, ...], new: T) -> tuple[T, ...]:
    return known if new in known or len(known) >= _PAGES_KNOWN else (*known, new)


def increments(before: Visit | None, after: Visit | None, hit: CountedHit) -> list[Increment]:
    """Return what a hit adds to cells, by the visit before and after it. Without a visit, only an action is counted."""
    if hit.kind is HitKind.VIEW:
        assert after is not None
        return [*_of_way(before, after), *_of_view(before, after)]
    if hit.kind is HitKind.TIME:
        return _of_stay(before, after, hit.page) if before and after else []
    event = _event(hit)
    first = before is not None and event not in before.events
    about = (_cell(Dim.PAGE, hit.page), *before.alone) if before else ()
    together = [Cell(*cell[:2], *event[:2]) for cell in about if event.dim in _PAIRED.get(cell.dim, ())]
    return [Increment([event, *together], 1, int(first), 0, 0)]


def _of_way(before: Visit | None, after: Visit) -> list[Increment]:
    """Return what a page view changes of a visit's entry, exit, bounce and steps."""
    page = after.page
    if before is None:
        return [Increment(_entry_cells(after), 0, 1, 1, 0), Increment([Cell(Dim.EXIT, page)], 0, 1, 0, 0)]
    added = []
    if before.views == 1:
        added.append(Increment(_entry_cells(before), 0, 0, -1, 0))
    if page != before.page:
        added += [
            Increment([Cell(Dim.EXIT, before.page)], 0, -1, 0, 0),
            Increment([Cell(Dim.EXIT, page)], 0, 1, 0, 0),
            Increment([Cell(Dim.STEP, before.page, Dim.STEP, page)], 1, 0, 0, 0),
        ]
    return added


def _of_view(before: Visit | None, after: Visit) -> list[Increment]:
    """Return the view. A visit counts once for each page; its other cells were counted when it began."""
    first = before is None or after.page not in before.pages
    return [
        Increment(after.alone + after.together, 1, 0, 0, 0),
        Increment(_with_attributes(Dim.PAGE, after.page, after), 1, int(first), 0, 0),
    ]


def _of_stay(before: Visit, after: Visit, page: str) -> list[Increment]:
    seconds = after.stayed - before.stayed + after.stayed_before - before.stayed_before
    return [Increment([*after.alone, Cell(Dim.PAGE, page)], 0, 0, 0, seconds)] if seconds else []


def cells_with_visitors(hit: CountedHit) -> list[Cell]:
    """Return the cells whose different visitors are counted, among those of a hit."""
    if hit.kind is HitKind.VIEW:
        about = (Cell(dim, name) for code, name in hit.about.items() if (dim := DIMS[code]) in SKETCHED)
        return [ALL, Cell(Dim.PAGE, hit.page), *about]
    return [_event(hit)] if ACTIONS.get(hit.kind) in SKETCHED else []


def _event(hit: CountedHit) -> Cell:
    return Cell(ACTIONS[hit.kind], hit.name)


def _of_visit(hit: CountedHit) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """Return the cells of a visit that do not depend on the page: alone, and together."""
    about = [_cell(DIMS[code], name) for code, name in hit.about.items()]
    together = (
        _cell(cell.dim, cell.name, by.dim, by.name)
        for cell in about
        for by in about
        if by.dim in _PAIRED.get(cell.dim, ())
    )
    return (ALL, *about), tuple(together)


def _entry_cells(visit: Visit) -> list[Cell]:
    """Return the cells that count bounces of this visit."""
    return [*visit.alone, *visit.together, *_with_attributes(Dim.ENTRY, visit.entry, visit)]


def _with_attributes(dim: Dim, page: str, visit: Visit) -> list[Cell]:
    """Return the cells of a page: alone and together with the visit's attributes."""
    by = _PAIRED[dim]
    return [_cell(dim, page), *(_cell(dim, page, cell.dim, cell.name) for cell in visit.alone if cell.dim in by)]


_PAIRED = {dim: frozenset(by for first, by in PAIRED if first is dim) for dim, _ in PAIRED}
