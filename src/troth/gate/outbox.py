"""The outbox: claims a batch with a lease, has each email composed, records the outcome.

The claim is committed before anything is sent. If the worker is killed, what it had begun (`gate.begun_log`; if that is
unknown, all it had claimed) is *uncertain*: it is retried once with the same Message-ID and the mark `maybe_twice`, and
then stays uncertain. No email is sent twice unnoticed (WALL 4). Packages queue emails in the transaction that causes
them, and compose them once claimed. Sent emails are also recorded in `keys/sent/`, so that a restored copy does not
send them again. May touch: the database, `keys/sent/`.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import batched, groupby
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from troth.core import clock
from troth.core.holdings import Step
from troth.core.ids import new_id
from troth.core.rooms import EmailKind
from troth.core.site import Site
from troth.gate import bulk, causes, failure_reasons
from troth.gate.begun_log import Begun, BegunLog
from troth.gate.bulk import ClaimedMail
from troth.gate.email_kinds import every_kind
from troth.gate.failure_reasons import Why
from troth.gate.mailer import HeldMail, Permanent, Sent, Temporary, Uncertain
from troth.gate.message import Mail
from troth.gate.models import Cause, Delivery
from troth.gate.sent_log import Deeds, SentJournal
from troth.vault import row_counts

LEASE = timedelta(minutes=3)
"""Longer than one mail can take; a worker reports the result long before."""
GIVE_UP = timedelta(days=3)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=4)
NO_LONGER_WANTED, WORKER_STOPPED = "no_longer_wanted", "worker_stopped"
"""Reasons of our own, beside the gate's; docs/mail.md says what each means."""
_State = Delivery.State
LOOKED_THROUGH = ("leak", "unchecked")
"""Why the mail door holds a mail; `after_restore` does for another reason."""
_NOTHING_DUE: Mapping[str, Any] = {"lease_until": None, "claim": None, "next_at": None, "reason": "", "code": None}
"""What is left of a mail that was sent."""
type Outcome = Sent | Temporary | Permanent | Uncertain | HeldMail
type ClaimedRow = Delivery | ClaimedMail
type Composer = Callable[[Sequence[Any]], Mapping[UUID, Mail]]
"""Puts mails of one kind together, from their `ClaimedRow`s, by delivery id. What it leaves out is no longer wanted."""


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed mail, ready to send."""

    delivery: UUID
    claim: UUID
    mail: Mail
    released: bool = False
    """An owner looked at it: it is not held again."""


def new(
    kind: EmailKind,
    about: UUID,
    person: UUID | None,
    domain: str,
    *,
    at: datetime | None = None,
    ident: UUID | None = None,
) -> Delivery:
    """Return an email to queue; the caller saves it. `domain`: the sender's, for its Message-ID.

    `ident`: derived from the entry that caused it (`ids.derived`), so that a restored copy queues the same email.
    """
    now = clock.now()
    delivery = Delivery(
        id=ident or new_id(), kind=kind.name, about=about, person_id=person, next_at=at or now, created_at=now
    )
    delivery.message_id = f"<{delivery.id}@{domain}>"
    return delivery


def claim(limit: int, composers: Mapping[str, Composer], about: UUID | None = None) -> list[Job]:
    """Claim up to `limit` due emails, and compose them after the claim is committed.

    `about`: those of this campaign; None: those of none.
    """
    mark = new_id()
    if about is not None:
        _begun().claim(mark)
        with transaction.atomic():
            mails = bulk.claim(mark, about, limit, clock.now() + LEASE)
            restricted = bulk.restricted(mark)
        return _composed(mark, mails, [mail for mail in mails if mail.person_id not in restricted], composers)
    if not _claim(mark, limit):
        return []
    rows = Delivery.with_canaries.filter(claim=mark, state=_State.SENDING).select_related("person")
    claimed = list(rows.order_by("kind", "id"))
    sendable = [row for row in claimed if row.person is None or row.person.frozen_at is None or _even_restricted(row)]
    return _composed(mark, claimed, sendable, composers)


def _claim(mark: UUID, limit: int) -> int:
    """Claim up to `limit` due emails that are of no campaign; return how many."""
    with transaction.atomic():
        now = clock.now()
        due = Delivery.with_canaries.filter(state__in=[_State.QUEUED, _State.UNCERTAIN], next_at__lte=now, bulk=False)
        ids = list(due.order_by("next_at").values_list("id", flat=True)[:limit])
        if ids:
            _begun().claim(mark)
            due.filter(id__in=ids).update(
                # What was uncertain before this try may go twice: the mail is marked before it leaves.
                maybe_twice=Q(state=_State.UNCERTAIN) | Q(maybe_twice=True),
                state=_State.SENDING,
                lease_until=now + LEASE,
                claim=mark,
                attempts=F("attempts") + 1,
            )
    return len(ids)


def _composed(
    mark: UUID, claimed: Sequence[ClaimedRow], sendable: Sequence[ClaimedRow], composers: Mapping[str, Composer]
) -> list[Job]:
    """Have the sendable emails of a claim composed. If that fails, they are as they were."""
    try:
        jobs = _jobs(mark, claimed, sendable, composers)
    except Exception:
        _requeue(Delivery.with_canaries.filter(claim=mark, state=_State.SENDING))
        _begun().over(mark)
        raise
    if not jobs:
        _begun().over(mark)
    return jobs


def begin(delivery: UUID) -> None:
    """Record that the content of a claimed email is about to be handed to a relay. Raises `OSError`: don't send it."""
    _begun().begin(delivery)


def taken(delivery: UUID) -> None:
    """Record that the relay took an email, before the database has it: a killed worker does not leave it uncertain."""
    _begun().sent(delivery)


def over(claims: Collection[UUID]) -> None:
    """Forget which emails of these claims were begun: all their results are recorded."""
    for claim in claims:
        _begun().over(claim)


def _requeue(rows: QuerySet[Delivery]) -> None:
    rows.update(state=_State.QUEUED, lease_until=None, claim=None, next_at=clock.now() + _FIRST_WAIT)


def _even_restricted(row: Delivery) -> bool:
    kind = every_kind().get(row.kind)
    return kind is not None and kind.even_restricted


def _jobs(
    mark: UUID, claimed: Sequence[ClaimedRow], sendable: Sequence[ClaimedRow], composers: Mapping[str, Composer]
) -> list[Job]:
    composed: dict[UUID, Mail] = {}
    for kind, rows in groupby(sendable, key=lambda row: row.kind):
        composed.update(composers[kind](list(rows)))
    _leave_out([row.id for row in claimed if row.id not in composed])
    _journal().tried(row.id for row in claimed if row.id in composed)  # synced: now a mail may leave
    return [Job(row.id, mark, composed[row.id], row.released) for row in claimed if row.id in composed]


def postpone(moments: Mapping[UUID, datetime]) -> None:
    """Put claimed emails of a campaign back until their moments: it is not their turn. Not counted as a try."""
    for at, group in groupby(sorted(moments, key=lambda ident: moments[ident]), key=lambda ident: moments[ident]):
        claimed = Delivery.with_canaries.filter(id__in=list(group), bulk=True, state=_State.SENDING)
        claimed.update(state=_State.QUEUED, lease_until=None, claim=None, next_at=at, attempts=F("attempts") - 1)


def _leave_out(ids: Collection[UUID]) -> None:
    """Suppress emails that are no longer wanted: the link expired, or the person was deleted. While the clock is not
    trusted, they wait."""
    if not clock.doubted():
        suppress(ids)
    elif ids:
        _requeue(Delivery.with_canaries.filter(id__in=ids))


def mend_times(now: datetime) -> int:
    """Once the clock is trusted again, make emails due that were postponed far ahead; return how many."""
    overdue = Q(attempts__gt=0, next_at__gt=now + _LONGEST_WAIT) | Q(created_at__gt=now + _LONGEST_WAIT)
    late = Delivery.with_canaries.filter(overdue, state__in=[_State.QUEUED, _State.UNCERTAIN], next_at__isnull=False)
    return late.update(next_at=now)


def suppress(ids: Collection[UUID], reason: str = NO_LONGER_WANTED) -> None:
    """Mark these as not to be sent; those of a campaign as skipped."""
    if ids:
        change = {"reason": reason, "next_at": None, "lease_until": None, "claim": None, "done_at": clock.now()}
        rows = Delivery.with_canaries.filter(id__in=ids)
        rows.filter(bulk=False).update(state=_State.SUPPRESSED, **change)
        rows.filter(bulk=True, state=_State.SENDING).update(state=_State.SKIPPED, **change)


def record(job: Job, outcome: Outcome) -> str:
    """Record the result of a mail; return its new state. Only the claim that sent it may do so."""
    row = Delivery.with_canaries.filter(id=job.delivery, claim=job.claim).first()
    if row is None:
        return "lost_claim"
    _note(job, outcome)
    change = _change(row, outcome)
    if isinstance(outcome, HeldMail):
        row.causes.set(causes.note(outcome.causes))
    still_claimed = Delivery.with_canaries.filter(id=job.delivery, claim=job.claim, state=_State.SENDING)
    return str(change["state"]) if still_claimed.update(**change) else "lost_claim"


def _journal() -> SentJournal:
    return SentJournal.of(settings.TROTH_SITE)


def _begun() -> BegunLog:
    return _begun_of(settings.TROTH_SITE)


@lru_cache(maxsize=1)
def _begun_of(site: Site) -> BegunLog:
    return _begun_in(site.sent)


@cache
def _begun_in(folder: Path) -> BegunLog:
    return BegunLog(folder)


def _note(job: Job, outcome: Outcome) -> None:
    """Record the outcome outside the database first: a restored copy must not send it again."""
    if isinstance(outcome, Sent):
        _journal().sent([job.delivery])
    elif not isinstance(outcome, Uncertain):
        _journal().not_sent([job.delivery])


def _change(row: Delivery, outcome: Outcome) -> dict[str, object]:
    now = clock.now()
    change: dict[str, object] = {"lease_until": None, "claim": None, "next_at": None, "done_at": now}
    if isinstance(outcome, Sent):
        return {**change, "state": _State.SENT, "reason": "", "code": None}
    change["reason"] = outcome.reason[:40]
    if isinstance(outcome, Uncertain):
        return {**change, "state": _State.UNCERTAIN, **_once_more(row)}
    if isinstance(outcome, HeldMail):
        return {**change, "state": _State.HELD, "done_at": None, "tripped": " ".join(outcome.categories)}
    change["code"] = outcome.code
    if isinstance(outcome, Permanent) or (now - row.created_at > GIVE_UP and not clock.doubted()):
        return {**change, "state": _State.FAILED}
    wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(max(row.attempts - 1, 0), 12))
    return {**change, "state": _State.QUEUED, "next_at": now + wait, "done_at": None}


def _once_more(row: Delivery) -> dict[str, object]:
    if row.maybe_twice:
        return {"next_at": None}
    return {"next_at": clock.now() + _FIRST_WAIT, "done_at": None}


def record_all(results: Sequence[tuple[Job, Outcome | None]]) -> list[str]:
    """Record the results of several mails in one transaction, with one sync; return their new states. None: it was not
    begun, and its claim is released."""
    with transaction.atomic():
        sent = _record_sent([job for job, outcome in results if isinstance(outcome, Sent)])
        release([job for job, outcome in results if outcome is None])
        return [_recorded(job, outcome, sent) for job, outcome in results]


def _recorded(job: Job, outcome: Outcome | None, sent: Collection[tuple[UUID, UUID]]) -> str:
    if outcome is None:
        return "released"
    if isinstance(outcome, Sent):
        return str(_State.SENT) if (job.claim, job.delivery) in sent else "lost_claim"
    return record(job, outcome)


def _record_sent(jobs: Sequence[Job]) -> set[tuple[UUID, UUID]]:
    """Record that these mails were sent, a statement for each claim; return claim and id of those it still had."""
    sent = set[tuple[UUID, UUID]]()
    by_claim = sorted(jobs, key=lambda job: job.claim)
    for mark, of_claim in groupby(by_claim, key=lambda job: job.claim):
        sent |= {(mark, mail) for mail in bulk.record_sent(mark, [job.delivery for job in of_claim])}
    _journal().sent(mail for _, mail in sent)  # before the database commits, as in `record`
    return sent


def release(jobs: Sequence[Job]) -> None:
    """Release the claims of mails that were certainly not sent."""
    _journal().not_sent(job.delivery for job in jobs)
    for batch in batched(jobs, 500):
        still_claimed = Delivery.with_canaries.filter(
            id__in=[job.delivery for job in batch], claim__in={job.claim for job in batch}, state=_State.SENDING
        )
        still_claimed.update(state=_State.QUEUED, claim=None, lease_until=None, attempts=F("attempts") - 1)


def held() -> list[Delivery]:
    """Return mails that wait for an owner, oldest first."""
    return list(Delivery.objects.filter(state=_State.HELD).order_by("created_at", "id"))


def let_go(delivery: UUID) -> bool:
    """Send a held mail that an owner approved; False if it is not held.

    A mail that was checked is not checked again; one held by a restore still is.
    """
    waiting = Delivery.objects.filter(id=delivery, state=_State.HELD)
    checked = Q(reason__in=LOOKED_THROUGH)
    return bool(waiting.update(state=_State.QUEUED, released=checked, next_at=clock.now()))


def drop(delivery: UUID) -> bool:
    """Discard a held mail that an owner rejected; False if it is not held."""
    waiting = Delivery.objects.filter(id=delivery, state=_State.HELD)
    return bool(waiting.update(state=_State.SUPPRESSED, reason="dropped", next_at=None, done_at=clock.now()))


def settle(cause: UUID, *, approved: bool) -> int:
    """Apply an owner's decision on a cause: send or discard what it alone holds; return how many mails."""
    waiting = Delivery.objects.filter(state=_State.HELD, causes=cause)
    decide = let_go if approved else drop
    remaining = Cause.objects.filter(quiet_at=None).exclude(id=cause)
    ids = waiting.exclude(causes__in=remaining) if approved else waiting
    return sum(decide(ident) for ident in list(ids.values_list("id", flat=True)))


def recover(in_hand: Collection[UUID], *, all_leases: bool = False) -> int:
    """Mark as uncertain what a dead worker had begun, and queue what it had not; return how many are uncertain.

    `all_leases`: do not wait for leases to expire; only at a start, when the lock shows that no other worker runs.
    `in_hand`: the claims that this worker itself is sending, whatever a clock that jumped says about their lease.
    """
    abandoned = Delivery.with_canaries.filter(state=_State.SENDING, lease_until__isnull=False)
    abandoned = abandoned.exclude(claim__in=in_hand)
    if all_leases:
        log = _begun().read()
        _note_taken(abandoned, log)
        _queue_again(abandoned, log)
    else:
        abandoned = abandoned.filter(lease_until__lt=clock.now())
    now = clock.now()
    over = abandoned.filter(maybe_twice=True).update(
        state=_State.UNCERTAIN, next_at=None, claim=None, lease_until=None, reason=WORKER_STOPPED, done_at=now
    )
    requeued = abandoned.filter(maybe_twice=False).update(
        state=_State.UNCERTAIN, next_at=now, claim=None, lease_until=None, reason=WORKER_STOPPED
    )
    return over + requeued


def _note_taken(abandoned: QuerySet[Delivery], log: Begun) -> None:
    """Record as sent what the relay took before the worker could write it down."""
    for batch in batched(log.sent, 500):
        accepted = abandoned.filter(claim__in=log.claims, id__in=batch)
        _journal().sent(list(accepted.values_list("id", flat=True)))
        accepted.update(state=_State.SENT, done_at=clock.now(), **_NOTHING_DUE)


def _queue_again(abandoned: QuerySet[Delivery], log: Begun) -> None:
    """Queue what was claimed and certainly not begun, as if it had never been claimed."""
    logged = abandoned.filter(claim__in=log.claims)
    rows = [row for row in logged.values_list("id", "maybe_twice") if row[0] not in log.deliveries]
    # What may have been sent before this claim stays so in the journal, too.
    _journal().not_sent(ident for ident, maybe_twice in rows if not maybe_twice)
    change = {"state": _State.QUEUED, "claim": None, "lease_until": None, "next_at": clock.now()}
    for batch in batched([ident for ident, _ in rows], 500):
        logged.filter(id__in=batch).update(attempts=F("attempts") - 1, **change)


def after_restore(deeds: Deeds, *, complete: bool) -> Counter[str]:
    """Set each email that a restored copy would send to its state in the journal; return how many of each.

    Sent emails become sent; those tried with an unknown outcome stay uncertain. If the journal is not `complete`, the
    others may have been sent, too: they are held until an owner sends or drops them.
    """
    now, changed = clock.now(), dict[str, list[UUID]]()
    unfinished = Q(state__in=[_State.QUEUED, _State.SENDING, _State.HELD]) | Q(
        state=_State.UNCERTAIN, next_at__isnull=False
    )
    for ident, before in Delivery.with_canaries.filter(unfinished).values_list("id", "state"):
        state = _as_told(ident, before, deeds, complete=complete)
        if state != before or (state == _State.UNCERTAIN and ident in deeds.tried):
            changed.setdefault(state, []).append(ident)
    for state, ids in changed.items():
        change: dict[str, object] = {
            "state": state,
            "reason": "" if state in (_State.QUEUED, _State.SENT) else "restored",
            "next_at": now if state == _State.QUEUED else None,
            "done_at": now if state in (_State.SENT, _State.UNCERTAIN) else None,
            "lease_until": None,
            "claim": None,
        }
        for batch in batched(ids, 500):
            Delivery.with_canaries.filter(id__in=batch).update(**change)
    return Counter({state: len(ids) for state, ids in changed.items()})


def _as_told(ident: UUID, before: str, deeds: Deeds, *, complete: bool) -> str:
    if ident in deeds.sent:
        return _State.SENT
    if ident in deeds.tried:
        return _State.UNCERTAIN
    if not complete:
        return _State.HELD
    return _State.QUEUED if before == _State.SENDING else before


def steps(person: UUID, kind: EmailKind, name: str) -> list[Step]:
    """Return what became of a person's mails of one kind, for their history."""
    mails = Delivery.with_canaries.filter(person=person, kind=kind.name)
    return [Step(f"{name}: {Delivery.State(mail.state).words}", mail.done_at) for mail in mails if mail.done_at]


def counts() -> dict[str, int]:
    """Return how many mails are in each state, including states without any."""
    return row_counts.counts("delivery")


def failures() -> list[Why]:
    """Return why mails wait, failed, are held or uncertain, most frequent first. A mail never tried has no reason."""
    rows = Delivery.objects.filter(state__in=failure_reasons.TOLD).exclude(reason="").values_list("state", "reason")
    return sorted((Why(*row) for row in rows.annotate(n=Count("id"))), key=lambda why: (-why.count, why.reason))
