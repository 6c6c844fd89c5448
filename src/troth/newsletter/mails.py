"""The newsletter's mails, put together when they leave: for now, the one that asks for confirmation."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.conf import settings

from troth.core import clock
from troth.core.purpose import Reason
from troth.core.signed_links import Act
from troth.gate.mail_types import ConfirmationMail
from troth.gate.message import Mail
from troth.gate.models import Delivery
from troth.newsletter import services
from troth.newsletter.models import Request
from troth.vault import signing_keys
from troth.vault.keeper import keeper
from troth.vault.records import Details


def compose_confirmations(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """The confirmation mails of these deliveries, without those that nobody waits for any more."""
    about = {row.about: row for row in rows}
    requests = [request for request in Request.with_canaries.filter(id__in=about) if _still_wanted(request)]
    records = {request.record_id: request for request in requests if request.record_id}
    if not records:
        return {}
    opened = keeper().open_by_id(Reason.SEND_CONFIRMATION, actor=services.WORKER, record_ids=list(records))
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
