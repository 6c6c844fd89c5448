"""The policy's text: reading, parsing, rendering. `policy.md` is Markdown in which a sentence is bound to a promise:

    [We never share them.]{promise=contact.not-shared}

HTML in it is shown as text, images are not loaded, and links lead to web and mail addresses and to this site only, so
that a hostile file is inert. May touch: the file that it is given.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from troth.core.errors import TrothError

LONGEST = 40_000
"""Most bytes of a policy, about twenty times what one reads in two minutes."""
DEEPEST = 20
"""Quotes, lists and emphasis inside one another. The parser leaves out, without a word, what is twice as deep."""
BOUND = re.compile(r"\]\{promise=([^}\s]{0,80})\}")
"""The end of a sentence that is bound to a promise."""
PLACE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
PLACES = (
    "vendor",
    "contact",
    "controller",
    "officer",
    "authority",
    "transfers",
    "rights",
    "choices",
    "not_counted",
    "what_is_collected",
    "what_is_counted",
    "who_receives_it",
    "how_long",
    "backups",
    "legal_notice",
)
"""Placeholders in double braces, filled in from the settings and the data map."""
_LINK = re.compile(r"(https?://|mailto:|#|/(?![/\\]))", re.IGNORECASE)


class PolicyError(TrothError):
    """The policy cannot be read."""


@dataclass(frozen=True, slots=True)
class PromiseSentence:
    """A sentence that is bound to a promise."""

    promise: str
    text: str
    line: int


@dataclass(slots=True)
class Block:
    """A paragraph, heading or cell: its text, and of each character the line and the promise."""

    text: str = ""
    lines: list[int] = field(default_factory=list)
    bound: list[str] = field(default_factory=list)
    """The promise of each character; empty if none."""

    def add(self, text: str, line: int, promise: str) -> None:
        """Append text."""
        self.text += text
        self.lines += [line] * len(text)
        self.bound += [promise] * len(text)


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy."""

    text: str
    spans: tuple[PromiseSentence, ...]
    blocks: tuple[Block, ...] = field(repr=False)
    digest: str
    """SHA-256 of the text, hex, which identifies the version."""

    @property
    def promises(self) -> list[str]:
        """Return the promises in the text, in order, each once."""
        return list(dict.fromkeys(span.promise for span in self.spans))


def read(path: Path) -> Policy:
    """Read the policy in `path`. Raises `PolicyError` if it is missing, not text or too long."""
    try:
        data = _bytes(path)
    except FileNotFoundError:
        raise PolicyError(
            f"There is no {path.name}.", mend="Restore it, or create a new one: troth policy new"
        ) from None
    except OSError as error:
        raise PolicyError(
            f"{path.name} cannot be read: {os.strerror(error.errno or 0)}.", mend="Let the server's user read it."
        ) from None
    if len(data) > LONGEST:
        raise PolicyError(
            f"{path.name} is longer than {LONGEST:,} bytes.",
            mend="Shorten it. The tables are generated and need no text.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PolicyError(f"{path.name}:{line} is not UTF-8.", mend="Save it as UTF-8 in your editor.") from None
    if line := _too_deep(text):
        raise PolicyError(f"{path.name}:{line} is nested too deeply.", mend="Use fewer quotes or lists inside others.")
    return parse(text)


def _bytes(path: Path) -> bytes:
    """Read up to one byte more than allowed. A pipe or a device is refused, not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PolicyError(f"{path.name} is not a regular file.", mend="Save the policy's text there.")
        return file.read(LONGEST + 1)


def parse(text: str) -> Policy:
    """Parse a policy."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    blocks = tuple(_blocks(_markdown().parse(text)))
    spans = tuple(span for block in blocks for span in _spans(block))
    return Policy(text, spans, blocks, sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def _too_deep(text: str) -> int:
    """Return the line of the first block that is, or whose text is, deeper than `DEEPEST`; 0 if there is none."""
    for token in _markdown().parse(text):
        if max(child.level for child in (token, *(token.children or ()))) >= DEEPEST:
            return (token.map[0] if token.map else 0) + 1
    return 0


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    for token in tokens:
        line = (token.map[0] if token.map else 0) + 1
        if token.type in {"fence", "code_block"}:
            block = Block()
            block.add(token.content, line, "")
            yield block
        elif token.type == "inline":
            yield _block(token.children or [], line)


def _block(children: list[Token], line: int) -> Block:
    block, promise, before = Block(), "", ""
    for token in children:
        if token.type == "promise_open":
            promise = str(token.attrGet("promise"))
            if promise == before:  # two in a row must not become one
                block.add("\u200b", line, "")
        elif token.type == "promise_close":
            if not block.bound or block.bound[-1] != promise:
                block.add("\u200b", line, promise)  # one without words
            promise, before = "", promise
        elif token.type in {"softbreak", "hardbreak"}:
            block.add(" ", line, promise)
            line += 1
        elif token.content:
            block.add(token.content, line, promise)
            before = promise
    return block


def own_words(text: str) -> list[str]:
    """Return the text of a policy in order, in pieces between marks, tables and placeholders. Each piece is on its page
    unchanged, except for white space."""
    pieces: list[str] = []
    for token in _markdown().parse(text):
        for part in token.children or (token,) if token.type in {"inline", "fence", "code_block"} else ():
            is_text = part.type == "text"
            pieces += re.split(PLACE.pattern.replace("(", "(?:"), part.content) if is_text else [part.content]
    return [words for piece in pieces if (words := " ".join(piece.split()))]


def _spans(block: Block) -> Iterator[PromiseSentence]:
    begin = 0
    for at in range(1, len(block.text) + 1):
        if at == len(block.text) or block.bound[at] != block.bound[begin]:
            if block.bound[begin]:
                words = " ".join(block.text[begin:at].replace("\u200b", "").split())
                yield PromiseSentence(block.bound[begin], words, block.lines[begin])
            begin = at


# -- Markdown with promises -------------------------------------------------------------------------------------------


def _markdown() -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark", {"html": False, "linkify": False, "typographer": False, "maxNesting": 2 * DEEPEST}
    )
    parser.enable("table").disable("image")
    parser.inline.ruler.before("link", "promise", _promise_rule)
    parser.validateLink = lambda url: bool(_LINK.match(url))  # type: ignore[method-assign]
    return parser


def _promise_rule(state: StateInline, silent: bool) -> bool:
    """Parse `[text]{promise=id}`. Spans do not nest, and brackets inside belong to the text."""
    if state.src[state.pos] != "[" or state.env.get("promise") or "]{promise=" not in state.src[state.pos :]:
        return False
    end = state.md.helpers.parseLinkLabel(state, state.pos)
    match = BOUND.match(state.src, end) if end >= 0 else None
    if not match:
        return False
    if not silent:
        begin, last = state.pos + 1, state.posMax
        opened = state.push("promise_open", "span", 1)
        opened.attrSet("promise", match[1])
        state.pos, state.posMax = begin, end
        state.env["promise"] = True
        state.md.inline.tokenize(state)
        state.env["promise"] = False
        state.pos, state.posMax = end, last
        state.push("promise_close", "span", -1)
    state.pos = match.end()
    return True


# -- as a page --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dress:
    """Callbacks and values with which a policy is rendered."""

    sentence: Callable[[str], str]
    """Returns the CSS class of a sentence bound to this promise."""
    below: Callable[[list[str]], str]
    """Returns the HTML after a block with these promises."""
    fill: Mapping[str, str]
    """HTML of the placeholders."""
    lower: int = 0
    """Steps by which headings are lowered, for a page with a heading of its own."""


def html(policy: Policy, dress: Dress) -> str:
    """Render the policy as HTML. An unknown placeholder stays as it is."""
    parser = _markdown()
    return str(parser.renderer.render(list(_dressed(parser.parse(policy.text), dress)), parser.options, {}))


def _dressed(tokens: list[Token], dress: Dress) -> Iterator[Token]:
    waiting: list[str] = []
    skip = 0
    for at, token in enumerate(tokens):
        if skip:
            skip -= 1
            continue
        if token.tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            token.tag = f"h{min(6, int(token.tag[1]) + dress.lower)}"
        block_html = _whole_place(tokens, at, dress)
        if block_html is not None:
            yield _raw(block_html, "html_block")
            skip = 2
        elif token.type == "inline":
            waiting += dict.fromkeys(str(opening.attrGet("promise")) for opening in _opened(token))
            token.children = list(_children(token.children or [], dress))
            yield token
        elif token.type in {"td_close", "th_close"} and waiting:
            yield from (_raw(dress.below(waiting), "html_inline"), token)
            waiting = []
        elif token.type in {"paragraph_close", "heading_close"} and waiting:
            yield from (token, _raw(dress.below(waiting), "html_block"))
            waiting = []
        else:
            yield token


def _opened(token: Token) -> list[Token]:
    return [child for child in token.children or () if child.type == "promise_open"]


def _whole_place(tokens: list[Token], at: int, dress: Dress) -> str | None:
    """Return the HTML for a paragraph that is only a placeholder."""
    if tokens[at].type != "paragraph_open" or tokens[at].hidden:
        return None
    match = PLACE.fullmatch(tokens[at + 1].content.strip())
    filled = dress.fill.get(match[1]) if match else None
    return filled if filled is not None and filled.startswith(("<table", "<details")) else None


def _children(children: list[Token], dress: Dress) -> Iterator[Token]:
    for token in children:
        if token.type == "promise_open":
            yield _raw(f'<span class="{escape(dress.sentence(str(token.attrGet("promise"))))}">', "html_inline")
        elif token.type == "promise_close":
            yield _raw("</span>", "html_inline")
        elif token.type == "text":
            yield _raw(PLACE.sub(lambda m: dress.fill.get(m[1], m[0]), escape(token.content)), "html_inline")
        else:
            yield token


def _raw(content: str, kind: str) -> Token:
    return Token(kind, "", 0, content=content)
