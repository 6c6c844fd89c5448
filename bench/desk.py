"""What stands on an operator's desk where there are very many people: conversations, mails, held mails, things aside.

One person in ten has written, half came by the form, each has had a mail, every thousandth has left, and the newest
confirmed in the last forty days.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import batched
from typing import Any

from troth.core.ids import new_id

_TEXT = "When does the next version come? I have used yours for a year and like it very much. Kind regards"
_CHUNK = 10_000
_HELD, _ASIDE = 60, 60


def lay() -> None:
    """Put all that there, unless it is there already. The site has its people, and Django is pointed at it."""
    from django.db import transaction

    from troth.contact.models import Thread
    from troth.gate.models import Delivery
    from troth.vault.models import Person

    if Thread.objects.exists():
        return
    people = Person.objects.order_by("id").values_list("id", "slot")
    for number, some in enumerate(batched(people.iterator(_CHUNK), _CHUNK)):
        with transaction.atomic():
            _write(list(some[::10]))
            _mail([who for who, _ in some])
            _ask([who for who, _ in some[::2]])
            if number == 0:
                _trouble([who for who, _ in some])
    Delivery.objects.filter(state="queued").update(next_at=None)  # nothing leaves while somebody measures
    _leave()


def _write(people: list[tuple[Any, int]]) -> None:
    from troth.contact.models import Message, Thread
    from troth.core import clock
    from troth.core.personal import MessageText
    from troth.vault import bulk_filing
    from troth.vault.keeper import keeper
    from troth.vault.models import Record
    from troth.vault.records import MESSAGE
    from troth.vault.records import Message as Written

    vault, records, threads, messages = keeper(), list[Any](), list[Any](), list[Any]()
    for number, (who, slot) in enumerate(people):
        at = clock.now() - timedelta(minutes=slot % 200_000)
        placed = bulk_filing.Placed(who, slot, vault.store.key(slot, who))
        written = Written(MessageText(_TEXT), int(at.timestamp() * 1000))
        row, thread = bulk_filing.boxed(vault, placed, MESSAGE, written, at), new_id()
        state = ("waiting", "answered", "closed", "closed")[number % 4]
        records.append(row)
        threads.append((thread, who, state, at, at))
        messages.append((new_id(), thread, row[0], "in", at, at))
    bulk_filing.insert(Record, bulk_filing.RECORD, records)
    bulk_filing.insert(Thread, ("id", "person_id", "state", "created_at", "last_at"), threads)
    bulk_filing.insert(Message, ("id", "thread_id", "record_id", "direction", "at", "filed_at"), messages)


_REQUEST = ("id", "subscription_id", "entry_id", "state", "created_at", "expires_at")
_MAIL = (
    "id",
    "kind",
    "about",
    "person_id",
    "state",
    "attempts",
    "maybe_twice",
    "released",
    "tripped",
    "message_id",
    "reason",
    "created_at",
    "done_at",
)


def _ask(people: list[Any]) -> None:
    """Half of them had signed up by the form, and confirmed."""
    from troth.core import clock
    from troth.newsletter.models import Request, Subscription
    from troth.vault import bulk_filing

    at, places = clock.now() - timedelta(days=60), dict[Any, Any]()
    for some in batched(people, 500):
        places.update(Subscription.objects.filter(person__in=some).values_list("person", "id"))
    rows = [(new_id(), places[who], new_id(), "confirmed", at, at) for who in people if who in places]
    bulk_filing.insert(Request, _REQUEST, rows)


def _mail(people: list[Any], state: str = "sent", reason: str = "", tripped: str = "") -> None:
    from troth.core import clock
    from troth.gate.models import Delivery
    from troth.vault import bulk_filing

    now = clock.now()
    done = now if state == "sent" else None
    rows = [
        (one, "confirmation", new_id(), who, state, 1, False, False, tripped, f"<{one}@example.com>", reason, now, done)
        for one, who in _named(people)
    ]
    bulk_filing.insert(Delivery, _MAIL, rows)


def _named(people: list[Any]) -> Iterator[tuple[Any, Any]]:
    for who in people:
        yield new_id(), who


def _trouble(people: list[Any]) -> None:
    from troth.vault.models import AsideItem

    _mail(people[:_HELD], "held", "leak", "email name")
    _mail(people[_HELD : 2 * _HELD], "failed")
    AsideItem.objects.bulk_create(
        AsideItem(segment=1, offset=number, size=900, kind=1, reason="no_key") for number in range(_ASIDE)
    )


def _leave() -> None:
    """Every thousandth left; of the newest, some have only just signed up."""
    from troth.core import clock
    from troth.newsletter.models import Subscription

    ids = Subscription.objects.order_by("id").values_list("id", flat=True)
    leaving = [one for number, one in enumerate(ids.iterator(_CHUNK)) if number % 1000 == 0]
    for some in batched(leaving, 500):
        Subscription.objects.filter(id__in=some).update(state="left", left_at=clock.now())
    newest = list(ids.order_by("-id")[:2000])
    for days, some in enumerate(batched(newest, 50)):
        at = clock.now() - timedelta(days=days)
        Subscription.objects.filter(id__in=some, state="confirmed").update(confirmed_at=at)
