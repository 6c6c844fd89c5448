"""The proofs' own mail relay, on this machine: receives what the mailer sends and forwards nothing.

So a proof can examine an email as it is sent: its envelope and every byte. The emails pass through the real mailer,
checked and signed; only the relay differs. May touch: the network, on this machine only.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from troth.core.config.sections import Config
from troth.core.site import Site
from troth.gate import mailer as door
from troth.gate.loopback.smtp_sink import ReceivedMail, Sink
from troth.gate.message import Mail
from troth.gate.smtp import HeldMail, Outcome


@dataclass(frozen=True, slots=True, repr=False)
class SendAttempt:
    """What became of one mail: what the door said, and all that came to the relay because of it."""

    outcome: Outcome
    received: tuple[ReceivedMail, ...]

    @property
    def held(self) -> bool:
        """Whether it was held, because it seems to have another person's details."""
        return isinstance(self.outcome, HeldMail)


def listener() -> socket.socket:
    """Return a free port of this machine for a proof's relay."""
    return socket.create_server(("127.0.0.1", 0))


def send(
    mails: Sequence[Mail],
    site: Site,
    config: Config,
    listening: socket.socket | None = None,
    *,
    anyway: bool = False,
) -> list[SendAttempt]:
    """Send these through the mail door to a relay that keeps them, one after the other. `listening`: where, if it was
    opened before. `anyway`: what the door holds comes as well, as if an owner had let it go. Raises `OSError` where it
    cannot listen, `DkimError` where the site's key cannot be used."""
    if listening is not None:
        return asyncio.run(_send(mails, site, config, listening, anyway=anyway))
    with listener() as own:
        return asyncio.run(_send(mails, site, config, own, anyway=anyway))


async def _send(
    mails: Sequence[Mail], site: Site, config: Config, listening: socket.socket, *, anyway: bool
) -> list[SendAttempt]:
    sink, attempts = Sink(), list[SendAttempt]()
    server = await asyncio.start_server(sink.serve, sock=listening.dup())
    loopback_mail = msgspec.structs.replace(config.mail, relay=f"smtp://127.0.0.1:{listening.getsockname()[1]}")
    try:
        async with door.Post(loopback_mail, door.dkim_key(site, config.mail), leaks=door.leaks(config)) as post:
            for mail in mails:
                sink.received.clear()
                outcome = await _sent(post, mail)
                if anyway and isinstance(outcome, HeldMail):
                    await _sent(post, mail, released=True)  # to here and no further: to see what is in it
                attempts.append(SendAttempt(outcome, tuple(sink.received)))
    finally:
        server.close()
    return attempts


async def _sent(post: door.Post, mail: Mail, *, released: bool = False) -> Outcome:
    """Send an email by the way that the worker has for it: those of campaigns are examined and sent among many."""
    if mail.looked_at_apart() is None:
        return await post.send(mail, released=released)
    outcomes = list[Outcome | None]()
    await post.send_many([door.Letter(mail, outcomes.append, released=released)])
    (outcome,) = outcomes
    assert outcome is not None  # nothing leaves off here
    return outcome
