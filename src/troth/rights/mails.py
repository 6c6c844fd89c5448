"""The mails about one's own record, put together when they leave: the link, and the export for who runs no scripts.

The answer behind the link is made with its mail, under a fresh key that only the link's fragment has; each try makes
its own. The gate searches the answer, too: where the mail is held, its key is dropped with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.conf import settings

from troth.contact.mails import saved_replies
from troth.core.personal import EmailAddress, MessageText
from troth.core.purpose import Reason
from troth.core.signed_links import Act
from troth.gate.export import ExportDocument
from troth.gate.message import TWICE, Mail, check_link, letter, one_line
from troth.gate.models import Delivery
from troth.rights import answer_files, services
from troth.rights import export_documents as exports
from troth.rights import requests as asked
from troth.rights.models import RightsRequest
from troth.vault import signing_keys
from troth.vault.ledger import WORKER


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsMail(Mail):
    """The link by which one person can view, export or delete their data."""

    rights_url: str
    """With the key in its fragment, which no server ever sees."""
    hours: int
    ready: Sequence[MessageText]
    """What lies behind the link, for the leak index alone: none of it is in the mail."""
    typed: MessageText
    """Those parts of it that the recipient had typed: they may name anybody."""
    values: MessageText
    """Those parts of it that are somebody's details or words."""

    OWN: ClassVar = Mail.OWN | {"ready", "typed"}
    NOT_YOU: ClassVar = "If this wasn't you, ignore this email: nothing changes unless someone uses the link."
    TEMPLATE: ClassVar = "rights/emails/link.html"

    def __post_init__(self) -> None:
        Mail.__post_init__(self)
        check_link(self.rights_url, "the link to their data")

    def subject(self) -> str:
        return f"Your data at {one_line(self.site_name)}"

    def own_words(self) -> str:
        return self.typed.reveal()

    def beside(self) -> Sequence[MessageText]:
        return self.ready

    def text(self) -> str:
        return letter(
            [
                f"Someone, most likely you, asked which data {one_line(self.site_name)} stores about you.",
                f"With this link you can view, export or delete that data:\n\n{self.rights_url}",
                f"The link works for {self.hours} hours. Don't share it: anyone who has it can do the same.",
                self.NOT_YOU,
                *([TWICE] if self.maybe_twice else []),
            ],
            one_line(self.site_name),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportMail(Mail):
    """One person's data as text, for those whose browser runs no scripts."""

    export: MessageText
    """Readable, whole; made by `rights.services`."""
    typed: MessageText
    """Those parts of it that the recipient had typed: they may name anybody."""
    values: MessageText
    """Those parts of it that are somebody's details or words."""

    OWN: ClassVar = Mail.OWN | {"typed"}
    WORDED: ClassVar = frozenset({"export"})

    def subject(self) -> str:
        return f"Your data at {one_line(self.site_name)}, as you requested"

    def text(self) -> str:
        return letter([self.export.reveal()], one_line(self.site_name))

    def own_words(self) -> str:
        return self.typed.reveal()


type _Write = Callable[[Delivery, RightsRequest, EmailAddress, ExportDocument], Mail]


def compose_links(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """Return the mails that carry the link, each with its answer laid ready."""
    return dict(_composed(rows, Reason.SEND_RIGHTS_LINK, _link_mail))


def compose_exports(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """Return the mails that carry the export itself."""
    return dict(_composed(rows, Reason.SEND_EXPORT, _export_mail))


def _composed(rows: Sequence[Delivery], reason: Reason, write: _Write) -> Iterator[tuple[UUID, Mail]]:
    requests = RightsRequest.with_canaries.in_bulk([row.about for row in rows])
    for row in rows:
        request = requests.get(row.about)
        if request is not None and row.released:
            asked.renew(request)
        if request is None or request.person_id is None or not asked.wanted(request):
            continue
        details = services.details_of(request.person_id, reason, WORKER)
        export = services.export(request.person_id, services.PERSON, signed=True)
        if details is not None and export is not None:  # else: erased in the meantime
            yield row.id, write(row, request, details.email, export)


def _link_mail(row: Delivery, request: RightsRequest, to: EmailAddress, export: ExportDocument) -> RightsMail:
    config = settings.TROTH_CONFIG
    key, blob = exports.seal(export)
    answer_files.write_answer(request.id, key, blob)
    link = signing_keys.signer().sign(Act.RIGHTS, request.id, request.expires_at)
    return RightsMail(
        to=to,
        site_name=config.site.name,
        message_id=row.message_id,
        maybe_twice=row.maybe_twice,
        rights_url=f"{config.site.url}/privacy/me/{link}#{exports.fragment(key)}",
        hours=asked.HOURS,
        ready=export.documents,
        typed=export.typed,
        values=export.values,
        said=(export.said, *saved_replies()),
    )


def _export_mail(row: Delivery, request: RightsRequest, to: EmailAddress, export: ExportDocument) -> ExportMail:
    return ExportMail(
        to=to,
        site_name=settings.TROTH_CONFIG.site.name,
        message_id=row.message_id,
        maybe_twice=row.maybe_twice,
        export=export.text,
        typed=export.typed,
        values=export.values,
        said=(export.said, *saved_replies()),
    )
