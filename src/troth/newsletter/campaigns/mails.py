"""The emails of a campaign and its tests, composed when they leave.

A campaign's words are rendered once and are the same for all; what differs are the recipient's own details and links
(C3). May touch: the database, through the keeper; the key that signs links.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import Any, ClassVar, TypedDict
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from troth.core import clock
from troth.core.config.sections import Config
from troth.core.personal import EmailAddress
from troth.core.purpose import Reason
from troth.core.rooms import EmailKind
from troth.core.signed_links import Act
from troth.gate import bulk, outbox
from troth.gate.bulk import ClaimedMail
from troth.gate.message import Mail, check_link, one_line
from troth.gate.models import Delivery
from troth.gate.outbox import ClaimedRow
from troth.newsletter import topics
from troth.newsletter.campaigns.content import Content, Draft, Look, render
from troth.newsletter.campaigns.merge import first_name
from troth.newsletter.campaigns.pace import PACE
from troth.newsletter.models import Campaign, CampaignImage, CampaignTest, Subscription
from troth.vault import signing_keys
from troth.vault.keeper import keeper
from troth.vault.records import Details

WORKER = "worker"
_IMAGE_NAME = re.compile(r"/images/([0-9a-z.]{8,80})")
CAMPAIGN = EmailKind(
    name="campaign",
    title="Newsletter campaign",
    to="A confirmed subscriber",
    contains="When an operator sends a campaign. What the operator wrote, filled in with the subscriber’s own name and "
    "company; links to unsubscribe and to the preferences.",
)
CAMPAIGN_TEST = EmailKind(
    name="campaign_test",
    title="Test of a campaign",
    to="The operator who asked for it",
    contains="When an operator tests a campaign. The same with sample details.",
    to_operators=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignMail(Mail):
    """A campaign to one subscriber: the words that everybody gets, filled in with their own details.

    Both header fields of RFC 8058 lead to the link that unsubscribes this one subscriber.
    """

    content: Content
    values: Mapping[str, str] = field(repr=False)
    """Merge fields: the recipient's own details, empty where there is none."""
    unsubscribe_url: str
    preferences_url: str
    list_id: str

    OWN: ClassVar = Mail.OWN | {"content", "values"}

    def __post_init__(self) -> None:
        Mail.__post_init__(self)
        check_link(self.unsubscribe_url, "the link to unsubscribe")
        check_link(self.preferences_url, "the link to the preferences")

    def subject(self) -> str:
        return one_line(self.content.subject.fill(self._values()))

    def text(self) -> str:
        return self.content.text.fill(self._values())

    def page(self) -> str:
        return self.content.html.fill(self._values())

    def headers(self) -> dict[str, str]:
        return {
            "List-Id": self.list_id,
            "List-Unsubscribe": f"<{self.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }

    def looked_at_apart(self) -> str:
        return "\n".join(self.values.values())

    def _values(self) -> dict[str, str]:
        links = {"unsubscribe_url": self.unsubscribe_url, "preferences_url": self.preferences_url}
        note = {"twice": self.content.twice} if self.maybe_twice else {}
        return {**self.values, "site_name": self.site_name, **links, **note}


def content_of(campaign: Campaign, config: Config) -> Content:
    """Render a campaign's words. Raises `DraftError`, which names the part, the line and the fix."""
    draft = Draft(
        subject=campaign.subject,
        preheader=campaign.preheader,
        markdown=campaign.markdown,
        template=campaign.template,
        language=campaign.language,
        topic=campaign.topic.number if campaign.topic else None,
    )
    return rendered(draft, config, campaign.link_name)


def rendered(draft: Draft, config: Config, link_name: str = "") -> Content:
    """Render a draft in this site's look. Raises `DraftError`."""
    site = (config.site.name, config.site.accent, config.site.url, config.controller.address)
    return _rendered(draft, *site, link_name, image_widths(draft.markdown))


def image_widths(markdown: str) -> tuple[tuple[str, int], ...]:
    """Return the images of this site that a text names, and how wide each is in pixels."""
    names = set(_IMAGE_NAME.findall(markdown))
    return tuple(CampaignImage.objects.filter(name__in=names).values_list("name", "width")) if names else ()


@lru_cache(maxsize=8)
def _rendered(
    draft: Draft,
    site_name: str,
    accent: str,
    site_url: str,
    postal_address: str,
    link_name: str,
    widths: tuple[tuple[str, int], ...],
) -> Content:
    look = Look(site_name, accent, site_url, postal_address, campaign_name=link_name, image_widths=dict(widths))
    return render(draft, look)


def merge_values(details: Details) -> dict[str, str]:
    """Return a person's own details as merge fields."""
    name = one_line(details.name.reveal()) if details.name else ""
    company = one_line(details.company.reveal()) if details.company else ""
    return {"name": name, "first_name": first_name(name), "company": company}


SAMPLE = {"name": "Alex Example", "first_name": "Alex", "company": "Example Software"}
"""Merge fields of a test email and of a preview."""


def compose_campaigns(rows: Sequence[ClaimedRow]) -> Mapping[UUID, Mail]:
    """Write the emails of these deliveries, without those to people who left, paused or dropped the topic since."""
    mails: dict[UUID, Mail] = {}
    for about, group in groupby(sorted(rows, key=lambda row: row.about), key=lambda row: row.about):
        campaign = Campaign.objects.filter(id=about).exclude(state=Campaign.State.CANCELLED).first()
        if campaign is not None:
            mails.update(_compose(campaign, list(group)))
    return mails


def _compose(campaign: Campaign, rows: Sequence[ClaimedRow]) -> Mapping[UUID, Mail]:
    config = settings.TROTH_CONFIG
    content = content_of(campaign, config)
    people = [row.person_id for row in rows if row.person_id]
    among = bulk.people_of(rows[0].claim) if isinstance(rows[0], ClaimedMail) else None
    subscribed = still_wanted(campaign, people if among is None else among)
    subscriptions = {person: subscribed[person] for person in people if person in subscribed}
    if not subscriptions:
        return {}
    opened = keeper().open_records(Reason.SEND_CAMPAIGN, actor=WORKER, person_ids=list(subscriptions), among=among)
    chosen = topics.of_subscriptions(subscriptions.values()) if among is None else topics.of_people(among)
    mails: dict[UUID, Mail] = {}
    now, later = clock.now(), dict[UUID, datetime]()
    PACE.forget_past(now)
    for row in rows:
        details = opened.get(row.person_id, [None])[-1] if row.person_id in subscriptions else None
        if row.person_id is not None and isinstance(details, Details):
            if at := PACE.reserve(row.id, _limits(config, details.email), now):
                later[row.id] = at
                continue
            mails[row.id] = CampaignMail(
                to=details.email,
                content=content,
                values=merge_values(details),
                message_id=row.message_id,
                maybe_twice=row.maybe_twice,
                **links(config, subscriptions[row.person_id], chosen.get(subscriptions[row.person_id], 0)),
            )
    outbox.postpone(later)
    return mails


def _limits(config: Config, address: EmailAddress) -> dict[str, int]:
    form, domain = config.newsletter, address.reveal().rpartition("@")[2].lower()
    return {"": form.campaign_emails_per_hour, domain: form.campaign_emails_per_domain_per_hour}


class _Links(TypedDict):
    site_name: str
    unsubscribe_url: str
    preferences_url: str
    list_id: str


def links(config: Config, subscription: UUID, chosen: int) -> _Links:
    """Return what a campaign's mail to this subscription has besides its words: links, and whose list it is."""
    signer, domain = signing_keys.signer(), config.mail.sender.rpartition("@")[2]
    return {
        "site_name": config.site.name,
        "unsubscribe_url": f"{config.site.url}/unsubscribe/{signer.sign(Act.UNSUBSCRIBE, subscription)}",
        "preferences_url": f"{config.site.url}/preferences/{signer.sign_topics(subscription, chosen)}",
        "list_id": f"<newsletter.{domain}>",
    }


def still_wanted(campaign: Campaign, people: Sequence[UUID] | QuerySet[Any, Any]) -> dict[UUID, UUID]:
    """Return who of `people` still gets this campaign: subscription by person."""
    rows = Subscription.with_canaries.filter(person__in=people, state=Subscription.State.CONFIRMED)
    rows = rows.filter(Q(paused_until=None) | Q(paused_until__lte=clock.now()))
    if campaign.topic_id is not None:
        rows = rows.filter(topics__topic=campaign.topic_id)
    return dict(rows.values_list("person_id", "id"))


def compose_tests(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """Write test emails: to the operator who asked, with sample details and links that lead to nobody's choices."""
    config, mails = settings.TROTH_CONFIG, dict[UUID, Mail]()
    tests = CampaignTest.objects.select_related("campaign").in_bulk([row.about for row in rows])
    operators = get_user_model().objects.in_bulk([test.operator for test in tests.values()])
    for row in rows:
        test = tests.get(row.about)
        operator = operators.get(test.operator) if test else None
        if test is None or operator is None or not operator.is_active:
            continue
        mails[row.id] = CampaignMail(
            to=EmailAddress(operator.email),
            content=content_of(test.campaign, config),
            values=SAMPLE,
            message_id=row.message_id,
            **links(config, test.id, 0),
        )
    return mails
