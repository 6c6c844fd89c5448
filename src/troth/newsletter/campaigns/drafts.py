"""Writing campaigns: drafts, their preview, test emails and pictures. Runs in the office; nothing is sent from here.

May touch: the database.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models

from troth.core import clock
from troth.core.errors import TrothError
from troth.gate import outbox
from troth.newsletter.campaigns import images, mails
from troth.newsletter.campaigns.content import Content
from troth.newsletter.campaigns.link_check import Hint
from troth.newsletter.campaigns.markdown import Link
from troth.newsletter.campaigns.sending import CampaignRefused
from troth.newsletter.models import Campaign, CampaignImage, CampaignTest, Topic

State = Campaign.State
_WRITTEN = (
    "subject", "preheader", "markdown", "template", "language", "topic", "to_language", "signed_up_from",
    "signed_up_until", "public", "link_name",
)  # fmt: skip


class DraftConflict(CampaignRefused):
    """The draft was saved elsewhere since it was opened."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A campaign as the recipient would see it, with sample details."""

    subject: str
    html: str
    text: str
    hints: tuple[Hint, ...]
    links: tuple[Link, ...]
    error: str = ""
    """Why it cannot be rendered, and how to fix it; the rest is empty then."""


def create(*, subject: str = "", topic: Topic | None = None) -> Campaign:
    """Create an empty draft."""
    return Campaign.objects.create(subject=subject, topic=topic)


def save(campaign_id: UUID, revision: int, **values: Any) -> int:
    """Save what was written; return the new revision.

    Raises `DraftConflict` where it was saved elsewhere since `revision`, `CampaignRefused` where it is no draft, or
    where a line is too long.
    """
    if unknown := set(values) - set(_WRITTEN):
        raise ValueError(f"a draft has no {', '.join(sorted(unknown))}")
    _check_lengths(values)
    draft = Campaign.objects.filter(id=campaign_id, state=State.DRAFT)
    if draft.filter(revision=revision).update(revision=revision + 1, changed_at=clock.now(), **values):
        return revision + 1
    if draft.exists():
        raise DraftConflict(
            "This draft was saved in another window since you opened it.",
            mend="Copy what you wrote, reload the page, and paste it in.",
        )
    raise CampaignRefused("This campaign is not a draft any more.", mend="Duplicate it to change it.")


def _check_lengths(values: dict[str, Any]) -> None:
    """PostgreSQL refuses longer ones with an error of its own; SQLite takes them."""
    labels = {"subject": "subject", "preheader": "preheader", "language": "language"}
    labels |= {"to_language": "language of subscribers", "link_name": "campaign name in links"}
    for name, label in labels.items():
        field = Campaign._meta.get_field(name)
        assert isinstance(field, models.CharField)
        most = field.max_length
        if most is not None and len(values.get(name, "")) > most:
            raise CampaignRefused(f"The {label} is longer than {most} characters.", mend="Shorten it.")


def duplicate(campaign_id: UUID) -> Campaign:
    """Create a draft with the same words for the same subscribers."""
    original = Campaign.objects.filter(id=campaign_id).first()
    if original is None:
        raise CampaignRefused("There is no such campaign.")
    return Campaign.objects.create(**{name: getattr(original, name) for name in _WRITTEN})


def delete(campaign_id: UUID) -> None:
    """Delete a draft."""
    if not Campaign.objects.filter(id=campaign_id, state=State.DRAFT).delete()[0]:
        raise CampaignRefused("Only drafts can be deleted.", mend="Hide it from the list instead.")


def hide(campaign_id: UUID) -> None:
    """Hide a campaign that is not under way from the list."""
    resting = (State.DRAFT, State.SENT, State.CANCELLED)
    if not Campaign.objects.filter(id=campaign_id, state__in=resting).update(archived_at=clock.now()):
        raise CampaignRefused("This campaign is under way.", mend="Hide it once it is sent or cancelled.")


def show(campaign_id: UUID) -> None:
    """Show a hidden campaign in the list again."""
    Campaign.objects.filter(id=campaign_id).update(archived_at=None)


def publish(campaign_id: UUID, *, public: bool) -> None:
    """Add a sent campaign to the website's archive and feed, or remove it; within ten seconds."""
    if not Campaign.objects.filter(id=campaign_id, state=State.SENT).update(public=public):
        raise CampaignRefused("This campaign was not sent.", mend="Before that, its editor says whether it is public.")


def preview(campaign: Campaign, name: str = "") -> Preview:
    """Render a campaign with sample details. `name`: instead of the sample's, to see a fallback or a long name."""
    values, config = dict(mails.SAMPLE), settings.TROTH_CONFIG
    if name:
        values |= {"name": name, "first_name": name.split()[0] if name.split() else ""}
    values |= {"site_name": config.site.name}
    values |= dict.fromkeys(("unsubscribe_url", "preferences_url"), f"{config.site.url}/")
    return preview_of(lambda: mails.content_of(campaign, config), lambda _content: values)


def preview_of(render: Callable[[], Content], sample: Callable[[Content], Mapping[str, str]]) -> Preview:
    """Render an email with sample values. What cannot be rendered is told in the preview."""
    try:
        content = render()
        values = sample(content)
        rendered = (content.subject.fill(values), content.html.fill(values), content.text.fill(values))
    except TrothError as error:
        return Preview("", "", "", (), (), f"{error} {error.mend}".strip())
    return Preview(*rendered, content.hints, content.links)


def send_test(campaign_id: UUID, operator: UUID) -> None:
    """Queue a test email to this operator's own address."""
    campaign = Campaign.objects.filter(id=campaign_id).first()
    if campaign is None:
        raise CampaignRefused("There is no such campaign.")
    mails.content_of(campaign, settings.TROTH_CONFIG)
    test = CampaignTest.objects.create(campaign=campaign, operator=operator)
    domain = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
    outbox.new(mails.CAMPAIGN_TEST, test.id, None, domain).save(force_insert=True)


def add_image(data: bytes) -> CampaignImage:
    """Store a picture, encoded anew and without metadata. Raises `ImageError` with the fix."""
    image = images.reencode(data)
    stored, _ = CampaignImage.objects.get_or_create(
        name=image.name,
        defaults={
            "media_type": image.media_type,
            "width": image.width,
            "height": image.height,
            "data": image.data,
        },
    )
    return stored
