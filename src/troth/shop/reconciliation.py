"""The comparison with the card company: events that no notice told of, and whether each order's money agrees.

Events are listed from the last one seen, an hour before it, since they may be listed late. Checkouts of late are
compared each time, all of the last 35 days once a day; `troth reconcile` compares all there are. What differs is not
mended here: it raises a question, and `settlement` asks again. May touch: the database; `read` the network alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched, islice

from django.conf import settings
from django.db import transaction

from troth.core import clock
from troth.gate.card_company.types import CardCompany, Checkout, Event
from troth.shop import events, ledger
from troth.shop.models import CompanyEvent, Comparison, Order, Question
from troth.shop.settlement import price_of

_OVERLAP = timedelta(hours=1)
_KEPT = timedelta(days=29)
"""So far back the card company lists events."""
_LATELY, _LONG = timedelta(days=2), timedelta(days=35)
_MOST = 20_000
"""Events, and checkouts, that are read at once by the worker."""
_STEP = 1_000


@dataclass(frozen=True, slots=True)
class Since:
    """From when on events and checkouts are listed, in seconds since 1970."""

    events: int
    checkouts: int


@dataclass(frozen=True, slots=True)
class Listed:
    """What the card company listed."""

    events: list[Event]
    checkouts: list[Checkout]


@dataclass(frozen=True, slots=True)
class Report:
    """What a whole comparison came to."""

    events: int
    """That were not known."""
    settled: int
    orders: int
    differing: int
    at: datetime


def since(now: datetime, *, everything: bool) -> Since:
    """Return from when on to list. `everything`: all checkouts."""
    state = Comparison.objects.filter(id=1).first()
    last = state.events_until if state and state.events_until else now - _KEPT
    first = max(last - _OVERLAP, now - _KEPT)
    daily = state is None or state.at is None or state.at.date() != now.date()
    checkouts = 0 if everything else int((now - (_LONG if daily else _LATELY)).timestamp())
    return Since(int(first.timestamp()), checkouts)


def due(now: datetime) -> Since | None:
    """Return from when on to list, if a comparison is due; it is then claimed."""
    minutes = timedelta(minutes=settings.TROTH_CONFIG.shop.reconcile_minutes)
    state, created = Comparison.objects.get_or_create(id=1, defaults={"next_at": now})
    if not created and state.next_at > now:
        return None
    Comparison.objects.filter(id=1).update(next_at=now + minutes)
    return since(now, everything=False)


def read(company: CardCompany, start: Since) -> Listed:
    """Return what the card company lists. Touches no database."""
    listed_events = list(islice(company.events(start.events), _MOST))
    return Listed(listed_events, list(islice(company.checkouts(start.checkouts), _MOST)))


@transaction.atomic
def take(start: Since, listed: Listed) -> int:
    """Write down events, compare checkouts, note the state; return how many events were not known."""
    fresh = take_events(listed.events)
    differing = sum(not compare(checkout) for checkout in listed.checkouts)
    note(differing)
    return fresh


@transaction.atomic
def take_events(listed: Iterable[Event]) -> int:
    """Write down the events that no notice told of; return how many."""
    fresh = events.note(listed, by_notice=False)
    newest = CompanyEvent.objects.order_by("-happened_at").values_list("happened_at", flat=True).first()
    Comparison.objects.get_or_create(id=1)
    Comparison.objects.filter(id=1).update(events_until=newest)
    return fresh


def compare(checkout: Checkout) -> bool:
    """Return whether a checkout agrees with our books; if not, it is asked about."""
    if checkout.state != "complete" or price_of(checkout.reference) is None:
        return True
    order = Order.with_canaries.filter(checkout=checkout.id).first()
    if order is not None and _agrees(order, checkout):
        Order.with_canaries.filter(id=order.id).update(compared_at=clock.now())
        return True
    events.raise_question(Question.Kind.CHECKOUT, checkout.id)
    return False


def _agrees(order: Order, checkout: Checkout) -> bool:
    if order.paid_at is None:
        return checkout.paid == "unpaid" and checkout.failed == (order.state == Order.State.FAILED)
    sums = ledger.sums(order)
    has_disputes = order.disputes.exists() or not checkout.disputed
    return has_disputes and (ledger.charged(sums), ledger.refunded(sums)) == (checkout.charged, checkout.refunded)


def note(differing: int) -> None:
    """Write down what a comparison came to."""
    Comparison.objects.get_or_create(id=1)
    orders = Order.with_canaries.filter(paid_at__isnull=False, compared_at__isnull=False).count()
    Comparison.objects.filter(id=1).update(at=clock.now(), orders=orders, differing=differing, problem="")


def failed(word: str) -> int:
    """Note why there was no comparison."""
    Comparison.objects.filter(id=1).update(problem=word[:20])
    return 0


def words() -> str:
    """Return how the last comparison ended, in a sentence."""
    state = Comparison.objects.filter(id=1).first()
    if state is None or state.at is None:
        return "The orders have not been compared with the card company yet."
    ago = max(0, round((clock.now() - state.at).total_seconds() / 60))
    when = "just now" if ago == 0 else f"{ago:,} minute{'s' if ago != 1 else ''} ago"
    if state.differing:
        return f"{state.differing:,} orders do not agree with the card company, checked {when}; they are settled again."
    if state.orders == 0:
        return f"There are no paid orders to compare, checked {when}."
    return f"All {state.orders:,} settled orders agree with the card company, checked {when}."


def whole(
    company: CardCompany, settle: Callable[[], int], progress: Callable[[int], None] = lambda _count: None
) -> Report:
    """Compare everything, have what differs settled by `settle`, and compare that again."""
    start = since(clock.now(), everything=True)
    fresh = sum(map(take_events, batched(company.events(start.events), _STEP)))
    settled = settle()
    checked, again = 0, list[str]()
    for checkout in company.checkouts(start.checkouts):
        if not compare(checkout):
            again.append(checkout.id)
        progress(checked := checked + 1)
    settled += settle() if again else 0
    differing = sum(not compare(company.checkout(ident)) for ident in again)
    note(differing)
    state = Comparison.objects.get(id=1)
    assert state.at is not None
    return Report(fresh, settled, state.orders, differing, state.at)
