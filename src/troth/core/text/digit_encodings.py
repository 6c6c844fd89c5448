"""The forms in which a text may hold digits: as it stands, and with one disguise after another taken off.

Folded: full-width and other scripts' digits, zero-width characters, line ends. Undone, layer by layer:
percent-encoding, HTML entities and tags, backslash escapes, quoted-printable, base64, hexadecimal, decimal codes,
UTF-16. Each character remembers its place in the text, so that a find can be taken out there. No layer makes the text
longer, so it takes time in proportion. Standard library only.
"""

import re
import unicodedata
from base64 import b64decode
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache, partial
from html.entities import html5
from itertools import accumulate

MASK = "•••• "
"""What stands for the digits that were taken out, before the last four."""
_LAYERS = 6
_PACKED_IN_PACKED = 2


@dataclass(frozen=True, slots=True)
class TextView:
    """The text in another form. Character `n` of `text` came from `starts[n]` to `ends[n]` of the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


# Thirteen things that may be digits: a digit, anything beyond ASCII, or the percent sign of an encoded one.
# Told by what they are not: Python takes long to compile a range that reaches to the last character.
_TELLING = re.compile(r"(?:[^\x00-$&-/:-\x7f][\x00-$&-/:-\x7f]*){13}")


type Tells = Callable[[str], bool]
"""Whether a text, folded, may hold a number: quick, and never wrong where it says no."""


def views(text: str, tells: Tells) -> Iterator[TextView]:
    """Yield the forms of `text` of which `tells` says that they may hold a number."""
    if _may_tell(text, _PACKED_IN_PACKED, tells):  # as texts alone: in nearly all that is read there is none
        yield from _views(TextView(text, range(len(text)), range(1, len(text) + 1)), _PACKED_IN_PACKED, tells)


def _may_tell(text: str, depth: int, tells: Tells) -> bool:
    if _TELLING.search(text):
        layers = _layers(text)
        text = layers[-1]
        if any(map(tells, layers)) or any(tells(form) for form, _ in _without_marks(text)):
            return True
    return depth > 0 and any(_may_tell(_as_text(raw), depth - 1, tells) for raw, _ in _packed(text))


def _views(view: TextView, depth: int, tells: Tells) -> Iterator[TextView]:
    if _TELLING.search(view.text):
        for number, layer in enumerate(_layers(view.text)):  # now with each character's place
            view = _unescaped(view) if number else _folded(view.text, view.starts, view.ends)
            if tells(layer):
                yield view
        for form, uncover in _without_marks(view.text):
            if tells(form):
                yield uncover(view)
    for raw, spans in _packed(view.text) if depth else ():
        if _may_tell(_as_text(raw), depth - 1, tells):
            yield from _views(_unpacked(view, raw, spans()), depth - 1, tells)


def _layers(text: str) -> list[str]:
    """The text folded, and with one layer of escapes after another undone; the texts alone."""
    layers = [_folded_text(text)]
    while len(layers) <= _LAYERS and _ESCAPE.search(layers[-1]):
        layers.append(_ESCAPE.sub(_decoded, layers[-1]))
    return layers


def _without_marks(text: str) -> Iterator[tuple[str, Callable[[TextView], TextView]]]:
    """The text without tags, and without quoted-printable; each with what does the same to a view."""
    if _TAG.search(text):
        yield _TAG.sub(_of_tag, text), lambda view: _replaced(view, _TAG, _of_tag)
    if len(_QUOTED.findall(text)) > 1:
        yield _QUOTED.sub(_of_quoted_folded, text), lambda view: _replaced(view, _QUOTED, _of_quoted)


# -- folding ----------------------------------------------------------------------------------------------------------

_DOTS = "·∙•⋅・‧"
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


_UNPLAIN = re.compile(r"[^\n -~]+")


def _folded_text(text: str) -> str:
    """The text alone, as `_folded` writes it."""
    if text.isascii():
        return text.translate(_ASCII)
    return _UNPLAIN.sub(lambda match: "".join(map(_fold, match[0])), text)


def _folded(text: str, starts: Sequence[int], ends: Sequence[int]) -> TextView:
    if text.isascii():
        return TextView(text.translate(_ASCII), starts, ends)
    folded = [_fold(character) for character in text]
    if all(len(piece) == 1 for piece in folded):
        return TextView("".join(folded), starts, ends)
    where = [(start, end) for start, end, piece in zip(starts, ends, folded, strict=True) for _ in piece]
    return TextView("".join(folded), [start for start, _ in where], [end for _, end in where])


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    """What `character` counts as: a plain digit, `-`, `.`, a space, a line's end, nothing, or itself."""
    if character in _LINE_ENDS:
        return "\n"
    kind = unicodedata.category(character)
    if kind in ("Cf", "Mn", "Me"):  # without width, or drawn around the digit before
        return ""
    if kind in ("Zs", "Cc"):
        return " "
    if kind == "Pd" or character == "\N{MINUS SIGN}":
        return "-"
    if character in _DOTS and character != MASK[0]:
        return "."
    plain = unicodedata.normalize("NFKC", character)
    digits = [unicodedata.digit(char, -1) for char in plain]
    if digits and min(digits) >= 0:
        return "".join(map(str, digits))
    return plain if len(plain) == 1 else character


_ASCII = {code: _fold(chr(code)) for code in range(128)}
"""None of these folds to more or less than one character."""


# -- escapes ----------------------------------------------------------------------------------------------------------

_ESCAPE = re.compile(  # begins with a class of its own, by which the engine skips what is no escape
    r"[%&\\](?:"
    r"(?<=%)(?P<percent>[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*)"
    r"|(?<=%)[uU](?P<u>[0-9A-Fa-f]{4})"
    r"|(?<=&)\#[xX](?P<xentity>[0-9A-Fa-f]{1,8});?"
    r"|(?<=&)\#(?P<entity>[0-9]{1,8});?"
    r"|(?<=&)(?P<named>[A-Za-z][A-Za-z0-9]{1,30};)"
    r"|(?<=\\)\\{0,7}(?:"
    r"[xX](?P<x>[0-9A-Fa-f]{2})|u(?P<u4>[0-9A-Fa-f]{4})|U(?P<u8>[0-9A-Fa-f]{8})|u\{(?P<ubrace>[0-9A-Fa-f]{1,8})\}"
    r"|(?P<octal>0?(?:6[0-7]|7[01])|040|055)(?![0-7])"
    r"|0{0,4}(?P<css>3[0-9])(?![0-9A-Fa-f])[ ]?"
    r"|(?P<sign>[nrtfvb/\"'\\-])))"
)
_SIGNS = {"n": "\n", "r": "\n", "t": " ", "f": " ", "v": " ", "b": ""}
_HIGHEST = 0x10FFFF


def _unescaped(view: TextView) -> TextView:
    """One layer of escapes undone: percent-encoding as UTF-8 where it is, entities, backslashes."""
    text, starts, ends, position = list[str](), list[int](), list[int](), 0
    for match in _ESCAPE.finditer(view.text):
        begin, end = match.span()
        text.append(view.text[position:begin])
        starts += view.starts[position:begin]
        ends += view.ends[position:begin]
        for character, first, last in _meant(match):
            text.append(character)
            starts.append(view.starts[begin + first])
            ends.append(view.ends[begin + last - 1])
        position = end
    text.append(view.text[position:])
    starts += view.starts[position:]
    ends += view.ends[position:]
    return _folded("".join(text), starts, ends)


_decodings: dict[tuple[str, str | None], str] = {}
_LONGEST_KEPT, _MOST_KEPT = 9, 20_000
"""Of what is remembered here: too short for a number."""


def _decoded(match: re.Match[str]) -> str:
    """What an escape stands for, folded, as text alone."""
    key = match[0], match.lastgroup
    known = _decodings.get(key)
    if known is None:
        known = "".join(_fold(character) for character, _, _ in _meant(match))
        if len(key[0]) <= _LONGEST_KEPT and len(_decodings) < _MOST_KEPT:
            _decodings[key] = known
    return known


def _meant(match: re.Match[str]) -> Iterator[tuple[str, int, int]]:
    """The characters that an escape stands for, with the places in it where each begins and ends."""
    kind, size = match.lastgroup or "", len(match[0])
    value = match[kind]
    if kind == "percent":
        for character, first, last in _characters(bytes.fromhex(value.replace("%", ""))):
            yield character, 3 * first, 3 * last
        return
    if kind == "named":
        decoded = html5.get(value, match[0])
    elif kind == "sign":
        decoded = _SIGNS.get(value, value)
    else:
        code = int(value, {"entity": 10, "octal": 8}.get(kind, 16))
        decoded = chr(code) if code <= _HIGHEST else " "
    if decoded == match[0]:
        yield from ((character, place, place + 1) for place, character in enumerate(decoded))
    else:
        yield from ((character, 0, size) for character in decoded)


def _characters(raw: bytes) -> Iterator[tuple[str, int, int]]:
    """The characters in `raw` with the places where they begin and end; a byte that is no UTF-8 stands for itself."""
    place = 0
    while place < len(raw):
        lead = raw[place]
        size = 1 if lead < 0xC2 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        try:
            character = raw[place : place + size].decode()
        except UnicodeDecodeError:
            character, size = chr(lead), 1
        yield character, place, place + size
        place += size


# -- tags, quoted-printable -------------------------------------------------------------------------------------------

_TAG = re.compile(r"<[^<>]{0,300}>|\[/?[A-Za-z]{1,10}(?:=[^\[\]]{0,60})?\]")
_BLOCK = re.compile(r"<[ /]*(?:br|p|div|t[dhr]|li|ul|ol|hr|table|h[1-6]|section|option|pre)\b", re.IGNORECASE)
_QUOTED = re.compile(  # digits, what stands between them, UTF-8, broken lines; `ns=1176…` is none of these
    r"=(?:(?P<byte>2[0-9A-Fa-f]|3[0-9]|0[9AaDd])"
    r"|(?P<more>[C-Fc-f][0-9A-Fa-f](?:=[89ABab][0-9A-Fa-f]){1,3})"
    r"| {0,3}\n{1,2})"
)


def _of_tag(match: re.Match[str]) -> str:
    return " " if _BLOCK.match(match[0]) else ""


def _of_quoted(match: re.Match[str]) -> str:
    if match["byte"]:
        return chr(int(match["byte"], 16))
    return bytes.fromhex(match["more"].replace("=", "")).decode("utf-8", "replace")[:1] if match["more"] else ""


def _of_quoted_folded(match: re.Match[str]) -> str:
    return "".join(map(_fold, _of_quoted(match)))


def _replaced(view: TextView, pattern: re.Pattern[str], decode: Callable[[re.Match[str]], str]) -> TextView:
    """Each match as the one character, or none, that it means."""
    text, starts, ends, position = list[str](), list[int](), list[int](), 0
    for match in pattern.finditer(view.text):
        begin, end = match.span()
        character = decode(match)
        text += [view.text[position:begin], character]
        starts += [*view.starts[position:begin], *([view.starts[begin]] if character else ())]
        ends += [*view.ends[position:begin], *([view.ends[end - 1]] if character else ())]
        position = end
    text.append(view.text[position:])
    return _folded("".join(text), [*starts, *view.starts[position:]], [*ends, *view.ends[position:]])


# -- packed whole -----------------------------------------------------------------------------------------------------

# Four signs that stand for three bytes of ASCII, or of ASCII in UTF-16. Three of them in a row are in whatever holds
# thirteen digits, and in one of forty words and paths of that length.
_QUAD = r"[ACDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
_QUADS = re.compile(rf"(?:{_QUAD}){{3}}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+(?:[\r\n]{1,2}[A-Za-z0-9+/_-]+)*")
_SHORTEST_BASE64, _SHORTEST_HEX = 18, 26
"""Characters that thirteen digits take."""
_STANDARD = str.maketrans("-_", "+/", "\r\n")
_NIBBLE = re.compile(r"0[xX]|[uU]\+0{0,4}(?=[0-9A-Fa-f]{2})|([0-9A-Fa-f])")
_CODES = re.compile(r"(?:(?:32|4[589]|5[0-7])[ ,;]{1,2}){12,}(?:4[89]|5[0-7])(?![0-9])")
_DIGITS_INSIDE = re.compile(rb"(?:[0-9][\t\r\n -/:-~]{0,6}){12}[0-9]")
_PACKED_INSIDE = re.compile(rb"[A-Za-z0-9+/=_\r\n %&;#\\-]{18,}")
_LETTERS_AND_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

type _Spans = Sequence[tuple[int, int]]


_BLANKS = {0x20: 1, 0x0A: 2, 0x0D: 3}


def only(signs: bytes) -> bytes:
    """Return a table for `segments` that keeps these signs, and makes blanks of all others; blanks that are kept become
    control characters."""
    return bytes((_BLANKS.get(code, code) if code in signs else 0x20) for code in range(256))


def segments(data: bytes, table: bytes, shortest: int, known: Set[bytes] = frozenset()) -> Iterator[tuple[int, bytes]]:
    """Yield the runs of signs that the table keeps, of this length or more, with their places, without those that are
    known already. Quick."""
    kept, end = data.translate(table), 0
    for segment in [segment for segment in kept.split() if len(segment) >= shortest]:
        start = kept.find(segment, end)
        end = start + len(segment)
        if segment not in known:
            yield start, segment


_IN_BASE64 = only(_LETTERS_AND_DIGITS + b"+/_-\r\n")
_IN_HEX = only(b"0123456789ABCDEFabcdefxXuU+ ,:;\r\n-")


def matches_in(pattern: re.Pattern[str], pieces: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield in which piece, and where in it, the pattern matches. It is one search for all of them, since there are
    many and nearly none has a match."""
    ends = [0, *accumulate(len(piece) + 1 for piece in pieces)]
    for match in pattern.finditer("\0".join(pieces)):
        index = bisect_right(ends, match.start()) - 1
        yield index, match.start() - ends[index]


def _packed(text: str) -> Iterator[tuple[bytes, Callable[[], _Spans]]]:
    """What unpacks to bytes that may hold a number; and, when asked, where in the text each byte came from."""
    data = text.encode("ascii", "replace")
    words = list(segments(data, _IN_BASE64, _SHORTEST_BASE64))
    in_one_line = [word.translate(None, b"\2\3").decode() for _, word in words]
    for index in sorted({index for index, _ in matches_in(_QUADS, in_one_line)}):
        start, word = words[index]
        for match in _BASE64.finditer(text, start, start + len(word)):
            if match.end() - match.start() >= _SHORTEST_BASE64:
                yield from _base64(match)
    for start, segment in segments(data, _IN_HEX, _SHORTEST_HEX):
        if segment.count(b"3") > 12:  # the digits are 30 to 39
            yield from _hexadecimal(text[start : start + len(segment)], start)
        if segment.count(b"5") + segment.count(b"4") > 12:  # and 48 to 57 in tens
            yield from _decimal(text[start : start + len(segment)], start)


def _base64(match: re.Match[str]) -> Iterator[tuple[bytes, Callable[[], _Spans]]]:
    """What a run of base64 holds, wherever in it the encoding began."""
    signs = match[0].translate(_STANDARD)
    for offset in range(4):
        signs_from = signs[offset:]
        signs_from = signs_from[:-1] if len(signs_from) % 4 == 1 else signs_from
        raw = b64decode(signs_from + "=" * (-len(signs_from) % 4))
        if _tells(raw):
            yield raw, partial(_base64_spans, match, offset, len(raw), offset + len(signs_from) - 1)


def _base64_spans(match: re.Match[str], offset: int, size: int, last: int) -> _Spans:
    places = [place for place, sign in enumerate(match[0], match.start()) if sign not in "\r\n"]
    groups = [offset + byte // 3 * 4 for byte in range(size)]
    return [(places[group], places[min(group + 3, last)] + 1) for group in groups]


def _hexadecimal(segment: str, start: int) -> Iterator[tuple[bytes, Callable[[], _Spans]]]:
    nibbles = [(nibble[1], start + nibble.start()) for nibble in _NIBBLE.finditer(segment) if nibble[1]]
    signs = "".join(sign for sign, _ in nibbles)
    for offset in range(2):
        raw = bytes.fromhex(signs[offset : len(signs) - (len(signs) - offset) % 2])
        if _tells(raw):
            yield raw, partial(_hexadecimal_spans, nibbles, range(offset, offset + 2 * len(raw), 2))


def _hexadecimal_spans(nibbles: Sequence[tuple[str, int]], pairs: range) -> _Spans:
    return [(nibbles[pair][1], nibbles[pair + 1][1] + 1) for pair in pairs]


def _decimal(segment: str, start: int) -> Iterator[tuple[bytes, Callable[[], _Spans]]]:
    for match in _CODES.finditer(segment):
        codes = list(re.finditer("[0-9]+", match[0]))
        begin = start + match.start()
        spans = [(begin + code.start(), begin + code.end()) for code in codes]
        yield bytes(int(code[0]) for code in codes), partial(list, spans)


def _tells(raw: bytes) -> bool:
    return bool(_DIGITS_INSIDE.search(raw.replace(b"\0", b"")) or _PACKED_INSIDE.fullmatch(raw))


def _as_text(raw: bytes) -> str:
    """The bytes as a text, without the zeros of UTF-16."""
    return raw.replace(b"\0", b"").decode("latin-1")


def _unpacked(view: TextView, raw: bytes, spans: _Spans) -> TextView:
    """The bytes as a text of their own, each with its place."""
    places_kept = [place for place, byte in enumerate(raw) if byte]
    starts = [view.starts[spans[place][0]] for place in places_kept]
    return TextView(_as_text(raw), starts, [view.ends[spans[place][1] - 1] for place in places_kept])
