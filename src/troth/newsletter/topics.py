"""Topics: what subscribers may choose to read about, and who chose what.

A topic that is archived can be chosen no more; who chose it before keeps it until they leave or are deleted. Only who
is confirmed has topics. May touch: the database.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, QuerySet

from troth.core import clock
from troth.core.errors import TrothError
from troth.core.signed_links import MAX_TOPICS
from troth.gate.message import one_line
from troth.newsletter.models import Topic, TopicSubscription
from troth.vault.models import Canary

_LONGEST_NAME, _LONGEST_DESCRIPTION = 60, 200
_IDS_AT_ONCE = 500


class TopicRefused(TrothError):
    """A topic that cannot be as it was asked for; `mend` says what would be taken."""


# -- the topics -------------------------------------------------------------------------------------------------------


def public_topics() -> list[Topic]:
    """Return what the sign-up form and the preference centre offer, by number."""
    return list(Topic.objects.filter(public=True, archived_at=None))


def all_topics() -> list[Topic]:
    """Return all topics by number, archived ones too."""
    return list(Topic.objects.all())


def create(name: str, description: str, *, public: bool) -> Topic:
    """Add a topic. Raises `TopicRefused` where the name is empty, too long or taken, or there are too many topics."""
    name, description = _checked(name, description)
    with transaction.atomic():
        last = Topic.objects.aggregate(last=Max("number"))["last"]
        number = 0 if last is None else last + 1
        if number >= MAX_TOPICS:
            raise TopicRefused(
                f"There can be {MAX_TOPICS} topics at most, archived ones included.",
                mend="Restore an archived topic under another name.",
            )
        _refuse_taken(name)
        return _saved(Topic(name=name, description=description, public=public, number=number))


def change(topic_id: UUID, name: str, description: str, *, public: bool) -> None:
    """Rename or describe a topic, or offer it to everybody or to nobody. Raises `TopicRefused`."""
    name, description = _checked(name, description)
    with transaction.atomic():
        topic = _topic(topic_id)
        _refuse_taken(name, besides=topic_id)
        topic.name, topic.description, topic.public = name, description, public
        _saved(topic)


def archive(topic_id: UUID) -> None:
    """Offer a topic no more. Raises `TopicRefused` where there is none."""
    topic = _topic(topic_id)
    topic.archived_at = topic.archived_at or clock.now()
    topic.save(update_fields=["archived_at"])


def restore(topic_id: UUID) -> None:
    """Offer an archived topic again. Raises `TopicRefused` where there is none."""
    topic = _topic(topic_id)
    topic.archived_at = None
    topic.save(update_fields=["archived_at"])


def _topic(topic_id: UUID) -> Topic:
    topic = Topic.objects.filter(id=topic_id).first()
    if topic is None:
        raise TopicRefused("There is no such topic.", mend="Reload the page.")
    return topic


def _checked(name: str, description: str) -> tuple[str, str]:
    name, description = one_line(name).strip(), one_line(description).strip()
    if not 0 < len(name) <= _LONGEST_NAME:
        raise TopicRefused("A topic needs a name.", mend=f"Enter a name of 1 to {_LONGEST_NAME} characters.")
    if len(description) > _LONGEST_DESCRIPTION:
        raise TopicRefused("The description is too long.", mend=f"Shorten it to {_LONGEST_DESCRIPTION} characters.")
    return name, description


def _refuse_taken(name: str, besides: UUID | None = None) -> None:
    """Names that differ in case only would look the same to visitors. SQLite folds ASCII only, so Python does it."""
    names = {topic.name.casefold() for topic in all_topics() if topic.id != besides}
    if name.casefold() in names:
        raise _taken()


def _taken() -> TopicRefused:
    return TopicRefused("There is a topic with this name.", mend="Choose another name; archived topics keep theirs.")


def _saved(topic: Topic) -> Topic:
    try:
        with transaction.atomic():
            topic.save()
    except IntegrityError:  # somebody else took the name or the number meanwhile
        raise _taken() from None
    return topic


# -- who chose what ---------------------------------------------------------------------------------------------------


def counts() -> dict[UUID, int]:
    """Return how many confirmed subscribers each topic has; 0 where it has none."""
    chosen = TopicSubscription.with_canaries.order_by()
    by_topic = dict.fromkeys(Topic.objects.values_list("id", flat=True), 0)
    by_topic.update(chosen.values_list("topic").annotate(Count("id")))
    # A handful, counted apart: joined to everybody's, they would make a page of a million subscribers slow.
    canaries = chosen.filter(subscription__person__in=Canary.objects.values("person"))
    for topic, count in canaries.values_list("topic").annotate(Count("id")):
        by_topic[topic] -= count
    return by_topic


def of_subscriptions(subscription_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return the topics of these subscriptions, each as a bitmap of `Topic.number`; those without any are left out."""
    bitmaps: dict[UUID, int] = {}
    for ids in batched(subscription_ids, _IDS_AT_ONCE):
        _note_topics(bitmaps, TopicSubscription.with_canaries.filter(subscription__in=ids))
    return bitmaps


def of_people(people: QuerySet[Any, Any]) -> dict[UUID, int]:
    """Return the same for the subscriptions of the people whom this query finds."""
    bitmaps: dict[UUID, int] = {}
    _note_topics(bitmaps, TopicSubscription.with_canaries.filter(subscription__person__in=people))
    return bitmaps


def _note_topics(bitmaps: dict[UUID, int], rows: QuerySet[TopicSubscription]) -> None:
    for subscription, number in rows.values_list("subscription", "topic__number"):
        bitmaps[subscription] = bitmaps.get(subscription, 0) | 1 << number


def choose(subscription_id: UUID, *, before: int, chosen: int, at: datetime) -> bool:
    """Subscribe to what is in `chosen` and not in `before`, drop what is in `before` and not in `chosen`; leave the
    rest, which whoever chose did not touch. Only public topics can be chosen; any can be dropped. Returns whether that
    changed anything.

    The caller sees to it that the subscription is confirmed.
    """
    touched = [topic for topic in all_topics() if (before ^ chosen) >> topic.number & 1]
    rows = TopicSubscription.with_canaries.filter(subscription=subscription_id)
    present = set(rows.values_list("topic_id", flat=True))
    offered = [topic for topic in touched if topic.public and topic.archived_at is None]
    added = [topic for topic in offered if chosen >> topic.number & 1 and topic.id not in present]
    dropped = [topic.id for topic in touched if not chosen >> topic.number & 1 and topic.id in present]
    TopicSubscription.with_canaries.bulk_create(
        TopicSubscription(subscription_id=subscription_id, topic=topic, since=at) for topic in added
    )
    if dropped:
        rows.filter(topic__in=dropped).delete()
    return bool(added or dropped)


def forget(subscription_ids: Iterable[UUID]) -> None:
    """Drop all topics of who leaves."""
    for ids in batched(subscription_ids, _IDS_AT_ONCE):
        TopicSubscription.with_canaries.filter(subscription__in=ids).delete()


def known() -> int:
    """Return the bitmap of all topics, archived ones too."""
    return sum(1 << number for number in Topic.objects.values_list("number", flat=True))


def names(bitmap: int) -> str:
    """Return the topics in a bitmap as people read them: `Releases, Security`; "none" where there is none."""
    return ", ".join(_names(bitmap)) or "none"


def _names(bitmap: int) -> Iterator[str]:
    return (topic.name for topic in all_topics() if bitmap >> topic.number & 1)
