"""Orders as commands and the console find, list and refund them. May touch: the database, the vault; the card company
hears of a refund from the worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet, Sum

from troth.core import clock, money
from troth.core.errors import TrothError
from troth.core.ids import new_id
from troth.core.personal import EmailAddress
from troth.kit.paging import Page, stretch
from troth.shop import ledger, mails
from troth.shop.models import Dispute, Movement, Order, Question, RefundOrder
from troth.shop.settlement import PROBLEMS
from troth.vault.keeper import keeper

_MOST, _SIZE = 200, 50


class NoSuchOrder(TrothError):
    """There is no order with this number."""


class RefundRefused(TrothError):
    """This much cannot be given back."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order as lists show it: nothing of the buyer but their country."""

    number: str
    product: str
    total: str
    left: str
    """What we have of it now."""
    state: str
    problem: str
    country: str
    card: str
    created_at: datetime
    paid_at: datetime | None

    def told(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {name: getattr(self, name) for name in OrderLine.__slots__}


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """An order as the console's list shows it."""

    id: UUID
    line: OrderLine
    state: str
    tag: str
    """The look of its state."""


_TAGS = {Order.State.PAID: "confirmed", Order.State.PENDING: "waiting"}
_WAITING = frozenset({"needs_response", "warning_needs_response"})


def listed(order: Order) -> ListedOrder:
    """Return an order as the console's list shows it."""
    state = Order.State(order.state)
    if order.problem:
        return ListedOrder(order.id, line(order), "Needs you", "waiting")
    return ListedOrder(order.id, line(order), state.label, _TAGS.get(state, "plain"))


def page(number: int) -> Page[ListedOrder]:
    """Return a page of all orders, newest first."""
    total = Order.objects.count()
    ids = stretch(Order.objects.order_by("-created_at", "-id").values_list("id", flat=True), number, _SIZE, total)
    by_id = rows().in_bulk(ids)
    return Page([listed(by_id[ident]) for ident in ids if ident in by_id], number, _SIZE, total)


def needs() -> list[str]:
    """Return what needs an operator, in sentences."""
    problems = Order.objects.exclude(problem="").exclude(state=Order.State.REFUNDED).count()
    waiting = Dispute.objects.filter(state__in=_WAITING)
    first = waiting.order_by("due_at").values_list("due_at", flat=True).first()
    stuck = Question.objects.exclude(problem="").order_by("since").first()
    lines = []
    if problems:
        lines.append(f"Payments that do not agree with what was offered: {problems:,}. Nothing was delivered for them.")
    if first is not None:
        lines.append(
            f"Disputes that wait for evidence: {waiting.count():,}, the first until {first:%-d %B %Y, %H:%M} UTC."
        )
    if stuck is not None:
        lines.append(
            f"The card company could not be asked about {stuck.about}: {_STUCK.get(stuck.problem, stuck.problem)}."
        )
    return lines


_STUCK = {
    "no_answer": "it does not answer; it is asked again",
    "busy": "it asks to wait; it is asked again",
    "key_refused": "it refuses the API key, or the key may not do this",
    "no_key": "there is no API key; run troth shop key",
}


def rows() -> QuerySet[Order]:
    """Return all orders, newest first."""
    return Order.objects.select_related("price__edition__product").order_by("-created_at", "-id")


def line(order: Order) -> OrderLine:
    """Return an order as lists show it."""
    left = order.movements.aggregate(sum=Sum("amount"))["sum"] or 0
    return OrderLine(
        number=order.number,
        product=order.price.edition.title,
        total=money.shown(order.total, order.currency),
        left=money.shown(left, order.currency),
        state=order.state,
        problem=PROBLEMS.get(order.problem, ""),
        country=order.country,
        card=f"{order.card_brand} {order.last4}".strip(),
        created_at=order.created_at,
        paid_at=order.paid_at,
    )


def movements(order: Order) -> list[dict[str, Any]]:
    """Return every amount that came or went, oldest first, for JSON."""
    return [
        {
            "at": row.at,
            "kind": row.kind,
            "label": Movement.Kind(row.kind).label,
            "amount": money.shown(row.amount, row.currency),
            "tax": money.shown(row.tax, row.currency),
            "document": row.document,
        }
        for row in order.movements.order_by("at", "id")
    ]


def disputes(order: Order) -> list[dict[str, Any]]:
    """Return an order's disputes, for JSON."""
    return [
        {
            "id": row.id,
            "amount": money.shown(row.amount, order.currency),
            "reason": row.reason,
            "state": row.state,
            "due_at": row.due_at,
        }
        for row in order.disputes.order_by("changed_at")
    ]


def refunds(order: Order) -> list[dict[str, Any]]:
    """Return the refunds that operators ordered and the card company has not made, oldest first."""
    open_refunds = order.refund_orders.exclude(state=RefundOrder.State.DONE).order_by("created_at")
    return [
        {"amount": money.shown(row.amount, order.currency), "state": row.state, "reason": row.reason}
        for row in open_refunds
    ]


def left(order: Order) -> int:
    """Return how much of an order can still be refunded."""
    sums = ledger.sums(order)
    waiting = RefundOrder.with_canaries.filter(order=order, state=RefundOrder.State.QUEUED)
    queued = waiting.aggregate(sum=Sum("amount"))["sum"] or 0
    return ledger.charged(sums) - ledger.refunded(sums) - ledger.disputed(sums) - queued


def shown_refund(order: Order, amount: int | None) -> str:
    """Return the amount of a refund for people."""
    return money.shown(left(order) if amount is None else amount, order.currency)


def by_number(number: str) -> Order:
    """Return the order with this number. Raises `NoSuchOrder`."""
    plain = number.strip().upper().replace(" ", "").replace("-", "")
    order = rows().filter(number=f"{plain[:5]}-{plain[5:]}").first()
    if order is None:
        raise NoSuchOrder("There is no order with this number.", mend="`troth order list` shows the newest.")
    return order


def find(actor: UUID | str, words: str) -> Sequence[Order]:
    """Return the orders with this number, these last four digits of a card, or of who has this email address, newest
    first. A search for an address is logged."""
    text = words.strip()
    if "@" in text:
        person = keeper().find(actor, EmailAddress(text))
        return list(rows().filter(person=person)[:_MOST]) if person else []
    if len(text) == 4 and text.isascii() and text.isdigit():
        return list(rows().filter(last4=text)[:_MOST])
    try:
        return [by_number(text)]
    except NoSuchOrder:
        return []


@transaction.atomic
def refund(order: Order, amount: int | None, operator: UUID | str) -> RefundOrder:
    """Order a refund of this amount, or of all that is left; the worker has the card company make it. Raises
    `RefundRefused` for more than there is."""
    locked = Order.with_canaries.select_for_update().get(id=order.id)
    most = left(locked)
    refundable = most if amount is None else amount
    if not 0 < refundable <= most or not locked.payment:
        raise RefundRefused(
            f"{money.shown(refundable, locked.currency)} cannot be refunded.",
            mend=f"Of this order, {money.shown(max(most, 0), locked.currency)} can be.",
        )
    return RefundOrder.objects.create(order=locked, amount=refundable, operator=str(operator), next_at=clock.now())


def resend(order: Order) -> None:
    """Queue the order's confirmation once more. Raises `TrothError` if there is nobody to send it to."""
    if order.person_id is None:
        raise TrothError("The buyer has been deleted, or the order is not paid yet: there is nobody to send it to.")
    mails.queue(mails.ORDER, order, order.id, again=str(new_id()))
