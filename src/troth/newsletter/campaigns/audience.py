"""Who gets a campaign: the estimate before it is sent, and the recipients that are written down once it starts.

The recipients are those subscribed at the moment of the start. They are written down in steps, so that the worker
files submissions meanwhile; killed at any point, it goes on where it stood, and nobody is written down twice.
May touch: the database.
"""

from copy import copy
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from troth.core import clock
from troth.gate import bulk
from troth.newsletter.campaigns.mails import CAMPAIGN
from troth.newsletter.models import Campaign, Sentence, Subscription

STEP = 10_000
"""Recipients that are written down in one transaction."""
_FIRST = UUID(int=0)


def estimate(campaign: Campaign) -> int:
    """Return how many would get this campaign if it started now."""
    return _recipients(campaign, clock.now()).count()


def of_unknown_language(campaign: Campaign) -> int:
    """Return how many would get a campaign for one language, too, if theirs were known; 0 for one that is for all."""
    if not campaign.to_language:
        return 0
    everybody = copy(campaign)
    everybody.to_language = ""
    return _recipients(everybody, clock.now()).filter(language="").count()


def languages() -> list[str]:
    """Return the languages that subscribers have, and those of the sign-up form's sentences, in order."""
    tags, rows = set[str](), Subscription.objects.order_by("language").values_list("language", flat=True)
    last = ""
    while (following := rows.filter(language__gt=last).first()) is not None:  # by the index: never a look at everybody
        tags.add(following)
        last = following
    return sorted(tags.union(Sentence.objects.exclude(language="").values_list("language", flat=True)))


def _recipients(campaign: Campaign, started_at: datetime) -> QuerySet[Subscription]:
    rows = Subscription.objects.filter(state=Subscription.State.CONFIRMED, confirmed_at__lte=started_at)
    rows = rows.filter(Q(paused_until=None) | Q(paused_until__lte=started_at), person__frozen_at=None)
    if campaign.topic_id is not None:
        rows = rows.filter(topics__topic=campaign.topic_id)
    if tag := campaign.to_language:  # a campaign for de is for de-AT, too (RFC 4647, section 3.3.1)
        rows = rows.filter(Q(language=tag) | Q(language__startswith=f"{tag}-"))
    zone = settings.TROTH_CONFIG.zone
    if campaign.signed_up_from is not None:
        rows = rows.filter(confirmed_at__gte=datetime.combine(campaign.signed_up_from, time(), zone))
    if campaign.signed_up_until is not None:
        day_after = campaign.signed_up_until + timedelta(days=1)
        rows = rows.filter(confirmed_at__lt=datetime.combine(day_after, time(), zone))
    return rows


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
