"""Emails to a canary who bought something, written by the shop's own code in a transaction that is rolled back.

May touch: the database, through the keeper.
"""

from collections.abc import Iterator
from uuid import uuid4

from django.conf import settings
from django.db import transaction

from troth.core import clock
from troth.core.rooms import EmailKind
from troth.gate import outbox
from troth.gate.message import Mail
from troth.gate.models import Delivery
from troth.proofs.instruments.canaries import CanaryPerson
from troth.shop import mails
from troth.shop.models import Edition, Movement, Order, Price, Product

_AMOUNT = 4_900


def samples(canary: CanaryPerson) -> Iterator[tuple[EmailKind, Mail]]:
    """Yield the emails that a canary would get who paid and was refunded, with their kinds."""
    with transaction.atomic():
        try:
            payment, refund = _bought(canary)
            composed = [
                *(
                    (mails.ORDER, mail)
                    for mail in mails.compose_orders([_row(mails.ORDER, canary, payment.order)]).values()
                ),
                *(
                    (mails.REFUND, mail)
                    for mail in mails.compose_refunds([_row(mails.REFUND, canary, refund)]).values()
                ),
            ]
        finally:
            transaction.set_rollback(True)
    yield from composed


def _bought(canary: CanaryPerson) -> tuple[Movement, Movement]:
    """Write an order of a product that is not on sale, and return its payment and its refund."""
    name, now = f"trial-{uuid4().hex[:12]}", clock.now()
    product = Product.objects.create(slug=name, name="Plainbook", on_sale=False)
    edition = Edition.objects.create(product=product, slug=name, name="Team", on_sale=False)
    price = Price.objects.create(edition=edition, currency="EUR", amount=_AMOUNT, state=Price.State.ENDED)
    order = Order.with_canaries.create(
        id=uuid4(),
        number=name,
        price=price,
        person_id=canary.person,
        state=Order.State.REFUNDED,
        checkout=name,
        currency="EUR",
        total=_AMOUNT,
        country="DE",
        card_brand="visa",
        last4="4242",
        created_at=now,
        paid_at=now,
    )
    payment, refund = (
        Movement.with_canaries.create(
            order=order, kind=kind, amount=amount, currency="EUR", document=f"{name}-{number}"
        )
        for number, (kind, amount) in enumerate(((Movement.Kind.PAYMENT, _AMOUNT), (Movement.Kind.REFUND, -_AMOUNT)))
    )
    return payment, refund


def _row(kind: EmailKind, canary: CanaryPerson, about: Order | Movement) -> Delivery:
    domain = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
    return outbox.new(kind, about.id, canary.person, domain)
