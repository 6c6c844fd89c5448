"""Who gets a campaign: the estimate before it is sent, and the recipients that are written down once it starts.

The recipients are those subscribed at the moment of the start. They are written down in steps, so that the worker
files submissions meanwhile; killed at any point, it goes on where it stood, and nobody is written down twice.
May touch: the database.
"""

from copy import copy
from datetime import datetime, time, timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from troth.core import clock
from troth.gate import bulk
from troth.newsletter.campaigns.mails import CAMPAIGN
from troth.newsletter.models import Campaign, Sentence, Subscription, TopicSubscription
from troth.vault import row_counts
from troth.vault.models import Canary, Person

STEP = 10_000
"""Recipients that are written down in one transaction."""
_FIRST = UUID(int=0)
_IDS_AT_ONCE = 500


def estimate(campaign: Campaign) -> int:
    """Return how many would get this campaign if it started now.

    Whoever is chosen, by what indexes or kept numbers tell, less the few who may not be written to: looking at each of
    a million people takes seconds.
    """
    at = clock.now()
    chosen, canaries = _chosen(campaign, Subscription.with_canaries.all(), at), _canaries()
    if _is_for_everybody(campaign):
        return _confirmed() - _among(chosen, _unwanted(at) - canaries)
    return _whole(campaign, chosen) - _among(chosen, _unwanted(at) | canaries)


def anybody(campaign: Campaign) -> bool:
    """Return whether somebody would get this campaign if it started now."""
    return _recipients(campaign, clock.now()).exists()


def of_unknown_language(campaign: Campaign) -> int:
    """Return how many would get a campaign for one language, too, if theirs were known; 0 for one that is for all."""
    if not campaign.to_language:
        return 0
    everybody, at = copy(campaign), clock.now()
    everybody.to_language = ""
    chosen, canaries = _chosen(everybody, Subscription.with_canaries.filter(language=""), at), _canaries()
    if _is_for_everybody(everybody):
        known = Subscription.with_canaries.filter(language__gt="")
        of_known_language = known.count() - _among(known, canaries)
        return _confirmed() - of_known_language - _among(chosen, _unwanted(at) - canaries)
    return chosen.count() - _among(chosen, _unwanted(at) | canaries)


def _is_for_everybody(campaign: Campaign) -> bool:
    days = campaign.signed_up_from or campaign.signed_up_until
    return campaign.topic_id is None and not campaign.to_language and days is None


def _confirmed() -> int:
    """Return how many are subscribed, without canaries: a number that the database keeps."""
    return row_counts.counts("subscription")[Subscription.State.CONFIRMED]


def _whole(campaign: Campaign, chosen: QuerySet[Subscription]) -> int:
    """Count who is chosen, with canaries. Only who is confirmed has topics or a language."""
    if campaign.signed_up_from or campaign.signed_up_until or (campaign.topic_id and campaign.to_language):
        return chosen.count()
    if campaign.topic_id:
        return TopicSubscription.with_canaries.filter(topic=campaign.topic_id).count()
    return Subscription.with_canaries.filter(_of_language(campaign.to_language)).count()


def _canaries() -> set[UUID]:
    return set(Canary.objects.values_list("person_id", flat=True))


def _unwanted(at: datetime) -> set[UUID]:
    """Return who paused or is restricted: few, and an index leads to them."""
    paused = Subscription.with_canaries.filter(paused_until__isnull=False, paused_until__gt=at)
    restricted = Person.with_canaries.filter(frozen_at__isnull=False)
    return {*paused.values_list("person_id", flat=True), *restricted.values_list("id", flat=True)}


def _among(chosen: QuerySet[Subscription], people: set[UUID]) -> int:
    """Count who of these people is chosen."""
    return sum(chosen.filter(person__in=some).count() for some in batched(people, _IDS_AT_ONCE))


def languages() -> list[str]:
    """Return the languages that subscribers have, and those of the sign-up form's sentences, in order."""
    tags, rows = set[str](), Subscription.objects.order_by("language").values_list("language", flat=True)
    last = ""
    while (following := rows.filter(language__gt=last).first()) is not None:  # by the index: never a look at everybody
        tags.add(following)
        last = following
    return sorted(tags.union(Sentence.objects.exclude(language="").values_list("language", flat=True)))


def _recipients(campaign: Campaign, started_at: datetime) -> QuerySet[Subscription]:
    rows = _chosen(campaign, Subscription.objects.all(), started_at)
    return rows.filter(Q(paused_until=None) | Q(paused_until__lte=started_at), person__frozen_at=None)


def _chosen(campaign: Campaign, rows: QuerySet[Subscription], at: datetime) -> QuerySet[Subscription]:
    """Return who of `rows` is subscribed and in the campaign's segment."""
    rows = rows.filter(state=Subscription.State.CONFIRMED, confirmed_at__lte=at)
    if campaign.topic_id is not None:
        rows = rows.filter(topics__topic=campaign.topic_id)
    if campaign.to_language:
        rows = rows.filter(_of_language(campaign.to_language))
    zone = settings.TROTH_CONFIG.zone
    if campaign.signed_up_from is not None:
        rows = rows.filter(confirmed_at__gte=datetime.combine(campaign.signed_up_from, time(), zone))
    if campaign.signed_up_until is not None:
        day_after = campaign.signed_up_until + timedelta(days=1)
        rows = rows.filter(confirmed_at__lt=datetime.combine(day_after, time(), zone))
    return rows


def _of_language(tag: str) -> Q:
    """Return what finds a language: a campaign for `de` is for `de-AT`, too (RFC 4647, section 3.3.1)."""
    return Q(language__in=[tag, *(other for other in languages() if other.startswith(f"{tag}-"))])


def write_down(campaign: Campaign, step: int = STEP) -> bool:
    """Write down the next recipients of a campaign that is being prepared; return whether that was all.

    In one transaction with the place where it stands (`prepared_to`).
    """
    assert campaign.started_at is not None
    domain = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
    with transaction.atomic():
        after = campaign.prepared_to or _FIRST
        next_people = _recipients(campaign, campaign.started_at).filter(person__gt=after).order_by("person")
        people = list(next_people.values_list("person_id", flat=True)[:step])
        changes: dict[str, Any] = {}
        if people:
            campaign.audience += bulk.add(CAMPAIGN, campaign.id, people, domain)
            campaign.prepared_to = people[-1]
            changes = {"audience": campaign.audience, "prepared_to": campaign.prepared_to}
        over = len(people) < step
        if over:
            changes["state"] = campaign.state = Campaign.State.SENDING
        # Whoever cancelled or paused it meanwhile is not overruled.
        preparing = Campaign.objects.filter(id=campaign.id, state=Campaign.State.PREPARING)
        if not preparing.update(**changes):
            transaction.set_rollback(True)
            return True
    return over
