"""The mails of a campaign in the outbox: one row for each recipient, claimed apart from all other mails.

    audience = sent + failed + suppressed + uncertain + skipped, and what is still to be sent

Rows go with their person and after their retention period; their sums stay (`DeliveryTotal`), so that this holds at
any time. A row's id derives from campaign and person: adding somebody twice adds one mail, with the same Message-ID.
May touch: the database.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet

from troth.core import clock
from troth.core.rooms import EmailKind
from troth.gate.models import Delivery, DeliveryTotal
from troth.vault.models import Canary

CANCELLED = "cancelled"
_State = Delivery.State
_COLUMNS = (
    "id", "kind", "about", "person_id", "bulk", "state", "next_at", "attempts", "maybe_twice", "released", "tripped",
    "message_id", "reason", "created_at",
)  # fmt: skip


def delivery_id(about: uuid.UUID, person: uuid.UUID) -> uuid.UUID:
    """Return the id of the mail of this campaign to this person: always the same, and it does not tell whose."""
    digest = blake2b(about.bytes + person.bytes, digest_size=16, person=b"troth campaign").digest()
    return uuid.UUID(bytes=digest)


def add(kind: EmailKind, about: uuid.UUID, people: Sequence[uuid.UUID], domain: str) -> int:
    """Queue a mail of the campaign `about` to each of `people`, in the caller's transaction; return how many are new.

    Who has one already gets none. `domain`: the sender's, for the Message-ID. Some 10 µs for each.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM gate_delivery WHERE about = %s", [_id(about)])
        (before,) = cursor.fetchone()
        _insert(cursor, kind, about, people, domain)
        cursor.execute("SELECT count(*) FROM gate_delivery WHERE about = %s", [_id(about)])
        (after,) = cursor.fetchone()
    return int(after - before)


def _insert(cursor: Any, kind: EmailKind, about: uuid.UUID, people: Sequence[uuid.UUID], domain: str) -> None:
    now = _time(clock.now())
    rows = []
    for person in people:
        ident = delivery_id(about, person)
        rows.append(
            (_id(ident), kind.name, _id(about), _id(person), True, _State.QUEUED.value, now, 0, False, False, "",
             f"<{ident}@{domain}>", "", now)
        )  # fmt: skip
    marks = ", ".join(["%s"] * len(_COLUMNS))
    columns = ", ".join(_COLUMNS)
    cursor.executemany(
        f"INSERT INTO gate_delivery ({columns}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING",  # noqa: S608
        rows,
    )


def _id(value: uuid.UUID) -> uuid.UUID | str:
    """Return an id as this database stores it."""
    return value if connection.vendor == "postgresql" else value.hex


def _time(value: datetime) -> Any:
    return value if connection.vendor == "postgresql" else connection.ops.adapt_datetimefield_value(value)


@dataclass(frozen=True, slots=True)
class ClaimedMail:
    """A claimed mail of a campaign: what its composer has to know of its row."""

    id: uuid.UUID
    kind: str
    about: uuid.UUID
    person_id: uuid.UUID | None
    message_id: str
    maybe_twice: bool
    released: bool
    claim: uuid.UUID


_CLAIM = """
UPDATE gate_delivery
SET maybe_twice = (state = 'uncertain' OR maybe_twice), state = 'sending', lease_until = %s, claim = %s,
    attempts = attempts + 1
WHERE id IN (
    SELECT id FROM gate_delivery
    WHERE about = %s AND bulk AND state IN ('queued', 'uncertain') AND next_at <= %s ORDER BY next_at LIMIT %s
)
RETURNING id, kind, person_id, message_id, maybe_twice, released
"""
_RESTRICTED = """
SELECT id FROM vault_person
WHERE frozen_at IS NOT NULL AND id IN (SELECT person_id FROM gate_delivery WHERE claim = %s)
"""
_SENT = """
UPDATE gate_delivery
SET state = 'sent', done_at = %s, next_at = NULL, lease_until = NULL, claim = NULL, reason = '', code = NULL
WHERE claim = %s AND state = 'sending' AND id IN ({})
RETURNING id
"""


def claim(mark: uuid.UUID, about: uuid.UUID, limit: int, until: datetime) -> list[ClaimedMail]:
    """Claim up to `limit` due mails of a campaign under `mark`, in the caller's transaction; return them.

    What was uncertain before this try may go twice: the mail is marked before it leaves. In statements of our own:
    through the models, each mail would cost as much here as to send it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [_time(until), _id(mark), _id(about), _time(clock.now()), limit])
        rows = cursor.fetchall()
    return [
        ClaimedMail(
            _uuid(ident), kind, about, _uuid(person) if person else None, message, bool(twice), bool(released), mark
        )
        for ident, kind, person, message, twice, released in rows
    ]


def people_of(mark: uuid.UUID) -> QuerySet[Delivery, Any]:
    """Return the people with a mail in this claim, for another query to look among: to hand a thousand ids over costs
    more than to look them up."""
    return Delivery.with_canaries.filter(claim=mark).values("person_id")


def restricted(mark: uuid.UUID) -> set[uuid.UUID]:
    """Return the people with a mail in this claim whose details are only kept (GDPR, article 18)."""
    with connection.cursor() as cursor:
        cursor.execute(_RESTRICTED, [_id(mark)])
        return {_uuid(person) for (person,) in cursor.fetchall()}


def record_sent(mark: uuid.UUID, mails: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Record that these mails of a claim were sent, in the caller's transaction; return those it still had."""
    by_id = {_id(mail): mail for mail in mails}
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(by_id))
        cursor.execute(_SENT.format(marks), [_time(clock.now()), _id(mark), *by_id])
        return {by_id[ident] for (ident,) in cursor.fetchall()}


def _uuid(stored: uuid.UUID | str) -> uuid.UUID:
    return stored if isinstance(stored, uuid.UUID) else uuid.UUID(stored)


def skip(about: uuid.UUID, limit: int) -> int:
    """Mark up to `limit` mails of a campaign that nobody has begun to send as skipped; return how many."""
    waiting = Delivery.with_canaries.filter(about=about, bulk=True, state=_State.QUEUED)
    ids = list(waiting.values_list("id", flat=True)[:limit])
    change = {"state": _State.SKIPPED, "reason": CANCELLED, "next_at": None, "done_at": clock.now()}
    return waiting.filter(id__in=ids).update(**change)


def retry(about: uuid.UUID, states: Collection[str]) -> int:
    """Queue the mails of a campaign again that are in one of `states` for good; return how many.

    What is uncertain may have arrived: it carries the note that it may come twice.
    """
    over = Delivery.with_canaries.filter(about=about, bulk=True, state__in=states, next_at=None)
    return over.update(
        maybe_twice=Q(state=_State.UNCERTAIN) | Q(maybe_twice=True),
        state=_State.QUEUED,
        next_at=clock.now(),
        created_at=clock.now(),  # from which it is counted when to give up
        attempts=0,
        done_at=None,
    )


def sums(about: uuid.UUID) -> Counter[str]:
    """Return how many mails of a campaign are in each state, with those whose rows were removed."""
    totals = Counter[str](_by_state(Delivery.with_canaries.filter(about=about)))
    # A handful, counted apart: without them, an index alone tells the rest.
    totals.subtract(_by_state(Delivery.with_canaries.filter(about=about, person__in=Canary.objects.values("person"))))
    for state, mails in DeliveryTotal.objects.filter(about=about).values_list("state", "mails"):
        totals[state] += mails
    return totals


def _by_state(rows: QuerySet[Delivery]) -> dict[str, int]:
    counted = rows.values_list("state").annotate(mails=Count("*")).order_by()
    return dict(counted.values_list("state", "mails"))


def unfinished(about: uuid.UUID) -> bool:
    """Return whether a mail of this campaign is still to be sent, or waits for an owner."""
    rows = Delivery.with_canaries.filter(about=about)
    waits = Q(state__in=[_State.QUEUED, _State.SENDING, _State.HELD])
    return rows.filter(waits).exists() or rows.filter(state=_State.UNCERTAIN, next_at__isnull=False).exists()


def keep_sums(leaving: Q) -> None:
    """Add the campaign mails that `leaving` finds to the totals: their rows are about to be removed.

    In the transaction that removes them. What was not sent by then counts as skipped.
    """
    rows = Delivery.objects.filter(leaving, bulk=True).values_list("about", "state").annotate(Count("id")).order_by()
    for about, state, mails in rows.values_list("about", "state", "id__count"):
        last = _State.SKIPPED if state in (_State.QUEUED, _State.HELD) else state
        last = _State.UNCERTAIN if last == _State.SENDING else last
        total, _ = DeliveryTotal.objects.get_or_create(about=about, state=last)
        DeliveryTotal.objects.filter(id=total.id).update(mails=F("mails") + mails)


def remove_old(before: datetime, limit: int = 1000) -> int:
    """Remove up to `limit` mails that were done `before`; the sums of campaigns stay. Returns how many."""
    with transaction.atomic():
        old = Delivery.objects.filter(done_at__lt=before)
        ids = list(old.values_list("id", flat=True)[:limit])
        keep_sums(Q(id__in=ids))
        Delivery.with_canaries.filter(id__in=ids).delete()
    return len(ids)


def sent_since(about: uuid.UUID, since: datetime) -> int:
    """Return how many mails of a campaign were sent since then."""
    return Delivery.objects.filter(done_at__gte=since, about=about, state=_State.SENT).count()
