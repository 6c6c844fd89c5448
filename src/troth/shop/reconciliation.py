"""The comparison with the card company: events that no notice told of, and whether each order's money agrees.

Events are listed from the last one seen, an hour before it, since they may be listed late. Checkouts of late are
compared each time, all of the last 35 days once a day; `troth reconcile` compares all there are. What differs is not
mended here: it raises a question, and `settlement` asks again. May touch: the database; `read` the network alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched, islice
from uuid import UUID

from django.conf import settings
from django.db import transaction

from troth.core import clock
from troth.gate.card_company.types import CardCompany, Checkout, Event
from troth.shop import events, ledger
from troth.shop.models import CompanyEvent, Comparison, Dispute, Order, Question
from troth.shop.settlement import known_prices

_OVERLAP = timedelta(hours=1)
_KEPT = timedelta(days=29)
"""So far back the card company lists events."""
_LATELY, _LONG = timedelta(days=2), timedelta(days=35)
_MOST = 20_000
"""Events, and checkouts, that are read at once by the worker."""
_STEP = 200


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


def take(_start: Since, listed: Listed) -> int:
    """Write down events, compare checkouts, note the state; return how many events were not known. In steps, so that
    nothing waits long for the database."""
    fresh = sum(map(take_events, batched(listed.events, _STEP)))
    note(sum(len(compare(some)) for some in batched(listed.checkouts, _STEP)))
    return fresh


@transaction.atomic
def take_events(listed: Iterable[Event]) -> int:
    """Write down the events that no notice told of; return how many."""
    fresh = events.note(listed, by_notice=False)
    newest = CompanyEvent.objects.order_by("-happened_at").values_list("happened_at", flat=True).first()
    Comparison.objects.get_or_create(id=1)
    Comparison.objects.filter(id=1).update(events_until=newest)
    return fresh


@transaction.atomic
def compare(checkouts: Sequence[Checkout]) -> list[str]:
    """Return which of these checkouts do not agree with our books; they are asked about."""
    complete = [checkout for checkout in checkouts if checkout.state == "complete"]
    prices = known_prices(checkout.reference for checkout in complete)
    ours = [checkout for checkout in complete if checkout.reference in prices]
    rows = Order.with_canaries.filter(checkout__in=[checkout.id for checkout in ours])
    orders = {order.checkout: order for order in rows}
    sums = ledger.sums_of(rows)
    disputed = set(Dispute.with_canaries.filter(order__in=rows).values_list("order", flat=True))
    agreeing, differing = list[UUID](), list[str]()
    for checkout in ours:
        order = orders.get(checkout.id)
        if order is not None and _agrees(order, checkout, sums.get(order.id, {}), has_dispute=order.id in disputed):
            agreeing.append(order.id)
        else:
            differing.append(checkout.id)
    Order.with_canaries.filter(id__in=agreeing).update(compared_at=clock.now())
    for ident in differing:
        events.raise_question(Question.Kind.CHECKOUT, ident)
    return differing


def _agrees(order: Order, checkout: Checkout, sums: dict[str, int], *, has_dispute: bool) -> bool:
    if order.paid_at is None:
        return checkout.paid == "unpaid" and checkout.failed == (order.state == Order.State.FAILED)
    money_agrees = (ledger.charged(sums), ledger.refunded(sums)) == (checkout.charged, checkout.refunded)
    return money_agrees and (has_dispute or not checkout.disputed)


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
    for some in batched(company.checkouts(start.checkouts), _STEP):
        again += compare(some)
        progress(checked := checked + len(some))
    settled += settle() if again else 0
    differing = len(compare([company.checkout(ident) for ident in again]))
    note(differing)
    state = Comparison.objects.get(id=1)
    assert state.at is not None
    return Report(fresh, settled, state.orders, differing, state.at)
