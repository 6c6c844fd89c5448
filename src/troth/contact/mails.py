"""The inbox's emails to people, composed when they leave: replies that operators wrote. Nothing replies by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.conf import settings

from troth.contact.models import Canned, Message
from troth.core.personal import MessageText
from troth.core.purpose import Reason
from troth.core.rooms import EmailKind
from troth.gate.message import TWICE, Mail, letter, one_line
from troth.gate.models import Delivery
from troth.vault.keeper import keeper
from troth.vault.ledger import WORKER
from troth.vault.models import Record
from troth.vault.records import DETAILS, Content, Details
from troth.vault.records import Message as Written

REPLY = EmailKind(
    name="answer",
    title="Reply",
    to="the person who wrote",
    contains="when an operator replies; the reply, with their latest message quoted",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerMail(Mail):
    """An operator's reply to one person, and below it what that person had written. Never sent by itself: an automatic
    reply that echoes text is an open relay."""

    answer: MessageText
    quoted: MessageText
    """The recipient's own words. They may hold anything: they are theirs."""
    written_at: datetime
    """When the recipient wrote them."""
    reply_to: str
    """Where a reply goes: an address of the vendor's."""
    about: str
    """Message-ID of the conversation, the same in each of its mails, so that mail programs keep them together."""

    OWN: ClassVar = Mail.OWN | {"quoted"}

    def subject(self) -> str:
        return f"Your message to {one_line(self.site_name)}"

    def headers(self) -> dict[str, str]:
        return {"Reply-To": self.reply_to, "References": self.about}

    def text(self) -> str:
        return letter(
            [
                self.answer.reveal().strip(),
                *([TWICE] if self.maybe_twice else []),
                f"On {self.written_at:%-d %B %Y} you wrote:\n\n{self._quote()}",
            ],
            one_line(self.site_name),
        )

    def _quote(self) -> str:
        return "\n".join(f"> {line}".rstrip() for line in self.quoted.reveal().split("\n"))

    def own_words(self) -> str:
        return f"{self.quoted.reveal()}\n\n{self._quote()}"


def saved_replies() -> tuple[MessageText, ...]:
    """Return what operators keep ready to say to anybody: for the leak index, nobody's detail."""
    return tuple(MessageText(text) for text in Canned.objects.values_list("text", flat=True))


def compose_answers(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """Return the answers of these deliveries, without those whose conversation is gone."""
    answers = Message.with_canaries.filter(id__in=[row.about for row in rows]).select_related(
        "answers", "thread__person"
    )
    by_id = {answer.id: answer for answer in answers}
    people = [answer.thread.person_id for answer in by_id.values()]
    if not people:
        return {}
    records = Record.with_canaries.filter(person__in=people, kind=DETAILS).order_by("created_at")
    details = dict(records.values_list("person_id", "id"))
    record_ids = [*details.values(), *(answer.record_id for answer in by_id.values())]
    record_ids += [answer.answers.record_id for answer in by_id.values() if answer.answers]
    opened = keeper().open_by_id(Reason.SEND_ANSWER, actor=WORKER, record_ids=record_ids)
    keeper().arm(Reason.SEND_ANSWER, WORKER, [answer.thread.person for answer in by_id.values()])
    mails, saved = dict[UUID, Mail](), saved_replies()
    for row in rows:
        answer = by_id.get(row.about)
        theirs = details.get(answer.thread.person_id) if answer else None
        recipient = opened.get(theirs) if theirs else None
        if answer and isinstance(recipient, Details):
            mail = _mail(row, answer, recipient, opened, saved)
            mails.update({row.id: mail} if mail else {})
    return mails


def _mail(
    row: Delivery, answer: Message, recipient: Details, opened: Mapping[UUID, Content], saved: Sequence[MessageText]
) -> AnswerMail | None:
    written = opened.get(answer.record_id)
    question = opened.get(answer.answers.record_id) if answer.answers else None
    if not isinstance(written, Written) or answer.answers is None or not isinstance(question, Written):
        return None
    config = settings.TROTH_CONFIG
    domain = config.mail.sender.rpartition("@")[2]
    return AnswerMail(
        to=recipient.email,
        site_name=config.site.name,
        message_id=row.message_id,
        maybe_twice=row.maybe_twice,
        said=saved,
        answer=written.text,
        quoted=question.text,
        written_at=answer.answers.at,
        reply_to=config.contact.reply_to or config.mail.sender,
        about=f"<{answer.thread_id}@{domain}>",
    )
