"""The notice to the operators that somebody wrote: how many, and nothing of what or of whom. At most one each quarter
of an hour for each address under `notify` in [office]."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.conf import settings
from django.db.models import QuerySet

from troth.contact.models import Message
from troth.core.personal import EmailAddress
from troth.core.rooms import EmailKind
from troth.gate import outbox
from troth.gate.message import Mail, letter, one_line
from troth.gate.models import Delivery

NOTICE = EmailKind(
    name="notice",
    title="Inbox notification",
    to="the operators to be notified",
    contains="when a message arrives, every 15 minutes at most; how many, nothing else",
    to_operators=True,
)
BETWEEN = timedelta(minutes=15)
_NAMESPACE = UUID("7f5ad2f3-6a54-4f0d-9a3e-5f1c0c6f9a51")
_QUEUED = Delivery.State.QUEUED


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeMail(Mail):
    """To an operator: new messages have arrived. It says how many, and nothing about what or from whom."""

    count: int
    office_url: str

    def subject(self) -> str:
        return "You have a new message" if self.count == 1 else f"You have {self.count} new messages"

    def text(self) -> str:
        return letter(
            [
                f"{self.subject()} in the inbox of {one_line(self.site_name)}.",
                f"Read and reply here:\n\n{self.office_url}",
                "For privacy, this email says no more than that: what people write stays in the inbox.",
            ],
            "Troth",
        )


def told() -> dict[UUID, str]:
    """Return whom to tell, by what a delivery says it is about."""
    return {uuid5(_NAMESPACE, address): address for address in settings.TROTH_CONFIG.office.notify}


def queue(now: datetime) -> None:
    """See that a notice of what is filed `now` is on its way. In the caller's transaction."""
    recipients = told()
    if not recipients:
        return
    deliveries = Delivery.objects.filter(kind=NOTICE.name, about__in=recipients)
    newest = {row.about: row for row in deliveries.filter(created_at__gt=now - 2 * BETWEEN).order_by("created_at")}
    waiting = set(deliveries.filter(state=_QUEUED).values_list("about", flat=True))
    domain = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
    for about in recipients.keys() - waiting:
        before = newest.get(about)
        at = max(now, (before.done_at or now) + BETWEEN) if before else now
        delivery = outbox.new(NOTICE, about, None, domain, at=at)
        delivery.created_at = now  # what is filed from now on is in it
        delivery.save(force_insert=True)


def compose_notices(
    rows: Sequence[Delivery], messages: Callable[[], QuerySet[Message]] = Message.objects.all
) -> Mapping[UUID, Mail]:
    """Compose the notices of these deliveries, without those that have nothing left to tell. `messages`: counted."""
    recipients, mails = told(), dict[UUID, Mail]()
    config = settings.TROTH_CONFIG
    for row in rows:
        count = messages().filter(direction=Message.Direction.IN, filed_at__gte=row.created_at).count()
        if row.about in recipients and count:
            mails[row.id] = NoticeMail(
                to=EmailAddress(recipients[row.about]),
                site_name=config.site.name,
                message_id=row.message_id,
                maybe_twice=row.maybe_twice,
                count=count,
                office_url=f"{config.office.url.rstrip('/')}/inbox/",
            )
    return mails
