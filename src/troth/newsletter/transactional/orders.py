"""Takes what an operator's program wants sent: one email, from a template, to one person who is known. Runs in the
office; the worker sends it.

Who is known: a confirmed subscriber, or somebody whom another package dealt with (an operator answered them). Anybody
else, who is restricted, has unsubscribed or never confirmed included, is refused in the same words: a program learns
no more of its recipients than whether an email goes to them. The values of data fields are encrypted under the
person's key at once (WALL 2); nothing of them is in the queue.

Weak: who has a token and an address on the list can learn, by what arrives, whether a detail that they pass is
somebody's; each such email is held for an owner, and after a few no more are taken (`MOST_HELD`).
May touch: the database, through the keeper.
"""

import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction
from msgspec import Meta

from troth.core import clock
from troth.core.contact_details import check, unwelcome
from troth.core.errors import TrothError
from troth.core.ids import new_id
from troth.core.personal import EmailAddress, MessageText
from troth.core.purpose import Category
from troth.core.text import card_numbers
from troth.gate import outbox
from troth.gate.models import Delivery
from troth.newsletter.campaigns.markdown import has_html
from troth.newsletter.models import MailTemplate, TransactionalMail
from troth.newsletter.transactional import recipients, templates
from troth.newsletter.transactional.mails import TRANSACTIONAL
from troth.vault.keeper import keeper
from troth.vault.ledger import PROGRAM
from troth.vault.models import Person
from troth.vault.records import MAIL_DATA, MailData

LONGEST_VALUE = 500
MOST_A_DAY = 20
"""Transactional emails to one person within 24 hours."""
MOST_HELD = 3
"""Emails of one token that wait for an owner: with so many it sends no more until some are reviewed."""
_DAY = timedelta(days=1)
type State = Literal["queued", "sent", "uncertain", "failed", "not_sent"]
"""How far an email is, as a program learns it. `sent`: the SMTP server accepted it."""
_STATES: dict[Delivery.State, State] = {
    Delivery.State.QUEUED: "queued",
    Delivery.State.SENDING: "queued",
    Delivery.State.HELD: "queued",  # what is held is never told to whoever sent it (WALL 3)
    Delivery.State.SENT: "sent",
    Delivery.State.UNCERTAIN: "uncertain",
    Delivery.State.FAILED: "failed",
    Delivery.State.SUPPRESSED: "not_sent",
    Delivery.State.SKIPPED: "not_sent",
}


class OrderRefused(TrothError):
    """An email that cannot be taken. `field`: what in the request is wrong."""

    def __init__(self, message: str, *, mend: str, field: str = "") -> None:
        super().__init__(message, mend=mend)
        self.field = field


class NobodyKnown(OrderRefused):
    """The recipient is nobody to whom email may be sent."""

    def __init__(self) -> None:
        super().__init__(
            "No email can be sent to this recipient.",
            mend="It goes to confirmed subscribers and to people whom you answered, unless they are restricted.",
            field="to",
        )


class TooMany(OrderRefused):
    """Not now."""


_TEMPLATE = Meta(description="The name of a template.", extra_json_schema={"pattern": f"^{templates.NAME.pattern}$"})


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a program asks for."""

    template: Annotated[str, _TEMPLATE]
    to: Annotated[EmailAddress, Meta(description="A confirmed subscriber, or somebody whom you answered.")]
    data: Annotated[dict[str, MessageText], Meta(description="The data fields that the template declares.")] = {}

    def __repr__(self) -> str:
        return "<Order>"


@dataclass(frozen=True, slots=True)
class Sender:
    """The program: its token's id, and what is derived from the token, which is stored nowhere."""

    token: uuid.UUID
    secret: bytes = field(repr=False)

    def mark(self, label: str, *parts: bytes) -> bytes:
        """Return 16 bytes that only who has the token can make."""
        return hmac.digest(self.secret, label.encode() + b"\0" + b"\0".join(parts), "sha256")[:16]


@dataclass(frozen=True, slots=True)
class Taken:
    """An email that was taken, and how far it is."""

    id: uuid.UUID
    state: State


def take(sender: Sender, order: Order, key: str = "", *, actor: str = PROGRAM) -> Taken:
    """Queue one email. `key`: a request with the same one is taken once. Raises `OrderRefused`."""
    ident, fingerprint = new_id(), b""
    if key:
        ident = uuid.UUID(bytes=sender.mark("id", key.encode()))
        fingerprint = sender.mark("request", _canonical(order))
        if earlier := _earlier(ident, fingerprint):
            return earlier
    template = _checked(order)
    held = TransactionalMail.objects.filter(token=sender.token).values("id")
    if Delivery.objects.filter(about__in=held, state=Delivery.State.HELD).count() >= MOST_HELD:
        raise TooMany("Some of its emails wait for review.", mend="An owner reviews them in Admin under Held mail.")
    person = _recipient(order.to, actor)
    mail = TransactionalMail(id=ident, person=person, template=template, token=sender.token, fingerprint=fingerprint)
    try:
        _queue(mail, order.data)
    except IntegrityError:  # the same key at the same moment
        earlier = _earlier(ident, fingerprint)
        if earlier is None:
            raise
        return earlier
    return Taken(ident, "queued")


def _queue(mail: TransactionalMail, data: Mapping[str, MessageText]) -> None:
    vault, domain = keeper(), settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
    with transaction.atomic():
        record = vault.record(vault.held(mail.person), MAIL_DATA, MailData(dict(data)))
        record.save(force_insert=True)
        mail.record = record
        mail.save(force_insert=True)
        outbox.new(TRANSACTIONAL, mail.id, mail.person_id, domain).save(force_insert=True)


def _canonical(order: Order) -> bytes:
    values = {name: value.reveal() for name, value in order.data.items()}
    return msgspec.json.encode([order.template, order.to.reveal(), sorted(values.items())])


def _earlier(ident: uuid.UUID, fingerprint: bytes) -> Taken | None:
    mail = TransactionalMail.with_canaries.filter(id=ident).first()
    if mail is None:
        return None
    if not hmac.compare_digest(bytes(mail.fingerprint), fingerprint):
        raise OrderRefused(
            "This idempotency key was used for another email.", mend="Use a new key.", field="Idempotency-Key"
        )
    return _told(mail)


# -- what is asked for ------------------------------------------------------------------------------------------------


def _checked(order: Order) -> MailTemplate:
    """Return the template of an order that fits it. Says nothing of anybody."""
    is_name = templates.NAME.fullmatch(order.template)  # PostgreSQL takes no NUL, not even to look for it
    template = MailTemplate.objects.filter(name=order.template).first() if is_name else None
    if template is None:
        raise OrderRefused(
            "There is no template with this name.",
            mend="Owners make templates in Admin under Newsletter.",
            field="template",
        )
    declared = templates.content_of(template, settings.TROTH_CONFIG).data_fields
    if unknown := order.data.keys() - declared.keys():
        raise OrderRefused(
            f"The template does not declare {len(unknown)} of the data fields.",
            mend=f"It declares: {', '.join(declared) or 'none'}.",
            field="data",
        )
    passed = {name for name, value in order.data.items() if value.reveal().strip()}
    if missing := [name for name, required in declared.items() if required and name not in passed]:
        raise OrderRefused(
            f"A data field is missing: {', '.join(missing)}.",
            mend="Pass it, or give it a fallback in the template.",
            field="data",
        )
    for name, value in order.data.items():
        _check_value(name, value.reveal())
    try:
        check(Category.EMAIL, order.to.reveal())
    except ValueError:
        raise OrderRefused("This is no email address.", mend="Pass one address.", field="to") from None
    return template


def _check_value(name: str, value: str) -> None:
    if len(value) > LONGEST_VALUE:
        problem, mend = f"is longer than {LONGEST_VALUE} characters", "Shorten it."
    elif any(unwelcome(char) for char in value):
        problem, mend = "has line ends or invisible characters", "Pass one line of text."
    elif has_html(value):
        problem, mend = "has HTML", "Pass text alone."
    elif card_numbers.find(value):
        problem, mend = "looks like a card number", "Card numbers are never sent."
    else:
        return
    raise OrderRefused(f"The data field {name} {problem}.", mend=mend, field="data")


def _recipient(address: EmailAddress, actor: str) -> Person:
    """Return the person with this address, if email may be sent to them. Raises `NobodyKnown`, `TooMany`."""
    person_id = keeper().find(actor, address)
    person = Person.with_canaries.filter(id=person_id, frozen_at=None).first() if person_id else None
    if person is None or person.id not in recipients.known([person.id]):
        raise NobodyKnown
    today = Delivery.with_canaries.filter(person=person, kind=TRANSACTIONAL.name, created_at__gt=clock.now() - _DAY)
    if today.count() >= MOST_A_DAY:
        raise TooMany(f"This recipient got {MOST_A_DAY} emails within a day.", mend="Send less to one person.")
    return person


# -- how far it is ----------------------------------------------------------------------------------------------------


def told(token: uuid.UUID, ident: uuid.UUID) -> Taken | None:
    """Return how far an email of this token is; None if there is none, or no longer."""
    mail = TransactionalMail.objects.filter(id=ident, token=token).first()
    return _told(mail) if mail else None


def _told(mail: TransactionalMail) -> Taken:
    state = Delivery.with_canaries.filter(about=mail.id).values_list("state", flat=True).first()
    return Taken(mail.id, "not_sent" if state is None else _STATES[Delivery.State(state)])
