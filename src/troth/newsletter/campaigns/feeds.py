"""Feeds, as RSS 0.9x to 2.0, Atom or JSON Feed 1.x, read into one form: what a campaign can be drafted from.

The operator brings the feed, as a file or as text: Troth opens no connection to where it came from (WALL 3). Its HTML
is kept as it is; `html_markdown` makes Markdown of it. Touches nothing but the text it is given.
"""

import re
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from html import escape
from typing import Annotated
from urllib.parse import urljoin, urlsplit

import msgspec

from troth.gate.message import one_line
from troth.newsletter.campaigns import feed_tree, html_markdown
from troth.newsletter.campaigns.feed_tree import Element, FeedError
from troth.newsletter.campaigns.markdown import has_html

LARGEST = 5_000_000
"""Most bytes of a feed."""
MOST = 200
"""The newest so many items are read."""
LONGEST = 200_000
"""Most characters of an item's text; a longer one is left out, and its summary used."""
_LONGEST_TITLE = 300
_MOST_OFFERED = 50
_LARGEST_PACKED = 180_000
"""Characters: the console's forms have 256 KB at most."""
_KEY_BYTES = 16
_KEY = re.compile("[0-9a-f]{16}")
_RSS = frozenset(
    {
        "",
        "http://purl.org/rss/1.0/",
        "http://my.netscape.com/rdf/simple/0.9/",
        "http://backend.userland.com/rss2",
    }
)
_ATOM = frozenset({"http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#"})
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
_XML = "http://www.w3.org/XML/1998/namespace"


@dataclass(frozen=True, slots=True)
class Item:
    """What a feed says of one post."""

    key: str
    """Hash of its id, or else of its link or title."""
    title: str
    """Plain text, one line."""
    link: str
    """Whole, http or https; empty if there is none."""
    at: datetime | None
    html: str
    """The whole text, if the feed has it."""
    summary: str
    """HTML, too."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed, its newest items first."""

    key: bytes
    """Hash of its address or title: tells whether it is the one that was drafted from before."""
    title: str
    language: str
    items: tuple[Item, ...]


def read(document: str | bytes) -> Feed:
    """Read a feed, as a file's bytes or as pasted text. Raises `FeedError` with the fix."""
    if len(document) > LARGEST:
        raise FeedError(f"The feed is larger than {LARGEST // 1_000_000} MB.", mend="Use one with fewer items.")
    if isinstance(document, str):
        document = document.encode("utf-8", "replace").decode().lstrip("\ufeff \t\r\n")
        feed = _read_json(document) if document.startswith("{") else _read_xml(document)
    else:
        start = document.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
        feed = _read_json(start) if start.startswith(b"{") else _read_xml(start or document)
    if not feed.items:
        raise FeedError("The feed has no items.", mend="Choose a feed that has posts in it.")
    return feed


def _read_xml(document: str | bytes) -> Feed:
    if not document:
        raise FeedError("The feed is empty.", mend="Choose a file with RSS, Atom or JSON Feed, or paste its text.")
    root = feed_tree.read(document)
    if root.name == "feed" and root.namespace in _ATOM:
        return _atom(root)
    if root.name in {"rss", "RDF"}:
        return _rss(root)
    mend = "Open the page’s feed, often at /feed, /rss.xml or /atom.xml, and save that."
    if root.name.lower() == "html":
        raise FeedError("This is a web page, not a feed.", mend=mend)
    raise FeedError(f"This is XML, but neither RSS nor Atom: it begins with <{root.name[:40]}>.", mend=mend)


def _feed(title: str, address: str, language: str, items: list[Item]) -> Feed:
    """Return the feed with the newest items first; if one has no date, in the feed's own order."""
    dates = [item.at for item in items if item.at is not None]
    if len(dates) == len(items):
        items = sorted(items, key=lambda item: item.at or datetime.min.replace(tzinfo=UTC), reverse=True)
    distinct = {item.key: item for item in reversed(items)}  # the first of each
    ordered = [item for item in items if distinct.get(item.key) is item]
    key = sha256((address or title).encode("utf-8", "replace")).digest()[:_KEY_BYTES]
    return Feed(key, one_line(title)[:_LONGEST_TITLE], language.strip(), tuple(ordered[:MOST]))


def _item(ident: str, title: str, link: str, at: datetime | None, html: str, summary: str) -> Item:
    html, summary = (text if len(text) <= LONGEST else "" for text in (html, summary))
    title = one_line(title)[:_LONGEST_TITLE] or html_markdown.plain(summary or html)[:80].strip()
    key = sha256((ident or link or title).encode("utf-8", "replace")).hexdigest()[:16]
    return Item(key, title or "Untitled", link, at, html, summary)


def _web(link: str, base: str) -> str:
    """Return a link made whole; nothing if it does not lead to a web page."""
    try:
        address = urljoin(base, link.strip()) if link.strip() else ""
        parts = urlsplit(address)
        return address if parts.scheme in {"http", "https"} and parts.hostname else ""
    except ValueError:
        return ""


def _based(html: str, base: str) -> str:
    """Return HTML with a note of what its relative links start from."""
    return f'<base href="{escape(base)}">{html}' if base and html else html


def _moment(written: str) -> datetime | None:
    """Return a date of RFC 3339 or RFC 822; None where it is neither. Without a zone, it is UTC."""
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            at = parse(written.strip())
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


# -- RSS --------------------------------------------------------------------------------------------------------------


def _rss(root: Element) -> Feed:
    """RSS 2.0 has its items in the channel, RSS 1.0 beside it."""
    channel = next((child for child in root.children if child.name == "channel"), root)
    home = _web(_field(channel, "link"), "")
    items = [child for parent in (root, channel) for child in parent.children if _is_item(child)]
    language = _field(channel, "language") or _field(channel, "language", _DUBLIN_CORE)
    address = _atom_link(channel, "self", home) or home
    return _feed(_titled(_field(channel, "title")), address, language, [_rss_item(item, home) for item in items])


def _is_item(element: Element) -> bool:
    return element.name == "item" and element.namespace in _RSS


def _rss_item(item: Element, home: str) -> Item:
    guid = next((child for child in item.children if child.name == "guid" and child.namespace in _RSS), None)
    ident = guid.text() if guid else ""
    leads = guid is not None and guid.attributes.get("isPermaLink", "true").lower() == "true"
    base = item.attributes.get(f"{_XML}\nbase", "") or home
    link = _web(_field(item, "link"), base) or (_web(ident, "") if leads else "")
    summary = _field(item, "description")
    html = _field(item, "encoded", _CONTENT) or summary
    at = _moment(_field(item, "pubDate")) or _moment(_field(item, "date", _DUBLIN_CORE))
    texts = (_based(text, link or base) for text in (html, summary))
    return _item(ident, _titled(_field(item, "title")), link, at, *texts)


def _field(parent: Element, name: str, namespace: str | None = None) -> str:
    spaces = _RSS if namespace is None else {namespace}
    return next((child.text() for child in parent.children if child.name == name and child.namespace in spaces), "")


def _titled(text: str) -> str:
    """Return a title as plain text. RSS does not say whether it is HTML; many are, and many name `<types>`."""
    return html_markdown.plain(text) if has_html(text) or "&" in text else text


# -- Atom (RFC 4287) --------------------------------------------------------------------------------------------------


def _atom(root: Element) -> Feed:
    base = root.attributes.get(f"{_XML}\nbase", "")
    home = _atom_link(root, "alternate", base)
    address = _atom_text(root, "id") or _atom_link(root, "self", base) or home
    language = root.attributes.get(f"{_XML}\nlang", "")
    items = [_atom_item(child, base or home) for child in root.children if child.name == "entry"]
    return _feed(html_markdown.plain(_atom_text(root, "title")), address, language, items)


def _atom_item(entry: Element, base: str) -> Item:
    base = urljoin(base, entry.attributes.get(f"{_XML}\nbase", ""))
    link = _atom_link(entry, "alternate", base)
    dates = ("published", "issued", "updated", "modified")
    at = next((at for name in dates if (at := _moment(_atom_text(entry, name)))), None)
    summary, html = _atom_text(entry, "summary"), _atom_text(entry, "content")
    title = html_markdown.plain(_atom_text(entry, "title"))
    texts = (_based(text, link or base) for text in (html or summary, summary))
    return _item(_atom_text(entry, "id"), title, link, at, *texts)


def _atom_text(parent: Element, name: str) -> str:
    """Return a text construct as HTML: it says itself what it is."""
    element = next((child for child in parent.children if child.name == name and child.namespace in _ATOM), None)
    if element is None:
        return ""
    kind = element.attributes.get("type", "text").lower()
    if kind in {"xhtml", "application/xhtml+xml"}:
        return element.markup()
    if kind in {"html", "text/html"}:
        return element.text()
    return escape(element.text(), quote=False) if kind in {"text", "text/plain"} else ""


def _atom_link(parent: Element, rel: str, base: str) -> str:
    links = [child for child in parent.children if child.name == "link" and child.namespace in _ATOM]
    matching = [link.attributes for link in links if link.attributes.get("rel", "alternate") == rel]
    matching.sort(key=lambda link: link.get("type", "text/html") != "text/html")
    return next((address for link in matching if (address := _web(link.get("href", ""), base))), "")


# -- JSON Feed (jsonfeed.org, versions 1 and 1.1) ---------------------------------------------------------------------


class _JsonItem(msgspec.Struct):
    id: str | int | float = ""
    url: str | None = None
    external_url: str | None = None
    title: str | None = None
    content_html: str | None = None
    content_text: str | None = None
    summary: str | None = None
    date_published: str | None = None


class _JsonFeed(msgspec.Struct):
    version: Annotated[str, msgspec.Meta(pattern=r"^https?://jsonfeed\.org/version/1")]
    title: str = ""
    home_page_url: str | None = None
    feed_url: str | None = None
    language: str | None = None
    items: list[_JsonItem] = []


def _read_json(document: str | bytes) -> Feed:
    try:
        feed = msgspec.json.decode(document, type=_JsonFeed)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FeedError(
            f"This is no JSON Feed: {one_line(str(error))[:150]}", mend="Choose a file with RSS, Atom or JSON Feed 1.1."
        ) from None
    home = _web(feed.home_page_url or "", "")
    items = [_json_item(item, home) for item in feed.items]
    return _feed(feed.title, feed.feed_url or home, feed.language or "", items)


def _json_item(item: _JsonItem, home: str) -> Item:
    link = _web(item.url or item.external_url or "", home)
    html = _based(item.content_html or _paragraphs(item.content_text or ""), link or home)
    summary = _paragraphs(item.summary or "")
    return _item(str(item.id), item.title or "", link, _moment(item.date_published or ""), html or summary, summary)


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part, quote=False)}</p>" for part in text.split("\n\n") if part.strip())


# -- between two pages ------------------------------------------------------------------------------------------------


def packed(feed: Feed) -> tuple[str, int]:
    """Return a feed as text for `unpacked`, and how many of its items that has: what the page of the console carries
    on which items are chosen. A form has an upper limit, so that of a large feed only the newest fit."""
    count = min(len(feed.items), _MOST_OFFERED)
    while True:
        part = replace(feed, items=feed.items[:count])
        text = b64encode(zlib.compress(msgspec.json.encode(part))).decode()
        if len(text) <= _LARGEST_PACKED or count == 1:
            return text, count
        count -= 1 + count // 8


def unpacked(text: str) -> Feed:
    """Return the feed that `packed` wrote. Raises `FeedError`: it comes from a browser."""
    try:
        inflate = zlib.decompressobj()
        document = inflate.decompress(b64decode(text, validate=True), 2 * LARGEST)
        if not inflate.eof:
            raise zlib.error("not all of it, or too much")
        feed = msgspec.json.decode(document, type=Feed)
    except (ValueError, zlib.error):
        raise FeedError("The feed did not arrive whole.", mend="Choose its file once more.") from None
    if len(feed.items) > _MOST_OFFERED or len(feed.key) != _KEY_BYTES or not all(map(_whole, feed.items)):
        raise FeedError("The feed is too large.", mend="Choose its file once more.")
    return feed


def _whole(item: Item) -> bool:
    return bool(_KEY.fullmatch(item.key)) and max(len(item.html), len(item.summary)) <= 2 * LONGEST


def heading(item: Item) -> str:
    """Return an item's title as HTML, as a link if it has one."""
    title = escape(item.title, quote=False)
    return f'<a href="{escape(item.link)}">{title}</a>' if item.link else title
