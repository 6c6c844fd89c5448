"""Make the HTML of a form, or of the statistics script, for the vendor's own pages, from the settings; topics from what
is published. A form is the template that the front serves at `/newsletter?embed`."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from troth.core.config.sections import Config
from troth.core.errors import TrothError
from troth.core.text.language_tags import usual
from troth.front import published, snapshot
from troth.front.forms import embed
from troth.front.published import ContactForm, NewsletterForm, Published
from troth.newsletter.published import OfferedTopic
from troth.shop.published import Shop


def newsletter(config: Config, back: str | None = None, topics: Sequence[OfferedTopic] = (), language: str = "") -> str:
    """Return the form. `back`: where visitors return to, one of `return_urls` under [newsletter]; by default the
    first. `language`: that of the consent sentence; by default that of `consent` under [newsletter]."""
    return _form(config, "newsletter", back, topics, usual(language))


def offered_topics(public: Path) -> Sequence[OfferedTopic]:
    """Return the topics that the site offers, as published in the folder `public`; none before it was first started.
    Raises `PublishedError`."""
    current = published.load(public)
    return current.form.topics if current else ()


def contact(config: Config, back: str | None = None) -> str:
    """Return the contact form. Raises `TrothError` if there is none."""
    if not config.contact.enabled:
        raise TrothError("The contact form is off.", mend="Turn it on: enabled = true under [contact] in troth.toml.")
    return _form(config, "contact", back)


_STATISTICS = """\
<!-- On every page, before </head>. On the page that says "not found", write data-missing into the tag. -->
<script defer src="{url}/t.js"></script>
<!-- For visitors without JavaScript, anywhere in the page: an image of one pixel, which reports the page only. -->
<noscript><img src="{url}/hit?k=v" referrerpolicy="no-referrer-when-downgrade" alt="" width="1" height="1"></noscript>
"""


def statistics(config: Config) -> str:
    """Return the script and the pixel. Raises `TrothError` if statistics are off."""
    if not config.audience.enabled:
        raise TrothError("Statistics are off.", mend="Turn it on: enabled = true under [audience] in troth.toml.")
    return _STATISTICS.format(url=escape(config.site.url.rstrip("/")))


def published_shop(public: Path) -> Shop | None:
    """Return the shop as published in the folder `public`. Raises `PublishedError`."""
    current = published.load(public)
    return current.shop if current else None


def _form(config: Config, name: str, back: str | None, topics: Sequence[OfferedTopic] = (), language: str = "") -> str:
    pages = _as_published(config, topics)
    form = snapshot.forms(pages)[name]
    translated = form.in_language(language) if language else form
    if translated is None:
        known = ", ".join(filter(None, [form.language, *(sentence.language for sentence in form.translations)]))
        raise TrothError(
            f"There is no consent sentence in the language {language}.",
            mend=f"Add a section [[translation]] to troth.toml. There are: {known or 'none'}.",
        )
    form = translated
    if back is not None and back not in form.back:
        raise TrothError(
            f"The form may not return to {back}.",
            mend=f"Add it to `return_urls` under {form.back_setting} in troth.toml.",
        )
    return embed.embed_html(pages, form, back)


def _as_published(config: Config, topics: Sequence[OfferedTopic]) -> Published:
    return Published(
        generation=0,
        site_id=bytes(16),
        site_name=config.site.name,
        url=config.site.url,
        prefix=config.site.prefix,
        privacy_url=config.site.policy_url,
        accent=config.site.accent,
        epoch=0,
        sealing_key=b"",  # the form has no use for a key
        link_keys={},
        form=NewsletterForm.of(config.newsletter, topics=topics, translations=config.translation),
        contact=ContactForm.of(config.contact),
    )
