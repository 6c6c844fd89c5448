"""Counts hits in the front: each becomes sums and raised registers; address and user agent are discarded at once.

Everything here is in memory; each group commit takes a batch out and seals it to the worker. Touches nothing.

    SeenHit      what came: `counted_hit` reduces it, or says why it is not counted
    CountedHit   goes to the visitor's front, because each visitor belongs to one; there `add` allows its names
    Visit        `visits.advance` takes it from one hit to the next, `visits.increments` says what that adds to cells

The three functions are pure; a `Counter` holds the state between hits.
"""

from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from troth.audience.counting.cells import DIMS, OF_A_VISIT, Cell, Dim, Sums
from troth.audience.counting.counted_hit import ASKED, CountedHit, SeenHit, SiteFacts, counted_hit
from troth.audience.counting.hit import ACTIONS, HitKind
from troth.audience.counting.name_threshold import NameThreshold
from troth.audience.counting.page_names import OTHER
from troth.audience.counting.registers import DayRegisters, Rise
from troth.audience.counting.visits import Visits, cells_with_visitors


@dataclass(slots=True)
class GroupCommit:
    """The batch of one group commit: the sums of one minute, and the raised registers."""

    day: str
    hour: int
    sums: Sums
    risen: list[Rise] = field(default_factory=list)
    minute: int = 0
    fresh: bool = False
    """Whether it is the first since a start or a loss, so that current visitors may be counted twice."""
    proof: bool = False
    """Whether it holds hits of a proof's invented visitor, and no others."""


class Counter:
    """Counts the hits of one front. `day_key`: of the first hit's day; `proof`: for invented visitors."""

    def __init__(self, site: SiteFacts, names: NameThreshold, day_key: bytes, *, proof: bool = False) -> None:
        self.site, self.names, self._day_key, self._proof = site, names, day_key, proof
        self._visits, self._registers = Visits(), DayRegisters(day_key)
        self._sums, self._risen, self._fresh = Sums(), list[Rise](), True

    def new_day(self, day_key: bytes) -> None:
        """Start a new day, to which every visitor is new. Call `take` before."""
        self._day_key = day_key
        self._visits.forget()
        self.names.new_day()
        self._registers = DayRegisters(day_key)

    def take(self, at: datetime) -> GroupCommit | None:
        """Return the batch since the last call, or None. `at`: a moment of its minute, in the site's zone."""
        if not len(self._sums) and not self._risen:
            return None
        batch = GroupCommit(
            at.date().isoformat(), at.hour, self._sums, self._risen, at.minute, self._fresh, self._proof
        )
        self._sums, self._risen, self._fresh = Sums(), [], False
        return batch

    def lost(self) -> None:
        """Start over, because a batch may be lost: otherwise sums would subtract what was never added, and registers
        that were never written would count as raised."""
        self._sums, self._risen = Sums(), []
        self._visits.forget()
        self._registers = DayRegisters(self._day_key)
        self._fresh = True

    def tidy(self, now: float) -> None:
        """Forget the visits that have ended."""
        self._visits.tidy(now)

    def count(self, received: SeenHit, now: float) -> str:
        """Count a hit; return why it was not counted, or "". `now`: monotonic seconds."""
        counted = self.receive(received)
        if isinstance(counted, str):
            return counted
        self.add(counted, now)
        return ""

    def receive(self, received: SeenHit) -> CountedHit | str:
        """Return what to `add` at the visitor's front. A hit that belongs to no visit is counted here: return why not
        as a visit's, or "" for an update check."""
        counted = counted_hit(received, self.site, self._day_key, self.names.allowed(Dim.PAGE))
        if isinstance(counted, str):
            self._sums.add(Cell(Dim.ASKED, "") if counted == ASKED else Cell(Dim.DROPPED, counted), views=1)
            return counted
        if counted.kind is HitKind.PRODUCT:
            self._add_update_check(counted)
            return ""
        return counted

    def _add_update_check(self, counted: CountedHit) -> None:
        # A version comes from outside, too: a program could put a user's name into it.
        version = self.names.stored(Dim.PRODUCT, counted.about[Dim.PRODUCT.code], counted.bringer)
        if version == OTHER:
            version = f"{counted.name} {OTHER}"
        self._sums.add(Cell(Dim.PRODUCT, counted.name), views=1)
        self._sums.add(Cell(Dim.PRODUCT, version, Dim.SYSTEM, counted.about[Dim.SYSTEM.code]), views=1)

    def add(self, counted: CountedHit, now: float) -> None:
        """Count a reduced hit, at the visitor's front. `now`: monotonic seconds."""
        counted = self._named(counted)
        if counted.kind in ACTIONS and not counted.name:
            return
        self._sums.add_all(self._visits.count(counted, now))
        self._risen += self._registers.saw(counted.visitor, cells_with_visitors(counted))

    def _named(self, counted: CountedHit) -> CountedHit:
        """Return a reduced hit with names that may be stored."""
        stored, bringer = self.names.stored, counted.bringer
        page = stored(Dim.PAGE, counted.page, bringer)
        if counted.kind is HitKind.VIEW:
            about = {
                code: stored(DIMS[code], name, bringer) for code, name in counted.about.items() if code in _OF_A_VISIT
            }
            return replace(counted, page=page, about=about)
        if counted.kind in ACTIONS:
            return replace(counted, page=page, name=stored(ACTIONS[counted.kind], counted.name, bringer))
        return replace(counted, page=page)


_OF_A_VISIT = frozenset(dim.code for dim in OF_A_VISIT)
