"""The ledger of money: each amount that came or went, appended as the difference between what the card company says
now and what is written down. So notices that come twice, late or in another order add up to the same. May touch: the
database."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID, uuid5

from django.db.models import QuerySet, Sum

from troth.core import clock
from troth.gate.card_company.types import Dispute as CompanyDispute
from troth.shop import taxes
from troth.shop.models import Dispute, Movement, Order

_Kind = Movement.Kind
_WITH_US = frozenset({"won", "warning_needs_response", "warning_under_review", "warning_closed", "prevented"})
"""States of a dispute in which the money is with us: won, or the bank only asked."""


def sums(order: Order) -> dict[str, int]:
    """Return what is written down of an order, by kind."""
    rows = Movement.with_canaries.filter(order=order).values_list("kind").annotate(sum=Sum("amount"))
    return dict(rows)


def sums_of(orders: QuerySet[Order]) -> dict[UUID, dict[str, int]]:
    """Return the same of several orders, by order."""
    rows = Movement.with_canaries.filter(order__in=orders).values_list("order_id", "kind").annotate(sum=Sum("amount"))
    by_order: dict[UUID, dict[str, int]] = {}
    for order, kind, amount in rows:
        by_order.setdefault(order, {})[kind] = amount
    return by_order


def charged(of: dict[str, int]) -> int:
    """Return what was paid, of these sums."""
    return of.get(_Kind.PAYMENT, 0)


def refunded(of: dict[str, int]) -> int:
    """Return what was given back, of these sums."""
    return -of.get(_Kind.REFUND, 0) - of.get(_Kind.REFUND_FAILED, 0)


def disputed(of: dict[str, int]) -> int:
    """Return what banks took back, of these sums."""
    return -of.get(_Kind.DISPUTE, 0) - of.get(_Kind.DISPUTE_WON, 0)


def move(order: Order, kind: Movement.Kind, amount: int, tax: int = 0) -> Movement:
    """Return a movement that is not saved yet. Its id is the order's and its place: settled again, it is the same."""
    place = Movement.with_canaries.filter(order=order).count()
    ident = uuid5(order.id, f"movement {place}")
    return Movement(id=ident, order=order, kind=kind, amount=amount, tax=tax, currency=order.currency, at=clock.now())


def refund_difference(order: Order, company_refunded: int) -> Movement | None:
    """Return the movement that makes the refunds agree; None if they do."""
    before = refunded(sums(order))
    if company_refunded == before:
        return None
    tax = taxes.share(order.tax, company_refunded, order.total) - taxes.share(order.tax, before, order.total)
    kind = _Kind.REFUND if company_refunded > before else _Kind.REFUND_FAILED
    return move(order, kind, before - company_refunded, -tax)


def dispute_difference(order: Order, company_disputed: int) -> Movement | None:
    """Return the movement that makes what was disputed agree; None if it does."""
    before = disputed(sums(order))
    if company_disputed == before:
        return None
    kind = _Kind.DISPUTE if company_disputed > before else _Kind.DISPUTE_WON
    return move(order, kind, before - company_disputed)


def amount_disputed(disputes: Iterable[CompanyDispute]) -> int:
    """Return what banks have taken back by these disputes."""
    return sum(dispute.money.amount for dispute in disputes if dispute.state not in _WITH_US)


def keep_disputes(order: Order, disputes: Iterable[CompanyDispute]) -> list[Dispute]:
    """Write disputes down as they are now; return those that are new."""
    fresh = []
    for dispute in disputes:
        due = datetime.fromtimestamp(dispute.due_by, UTC) if dispute.due_by else None
        values = {
            "order": order,
            "amount": dispute.money.amount,
            "reason": dispute.reason[:50],
            "state": dispute.state[:30],
            "due_at": due,
            "changed_at": clock.now(),
        }
        row, created = Dispute.with_canaries.update_or_create(id=dispute.id, defaults=values)
        fresh += [row] if created else []
    return fresh
