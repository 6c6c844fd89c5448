"""The shop's emails: to buyers that their order is paid or refunded, to operators that something needs them. None has a
detail of the buyer in it but the address that it goes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from django.conf import settings

from troth.core import money
from troth.core.personal import EmailAddress
from troth.core.purpose import Reason
from troth.core.rooms import EmailKind
from troth.gate import outbox
from troth.gate.message import TWICE, Mail, letter, one_line
from troth.gate.models import Delivery
from troth.shop.models import Movement, Order
from troth.vault.keeper import keeper
from troth.vault.ledger import WORKER
from troth.vault.records import Details

ORDER = EmailKind(
    name="order",
    title="Order confirmation",
    to="the buyer",
    contains="when an order is paid; the product, the amount, the numbers of order and invoice",
    even_restricted=True,
)
REFUND = EmailKind(
    name="refund",
    title="Refund confirmation",
    to="the buyer",
    contains="when money goes back; the product, the amount, the numbers of order and credit note",
    even_restricted=True,
)
SHOP_ALERT = EmailKind(
    name="shop_alert",
    title="Shop alert",
    to="the operators to be notified",
    contains="when a payment is disputed, or does not agree with what was offered; no personal data",
    to_operators=True,
)
_ALERTS = {
    "dispute": "A payment is disputed. Evidence is taken until the deadline that Admin shows under Orders.",
    "order_problem": "A payment does not agree with what was offered. Nothing is delivered until you have looked.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMail(Mail):
    """To a buyer: it is paid."""

    product: str
    amount: str
    number: str
    document: str

    def subject(self) -> str:
        return f"Your order {self.number} at {one_line(self.site_name)}"

    def text(self) -> str:
        invoice = [f"Invoice number: {self.document}"] if self.document else []
        facts = [f"Order number: {self.number}", *invoice]
        return letter(
            [
                f"Thank you for buying {one_line(self.product)}. Your payment of {self.amount} has arrived.",
                "\n".join(facts),
                *([TWICE] if self.maybe_twice else []),
            ],
            one_line(self.site_name),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundMail(OrderMail):
    """To a buyer: money goes back."""

    def subject(self) -> str:
        return f"A refund of your order {self.number} at {one_line(self.site_name)}"

    def text(self) -> str:
        note = [f"Credit note number: {self.document}"] if self.document else []
        facts = [f"Order number: {self.number}", *note]
        return letter(
            [
                f"We have refunded {self.amount} of your order of {one_line(self.product)}. It goes back the way you "
                "paid; your bank may take a few days.",
                "\n".join(facts),
                *([TWICE] if self.maybe_twice else []),
            ],
            one_line(self.site_name),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopAlertMail(Mail):
    """To an operator: something in the shop needs them."""

    words: str
    office_url: str

    def subject(self) -> str:
        return f"{one_line(self.site_name)}: an order needs you"

    def text(self) -> str:
        return letter([self.words, f"See Admin:\n\n{self.office_url}"], "Troth")


def queue(kind: EmailKind, order: Order, about: UUID, again: str = "") -> None:
    """Queue an email to the buyer, in the caller's transaction. `again`: what makes another one of it."""
    if order.person_id is None:
        return
    ident = uuid5(about, f"{kind.name} {again}")
    if not Delivery.with_canaries.filter(id=ident).exists():
        outbox.new(kind, about, order.person_id, _domain(), ident=ident).save(force_insert=True)


def tell_operators(order: UUID, alert: str, of: str = "") -> None:
    """Queue an alert to each operator to be notified, once. In the caller's transaction."""
    for address in settings.TROTH_CONFIG.office.notify:
        ident = uuid5(order, f"{alert} {of} {address}")
        if not Delivery.objects.filter(id=ident).exists():
            about = uuid5(_ABOUT[alert], address)
            outbox.new(SHOP_ALERT, about, None, _domain(), ident=ident).save(force_insert=True)


def alert_recipients() -> dict[UUID, str]:
    """Return whom to alert, by what a delivery says it is about: each alert has an id for each address."""
    return {
        uuid5(about, address): address for about in _ABOUT.values() for address in settings.TROTH_CONFIG.office.notify
    }


_ABOUT = {alert: uuid5(UUID("c4fdb7a5-16be-5d80-9a0c-7c1f2f0f3c55"), alert) for alert in _ALERTS}


def _domain() -> str:
    return settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]


def compose_orders(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """Write the confirmations of these deliveries, without those of orders whose buyer is deleted."""
    orders = Order.with_canaries.select_related("price__edition__product").in_bulk([row.about for row in rows])
    paid = Movement.with_canaries.filter(order__in=orders, kind=Movement.Kind.PAYMENT)
    documents = dict(paid.values_list("order_id", "document"))
    facts = {
        row.id: (order, order.total, documents.get(order.id, ""))
        for row in rows
        if (order := orders.get(row.about)) is not None
    }
    return _written(OrderMail, rows, facts)


def compose_refunds(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """Write the emails about these refunds."""
    movements = Movement.with_canaries.select_related("order__price__edition__product")
    refunds = movements.in_bulk([row.about for row in rows])
    facts = {
        row.id: (refund.order, -refund.amount, refund.document)
        for row in rows
        if (refund := refunds.get(row.about)) is not None
    }
    return _written(RefundMail, rows, facts)


def _written(
    kind: type[OrderMail], rows: Sequence[Delivery], facts: Mapping[UUID, tuple[Order, int, str]]
) -> Mapping[UUID, Mail]:
    people = {order.person_id for order, _, _ in facts.values() if order.person_id is not None}
    if not people:
        return {}
    opened = keeper().open_records(Reason.SEND_MAIL, actor=WORKER, person_ids=sorted(people))
    buyers = [order.person for order, _, _ in facts.values() if order.person is not None]
    keeper().arm(Reason.SEND_MAIL, WORKER, buyers)  # who paid is no stranger who typed somebody's address
    mails = dict[UUID, Mail]()
    for row in rows:
        order, amount, document = facts.get(row.id, (None, 0, ""))
        contents = opened.get(order.person_id, []) if order and order.person_id else []
        if order is None or order.person_id != row.person_id or not contents or not isinstance(contents[-1], Details):
            continue
        mails[row.id] = kind(
            to=contents[-1].email,
            site_name=settings.TROTH_CONFIG.site.name,
            message_id=row.message_id,
            maybe_twice=row.maybe_twice,
            product=order.price.edition.title,
            amount=money.shown(amount, order.currency),
            number=order.number,
            document=document,
        )
    return mails


def compose_alerts(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """Write the alerts to operators who are still to be notified."""
    config = settings.TROTH_CONFIG
    recipients = {
        uuid5(about, address): (address, _ALERTS[alert])
        for alert, about in _ABOUT.items()
        for address in config.office.notify
    }
    return {
        row.id: ShopAlertMail(
            to=EmailAddress(recipients[row.about][0]),
            site_name=config.site.name,
            message_id=row.message_id,
            maybe_twice=row.maybe_twice,
            words=recipients[row.about][1],
            office_url=config.office.url,
        )
        for row in rows
        if row.about in recipients
    }
