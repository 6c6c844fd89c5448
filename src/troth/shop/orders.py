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
from troth.shop import ledger, mails
from troth.shop.models import Order, RefundOrder
from troth.shop.settlement import PROBLEMS
from troth.vault.keeper import keeper

_MOST = 200


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
    sums = ledger.sums(locked)
    waiting = RefundOrder.with_canaries.filter(order=locked, state=RefundOrder.State.QUEUED)
    queued = waiting.aggregate(sum=Sum("amount"))["sum"] or 0
    left = ledger.charged(sums) - ledger.refunded(sums) - ledger.disputed(sums) - queued
    refundable = left if amount is None else amount
    if not 0 < refundable <= left or not locked.payment:
        raise RefundRefused(
            f"{money.shown(refundable, locked.currency)} cannot be refunded.",
            mend=f"Of this order, {money.shown(max(left, 0), locked.currency)} can be.",
        )
    return RefundOrder.objects.create(order=locked, amount=refundable, operator=str(operator), next_at=clock.now())


def resend(order: Order) -> None:
    """Queue the order's confirmation once more. Raises `TrothError` if there is nobody to send it to."""
    if order.person_id is None:
        raise TrothError("The buyer has been deleted, or the order is not paid yet: there is nobody to send it to.")
    mails.queue(mails.ORDER, order, order.id, again=str(new_id()))
