"""A newsletter with a past, for the demo: topics, subscribers who were imported, two issues in the archive, one draft.

Nothing is sent and nobody is named: subscribers have addresses of example.org and example.net. Run by `demo.on_site`
before the worker starts.
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from troth.core import clock
from troth.gate import bulk
from troth.gate.models import Delivery
from troth.newsletter import topics
from troth.newsletter.campaigns import drafts
from troth.newsletter.campaigns.mails import CAMPAIGN
from troth.newsletter.models import Campaign, Subscription, Topic, TopicSubscription
from troth.people import import_files, import_job, import_rows, import_topics

SUBSCRIBERS = 36
_FIRST, _LAST = 88, 3
"""So many days ago the first and the last of them subscribed."""
_TOPICS = (
    ("Plainbook", "New versions, and what they change."),
    ("Tidemark", "New versions, and what they change."),
    ("Tricks", "Now and then, one that saves an evening."),
)
_NEW_VERSION = """\
Hello {{ first_name | there }},

Plainbook 4.2 is here. It opens large files in half the time, and the export keeps the widths of columns.

## What is new

- **Search** finds words in attachments, too.
- **Backups** are checked right after they are written.
- The keyboard reaches every button.

**[See what is new](SITE/products.html)**

If something does not work as you expect, reply to this email. Two of us read the answers.
"""
_TRICK = """\
Hello {{ first_name | there }},

this month's trick takes a minute: name a rule after the shop, and Plainbook asks about it no more.

1. Open an entry that it asked about.
2. Choose *Always do this*.
3. Give the rule the name of the shop.

| before            | after          |
| ----------------- | -------------- |
| 40 questions      | 6 questions    |
| one long evening  | ten minutes    |

More about rules is on [our website](SITE/products.html).
"""
_NEXT = """\
Hello {{ first_name | there }},

Plainbook 4.3 comes next month. Would you like to try it before?

**[Try the preview](SITE/products.html)**
"""


def fill(site: str) -> None:
    """Fill the demo's site, unless it has topics already. `site`: the address of the vendor's website."""
    if Topic.objects.exists():
        return
    offered = [topics.create(name, description, public=True) for name, description in _TOPICS]
    now = clock.now()
    _subscribe(now, offered)
    _sent("Plainbook 4.2 is here", "Large files open in half the time.", _NEW_VERSION, site, now - timedelta(days=40))
    _sent("One trick, ten minutes", "Rules with a name.", _TRICK, site, now - timedelta(days=12), offered[2])
    _draft("Plainbook 4.3: would you like to try it?", "A preview, before it is done.", _NEXT, site, offered[0])


def _subscribe(now: datetime, offered: list[Topic]) -> None:
    """Import subscribers as an operator would, and have each choose a topic or two."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "subscribers.csv"
        path.write_text("\n".join(("email,consent_date,language", *_rows(now))) + "\n", "utf-8")
        options = import_files.ReadingOptions(import_rows.ConsentStatement("Send me the newsletter."))
        files = import_files.files_of(path, options, import_topics.TopicNames({}))
        job = import_job.PeopleImport(files, "Generated for the demo", "shell")
        import_job.carry_out(job, import_job.examine(job, _untold), _untold)
    subscriptions = Subscription.objects.filter(state=Subscription.State.CONFIRMED).order_by("confirmed_at")
    chosen = [
        TopicSubscription(subscription=subscription, topic=topic, since=subscription.confirmed_at or now)
        for number, subscription in enumerate(subscriptions)
        for place, topic in enumerate(offered)
        if number % (place + 2) != 1
    ]
    TopicSubscription.objects.bulk_create(chosen)


_LANGUAGES = ("en", "de", "en", "fr", "")
"""Of every five: that of the last is not known, as with a list from before."""


def _rows(now: datetime) -> Iterator[str]:
    step = timedelta(days=_FIRST - _LAST) / (SUBSCRIBERS - 1)
    for number in range(SUBSCRIBERS):
        at = now - timedelta(days=_FIRST) + number * step
        domain, language = "example.org" if number % 3 else "example.net", _LANGUAGES[number % 5]
        yield f"reader-{number + 1}@{domain},{at:%Y-%m-%d},{language}"


def _untold(*_: object) -> None:
    """Show no progress: it takes tenths of a second."""


def _draft(subject: str, preheader: str, text: str, site: str, topic: Topic | None = None) -> Campaign:
    draft = drafts.create(topic=topic)
    text = text.replace("SITE", site)
    drafts.save(draft.id, draft.revision, subject=subject, preheader=preheader, markdown=text, link_name="november")
    draft.refresh_from_db()
    return draft


def _sent(subject: str, preheader: str, text: str, site: str, at: datetime, topic: Topic | None = None) -> None:
    """Add a campaign that everybody who was subscribed then has got."""
    at = at.astimezone(settings.TROTH_CONFIG.zone).replace(hour=9, minute=0, second=0, microsecond=0).astimezone(UTC)
    campaign = _draft(subject, preheader, text, site, topic)
    people = Subscription.objects.filter(confirmed_at__lt=at)
    if topic is not None:
        people = people.filter(topics__topic=topic)
    domain = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
    campaign.audience = bulk.add(CAMPAIGN, campaign.id, list(people.values_list("person_id", flat=True)), domain)
    over = at + timedelta(seconds=4)
    Delivery.objects.filter(about=campaign.id).update(
        state=Delivery.State.SENT, next_at=None, attempts=1, created_at=at, done_at=over
    )
    campaign.state, campaign.created_at, campaign.changed_at = Campaign.State.SENT, at, at
    campaign.started_at, campaign.finished_at = at, over
    campaign.save()
