"""Outgoing mail: claim a batch by a lease, open the addresses it needs, say what became of each mail.

A mail is claimed and the claim committed before anything is sent, so that a worker that is killed in between leaves a
trace: its lease runs out, and the mail is *uncertain*. It is tried once more, with the same Message-ID and the mark
`maybe_twice`; then it stays as it is. No mail goes twice unnoticed (WALL 4).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q

from troth.gate.mail import ConfirmationMail, Permanent, Sent, Temporary, Uncertain
from troth.ground import clock
from troth.ground.ids import new_id
from troth.ground.links import Act
from troth.ground.purpose import Reason
from troth.letters import services
from troth.letters.models import Delivery, Request
from troth.vault.keeper import keeper
from troth.vault.records import Details

LEASE = timedelta(minutes=3)
"""Longer than one mail can take; a worker says what became of a mail long before."""
GIVE_UP = timedelta(days=3)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=4)
NO_LONGER_WANTED, WORKER_STOPPED = "no_longer_wanted", "worker_stopped"
"""Reasons of our own, beside the gate's; docs/mail.md says what each means."""
_State = Delivery.State
type Outcome = Sent | Temporary | Permanent | Uncertain


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed mail, ready to send."""

    delivery: UUID
    claim: UUID
    mail: ConfirmationMail


def claim(limit: int) -> list[Job]:
    """Claim up to `limit` mails whose time has come. The addresses are opened after the claim is committed."""
    mark = new_id()
    with transaction.atomic():
        now = clock.now()
        due = Delivery.objects.filter(state__in=[_State.QUEUED, _State.UNCERTAIN], next_at__lte=now)
        ids = list(due.order_by("next_at").values_list("id", flat=True)[:limit])
        if not ids:
            return []
        due.filter(id__in=ids).update(
            # What was uncertain before this try may go twice: the mail is marked before it leaves.
            maybe_twice=Q(state=_State.UNCERTAIN) | Q(maybe_twice=True),
            state=_State.SENDING,
            lease_until=now + LEASE,
            claim=mark,
            attempts=F("attempts") + 1,
        )
        claimed = list(
            Delivery.objects.filter(claim=mark, state=_State.SENDING).select_related("request", "request__subscription")
        )
        wanted = [row for row in claimed if _still_wanted(row.request)]
        _suppress([row for row in claimed if row not in wanted])
    return _jobs(wanted)


def _still_wanted(request: Request) -> bool:
    return request.state == Request.State.OPEN and request.expires_at > clock.now() and request.record_id is not None


def _suppress(rows: Sequence[Delivery]) -> None:
    Delivery.objects.filter(id__in=[row.id for row in rows]).update(
        state=_State.SUPPRESSED, reason=NO_LONGER_WANTED, next_at=None, lease_until=None, done_at=clock.now()
    )


def _jobs(rows: Sequence[Delivery]) -> list[Job]:
    if not rows:
        return []
    records = {row.request.record_id: row for row in rows if row.request.record_id}
    opened = keeper().open_by_id(Reason.SEND_CONFIRMATION, actor=services.WORKER, record_ids=list(records))
    jobs = []
    for row in rows:
        details = opened.get(row.request.record_id) if row.request.record_id else None
        if isinstance(details, Details):
            assert row.claim is not None
            jobs.append(Job(row.id, row.claim, _mail(row, details)))
    ready = {job.delivery for job in jobs}
    _suppress([row for row in rows if row.id not in ready])  # erased in the meantime
    return jobs


def _mail(row: Delivery, details: Details) -> ConfirmationMail:
    config, signer = settings.TROTH_CONFIG, services.signer()
    confirm = signer.sign(Act.CONFIRM, row.request.id, row.request.expires_at)
    leave = signer.sign(Act.UNSUBSCRIBE, row.request.subscription_id)
    return ConfirmationMail(
        to=details.email,
        confirm_url=f"{config.site.url}/confirm/{confirm}",
        unsubscribe_url=f"{config.site.url}/unsubscribe/{leave}",
        site_name=config.site.name,
        form_title=config.newsletter.title,
        privacy_url=config.site.privacy_url,
        message_id=row.message_id,
        maybe_twice=row.maybe_twice,
    )


def record(job: Job, outcome: Outcome) -> str:
    """Write down what became of a mail; returns its new state. Only the claim that sent it may say so."""
    row = Delivery.objects.filter(id=job.delivery, claim=job.claim).first()
    if row is None:
        return "lost_claim"
    change = _change(row, outcome)
    mine = Delivery.objects.filter(id=job.delivery, claim=job.claim, state=_State.SENDING)
    return str(change["state"]) if mine.update(**change) else "lost_claim"


def _change(row: Delivery, outcome: Outcome) -> dict[str, object]:
    now = clock.now()
    change: dict[str, object] = {"lease_until": None, "claim": None, "next_at": None, "done_at": now}
    if isinstance(outcome, Sent):
        return {**change, "state": _State.SENT, "reason": "", "code": None}
    change["reason"] = outcome.reason[:40]
    if isinstance(outcome, Uncertain):
        return {**change, "state": _State.UNCERTAIN, **_once_more(row)}
    change["code"] = outcome.code
    if isinstance(outcome, Permanent) or now - row.created_at > GIVE_UP:
        return {**change, "state": _State.FAILED}
    wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(max(row.attempts - 1, 0), 12))
    return {**change, "state": _State.QUEUED, "next_at": now + wait, "done_at": None}


def _once_more(row: Delivery) -> dict[str, object]:
    if row.maybe_twice:
        return {"next_at": None}
    return {"next_at": clock.now() + _FIRST_WAIT, "done_at": None}


def record_all(done: Sequence[tuple[Job, Outcome]]) -> list[str]:
    """Write down what became of several mails, in one transaction: one sync for all of them."""
    with transaction.atomic():
        return [record(job, outcome) for job, outcome in done]


def release(job: Job) -> None:
    """Give back a claim whose mail was certainly not sent."""
    Delivery.objects.filter(id=job.delivery, claim=job.claim, state=_State.SENDING).update(
        state=_State.QUEUED, claim=None, lease_until=None, attempts=F("attempts") - 1
    )


def recover(in_hand: Collection[UUID], *, all_leases: bool = False) -> int:
    """Make uncertain what a worker that is gone was sending; returns how many.

    `all_leases`: do not wait for leases to run out. Right at a start, when the lock says that no other worker lives.
    `in_hand`: what this worker itself is sending, whatever a clock that jumped says about its lease.
    """
    gone = Delivery.objects.filter(state=_State.SENDING, lease_until__isnull=False).exclude(id__in=in_hand)
    if not all_leases:
        gone = gone.filter(lease_until__lt=clock.now())
    now = clock.now()
    over = gone.filter(maybe_twice=True).update(
        state=_State.UNCERTAIN, next_at=None, claim=None, lease_until=None, reason=WORKER_STOPPED, done_at=now
    )
    again = gone.filter(maybe_twice=False).update(
        state=_State.UNCERTAIN, next_at=now, claim=None, lease_until=None, reason=WORKER_STOPPED
    )
    return over + again


def counts() -> dict[str, int]:
    """How many mails are in each state; every state is named."""
    found = dict(Delivery.objects.values_list("state").annotate(Count("id")).values_list("state", "id__count"))
    return {state.value: found.get(state.value, 0) for state in _State}


def adds_up() -> bool:
    """Whether every mail is in one of the known states."""
    return sum(counts().values()) == Delivery.objects.count()
