"""One connection to the mail relay, and the outcome of each email.

Every step has a time limit, and every reply becomes one of four outcomes with a reason from a closed list: the relay's
text is never kept, since it often quotes the address. The last step is done by hand, to know whether the final dot was
sent when a connection breaks. Before it, nothing was sent (`Temporary`); after it, nobody can know (`Uncertain`, WALL
4).

Sources: RFC 5321, RFC 3463 (enhanced codes), RFC 3207 (STARTTLS), RFC 6531 (SMTPUTF8).
May touch: the network, to the one door it is given.
"""

import asyncio
import contextlib
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol
from aiosmtplib.response import SMTPResponse

from troth.core.purpose import Category
from troth.gate import tripwire
from troth.gate.doors import Door

_FINAL_FACTOR = 3
"""The relay may take so many times longer to say what it thinks of a whole mail (RFC 5321, 4.5.3.2.6)."""
_BROKEN = (aiosmtplib.SMTPException, OSError, TimeoutError)
_AUTH = (530, 534, 535, 538)


@dataclass(frozen=True, slots=True)
class Sent:
    """The relay took the mail and is responsible for it now."""


@dataclass(frozen=True, slots=True)
class Temporary:
    """Not sent; trying again later can help. `code` is the relay's, 0 where it said nothing."""

    code: int
    reason: str
    of_relay: bool = field(default=False, compare=False)
    """Whether the relay failed before it was given the content, whatever the email: another may send it."""


@dataclass(frozen=True, slots=True)
class Permanent:
    """Not sent, and never will be. `code` is the relay's, 0 where it was not asked."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The mail was handed over and no answer came: it may have been sent."""

    reason: str


@dataclass(frozen=True, slots=True)
class HeldMail:
    """Not sent, and the relay not asked: an owner of the site has to look at it first."""

    reason: str
    """`leak`: it carries somebody else's details. `unchecked`: it could not be looked at whole."""
    categories: tuple[Category, ...] = ()
    causes: frozenset[tuple[int, Category]] = field(default=frozenset(), compare=False, repr=False)
    """Whose they are: slot in the key store, and category."""


type Outcome = Sent | Temporary | Permanent | Uncertain | HeldMail

REASONS = frozenset(
    {
        "unreachable",
        "name",
        "timeout",
        "tls",
        "tls-certificate",
        "no-tls",
        "auth",
        "relay-refuses",
        "relay-busy",
        "connection-lost",
        "strange-reply",
        "no-answer",
        "not-recorded",
        "sender-refused",
        "no-such-address",
        "mailbox-full",
        "policy",
        "recipient-refused",
        "content-refused",
        "too-large",
        "not-deliverable-here",
        "bad-address",
        "bad-mail",
        "leak",
        "unchecked",
    }
)
"""All the words that an outcome may have for its reason; docs/mail.md says what each means."""


class NoLine(Exception):
    """No connection could be had. Carries the outcome for the mail that wanted it."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.outcome = Temporary(code, reason, of_relay=True)


@dataclass(frozen=True, slots=True)
class Access:
    """How a line is opened. Its `repr` shows no password."""

    door: Door
    tls: ssl.SSLContext | None
    user: str | None
    password: str | None
    greeting: str
    """What we call ourselves in EHLO: the sender's domain, not this machine's name."""
    timeout: float

    def __repr__(self) -> str:
        return f"<Access to {self.door.name}>"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One mail as SMTP carries it. Its `repr` shows nothing."""

    sender: str
    recipient: str
    content: bytes
    utf8: bool
    begin: Callable[[], None] = field(default=lambda: None, compare=False)
    """Called before the content is handed over. If it raises `OSError`, nothing is."""

    def __repr__(self) -> str:
        return "<Parcel>"


class RelayConnection:
    """An open connection to the relay. Use `open`; one mail at a time."""

    def __init__(self, client: aiosmtplib.SMTP, timeout: float) -> None:
        self._client, self._timeout = client, timeout
        self.mails = 0
        """How many were handed over it."""
        self.idle_since = time.monotonic()

    @classmethod
    async def open(cls, access: Access) -> "RelayConnection":
        """Connect, encrypt, sign in. Raises `NoLine`."""
        connected = await _connect(access)
        client = aiosmtplib.SMTP(
            hostname=access.door.host,
            sock=connected,
            port=None,
            timeout=access.timeout,
            use_tls=access.door.encryption == "tls",
            start_tls=False,
            tls_context=access.tls,
            local_hostname=access.greeting,
        )
        try:
            await _greet(client, access)
        except BaseException:
            _abort(client)
            connected.close()
            raise
        return cls(client, access.timeout)

    @property
    def usable(self) -> bool:
        """Whether the connection is open, as far as known here."""
        return self._client.is_connected

    async def deliver(self, parcel: Parcel) -> Outcome:
        """Send an email. Closes the connection if it cannot be reused."""
        outcome = await self._deliver(parcel)
        self.mails += 1
        self.idle_since = time.monotonic()
        if self.usable and not isinstance(outcome, Sent):
            await self._reset()
        return outcome

    async def close(self) -> None:
        """Send QUIT, if the relay still listens, and close."""
        with contextlib.suppress(*_BROKEN):
            if self.usable:
                await self._client.quit(timeout=min(self._timeout, 5.0))
        self.abort()

    def abort(self) -> None:
        """Close without a word."""
        _abort(self._client)

    async def _deliver(self, parcel: Parcel) -> Outcome:
        if parcel.utf8 and not self._client.supports_extension("smtputf8"):
            return Permanent(0, "not-deliverable-here")
        try:
            refused = await self._envelope(parcel)
        except _BROKEN as error:
            return self._broken(error, of_relay=True)
        except asyncio.CancelledError:
            self.abort()
            raise
        return refused or await self._content(parcel)

    async def _envelope(self, parcel: Parcel) -> Outcome | None:
        """Send MAIL, RCPT and DATA; None if the relay is ready for the content."""
        options = [b"SMTPUTF8", b"BODY=8BITMIME"] if parcel.utf8 else []
        charset = "utf-8" if parcel.utf8 else "ascii"
        if self._client.supports_extension("size"):
            options.append(b"SIZE=%d" % len(parcel.content))
        sender, recipient = parcel.sender.encode(charset), parcel.recipient.encode(charset)
        steps = (
            (b"MAIL", b"FROM:<" + sender + b">", *options),
            (b"RCPT", b"TO:<" + recipient + b">"),
            (b"DATA",),
        )
        for step in steps:
            reply = await self._client.execute_command(*step, timeout=self._timeout)
            expected = 3 if step[0] == b"DATA" else 2
            if reply.code // 100 != expected:
                return self._refused(step[0], reply)
        return None

    async def _content(self, parcel: Parcel) -> Outcome:
        """Send the content and the final dot in one write. From here on, no reply means `Uncertain`."""
        protocol = self._client.protocol
        if not isinstance(protocol, SMTPProtocol):
            return Temporary(0, "connection-lost")
        try:
            parcel.begin()
        except OSError:
            self.abort()
            return Temporary(0, "not-recorded")
        try:
            # aiosmtplib's own `data` raises the same for a death before the dot and one after it. `write` and
            # `read_response` are its protocol's public methods; nothing runs between the two.
            protocol.write(_dotted(parcel.content))
        except _BROKEN as error:
            return self._broken(error, of_relay=False)  # it was given DATA
        try:
            reply = await protocol.read_response(timeout=self._timeout * _FINAL_FACTOR)
        except _BROKEN as error:
            self.abort()
            return Uncertain("no-answer" if isinstance(error, TimeoutError) else "connection-lost")
        except asyncio.CancelledError:
            self.abort()  # whoever waited has to take it for uncertain
            raise
        if reply.code // 100 == 2:
            return Sent()
        if reply.code // 100 in (4, 5):
            return self._refused(b".", reply)
        self.abort()
        return Uncertain("strange-reply")

    def _refused(self, step: bytes, reply: SMTPResponse) -> Outcome:
        """Return the outcome for an unexpected reply."""
        if reply.code == 421 or reply.code // 100 not in (4, 5):
            self.abort()
            reason = "relay-busy" if reply.code == 421 else "strange-reply"
            return Temporary(reply.code, reason, of_relay=step != b".")
        if reply.code in _AUTH:
            return Temporary(reply.code, "auth", of_relay=step != b".")
        reason = _reason(step, reply)
        if reply.code >= 500:
            return Permanent(reply.code, reason)
        # What is said to RCPT is about the recipient: greylisting wants the same relay again, later (RFC 6647).
        return Temporary(reply.code, reason, of_relay=step in (b"MAIL", b"DATA"))

    def _broken(self, error: BaseException, *, of_relay: bool) -> Temporary:
        self.abort()
        return Temporary(0, _why_broken(error), of_relay=of_relay)

    async def _reset(self) -> None:
        try:
            await self._client.rset(timeout=self._timeout)
        except _BROKEN:
            self.abort()


def _abort(client: aiosmtplib.SMTP) -> None:
    # Not `close` alone: under TLS it would wait for the relay's own goodbye, for up to half a minute.
    if isinstance(client.transport, asyncio.WriteTransport):
        client.transport.abort()
    client.close()


# -- opening ----------------------------------------------------------------------------------------------------------


async def _connect(access: Access) -> socket.socket:
    """Connect to the first address of the door that responds."""
    door = access.door
    try:
        addresses = await asyncio.wait_for(tripwire.resolve(door), access.timeout)
    except TimeoutError:
        raise NoLine(0, "timeout") from None
    except (OSError, UnicodeError):
        raise NoLine(0, "name") from None
    reason = "unreachable"
    for address in addresses:
        try:
            connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        except OSError:  # no such family on this machine, or no descriptor left
            continue
        connection.setblocking(False)
        try:
            connecting = asyncio.get_running_loop().sock_connect(connection, (address, door.port))
            await asyncio.wait_for(connecting, access.timeout)
        except OSError as error:
            connection.close()
            reason = "timeout" if isinstance(error, TimeoutError) else "unreachable"
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise NoLine(0, reason)


async def _greet(client: aiosmtplib.SMTP, access: Access) -> None:
    """Read the greeting, send EHLO, STARTTLS if the door requires it, and sign in."""
    try:
        await client.connect()
        await client.ehlo()
        if access.door.encryption == "starttls":
            if not client.supports_extension("starttls"):
                raise NoLine(0, "no-tls")
            await client.starttls(tls_context=access.tls, timeout=access.timeout)
            await client.ehlo()
        if access.user is not None:
            await _sign_in(client, access)
    except aiosmtplib.SMTPResponseException as error:
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            raise NoLine(error.code, "auth") from None
        raise NoLine(max(error.code, 0), "relay-busy" if error.code // 100 == 4 else "relay-refuses") from None
    except _BROKEN as error:
        raise NoLine(0, _why_broken(error)) from None


async def _sign_in(client: aiosmtplib.SMTP, access: Access) -> None:
    assert access.user is not None
    try:
        await client.login(access.user, access.password or "")
    except aiosmtplib.SMTPServerDisconnected:
        raise NoLine(0, "connection-lost") from None
    except aiosmtplib.SMTPTimeoutError:
        raise NoLine(0, "timeout") from None
    except aiosmtplib.SMTPResponseException as error:
        raise NoLine(max(error.code, 0), "relay-busy" if error.code == 421 else "auth") from None
    except (aiosmtplib.SMTPException, UnicodeError):
        raise NoLine(0, "auth") from None


def _why_broken(error: BaseException) -> str:
    """Return the reason why a connection failed, from the error and its cause."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "tls-certificate"
        if isinstance(cause, ssl.SSLError):
            return "tls"
        if isinstance(cause, TimeoutError):
            return "timeout"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return "strange-reply"
    return "connection-lost"


# -- replies ----------------------------------------------------------------------------------------------------------

_ENHANCED = re.compile(r"[245]\.(\d{1,3})\.(\d{1,3})\b")
_BY_STEP = {
    b"MAIL": "sender-refused",
    b"RCPT": "recipient-refused",
    b"DATA": "content-refused",
    b".": "content-refused",
}


def _reason(step: bytes, reply: SMTPResponse) -> str:
    """Return the reason; distinguishes an invalid address from a rejected sender if the relay does."""
    if reply.code in (552, 452) and step != b"RCPT":
        return "too-large"
    status = _ENHANCED.match(reply.message)
    subject = (int(status[1]), int(status[2])) if status else (0, 0)
    if step == b"RCPT":
        if subject[0] == 1:
            return "no-such-address"
        if subject[0] == 2 or reply.code in (552, 452):
            return "mailbox-full"
    if subject[0] == 7:
        return "policy"
    return "relay-busy" if reply.code < 500 else _BY_STEP[step]


def _dotted(content: bytes) -> bytes:
    """Return the email with leading dots doubled and the final dot (RFC 5321, section 4.5.2). It has CRLF line ends."""
    complete = content if content.endswith(b"\r\n") else content + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", complete) + b".\r\n"
