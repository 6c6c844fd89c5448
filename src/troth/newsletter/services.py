"""What happens to a sign-up and to a used link. Runs in the worker, inside intake's transaction.

A sign-up never changes a person's state or details: anyone may type anyone's address. What it brings waits beside its
request until the link in the mail is used. A confirmed person gets the same mail as everyone, within the caps, so that
the answer does not tell who is on the list.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import transaction

from troth.core import clock
from troth.core.entry import Came, EntryRefused
from troth.core.ids import derived
from troth.core.intake_counts import Count
from troth.core.purpose import Reason
from troth.core.signed_links import Act, LinkRefused
from troth.core.text import mailboxes
from troth.gate import outbox
from troth.gate.models import Delivery
from troth.gate.sent_log import SentJournal
from troth.newsletter import consent_texts, topics
from troth.newsletter.entry import EarlierSignup, LinkUsed, Signup
from troth.newsletter.mails import CONFIRMATION
from troth.newsletter.models import Request, Subscription
from troth.newsletter.rate_limits import Caps, New, Turn
from troth.vault import ledger, masked_cards, signing_keys
from troth.vault.blind_index import normalise_email
from troth.vault.keeper import FoundPerson, keeper
from troth.vault.ledger import WORKER
from troth.vault.models import Canary, Person, Record
from troth.vault.records import CONSENT, DETAILS, PENDING, Consent, Details
from troth.vault.references import otherwise_known

GRACE = timedelta(days=7)
"""How long after its link ran out a request is kept: a spool that waited may still bring its confirmation."""

UNCONFIRMED = (Request.State.OPEN, Request.State.OVER)
"""Named, not "all but confirmed": the index then leads past the confirmed ones, who are many."""
LEFT_KEPT = timedelta(days=1095)
"""Three years after they left, in which somebody may ask by what right they had been written to."""


class _SignUpBatch:
    """The rows that a batch of sign-ups will insert: one statement for each table, not for each person."""

    def __init__(self, batch: Sequence[Came[Signup]]) -> None:
        self._keeper, self._now = keeper(), clock.now()
        self._batch = batch
        self._found = self._keeper.find_or_make([Details.of(signup.entry) for signup in batch])
        self._form = settings.TROTH_CONFIG.newsletter
        # What a front made up, or a restored backup does not know, counts for nothing; the sign-up itself does.
        self._topics = topics.known() if any(signup.entry.topics for signup in batch) else 0
        self._languages = consent_texts.languages(signup.entry.wording for signup in batch)
        self._people = {match.person.id: match.person for match in self._found if match.new}
        self._records: list[Record] = []
        self._requests: list[Request] = []
        self._deliveries: list[Delivery] = []

    def file(self) -> None:
        ids = list(dict.fromkeys(match.person.id for match in self._found))
        existing = {row.person_id: row for row in Subscription.with_canaries.filter(person__in=ids)}
        fresh = {
            person_id: Subscription(person_id=person_id, created_at=self._now)
            for person_id in ids
            if person_id not in existing
        }
        subscriptions = {**existing, **fresh}
        marks = [self._keeper.domain_mark(signup.entry.email) for signup in self._batch]
        caps, canaries = Caps(self._now, self._form, ids, marks), Canary.among(ids)
        for signup, match, mark in zip(self._batch, self._found, marks, strict=True):
            request = self._request(signup, match, subscriptions[match.person.id])
            new = self._new(signup.entry, subscriptions[match.person.id])
            if match.person.id in canaries:  # a proof's mail goes nowhere, and takes nobody's turn
                turn = Turn(self._now)
            else:
                turn = caps.take(match.person.id, mark, self._keeper.mailbox_mark(signup.entry.email), new)
            self._deliveries.append(self._delivery(request, match.person.id, turn))
        Person.with_canaries.bulk_create(self._people.values())
        Subscription.with_canaries.bulk_create(fresh.values())
        Record.with_canaries.bulk_create(self._records)
        Request.with_canaries.bulk_create(self._requests)
        Delivery.with_canaries.bulk_create(self._deliveries)
        caps.save()
        real = zip(self._batch, self._found, strict=True)
        masked_cards.note(signup.entry for signup, match in real if match.person.id not in canaries)
        ledger.write(Reason.FILE_SUBMISSION, WORKER, ids)

    def _new(self, entry: Signup, subscription: Subscription) -> New | None:
        if subscription.state == Subscription.State.CONFIRMED:
            return None
        crowd = mailboxes.is_shared(normalise_email(entry.email).rpartition("@")[2])
        return New(self._keeper.skeleton_mark(entry.email), crowd)

    def _request(self, signup: Came[Signup], match: FoundPerson, subscription: Subscription) -> Request:
        kind, match.new = (DETAILS if match.new else PENDING), False
        record = self._keeper.record(match, kind, Details.of(signup.entry))
        request = Request(
            id=derived(signup.entry_id, "request"),
            subscription=subscription,
            record=record,
            entry_id=signup.entry_id,
            created_at=self._now,
            # From now, not from when the form was sent: a spool that waited must not cost the person their time.
            expires_at=self._now + timedelta(hours=self._form.confirm_hours),
            topics=signup.entry.topics & self._topics,
            language=self._languages.get(signup.entry.wording, ""),
        )
        entry = signup.entry
        consent = Consent(
            "asked",
            signup.entry_id,
            ms_of(signup.at),
            request.id,
            entry.wording,
            topics=request.topics or None,
            policy=entry.policy or None,
        )
        request.consent = self._keeper.record(match, CONSENT, consent)
        self._records += [record, request.consent]
        self._requests.append(request)
        return request

    def _delivery(self, request: Request, person: UUID, turn: Turn) -> Delivery:
        domain = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
        ident = derived(request.entry_id, "confirmation")
        delivery = outbox.new(CONFIRMATION, request.id, person, domain, at=turn.at, ident=ident)
        if turn.at is None:
            delivery.next_at, delivery.done_at = None, self._now
            delivery.state, delivery.reason = Delivery.State.SUPPRESSED, turn.reason
        return delivery


def check_signup(entry: EarlierSignup) -> None:
    """Refuse a sign-up that agrees to what never stood beside our form. Raises `EntryRefused`."""
    if not consent_texts.knows(entry.wording):
        raise EntryRefused("wording: This is the hash of no sentence that was published here.")


def file_signups(batch: Sequence[Came[Signup]]) -> Counter[Count]:
    """File sign-ups: person, subscription, request and the mail, all in the caller's transaction."""
    if batch:
        _SignUpBatch(batch).file()
    return Counter({Count.SIGNUPS: len(batch)})


def file_earlier_signups(batch: Sequence[Came[EarlierSignup]]) -> Counter[Count]:
    """File sign-ups that were sealed before there were topics."""
    return file_signups(
        [Came(signup.entry_id, Signup(**msgspec.structs.asdict(signup.entry)), signup.at) for signup in batch]
    )


# -- links --------------------------------------------------------------------------------------------------------


def use_links(batch: Sequence[Came[LinkUsed]]) -> Counter[Count]:
    """Do what these links let their holders do. A link that is refused is counted, not an error."""
    confirmed = list[Person]()
    counts = Counter(_use(link_use, confirmed) for link_use in batch)
    keeper().arm(Reason.FILE_SUBMISSION, WORKER, confirmed)
    return counts


def _use(link_use: Came[LinkUsed], confirmed: list[Person]) -> Count:
    """Do what one link says; who confirms is added to `confirmed`."""
    try:
        act = Act(link_use.entry.act)
        subject = signing_keys.subject(link_use.entry.link, act, link_use.at)
    except (LinkRefused, ValueError):
        return Count.LINKS_REFUSED
    if act is Act.CONFIRM:
        changed = _confirm(subject, link_use, confirmed)
    else:
        changed = act is Act.UNSUBSCRIBE and leave(subject, link_use)
    if not changed:
        return Count.LINKS_WITHOUT_EFFECT
    return Count.CONFIRMED if act is Act.CONFIRM else Count.LEFT


def _confirm(request_id: UUID, link_use: Came[LinkUsed], confirmed: list[Person]) -> bool:
    opened = Request.with_canaries.filter(id=request_id, state=Request.State.OPEN)
    if not opened.update(state=Request.State.CONFIRMED):
        return False
    request = Request.with_canaries.select_related("subscription__person", "record").get(id=request_id)
    was_confirmed = request.subscription.state == Subscription.State.CONFIRMED
    waiting = [Subscription.State.WAITING, Subscription.State.LEFT]
    Subscription.with_canaries.filter(id=request.subscription_id, state__in=waiting).update(
        state=Subscription.State.CONFIRMED, confirmed_at=link_use.at, left_at=None
    )
    if request.language not in ("", request.subscription.language):
        Subscription.with_canaries.filter(id=request.subscription_id).update(language=request.language)
    if request.subscription.paused_until is not None:  # who signs up again wants to read again
        Subscription.with_canaries.filter(id=request.subscription_id).update(paused_until=None)
    if request.topics:  # added to what they have: the form does not know what that is
        topics.choose(request.subscription_id, before=0, chosen=request.topics, at=link_use.at)
    match = keeper().held(request.subscription.person)
    keeper().record(match, CONSENT, Consent("confirmed", link_use.entry_id, ms_of(link_use.at), request.id)).save(
        force_insert=True
    )
    if request.record and request.record.kind == PENDING:
        _apply(request, match, keep=was_confirmed)
    confirmed.append(match.person)
    return True


def _apply(request: Request, match: FoundPerson, *, keep: bool) -> None:
    """Make what the request brought the person's details; `keep`: what it left empty stays as it was."""
    assert request.record is not None
    pending, person = request.record, match.person.id
    old = Record.with_canaries.filter(person=person, kind=DETAILS)
    record_ids = [pending.id, *old.values_list("id", flat=True)]
    opened = keeper().open_by_id(Reason.FILE_SUBMISSION, actor=WORKER, record_ids=record_ids)
    confirmed = opened[pending.id]
    before = next((content for record, content in opened.items() if record != pending.id), None)
    assert isinstance(confirmed, Details)
    merged = confirmed.over(before) if keep and isinstance(before, Details) else confirmed
    old.delete()
    record = keeper().record(match, DETAILS, merged)
    record.save(force_insert=True)
    keeper().index_details(match, merged)
    Request.with_canaries.filter(id=request.id).update(record=record)
    pending.delete()


def leave(subscription_id: UUID, request: Came[Any]) -> bool:
    """End a subscription and drop its topics, as this entry asks; False where it had ended."""
    subscription = Subscription.with_canaries.select_related("person").filter(id=subscription_id).first()
    if subscription is None:
        return False
    SentJournal.of(settings.TROTH_SITE).left(subscription_id)  # a restored copy must not bring back who left, either
    # An older confirm link must not bring back who left.
    Request.with_canaries.filter(subscription=subscription, state=Request.State.OPEN).update(state=Request.State.OVER)
    states = [Subscription.State.WAITING, Subscription.State.CONFIRMED]
    if not Subscription.with_canaries.filter(id=subscription_id, state__in=states).update(
        state=Subscription.State.LEFT, left_at=request.at, paused_until=None, language=""
    ):
        return False
    topics.forget([subscription_id])
    match = keeper().held(subscription.person)
    keeper().record(match, CONSENT, Consent("left", request.entry_id, ms_of(request.at))).save(force_insert=True)
    return True


def leave_again(times: Mapping[UUID, int]) -> int:
    """After a restore: let those have left who had; returns how many. By subscription, in milliseconds since 1970."""
    count = 0
    for ident, at_ms in times.items():
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        Request.with_canaries.filter(subscription=ident, state=Request.State.OPEN, created_at__lte=at).update(
            state=Request.State.OVER
        )
        subscriptions = Subscription.with_canaries.filter(id=ident).exclude(state=Subscription.State.LEFT)
        if subscriptions.exclude(confirmed_at__gt=at).update(
            state=Subscription.State.LEFT, left_at=at, paused_until=None, language=""
        ):
            topics.forget([ident])
            count += 1
    return count


def ms_of(at: datetime) -> int:
    """Return a moment in milliseconds since 1970."""
    return int(at.timestamp() * 1000)


# -- forgetting -----------------------------------------------------------------------------------------------------


@transaction.atomic
def purge_expired(limit: int = 500) -> int:
    """Remove sign-ups that nobody confirmed, and the people of whom nothing else is known; return how many. All rows or
    none: a person without key and sign-up would be found by no later sweep."""
    over = Request.with_canaries.filter(state__in=UNCONFIRMED, expires_at__lt=clock.now() - GRACE)
    old = list(over.select_related("record", "subscription")[:limit])
    if not old:
        return 0
    boxes = [row.consent_id for row in old if row.consent_id]
    boxes += [row.record.id for row in old if row.record and row.record.kind == PENDING]
    Request.with_canaries.filter(id__in=[row.id for row in old]).delete()
    Record.with_canaries.filter(id__in=boxes).delete()
    people = {row.subscription.person_id for row in old}
    places = Subscription.with_canaries.filter(state=Subscription.State.WAITING, requests__isnull=True)
    waiting = set(places.filter(person__in=people).values_list("person_id", flat=True))
    stay = otherwise_known(waiting, besides=(CONSENT, PENDING))
    keeper().erase(sorted(waiting - stay))
    places.filter(person__in=stay).delete()
    return len(old)


def purge_left(limit: int = 500) -> int:
    """Erase people who left long ago, but for a mark that keeps imports from bringing them back; return how many. Of
    whom a conversation is kept, the newsletter forgets only its own part."""
    over = Subscription.with_canaries.filter(state=Subscription.State.LEFT, left_at__lt=clock.now() - LEFT_KEPT)
    people = list(over.values_list("person_id", flat=True)[:limit])
    if not people:
        return 0
    vault = keeper()
    opened = vault.open_records(Reason.ERASE_PERSON, actor=WORKER, person_ids=people)
    vault.suppress(
        content.email for contents in opened.values() for content in contents if isinstance(content, Details)
    )
    talking = otherwise_known(people, besides=(CONSENT, PENDING))
    Record.with_canaries.filter(person__in=talking, kind=CONSENT).delete()
    Subscription.with_canaries.filter(person__in=talking).delete()
    vault.erase([person for person in people if person not in talking])
    return len(people)
