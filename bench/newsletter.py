"""How long the console's newsletter pages and the lists of people take where very many are subscribed.

    python -m bench.newsletter [sqlite|postgresql]

The site is that of `bench.crowd`, with two topics, languages, thirty sent campaigns and one that is paused with an
email for everybody, of which some failed. The office is the real one over HTTP, as in `bench.office`, which also says
what the three times of each page are. Nothing is sent: the campaign is paused. Prints one JSON line.
"""

import json
import re
import sys
import time
from datetime import timedelta
from itertools import batched
from typing import Any

from bench import crowd
from bench.office import GOAL_MS, Times, computed_ms, p95, signed_in

ROUNDS = 30
_CHUNK = 10_000


def lay() -> None:
    """Put topics, languages and campaigns there, unless they are there already."""
    from django.db import connection, transaction

    from troth.core import clock
    from troth.newsletter import topics
    from troth.newsletter.models import Campaign, Subscription, Topic, TopicSubscription

    if Campaign.objects.exists():
        return
    offered = [topics.create(name, "", public=True) for name in ("Releases", "Security")]
    now = clock.now()
    everybody = Subscription.objects.order_by("person").values_list("id", "person")
    paused = Campaign.objects.create(
        subject="News of today", markdown="Dear {{ first_name | reader }}", state="paused", paused_from="sending",
        topic=None, started_at=now - timedelta(hours=1),
    )  # fmt: skip
    for number, some in enumerate(batched(everybody.iterator(_CHUNK), _CHUNK)):
        with transaction.atomic():
            chosen = [
                TopicSubscription(subscription_id=subscription, topic=topic, since=now)
                for place, (subscription, _) in enumerate(some)
                for topic in offered[: place % 3]
            ]
            TopicSubscription.objects.bulk_create(chosen)
            _deliver(paused, [person for _, person in some])
            language = ("de", "en", "")[number % 3]
            for ids in batched([subscription for subscription, _ in some], 500):
                Subscription.objects.filter(id__in=ids).update(language=language)
    paused.audience = Subscription.objects.count()
    paused.save()
    for number in range(30):
        at = now - timedelta(days=7 * number)
        Campaign.objects.create(
            subject=f"News {number}", markdown="News", state="sent", started_at=at, finished_at=at, audience=0
        )
    Campaign.objects.create(
        subject="News for {{ first_name | you }}", markdown="Hello {{ name | there }}", topic=Topic.objects.first(),
        to_language="de",
    )  # fmt: skip
    Campaign.objects.create(subject="News", markdown="Hello", to_language="de")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _deliver(campaign: Any, people: list[Any]) -> None:
    """Write down an email for each: half are sent, one in a hundred failed."""
    from troth.core import clock
    from troth.gate import bulk
    from troth.gate.models import Delivery
    from troth.newsletter.campaigns.mails import CAMPAIGN

    bulk.add(CAMPAIGN, campaign.id, people, "example.com")
    idents, now = [bulk.delivery_id(campaign.id, person) for person in people], clock.now()
    for ids in batched(idents[::2], 500):
        Delivery.objects.filter(id__in=ids).update(state="sent", next_at=None, done_at=now)
    for ids in batched(idents[1::100], 500):
        Delivery.objects.filter(id__in=ids).update(state="failed", reason="rejected", next_at=None, done_at=now)


def pages(client: Any) -> dict[str, str]:
    """Every page that is measured."""
    from troth.newsletter.models import Campaign, Topic
    from troth.people.queries import PAGE_SIZE
    from troth.vault.models import Person

    people = -(-Person.objects.count() // PAGE_SIZE)
    paused = Campaign.objects.get(state="paused").id
    both, draft = (Campaign.objects.get(state="draft", topic__isnull=none).id for none in (False, True))
    failed = client.get(f"/newsletter/{paused}/recipients/failed/")
    last = max(map(int, re.findall(r"page=(\d+)", failed.text)), default=1)
    return {
        "account": "/account/",
        "people_first": "/people/",
        "people_middle": f"/people/?page={people // 2}",
        "people_last": f"/people/?page={people}",
        "confirmed_middle": f"/people/?state=confirmed&page={people // 2}",
        "campaigns": "/newsletter/?tab=sent",
        "campaigns_sending": "/newsletter/?tab=sending",
        "topics": "/newsletter/topics/",
        "topic": f"/newsletter/topics/{Topic.objects.all()[0].id}/",
        "editor": f"/newsletter/{draft}/",
        "review": f"/newsletter/{draft}/review/",
        "review_topic_and_language": f"/newsletter/{both}/review/",
        "campaign": f"/newsletter/{paused}/",
        "campaign_progress": f"/newsletter/{paused}/progress/",
        "recipients_first": f"/newsletter/{paused}/recipients/failed/",
        "recipients_last": f"/newsletter/{paused}/recipients/failed/?page={last}",
        "import": "/people/import/",
        "today": "/",
    }


def measure(client: Any, office: int) -> dict[str, Times]:
    """All pages in turn, `ROUNDS` times after one to warm up."""
    asked = pages(client)
    found = {name: Times() for name in asked}
    for number in range(ROUNDS + 1):
        for name, url in asked.items():
            before, begun = computed_ms(office), time.perf_counter()
            answer = client.get(url)
            waited = (time.perf_counter() - begun) * 1000
            assert answer.status_code == 200, (url, answer.status_code)
            if number:
                found[name].waited.append(waited)
                found[name].computed.append(computed_ms(office) - before)
    return found


def main(kind: str) -> None:
    """Measure and print."""
    with crowd.filled(kind) as root:
        lay()
        with signed_in(root) as (client, office):
            times = measure(client, office)
    told = {
        "bench": "newsletter",
        "database": kind,
        "people": crowd.COUNT,
        "goal_p95_ms": GOAL_MS,
        "missed": [name for name, some in times.items() if p95(some.waited) >= GOAL_MS],
        "p50_p95_computed_ms": {name: some.told() for name, some in times.items()},
        "load": crowd.load(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite")
