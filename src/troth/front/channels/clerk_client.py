"""The front's line to the clerk: hand over a frame, learn that it is safe. One packet each way over an inherited socket
pair; many frames may be in flight."""

import asyncio
import socket

from troth.clerk import protocol
from troth.core.errors import TrothError

_SECONDS, _PING_SECONDS = 20.0, 2.0
_PACKETS = 1024


class ClerkBusy(TrothError):
    """The spool has no room for this kind of frame just now."""

    retry = True

    def __init__(self, retry_after: int) -> None:
        super().__init__("There is no room to store this right now.", mend="Please try again in a minute.")
        self.retry_after = retry_after


class ClerkGone(TrothError):
    """The clerk was restarted while the frame was on its way: whether it was kept is not known."""

    retry = True
    retry_after = 2


class AlreadySpent(TrothError):
    """The frame's `once` token was used before, at this front or another."""


class ClerkLine:
    """The line. Make it inside a running event loop."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._next = protocol.first_number()
        self._room = asyncio.Event()
        self._room.set()
        self._receive()  # the greeting of a clerk that was here first concerns nothing of ours
        self._loop.add_reader(self._socket, self._receive)

    def close(self) -> None:
        """Stop listening; frames in flight fail with `ClerkGone`."""
        self._loop.remove_reader(self._socket)
        self._fail_all()
        self._socket.close()

    async def hand(self, kind: int, body: bytes, *, once: bytes | None = None, until: int = 0) -> None:
        """Hand over a frame; return once it is on the disk. `once`: 16 bytes that no frame may carry twice before
        `until` (seconds since 1970). Raises `ClerkBusy`, `AlreadySpent`, `ClerkGone`."""
        number = self._number()
        _judge(await self._ask(number, protocol.submission(number, kind, body, once, until), _SECONDS))

    async def ping(self) -> None:
        """Return where the clerk hears this line and is heard. Raises `ClerkGone`."""
        number = self._number()
        _judge(await self._ask(number, protocol.ping(number), _PING_SECONDS))

    def _number(self) -> int:
        number, self._next = self._next, (self._next + 1) % 2**64
        return number

    async def _ask(self, number: int, packet: bytes, seconds: float) -> int:
        """Return the clerk's answer. The time runs from before the packet is sent, for a line that is full and that
        nobody reads."""
        answer: asyncio.Future[int] = self._loop.create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(seconds):
                await self._send(packet)
                return await answer
        except TimeoutError:
            raise ClerkGone("The server is too busy right now.", mend="Please try again in a minute.") from None
        finally:
            self._waiting.pop(number, None)

    async def _send(self, packet: bytes) -> None:
        while True:
            try:
                self._socket.send(packet)
                return
            except BlockingIOError:
                self._room.clear()
                self._loop.add_writer(self._socket, self._writable)
                await self._room.wait()

    def _writable(self) -> None:
        self._loop.remove_writer(self._socket)
        self._room.set()

    def _receive(self) -> None:
        for _ in range(_PACKETS):  # then the visitors' turn
            try:
                packet = protocol.receive(self._socket)
            except (BlockingIOError, ConnectionError):
                return
            if packet is None:
                return self._loop.stop()
            if packet == protocol.HELLO:
                self._fail_all()
                continue
            for number, result in protocol.answers(packet):
                answer = self._waiting.get(number)
                if answer and not answer.done():
                    answer.set_result(result)

    def _fail_all(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result(protocol.GONE)


def _judge(result: int) -> None:
    if result == protocol.SYNCED:
        return
    if result == protocol.SPENT:
        raise AlreadySpent("This form was sent before.", mend="Press the button once more.")
    if result == protocol.GONE:
        raise ClerkGone("The server was restarted just now.", mend="Please press the button once more.")
    raise ClerkBusy(60)
