"""The clerk: it takes frames from the fronts, keeps them, and says so.

It may write `spool/` and nothing else; it opens no connection, starts no program and looks into no frame. Fronts talk
to it over inherited socket pairs. One sync serves everything that has arrived meanwhile (group commit). Standard
library only. WALL 1, WALL 4.
"""

import contextlib
import selectors
import signal
import socket
import sys
import time
from collections import defaultdict
from pathlib import Path

from troth.clerk import protocol
from troth.clerk.spent_tokens import Spent
from troth.clerk.spool_writer import Spool, SpoolFull
from troth.core import frames
from troth.supervisor.brief import Brief

_BATCH = 512
"""Frames in one sync at most, of all fronts: bounds memory and the time the first of them waits."""
_LONGEST_ONCE = 3 * 60 * 60
"""Seconds for which a token stays spent at most, whatever a front says; a waiting ticket is good for two hours."""
_UNSENT = 1 << 20
"""Bytes of answers kept for a front that does not read them; beyond, they are dropped and it will time out."""


class Clerk:
    """Fronts on one side, the spool on the other."""

    def __init__(self, fronts: list[socket.socket], worker: socket.socket | None, spool: Spool, spent: Spent) -> None:
        self._spool, self._spent, self._worker = spool, spent, worker
        self._fronts = fronts
        self._unsent: dict[socket.socket, list[bytes]] = defaultdict(list)
        self._selector = selectors.DefaultSelector()
        for line in [*fronts, *([worker] if worker else [])]:
            line.setblocking(False)
            self._selector.register(line, selectors.EVENT_READ)
        for front in fronts:
            self._answer(front, protocol.HELLO)

    def run(self, wake: socket.socket) -> None:
        """Serve until `wake` becomes readable (SIGTERM), then what has already arrived, then return."""
        self._selector.register(wake, selectors.EVENT_READ)
        stopping = False
        while not stopping:
            events = self._selector.select(self._spool.seconds_until_rotation)
            stopping = any(key.fileobj is wake for key, _ in events)
            self._serve(events)
            self._spool.rotate_if_old()
        while self._serve([(key, selectors.EVENT_READ) for key in self._selector.get_map().values()]):
            pass

    def _serve(self, events: list[tuple[selectors.SelectorKey, int]]) -> bool:
        batch: list[tuple[socket.socket, protocol.Submission]] = []
        for key, mask in events:
            line = key.fileobj
            if line is self._worker:
                self._hear_worker()
            elif isinstance(line, socket.socket) and line in self._fronts:
                if mask & selectors.EVENT_WRITE:
                    self._flush(line)
                self._collect(line, batch)
        if batch:
            self._keep(batch)
        return bool(batch)

    def _collect(self, front: socket.socket, batch: list[tuple[socket.socket, protocol.Submission]]) -> None:
        """Take the front's share of a batch, nonsense counted: one that floods keeps neither others nor SIGTERM out."""
        for _ in range(max(1, _BATCH // len(self._fronts))):
            try:
                packet = protocol.receive(front)
            except (BlockingIOError, ConnectionError):
                return
            if packet is None:  # every holder of the other end is gone
                self._selector.unregister(front)
                self._fronts.remove(front)
                return
            submission, ping = protocol.parse(packet), protocol.pinged(packet)
            if submission:
                batch.append((front, submission))
            elif ping is not None:
                self._answer(front, protocol.answer(ping, protocol.SYNCED))
            # else: a front that talks nonsense gets no answer

    def _keep(self, batch: list[tuple[socket.socket, protocol.Submission]]) -> None:
        results, fitting, tokens = [protocol.SYNCED] * len(batch), [], dict[bytes, int]()
        room = {kind: self._spool.room(kind) for kind in {item.kind for _, item in batch}}
        latest = int(time.time()) + _LONGEST_ONCE
        for index, (_, item) in enumerate(batch):
            size = len(item.body) + frames.FRAME_OVERHEAD
            if item.once and (item.once in tokens or self._spent.holds(item.once)):
                results[index] = protocol.SPENT
            elif room[item.kind] < size or len(item.body) > frames.MAX_BODY:
                results[index] = protocol.FULL
            else:
                room[item.kind] -= size
                fitting.append((item.kind, item.body))
                if item.once:
                    tokens[item.once] = min(item.until, latest)
        try:
            if fitting:
                self._spool.append(fitting)
            if tokens:
                self._spent.add(tokens)
        except SpoolFull:
            results = [protocol.FULL if result == protocol.SYNCED else result for result in results]
        self._tell(batch, results)

    def _tell(self, batch: list[tuple[socket.socket, protocol.Submission]], results: list[int]) -> None:
        answers: dict[socket.socket, bytearray] = defaultdict(bytearray)
        for (front, item), result in zip(batch, results, strict=True):
            answers[front] += protocol.answer(item.number, result)
        for front, packet in answers.items():
            self._answer(front, bytes(packet))
        if self._worker and protocol.SYNCED in results:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                self._worker.send(protocol.WAKE)

    def _answer(self, front: socket.socket, packet: bytes) -> None:
        waiting = self._unsent[front]
        if sum(map(len, waiting)) < _UNSENT:
            waiting.append(packet)
        self._flush(front)

    def _flush(self, front: socket.socket) -> None:
        waiting = self._unsent[front]
        events = selectors.EVENT_READ
        try:
            while waiting:
                front.send(waiting[0])
                waiting.pop(0)
        except BlockingIOError:
            events |= selectors.EVENT_WRITE
        except ConnectionError:
            waiting.clear()
        with contextlib.suppress(KeyError):
            if self._selector.get_key(front).events != events:
                self._selector.modify(front, events)

    def _hear_worker(self) -> None:
        assert self._worker is not None
        with contextlib.suppress(BlockingIOError, ConnectionError):
            for _ in range(_BATCH):
                packet = protocol.receive(self._worker)
                if packet is None:  # every holder of the other end is gone
                    self._selector.unregister(self._worker)
                    self._worker = None
                    return
                if packet[:1] == protocol.DONE and len(packet) == 9:
                    self._spool.remove_through(int.from_bytes(packet[1:]))
                elif packet == protocol.ROTATE:
                    self._spool.rotate()


def run(brief: Brief) -> None:
    """Serve the fronts named in `brief` until SIGTERM."""
    folder = Path(brief.site) / "spool"
    wake, stop = socket.socketpair()
    stop.setblocking(False)
    signal.set_wakeup_fd(stop.fileno())
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    fronts = [_line(descriptor) for descriptor in brief.lines]
    worker = _line(brief.clerk) if brief.clerk is not None else None
    clerk = Clerk(fronts, worker, Spool(folder, brief.quotas), Spent(folder / "spent"))
    print(f"clerk: storing submissions from {len(fronts)} public server(s)", file=sys.stderr, flush=True)  # noqa: T201
    brief.tell_ready()
    clerk.run(wake)


def _line(descriptor: int) -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fileno=descriptor)
