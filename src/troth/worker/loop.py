"""The worker's loop: intake, outgoing mail and timers, side by side; every database call on one thread. SIGTERM lets it
finish the batch being processed and the emails being sent."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError, close_old_connections, connections

from troth.clerk import protocol
from troth.core.intake_counts import Count
from troth.core.rooms import OutsideWork, rooms
from troth.gate import outbox
from troth.vault.keeper import keeper
from troth.worker import log, timers
from troth.worker.campaigns import BULK, CampaignSender
from troth.worker.composers import COMPOSERS
from troth.worker.intake import AnotherWorker, FileMoved, Intake, NotNow
from troth.worker.results import EmailBatch, Results

_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0
_IDLE = 1.0
_OUTSIDE = [(room.name, room.outside) for room in rooms() if room.outside is not None]
_ASKING = 4
"""So many questions to other parties' servers are under way at once."""
_OUTAGE = (OperationalError, InterfaceError, OSError)


def _close_databases() -> None:
    keeper().rest()  # these connections belong to this thread
    connections.close_all()


class Worker:
    """One worker. `post` sends mail; `line` is the socket to the clerk."""

    def __init__(self, post: Any, line: socket.socket | None, *, connections: int = 4) -> None:
        self._post, self._line, self._at_once = post, line, connections
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._asking = ThreadPoolExecutor(_ASKING, thread_name_prefix="outside")
        self._stop, self._wake = asyncio.Event(), asyncio.Event()
        self._mail_wake = asyncio.Event()
        self._log = log.logger()
        self._results = Results(self._until_done)
        self._campaigns = CampaignSender(post, self._results, self._tried, connections, self._tell_emails)
        self._said = False
        self.intake: Intake | None = None

    async def on_thread[T](self, call: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Run a database call on the one thread that makes them."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: call(*arguments, **named))

    def stop(self) -> None:
        """Finish what is in hand, then end."""
        self._stop.set()
        self._wake.set()
        self._mail_wake.set()
        self._campaigns.stop()

    async def run(self) -> None:
        """Work until `stop`. Raises `AnotherWorker` if there is another one, `FileMoved`."""
        self.intake = await self.on_thread(Intake)
        if self._line is not None:
            self._line.setblocking(False)
            asyncio.get_running_loop().add_reader(self._line, self._hear_clerk)
            self._say_to_clerk(protocol.ROTATE)  # whom an earlier worker erased may still be in the newest segment
        try:
            async with asyncio.TaskGroup() as group:
                await self._recover()
                sending = (self._send(), self._campaigns.run(), self._advance_bulk())
                for task in (self._take_in(), *sending, self._ask_outside(), self._by_the_clock()):
                    group.create_task(task)
        except* (AnotherWorker, FileMoved) as error:
            raise error.exceptions[0] from None
        finally:
            if self._line is not None:
                asyncio.get_running_loop().remove_reader(self._line)
            await self.on_thread(_close_databases)
            self._thread.shutdown()
            self._asking.shutdown()

    # -- the clerk ------------------------------------------------------------------------------------------------

    def _hear_clerk(self) -> None:
        assert self._line is not None
        try:
            while protocol.receive(self._line) is not None:
                self._wake.set()
        except BlockingIOError:
            return
        except ConnectionError:
            pass
        asyncio.get_running_loop().remove_reader(self._line)  # every holder of the other end is gone

    def _tell_clerk(self, sequence: int) -> None:
        self._say_to_clerk(protocol.DONE + sequence.to_bytes(8))

    def _say_to_clerk(self, packet: bytes) -> None:
        if self._line is None:
            return
        with contextlib.suppress(OSError):  # told again with the next one
            self._line.send(packet)

    # -- intake ---------------------------------------------------------------------------------------------------

    async def _take_in(self) -> None:
        assert self.intake is not None
        wait, finished = _FIRST_WAIT, 0
        while not self._stop.is_set():
            self._wake.clear()
            try:
                turn = await self.on_thread(self.intake.turn)
            except NotNow as error:
                self._say_outage(error.cause)
                await self.on_thread(close_old_connections)
                await self._pause(self._stop, wait)
                wait = min(_LONGEST_WAIT, wait * 2)
                continue
            self._say_back()
            wait = _FIRST_WAIT
            finished = turn.finished or finished
            if turn.finished:
                self._tell_clerk(finished)
            self._tell(turn.counts)
            if turn.counts[Count.ERASED]:
                self._say_to_clerk(protocol.ROTATE)  # their sealed envelopes lie in segments that can now be removed
            if not turn.moved:
                if finished:
                    self._tell_clerk(finished)  # a clerk that has started since did not hear it
                await self._pause(self._wake, _IDLE)

    def _tell(self, counts: Mapping[Count, int]) -> None:
        fields = {name.value: count for name, count in counts.items() if count}
        if fields:
            self._log.info("processed", **fields)
        if fields:
            self._mail_wake.set()

    def _say_outage(self, error: BaseException) -> None:
        if not self._said:
            self._said = True
            self._log.warning("cannot process submissions now; nothing is lost, retrying", **log.error_fields(error))

    def _say_back(self) -> None:
        if self._said:
            self._said = False
            self._log.info("processing again")

    @staticmethod
    async def _pause(event: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)

    # -- mail -----------------------------------------------------------------------------------------------------

    async def _recover(self) -> None:
        recovered = await self._tried(outbox.recover, (), all_leases=True)
        if recovered:
            self._log.warning("an earlier worker was stopped while sending", recovered=recovered)

    async def _send(self) -> None:
        """Keep up to so many mails under way as there are connections; claim more as they are done."""
        while not self._stop.is_set():
            self._mail_wake.clear()
            jobs: Sequence[outbox.Job] | None = await self._tried(outbox.claim, self._at_once * 8, COMPOSERS)
            if not jobs:
                await self._tried(outbox.recover, self._results.claims)
                await self._pause(self._mail_wake, _IDLE)
                continue
            slots, batch = asyncio.Semaphore(self._at_once), self._results.batch(jobs)
            await asyncio.gather(*(self._send_one(job, slots, batch) for job in jobs))
            self._tell_emails(await self._results.end(batch))

    async def _send_one(self, job: outbox.Job, slots: asyncio.Semaphore, batch: EmailBatch) -> None:
        async with slots:
            outcome: outbox.Outcome | None = None
            if not self._stop.is_set():
                begin = partial(outbox.begin, job.delivery)
                outcome = await self._post.send(job.mail, released=job.released, begin=begin)
        self._results.note(batch, job, outcome)

    def _tell_emails(self, counts: Mapping[str, int]) -> None:
        counted = {state: count for state, count in counts.items() if count and state != "released"}
        if counted:
            self._log.info("emails", **counted)

    async def _advance_bulk(self) -> None:
        """Start, prepare and finish campaigns; without a rest while there is something to prepare."""
        while not self._stop.is_set():
            done = [await self._tried(mail.advance) for mail in BULK]
            if any(done):
                self._campaigns.wake.set()
            else:
                await self._pause(self._stop, _IDLE)

    async def _until_done(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Write down what became of a mail that left, however long the database is away. If the worker has to stop
        first, its lease runs out and the mail is uncertain, which is the truth."""
        wait = _FIRST_WAIT
        while True:
            try:
                return await self.on_thread(call, *arguments)
            except _OUTAGE as error:
                self._say_outage(error)
                await self.on_thread(close_old_connections)
                if self._stop.is_set():
                    return None
                await asyncio.sleep(wait)
                wait = min(_LONGEST_WAIT, wait * 2)

    async def _tried(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """The call's answer; None where the database is away, or the call failed and the log says so."""
        try:
            return await self.on_thread(call, *arguments, **named)
        except _OUTAGE as error:
            self._say_outage(error)
            await self.on_thread(close_old_connections)
        except Exception as error:
            self._log.error("failed", **log.error_fields(error))
        return None

    # -- other parties ------------------------------------------------------------------------------------------

    async def _ask_outside(self) -> None:
        """Ask other parties' servers what is due, several at once; nothing else waits for their answers."""
        while not self._stop.is_set():
            done = 0
            for name, work in _OUTSIDE:
                jobs = await self._tried(work.due) or ()
                changes = await asyncio.gather(*(self._ask_one(work, job) for job in jobs))
                done += len(jobs)
                if any(changes):
                    self._log.info(name, count=sum(changes))
                    self._mail_wake.set()
            if not done:
                await self._pause(self._stop, _IDLE)

    async def _ask_one(self, work: OutsideWork, job: Any) -> int:
        """Ask, and write the answer down. What is not written down is claimed for a while, then asked again."""
        if self._stop.is_set():
            return 0
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._asking, work.ask, job)
        except Exception as error:
            self._log.error("failed", **log.error_fields(error))
            return 0
        return await self._tried(work.record, job, answer) or 0

    # -- timers ---------------------------------------------------------------------------------------------------

    async def _by_the_clock(self) -> None:
        due = {timer.name: 0.0 for timer in timers.TIMERS}
        while not self._stop.is_set():
            for timer in timers.TIMERS:
                if time.monotonic() >= due[timer.name]:
                    due[timer.name] = time.monotonic() + timer.seconds
                    count = await self._tried(timer.job, self.intake)
                    if count:
                        self._log.info(timer.name, count=count)
            await self._pause(self._stop, _IDLE)
