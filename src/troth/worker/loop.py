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
from troth.worker.composers import COMPOSERS
from troth.worker.intake import AnotherWorker, FileMoved, Intake, NotNow

_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0
_IDLE = 1.0
_UNSAID = 4
"""So many mails for each connection may have left without being written down yet: they would be uncertain at a kill."""
_AT_ONCE_OF_CAMPAIGN = 8
"""So many emails of a campaign are claimed for each connection: any other that comes waits for these alone."""
_UNKNOWN = "not written down"
_BULK = [room.bulk for room in rooms() if room.bulk is not None]
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
        self._in_hand: set[Any] = set()
        self._outcomes: list[tuple[outbox.Job, outbox.Outcome, asyncio.Future[str]]] = []
        self._recording: asyncio.Task[None] | None = None
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

    async def run(self) -> None:
        """Work until `stop`. Raises `AnotherWorker` if there is another one, `FileMoved`."""
        self.intake = await self.on_thread(Intake)
        if self._line is not None:
            self._line.setblocking(False)
            asyncio.get_running_loop().add_reader(self._line, self._hear_clerk)
            self._say_to_clerk(protocol.ROTATE)  # whom an earlier worker erased may still be in the newest segment
        try:
            async with asyncio.TaskGroup() as group:
                for task in (
                    self._take_in(),
                    self._send(),
                    self._advance_bulk(),
                    self._ask_outside(),
                    self._by_the_clock(),
                ):
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

    async def _send(self) -> None:
        """Keep up to so many mails under way as there are connections; claim more as they are done."""
        recovered = await self._tried(outbox.recover, (), all_leases=True)
        if recovered:
            self._log.warning("an earlier worker was stopped while sending", recovered=recovered)
        while not self._stop.is_set():
            self._mail_wake.clear()
            jobs = await self._claim()
            if not jobs:
                await self._tried(outbox.recover, set(self._in_hand))
                await self._pause(self._mail_wake, _IDLE)
                continue
            self._in_hand = {job.delivery for job in jobs}
            slots, unsaid = asyncio.Semaphore(self._at_once), asyncio.Semaphore(self._at_once * _UNSAID)
            states = await asyncio.gather(*(self._send_one(job, slots, unsaid) for job in jobs))
            self._in_hand = set()
            if _UNKNOWN not in states:
                await self._tried(outbox.nothing_in_hand)
            counts = {state: states.count(state) for state in set(states) if state != "released"}
            if counts:
                self._log.info("emails", **counts)

    async def _claim(self) -> Sequence[outbox.Job]:
        """The next emails: of a campaign only where no other waits."""
        jobs: Sequence[outbox.Job] | None = await self._tried(outbox.claim, self._at_once * 8, COMPOSERS)
        for mail in _BULK if not jobs else ():
            about = await self._tried(mail.due)
            if about is not None:
                jobs = await self._tried(outbox.claim, self._at_once * _AT_ONCE_OF_CAMPAIGN, COMPOSERS, about)
        return jobs or ()

    async def _advance_bulk(self) -> None:
        """Start, prepare and finish campaigns; without a rest while there is something to prepare."""
        while not self._stop.is_set():
            done = [await self._tried(mail.advance) for mail in _BULK]
            if any(done):
                self._mail_wake.set()
            else:
                await self._pause(self._stop, _IDLE)

    async def _send_one(self, job: outbox.Job, slots: asyncio.Semaphore, unsaid: asyncio.Semaphore) -> str:
        async with unsaid:
            async with slots:
                if self._stop.is_set():
                    await self._until_done(outbox.release, job)
                    return "released"
                begin = partial(outbox.begin, job.delivery)
                outcome = await self._post.send(job.mail, released=job.released, begin=begin)
            return await self._record(job, outcome)

    async def _record(self, job: outbox.Job, outcome: outbox.Outcome) -> str:
        """Have written down what became of a mail; what comes while the database is busy is written together."""
        state: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._outcomes.append((job, outcome, state))
        if self._recording is None:
            self._recording = asyncio.create_task(self._record_what_came())
        return await state

    async def _record_what_came(self) -> None:
        try:
            while outcomes := self._outcomes:
                self._outcomes = []
                try:
                    states = await self._until_done(outbox.record_all, [(job, outcome) for job, outcome, _ in outcomes])
                except Exception as error:  # for those who wait to raise
                    for _, _, future in outcomes:
                        future.set_exception(error)
                    continue
                for (_, _, future), state in zip(outcomes, states or [_UNKNOWN] * len(outcomes), strict=True):
                    future.set_result(state)
        finally:
            self._recording = None

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
