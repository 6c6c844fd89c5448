"""The mails of a campaign in the outbox: one row for each recipient, claimed apart from all other mails.

    audience = sent + failed + suppressed + uncertain + skipped, and what is still to be sent

Rows go with their person and after their retention period; their sums stay (`DeliveryTotal`), so that this holds at
any time. A row's id derives from campaign and person: adding somebody twice adds one mail, with the same Message-ID.
May touch: the database.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
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
