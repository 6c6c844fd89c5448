"""One mail relay as the mailer uses it: its open connections, and whether it is left alone for a while.

A relay that cannot be reached, or refuses before an email's content, rests: half a minute, then twice as long each time
it fails again, up to a quarter of an hour. May touch: the network, through the relay's own door.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence

from troth.gate.smtp import Access, Next, NoLine, OnOutcome, Outcome, Parcel, RelayConnection, Temporary

_MAILS_PER_LINE = 100
_IDLE_SECONDS = 15.0
"""A connection that rested longer is not used again: many relays hang up on it, some without a word."""
_FIRST_REST, _LONGEST_REST = 30.0, 900.0
_LOST, _CLOSING = Temporary(0, "connection-lost"), 421


class Feed:
    """Emails of campaigns that are ready to leave: whichever connection is free takes the next one."""

    def __init__(self) -> None:
        self._ready = deque[Parcel]()
        self._takers = deque[asyncio.Future[None]]()
        self._room: asyncio.Future[None] | None = None
        self._closed = False

    def put(self, parcels: Sequence[Parcel]) -> None:
        """Add some at the end."""
        self._ready.extend(parcels)
        self._wake(len(parcels))

    def put_back(self, parcel: Parcel) -> None:
        """Return one that was taken and is to be sent by another relay."""
        self._ready.appendleft(parcel)
        self._wake(1)

    def next_now(self) -> Parcel | None:
        """Return the next email; None if there is none now."""
        parcel = self._ready.popleft() if self._ready else None
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        return parcel

    async def next(self) -> Parcel | None:
        """Return the next email as soon as there is one; None once it is closed."""
        while not self._ready and not self._closed:
            taker = asyncio.get_running_loop().create_future()
            self._takers.append(taker)
            try:
                await taker
            except asyncio.CancelledError:
                if taker in self._takers:
                    self._takers.remove(taker)
                raise
        return self.next_now()

    async def wait_for_room(self, most: int) -> None:
        """Return once there are fewer than `most`."""
        while len(self._ready) >= most and not self._closed:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    def take_all(self) -> list[Parcel]:
        """Return all that are waiting; nobody else takes them."""
        waiting = list(self._ready)
        self._ready.clear()
        self.next_now()
        return waiting

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._closed = True
        self._wake(len(self._takers))
        self.next_now()

    def _wake(self, count: int) -> None:
        while count > 0 and self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                count -= 1


def _is_over(outcome: Outcome) -> bool:
    """Return whether the connection ended before the email was begun: many relays take so many over one, then say
    421."""
    return outcome == _LOST or (isinstance(outcome, Temporary) and outcome.of_relay and outcome.code == _CLOSING)


class Relay:
    """A relay with `connections` at most. Used from one event loop."""

    def __init__(self, access: Access, connections: int) -> None:
        self.access, self.connections = access, connections
        self._slots = asyncio.Semaphore(connections)
        self._resting: list[RelayConnection] = []
        self._in_hand, self._failures, self._wanting = 0, 0, 0
        self.rests_until = 0.0
        """By the clock of `time.monotonic`."""
        self._rests_for: Temporary | None = None

    @property
    def load(self) -> float:
        """How busy it is: emails in hand for each connection."""
        return self._in_hand / self.connections

    @property
    def rests(self) -> bool:
        """Whether it failed, and is left alone for now."""
        return time.monotonic() < self.rests_until

    @property
    def silence(self) -> Temporary | None:
        """Return the outcome for which it rests, if that is because nobody answered: any email would get the same."""
        return self._rests_for if self.rests and self._rests_for is not None and not self._rests_for.code else None

    async def send(self, parcel: Parcel) -> Outcome:
        """Send an email as soon as a connection is free: before those of a campaign that wait for one, too."""
        outcomes = list[Outcome]()
        self._in_hand += 1
        try:
            await self._wanted_slot()
            try:
                await self._serve(parcel, lambda: None, lambda _parcel, outcome: outcomes.append(outcome))
            finally:
                self._slots.release()
        finally:
            self._in_hand -= 1
        return outcomes[0]

    async def _wanted_slot(self) -> None:
        """Acquire a slot; a connection that sends a campaign gives its one up for it."""
        self._wanting += 1
        try:
            await self._slots.acquire()
        finally:
            self._wanting -= 1

    async def send_each(self, first: Parcel, feed: Feed, on_outcome: OnOutcome) -> None:
        """Send an email, and what the feed gives after it, over one connection, while nobody else wants that."""
        self._in_hand += 1
        try:
            async with self._slots:
                await self._serve(first, lambda: None if self._wanting else feed.next_now(), on_outcome)
        finally:
            self._in_hand -= 1

    async def close(self) -> None:
        """Close all idle connections."""
        resting, self._resting = self._resting, []
        await asyncio.gather(*(line.close() for line in resting))

    def _judge(self, outcome: Outcome) -> None:
        if not (isinstance(outcome, Temporary) and outcome.of_relay):
            self._failures, self.rests_until = 0, 0.0
        elif not self.rests:  # those that failed beside it count once
            self.rests_until = time.monotonic() + min(_LONGEST_REST, _FIRST_REST * 2**self._failures)
            self._failures = min(self._failures + 1, 10)
            self._rests_for = outcome

    async def _serve(self, first: Parcel, then: Next, on_outcome: OnOutcome) -> None:
        """Send emails over a resting connection or a new one. A relay may have hung up on one that was in use before,
        or say that it is to end: then nothing was sent of the email that found out, and it goes over a new one."""
        parcel: Parcel | None = first
        line = await self._rested()
        while parcel is not None:
            used = line is not None
            if line is None:
                try:
                    line = await RelayConnection.open(self.access)
                except NoLine as refusal:
                    self._judge(refusal.outcome)
                    on_outcome(parcel, refusal.outcome)
                    return
            parcel = await self._over(line, parcel, then, on_outcome, used=used)
            line = None

    async def _over(
        self, line: RelayConnection, first: Parcel, then: Next, on_outcome: OnOutcome, *, used: bool
    ) -> Parcel | None:
        """Return the email that found the connection closed, if it was in use before."""
        lost: Parcel | None = None

        def ended(parcel: Parcel, outcome: Outcome) -> None:
            nonlocal lost
            if _is_over(outcome) and (used or parcel is not first):
                lost = parcel
                return
            self._judge(outcome)
            on_outcome(parcel, outcome)

        try:
            await line.deliver_each(first, lambda: then() if line.mails + 1 < _MAILS_PER_LINE else None, ended)
        except BaseException:
            line.abort()
            raise
        if line.usable and line.mails < _MAILS_PER_LINE:
            self._resting.append(line)
        else:
            await line.close()
        return lost

    async def _rested(self) -> RelayConnection | None:
        while self._resting:
            line = self._resting.pop()
            if line.usable and time.monotonic() - line.idle_since < _IDLE_SECONDS:
                return line
            await line.close()
        return None
