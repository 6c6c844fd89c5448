"""Proofs of C3 about mail: mails to canaries pass the real mail gate to a relay of the proof's own, and are examined as
sent. Nothing for a canary reaches the configured relay.

May touch: the database through the keeper; the network on this machine alone, through the gate.
"""

import base64
import email
import email.policy
import hashlib
import html
import re
from collections.abc import Iterator, Sequence
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
from troth.contact.mails import REPLY, AnswerMail, compose_answers
from troth.contact.models import Message, Thread
from troth.core import clock
from troth.core.personal import MessageText
from troth.core.rooms import EmailKind
from troth.gate import outbox
from troth.gate.email_kinds import ALARM, REPORT, kinds
from troth.gate.loopback import mail_relay
from troth.gate.loopback.mail_relay import SendAttempt
from troth.gate.loopback.smtp_sink import ReceivedMail
from troth.gate.mail_types import AlarmMail
from troth.gate.message import Mail, recipient
from troth.gate.models import Delivery
from troth.gate.smtp import HeldMail
from troth.newsletter.campaigns.mails import CAMPAIGN, CAMPAIGN_TEST, CampaignMail
from troth.newsletter.mails import CONFIRMATION, compose_confirmations
from troth.newsletter.transactional.mails import TRANSACTIONAL
from troth.policy.promise import Verdict
from troth.proofs.context import Scene, proof
from troth.proofs.instruments import canary_campaign, canary_mail, canary_order
from troth.proofs.instruments.canaries import CanaryPerson
from troth.proofs.instruments.canary_campaign import CampaignSample
from troth.proofs.instruments.encodings import forms, texts_of
from troth.rights import requests
from troth.rights.mails import RightsMail, compose_exports
from troth.rights.models import RightsRequest
from troth.shop import mails as shop
from troth.vault.keeper import keeper
from troth.vault.models import Person
from troth.vault.records import ANSWER
from troth.vault.records import Message as Written
from troth.worker import composers, report_mail

_HEADERS = frozenset(
    "from to subject date message-id auto-submitted list-unsubscribe list-unsubscribe-post reply-to references "
    "mime-version content-type content-transfer-encoding dkim-signature list-id".split()
)
_MOST_PEOPLE = 5
"""For how many people every type of mail is checked, at most; the first type is checked for all."""
_SENDS = re.compile(rb"\b_?post\.send(_many)?\(")
_SENDERS = {"gate/loopback/mail_relay.py": 2, "worker/alarm.py": 1, "worker/campaigns.py": 1, "worker/loop.py": 1}
"""The files that hand mail to the mail gate, and how often each does."""
_LINK = re.compile(rb"https?://[^\s<>\"'\\]+")
_XHTML = b' xmlns="http://www.w3.org/1999/xhtml"'
_IMAGE = re.compile(rb"<img\b[^>]*>", re.IGNORECASE)
_REMOTE = re.compile(rb"<(img|script|iframe|link|object|embed|video|audio|form)\b|url\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class _Sample:
    """One mail to one canary."""

    kind: str
    to: CanaryPerson | None
    """None for an operator, whose address is in the settings."""
    mail: Mail
    own: bool = False
    """Whether more of the recipient's details than the address belong in it, as in their export."""
    address: str = ""
    """An operator's address."""
    campaign: CampaignSample | None = None
    """Of a campaign: what alone may stand in it. It has the recipient's name and company, and the draft's links."""


@proof("shared.mails")
def mails_hold_own_details_only(scene: Scene) -> Verdict:
    """Check that a mail of each type has one recipient, nobody else's details in any form, no more of the recipient's
    own than its type allows, and no link to another site; of a campaign, no picture and no link but the draft's and the
    recipient's own two."""
    sending = _senders()
    if sending != _SENDERS:
        unexpected = sorted(set(sending) - set(_SENDERS)) or ["a known file, more often than declared"]
        return Verdict.broken(f"Code that must not send email does so: {', '.join(unexpected)}.")
    samples = list(_samples(scene))
    # What counts is what they carry: that one of them is held, for somebody bears a name like its words, is no breach.
    attempts = mail_relay.send(
        [sample.mail for sample in samples], scene.site, scene.config, scene.listener, anyway=True
    )
    forms_by_person = {canary.person: forms(canary.texts()) for canary in scene.canaries}
    for sample, attempt in zip(samples, attempts, strict=True):
        of_others = [
            form
            for person, person_forms in forms_by_person.items()
            if not sample.to or person != sample.to.person
            for form in person_forms
        ]
        fault = _fault(scene, sample, attempt, of_others)
        if fault:
            return Verdict.broken(f"An email ({sample.kind}) to a test person {fault}.")
    to_operators = [kind.name for kind in kinds().values() if kind.to_operators]
    unknown = Delivery.with_canaries.filter(person=None).exclude(kind__in=to_operators).count()
    if unknown:
        return Verdict.broken(f"{unknown} queued emails have no known recipient.")
    unexamined = set(kinds()) - _SAMPLED - {sample.kind for sample in samples}
    if unexamined:
        return Verdict.unproven(f"Of these kinds of email, none could be examined: {', '.join(sorted(unexamined))}.")
    examined = ", ".join(dict.fromkeys(sample.kind for sample in samples))
    return Verdict.kept(
        f"{len(samples)} emails ({examined}) were examined as sent: each has one recipient and only their details."
    )


def _senders() -> dict[str, int]:
    root = Path(troth.__file__).parent
    counts = {str(path.relative_to(root)): len(_SENDS.findall(path.read_bytes())) for path in root.rglob("*.py")}
    return {place: count for place, count in sorted(counts.items()) if count}


def _fault(scene: Scene, sample: _Sample, attempt: SendAttempt, of_others: list[bytes]) -> str:
    if len(attempt.received) != 1:
        return f"was sent {len(attempt.received)} times"
    received = attempt.received[0]
    address = recipient(sample.to.invented.email if sample.to else sample.address).envelope()
    if [address_received.lower() for address_received in received.recipients] != [address.lower()]:
        return "has another recipient in its envelope"
    message = email.message_from_bytes(received.content, policy=email.policy.SMTP)
    more = sorted({name.lower() for name in message} - _HEADERS)
    if more or (message.get("To") or "").lower() != address.lower():
        return f"has a header that is not allowed: {', '.join(more) or 'To'}"
    strange = _address_fault(scene, received, message)
    if strange:
        return strange
    first, *parts = _parts(received, message)
    decoded = b"\0".join(dict.fromkeys(parts))
    if any(form in first or form in decoded for form in of_others):
        return "contains another person’s details"
    if any(form in decoded for form in _excess_details(sample)):
        return "contains more of their details than it needs, or their address in another form"
    return _campaign_fault(sample.campaign, message) if sample.campaign else _foreign_link(scene, message)


def _address_fault(scene: Scene, received: ReceivedMail, message: EmailMessage) -> str:
    """Return what is wrong with the addresses for replies and bounces: they must be in the settings."""
    ours = recipient(scene.config.mail.sender).envelope().lower()
    replies = {
        recipient(reply_address).envelope().lower()
        for reply_address in (ours, scene.config.contact.reply_to)
        if reply_address
    }
    if received.sender.lower() != ours or parseaddr(message.get("From", ""))[1].lower() != ours:
        return "comes from an address that is not the sender in the settings"
    if "Reply-To" in message and parseaddr(message["Reply-To"])[1].lower() not in replies:
        return "directs replies to an address that is not in the settings"
    return ""


def _parts(received: ReceivedMail, message: EmailMessage) -> Iterator[bytes]:
    """Yield the mail as sent; then without its To line, as it is and with joined lines (for base64); then each part and
    header, decoded."""
    yield received.content
    bare = re.sub(rb"(?im)^to: [^\r\n]*\r\n", b"", received.content, count=1)
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


def _excess_details(sample: _Sample) -> list[bytes]:
    """Return forms of the recipient's own details that this type of mail must not contain."""
    canary = sample.to
    if canary is None:
        return []
    address = texts_of([canary.email])
    if sample.campaign:
        merged = forms(texts_of([detail for detail in (canary.details.name, canary.details.company) if detail]))
        return [form for form in forms([*address, *canary.texts(email=False)]) if form not in merged]
    hashed = [form for form in forms(address) if not any(form == text.encode() for text in address)]
    if sample.own:
        return [form for form in hashed if len(form) >= 16]
    return [
        *hashed,
        *forms([*address, *canary.texts(email=False)]),
    ]


def _foreign_link(scene: Scene, message: EmailMessage) -> str:
    urls = (scene.config.site.url, scene.config.site.privacy_url, scene.config.office.url)
    ours = {urlsplit(url).netloc for url in urls if url}
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes):
            continue
        payload = payload.replace(_XHTML, b"", 1)
        if _REMOTE.search(payload):
            return "loads content from another site"
        if any(urlsplit(link).netloc not in ours for link in _leads_to(payload)):
            return "has a link to another site"
    return ""


def _campaign_fault(campaign: CampaignSample, message: EmailMessage) -> str:
    """Return what a campaign's email has beside its draft: a picture, a link (even one of our own, by which a click
    would be told apart), a header of RFC 8058 that leads elsewhere or that the signature does not cover."""
    one_click = (message.get("List-Unsubscribe"), message.get("List-Unsubscribe-Post"))
    if one_click != (f"<{campaign.unsubscribe}>", "List-Unsubscribe=One-Click"):
        return "has no header by which its recipient can unsubscribe with one click"
    signature = "".join(message.get("DKIM-Signature", "h=list-unsubscribe:list-unsubscribe-post;").split()).lower()
    signed = signature.partition("h=")[2].partition(";")[0].split(":")
    if not {"list-unsubscribe", "list-unsubscribe-post"} <= set(signed):
        return "has headers to unsubscribe that its signature does not cover"
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes):
            continue
        payload = html.unescape(payload.decode("utf-8", "replace")).encode().replace(_XHTML, b"", 1)
        if _REMOTE.search(_IMAGE.sub(lambda tag: b"" if _leads_to(tag[0]) == {campaign.image} else tag[0], payload)):
            return "loads content that its draft does not have"
        if _leads_to(payload) - campaign.links:
            return "has a link that is neither its draft’s nor the recipient’s own"
    return ""


def _leads_to(text: bytes) -> set[str]:
    return {link.rstrip(b".,;:)]").decode("ascii", "replace") for link in _LINK.findall(text)}


# -- the samples ------------------------------------------------------------------------------------------------------


def _samples(scene: Scene) -> Iterator[_Sample]:
    """Yield a mail of each kind, composed by the package that owns it."""
    people = [canary for canary in scene.canaries if not canary.frozen]
    for canary in people:
        yield from _confirmation(canary)
    for canary in people[:1] if scene.light else people[:_MOST_PEOPLE]:
        yield from _answer(canary)
        yield _Sample("link", canary, _rights(scene, canary))
        yield from _export(canary)
        for mail in canary_mail.sample(canary):
            yield _Sample(TRANSACTIONAL.name, canary, mail, own=True)
    for written in canary_campaign.samples(scene, people):
        kind = CAMPAIGN if written.to else CAMPAIGN_TEST
        yield _Sample(kind.name, written.to, written.mail, address=written.address, campaign=written)
    yield _Sample("alarm", people[0], _alarm(scene, people[0]))
    yield from _notices(people[0])
    for kind, mail in canary_order.samples(people[0]):
        yield _Sample(kind.name, people[0], mail)
    for about, address in shop.alert_recipients().items():
        for mail in shop.compose_alerts([_delivery(shop.SHOP_ALERT, about, people[0])]).values():
            yield _Sample(shop.SHOP_ALERT.name, None, mail, address=address)
    yield from _report(people[0])
    yield from _others(people)


def _others(people: Sequence[CanaryPerson]) -> Iterator[_Sample]:
    """Yield a mail of each kind that has no function here: one about a person, or about their sign-up."""
    for kind in (kind for kind in kinds().values() if kind.name not in _SAMPLED):
        for canary in people:
            rows = [_delivery(kind, about, canary) for about in (canary.request, canary.person)]
            for mail in composers.COMPOSERS[kind.name](rows).values():
                yield _Sample(kind.name, canary, mail)


_SAMPLED = {
    kind.name
    for kind in (
        *(CONFIRMATION, CAMPAIGN, CAMPAIGN_TEST, TRANSACTIONAL, REPLY, requests.LINK, requests.EXPORT),
        *(notices.NOTICE, REPORT, ALARM, shop.ORDER, shop.REFUND, shop.SHOP_ALERT),
    )
}


def _delivery(kind: EmailKind, about: UUID, canary: CanaryPerson) -> Delivery:
    domain = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
    return outbox.new(kind, about, canary.person, domain)


def _confirmation(canary: CanaryPerson) -> Iterator[_Sample]:
    for mail in compose_confirmations([_delivery(CONFIRMATION, canary.request, canary)]).values():
        yield _Sample("confirmation", canary, mail)


def _answer(canary: CanaryPerson) -> Iterator[_Sample]:
    thread = Thread.with_canaries.filter(person=canary.person).first()
    asked_for = Message.with_canaries.filter(thread=thread, direction=Message.Direction.IN).first() if thread else None
    if thread is None or asked_for is None:
        return
    text = MessageText("Thank you for writing. It works again since this morning.")
    now = clock.now()
    with transaction.atomic():
        vault = keeper()
        record = vault.record(vault.held(thread.person), ANSWER, Written(text, int(now.timestamp() * 1000)))
        record.save(force_insert=True)
        reply = Message.with_canaries.create(
            thread=thread, record=record, direction=Message.Direction.OUT, answers=asked_for, at=now, filed_at=now
        )
    for mail in compose_answers([_delivery(REPLY, reply.id, canary)]).values():
        yield _Sample("answer", canary, mail, own=True)


def _rights(scene: Scene, canary: CanaryPerson) -> RightsMail:
    delivery = _delivery(requests.LINK, canary.request, canary)
    return RightsMail(
        to=canary.email,
        site_name=scene.config.site.name,
        message_id=delivery.message_id,
        rights_url=f"{scene.config.site.url}/privacy/me/x#y",
        hours=requests.HOURS,
        ready=(),
        typed=MessageText(""),
        values=MessageText(""),
    )


def _export(canary: CanaryPerson) -> Iterator[_Sample]:
    request = RightsRequest.with_canaries.create(
        person_id=canary.person, expires_at=clock.now() + timedelta(hours=requests.HOURS)
    )
    try:
        for mail in compose_exports([_delivery(requests.EXPORT, request.id, canary)]).values():
            yield _Sample("export", canary, mail, own=True)
    finally:
        request.delete()


def _notices(canary: CanaryPerson) -> Iterator[_Sample]:
    """Yield operators' notifications of the message that a canary wrote."""
    for about, address in notices.told().items():
        row = _delivery(notices.NOTICE, about, canary)
        row.created_at = clock.now() - timedelta(hours=1)
        for mail in notices.compose_notices([row], Message.with_canaries.all).values():
            yield _Sample("notice", None, mail, address=address)


def _report(canary: CanaryPerson) -> Iterator[_Sample]:
    """Yield the report of the last full week, as an operator would get it."""
    for address in settings.TROTH_CONFIG.office.notify[:1]:
        row = _delivery(REPORT, canary.request, canary)
        yield _Sample("report", None, report_mail.mail(row, address, report_mail.last_week()), address=address)


def _alarm(scene: Scene, canary: CanaryPerson) -> AlarmMail:
    delivery = _delivery(ALARM, canary.request, canary)
    return AlarmMail(
        to=canary.email,
        site_name=scene.config.site.name,
        message_id=delivery.message_id,
        what="This is a trial.",
        mend="There is nothing to do.",
    )


# -- what is held -----------------------------------------------------------------------------------------------------


@proof("shared.held")
def mails_with_others_details_are_held(scene: Scene) -> Verdict:
    """Check that a reply with another canary's details (plain, encoded or hashed) is held, and a campaign with them in
    its text or in a merge field."""
    # Whom nobody has dealt with is not looked for; who wrote may have been answered by another proof.
    stranger = next(
        canary for canary in sorted(scene.canaries, key=lambda canary: canary.has_written) if canary.confirmed
    )
    to = next(canary for canary in scene.canaries if canary is not stranger)
    base = AnswerMail(
        to=to.email,
        site_name=scene.config.site.name,
        message_id=_delivery(REPLY, to.request, to).message_id,
        answer=MessageText("Thank you."),
        quoted=MessageText("A question."),
        written_at=clock.now(),
        reply_to=scene.config.mail.sender,
        about="<trial@localhost>",
    )
    address = stranger.invented.email
    pasted = [address, *_wrapped(address), stranger.invented.telephone, _on_one_line(stranger.invented.postal_address)]
    mails: list[Mail] = [replace(base, answer=MessageText(f"Thank you. See also: {text}")) for text in pasted]
    mails += _mixed_up(scene, stranger, to)
    attempts = mail_relay.send([base, *mails], scene.site, scene.config, scene.listener)
    slot = Person.with_canaries.get(id=stranger.person).slot
    if _is_held_for(slot, attempts[0]):
        return Verdict.unproven("A reply without anyone else’s details is held as well.")
    passed = sum(1 for attempt in attempts[1:] if not _is_held_for(slot, attempt))
    if passed:
        return Verdict.broken(f"{passed} of {len(mails)} emails were sent with another test person’s details.")
    if any(canary_campaign.is_clear(scene, f"Write to {text} about it.") for text in (address, pasted[1])):
        return Verdict.broken("A campaign whose text has a test person’s address would be sent.")
    return Verdict.kept(f"{len(mails)} emails with another test person’s details (plain, encoded or hashed) were held.")


def _mixed_up(scene: Scene, stranger: CanaryPerson, to: CanaryPerson) -> list[Mail]:
    """Return campaign emails to `to` with what belongs to `stranger` in their merge fields."""
    details = (stranger.invented.email, stranger.invented.telephone)
    mails = [sample.mail for sample in canary_campaign.samples(scene, [stranger]) if sample.to]
    return [
        replace(mail, to=to.email, values={"name": detail})
        for mail in mails
        if isinstance(mail, CampaignMail)
        for detail in details
    ]


def _is_held_for(slot: int, attempt: SendAttempt) -> bool:
    """Return whether the mail was held because of the person in this slot, and not because of someone else."""
    return isinstance(attempt.outcome, HeldMail) and any(owner == slot for owner, _ in attempt.outcome.causes)


def _on_one_line(text: str) -> str:
    return text.replace("\n", ", ")


def _wrapped(text: str) -> list[str]:
    plain = text.encode()
    lower = text.lower().encode()
    digests = [hashlib.new(name, lower, usedforsecurity=False).hexdigest() for name in ("sha256", "sha1", "md5")]
    return [base64.b64encode(b"To whom: " + plain).decode(), plain.hex(), quote(text, ""), *digests]
