"""`python -m tests.newsletter.filled`: topics and campaigns in every state, into the site that TROTH_SITE names.

Prints the ids of a draft, a scheduled campaign, a paused one and a sent one.
"""

import os
from datetime import timedelta

import django

from troth.core import clock

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.django_settings")

TEXT = """# Plainbook 4.2 prints on both sides

Hello {{ first_name | there }},

the new version is out. It prints on both sides, and it starts in **half the time**.

## What is new

- Printing on both sides, on every printer
- Invoices by email, with a link to pay
- A dark theme, which follows the system's

**[Get version 4.2](https://www.plainbook.example/download)**

> It is the first version that I did not have to explain to my father.

| Version | Starts in |
| --- | --- |
| 4.1 | 2.1 s |
| 4.2 | 0.9 s |

See you next month,
the people of {{ site_name }}
"""


def main() -> None:
    """Fill it. The numbers of large campaigns are sums whose rows are gone."""
    django.setup()
    from troth.newsletter import topics
    from troth.newsletter.campaigns import drafts
    from troth.newsletter.models import Campaign

    news = topics.create("Product news", "New versions, and what is in them", public=True)
    tips = topics.create("Tips", "A short one every other week", public=True)
    topics.create("Beta testers", "Imported from the old list", public=False)
    topics.archive(topics.create("Events", "Where to meet us", public=True).id)

    def write(subject: str, **values: object) -> Campaign:
        made = drafts.create()
        preheader = "It prints on both sides, and starts in half the time"
        drafts.save(made.id, made.revision, subject=subject, preheader=preheader, markdown=TEXT, **values)
        return made

    draft = write("Plainbook 4.2 prints on both sides", link_name="plainbook-4-2")
    write("A tip: shortcuts that save an hour a week", topic=tips)
    scheduled = write("Our winter opening hours, and whom to ask when the office is closed over the holidays")
    due = clock.now().replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=3)
    times = {"due_at": due, "scheduled_time": f"{due:%Y-%m-%dT%H:%M}", "scheduled_zone": "UTC"}
    Campaign.objects.filter(id=scheduled.id).update(state="scheduled", **times)
    paused = write("October: what we fixed", topic=news, link_name="october")
    _started(paused, "paused", sent=31_204, queued=16_914, failed=112, uncertain=9, suppressed=31, skipped=40)
    sent = write("September: faster search", link_name="september")
    _started(sent, "sent", failed_rows=True, sent=47_825, suppressed=12, skipped=61)
    _started(write("Price change, called off"), "cancelled", sent=120, skipped=45_880)
    old = write("August: welcome")
    _started(old, "sent", sent=900)
    drafts.hide(old.id)
    print(draft.id, scheduled.id, paused.id, sent.id)


def _started(campaign, state: str, *, failed_rows: bool = False, **totals: int) -> None:
    """Give a campaign its numbers; `failed_rows`: it did not reach the people of the site."""
    from troth.gate import bulk
    from troth.gate.models import Delivery, DeliveryTotal
    from troth.newsletter.campaigns.mails import CAMPAIGN
    from troth.newsletter.models import Campaign, Subscription

    now, people = clock.now(), list(Subscription.objects.values_list("person_id", flat=True)) if failed_rows else []
    bulk.add(CAMPAIGN, campaign.id, people, "example.com")
    rows = Delivery.objects.filter(about=campaign.id)
    rows.update(state="failed", reason="no-such-address", code=550, next_at=None, done_at=now)
    rows.filter(person__in=people[:2]).update(state="uncertain", reason="connection-lost", code=None)
    for name, mails in totals.items():
        DeliveryTotal.objects.create(about=campaign.id, state=name, mails=mails)
    over = now - timedelta(hours=2) if state in ("sent", "cancelled") else None
    Campaign.objects.filter(id=campaign.id).update(
        state=state, audience=sum(totals.values()) + len(people), started_at=now - timedelta(hours=3), finished_at=over
    )


if __name__ == "__main__":
    main()
