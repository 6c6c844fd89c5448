"""One connection to the mail relay, and the outcome of each email.

Every step has a time limit, and every reply becomes one of four outcomes with a reason from a closed list: the relay's
text is never kept, since it often quotes the address. Where a connection breaks before the content of an email was
handed over, nothing was sent (`Temporary`); after it, nobody can know (`Uncertain`, WALL 4).

Where the relay offers it (PIPELINING), the commands of an email leave in one write, and those of the next one together
with the content before it: one answer to wait for, instead of four.

Sources: RFC 5321, RFC 2920 (PIPELINING), RFC 3463 (enhanced codes), RFC 3207 (STARTTLS), RFC 6531 (SMTPUTF8).
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

from troth.core.purpose import Category
from troth.gate import tripwire
from troth.gate.doors import Door
from troth.gate.smtp_line import LineError, Reply, SignInError, SmtpLine, StrangeReply

_FINAL_FACTOR = 3
"""The relay may take so many times longer to say what it thinks of a whole mail (RFC 5321, 4.5.3.2.6)."""
_BROKEN = (LineError, OSError, TimeoutError)
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


def _nothing_to_record() -> None:
    """Record nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """One mail as SMTP carries it. Its `repr` shows nothing."""

    sender: str
    recipient: str
    content: bytes
    utf8: bool
    begin: Callable[[], None] = _nothing_to_record
    """Called before the content is handed over. If it raises `OSError`, nothing is."""

    def __repr__(self) -> str:
        return "<Parcel>"


type Next = Callable[[], Parcel | None]
"""Gives the next email for the same connection, without waiting; None: there is none now."""
type OnOutcome = Callable[[Parcel, Outcome], None]
"""Is called with what became of an email."""
type _Steps = tuple[tuple[bytes, ...], ...]


class RelayConnection:
    """An open connection to the relay. Use `open`; one task at a time."""

    def __init__(self, line: SmtpLine, extensions: frozenset[str], timeout: float) -> None:
        self._line, self._extensions, self._timeout = line, extensions, timeout
        self._pipelining = "PIPELINING" in extensions
        self.mails = 0
        """How many were handed over it."""
        self.idle_since = time.monotonic()

    @classmethod
    async def open(cls, access: Access) -> "RelayConnection":
        """Connect, encrypt, sign in. Raises `NoLine`."""
        connected = await _connect(access)
        line: SmtpLine | None = None
        tls = access.tls if access.door.encryption == "tls" else None
        try:
            line = await SmtpLine.connect(connected, tls, access.door.host, access.timeout)
            extensions = await _greet(line, access)
        except BaseException as error:
            if line is not None:
                line.abort()
            connected.close()
            if isinstance(error, _BROKEN):
                raise NoLine(0, _why_broken(error)) from None
            raise
        return cls(line, extensions, access.timeout)

    @property
    def usable(self) -> bool:
        """Whether the connection is open, as far as known here."""
        return self._line.is_open

    async def deliver(self, parcel: Parcel) -> Outcome:
        """Send an email. Closes the connection if it cannot be reused."""
        outcomes = list[Outcome]()
        await self.deliver_each(parcel, lambda: None, lambda _parcel, outcome: outcomes.append(outcome))
        return outcomes[0]

    async def deliver_each(self, first: Parcel, then: Next, on_outcome: OnOutcome) -> None:
        """Send an email, and those that `then` gives while it can. Closes the connection if it cannot be reused."""
        following: Parcel | None = first
        sent_ahead = False
        while following is not None:
            parcel, following = following, None
            try:
                outcome = await self._envelope(parcel, sent_ahead=sent_ahead)
                sent_ahead = False
                if outcome is None:
                    outcome, following, sent_ahead = await self._content(parcel, then)
            except asyncio.CancelledError:
                self.abort()  # whoever waited has to take it for uncertain
                raise
            self.mails += 1
            self.idle_since = time.monotonic()
            on_outcome(parcel, outcome)
            if not (sent_ahead or isinstance(outcome, Sent)) and self.usable:
                await self._reset()
            if following is None and self.usable:
                following = then()

    async def close(self) -> None:
        """Send QUIT, if the relay still listens, and close."""
        with contextlib.suppress(*_BROKEN):
            if self.usable:
                await self._line.ask(b"QUIT", min(self._timeout, 5.0))
        self.abort()

    def abort(self) -> None:
        """Close without a word."""
        self._line.abort()

    def _can_carry(self, parcel: Parcel) -> bool:
        return not parcel.utf8 or "SMTPUTF8" in self._extensions

    def _steps(self, parcel: Parcel) -> _Steps:
        """Return the commands that go before the content."""
        options = [b"SMTPUTF8", b"BODY=8BITMIME"] if parcel.utf8 else []
        charset = "utf-8" if parcel.utf8 else "ascii"
        if "SIZE" in self._extensions:
            options.append(b"SIZE=%d" % len(parcel.content))
        sender, recipient = parcel.sender.encode(charset), parcel.recipient.encode(charset)
        return (
            (b"MAIL", b"FROM:<" + sender + b">", *options),
            (b"RCPT", b"TO:<" + recipient + b">"),
            (b"DATA",),
        )

    async def _envelope(self, parcel: Parcel, *, sent_ahead: bool) -> Outcome | None:
        """Send MAIL, RCPT and DATA; None if the relay is ready for the content. `sent_ahead`: they were sent before."""
        if not self._can_carry(parcel):
            return Permanent(0, "not-deliverable-here")
        steps = self._steps(parcel)
        refused: Outcome | None = None
        try:
            if self._pipelining and not sent_ahead:
                self._line.say(_commands(steps), len(steps))
            for step in steps:
                if not self._pipelining:
                    self._line.say(_commands((step,)), 1)
                reply = await self._line.reply(self._timeout)
                ready = reply.code // 100 == (3 if step[0] == b"DATA" else 2)
                if not ready:
                    refused = refused or self._refused(step[0], reply)
                    if not self._pipelining or not self.usable:
                        break
                elif refused and step[0] == b"DATA":
                    await self._line.ask(b".", self._timeout)  # of no recipient, and empty (RFC 2920, 3.1)
        except _BROKEN as error:
            return refused or self._broken(error, of_relay=True)
        return refused

    async def _content(self, parcel: Parcel, then: Next) -> tuple[Outcome, Parcel | None, bool]:
        """Send the content and the final dot in one write. From there on, no reply means `Uncertain`.

        Returns the next email, too, if one was begun, and whether its commands were sent.
        """
        try:
            parcel.begin()
        except OSError:
            self.abort()
            return Temporary(0, "not-recorded"), None, False
        following = then() if self._pipelining else None
        steps: _Steps = self._steps(following) if following is not None and self._can_carry(following) else ()
        try:
            self._line.say(_dotted(parcel.content, _commands(steps)), 1 + len(steps))
        except _BROKEN as error:
            return self._broken(error, of_relay=False), following, False  # it was given DATA
        return await self._verdict(), following, bool(steps)

    async def _verdict(self) -> Outcome:
        """Return what the relay says of a whole email."""
        try:
            reply = await self._line.reply(self._timeout * _FINAL_FACTOR)
        except _BROKEN as error:
            self.abort()
            return Uncertain("no-answer" if isinstance(error, TimeoutError) else "connection-lost")
        if reply.code // 100 == 2:
            return Sent()
        if reply.code // 100 in (4, 5):
            return self._refused(b".", reply)
        self.abort()
        return Uncertain("strange-reply")

    def _refused(self, step: bytes, reply: Reply) -> Outcome:
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
            reply = await self._line.ask(b"RSET", self._timeout)
        except _BROKEN:
            self.abort()
        else:
            if reply.code // 100 != 2:
                self.abort()


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


async def _greet(line: SmtpLine, access: Access) -> frozenset[str]:
    """Read the greeting, send EHLO, STARTTLS if the door requires it, and sign in. Returns the relay's extensions."""
    try:
        _accepted(await line.reply(access.timeout))
        extensions = await _extensions(line, access)
        if access.door.encryption == "starttls":
            if "STARTTLS" not in extensions or access.tls is None:
                raise NoLine(0, "no-tls")
            _accepted(await line.ask(b"STARTTLS", access.timeout))
            await line.encrypt(access.tls, access.door.host, access.timeout)
            extensions = await _extensions(line, access)
    except StrangeReply:
        raise NoLine(0, "relay-refuses") from None
    if access.user is not None:
        await _sign_in(line, access, extensions)
    return frozenset(word.partition(" ")[0] for word in extensions)


def _accepted(reply: Reply) -> Reply:
    """Return a reply that is no refusal. Raises `NoLine`."""
    if reply.code // 100 != 2:
        raise NoLine(reply.code, "relay-busy" if reply.code // 100 == 4 else "relay-refuses")
    return reply


async def _extensions(line: SmtpLine, access: Access) -> frozenset[str]:
    """Return what the relay offers, each in capitals; of AUTH, each way as `AUTH PLAIN`."""
    reply = _accepted(await line.ask(b"EHLO " + access.greeting.encode("ascii"), access.timeout))
    offered = set[str]()
    for row in reply.text.decode("ascii", "replace").upper().split("\n")[1:]:
        keyword, *words = row.replace("AUTH=", "AUTH ").split() or [""]
        offered |= {keyword, *(f"AUTH {word}" for word in words if keyword == "AUTH")}
    return frozenset(offered)


async def _sign_in(line: SmtpLine, access: Access, extensions: frozenset[str]) -> None:
    assert access.user is not None
    methods = frozenset(word.removeprefix("AUTH ") for word in extensions if word.startswith("AUTH "))
    try:
        await line.sign_in(access.user, access.password or "", methods, access.timeout)
    except SignInError as error:
        raise NoLine(error.code, "relay-busy" if error.code == 421 else "auth") from None
    except (StrangeReply, UnicodeError):
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
    if isinstance(error, StrangeReply):
        return "strange-reply"
    return "connection-lost"


# -- replies ----------------------------------------------------------------------------------------------------------

_ENHANCED = re.compile(rb"[245]\.(\d{1,3})\.(\d{1,3})\b")
_BY_STEP = {
    b"MAIL": "sender-refused",
    b"RCPT": "recipient-refused",
    b"DATA": "content-refused",
    b".": "content-refused",
}


def _reason(step: bytes, reply: Reply) -> str:
    """Return the reason; distinguishes an invalid address from a rejected sender if the relay does."""
    if reply.code in (552, 452) and step != b"RCPT":
        return "too-large"
    status = _ENHANCED.match(reply.text)
    subject = (int(status[1]), int(status[2])) if status else (0, 0)
    if step == b"RCPT":
        if subject[0] == 1:
            return "no-such-address"
        if subject[0] == 2 or reply.code in (552, 452):
            return "mailbox-full"
    if subject[0] == 7:
        return "policy"
    return "relay-busy" if reply.code < 500 else _BY_STEP[step]


def _commands(steps: _Steps) -> bytes:
    return b"".join(b" ".join(step) + b"\r\n" for step in steps)


def _dotted(content: bytes, then: bytes) -> bytes:
    """Return the email with leading dots doubled and the final dot (RFC 5321, section 4.5.2), and what follows it. It
    has CRLF line ends."""
    end = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
    if b"\n." in content:
        content = content.replace(b"\n.", b"\n..")
    return b"".join((b"." if content.startswith(b".") else b"", content, end, then))
