"""The lines between the fronts: a hit is counted at its visitor's front, wherever it came in.

What travels is what is counted, never an address or an agent; in memory, over socket pairs that every front inherits
(V1). A peer may be captured: what it says is checked, and a silent one costs those whose hits are with it a retry.
May touch: those descriptors.

    ask       0 | number 8 | `CountedHit`           count this, answer when it is on the disk
    answer    1 | number 8 | result 1
    hello     2                               this front has just begun: what it was asked before is lost
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from troth.audience.counting.counted_hit import CountedHit
from troth.clerk import protocol
from troth.core.errors import TrothError
from troth.front.channels.clerk_client import ClerkBusy, ClerkGone

_ASK, _ANSWER, _HELLO = range(3)
_KEPT, _BUSY, _LOST = range(3)
_SECONDS = 20.0
_LONGEST = 8_192
type Serve = Callable[[CountedHit], asyncio.Future[None]]


class Peers:
    """The other fronts. `lines[n]`: the descriptor to front `n`; None for this one, which is `number`. Needs an event
    loop."""

    def __init__(self, number: int, lines: Sequence[int | None]) -> None:
        self.number, self.fronts = number, max(1, len(lines))
        self._serve: Serve | None = None
        self._next = 0
        self._asked: dict[int, tuple[int, asyncio.Future[int]]] = {}
        self._lines: dict[int, socket.socket] = {}
        loop = asyncio.get_running_loop()
        for place, line in enumerate(lines):
            if line is not None:
                peer_socket = self._lines[place] = socket.socket(fileno=line)
                peer_socket.setblocking(False)
                loop.add_reader(peer_socket, self._receive, place)

    def serve(self, serve: Serve) -> None:
        """Have `serve` count what is asked; it may raise `TrothError`. Then say hello."""
        self._serve = serve
        for place in self._lines:
            self._send(place, bytes([_HELLO]))

    def close(self) -> None:
        """Stop listening."""
        for line in self._lines.values():
            asyncio.get_running_loop().remove_reader(line)
            line.close()
        self._lines = {}

    async def hand(self, place: int, counts: CountedHit) -> None:
        """Have front `place` count this; returns once it is on the disk. Raises `ClerkBusy`, `ClerkGone`."""
        number, self._next = self._next, self._next + 1
        answer = asyncio.get_running_loop().create_future()
        self._asked[number] = place, answer
        try:
            if not self._send(place, bytes([_ASK]) + number.to_bytes(8) + _encoder.encode(counts)):
                raise ClerkBusy(5)
            async with asyncio.timeout(_SECONDS):
                result = await answer
        except TimeoutError:
            raise ClerkGone("The server is too busy just now.") from None
        finally:
            del self._asked[number]
        if result == _BUSY:
            raise ClerkBusy(5)
        if result != _KEPT:
            raise ClerkGone("The server was restarted just now.")

    def _send(self, place: int, packet: bytes) -> bool:
        """Whether it could be sent."""
        try:
            self._lines[place].send(packet)
        except OSError:  # full, too long, or nobody there
            return False
        return True

    def _receive(self, place: int) -> None:
        for _ in range(64):  # then the others' turn
            try:
                packet = protocol.receive(self._lines[place], _LONGEST + 1)
            except OSError:
                return
            if packet is None:  # the launcher is gone, and with it every other end
                asyncio.get_running_loop().remove_reader(self._lines[place])
                return
            if not packet or len(packet) > _LONGEST:  # from a captured one
                continue
            if packet[0] == _ASK and len(packet) > 9:
                self._count(place, packet[1:9], packet[9:])
            elif packet[0] == _ANSWER and len(packet) == 10:
                self._answered(place, int.from_bytes(packet[1:9]), packet[9])
            elif packet[0] == _HELLO:
                for number in [number for number, (peer, _) in self._asked.items() if peer == place]:
                    self._answered(place, number, _LOST)

    def _answered(self, place: int, number: int, result: int) -> None:
        peer, answer = self._asked.get(number, (None, None))
        if peer == place and answer and not answer.done():
            answer.set_result(result)

    def _count(self, place: int, number: bytes, body: bytes) -> None:
        try:
            counts = _decoder.decode(body)
            if not counts.sound() or self._serve is None:
                return
            self._serve(counts).add_done_callback(partial(self._tell, place, number))
        except (msgspec.MsgspecError, RecursionError):
            return
        except TrothError:
            self._send(place, bytes([_ANSWER]) + number + bytes([_BUSY]))

    def _tell(self, place: int, number: bytes, counted: "asyncio.Future[None]") -> None:
        lost = counted.cancelled() or counted.exception() is not None
        if place in self._lines:
            self._send(place, bytes([_ANSWER]) + number + bytes([_LOST if lost else _KEPT]))


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(CountedHit)
