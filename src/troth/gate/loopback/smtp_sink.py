"""Receives emails by SMTP from this machine and forwards nothing: the server side of RFC 5321.

It serves the mailer alone, for a proof. Lines end with CRLF only, so that both sides agree where an email ends;
commands out of order are refused, and too much data closes the connection. May touch: the connections that it is given.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass

LARGEST = 32 * 1024 * 1024
"""Bytes of one mail."""
MOST_RECIPIENTS = 100
MOST_MAILS = 10_000
"""That are kept before more are refused."""
SECONDS = 30.0
"""How long the other side may say nothing."""
_PATH = re.compile(rb"(?:FROM|TO): ?<([^<>\s]*)>(?: .*)?", re.IGNORECASE)
_OUT_OF_STEP = "503 not now"


@dataclass(frozen=True, slots=True, repr=False)
class ReceivedMail:
    """One mail as it reached the relay."""

    sender: str
    recipients: tuple[str, ...]
    """Of the envelope: all who would get it, whatever the mail's head says."""
    content: bytes


class Sink:
    """Keeps what comes, over any number of connections."""

    def __init__(self) -> None:
        self.received: list[ReceivedMail] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, TimeoutError):  # hung up, or silent
                await _Talk(self.received, reader, writer).run()
        finally:
            writer.close()


class _TooMuch(Exception):
    """A mail is larger than any that is taken."""


class _Talk:
    """One connection. `_sender` is None between two mails."""

    def __init__(
        self, received: list[ReceivedMail], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._taken, self._reader, self._writer = received, reader, writer
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._answers: dict[bytes, Callable[[bytes], str]] = {
            b"EHLO": lambda _: self._reset(f"250-localhost\r\n250-SIZE {LARGEST}\r\n250-8BITMIME\r\n250 SMTPUTF8"),
            b"HELO": lambda _: self._reset("250 localhost"),
            b"RSET": lambda _: self._reset("250 OK"),
            b"NOOP": lambda _: "250 OK",
            b"MAIL": self._mail,
            b"RCPT": self._recipient,
        }

    async def run(self) -> None:
        """Reply until the connection ends."""
        await self._say("220 localhost")
        try:
            while (line := await self._line()).strip().upper() != b"QUIT":
                verb, _, argument = line.partition(b" ")
                if verb.upper() == b"DATA":
                    await self._say(await self._data())
                else:
                    await self._say(self._answers.get(verb.upper(), _unknown)(argument))
            await self._say("221 bye")
        except (asyncio.LimitOverrunError, _TooMuch):
            await self._say("500 too long")

    async def _say(self, answer: str) -> None:
        self._writer.write(answer.encode() + b"\r\n")
        await self._writer.drain()

    async def _line(self) -> bytes:
        async with asyncio.timeout(SECONDS):
            return (await self._reader.readuntil(b"\r\n"))[:-2]

    def _reset(self, answer: str) -> str:
        self._sender, self._recipients = None, []
        return answer

    def _mail(self, argument: bytes) -> str:
        if self._sender is not None or len(self._taken) >= MOST_MAILS:
            return _OUT_OF_STEP
        self._sender = _address(argument)
        return "501 no address" if self._sender is None else "250 OK"

    def _recipient(self, argument: bytes) -> str:
        address = _address(argument)
        if self._sender is None or len(self._recipients) >= MOST_RECIPIENTS:
            return _OUT_OF_STEP
        if not address:
            return "501 no address"
        self._recipients.append(address)
        return "250 OK"

    async def _data(self) -> str:
        if self._sender is None or not self._recipients:
            return _OUT_OF_STEP
        await self._say("354 go on")
        content = bytearray()
        while (line := await self._line()) != b".":
            content += line.removeprefix(b".") + b"\r\n"
            if len(content) > LARGEST:
                raise _TooMuch
        self._taken.append(ReceivedMail(self._sender, tuple(self._recipients), bytes(content)))
        return self._reset("250 OK")


def _unknown(_: bytes) -> str:
    return "502 unknown"


def _address(argument: bytes) -> str | None:
    path = _PATH.fullmatch(argument)
    try:
        return path[1].decode() if path else None
    except UnicodeDecodeError:
        return None
