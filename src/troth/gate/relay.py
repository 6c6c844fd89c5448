"""One mail relay as the mailer uses it: its open connections, and whether it is left alone for a while.

A relay that cannot be reached, or refuses before an email's content, rests: half a minute, then twice as long each time
it fails again, up to a quarter of an hour. May touch: the network, through the relay's own door.
"""

import asyncio
import time

from troth.gate.smtp import Access, NoLine, Outcome, Parcel, RelayConnection, Temporary

_MAILS_PER_LINE = 100
_IDLE_SECONDS = 15.0
"""A connection that rested longer is not used again: many relays hang up on it, some without a word."""
_FIRST_REST, _LONGEST_REST = 30.0, 900.0


class Relay:
    """A relay with `connections` at most. Used from one event loop."""

    def __init__(self, access: Access, connections: int) -> None:
        self.access, self._connections = access, connections
        self._slots = asyncio.Semaphore(connections)
        self._resting: list[RelayConnection] = []
        self._in_hand, self._failures = 0, 0
        self.rests_until = 0.0
        """By the clock of `time.monotonic`."""

    @property
    def load(self) -> float:
        """How busy it is: emails in hand for each connection."""
        return self._in_hand / self._connections

    @property
    def rests(self) -> bool:
        """Whether it failed, and is left alone for now."""
        return time.monotonic() < self.rests_until

    async def send(self, parcel: Parcel) -> Outcome:
        """Send an email as soon as a connection is free."""
        self._in_hand += 1
        try:
            async with self._slots:
                outcome = await self._send(parcel)
        finally:
            self._in_hand -= 1
        self._judge(outcome)
        return outcome

    async def check(self) -> Temporary | None:
        """Check whether it is reachable and accepts the login; None if so. Sends nothing."""
        try:
            line = await RelayConnection.open(self.access)
        except NoLine as refusal:
            return refusal.outcome
        await line.close()
        return None

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

    async def _send(self, parcel: Parcel) -> Outcome:
        line = await self._rested()
        if line is not None:
            outcome = await self._over(line, parcel)
            if outcome != Temporary(0, "connection-lost"):
                return outcome
            # The relay had hung up on a resting connection. Nothing was sent: a new one, once.
        try:
            line = await RelayConnection.open(self.access)
        except NoLine as refusal:
            return refusal.outcome
        return await self._over(line, parcel)

    async def _rested(self) -> RelayConnection | None:
        while self._resting:
            line = self._resting.pop()
            if line.usable and time.monotonic() - line.idle_since < _IDLE_SECONDS:
                return line
            await line.close()
        return None

    async def _over(self, line: RelayConnection, parcel: Parcel) -> Outcome:
        try:
            outcome = await line.deliver(parcel)
        except BaseException:
            line.abort()
            raise
        if line.usable and line.mails < _MAILS_PER_LINE:
            self._resting.append(line)
        else:
            await line.close()
        return outcome
