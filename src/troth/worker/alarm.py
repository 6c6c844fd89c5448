"""The alarm: a process of its own that sends one mail and ends. It runs when the worker cannot, and needs no database.
It reads the settings and the mail keys, and connects to the mail relay by the gate."""

import asyncio
import sys
from pathlib import Path

from troth.core.config.load import load_config
from troth.core.ids import new_id
from troth.core.personal import EmailAddress
from troth.core.site import Site
from troth.gate import mailer, tripwire
from troth.supervisor.brief import Brief

_WORDS = {
    "silent": (
        "The worker has stopped responding",
        "It has crashed or is stuck, or can't process submissions. They are stored and wait. To find out why, run "
        "`troth doctor` on the server and see the last lines of the log.",
    ),
    "back": ("The worker is running again", "Waiting submissions are being processed. Nothing was lost."),
}


def run(brief: Brief) -> None:
    """Tell the addresses under `notify` in [office]. Exits with 1 where a mail could not be handed over."""
    site = Site(Path(brief.site))
    settings = load_config(site.config)
    if brief.word not in _WORDS or not settings.office.notify:
        return
    tripwire.arm(mailer.doors(settings))
    message, mend = _WORDS[brief.word]
    domain = settings.mail.sender.rpartition("@")[2]
    letters = [
        mailer.AlarmMail(
            to=EmailAddress(address),
            site_name=settings.site.name,
            message_id=f"<{new_id()}@{domain}>",
            what=message,
            mend=mend,
        )
        for address in settings.office.notify
    ]

    async def send() -> list[mailer.Outcome]:
        key, passwords = mailer.dkim_key(site, settings.mail), mailer.passwords(site, settings)
        further = settings.relay
        async with mailer.Post(settings.mail, key, mailer.password(site), further=further, passwords=passwords) as post:
            return [await post.send(letter) for letter in letters]

    outcomes = asyncio.run(send())
    if any(not isinstance(outcome, mailer.Sent) for outcome in outcomes):
        print("alarm: an email could not be handed to the SMTP server", file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(1)
