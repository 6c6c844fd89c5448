"""What the newsletter holds of a person, for their page, their export and their erasure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from troth.core.holdings import Part, Step, Value
from troth.core.purpose import Reason
from troth.gate import outbox
from troth.newsletter import consent_texts, topics
from troth.newsletter.campaigns.mails import CAMPAIGN
from troth.newsletter.mails import CONFIRMATION
from troth.newsletter.models import Request, Subscription, TopicSubscription, TransactionalMail
from troth.newsletter.transactional.mails import TRANSACTIONAL
from troth.vault.keeper import keeper
from troth.vault.records import CONSENT, Consent, MailData


def history(person: UUID) -> Sequence[Step]:
    """Return sign-ups, confirmations, leaving, and the mails about them."""
    return list(_steps(person))


def _steps(person: UUID) -> Iterator[Step]:
    for request in Request.with_canaries.filter(subscription__person=person):
        yield Step("Signed up", request.created_at)
    for subscription in Subscription.with_canaries.filter(person=person):
        if subscription.confirmed_at:
            yield Step("Confirmed", subscription.confirmed_at)
        if subscription.left_at:
            yield Step("Unsubscribed", subscription.left_at)
    for choice in TopicSubscription.with_canaries.filter(subscription__person=person).select_related("topic"):
        yield Step(f"Chose the topic: {choice.topic.name}", choice.since)
    yield from outbox.steps(person, CONFIRMATION, "Confirmation email")
    yield from outbox.steps(person, CAMPAIGN, "Newsletter")
    yield from outbox.steps(person, TRANSACTIONAL, "Email from your program")


def export(person: UUID, actor: UUID | str) -> Sequence[Part]:
    """Return the subscription and each step of the consent to it."""
    subscription = Subscription.with_canaries.filter(person=person).first()
    newsletter = [] if subscription is None else _subscribed(subscription, person, actor)
    return [*newsletter, *_mails(person, actor)]


def _mails(person: UUID, actor: UUID | str) -> Sequence[Part]:
    """The transactional emails, with what a program passed for them."""
    mails = TransactionalMail.with_canaries.filter(person=person).select_related("template").order_by("created_at")
    if not mails:
        return []
    records = [mail.record_id for mail in mails]
    opened = keeper().open_by_id(Reason.EXPORT_PERSON, actor=actor, record_ids=records)
    items = []
    for mail in mails:
        passed = opened.get(mail.record_id)
        item: dict[str, Value] = {"at": mail.created_at, "template": mail.template.name if mail.template else None}
        items.append(item | (dict(passed.data) if isinstance(passed, MailData) else {}))
    return [Part("emails", "Emails sent to you by our software", tuple(items))]


def _subscribed(subscription: Subscription, person: UUID, actor: UUID | str) -> Sequence[Part]:
    state = Part(
        "newsletter",
        "Newsletter",
        (
            {
                "state": subscription.state,
                "signed_up": subscription.created_at,
                "confirmed": subscription.confirmed_at,
                "left": subscription.left_at,
                "topics": topics.names(topics.of_subscriptions([subscription.id]).get(subscription.id, 0)),
                "paused_until": subscription.paused_until,
                "language": subscription.language or None,
            },
        ),
    )
    opened = keeper().open_records(Reason.EXPORT_CONSENT, actor=actor, person_ids=[person], kind=CONSENT)
    steps = [step for step in opened.get(person, []) if isinstance(step, Consent)]
    consent = Part("consent", "Consent history", tuple(_consent(step) for step in steps))
    return [state, consent]


def _consent(step: Consent) -> dict[str, Value]:
    item: dict[str, Value] = {
        "step": step.step,
        "at": datetime.fromtimestamp(step.at_ms / 1000, UTC),
        "sentence": consent_texts.of(step.wording) if step.wording else None,
        "sha256_of_the_sentence": step.wording.hex() if step.wording else None,
    }
    if step.topics is not None:
        item["topics"] = topics.names(step.topics)
    if step.policy is not None:
        item["policy_version"] = step.policy
    # Where details were not collected from the person, they are told from where they came (GDPR, article 15(1)(g)).
    return item if step.source is None else {**item, "source": step.source}


def dealt_with(people: Sequence[UUID]) -> set[UUID]:
    """Return who confirmed, whether or not they left since, or was imported."""
    confirmed = Subscription.with_canaries.filter(person__in=people, confirmed_at__isnull=False)
    return set(confirmed.values_list("person_id", flat=True))


def must_keep(person: UUID) -> Sequence[str]:
    """Return nothing: a newsletter has no duty to remember."""
    return []
