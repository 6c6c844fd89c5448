"""Templates of transactional emails: named words with merge fields, and data fields that the program passes.

    Your order {{ data.number }} is on its way to {{ data.town | you }}.

A data field without a fallback is required. May touch: the database, and through the keeper the leak index.
"""

import re
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from troth.core import clock
from troth.core.config.sections import Config
from troth.core.errors import TrothError
from troth.newsletter.campaigns import sending
from troth.newsletter.campaigns.content import Content, Draft
from troth.newsletter.campaigns.mails import SAMPLE, rendered
from troth.newsletter.models import MailTemplate

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
MOST = 100


class TemplateRefused(TrothError):
    """A template that cannot be saved."""


@dataclass(frozen=True, slots=True)
class Words:
    """What an operator wrote."""

    name: str
    subject: str
    markdown: str
    template: str = "plain"
    language: str = "en"
    details_accepted: bool = False


def content_of(template: MailTemplate | Words, config: Config) -> Content:
    """Render a template. Raises `DraftError`, which names the part, the line and the fix."""
    draft = Draft(template.subject, "", template.markdown, template.template, template.language, transactional=True)
    return rendered(draft, config)


def save(words: Words, template_id: UUID | None = None) -> MailTemplate:
    """Save a template, a new one without `template_id`: from now on, emails have these words, also those that are
    queued. Raises `TrothError` with the reason."""
    if not NAME.fullmatch(words.name):
        raise TemplateRefused(
            "A template needs a name of small letters, digits and hyphens.", mend="Write one such as order-shipped."
        )
    if not words.subject.strip() or not words.markdown.strip():
        raise TemplateRefused("A template needs a subject and a text.", mend="Write both.")
    content = content_of(words, settings.TROTH_CONFIG)
    if not words.details_accepted and not sending.looked_through(content).clear:
        raise TemplateRefused(
            "The text contains what looks like somebody’s details.",
            mend="Take them out. If everybody may read them, tick the box below the text.",
        )
    template = MailTemplate.objects.filter(id=template_id).first() if template_id else MailTemplate()
    if template is None:
        raise TemplateRefused("This template was deleted.", mend="Save it as a new one.")
    if template_id is None and MailTemplate.objects.count() >= MOST:
        raise TemplateRefused(f"There are {MOST} templates already, the maximum.", mend="Delete one that is not used.")
    for field in ("name", "subject", "markdown", "template", "language", "details_accepted"):
        setattr(template, field, getattr(words, field))
    template.changed_at = clock.now()
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError:
        raise TemplateRefused("There is a template with this name.", mend="Choose another name.") from None
    return template


def delete(template_id: UUID) -> None:
    """Delete a template. Emails that are still queued are not sent."""
    MailTemplate.objects.filter(id=template_id).delete()


def sample(content: Content) -> dict[str, str]:
    """Return values for a preview: each data field shows its own name."""
    data = {f"data.{name}": f"[{name}]" for name in content.data_fields}
    return {**SAMPLE, "site_name": settings.TROTH_CONFIG.site.name, **data}
