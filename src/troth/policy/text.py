"""The policy's text: read, taken apart, made a page. `policy.md` is Markdown in which a sentence carries a promise:

    [We never share them.]{promise=contact.not-shared}

HTML in it is shown as text, pictures are not loaded, links lead to web and mail addresses and to this site only: a
hostile file is inert. May touch: the file that it is given; nothing else.
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
"""Bytes of a policy at most, some twenty times what is read in two minutes."""
BOUND = re.compile(r"\]\{promise=([^}\s]{0,80})\}")
"""What ends a sentence that carries a promise."""
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
"""What the text may ask for in double braces; the page fills it in from the settings and the code's own data map."""
_LINK = re.compile(r"(https?://|mailto:|#|/(?![/\\]))", re.IGNORECASE)


class PolicyError(TrothError):
    """The policy cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Span:
    """A sentence that carries a promise."""

    promise: str
    text: str
    line: int


@dataclass(slots=True)
class Block:
    """A paragraph, heading or cell as it is read: its words, and of each character the line and the promise."""

    text: str = ""
    lines: list[int] = field(default_factory=list)
    bound: list[str] = field(default_factory=list)
    """The promise that the character stands in; empty where there is none."""

    def add(self, text: str, line: int, promise: str) -> None:
        """Go on with these words."""
        self.text += text
        self.lines += [line] * len(text)
        self.bound += [promise] * len(text)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as it was read."""

    text: str
    spans: tuple[Span, ...]
    blocks: tuple[Block, ...] = field(repr=False)
    digest: str
    """SHA-256 of the text, hex: which version this is."""

    @property
    def promises(self) -> list[str]:
        """The ids that the text names, in order, each once."""
        return list(dict.fromkeys(span.promise for span in self.spans))


def read(path: Path) -> Policy:
    """The policy in `path`. Raises `PolicyError` where there is none, or it is no text, or too much of it."""
    try:
        data = _bytes(path)
    except FileNotFoundError:
        raise PolicyError(f"There is no {path.name}.", mend="Put it back, or begin anew: troth policy new") from None
    except OSError as error:
        raise PolicyError(
            f"{path.name} cannot be read: {os.strerror(error.errno or 0)}.", mend="Let the user that serves read it."
        ) from None
    if len(data) > LONGEST:
        raise PolicyError(
            f"{path.name} is longer than {LONGEST:,} bytes.",
            mend="Nobody reads so much. Say what you promise; the tables come by themselves.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PolicyError(f"{path.name}:{line} is not UTF-8.", mend="Save it as UTF-8 in your editor.") from None
    try:
        return parse(text)
    except RecursionError:
        raise PolicyError(f"{path.name} is nested too deeply.", mend="Write plain paragraphs.") from None


def _bytes(path: Path) -> bytes:
    """The file's beginning, one byte more than it may have. A pipe or a device is refused, not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PolicyError(f"{path.name} is no file.", mend="Put the policy's text there.")
        return file.read(LONGEST + 1)


def parse(text: str) -> Policy:
    """The policy in a text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    blocks = tuple(_blocks(_markdown().parse(text)))
    spans = tuple(span for block in blocks for span in _spans(block))
    return Policy(text, spans, blocks, sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    for token in tokens:
        line = (token.map[0] if token.map else 0) + 1
        if token.type in {"fence", "code_block"}:
            made = Block()
            made.add(token.content, line, "")
            yield made
        elif token.type == "inline":
            yield _block(token.children or [], line)


def _block(children: list[Token], line: int) -> Block:
    made, promise, before = Block(), "", ""
    for token in children:
        if token.type == "promise_open":
            promise = str(token.attrGet("promise"))
            if promise == before:  # two in a row must not become one
                made.add("\u200b", line, "")
        elif token.type == "promise_close":
            if not made.bound or made.bound[-1] != promise:
                made.add("\u200b", line, promise)  # one without words
            promise, before = "", promise
        elif token.type in {"softbreak", "hardbreak"}:
            made.add(" ", line, promise)
            line += 1
        elif token.content:
            made.add(token.content, line, promise)
            before = promise
    return made


def own_words(text: str) -> list[str]:
    """The words of a policy in order, in pieces between what is added to them: marks, tables, what is filled in.
    Each stands in its page as it is here, white space aside."""
    pieces: list[str] = []
    for token in _markdown().parse(text):
        for one in token.children or (token,) if token.type in {"inline", "fence", "code_block"} else ():
            pieces += re.split(PLACE.pattern.replace("(", "(?:"), one.content) if one.type == "text" else [one.content]
    return [words for piece in pieces if (words := " ".join(piece.split()))]


def _spans(block: Block) -> Iterator[Span]:
    begin = 0
    for at in range(1, len(block.text) + 1):
        if at == len(block.text) or block.bound[at] != block.bound[begin]:
            if block.bound[begin]:
                words = " ".join(block.text[begin:at].replace("\u200b", "").split())
                yield Span(block.bound[begin], words, block.lines[begin])
            begin = at


# -- Markdown with promises -------------------------------------------------------------------------------------------


def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False, "maxNesting": 20})
    made.enable("table").disable("image")
    made.inline.ruler.before("link", "promise", _promise_rule)
    made.validateLink = lambda url: bool(_LINK.match(url))  # type: ignore[method-assign]
    return made


def _promise_rule(state: StateInline, silent: bool) -> bool:
    """`[text]{promise=id}`: spans do not nest, and a bracket inside belongs to the text."""
    if state.src[state.pos] != "[" or state.env.get("promise") or "]{promise=" not in state.src[state.pos :]:
        return False
    end = state.md.helpers.parseLinkLabel(state, state.pos)
    found = BOUND.match(state.src, end) if end >= 0 else None
    if not found:
        return False
    if not silent:
        begin, last = state.pos + 1, state.posMax
        opened = state.push("promise_open", "span", 1)
        opened.attrSet("promise", found[1])
        state.pos, state.posMax = begin, end
        state.env["promise"] = True
        state.md.inline.tokenize(state)
        state.env["promise"] = False
        state.pos, state.posMax = end, last
        state.push("promise_close", "span", -1)
    state.pos = found.end()
    return True


# -- as a page --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dress:
    """How a policy is shown."""

    sentence: Callable[[str], str]
    """The class of a sentence that carries this promise."""
    below: Callable[[list[str]], str]
    """HTML that follows the block in which these promises stand."""
    fill: Mapping[str, str]
    """HTML for what stands in double braces."""
    lower: int = 0
    """By how many steps headings are lowered: a vendor's page has a heading of its own."""


def html(policy: Policy, dress: Dress) -> str:
    """The policy as HTML. A place that is filled in by nothing stays as it is written."""
    made = _markdown()
    return str(made.renderer.render(list(_dressed(made.parse(policy.text), dress)), made.options, {}))


def _dressed(tokens: list[Token], dress: Dress) -> Iterator[Token]:
    waiting: list[str] = []
    skip = 0
    for at, token in enumerate(tokens):
        if skip:
            skip -= 1
            continue
        if token.tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            token.tag = f"h{min(6, int(token.tag[1]) + dress.lower)}"
        whole = _whole_place(tokens, at, dress)
        if whole is not None:
            yield _raw(whole, "html_block")
            skip = 2
        elif token.type == "inline":
            waiting += dict.fromkeys(str(one.attrGet("promise")) for one in _opened(token))
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
    """What fills a paragraph that is nothing but a place."""
    if tokens[at].type != "paragraph_open" or tokens[at].hidden:
        return None
    found = PLACE.fullmatch(tokens[at + 1].content.strip())
    filled = dress.fill.get(found[1]) if found else None
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
