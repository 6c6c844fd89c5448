"""HTML of other programs, turned into the Markdown of a draft: text, headings, lists, quotes, code and links.

Everything else is left out. What is text in the HTML is text in the draft, whatever it looks like: Markdown, HTML and
merge fields in it are escaped, and what the draft would refuse (a link with a user name in it) becomes plain text.
Touches nothing.
"""

import re
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from urllib.parse import quote, urljoin

from troth.newsletter.campaigns.draft_error import DraftError
from troth.newsletter.campaigns.markdown import LONGEST_LINK, link_works, parse
from troth.newsletter.campaigns.merge import Marks

_LEFT_OUT = frozenset(
    "audio canvas embed head iframe math noscript object script select style svg template textarea title video".split()
)
_BLOCKS = frozenset(
    """
    address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4
    h5 h6 header hr html li main nav ol p pre section summary table tbody tfoot thead tr ul
    """.split()
)
_EMPHASIS = {"b": "**", "strong": "**", "em": "*", "i": "*", "cite": "*", "del": "~~", "s": "~~"}
_HEADINGS = {"h1": "### ", "h2": "### ", "h3": "#### ", "h4": "#### ", "h5": "##### ", "h6": "##### "}
"""Below the item's own heading, which is on the second level."""
_DEEPEST = 8
"""Lists and quotes in each other; what is deeper stands on this level."""
_MOST_BRACKETS = 100
_MOST_PARSED = 2000
"""From this block on, links are left out."""
_MEANS = re.compile(r"[\\`*_\[\]<>~|&]")
_BEGINS = re.compile(r"^(?:[#+=:-]|(\d{1,9})(?=[.)]))")
_DECLARATION = re.compile("<[!?][^>]*>")
_OURS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ue000-\ue003]")
"""Controls, and the characters that mark merge fields."""
_IN_WORD = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)


def convert(html: str, site_url: str) -> str:
    """Return HTML as Markdown that `markdown.parse` takes, blocks parted by empty lines. `site_url`: images under it
    stay images, all others become links to them."""
    writer = _Writer(site_url.rstrip("/"))
    writer.feed(_ended(html))
    writer.close()
    return writer.written()


def plain(html: str) -> str:
    """Return the text of HTML as one line."""
    reader = _Reader()
    reader.feed(_ended(html))
    reader.close()
    return " ".join(_OURS.sub(" ", "".join(reader.parts)).split())


def _ended(html: str) -> str:
    """Return HTML without comments, declarations and tags that do not end: Python's parser stumbles over some of them,
    and looks for the end of others over and over again."""
    parts: list[str] = []
    at = 0
    while (start := html.find("<!--", at)) >= 0 and (end := html.find("-->", start)) >= 0:
        parts.append(html[at:start])
        at = end + 3
    html = "".join([*parts, html[at:]])
    end = html.rfind(">") + 1
    return _DECLARATION.sub("", html[:end]) + html[end:].replace("<", "&lt;")


def escaped(text: str) -> str:
    """Return text as Markdown that shows it as it is, wherever in a line it stands."""
    return _MEANS.sub(r"\\\g<0>", _OURS.sub(" ", text)).replace("{{", r"\{{")


def paragraph(text: str) -> str:
    """Return text as one paragraph that shows it as it is."""
    return convert(escape(text, quote=False), "")


class _Reader(HTMLParser):
    """Collects text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unshown = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unshown += tag in _LEFT_OUT
        if tag in _BLOCKS or tag == "br":
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._unshown = max(0, self._unshown - (tag in _LEFT_OUT))
        if tag in _BLOCKS:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._unshown:
            self.parts.append(data)


@dataclass(slots=True)
class _Container:
    """A quote, a list or an item of one."""

    tag: str
    first: str = ""
    """What stands before its first line; then `rest` does."""
    rest: str = ""
    number: int = 0


@dataclass(slots=True)
class _Span:
    """Emphasis, code or a link that is open: its text so far is apart from what is around it."""

    tag: str
    url: str
    before: list[str]


class _Writer(HTMLParser):
    """Writes Markdown block by block."""

    def __init__(self, site_url: str) -> None:
        super().__init__(convert_charrefs=True)
        self._site_url = site_url
        self._base = ""
        self._blocks: list[str] = []
        self._containers: list[_Container] = []
        self._spans: list[_Span] = []
        self._line: list[str] = []
        self._heading = ""
        self._code: list[str] | None = None
        self._unshown = 0

    def written(self) -> str:
        """Return the Markdown."""
        self._end_block()
        return "\n\n".join(self._blocks)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unshown += tag in _LEFT_OUT
        if self._unshown or self._code is not None:
            return
        values = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            self._end_block()
            self._open_block(tag)
        elif tag == "a" or tag == "code" or tag in _EMPHASIS:
            self._open_span(tag, values.get("href", ""))
        elif tag == "br":
            self._line.append("\n")
        elif tag in {"td", "th"} and "".join(self._line).strip():
            self._line.append(" · ")
        elif tag == "img":
            self._image(values.get("alt", ""), self._whole(values.get("src", "")))
        elif tag == "base":
            self._base = self._base or values.get("href", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _LEFT_OUT:
            self._unshown = max(0, self._unshown - 1)
        elif tag == "pre" and self._code is not None:
            self._end_code()
        elif tag in _BLOCKS and self._code is None:
            self._end_block()
            self._close_block(tag)
        elif any(span.tag == tag for span in self._spans) and self._code is None:
            while self._close_span() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._unshown:
            return
        if self._code is not None:
            self._code.append(data)
        elif self._spans and self._spans[-1].tag == "code":
            self._line.append(_OURS.sub(" ", " ".join(data.split("\n"))))
        else:
            self._line.append(re.sub(r"\s+", " ", escaped(data)))

    # -- blocks --

    def _open_block(self, tag: str) -> None:
        if tag == "pre":
            self._code = []
        elif tag in _HEADINGS:
            self._heading = _HEADINGS[tag]
        elif tag == "hr":
            self._put("---")
        elif len(self._containers) < 2 * _DEEPEST:
            self._contain(tag)

    def _contain(self, tag: str) -> None:
        if tag == "blockquote":
            self._containers.append(_Container(tag, "> ", "> "))
        elif tag in {"ul", "ol"}:
            self._containers.append(_Container(tag))
        elif tag == "li":
            parent = self._containers[-1] if self._containers else None
            if parent is not None and parent.tag == "li":  # its end was left out
                self._containers.pop()
                parent = self._containers[-1] if self._containers else None
            if parent is not None and parent.tag == "ol":
                parent.number += 1
                mark = f"{parent.number}. "
            else:
                mark = "- "
            self._containers.append(_Container(tag, mark, " " * len(mark)))

    def _close_block(self, tag: str) -> None:
        self._heading = ""
        if any(container.tag == tag for container in self._containers):
            while self._containers.pop().tag != tag:
                pass

    def _end_block(self) -> None:
        """Write the paragraph or heading that was being read."""
        spans = [(span.tag, span.url) for span in self._spans]
        while self._spans:
            self._close_span()
        lines = [" ".join(line.split(" ")).strip() for line in re.sub(" +", " ", "".join(self._line)).split("\n")]
        self._line = []
        lines = [_BEGINS.sub(_unmeant, line) for line in lines if line]
        if lines:
            text = self._heading + " ".join(lines) if self._heading else "\\\n".join(lines)
            self._put(text if self._reads(text) else _harmless(text))
        for tag, url in spans:  # emphasis that goes on in the next paragraph
            self._open_span(tag, url, complete=True)

    def _end_code(self) -> None:
        code = _OURS.sub("", "".join(self._code or [])).strip("\n")
        self._code = None
        fence = "`" * max(3, 1 + _longest_run(code))
        if code.strip():
            self._put(f"{fence}\n{code}\n{fence}")

    def _reads(self, text: str) -> bool:
        """Return whether a draft takes this text. Parsing takes a millisecond: only what could be refused is parsed."""
        if "://" not in text and text.count("[") <= _MOST_BRACKETS:
            return True
        if len(self._blocks) >= _MOST_PARSED:
            return False
        try:
            parse(text, Marks(""), site_url=self._site_url)
        except DraftError:
            return False
        return True

    def _put(self, text: str) -> None:
        lines = text.split("\n")
        self._blocks.append("\n".join((self._prefix() + line).rstrip() for line in lines))

    def _prefix(self) -> str:
        """Return what the containers put before the next line."""
        prefix = ""
        for container in self._containers:
            prefix += container.first
            container.first = container.rest
        return prefix

    # -- inside of lines --

    def _open_span(self, tag: str, url: str, *, complete: bool = False) -> None:
        if len(self._spans) < _DEEPEST:
            self._spans.append(_Span(tag, url if complete else self._whole(url), self._line))
            self._line = []

    def _close_span(self) -> str:
        span = self._spans.pop()
        inner, self._line = "".join(self._line), span.before
        self._line.append(self._marked(span, inner))
        return span.tag

    def _marked(self, span: _Span, inner: str) -> str:
        if not inner.strip():
            return inner
        if span.tag == "code":
            return _code_span(inner)
        if span.tag == "a":
            return self._linked(inner, span.url)
        before, word, after = _around(inner)
        mark = _EMPHASIS[span.tag]
        return f"{before}{mark}{word}{mark}{after}" if word else inner

    def _linked(self, inner: str, url: str) -> str:
        inner = inner.replace("\n", " ")
        within_link = any(span.tag == "a" for span in self._spans)
        if not url or within_link or "](" in inner or not link_works(url):
            return inner
        return f"[{inner.strip()}]({url}) " if inner.endswith(" ") else f"[{inner.strip()}]({url})"

    def _image(self, alt: str, url: str) -> None:
        """A draft shows only pictures of its own site; of the others, the description stays, with a link."""
        words = escaped(" ".join(alt.split()))
        if url.startswith(f"{self._site_url}/images/"):
            self._line.append(f"![{words}]({url})")
        elif words:
            self._line.append(self._linked(words, url))

    def _whole(self, url: str) -> str:
        """Return the address that a link leads to, such as may stand in parentheses; nothing if it leads nowhere."""
        try:
            address = urljoin(self._base, url.strip()) if url.strip() else ""
        except ValueError:
            return ""
        return quote(address, safe="!#$%&'*+,/:;=?@_~[]-.") if len(address) <= LONGEST_LINK else ""


def _unmeant(match: re.Match[str]) -> str:
    """Return the beginning of a line such that it begins no list, heading or rule."""
    return f"{match[1]}\\" if match[1] else f"\\{match[0]}"


def _around(inner: str) -> tuple[str, str, str]:
    """Return what emphasis can mark, and what stands around it: beside punctuation, marks are shown as asterisks."""
    before, word, after = _IN_WORD.fullmatch(inner).groups()  # type: ignore[union-attr]  # it fits every text
    if "\\" in before + after or "\n" in word or any(mark in before + after for mark in "*`[]~"):
        return inner, "", ""
    return before, word, after


def _code_span(code: str) -> str:
    code = " ".join(code.split())
    ticks = "`" * (1 + _longest_run(code))
    inner = f" {code} " if code.startswith("`") or code.endswith("`") else code
    return f"{ticks}{inner}{ticks}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _harmless(text: str) -> str:
    """Return a paragraph that the draft would refuse as words alone."""
    words = re.sub(r"\]\([^)]*\)|[\\`*\[\]<>~|!]", " ", text).replace("://", ":// ").replace("{{", "{ {")
    return _BEGINS.sub(_unmeant, " ".join(words.split()))
