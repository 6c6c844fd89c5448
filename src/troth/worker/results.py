"""What became of emails that were sent, on its way to the database: many results are written down together."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from troth.gate import outbox
from troth.gate.mailer import Sent

UNKNOWN = "not written down"
_TOGETHER = 250
"""So many results are written down at once without waiting for more."""
_MORE_SECONDS = 0.2
"""So long the results of a campaign wait for more; a kill meanwhile loses none of them (`outbox.taken`)."""


class EmailBatch:
    """Emails that were claimed together. `patient`: their results may wait for others."""

    def __init__(self, jobs: Sequence[outbox.Job], *, patient: bool) -> None:
        self.claims, self.patient = {job.claim for job in jobs}, patient
        self.counts = Counter[str]()
        """How many ended in which state."""
        self.not_ended = len(jobs)
        self._not_recorded = len(jobs)
        self.recorded: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def add(self, state: str) -> None:
        """Count one whose result is in the database."""
        self.counts[state] += 1
        self._not_recorded -= 1
        if not self._not_recorded:
            self.recorded.set_result(None)

    def fail(self, error: Exception) -> None:
        """Have whoever waits for it raise."""
        if not self.recorded.done():
            self.recorded.set_exception(error)


class Results:
    """The results that are not written down yet. `until_done`: makes a database call, however long it takes; None where
    the worker has to stop first."""

    def __init__(self, until_done: Callable[..., Awaitable[Any]]) -> None:
        self._until_done = until_done
        self._waiting: list[tuple[EmailBatch, outbox.Job, outbox.Outcome | None]] = []
        self._recording: asyncio.Task[None] | None = None
        self._now = asyncio.Event()
        self._batches = set[EmailBatch]()

    @property
    def claims(self) -> set[Any]:
        """Return the claims under way."""
        return {claim for batch in self._batches for claim in batch.claims}

    def batch(self, jobs: Sequence[outbox.Job], *, patient: bool = False) -> EmailBatch:
        """Return these emails as a batch that is under way."""
        batch = EmailBatch(jobs, patient=patient)
        self._batches.add(batch)
        return batch

    def note(self, batch: EmailBatch, job: outbox.Job, outcome: outbox.Outcome | None) -> None:
        """Have written down what became of an email; None: it was not begun."""
        if isinstance(outcome, Sent):
            outbox.taken(job.delivery)
        batch.not_ended -= 1
        self._waiting.append((batch, job, outcome))
        if not batch.patient or not batch.not_ended or len(self._waiting) >= _TOGETHER:
            self._now.set()
        if self._recording is None:
            self._recording = asyncio.create_task(self._record())

    async def end(self, batch: EmailBatch) -> Counter[str]:
        """Return how many ended in which state, once all of them are written down."""
        try:
            await batch.recorded
        finally:
            self._batches.discard(batch)
        if not batch.counts[UNKNOWN]:
            outbox.over(batch.claims)
        return batch.counts

    async def _record(self) -> None:
        try:
            while self._waiting:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._now.wait(), _MORE_SECONDS)
                self._now.clear()
                results, self._waiting = self._waiting, []
                try:
                    states = await self._until_done(outbox.record_all, [(job, outcome) for _, job, outcome in results])
                except Exception as error:  # for those who wait to raise
                    for batch, _, _ in results:
                        batch.fail(error)
                    continue
                for (batch, _, _), state in zip(results, states or [UNKNOWN] * len(results), strict=True):
                    batch.add(state)
        finally:
            self._recording = None
