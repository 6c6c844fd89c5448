"""Transactional emails to canaries, taken and written by the program's own code in a transaction that is rolled back.

May touch: the database, through the keeper.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from django.db import transaction

from troth.core import clock
from troth.core.personal import MessageText
from troth.gate.message import Mail
from troth.gate.models import Delivery
from troth.newsletter.models import MailTemplate, Subscription
from troth.newsletter.transactional import mails, orders
from troth.newsletter.transactional.orders import NobodyKnown, Order, Sender
from troth.proofs.instruments.canaries import CanaryPerson
from troth.vault import ledger
from troth.vault.models import Person

_TEXT = "Dear {{ first_name | customer }}, order {{ data.number }} is on its way."


@contextmanager
def _unseen() -> Iterator[str]:
    """Undo everything that the block writes to the database; gives it the name of a template."""
    with transaction.atomic():
        try:
            name = f"trial-{uuid4().hex[:12]}"
            MailTemplate.objects.create(name=name, subject="Your order", markdown=_TEXT, details_accepted=True)
            yield name
        finally:
            transaction.set_rollback(True)


def _take(template: str, canary: CanaryPerson) -> orders.Taken:
    order = Order(template=template, to=canary.email, data={"number": MessageText("trial")})
    return orders.take(Sender(uuid4(), b"trial"), order, actor=ledger.PROOF)


def _ordered(template: str, canary: CanaryPerson) -> list[Delivery]:
    return list(Delivery.with_canaries.filter(about=_take(template, canary).id))


def sample(canary: CanaryPerson) -> Iterator[Mail]:
    """Yield the email that a program would send this canary; none if it is not taken."""
    with _unseen() as template:
        try:
            rows = _ordered(template, canary)
        except NobodyKnown:
            return
        composed = list(mails.compose(rows).values())
    yield from composed


def unwanted(canary: CanaryPerson) -> Iterator[tuple[str, bool]]:
    """Yield, for each way in which a canary may not be written to, whether an email to them is taken anyway, or
    written although it was taken before."""
    state = Subscription.State
    changes: dict[str, dict[str, Any]] = {
        "had unsubscribed": {"state": state.LEFT, "left_at": clock.now()},
        "had not confirmed": {"state": state.WAITING, "confirmed_at": None},
    }
    for words, change in changes.items():
        with _unseen() as template:
            Subscription.with_canaries.filter(person=canary.person).update(**change)
            yield words, _is_taken(template, canary)
        with _unseen() as template:
            rows = _ordered(template, canary)
            Subscription.with_canaries.filter(person=canary.person).update(**change)
            yield f"{words} after it was ordered", bool(mails.compose(rows))
    with _unseen() as template:
        Person.with_canaries.filter(id=canary.person).update(frozen_at=clock.now())
        yield "is restricted", _is_taken(template, canary)


def _is_taken(template: str, canary: CanaryPerson) -> bool:
    try:
        _take(template, canary)
    except NobodyKnown:
        return False
    return True
