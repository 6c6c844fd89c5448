"""Sends campaigns beside all other mail: the next emails are claimed and written while those before them leave."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from troth.core.rooms import rooms
from troth.gate import outbox
from troth.gate.mailer import Letter
from troth.worker.composers import COMPOSERS
from troth.worker.results import Results

BULK = [room.bulk for room in rooms() if room.bulk is not None]
_LEAST, _MOST = 8, 1_000
"""So many emails are claimed for each connection at least, and so many altogether at most: about as many as leave in a
second. Whoever leaves the list meanwhile still gets theirs; a machine that crashes leaves them uncertain."""
_QUICK, _SLOW = 1.0, 4.0
"""Seconds from claim to end after which the next claim is larger, or smaller."""
_IDLE = 1.0


class CampaignSender:
    """The part of the worker that sends campaigns. `tried`: makes a database call; None where it failed."""

    def __init__(
        self, post: Any, results: Results, tried: Callable[..., Awaitable[Any]], connections: int, tell: Any
    ) -> None:
        self._post, self._results, self._tried, self._tell = post, results, tried, tell
        self._least = connections * _LEAST
        self._connections, self._size = connections, connections * _LEAST
        self._stopped, self.wake = asyncio.Event(), asyncio.Event()

    def stop(self) -> None:
        """Finish the emails that were begun."""
        self._stopped.set()
        self.wake.set()

    async def run(self) -> None:
        """Send campaigns until `stop`."""
        under_way = set[asyncio.Task[None]]()
        leaving_off = asyncio.create_task(self._leave_off())
        try:
            while not self._stopped.is_set():
                self.wake.clear()
                if len(under_way) > 1:
                    under_way = await _some_ended(under_way)
                jobs = await self._claim()
                if jobs:
                    under_way.add(asyncio.create_task(self._send(jobs)))
                elif under_way:
                    under_way = await _some_ended(under_way)
                else:
                    await _pause(self.wake)
            await asyncio.gather(*under_way)
        finally:
            leaving_off.cancel()

    async def _leave_off(self) -> None:
        await self._stopped.wait()
        self._post.leave_off()

    async def _claim(self) -> Sequence[outbox.Job]:
        """Return the next emails; few while no relay works."""
        size = self._connections if self._post.rests else self._size
        for mail in BULK:
            about = await self._tried(mail.due)
            if about is not None:
                return await self._tried(outbox.claim, size, COMPOSERS, about) or ()
        return ()

    async def _send(self, jobs: Sequence[outbox.Job]) -> None:
        began, batch = time.monotonic(), self._results.batch(jobs, patient=True)
        await self._post.send_many(
            [
                Letter(
                    job.mail,
                    partial(self._results.note, batch, job),
                    partial(outbox.begin, job.delivery),
                    job.released,
                )
                for job in jobs
            ]
        )
        self._tell(await self._results.end(batch))
        seconds = time.monotonic() - began
        if seconds < _QUICK and len(jobs) >= self._size:
            self._size = min(self._size * 2, max(_MOST, self._least))
        elif seconds > _SLOW:
            self._size = max(self._size // 2, self._least)


async def _some_ended(under_way: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Return those that are still under way once one has ended. Raises what it raised."""
    done, pending = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return pending


async def _pause(event: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(event.wait(), _IDLE)
    except TimeoutError:
        return
