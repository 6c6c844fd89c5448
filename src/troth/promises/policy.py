"""The policy's text: read, judged, made a page. `policy.md` is Markdown in which a sentence carries a promise:

    [We never share them.]{promise=contact.not-shared}

HTML in it is shown as text, pictures are not loaded, links lead to web and mail addresses only: a hostile file is
inert. A sentence that sounds like a promise and is bound to none is pointed at.
May touch: the file that it is given; nothing else.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from troth.ground.errors import TrothError
from troth.ground.promise import Registry

LONGEST = 100_000
"""Bytes of a policy at most: nobody reads more."""
_SPAN_END = re.compile(r"\]\{promise=([^}\s]{0,80})\}")
_PLACE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
_STRONG_WORDS = re.compile(
    r"\b(never|always|under no circumstances|guarantee[ds]?|promise[ds]?|ensure[ds]?|100 ?%|completely|fully|"
    r"only ever|no one|nobody|none of)\b",
    re.IGNORECASE,
)
PLACES = ("vendor", "contact", "what_is_collected", "who_receives_it", "how_long", "doors")
"""What the text may ask for in double braces; the page fills it in from the settings and the code's own data map."""


class PolicyError(TrothError):
    """The policy cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in the text, with its line."""

    level: str
    """`bad`: it cannot be published; `warn`: a person should look at it."""
    line: int
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Span:
    """A sentence that carries a promise."""

    promise: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as it was read."""

    text: str
    spans: tuple[Span, ...]
    digest: str
    """SHA-256 of the text, hex: which version this is."""

    @property
    def promises(self) -> list[str]:
        """The ids that the text names, in order, each once."""
        return list(dict.fromkeys(span.promise for span in self.spans))


def read(path: Path) -> Policy:
    """The policy in `path`. Raises `PolicyError` where there is none, or it is no text, or too much of it."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise PolicyError(f"There is no {path.name}.", mend="Put it back, or begin anew: troth policy new") from None
    except OSError as error:
        raise PolicyError(
            f"{path.name} cannot be read: {os.strerror(error.errno or 0)}.", mend="Let the user that serves read it."
        ) from None
    if len(data) > LONGEST:
        raise PolicyError(
            f"{path.name} has {len(data):,} bytes.", mend=f"Nobody reads so much: keep it under {LONGEST:,}."
        )
    try:
        return parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PolicyError(f"{path.name}:{line} is not UTF-8.", mend="Save it as UTF-8 in your editor.") from None


def parse(text: str) -> Policy:
    """The policy in a text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    return Policy(text, tuple(_spans(_markdown().parse(text))), sha256(text.encode()).hexdigest())


def _spans(tokens: list[Token]) -> Iterator[Span]:
    for block in tokens:
        line = (block.map[0] if block.map else 0) + 1
        depth, promise, words = 0, "", ""
        for token in block.children or ():
            if token.type == "promise_open":
                depth, promise, words = depth + 1, str(token.attrGet("promise")), ""
            elif token.type == "promise_close":
                depth -= 1
                yield Span(promise, " ".join(words.split()), line)
            elif depth:
                words += " " if token.type in {"softbreak", "hardbreak"} else token.content


# -- Markdown with promises -------------------------------------------------------------------------------------------


def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False, "maxNesting": 20})
    made.enable("table").disable("image")
    made.inline.ruler.before("link", "promise", _promise_rule)
    made.validateLink = lambda url: bool(re.match(r"(https?://|mailto:|[#/])", url, re.IGNORECASE))  # type: ignore[method-assign]
    return made


def _promise_rule(state: StateInline, silent: bool) -> bool:
    """`[text]{promise=id}`: spans do not nest, and a bracket inside belongs to the text."""
    if state.src[state.pos] != "[" or state.env.get("promise"):
        return False
    end = state.md.helpers.parseLinkLabel(state, state.pos)
    if end < 0:
        return False
    found = _SPAN_END.match(state.src, end)
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


type Decorate = Callable[[str], tuple[str, str]]
"""The HTML before and after a sentence that carries this promise."""


def html(policy: Policy, decorate: Decorate, fill: Mapping[str, str]) -> str:
    """The policy as HTML. `fill`: HTML for the places in double braces that stand alone in a paragraph, text inside of
    one; what is not given stays as it is written."""
    made = _markdown()

    def opened(_renderer: object, tokens: list[Token], index: int, *_: object) -> str:
        return decorate(str(tokens[index].attrGet("promise")))[0]

    def closed(_renderer: object, tokens: list[Token], index: int, *_: object) -> str:
        begin = next(at for at in range(index, -1, -1) if tokens[at].type == "promise_open")
        return decorate(str(tokens[begin].attrGet("promise")))[1]

    made.add_render_rule("promise_open", opened)
    made.add_render_rule("promise_close", closed)
    shown = made.render(policy.text)
    whole = re.sub(r"<p>\{\{\s*([a-z_]+)\s*\}\}</p>", lambda m: fill.get(m[1], m[0]), shown)
    return _PLACE.sub(lambda m: fill.get(m[1], m[0]), whole)


# -- judging ----------------------------------------------------------------------------------------------------------


def check(policy: Policy, registry: Registry, backed: set[str], undeclared: list[str]) -> list[Problem]:
    """What is wrong with the text. `backed`: the promises for which a breach is known to be seen; `undeclared`: what is
    collected and not in the data map."""
    found = [*_unknown(policy, registry), *_missing(policy, registry), *_unbacked(policy, backed)]
    found += [*_contradictions(policy), *_strong_words(policy), *_places(policy)]
    for field in undeclared:
        what = f"{field} is collected, and the data map does not say so."
        found.append(
            Problem("bad", 0, what, "Declare it in src/troth/promises/datamap.py: why, how long, who gets it.")
        )
    return sorted(found, key=lambda problem: (problem.level != "bad", problem.line))


def _unknown(policy: Policy, registry: Registry) -> Iterator[Problem]:
    for span in policy.spans:
        if span.promise not in registry:
            close = difflib.get_close_matches(span.promise, registry.ids, 1)
            mend = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(registry.ids)}."
            yield Problem(
                "bad", span.line, f"Nothing keeps the promise {span.promise}: the code does not know it.", mend
            )
        elif not span.text:
            yield Problem("bad", span.line, f"The promise {span.promise} has no words.", "Write the sentence.")


def _missing(policy: Policy, registry: Registry) -> Iterator[Problem]:
    for promise in registry:
        if promise.id not in policy.promises:
            mend = f"Write a sentence and bind it: [{promise.means}]{{promise={promise.id}}}"
            yield Problem("bad", 0, f"The code keeps {promise.id}, and the text does not say so.", mend)


def _unbacked(policy: Policy, backed: set[str]) -> Iterator[Problem]:
    for span in policy.spans:
        if backed and span.promise not in backed:
            what = f"No breach of {span.promise} is known to be seen."
            yield Problem(
                "bad", span.line, what, "Write a mutant that turns its proof red; until then it is only words."
            )


_AGAINST = (
    (
        "contact.not-shared",
        re.compile(r"\b(share|sell|rent|trade)\b[^.]{0,60}\b(with|to) (our )?(partners|third)", re.I),
    ),
    (
        "contact.purpose",
        re.compile(r"\b(marketing|profil(e|ing)|advertis)[^.]{0,40}\b(your|their) (details|address|name)", re.I),
    ),
    ("cards.not-kept", re.compile(r"\b(store|keep|save)s?\b[^.]{0,30}\bcard numbers?\b", re.I)),
)
_DENIED = re.compile(r"\b(not|never|no|nobody|none|without|neither|nor)\b", re.I)


def _contradictions(policy: Policy) -> Iterator[Problem]:
    """Sentences that say the opposite of a promise that the text makes. A net with wide meshes: it points, a person
    judges."""
    for number, sentence in _sentences(policy.text):
        for promise, against in _AGAINST:
            if promise in policy.promises and against.search(sentence) and not _DENIED.search(sentence):
                what = f"This seems to say the opposite of {promise}."
                yield Problem("bad", number, what, "Take out the one that is not true.")


def _strong_words(policy: Policy) -> Iterator[Problem]:
    bound = {span.text for span in policy.spans}
    for number, sentence in _sentences(policy.text):
        word = _STRONG_WORDS.search(sentence)
        if word and not any(sentence in text or text in sentence for text in bound if text):
            what = f"“{word[0]}” is a promise, and nothing stands behind it."
            yield Problem("warn", number, what, "Bind the sentence to a promise, or say it more modestly.")


def _sentences(text: str) -> Iterator[tuple[int, str]]:
    """Sentences with the line they begin on; a promise's marks are taken off."""
    for block in re.finditer(r"(?:[^\n]+\n?)+", text):
        first = text.count("\n", 0, block.start()) + 1
        for piece in re.finditer(r"[^.!?]+[.!?]*", block[0]):
            bare = re.sub(r"\]\{promise=[^}]*\}|[\[\]#*_>]", "", piece[0])
            if bare.strip():
                skipped = len(piece[0]) - len(piece[0].lstrip())
                yield first + block[0].count("\n", 0, piece.start() + skipped), " ".join(bare.split())


def _places(policy: Policy) -> Iterator[Problem]:
    for found in _PLACE.finditer(policy.text):
        if found[1] not in PLACES:
            line = policy.text.count("\n", 0, found.start()) + 1
            what = f"{{{{ {found[1]} }}}} is filled in by nothing."
            yield Problem("bad", line, what, f"There are: {', '.join(PLACES)}.")


def plain(text: str) -> str:
    """Text for a place inside of a paragraph."""
    return escape(text)
