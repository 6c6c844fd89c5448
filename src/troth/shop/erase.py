"""What the shop holds of a person, for their page, their export and their erasure. Their orders stay without them, for
the books; their invoices stay as the law requires, under keys of their own."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from troth.core import money
from troth.core.holdings import Part, Step, Value
from troth.core.personal import EmailAddress
from troth.gate import outbox
from troth.shop.mails import ORDER, REFUND
from troth.shop.models import CustomerToForget, Movement, Order


def history(person: UUID) -> Sequence[Step]:
    """Return what they paid and got back, and the emails about it."""
    return list(_steps(person))


def _steps(person: UUID) -> Iterator[Step]:
    for movement in Movement.with_canaries.filter(order__person=person).select_related("order"):
        kind = Movement.Kind(movement.kind)
        amount = money.shown(abs(movement.amount), movement.currency)
        yield Step(f"{kind.label} of {amount}, order {movement.order.number}", movement.at)
    yield from outbox.steps(person, ORDER, "Order confirmation")
    yield from outbox.steps(person, REFUND, "Refund confirmation")


def export(person: UUID, actor: UUID | str) -> Sequence[Part]:
    """Return their orders. What their invoices say is among what the law requires to be kept."""
    orders = Order.with_canaries.filter(person=person).select_related("price__edition__product").order_by("created_at")
    items = tuple(_item(order) for order in orders)
    return [Part("orders", "Orders", items)] if items else []


def _item(order: Order) -> dict[str, Value]:
    return {
        "at": order.created_at,
        "order": order.number,
        "product": order.price.edition.title,
        "total": money.shown(order.total, order.currency),
        "state": order.state,
        "country": order.country,
        "card": f"{order.card_brand} {order.last4}".strip(),
    }


def dealt_with(people: Sequence[UUID]) -> set[UUID]:
    """Return who paid: nobody does that with somebody else's address for long."""
    paid = Order.with_canaries.filter(person__in=people, paid_at__isnull=False)
    return {person for person in paid.values_list("person_id", flat=True) if person}


def must_keep(person: UUID) -> Sequence[str]:
    """Return nothing more: their invoices are kept by legal holds, which say so themselves."""
    return []


def forget_at_the_company(person: UUID, _address: EmailAddress) -> None:
    """Have the card company delete them, too, if it keeps them as a customer. Before they are erased here."""
    orders = Order.with_canaries.filter(person=person).exclude(customer="")
    customers = set(orders.values_list("customer", flat=True))
    CustomerToForget.objects.bulk_create(
        [CustomerToForget(customer=customer) for customer in sorted(customers)], ignore_conflicts=True
    )
    orders.update(customer="")
