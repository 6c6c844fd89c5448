"""A campaign from its draft: subject, HTML and plain text as patterns, made once and filled for each recipient.

    content = render(draft, look)
    content.html.fill({"name": "Ada", "unsubscribe_url": "https://…", "preferences_url": "https://…"})

Neither network nor database is touched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from troth.core.text.language_tags import is_language
from troth.gate.message import one_line
from troth.newsletter.campaigns import footer_words, html_page, link_check, markdown, plain_text
from troth.newsletter.campaigns.draft_error import DraftError, Part
from troth.newsletter.campaigns.footer_words import Footer
from troth.newsletter.campaigns.link_check import Hint
from troth.newsletter.campaigns.markdown import Document, Link
from troth.newsletter.campaigns.merge import Field, Marks, Pattern, data_fields, unmarked
from troth.newsletter.published import STOP_TOPIC

LONGEST_LINE = 250
"""Most characters of a subject or a preheader."""
LARGEST_HTML = 1_000_000


@dataclass(frozen=True)
class Draft:
    """What the operator wrote."""

    subject: str
    preheader: str
    """What inboxes show after the subject. May be empty."""
    markdown: str
    template: str
    """One of `html_page.TEMPLATES`."""
    language: str = "en"
    """A tag such as `en` or `pt-BR`: of the text, and of the footer's words where they are known."""
    topic: int | None = None
    """The number of the topic that it is about: its footer has a link to stop that topic only. None: about none."""
    transactional: bool = False
    """To one person, about something of theirs: it may have data fields, and its footer has no link to unsubscribe."""


@dataclass(frozen=True)
class Look:
    """What all campaigns of a site share."""

    site_name: str
    accent: str
    """`#rrggbb`, made darker or lighter where it would not be readable."""
    site_url: str
    """Images come from `{site_url}/images/`."""
    postal_address: str = ""
    campaign_name: str = ""
    """Added as `utm_campaign` to links that lead to the site's own host, the same for everybody. Empty: not added."""
    image_widths: Mapping[str, int] = field(default_factory=dict)
    """Pixels by the name of an image of this site, for Outlook, which shows an image at its full size otherwise."""


@dataclass(frozen=True)
class Content:
    """A campaign, ready to be filled."""

    subject: Pattern
    html: Pattern
    text: Pattern
    links: tuple[Link, ...]
    """Of the draft, without the footer's."""
    hints: tuple[Hint, ...]
    images: tuple[str, ...] = ()
    """The names of the draft's images, each once."""
    twice: str = ""
    """What an email that may arrive twice says of it, in the draft's language."""

    @property
    def fields(self) -> frozenset[str]:
        """Return all that must be known of a recipient."""
        return self.subject.fields | self.html.fields | self.text.fields

    @property
    def data_fields(self) -> dict[str, bool]:
        """Return the data fields, and whether each is required."""
        parts = (*self.subject.parts, *self.html.parts, *self.text.parts)
        return data_fields(part for part in parts if isinstance(part, Field))


@dataclass(frozen=True)
class Article:
    """A campaign as anybody may read it, for an archive and a feed: without footer, fallbacks at all merge fields."""

    title: str
    html: str
    """Of the text alone; see `html_page.article`."""


def render(draft: Draft, look: Look) -> Content:
    """Return the campaign that a draft makes. Raises `DraftError`, which names the part, the line and the fix."""
    _check(draft)
    marks = Marks(look.site_name, data=draft.transactional)
    subject = marks.line(draft.subject, "subject")
    preheader = marks.line(draft.preheader, "preheader")
    document = _parsed(draft, look, marks)
    text = marks.pattern(_text(draft, look, document, marks), html=False)
    words = marks.fallbacks(" ".join(_words(document)))  # before the HTML is made, which changes tokens
    html = marks.pattern(_html(draft, look, document, marks, (subject, preheader)), html=True)
    html_bytes = len(html.fallbacks())
    if html_bytes > LARGEST_HTML:
        raise DraftError("it makes more than 1 MB of HTML.", mend="Shorten it, above all its tables and links.")
    written = link_check.Written(
        subject=marks.fallbacks(subject),
        preheader=marks.fallbacks(preheader),
        markdown=draft.markdown,
        text=words,
        html_bytes=html_bytes,
        postal_address=look.postal_address,
        own_host=urlsplit(look.site_url).hostname or "",
    )
    hints = link_check.hints(written, document)
    images = tuple(dict.fromkeys(picture.name for picture in document.pictures))
    twice = footer_words.footer(draft.language, look.site_name).twice
    return Content(marks.pattern(subject, html=False), html, text, document.links, hints, images, twice)


def stop_topic(topic: int | None) -> str:
    """Return what follows the link to the preferences, for the page that stops one topic; empty where there is none."""
    return "" if topic is None else f"/{STOP_TOPIC}/{topic}"


def article(draft: Draft, look: Look) -> Article:
    """Return what an archive shows of a draft. Raises `DraftError`."""
    _check(draft)
    marks = Marks(look.site_name)
    title = marks.fallbacks(marks.line(draft.subject, "subject"))
    document = _parsed(draft, look, marks)
    html = marks.pattern(html_page.article(document.tokens), html=True).fallbacks()
    return Article(title, html)


def _parsed(draft: Draft, look: Look, marks: Marks) -> Document:
    return markdown.parse(
        draft.markdown,
        marks,
        site_url=look.site_url,
        campaign_name=look.campaign_name,
        own_images=look.image_widths.keys(),
    )


def _check(draft: Draft) -> None:
    markdown.check_size(draft.markdown)
    parts: list[tuple[Part, str]] = [("subject", draft.subject), ("preheader", draft.preheader)]
    for part, line in parts:
        if len(line) > LONGEST_LINE:
            raise DraftError(f"it is longer than {LONGEST_LINE} characters.", mend="Shorten it.", part=part)
    if draft.template not in html_page.TEMPLATES:
        raise DraftError(
            "there is no such template.", mend=f"Choose one of: {', '.join(html_page.TEMPLATES)}.", part="template"
        )
    if not is_language(draft.language):
        raise DraftError("this is no language tag.", mend="Write one such as en, de or pt-BR.", part="language")


def _html(draft: Draft, look: Look, document: Document, marks: Marks, lines: tuple[str, str]) -> str:
    site_name = unmarked(one_line(look.site_name))
    return html_page.page(
        draft.template,
        document.tokens,
        accent=look.accent,
        image_widths=look.image_widths,
        language=draft.language,
        direction=footer_words.direction(draft.language),
        subject=lines[0],
        preheader=lines[1],
        site_name=site_name,
        foot=footer_words.footer(draft.language, site_name, transactional=draft.transactional),
        subscribed=not draft.transactional,
        postal_lines=_postal_lines(look),
        unsubscribe_url=marks.link("unsubscribe_url"),
        preferences_url=marks.link("preferences_url"),
        stop_topic=stop_topic(draft.topic),
        view=html_page.OptionalLink(*marks.optional("view_url")),
        twice=html_page.OptionalLink(*marks.optional("twice")),
    )


def _text(draft: Draft, look: Look, document: Document, marks: Marks) -> str:
    site_name = unmarked(one_line(look.site_name))
    foot = footer_words.footer(draft.language, site_name, transactional=draft.transactional)
    links = [] if draft.transactional else _footer_links(foot, marks, draft.topic)
    begin, twice, end = marks.optional("twice")
    below = [f"-- {begin}\n{twice}{end}", foot.why, *links, *_postal_lines(look)]
    body = plain_text.text(document.tokens, marks.fallbacks)
    return "\n".join([*([body, ""] if body else []), *below]) + "\n"


def _footer_links(foot: Footer, marks: Marks, topic: int | None) -> list[str]:
    begin, view_url, end = marks.optional("view_url")
    stop = [] if topic is None else [f"{foot.stop_topic}: {marks.link('preferences_url')}{stop_topic(topic)}"]
    return [
        f"{foot.unsubscribe}: {marks.link('unsubscribe_url')}",
        *stop,
        f"{foot.preferences}: {marks.link('preferences_url')}{begin}\n{foot.view}: {view_url}{end}",
    ]


def _postal_lines(look: Look) -> list[str]:
    return [line.strip() for line in unmarked(look.postal_address).split("\n") if line.strip()]


def _words(document: Document) -> list[str]:
    inline = [token.children or [] for token in document.tokens if token.type == "inline"]
    return [markdown.plain(children) for children in inline]
