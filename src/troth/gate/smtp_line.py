"""A connection that speaks SMTP: commands go out, replies come in, and TLS and the sign-in are done.

It says what was answered and judges nothing; `gate.smtp` does. Each wait has a time limit. A relay that says more than
it was asked, or something that is no reply, is not believed from then on: the connection counts as broken.

Sources: RFC 5321 (replies), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 4616 (PLAIN), RFC 2195 (CRAM-MD5).
May touch: the connection that it is given.
"""

import asyncio
import base64
import binascii
import hmac
import socket
import ssl
from collections import deque
from typing import NamedTuple, cast

_LONGEST_LINE = 8_192
"""Bytes of a line; RFC 5321 (4.5.3.1.5) allows 512."""
_MOST_LINES = 200
"""Of one reply, and replies that were not read yet."""


class LineError(Exception):
    """The connection is of no use any more, or cannot be had."""


class LineLost(LineError):
    """It broke, or the relay hung up."""


class StrangeReply(LineError):
    """The relay said something that is no reply, or that nobody asked for."""


class SignInError(LineError):
    """The relay did not accept the sign-in. `code`: what it replied; 0 where it was not asked."""

    def __init__(self, code: int) -> None:
        super().__init__("The relay did not accept the sign-in.")
        self.code = code


class Reply(NamedTuple):
    """What the relay answered. The text of a reply often quotes an address: it is never kept."""

    code: int
    text: bytes
    """Its lines without their codes, separated by a newline."""


class SmtpLine(asyncio.Protocol):
    """The connection. Use `connect`; one task at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._partial, self._lines = b"", list[bytes]()
        self._replies = deque[Reply]()
        self._owed = 0
        """How many replies were asked for and not read yet."""
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._due, self._timer = 0.0, None

    _timer: asyncio.TimerHandle | None

    @classmethod
    async def connect(
        cls, connected: socket.socket, tls: ssl.SSLContext | None, host: str, seconds: float
    ) -> "SmtpLine":
        """Take over a connected socket. `tls`: encrypt from the first byte, for this host."""
        loop = asyncio.get_running_loop()
        named = host if tls is not None else None
        async with asyncio.timeout(seconds):
            _, line = await loop.create_connection(cls, sock=connected, ssl=tls, server_hostname=named)
        line._owed = 1  # the greeting
        return line

    @property
    def is_open(self) -> bool:
        """Whether it can be used, as far as known here."""
        return self._error is None and not (self._replies and not self._owed) and not self._gone()

    def _gone(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    # -- talking ------------------------------------------------------------------------------------------------------

    def say(self, data: bytes, replies: int) -> None:
        """Send this, to which so many replies will come. Raises `LineError` where it is broken."""
        if self._replies and not self._owed:
            self._fail(StrangeReply())
        if self._error is not None:
            raise self._error
        if self._transport is None or self._transport.is_closing():
            raise LineLost
        self._owed += replies
        self._transport.write(data)

    async def reply(self, seconds: float) -> Reply:
        """Return the next reply. Raises `TimeoutError`, `LineError`, and `OSError`."""
        if not self._replies:
            await self._wait(seconds)
        self._owed -= 1
        return self._replies.popleft()

    async def ask(self, command: bytes, seconds: float) -> Reply:
        """Send one command and return its reply."""
        self.say(command + b"\r\n", 1)
        return await self.reply(seconds)

    async def _wait(self, seconds: float) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = self._loop.create_future()
        self._watch(self._loop.time() + seconds)
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _watch(self, due: float) -> None:
        """See to it that a wait ends at `due`. One timer serves many waits: each would cost as much as its reply."""
        self._due = due
        if self._timer is not None and self._timer.when() <= due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._look)
        elif not self._waiter.done():
            self._waiter.set_exception(TimeoutError())

    def abort(self) -> None:
        """Close without a word."""
        # Not `close`: under TLS it would wait for the relay's own goodbye, for up to half a minute.
        self._fail(LineLost())

    # -- what asyncio calls -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take apart what came."""
        if self._partial:
            data = self._partial + data
        *lines, self._partial = data.split(b"\n")
        for line in lines:
            if not self._take(line):
                self._fail(StrangeReply())
                return
        if len(self._partial) > _LONGEST_LINE or len(self._lines) + len(self._replies) > _MOST_LINES:
            self._fail(StrangeReply())
        elif self._replies and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _take(self, line: bytes) -> bool:
        """Take one line of a reply; False if it is none."""
        code, between, text = line[:3], line[3:4], line[4:].rstrip(b"\r")
        if not (len(code) == 3 and code.isdigit() and between in (b" ", b"-", b"\r", b"")):
            return False
        self._lines.append(text)
        if between != b"-":
            self._replies.append(Reply(int(code), b"\n".join(self._lines)))
            self._lines = []
        return True

    def eof_received(self) -> None:
        """Close: the relay will say no more."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Note why."""
        self._fail(exc or LineLost())

    def _fail(self, error: Exception) -> None:
        if self._error is None:
            self._error = error
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None and not self._transport.is_closing():
            self._transport.abort()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    # -- encryption and sign-in ---------------------------------------------------------------------------------------

    async def encrypt(self, tls: ssl.SSLContext, host: str, seconds: float) -> None:
        """Go on under TLS. What came before it in the clear is not believed."""
        if self._replies or self._partial or self._lines:
            self._fail(StrangeReply())
        if self._error is not None or self._transport is None:
            raise self._error or LineLost
        async with asyncio.timeout(seconds):
            under = await self._loop.start_tls(self._transport, self, tls, server_hostname=host)
        if under is None:
            raise LineLost
        self._transport = under

    async def sign_in(self, user: str, password: str, offered: frozenset[str], seconds: float) -> None:
        """Sign in by the first method that both sides know and that the relay accepts. Raises `SignInError`."""
        refused = SignInError(0)
        for name, method in (("CRAM-MD5", self._by_challenge), ("PLAIN", self._by_plain), ("LOGIN", self._by_login)):
            if name not in offered:
                continue
            reply = await method(user.encode(), password.encode(), seconds)
            if reply.code == 235:
                return
            refused = SignInError(reply.code)
            if reply.code == 421:
                break
        raise refused

    async def _by_challenge(self, user: bytes, password: bytes, seconds: float) -> Reply:
        reply = await self.ask(b"AUTH CRAM-MD5", seconds)
        if reply.code != 334:
            return reply
        try:
            challenge = base64.b64decode(reply.text, validate=True)
        except (binascii.Error, ValueError):
            return await self.ask(b"*", seconds)  # gives it up (RFC 4954, section 4)
        answer = user + b" " + hmac.digest(password, challenge, "md5").hex().encode()
        return await self.ask(base64.b64encode(answer), seconds)

    async def _by_plain(self, user: bytes, password: bytes, seconds: float) -> Reply:
        return await self.ask(b"AUTH PLAIN " + base64.b64encode(b"\0" + user + b"\0" + password), seconds)

    async def _by_login(self, user: bytes, password: bytes, seconds: float) -> Reply:
        reply = await self.ask(b"AUTH LOGIN", seconds)
        for word in (user, password):
            if reply.code != 334:
                return reply
            reply = await self.ask(base64.b64encode(word), seconds)
        return reply
