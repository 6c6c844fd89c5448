"""Counting at one front: the visitor's front is found, sums are made, and each group commit goes sealed to the clerk.

A hit is answered when its sums are on the disk. One commit is under way at a time. Where one fails, whoever waits is
told and counting begins anew. Nothing in here is ever written (V1). May touch: the lines to the clerk and the other
fronts, the pipe with the day's key.
"""

import asyncio
import time
from collections.abc import Iterable
from datetime import datetime
from hmac import compare_digest
from zoneinfo import ZoneInfo

from troth.audience.counting.cells import DIMS, Dim
from troth.audience.counting.commit import entries
from troth.audience.counting.counted_hit import CountedHit, SeenHit, SiteFacts
from troth.audience.counting.counter import Counter, GroupCommit
from troth.audience.counting.name_threshold import NameThreshold
from troth.core.entry import Kind
from troth.core.errors import TrothError
from troth.front.channels.clerk_client import ClerkBusy
from troth.front.channels.peers import Peers
from troth.front.http.log import LogEvent, tell
from troth.front.published import Audience
from troth.front.request_context import ClerkPort
from troth.front.snapshot import Snapshot
from troth.supervisor.day_key import DayKey, newest

_TIDY_SECONDS = 60.0
_MOST_WAITING = 4_096
"""Hits that wait for a commit at a time; more are asked to come again."""


class NoKey(TrothError):
    """The key of the day has not come: visitors cannot be told apart, and yesterday's key must not do it."""

    retry = True
    retry_after = 5


class Counting:
    """What one front counts. `key`: the day's key as its brief had it; `keys`: the pipe on which newer ones come."""

    def __init__(self, key: DayKey, keys: int | None, line: ClerkPort, peers: Peers) -> None:
        self._key, self._keys, self._line, self._peers = key, keys, line, peers
        self._counter: Counter | None = None
        self._proofs: Counter | None = None
        """Counts a proof's invented visitors as the other counts visitors, and apart from it."""
        self._snapshot: Snapshot | None = None
        self._zone = ZoneInfo("UTC")
        self._at: datetime | None = None
        self._taken: list[GroupCommit] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        peers.serve(self._add)

    def follow(self, snapshot: Snapshot) -> None:
        """Use this generation from now on."""
        self._snapshot, plan = snapshot, snapshot.published.audience
        if plan is None:
            self._counter = self._proofs = None
            return
        self._zone = ZoneInfo(plan.timezone)
        if self._counter is None:
            self._counter = Counter(_site(plan), NameThreshold(plan.min_visitors), self._key.key)
            self._proofs = Counter(_site(plan), NameThreshold(plan.min_visitors), self._key.key, proof=True)
        for counter in self._counters():
            counter.site = _site(plan)
            counter.names.learn(_names(plan))

    def _counters(self) -> list[Counter]:
        return [counter for counter in (self._counter, self._proofs) if counter]

    @property
    def site_url(self) -> str:
        """The address of the site whose visits are counted, `https://example.com`; empty where none are."""
        plan = self._snapshot.published.audience if self._snapshot else None
        return f"https://{min(plan.hosts)}" if plan and plan.hosts else ""

    def is_of_proof(self, mark: bytes) -> bool:
        """Whether a hit with this mark is a proof's."""
        plan = self._snapshot.published.audience if mark and self._snapshot else None
        return plan is not None and plan.proof != "" and compare_digest(mark, plan.proof.encode())

    async def run(self) -> None:
        """Commit groups of hits until the last request is answered; nothing waits then."""
        if self._keys is not None:
            asyncio.get_running_loop().add_reader(self._keys, self._take_up_key)
        tidying = asyncio.create_task(self._tidy())
        try:
            while True:
                await self._wake.wait()
                await self._commit()
        finally:
            tidying.cancel()

    async def count(self, received: SeenHit) -> None:
        """Count a hit; returns once it is on the disk.

        Raises `ClerkBusy`, `ClerkGone` or `NoKey`: then it was not counted.
        """
        counted = self._ready(received.proof).receive(received)
        if isinstance(counted, str):
            await self._committed()
            return
        front = int.from_bytes(counted.visitor[:4]) % self._peers.fronts
        await (self._add(counted) if front == self._peers.number else self._peers.hand(front, counted))

    def _add(self, counted: CountedHit) -> asyncio.Future[None]:
        """Count a hit of a visitor who is ours, wherever it came in."""
        self._ready(counted.proof).add(counted, time.monotonic())
        return self._committed()

    def _ready(self, proof: bool) -> Counter:
        """The counter of visitors, or of a proof's, in the minute that it is now."""
        counter = self._proofs if proof else self._counter
        if counter is None or len(self._waiting) > _MOST_WAITING:
            raise ClerkBusy(5)
        now = datetime.now(self._zone)
        if not self._key.holds(now):
            raise NoKey("Visits cannot be counted right now.")
        at = self._key.at(now)
        if self._at is None or (at.minute, at.hour) != (self._at.minute, self._at.hour):
            self._close_minute()
            self._at = at
        return counter

    def _close_minute(self) -> None:
        at = self._at
        if at is not None:
            self._taken += [batch for counter in self._counters() if (batch := counter.take(at))]

    def _committed(self) -> asyncio.Future[None]:
        """Done once what has been counted so far is on the disk."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._wake.set()
        return future

    async def _commit(self) -> None:
        self._close_minute()
        batches, self._taken = self._taken, []
        waiting, self._waiting = self._waiting, []
        self._wake.clear()
        try:
            await self._keep(batches)
        except TrothError as error:
            self._lost(waiting, error)
        else:
            for future in waiting:
                if not future.done():
                    future.set_result(None)

    async def _keep(self, batches: Iterable[GroupCommit]) -> None:
        assert self._snapshot is not None
        sealed = [self._snapshot.sealing.seal(entry) for batch in batches for entry in entries(batch)]
        results = await asyncio.gather(
            *(self._line.hand(Kind.HITS, envelope) for envelope in sealed), return_exceptions=True
        )
        for result in results:  # where one of several was kept, the rest is lost: sums of other cells, told to nobody
            if isinstance(result, BaseException):
                raise result

    def _lost(self, waiting: list[asyncio.Future[None]], error: TrothError) -> None:
        """Tell everybody whose hit may not be on the disk, also those who came meanwhile, and begin anew."""
        tell(LogEvent.CLERK_BUSY if isinstance(error, ClerkBusy) else LogEvent.CLERK_GONE)
        self._taken = []
        for counter in self._counters():
            counter.lost()
        for future in [*waiting, *self._waiting]:
            if not future.done():
                future.set_exception(error)
        self._waiting = []

    def _take_up_key(self) -> None:
        assert self._keys is not None
        key = newest(self._keys, self._key)
        if key.day == self._key.day:
            return
        self._close_minute()
        self._key, self._at = key, None
        for counter in self._counters():
            counter.new_day(key.key)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_TIDY_SECONDS)
            for counter in self._counters():
                counter.tidy(time.monotonic())


def _site(plan: Audience) -> SiteFacts:
    return SiteFacts(
        hosts=frozenset(plan.hosts),
        parameters=frozenset(plan.parameters),
        hash_routes=plan.hash_routes,
        events=frozenset(plan.events),
        products=frozenset(plan.products),
        spam=frozenset(plan.spam),
    )


def _names(plan: Audience) -> Iterable[tuple[Dim, str]]:
    return (
        (DIMS[code], name)
        for code, known_names in plan.names.items()
        for name in known_names
        if code in range(len(DIMS))
    )
