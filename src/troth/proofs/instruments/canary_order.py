"""Emails to a canary who bought something, written by the shop's own code in a transaction that is rolled back.

May touch: the database, through the keeper.
"""

import secrets
from collections.abc import Iterator
from string import ascii_lowercase
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
_BRAND, _LAST_FOUR = "unionpay", "4242"
CARD_WORDS = (_LAST_FOUR, _BRAND, "UnionPay", "UNIONPAY")
"""What the order has of the card."""


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
    name, now = f"trial-{''.join(secrets.choice(ascii_lowercase) for _ in range(12))}", clock.now()
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
        card_brand=_BRAND,
        last4=_LAST_FOUR,
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
