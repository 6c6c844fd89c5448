"""Sends typed emails to the declared relays, signed, and encrypted unless it is on this machine; returns each outcome.

Each email is checked before it is signed; one with another person's details is held (`gate.leak_check`). `Post` reuses
a few connections. No log line, exception or outcome has an address. Email goes to the relays in the settings and
nowhere else. May touch: the network, through their doors; the keys of DKIM and the relays, once.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from django.conf import settings

from troth.core import clock
from troth.core.config.sections import Config, MailSection, RelaySection
from troth.core.errors import TrothError
from troth.core.lazy import lazy
from troth.core.site import Site
from troth.gate import message, quick_message
from troth.gate.common_words import Public
from troth.gate.dkim import DkimKey
from troth.gate.doors import Door, DoorError, declared, further_relay, mail_relay, relay_user
from troth.gate.leak_check import LeakFinding, Leaks
from troth.gate.mail_types import AlarmMail
from troth.gate.message import LetterError, Mail, Recipient, Sender
from troth.gate.relay import Feed, Relay
from troth.gate.smtp import (
    Access,
    HeldMail,
    Outcome,
    Parcel,
    Permanent,
    Sent,
    Temporary,
    Uncertain,
)

if TYPE_CHECKING:
    from troth.vault import keeper
else:  # it imports models, for which Django must know the site; `worker.alarm` sends without them
    keeper = lazy("troth.vault.keeper")

__all__ = [
    "AlarmMail",
    "DkimKey",
    "HeldMail",
    "Letter",
    "Outcome",
    "Permanent",
    "Post",
    "Sent",
    "Temporary",
    "Uncertain",
    "dkim_key",
    "doors",
    "leaks",
    "password",
    "passwords",
]


_AT_A_TIME, _AT_MOST_SECONDS = 32, 0.005
"""So many emails of a campaign are written and examined together at most, and so long that takes at most: fewer if they
are large or signed. Meanwhile nothing else is sent."""


@dataclass(frozen=True, slots=True, eq=False)
class Letter:
    """An email of a campaign, to be sent among many."""

    mail: Mail
    on_outcome: Callable[[Outcome | None], None]
    """Called with what became of it; None: it was not begun."""
    begin: Callable[[], None] = lambda: None
    """Records that its content is about to be handed over. If it raises `OSError`, it is not."""
    released: bool = False
    """An owner approved it as it is."""


class _Group:
    """Letters that are sent together: `ended` once each of them has. `probes`: tried although no relay answers."""

    def __init__(self, count: int, *, probes: bool = False) -> None:
        self._left, self.probes = count, probes
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not count:
            self.ended.set_result(None)

    def end(self, letter: Letter, outcome: Outcome | None) -> None:
        """Tell what became of one."""
        letter.on_outcome(outcome)
        self._left -= 1
        if not self._left and not self.ended.done():
            self.ended.set_result(None)

    def fail(self, error: Exception) -> None:
        """Have whoever waits for them raise."""
        if not self.ended.done():
            self.ended.set_exception(error)


class Post:
    """Sends mails. Use inside `async with`, from one event loop.

    `leaks`: looks through each mail; a site always has one. `cafile`: trust this authority's certificates alone, for a
    relay with a private one. `door`: for tests. `further`: other relays, with their `passwords` by name.
    """

    def __init__(
        self,
        mail: MailSection,
        dkim: DkimKey | None = None,
        password: str | None = None,
        *,
        leaks: Leaks | None = None,
        cafile: Path | None = None,
        door: Door | None = None,
        further: Sequence[RelaySection] = (),
        passwords: Mapping[str, str | None] | None = None,
    ) -> None:
        door = door or mail_relay(mail)
        self._sender = Sender(message.recipient(mail.sender), mail.sender_name)
        self._dkim, self._leaks = dkim, leaks
        self._preparing = ThreadPoolExecutor(1, thread_name_prefix="preparing")
        self._feed, self._streams = Feed(), list[asyncio.Task[None]]()
        self._letters: dict[Parcel, tuple[Letter, _Group]] = {}
        self._again: set[asyncio.Task[None]] = set()
        self._in_turn, self._left_off, self._at_a_time = asyncio.Lock(), False, 1
        self._relays = [self._relay(mail, door, mail.relay, password, mail.connections, cafile)]
        for relay in further:
            own = further_relay(relay)
            self._relays.append(
                self._relay(mail, own, relay.address, (passwords or {}).get(relay.name), relay.connections, cafile)
            )

    def _relay(
        self, mail: MailSection, door: Door, address: str, password: str | None, connections: int, cafile: Path | None
    ) -> Relay:
        access = Access(
            door=door,
            tls=_tls(cafile) if door.encryption != "none-loopback" else None,
            user=relay_user(address),
            password=password,
            greeting=self._sender.address.domain,
            timeout=mail.timeout_seconds,
        )
        return Relay(access, connections)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all idle connections. Nothing can be sent afterwards."""
        self._feed.close()
        await asyncio.gather(*self._streams)
        await asyncio.gather(*(relay.close() for relay in self._relays))
        if self._leaks is not None:
            self._leaks.close()
            await asyncio.get_running_loop().run_in_executor(self._preparing, self._leaks.close)
        self._preparing.shutdown()
        await asyncio.sleep(0)  # the loop's turn to close what was aborted

    async def send(self, mail: Mail, *, released: bool = False, begin: Callable[[], None] = lambda: None) -> Outcome:
        """Send one email to the relay. Raises nothing, whatever the email, address or relay.

        `released`: an owner approved it as it is. `begin`: records that its content is about to be handed
        over. Waits for a free connection. If cancelled while the relay receives the email, the outcome is uncertain.
        """
        prepare = partial(self._parcel, mail, released=released, begin=begin)
        parcel = await asyncio.get_running_loop().run_in_executor(self._preparing, prepare)
        return await self._hand_over(parcel) if isinstance(parcel, Parcel) else parcel

    async def send_many(self, letters: Sequence[Letter]) -> None:
        """Send the emails of a campaign, over as many connections as are free; return once all have ended.

        Each one's `on_outcome` is told, with None for what was not begun before `leave_off`. They are written and
        examined a few at a time, while others leave; those of a second call come after those of the first. Any email
        by `send` goes first.
        """
        self._start_streams()
        async with self._in_turn:
            if self._silence() is not None:  # the first finds out for all whether a relay answers again
                first, letters = letters[:1], letters[1:]
                probe = _Group(len(first), probes=True)
                self._put(first, probe)
                await probe.ended
            group, start = _Group(len(letters)), 0
            while start < len(letters):
                await self._feed.wait_for_room(2 * _AT_A_TIME)
                await asyncio.sleep(0)
                few = letters[start : start + self._at_a_time]
                start += len(few)
                self._put(few, group)
        await group.ended

    def _put(self, letters: Sequence[Letter], group: _Group) -> None:
        """Have these sent, or end them where none can be sent now."""
        silence = None if group.probes else self._silence()
        parcels: Sequence[Parcel | Outcome | None]
        if self._left_off or silence is not None:
            parcels = [None if self._left_off else silence] * len(letters)
        else:  # on this thread: another would take turns with it for each email, at a tenth of all the time
            parcels = self._parcels(letters)
        ready = list[Parcel]()
        for letter, parcel in zip(letters, parcels, strict=True):
            if isinstance(parcel, Parcel):
                ready.append(parcel)
                self._letters[parcel] = (letter, group)
            else:
                group.end(letter, parcel)
        self._feed.put(ready)

    def leave_off(self) -> None:
        """Begin no more emails of campaigns; finish those that were begun."""
        self._left_off = True
        for parcel in self._feed.take_all():
            self._end(parcel, None)

    @property
    def rests(self) -> bool:
        """Whether every relay failed, and is left alone for now."""
        return all(relay.rests for relay in self._relays)

    def _silence(self) -> Temporary | None:
        """Return the outcome of any email while all relays rest because nobody answered: to wait for that with each of
        them could take hours. None if one can be asked."""
        silences = [relay.silence for relay in self._relays]
        return silences[0] if all(silences) else None

    def _start_streams(self) -> None:
        if not self._streams:
            relays = [relay for relay in self._relays for _ in range(relay.connections)]
            self._streams = [asyncio.create_task(self._stream(relay)) for relay in relays]

    async def _stream(self, relay: Relay) -> None:
        """Send what the feed gives, over one connection of this relay."""
        try:
            while (parcel := await self._feed.next()) is not None:
                silence = self._silence()
                if silence is not None and not self._letters[parcel][1].probes:
                    self._end(parcel, silence)
                elif silence is None and (relay.silence is not None or (relay.rests and not self.rests)):
                    self._feed.put_back(parcel)
                    await asyncio.sleep(1.0)  # another relay takes it
                else:
                    await relay.send_each(parcel, self._feed, partial(self._sent_by, relay))
        except Exception as error:  # for those who wait to raise
            self._left_off = True
            self._feed.close()
            for _, group in self._letters.values():
                group.fail(error)

    def _sent_by(self, relay: Relay, parcel: Parcel, outcome: Outcome) -> None:
        """Tell what became of an email, or have another relay take it."""
        if not (isinstance(outcome, Temporary) and outcome.of_relay):
            self._end(parcel, outcome)
        elif len(self._relays) > 1:
            again = asyncio.create_task(self._by_another(relay, parcel, outcome))
            self._again.add(again)
            again.add_done_callback(self._again.discard)
        else:
            self._end(parcel, outcome)

    async def _by_another(self, tried: Relay, parcel: Parcel, outcome: Outcome) -> None:
        others = [relay for relay in self._relays if relay is not tried]
        self._end(parcel, await self._hand_over(parcel, others, outcome))

    def _end(self, parcel: Parcel, outcome: Outcome | None) -> None:
        letter, group = self._letters.pop(parcel)
        group.end(letter, outcome)

    def _parcels(self, letters: Sequence[Letter]) -> Sequence[Parcel | Outcome | None]:
        """Return these emails as SMTP carries them; sets how many the next call may have, not to hold others up."""
        started_at = time.thread_time()
        parcels = self._written(letters)
        spent = max(time.thread_time() - started_at, 1e-6)
        self._at_a_time = max(1, min(_AT_A_TIME, int(len(letters) * _AT_MOST_SECONDS / spent)))
        return parcels

    def _written(self, letters: Sequence[Letter]) -> list[Parcel | Outcome]:
        findings: Sequence[LeakFinding | None] = [None] * len(letters)
        if self._leaks is not None and all(letter.mail.looked_at_apart() is not None for letter in letters):
            findings = self._leaks.found_apart([letter.mail for letter in letters])
        return [
            self._parcel(letter.mail, released=letter.released, begin=letter.begin, finding=finding)
            for letter, finding in zip(letters, findings, strict=True)
        ]

    def _parcel(
        self, mail: Mail, *, released: bool, begin: Callable[[], None], finding: LeakFinding | None = None
    ) -> Parcel | Outcome:
        """Return an email as SMTP carries it, or what became of it if it is not to be sent.

        `finding`: what of others it carries, where that is known.
        """
        try:
            to = message.recipient(mail.to)
        except LetterError:
            return Permanent(0, "bad-address")
        try:
            content = self._prepared(mail, to, released=released, finding=finding)
        except (TrothError, ValueError):
            return Permanent(0, "bad-mail")
        if isinstance(content, HeldMail):
            return content
        sender = self._sender.address
        utf8 = not content.isascii()  # an address in its head goes beyond ASCII; its parts never do
        return Parcel(sender.envelope(), to.envelope(), content, utf8, begin)

    def _prepared(self, mail: Mail, to: Recipient, *, released: bool, finding: LeakFinding | None) -> bytes | HeldMail:
        """Return the mail written, examined and signed; or why it is held.

        Outside the event loop: a large mail takes a while, and a signature a millisecond, in which another leaves.
        Checked and held mails take the same way at the same pace; only the office learns which was held.
        """
        writer = message.write if mail.looked_at_apart() is None else quick_message.write
        write = partial(writer, to=to, sender=self._sender, at=clock.now())
        content = write(mail)
        if self._leaks is not None and not released:
            if finding is None:
                finding = self._leaks.found(mail, content, write)
            if not finding.clear:
                return HeldMail("unchecked" if finding.unchecked else "leak", finding.categories, finding.causes)
        return self._dkim.sign(content) if self._dkim else content

    async def _hand_over(self, parcel: Parcel, relays: Sequence[Relay] = (), before: Outcome | None = None) -> Outcome:
        """Have a relay take the email; another one only where the first failed before the content was begun.

        `before`: what came of it at a relay that is not among `relays`.
        """
        outcome = before
        remaining = list(relays or self._relays)
        while (relay := _next_of(remaining, must=outcome is None)) is not None:
            remaining.remove(relay)
            outcome = await relay.send(parcel)
            if not (isinstance(outcome, Temporary) and outcome.of_relay):
                break
        assert outcome is not None
        return outcome


def _next_of(relays: Sequence[Relay], *, must: bool) -> Relay | None:
    """Return the least busy relay that does not rest. `must`: if all rest, the one that wakes first."""
    awake = [relay for relay in relays if not relay.rests]
    if awake:
        return min(awake, key=lambda relay: relay.load)
    return min(relays, key=lambda relay: relay.rests_until) if must else None


def doors(config: Config) -> list[Door]:
    """Return the worker's doors. Raises `DoorError` with the fix."""
    return list(declared(config))


def leaks(config: Config) -> Leaks:
    """Return the leak check for this site's mails and exports."""
    return Leaks(keeper.keeper().marks, Public.of(config, settings.TROTH_SITE.policy))


def dkim_key(site: Site, mail: MailSection) -> DkimKey | None:
    """Return the key of `dkim_selector`, if the site has one. Raises `DkimError` if it is unusable."""
    path = site.dkim_keys / f"{mail.dkim_selector}.pem"
    if not path.exists():
        return None
    return DkimKey.load(path, mail.dkim_domain or mail.sender.rpartition("@")[2], mail.dkim_selector)


def password(site: Site) -> str | None:
    """Return the relay's password without a trailing newline; None if there is no such file."""
    return _password(site.mail_password)


def passwords(site: Site, config: Config) -> dict[str, str | None]:
    """Return the passwords of further relays, by their names."""
    return {relay.name: _password(site.relay_password(relay.name)) for relay in config.relay}


def _password(path: Path) -> str | None:
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError):
        raise DoorError(
            f"keys/{path.name} is not readable.",
            mend="Make it readable for the worker's user, as one line of UTF-8 text.",
        ) from None


def _tls(cafile: Path | None) -> ssl.SSLContext:
    """Return a context that verifies certificates and names, with TLS 1.2 or later."""
    context = ssl.create_default_context(cafile=str(cafile) if cafile else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
