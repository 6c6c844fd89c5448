"""Events of the card company, and the questions that they raise: an event only says that something happened, and to
what; what it is now has to be asked for. May touch: the database."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db.models import F

from troth.core import clock
from troth.gate.card_company.types import Event
from troth.shop.models import CompanyEvent, Question

_CHECKOUT, _PAYMENT = "checkout.session.", ("charge.", "refund.", "payment_intent.canceled")
_LONGEST_ID, _LONGEST_TYPE = 100, 60


def note(events: Iterable[Event], *, by_notice: bool) -> int:
    """Write down events that were not known, and raise their questions; return how many. In a transaction."""
    fresh = {event.id: event for event in events if len(event.id) <= _LONGEST_ID}
    known = CompanyEvent.objects.filter(id__in=list(fresh)).values_list("id", flat=True)
    new = [event for ident, event in fresh.items() if ident not in set(known)]
    CompanyEvent.objects.bulk_create(
        CompanyEvent(
            id=event.id,
            type=event.type[:_LONGEST_TYPE],
            happened_at=datetime.fromtimestamp(event.created, UTC),
            by_notice=by_notice,
            about=(question := asks_about(event))[1],
            settled_at=None if question[1] else clock.now(),
        )
        for event in new
    )
    for kind, about in dict.fromkeys(map(asks_about, new)):
        if about:
            raise_question(kind, about)
    return len(new)


def asks_about(event: Event) -> tuple[Question.Kind, str]:
    """Return what to ask for because of an event; an empty id if it is of no interest."""
    if event.type.startswith(_CHECKOUT):
        return Question.Kind.CHECKOUT, event.about
    if event.type.startswith(_PAYMENT):
        return Question.Kind.PAYMENT, event.payment
    return Question.Kind.CHECKOUT, ""


def raise_question(kind: Question.Kind, about: str) -> None:
    """Have this asked soon, once more if it waits already."""
    now = clock.now()
    again = Question.objects.filter(about=about).update(number=F("number") + 1, tries=0, next_at=now, problem="")
    if not again:
        Question.objects.create(about=about, kind=kind, next_at=now, since=now)
