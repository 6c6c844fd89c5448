"""A draft's Markdown, parsed and checked: CommonMark with tables, strikethrough and bare web addresses as links.

HTML is refused by name where it is an element of HTML (`<b>`), and shown as text where it is not (`Vec<String>`). Links
lead to the web, to a mailbox or to a telephone; images come from this site alone, so that no email loads anything from
elsewhere. What is too deep, too long or too entangled to be parsed in seconds is refused before it is parsed.
Touches nothing.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from troth.core.lazy import lazy
from troth.gate.message import one_line
from troth.newsletter.campaigns.draft_error import DraftError
from troth.newsletter.campaigns.merge import MARK, Marks, MergeError

if TYPE_CHECKING:
    import markdown_it
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token
else:
    markdown_it = lazy("markdown_it")

LARGEST = 200_000
"""Most bytes of Markdown."""
MOST_LINES = 10_000
MOST_TOKENS = 20_000
"""Paragraphs, list items and cells, a few for each."""
MOST_WORDS = 40_000
"""Pieces of text between marks: emphasis, links, ends of lines."""
DEEPEST = 40
"""Two of these are one list or quote inside another."""
MOST_BRACKETS = 400
"""Of `[` in one paragraph. The time that the parser takes grows with their square."""
MOST_BRACKETS_SQUARED = 1_000_000
"""Of all paragraphs together."""
LONGEST_LINK = 2000

_HTML_NAMES = """
a abbr address article aside audio b base big blink body br button canvas center cite code col div dl dt dd del
details dfn em embed fieldset figcaption figure font footer form frame h1 h2 h3 h4 h5 h6 head header hr html i
iframe img input ins kbd label li link main map mark marquee math menu meta nav noscript object ol option p picture
pre q s samp script section select small source span strike strong style sub summary sup svg table tbody td template
textarea tfoot th thead time title tr tt u ul var video wbr
""".split()
_HTML = re.compile(r"<!--|<!doctype|</?(" + "|".join(_HTML_NAMES) + r")(?=[\s/>])[^<>]*(?:/?>|=)", re.IGNORECASE)
_BARE = re.compile(r"https?://[^\s<>\ue000-\ue003]+", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_MAILBOX = re.compile(r"mailto:[^@\s?]+@[^@\s?]+\.[^@\s?]+(\?\S*)?", re.IGNORECASE)
_TELEPHONE = re.compile(r"tel:\+?[0-9(][0-9().;=a-z-]{2,40}", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9])?\.?|[0-9a-f:.]+")
"""As `urlsplit` returns it: lower case, IDNA's A-labels, IPv6 without brackets."""
_IMAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Link:
    """A link in a draft."""

    text: str
    """As it is shown, with the fallback at each merge field."""
    url: str
    """As it is sent."""
    line: int


@dataclass(frozen=True, slots=True)
class Picture:
    """An image in a draft."""

    alt: str
    url: str
    line: int

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Document:
    """A draft's text, checked."""

    tokens: "list[Token]"
    """Merge fields in it are marks."""
    links: tuple[Link, ...]
    pictures: tuple[Picture, ...]


def parse(
    source: str, marks: Marks, *, site_url: str, campaign_name: str = "", own_images: Collection[str] = ()
) -> Document:
    """Parse and check Markdown. Raises `DraftError` that names the line.

    An image named in `own_images` is shown from `site_url`, whatever address it had when the text was written.
    """
    source = (
        source.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    )
    tokens = parser().parse(marks.mark(source))
    checks = _Checks(marks, site_url, campaign_name, own_images)
    for token, line in with_lines(tokens):
        if token.level >= DEEPEST:
            raise DraftError(
                "lists, quotes or emphasis are nested too deeply.", mend="Nest them less: twice is plenty.", line=line
            )
        checks.check(token, line)
    return Document(tokens, tuple(checks.links), tuple(checks.pictures))


def link_works(url: str) -> bool:
    """Return whether a draft may have a link to this address."""
    try:
        scheme = _SCHEME.match(url)
        if scheme and scheme[1].lower() in {"http", "https"}:
            return bool(_web_address(url, 0))
    except DraftError:
        return False
    return bool(_MAILBOX.fullmatch(url) or _TELEPHONE.fullmatch(url))


def has_html(text: str) -> bool:
    """Whether a text holds an element of HTML, or a comment."""
    return _HTML.search(text) is not None


def check_size(source: str) -> None:
    """Refuse a text that is too large, before anything else is done with it. Raises `DraftError`."""
    size = len(source) if len(source) > LARGEST else len(source.encode("utf-8", "replace"))
    if size <= LARGEST:
        if source.count("\n") > MOST_LINES:
            raise _too_much()
        return
    html = re.search(r"<(html|body|div|table|p|span)\b", source[:20_000], re.IGNORECASE)
    raise DraftError(
        f"it is larger than {LARGEST // 1000} KB.",
        mend="This is HTML. Paste the text alone, and format it with Markdown."
        if html
        else "Shorten it, and link to the rest.",
    )


def with_lines(tokens: "list[Token]") -> "Iterator[tuple[Token, int]]":
    """Yield every token, those inside of lines as well, with the line it stands on (from 1)."""
    line = 1
    for token in tokens:
        if token.map:
            line = token.map[0] + 1
        yield token, line
        inner = line
        for child in token.children or ():
            yield child, inner
            inner += child.type in {"softbreak", "hardbreak"}


def plain(tokens: "list[Token]") -> str:
    """Return the words of what stands inside of lines, with the descriptions of its images."""
    return "".join(" " if token.type.endswith("break") else token.content for token in tokens)


def parser() -> "MarkdownIt":
    """Return the parser, which takes every address of a link: `parse` refuses those that no email may have."""
    parser = markdown_it.MarkdownIt("commonmark", {"html": False, "maxNesting": 2 * DEEPEST})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    parser.core.ruler.before("inline", "bound_blocks", _bound_blocks)
    parser.core.ruler.before("text_join", "html", _refuse_html)  # after it, `\<b>` could not be told from `<b>`
    parser.core.ruler.after("text_join", "bare_links", _link_bare)
    parser.core.ruler.push("bound_words", _bound_words)
    return parser


def _bound_blocks(state: "StateCore") -> None:
    if len(state.tokens) > MOST_TOKENS:
        raise _too_much()
    squared = 0
    for token, line in with_lines(state.tokens):
        brackets = token.content.count("[") if token.type == "inline" else 0
        squared += brackets * brackets
        if brackets > MOST_BRACKETS or squared > MOST_BRACKETS_SQUARED:
            raise DraftError(
                f"there are too many square brackets, or more than {MOST_BRACKETS} in one paragraph.",
                mend="Part the paragraph by empty lines, or remove brackets that are no links.",
                line=line,
            )


def _bound_words(state: "StateCore") -> None:
    if sum(len(token.children or ()) for token in state.tokens) > MOST_WORDS:
        raise _too_much()


def _too_much() -> DraftError:
    return DraftError("it has too many lines, list items, cells or links.", mend="Shorten it, and link to the rest.")


def _refuse_html(state: "StateCore") -> None:
    for token, line in with_lines(state.tokens):
        match = _HTML.search(token.content) if token.type == "text" else None
        if match:
            tag = f"<{match[1].lower()}>" if match[1] else match[0]
            raise DraftError(
                f"this is HTML: {tag}",
                mend="Format text with Markdown: **bold**, [link](https://…). To show the tag, put it in backticks.",
                line=line,
            )


def _link_bare(state: "StateCore") -> None:
    for token in state.tokens:
        if token.type == "inline" and "://" in token.content:
            token.children = list(_linked(token.children or []))


def _linked(children: "list[Token]") -> "Iterator[Token]":
    depth = 0
    for token in children:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if depth or token.type != "text":
            yield token
            continue
        end = 0
        for match in _BARE.finditer(token.content):
            url = _without_end(match[0])
            yield _text(token.content[end : match.start()], token.level)
            yield _token("link_open", "a", 1, token.level, {"href": url})
            yield _text(url, token.level + 1)
            yield _token("link_close", "a", -1, token.level)
            end = match.start() + len(url)
        yield _text(token.content[end:], token.level)


def _without_end(url: str) -> str:
    """Return an address without the punctuation of the sentence around it."""
    while url and len(url) <= LONGEST_LINK:  # a longer one is refused
        last = url[-1]
        unopened = (last == ")" and url.count(")") > url.count("(")) or (
            last == "]" and url.count("]") > url.count("[")
        )
        if last not in ".,;:!?'\"*_~’”" and not unopened:
            break
        url = url[:-1]
    return url


def _token(kind: str, tag: str, nesting: int, level: int, attrs: dict[str, str | int | float] | None = None) -> "Token":
    return markdown_it.token.Token(kind, tag, nesting, attrs=attrs or {}, level=level)  # type: ignore[arg-type]


def _text(content: str, level: int) -> "Token":
    return markdown_it.token.Token("text", "", 0, content=content, level=level)


class _Checks:
    """What is made sure of each token, and what is changed in it."""

    def __init__(self, marks: Marks, site_url: str, campaign_name: str, own_images: Collection[str]) -> None:
        self._marks, self._site_url, self._campaign_name = marks, site_url.rstrip("/"), campaign_name
        self._images_url, self._own_images = f"{self._site_url}/images", own_images
        self._own_host = _bare_host(urlsplit(site_url).hostname)
        self.links: list[Link] = []
        self.pictures: list[Picture] = []
        self._by_type: dict[str, Callable[[Token, int], None]] = {
            "text": self._text,
            "inline": self._inline,
            "image": self._image,
            "code_inline": self._code,
            "code_block": self._code,
            "fence": self._code,
        }

    def check(self, token: "Token", line: int) -> None:
        """Check one token. Raises `DraftError`."""
        check = self._by_type.get(token.type)
        if check:
            check(token, line)

    def _text(self, token: "Token", line: int) -> None:
        self._marks.check(token.content)

    def _code(self, token: "Token", line: int) -> None:
        token.content = self._marks.source(token.content)
        token.info = ""  # the language: no mail program colours code

    def _inline(self, token: "Token", line: int) -> None:
        """Check the links of a paragraph, here where their text is at hand."""
        children = token.children or []
        for at, child in enumerate(children):
            line += child.type in {"softbreak", "hardbreak"}
            if child.type == "link_open":
                close = next(i for i in range(at, len(children)) if children[i].type == "link_close")
                url = self._address(str(child.attrGet("href") or ""), line)
                child.attrs = {"href": url}  # without a title, which only a mouse would find
                words = self._marks.fallbacks(plain(children[at + 1 : close]))
                self.links.append(Link(one_line(words), url, line))

    def _image(self, token: "Token", line: int) -> None:
        alt = plain(token.children or [])
        self._marks.check(alt)
        url = str(token.attrGet("src") or "")
        folder, _, name = url.rpartition("/")
        # The site's address may have changed since the text was written. The name of an image is a hash of its content.
        is_own = folder == self._images_url or (folder.endswith("/images") and name in self._own_images)
        if not is_own or not _IMAGE_NAME.fullmatch(name):
            raise DraftError(
                "this image is not one of this site's.",
                mend=f"Upload it to the campaign. Its address then begins with {self._images_url}/",
                line=line,
            )
        url = f"{self._images_url}/{name}"
        token.attrs = {"src": url, "alt": ""}  # the renderer takes `alt` from the children
        self.pictures.append(Picture(one_line(self._marks.fallbacks(alt)), url, line))

    def _address(self, url: str, line: int) -> str:
        """Return the address of a link as it is sent. Raises `DraftError`."""
        if MARK.search(url):
            raise MergeError(
                "a merge field stands in the address of a link.",
                mend="Write the address without it: what an address holds is seen by every server on the way.",
                line=line,
            )
        scheme = _SCHEME.match(url)
        kind = scheme[1].lower() if scheme else ""
        if kind in {"http", "https"}:
            return self._with_campaign(_web_address(url, line))
        if (kind == "mailto" and _MAILBOX.fullmatch(url)) or (kind == "tel" and _TELEPHONE.fullmatch(url)):
            return quote(url, safe="!#$%&'*+,/:;=?@_~()-.")
        if kind in {"mailto", "tel"}:
            raise DraftError(
                f"this {kind}: link is not complete.",
                mend="Write it like this: mailto:hello@example.com, tel:+15550100.",
                line=line,
            )
        raise DraftError(
            f"a link begins with {kind}:, which is not allowed in an email."
            if kind
            else "the address of a link is not whole.",
            mend="Begin it with https://, mailto: or tel:.",
            line=line,
        )

    def _with_campaign(self, url: str) -> str:
        parts = urlsplit(url)
        if not self._campaign_name or not self._own_host or _bare_host(parts.hostname) != self._own_host:
            return url
        if re.search(r"(?:^|&)utm_campaign=", parts.query):
            return url
        mark = f"utm_campaign={quote(self._campaign_name, safe='')}"
        return parts._replace(query=f"{parts.query}&{mark}" if parts.query else mark).geturl()


def _web_address(url: str, line: int) -> str:
    try:
        parts = urlsplit(markdown_it.common.normalize_url.normalizeLink(url))
        good = bool(_HOST.fullmatch(parts.hostname or "")) and parts.port != 0
        named = parts.username is not None
    except ValueError:
        good = named = False
    if named:
        raise DraftError(
            "the address of a link has a user name before its host.", mend="Remove all up to the @.", line=line
        )
    if not good or len(url) > LONGEST_LINK or any(char in url for char in "\\\n\t"):
        raise DraftError(
            "the address of a link is not a web address.",
            mend=f"Write it like this: https://www.example.com/page, in at most {LONGEST_LINK} characters.",
            line=line,
        )
    return parts.geturl()


def _bare_host(host: str | None) -> str:
    return (host or "").lower().removeprefix("www.")


def is_button(tokens: "list[Token]", at: int) -> bool:
    """Whether a paragraph begins here that is one link in bold and nothing else: it is shown as a button."""
    if at + 2 >= len(tokens) or tokens[at].type != "paragraph_open" or tokens[at].hidden:
        return False
    children = [child for child in tokens[at + 1].children or () if child.type != "text" or child.content]
    kinds = [child.type for child in children]
    ends = kinds[:2] == ["strong_open", "link_open"] and kinds[-2:] == ["link_close", "strong_close"]
    return ends and kinds.count("link_open") == 1 and "image" not in kinds
