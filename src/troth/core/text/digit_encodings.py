"""The forms in which a text may hold digits: as it stands, and with one disguise after another taken off.

Folded: full-width and other scripts' digits, zero-width characters, line ends. Undone, layer by layer:
percent-encoding, HTML entities and tags, backslash escapes, quoted-printable, base64, hexadecimal, decimal codes,
UTF-16. Each character remembers its place in the text, so that a find can be taken out there. No layer makes the text
longer, so it takes time in proportion. Standard library only.
"""

import re
import unicodedata
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html.entities import html5

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


def views(text: str) -> Iterator[TextView]:
    """Yield the forms of `text` in which there may be a card number."""
    yield from _views(TextView(text, range(len(text)), range(1, len(text) + 1)), _PACKED_IN_PACKED)


def _views(view: TextView, depth: int) -> Iterator[TextView]:
    if _TELLING.search(view.text):
        view = _folded(view.text, view.starts, view.ends)
        yield view
        for _ in range(_LAYERS):
            if not _ESCAPE.search(view.text):
                break
            view = _unescaped(view)
            yield view
        if _TAG.search(view.text):
            yield _replaced(view, _TAG, lambda match: " " if _BLOCK.match(match[0]) else "")
        if len(_QUOTED.findall(view.text)) > 1:
            yield _replaced(view, _QUOTED, lambda match: chr(int(match[1], 16)) if match[1] else "")
    if depth:
        for packed in _packed(view):
            yield from _views(packed, depth - 1)


# -- folding ----------------------------------------------------------------------------------------------------------

_DOTS = "·∙•⋅・‧"
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


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

_ESCAPE = re.compile(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)"
    r"|%[uU](?P<u>[0-9A-Fa-f]{4})"
    r"|&\#[xX](?P<xentity>[0-9A-Fa-f]{1,8});?"
    r"|&\#(?P<entity>[0-9]{1,8});?"
    r"|&(?P<named>[A-Za-z][A-Za-z0-9]{1,30};)"
    r"|\\{1,8}(?:"
    r"[xX](?P<x>[0-9A-Fa-f]{2})|u(?P<u4>[0-9A-Fa-f]{4})|U(?P<u8>[0-9A-Fa-f]{8})|u\{(?P<ubrace>[0-9A-Fa-f]{1,8})\}"
    r"|(?P<octal>0?(?:6[0-7]|7[01])|040|055)(?![0-7])"
    r"|0{0,4}(?P<css>3[0-9])(?![0-9A-Fa-f])[ ]?"
    r"|(?P<sign>[nrtfvb/\"'\\-]))"
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
_QUOTED = re.compile(r"=(?:([0-9A-Fa-f]{2})| {0,3}\n{1,2})")


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

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+(?:[\r\n]{1,2}[A-Za-z0-9+/_-]+)*")
_SHORTEST_BASE64 = 18
"""Characters that thirteen digits take."""
_STANDARD = str.maketrans("-_", "+/", "\r\n")
_HEX = re.compile(r"[0-9A-Fa-fxXuU+ ,:;\r\n-]{26,}")
_NIBBLE = re.compile(r"0[xX]|[uU]\+0{0,4}(?=[0-9A-Fa-f]{2})|([0-9A-Fa-f])")
_CODES = re.compile(r"(?:(?:32|4[589]|5[0-7])[ ,;]{1,2}){12,}(?:4[89]|5[0-7])(?![0-9])")
_DIGITS_INSIDE = re.compile(rb"(?:[0-9][\t\r\n -/:-~]{0,6}){12}[0-9]")
_PACKED_INSIDE = re.compile(rb"[A-Za-z0-9+/=_\r\n %&;#\\-]{18,}")


def _packed(view: TextView) -> Iterator[TextView]:
    """What unpacks to something that may hold a number."""
    text = view.text
    for match in _BASE64.finditer(text):
        if match.end() - match.start() >= _SHORTEST_BASE64:
            yield from _base64(view, match)
    for match in _HEX.finditer(text):
        if match[0].count("3") > 12:  # the digits are 30 to 39
            yield from _hexadecimal(view, match)
    for match in _CODES.finditer(text):
        codes = list(re.finditer("[0-9]+", match[0]))
        spans = [(match.start() + code.start(), match.start() + code.end()) for code in codes]
        yield _unpacked(view, bytes(int(code[0]) for code in codes), spans)


def _base64(view: TextView, match: re.Match[str]) -> Iterator[TextView]:
    """What a run of base64 holds, wherever in it the encoding began."""
    signs = match[0].translate(_STANDARD)
    for offset in range(4):
        signs_from = signs[offset:]
        signs_from = signs_from[:-1] if len(signs_from) % 4 == 1 else signs_from
        raw = b64decode(signs_from + "=" * (-len(signs_from) % 4))
        if _tells(raw):
            places = [place for place in range(*match.span()) if view.text[place] not in "\r\n"]
            groups = [offset + byte // 3 * 4 for byte in range(len(raw))]
            last = offset + len(signs_from) - 1
            yield _unpacked(view, raw, [(places[group], places[min(group + 3, last)] + 1) for group in groups])


def _hexadecimal(view: TextView, match: re.Match[str]) -> Iterator[TextView]:
    nibbles = [(nibble[1], match.start() + nibble.start()) for nibble in _NIBBLE.finditer(match[0]) if nibble[1]]
    signs = "".join(sign for sign, _ in nibbles)
    for offset in range(2):
        raw = bytes.fromhex(signs[offset : len(signs) - (len(signs) - offset) % 2])
        if _tells(raw):
            pairs = range(offset, offset + 2 * len(raw), 2)
            yield _unpacked(view, raw, [(nibbles[pair][1], nibbles[pair + 1][1] + 1) for pair in pairs])


def _tells(raw: bytes) -> bool:
    return bool(_DIGITS_INSIDE.search(raw.replace(b"\0", b"")) or _PACKED_INSIDE.fullmatch(raw))


def _unpacked(view: TextView, raw: bytes, spans: Sequence[tuple[int, int]]) -> TextView:
    """The bytes as a text of their own, without the zeros of UTF-16."""
    places_kept = [place for place, byte in enumerate(raw) if byte]
    text = "".join(chr(raw[place]) for place in places_kept)
    starts = [view.starts[spans[place][0]] for place in places_kept]
    return TextView(text, starts, [view.ends[spans[place][1] - 1] for place in places_kept])
