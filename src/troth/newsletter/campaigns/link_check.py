"""Hints about a draft before it is sent: links, images, subject, size. Short sentences, each with its line.

Nothing is asked of the network: no link is followed. Touches nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import idna

from troth.newsletter.campaigns.markdown import Document, Link

LONGEST_SUBJECT = 70
MOST_LINKS = 50
MOST_HINTS = 50
CLIPPED = 102 * 1024
"""Bytes of HTML after which Gmail cuts a message."""
NEARLY_CLIPPED = 100_000

_LOOKS_LIKE_HOST = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,24})(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
_FILE_ENDINGS = frozenset(
    "md txt py js ts rs go sh c h zip gz exe dmg deb rpm msi pdf json yaml yml toml html css xml csv".split()
)
_SHORTENERS = frozenset("bit.ly buff.ly cutt.ly goo.gl is.gd ow.ly rb.gy t.co t.ly tiny.cc tinyurl.com".split())
_PLACEHOLDER_HOST = re.compile(r"(.+\.)?(example\.(com|net|org)|example|invalid|test|localhost)")
_PLACEHOLDER = re.compile(r"\b((?i:lorem ipsum)|TODO|FIXME|TBD|XXX)\b")
_FOREIGN_FIELD = re.compile(
    r"\*\|[A-Z0-9_:]+\|\*|(?<!\{)\{(first_?name|name|company)\}(?!\})|%recipient[._][a-z]+%|\[(FIRSTNAME|NAME)\]"
)
_VAGUE_TEXT = frozenset({"here", "click here", "this", "link", "this link"})
_NO_REPLY = re.compile(r"\s*(re|fwd?|aw|wg)\s*:", re.IGNORECASE)


class Level(StrEnum):
    """How much a hint matters."""

    ERROR = "error"
    """It is not ready to be sent."""
    WARNING = "warning"
    """Something is probably wrong."""
    NOTE = "note"
    """It could be better."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A sentence about a draft."""

    level: Level
    text: str
    line: int = 0
    """Of the Markdown; 0 where it is about the whole."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is looked at. Merge fields show their fallbacks."""

    subject: str
    preheader: str
    markdown: str
    text: str
    """Words of the text, without addresses of links."""
    html_bytes: int
    """As sent."""
    postal_address: str
    own_host: str
    """The site's, whose links are no placeholders."""


def hints(written: Written, document: Document) -> tuple[Hint, ...]:
    """Return what should be looked at before sending, the gravest first, then by line."""
    collected = [
        *_subject(written.subject),
        *_preheader(written),
        *_text(written, document),
        *_links(document.links, written.own_host),
        *_images(document),
        *_size(written.html_bytes),
    ]
    grave = list(Level)
    return tuple(sorted(dict.fromkeys(collected), key=lambda hint: (grave.index(hint.level), hint.line))[:MOST_HINTS])


def _subject(subject: str) -> Iterator[Hint]:
    letters = [char for char in subject if char.isalpha()]
    if not subject:
        yield Hint(Level.ERROR, "There is no subject.")
    if len(subject) > LONGEST_SUBJECT:
        yield Hint(
            Level.NOTE, f"The subject has {len(subject)} characters. Many inboxes cut it after {LONGEST_SUBJECT}."
        )
    if (
        len(letters) >= 8
        and all(char.isupper() for char in letters)
        and any(char.islower() for char in subject.lower())
    ):
        yield Hint(Level.WARNING, "The subject is all in capitals, as spam often is.")
    if subject.count("!") > 1 or "$$" in subject:
        yield Hint(Level.WARNING, "The subject has several exclamation marks or dollar signs, as spam often has.")
    if _NO_REPLY.match(subject):
        yield Hint(Level.WARNING, "The subject looks like a reply or a forwarded email, which this is not.")
    if _PLACEHOLDER.search(subject):
        yield Hint(Level.WARNING, "The subject still has a placeholder.")


def _preheader(written: Written) -> Iterator[Hint]:
    if not written.preheader:
        yield Hint(Level.NOTE, "There is no preheader: inboxes show the first words of the text instead.")
    elif written.preheader.casefold() == written.subject.casefold():
        yield Hint(Level.NOTE, "The preheader repeats the subject.")
    elif len(written.preheader) > 150:
        yield Hint(Level.NOTE, "The preheader is long. Most inboxes show about 90 characters of it.")


def _text(written: Written, document: Document) -> Iterator[Hint]:
    words = sum(char.isalnum() for char in written.text)
    if not words and not document.pictures:
        yield Hint(Level.ERROR, "There is no text.")
    elif document.pictures and words < 40:
        yield Hint(
            Level.WARNING, "There is little but an image: many inboxes hide images, and spam filters distrust it."
        )
    for number, line in enumerate(written.markdown.split("\n"), 1):
        placeholder, foreign = _PLACEHOLDER.search(line), _FOREIGN_FIELD.search(line)
        if placeholder:
            yield Hint(Level.WARNING, f"“{placeholder[0]}” looks like a placeholder.", number)
        if foreign:
            yield Hint(
                Level.WARNING, f"“{foreign[0]}” is no merge field here. Write {{{{ first_name | there }}}}.", number
            )
    letters = [char for char in written.text if char.isupper() or char.islower()]
    if len(letters) > 200 and sum(map(str.isupper, letters)) > len(letters) / 2:
        yield Hint(Level.WARNING, "Most of the text is in capitals, as spam often is.")
    if written.text.count("!!") > 0:
        yield Hint(Level.NOTE, "There are several exclamation marks in a row, as in spam.")
    if not written.postal_address:
        yield Hint(Level.NOTE, "The footer has no postal address. Some countries require one in a newsletter.")


def _links(links: tuple[Link, ...], own_host: str) -> Iterator[Hint]:
    for link in links:
        yield from _link(link, own_host)
    if len(links) > MOST_LINKS:
        yield Hint(Level.NOTE, f"There are {len(links)} links. Readers and spam filters prefer fewer.")
    several = Counter((link.text.casefold(), link.url) for link in links)
    by_text = Counter(words for words, _ in several if words)
    for link in links:
        if by_text[link.text.casefold()] > 1 and link.text:
            yield Hint(
                Level.NOTE, f"Several links with the text “{_short(link.text)}” lead to different pages.", link.line
            )


def _link(link: Link, own_host: str) -> Iterator[Hint]:
    parts = urlsplit(link.url)
    host = (parts.hostname or "").removesuffix(".")
    if not link.text:
        yield Hint(Level.WARNING, f"A link to {_short(link.url)} has no text: nobody can see or choose it.", link.line)
    if link.text.casefold() in _VAGUE_TEXT:
        yield Hint(Level.NOTE, f"The link text “{link.text}” does not say where it leads.", link.line)
    if not host:
        return
    if parts.scheme == "http":
        yield Hint(
            Level.WARNING,
            f"The link to {_short(link.url)} is not encrypted. Use https:// if the site has it.",
            link.line,
        )
    in_text = _shown_host(link.text)
    if in_text and not _same_site(in_text, host):
        yield Hint(Level.WARNING, f"The link shows {in_text} and leads to {host}, as in phishing.", link.line)
    if _PLACEHOLDER_HOST.fullmatch(host) and not _same_site(host, own_host):
        yield Hint(Level.WARNING, f"The link to {host} looks like a placeholder.", link.line)
    if host in _SHORTENERS:
        yield Hint(
            Level.WARNING, f"{host} shortens links, which spam filters distrust. Link to the page itself.", link.line
        )


def _images(document: Document) -> Iterator[Hint]:
    for picture in document.pictures:
        if not picture.alt:
            yield Hint(
                Level.WARNING,
                "An image has no description. Write it between the brackets: ![A chart of …](…)",
                picture.line,
            )


def _size(html_bytes: int) -> Iterator[Hint]:
    if html_bytes > NEARLY_CLIPPED:
        yield Hint(
            Level.WARNING,
            f"The email has {html_bytes / 1024:.0f} KB of HTML. Gmail clips messages over 102 KB: "
            "the end, with the link to unsubscribe, is not shown.",
        )


def _shown_host(text: str) -> str:
    """Return the host that a link's text shows, or nothing if the text is no address."""
    match = _LOOKS_LIKE_HOST.fullmatch(text.strip())
    host = match[1].lower() if match else ""
    bare = "://" not in text and "/" not in text
    return "" if bare and host.rpartition(".")[2] in _FILE_ENDINGS else host


def _same_site(first: str, second: str) -> bool:
    return _bare(first) == _bare(second)


def _bare(host: str) -> str:
    """Return a host as it is compared: without `www.`, international names as A-labels."""
    try:
        return idna.encode(host.removeprefix("www."), uts46=True).decode()
    except idna.IDNAError:
        return host


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
