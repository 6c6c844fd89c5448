"""The newsletter's emails, composed when they leave: for now, the one that asks for confirmation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.conf import settings

from troth.core import clock, facts
from troth.core.purpose import Reason
from troth.core.rooms import EmailKind
from troth.core.signed_links import Act
from troth.gate.message import TWICE, LetterError, Mail, check_link, letter, one_line, origin
from troth.gate.models import Delivery
from troth.newsletter.models import Request
from troth.vault import signing_keys
from troth.vault.keeper import keeper
from troth.vault.ledger import WORKER
from troth.vault.records import Details

CONFIRMATION = EmailKind(
    name="confirmation",
    title="Confirmation",
    to="the address that was signed up",
    contains="at once; nothing that a visitor entered but the address",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationMail(Mail):
    """The email that asks one person whether they meant to sign up. Raises `LetterError` where a link is none. No field
    holds anything a visitor typed but the address: whoever signs up a victim cannot say a word to them."""

    confirm_url: str
    form_title: str
    privacy_url: str
    unsubscribe_url: str

    NOT_YOU: ClassVar = f"If this wasn't you, ignore this email. {facts.ONLY_CONFIRMED}"
    TEMPLATE: ClassVar = "newsletter/emails/confirmation.html"

    def __post_init__(self) -> None:
        Mail.__post_init__(self)
        check_link(self.confirm_url, "the link to confirm")
        check_link(self.unsubscribe_url, "the link to unsubscribe")
        if self.privacy_url:
            check_link(self.privacy_url, "the privacy policy's address")
        if origin(self.confirm_url) != origin(self.unsubscribe_url):
            raise LetterError(
                "The links of an email lead to two different sites.", mend="Mint both from `url` under [site]."
            )

    def subject(self) -> str:
        return f"Please confirm your subscription: {one_line(self.form_title)} ({one_line(self.site_name)})"

    def headers(self) -> dict[str, str]:
        return {
            "List-Unsubscribe": f"<{self.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }

    def text(self) -> str:
        title, site = one_line(self.form_title), one_line(self.site_name)
        return letter(
            [
                f"Someone, most likely you, signed up with this address: {title}, by {site}.",
                f"To confirm, open this page and press the button:\n\n{self.confirm_url}",
                self.NOT_YOU,
                *([TWICE] if self.maybe_twice else []),
                f"To unsubscribe at any time, open this page:\n\n{self.unsubscribe_url}",
                *([f"Privacy policy:\n\n{self.privacy_url}"] if self.privacy_url else []),
            ],
            site,
        )


def compose_confirmations(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """Return the confirmation mails of these deliveries, without those that nobody waits for any more."""
    about = {row.about: row for row in rows}
    requests = [request for request in Request.with_canaries.filter(id__in=about) if _still_wanted(request)]
    records = {request.record_id: request for request in requests if request.record_id}
    if not records:
        return {}
    opened = keeper().open_by_id(Reason.SEND_CONFIRMATION, actor=WORKER, record_ids=list(records))
    return {
        about[request.id].id: _mail(about[request.id], request, details)
        for record, request in records.items()
        if isinstance(details := opened.get(record), Details)  # else: erased in the meantime
    }


def _still_wanted(request: Request) -> bool:
    return request.state == Request.State.OPEN and request.expires_at > clock.now() and request.record_id is not None


def _mail(row: Delivery, request: Request, details: Details) -> ConfirmationMail:
    config, signer = settings.TROTH_CONFIG, signing_keys.signer()
    confirm = signer.sign(Act.CONFIRM, request.id, request.expires_at)
    leave = signer.sign(Act.UNSUBSCRIBE, request.subscription_id)
    return ConfirmationMail(
        to=details.email,
        confirm_url=f"{config.site.url}/confirm/{confirm}",
        unsubscribe_url=f"{config.site.url}/unsubscribe/{leave}",
        site_name=config.site.name,
        form_title=config.newsletter.title,
        privacy_url=config.site.policy_url,
        message_id=row.message_id,
        maybe_twice=row.maybe_twice,
    )
