"""Proofs of C3 about mail: what would leave for a canary goes through the real mail door to a relay of the proof's own,
and is looked at as it left. Nothing for a canary ever reaches the configured relay.

May touch: the database through the keeper; the network, from this machine to itself, by the gate.
"""

import base64
import email
import email.policy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import quote, urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction

import troth
from troth.contact import notices
from troth.contact.mails import compose_answers
from troth.contact.models import Message, Thread
from troth.core import clock
from troth.core.personal import MessageText
from troth.gate import outbox
from troth.gate.loopback import mail_relay
from troth.gate.loopback.mail_relay import Went
from troth.gate.loopback.smtp_sink import Taken
from troth.gate.mail_types import AlarmMail, AnswerMail, RightsMail
from troth.gate.message import Mail, recipient
from troth.gate.models import Delivery
from troth.gate.smtp import Held
from troth.newsletter.mails import compose_confirmations
from troth.policy.promise import Verdict
from troth.proofs.context import Scene
from troth.proofs.instruments.canaries import Canary
from troth.proofs.instruments.encodings import forms, texts_of
from troth.rights import requests
from troth.rights.mails import compose_exports
from troth.rights.models import RightsRequest
from troth.vault.keeper import keeper
from troth.vault.models import Person
from troth.vault.records import ANSWER
from troth.vault.records import Message as Written
from troth.worker import report_mail

_HEADERS = frozenset(
    "from to subject date message-id auto-submitted list-unsubscribe list-unsubscribe-post reply-to references "
    "mime-version content-type content-transfer-encoding dkim-signature".split()
)
_MOST = 5
"""People at most of whom every type is tried; the first type is tried of all."""
_SENDS = re.compile(rb"\bpost\.send\(|_post\.send\(")
_SENDERS = {"gate/loopback/mail_relay.py": 2, "worker/alarm.py": 1, "worker/loop.py": 1}
"""Which files of the program hand a mail to the mail door, and how often it stands there."""
_LINK = re.compile(rb"https?://[^\s<>\"']+")
_REMOTE = re.compile(rb"<(img|script|iframe|link|object|embed|video|audio|form)\b|url\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class _Sample:
    """One mail to one canary."""

    kind: str
    to: Canary | None
    """None: to an operator, whose address is in the settings."""
    mail: Mail
    own: bool = False
    """Whether the recipient's own details beyond the address belong in it: their export, their quoted words."""
    address: str = ""
    """An operator's."""


_TO_OPERATORS = (Delivery.Kind.NOTICE, Delivery.Kind.REPORT, Delivery.Kind.ALARM)


def mails_carry_their_own(scene: Scene) -> Verdict:
    """A mail of each type for an invented person went through the mail door: one recipient, nobody else's details in
    any part or form, of their own no more than the type has, and no link that leads elsewhere."""
    sending = _senders()
    if sending != _SENDERS:
        odd = sorted(set(sending) - set(_SENDERS)) or ["one that is known, more often than once"]
        return Verdict.broken(f"A line of the program sends mail that may not: {', '.join(odd)}.")
    samples = list(_samples(scene))
    # What counts is what they carry: that one of them is held, for somebody bears a name like its words, is no breach.
    went = mail_relay.send([one.mail for one in samples], scene.site, scene.config, scene.listener, anyway=True)
    known = {one.person: forms(one.texts()) for one in scene.canaries}
    for sample, what in zip(samples, went, strict=True):
        of_others = [form for who, found in known.items() if not sample.to or who != sample.to.person for form in found]
        fault = _fault(scene, sample, what, of_others)
        if fault:
            return Verdict.broken(f"A mail ({sample.kind}) to an invented person {fault}.")
    unknown = Delivery.with_canaries.filter(person=None).exclude(kind__in=_TO_OPERATORS).count()
    if unknown:
        return Verdict.broken(f"{unknown} mails wait for nobody who is known here.")
    kinds = ", ".join(dict.fromkeys(sample.kind for sample in samples))
    return Verdict.kept(
        f"{len(samples)} mails ({kinds}) were looked at as they left: each carries its own, to its own."
    )


def _senders() -> dict[str, int]:
    root = Path(troth.__file__).parent
    counts = {str(path.relative_to(root)): len(_SENDS.findall(path.read_bytes())) for path in root.rglob("*.py")}
    return {place: count for place, count in sorted(counts.items()) if count}


def _fault(scene: Scene, sample: _Sample, what: Went, of_others: list[bytes]) -> str:
    if len(what.taken) != 1:
        return f"left {len(what.taken)} times"
    taken = what.taken[0]
    address = recipient(sample.to.invented.email if sample.to else sample.address).envelope()
    if [one.lower() for one in taken.recipients] != [address.lower()]:
        return "has another recipient in its envelope"
    message = email.message_from_bytes(taken.content, policy=email.policy.SMTP)
    more = sorted({name.lower() for name in message} - _HEADERS)
    if more or (message.get("To") or "").lower() != address.lower():
        return f"has a header that it may not have: {', '.join(more) or 'To'}"
    strange = _answers_elsewhere(scene, taken, message)
    if strange:
        return strange
    first, *parts = _parts(taken, message)
    told = b"\0".join(dict.fromkeys(parts))
    if any(form in first or form in told for form in of_others):
        return "carries another person’s details"
    if any(form in told for form in _not_theirs_here(sample)):
        return "carries more of their details than it needs, or their address in another form"
    return _leads_away(scene, message)


def _answers_elsewhere(scene: Scene, taken: Taken, message: EmailMessage) -> str:
    """Replies, and what could not be delivered, go to the addresses that the settings name."""
    ours = recipient(scene.config.mail.sender).envelope().lower()
    replies = {recipient(one).envelope().lower() for one in (ours, scene.config.contact.reply_to) if one}
    if taken.sender.lower() != ours or parseaddr(message.get("From", ""))[1].lower() != ours:
        return "comes from an address that is not the sender’s in the settings"
    if "Reply-To" in message and parseaddr(message["Reply-To"])[1].lower() not in replies:
        return "sends replies to an address that no setting names"
    return ""


def _parts(taken: Taken, message: EmailMessage) -> Iterator[bytes]:
    """The mail as it left; then without the line that names its recipient, whole and with its lines joined, as base64
    needs it; then each part and header, decoded."""
    yield taken.content
    bare = re.sub(rb"(?im)^to: [^\r\n]*\r\n", b"", taken.content, count=1)
    yield bare
    yield re.sub(rb"=?\r\n[ \t]?", b"", bare)
    for name, value in message.items():
        if name.lower() != "to":
            yield str(value).encode()
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            yield payload
            yield b"".join(payload.split())


def _not_theirs_here(sample: _Sample) -> list[bytes]:
    """Forms of the recipient's own details that this type has no place for."""
    who = sample.to
    if who is None:
        return []
    address = texts_of([who.email])
    hashed = [form for form in forms(address) if not any(form == text.encode() for text in address)]
    if sample.own:
        return [form for form in hashed if len(form) >= 16]
    return [*hashed, *forms([*address, *texts_of([who.name, who.telephone, who.address, who.company, who.message])])]


def _leads_away(scene: Scene, message: EmailMessage) -> str:
    urls = (scene.config.site.url, scene.config.site.privacy_url, scene.config.office.url)
    ours = {urlsplit(url).netloc for url in urls if url}
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes):
            continue
        if _REMOTE.search(payload):
            return "loads something from elsewhere"
        links = (link.rstrip(b".,;:)]").decode("ascii", "replace") for link in _LINK.findall(payload))
        if any(urlsplit(link).netloc not in ours for link in links):
            return "has a link that leads elsewhere"
    return ""


# -- the samples ------------------------------------------------------------------------------------------------------


def _samples(scene: Scene) -> Iterator[_Sample]:
    """A mail of each type, put together by the room that it is of."""
    people = [one for one in scene.canaries if not one.frozen]
    for who in people:
        yield from _confirmation(who)
    for who in people[:1] if scene.light else people[:_MOST]:
        yield from _answer(who)
        yield _Sample("link", who, _rights(scene, who))
        yield from _export(who)
    yield _Sample("alarm", people[0], _alarm(scene, people[0]))
    yield from _notices(people[0])
    yield from _report(people[0])


def _delivery(kind: Delivery.Kind, about: UUID, who: Canary) -> Delivery:
    domain = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
    return outbox.new(kind, about, who.person, domain)


def _confirmation(who: Canary) -> Iterator[_Sample]:
    for mail in compose_confirmations([_delivery(Delivery.Kind.CONFIRMATION, who.request, who)]).values():
        yield _Sample("confirmation", who, mail)


def _answer(who: Canary) -> Iterator[_Sample]:
    thread = Thread.with_canaries.filter(person=who.person).first()
    asked_for = Message.with_canaries.filter(thread=thread, direction=Message.Direction.IN).first() if thread else None
    if thread is None or asked_for is None:
        return
    text = MessageText("Thank you for writing. It works again since this morning.")
    now = clock.now()
    with transaction.atomic():
        vault = keeper()
        record = vault.record(vault.held(thread.person), ANSWER, Written(text, int(now.timestamp() * 1000)))
        record.save(force_insert=True)
        said = Message.with_canaries.create(
            thread=thread, record=record, direction=Message.Direction.OUT, answers=asked_for, at=now, filed_at=now
        )
    for mail in compose_answers([_delivery(Delivery.Kind.ANSWER, said.id, who)]).values():
        yield _Sample("answer", who, mail, own=True)


def _rights(scene: Scene, who: Canary) -> RightsMail:
    made = _delivery(Delivery.Kind.RIGHTS, who.request, who)
    return RightsMail(
        to=who.email,
        site_name=scene.config.site.name,
        message_id=made.message_id,
        rights_url=f"{scene.config.site.url}/privacy/me/x#y",
        hours=requests.HOURS,
        ready=(),
        typed=MessageText(""),
        values=MessageText(""),
    )


def _export(who: Canary) -> Iterator[_Sample]:
    request = RightsRequest.with_canaries.create(
        person_id=who.person, expires_at=clock.now() + timedelta(hours=requests.HOURS)
    )
    try:
        for mail in compose_exports([_delivery(Delivery.Kind.EXPORT, request.id, who)]).values():
            yield _Sample("export", who, mail, own=True)
    finally:
        request.delete()


def _notices(who: Canary) -> Iterator[_Sample]:
    """What operators are told of the message that a canary wrote."""
    for about, address in notices.told().items():
        row = _delivery(Delivery.Kind.NOTICE, about, who)
        row.created_at = clock.now() - timedelta(hours=1)
        for mail in notices.compose_notices([row], Message.with_canaries.all).values():
            yield _Sample("notice", None, mail, address=address)


def _report(who: Canary) -> Iterator[_Sample]:
    """The figures of the last whole week, as they would go to an operator."""
    for address in settings.TROTH_CONFIG.office.notify[:1]:
        row = _delivery(Delivery.Kind.REPORT, who.request, who)
        yield _Sample("report", None, report_mail.mail(row, address, report_mail.last_week()), address=address)


def _alarm(scene: Scene, who: Canary) -> AlarmMail:
    made = _delivery(Delivery.Kind.NOTICE, who.request, who)
    return AlarmMail(
        to=who.email,
        site_name=scene.config.site.name,
        message_id=made.message_id,
        what="This is a trial.",
        mend="There is nothing to do.",
    )


# -- what is held -----------------------------------------------------------------------------------------------------


def others_details_are_held(scene: Scene) -> Verdict:
    """An answer into which another invented person's details were pasted, plain, encoded or hashed, is held."""
    # Whom nobody has dealt with is not looked for; who wrote may have been answered by another proof.
    other = next(one for one in sorted(scene.canaries, key=lambda one: one.has_written) if one.confirmed)
    to = next(one for one in scene.canaries if one is not other)
    base = AnswerMail(
        to=to.email,
        site_name=scene.config.site.name,
        message_id=_delivery(Delivery.Kind.ANSWER, to.request, to).message_id,
        answer=MessageText("Thank you."),
        quoted=MessageText("A question."),
        written_at=clock.now(),
        reply_to=scene.config.mail.sender,
        about="<trial@localhost>",
    )
    address = other.invented.email
    told = [address, *_wrapped(address), other.invented.telephone, _on_one_line(other.invented.address)]
    mails = [replace(base, answer=MessageText(f"Thank you. See also: {text}")) for text in told]
    went = mail_relay.send([base, *mails], scene.site, scene.config, scene.listener)
    slot = Person.with_canaries.get(id=other.person).slot
    if _is_held_for(slot, went[0]):
        return Verdict.unproven("An answer without anybody’s details is held, too.")
    passed = sum(1 for one in went[1:] if not _is_held_for(slot, one))
    if passed:
        return Verdict.broken(f"{passed} of {len(mails)} mails left with another invented person’s details.")
    return Verdict.kept(f"{len(mails)} mails with another invented person’s details, however wrapped, were held.")


def _is_held_for(slot: int, what: Went) -> bool:
    """Whether it stopped for the details of the person in this slot: for somebody else's it says nothing here."""
    return isinstance(what.outcome, Held) and any(other == slot for other, _ in what.outcome.causes)


def _on_one_line(text: str) -> str:
    return text.replace("\n", ", ")


def _wrapped(text: str) -> list[str]:
    plain = text.encode()
    lower = text.lower().encode()
    digests = [hashlib.new(name, lower, usedforsecurity=False).hexdigest() for name in ("sha256", "sha1", "md5")]
    return [base64.b64encode(b"To whom: " + plain).decode(), plain.hex(), quote(text, ""), *digests]
