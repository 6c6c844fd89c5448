"""The inbox's mails to people, put together when they leave: the answers that operators wrote, and none by itself."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.conf import settings

from troth.contact.models import Canned, Message
from troth.contact.services import WORKER
from troth.core.personal import MessageText
from troth.core.purpose import Reason
from troth.gate.mail_types import AnswerMail
from troth.gate.message import Mail
from troth.gate.models import Delivery
from troth.vault.keeper import keeper
from troth.vault.models import Record
from troth.vault.records import DETAILS, Content, Details
from troth.vault.records import Message as Written


def saved_replies() -> tuple[MessageText, ...]:
    """What operators keep ready to say to anybody: for the leak index, nobody's detail."""
    return tuple(MessageText(text) for text in Canned.objects.values_list("text", flat=True))


def compose_answers(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """The answers of these deliveries, without those whose conversation is gone."""
    answers = Message.with_canaries.filter(id__in=[row.about for row in rows]).select_related(
        "answers", "thread__person"
    )
    by_id = {answer.id: answer for answer in answers}
    people = [answer.thread.person_id for answer in by_id.values()]
    if not people:
        return {}
    kept = Record.with_canaries.filter(person__in=people, kind=DETAILS).order_by("created_at")
    details = dict(kept.values_list("person_id", "id"))
    wanted = [*details.values(), *(answer.record_id for answer in by_id.values())]
    wanted += [answer.answers.record_id for answer in by_id.values() if answer.answers]
    opened = keeper().open_by_id(Reason.SEND_ANSWER, actor=WORKER, record_ids=wanted)
    keeper().arm(Reason.SEND_ANSWER, WORKER, [answer.thread.person for answer in by_id.values()])
    mails, said = dict[UUID, Mail](), saved_replies()
    for row in rows:
        answer = by_id.get(row.about)
        theirs = details.get(answer.thread.person_id) if answer else None
        who = opened.get(theirs) if theirs else None
        if answer and isinstance(who, Details):
            mail = _mail(row, answer, who, opened, said)
            mails.update({row.id: mail} if mail else {})
    return mails


def _mail(
    row: Delivery, answer: Message, who: Details, opened: Mapping[UUID, Content], said: Sequence[MessageText]
) -> AnswerMail | None:
    written = opened.get(answer.record_id)
    asked = opened.get(answer.answers.record_id) if answer.answers else None
    if not isinstance(written, Written) or answer.answers is None or not isinstance(asked, Written):
        return None
    config = settings.TROTH_CONFIG
    domain = config.mail.sender.rpartition("@")[2]
    return AnswerMail(
        to=who.email,
        site_name=config.site.name,
        message_id=row.message_id,
        maybe_twice=row.maybe_twice,
        said=said,
        answer=written.text,
        quoted=asked.text,
        written_at=answer.answers.at,
        reply_to=config.contact.reply_to or config.mail.sender,
        about=f"<{answer.thread_id}@{domain}>",
    )
