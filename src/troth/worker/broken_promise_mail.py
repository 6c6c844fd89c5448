"""The mail to those under `notify` in [office] that a promise is broken, and the one that all are kept again. Queued
once for each run of proofs that changed what is broken: its id is drawn from run and address, so that it goes once,
also from a restored copy. May touch: the database."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction

from troth.core import clock
from troth.core.personal import EmailAddress
from troth.gate import outbox
from troth.gate.email_kinds import ALARM
from troth.gate.mail_types import AlarmMail
from troth.gate.message import Mail
from troth.gate.models import Delivery
from troth.policy.models import ProofRun
from troth.policy.promise import State
from troth.policy.promises import PROMISES

_NAMESPACE = UUID("5b0f6a64-7d5e-4d2b-8f0c-9b6f2f1c7a33")
_LATELY = timedelta(days=3)
"""How long a mail may be on its way: one that cannot leave is given up after that."""
_LOOK_BACK = timedelta(days=2)
"""Beyond it, what was broken before is not asked for: each proof is tried once a day."""


def queue() -> int:
    """Queue what has to be told and was not yet; returns how many mails."""
    turned = next(iter(_turns()), None)
    if turned is None:
        return 0
    domain, queued = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2], 0
    with transaction.atomic():
        for address in dict.fromkeys(settings.TROTH_CONFIG.office.notify):
            about = _about(turned[0], address)
            if not Delivery.objects.filter(id=about).exists():
                outbox.new(ALARM, about, None, domain, ident=about).save(force_insert=True)
                queued += 1
    return queued


def _about(run: ProofRun, address: str) -> UUID:
    return uuid5(_NAMESPACE, f"{run.id} {address}")


def _turns() -> Iterator[tuple[ProofRun, frozenset[str]]]:
    """The runs of late after which other promises were broken than before, the newest first; and which were."""
    since = clock.now() - _LATELY - _LOOK_BACK
    broken, states, turns = frozenset[str](), dict[str, tuple[str, str]](), list[tuple[ProofRun, frozenset[str]]]()
    for run in ProofRun.objects.filter(ended_at__gt=since).order_by("ended_at"):
        states |= {
            proof: (promise, result["state"])
            for promise, proofs in run.results.items()
            for proof, result in proofs.items()
        }
        now = frozenset(promise for promise, state in states.values() if state == State.BROKEN)
        if now != broken:
            turns.append((run, now))
        broken = now
    begin = clock.now() - _LATELY
    return (turn for turn in reversed(turns) if turn[0].ended_at and turn[0].ended_at > begin)


def compose_alarms(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """Return the mails of these deliveries, without those to somebody who is no longer told."""
    config, turns = settings.TROTH_CONFIG, list(_turns())
    waiting = {_about(run, address): (address, broken) for run, broken in turns for address in config.office.notify}
    return {row.id: mail(row, *waiting[row.about]) for row in rows if row.about in waiting}


def mail(row: Delivery, address: str, broken: frozenset[str]) -> AlarmMail:
    """Return the mail of one delivery."""
    config = settings.TROTH_CONFIG
    return AlarmMail(
        to=EmailAddress(address),
        site_name=config.site.name,
        message_id=row.message_id,
        maybe_twice=row.maybe_twice,
        what=_what(broken),
        mend=_mend(broken, f"{config.office.url.rstrip('/')}/promises/"),
    )


def _what(broken: frozenset[str]) -> str:
    if not broken:
        return "All promises are kept again"
    return "A promise is broken" if len(broken) == 1 else f"{len(broken)} promises are broken"


def _mend(broken: frozenset[str], page: str) -> str:
    if not broken:
        return f"The last check found no broken promise. {page}"
    means = "\n".join(f"- {PROMISES[promise].means} ({promise})" for promise in sorted(broken) if promise in PROMISES)
    return f"{means}\n\nVisitors see this on your privacy policy page, too. Details: {page}"
