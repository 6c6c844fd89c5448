"""Transactional emails, composed when they leave. May touch: the database, through the keeper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from django.conf import settings

from troth.core.errors import TrothError
from troth.core.personal import MessageText
from troth.core.purpose import Reason
from troth.core.rooms import EmailKind
from troth.gate.message import Mail, one_line
from troth.gate.models import Delivery
from troth.newsletter.campaigns import sending
from troth.newsletter.campaigns.content import Content
from troth.newsletter.campaigns.mails import merge_values
from troth.newsletter.models import MailTemplate, TransactionalMail
from troth.newsletter.transactional import recipients, templates
from troth.vault.keeper import keeper
from troth.vault.ledger import WORKER
from troth.vault.records import DETAILS, Details, MailData

TRANSACTIONAL = EmailKind(
    name="transactional",
    title="Email from your program",
    to="a person who is known: a confirmed subscriber, or somebody who was answered",
    contains="when your own program asks for it by API; a template’s words, filled in with the person’s own name and "
    "company and with what the program passed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramMail(Mail):
    """A transactional email to one person: a template's words, their own details, and what a program passed."""

    content: Content
    values: Mapping[str, str] = field(repr=False)
    """Merge fields: the recipient's own details, empty where there is none."""
    names: tuple[str, ...]
    """Of the data fields."""
    data: tuple[MessageText, ...]
    """Their values: the leak check looks at these, decoded, as a program may pass anything."""

    OWN: ClassVar = Mail.OWN | {"content", "values", "names"}

    def subject(self) -> str:
        return one_line(self.content.subject.fill(self._values()))

    def text(self) -> str:
        return self.content.text.fill(self._values())

    def page(self) -> str:
        return self.content.html.fill(self._values())

    def _values(self) -> dict[str, str]:
        data = {f"data.{name}": value.reveal() for name, value in zip(self.names, self.data, strict=True)}
        note = {"twice": self.content.twice} if self.maybe_twice else {}
        return {**self.values, **data, "site_name": self.site_name, **note}


def compose(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """Write the emails of these deliveries, without those to people who left since, and those whose template is gone
    or wants more than was passed."""
    ordered = TransactionalMail.with_canaries.select_related("template").in_bulk([row.about for row in rows])
    known = recipients.known([order.person_id for order in ordered.values()])
    orders = {ident: order for ident, order in ordered.items() if order.person_id in known}
    if not orders:
        return {}  # nobody's details are opened, and the access log has no row
    opened = keeper().open_by_id(
        Reason.SEND_MAIL, actor=WORKER, record_ids=[order.record_id for order in orders.values()]
    )
    people = keeper().open_records(
        Reason.SEND_MAIL, actor=WORKER, person_ids=[order.person_id for order in orders.values()], kind=DETAILS
    )
    mails = dict[UUID, Mail]()
    for row in rows:
        order = orders.get(row.about)
        if order is None or order.template is None or order.person_id != row.person_id:
            continue
        details, passed = people.get(order.person_id, [None])[-1], opened.get(order.record_id)
        if isinstance(details, Details) and isinstance(passed, MailData):
            mail = _mail(row, order.template, details, passed)
            if mail is not None:
                mails[row.id] = mail
    return mails


def _mail(row: Delivery, template: MailTemplate, details: Details, passed: MailData) -> ProgramMail | None:
    config = settings.TROTH_CONFIG
    try:
        content = templates.content_of(template, config)
        # The office looked when it was saved; it may have been wrong, and people came since.
        if not template.details_accepted and not sending.looked_through(content).clear:
            return None
        mail = ProgramMail(
            to=details.email,
            site_name=config.site.name,
            message_id=row.message_id,
            maybe_twice=row.maybe_twice,
            content=content,
            values=merge_values(details),
            names=tuple(passed.data),
            data=tuple(passed.data.values()),
        )
        mail.text()
    except TrothError:  # the template was changed since, and wants what was not passed
        return None
    return mail
