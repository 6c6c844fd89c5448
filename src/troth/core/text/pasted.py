"""Clean a contact detail of what a paste brings along: invisible characters, and what stands around an address.

Address books, spreadsheets and chat programs add direction marks, no-break spaces and byte order marks (Unicode UAX 9,
UTR 36), which nobody can see to delete. U+200C and U+200D belong to words in Persian and Indian scripts and go at the
edges only. An override inside a text stays, for the check to refuse. Touches nothing.
"""

import re
import unicodedata

from troth.core.purpose import Category

_UNSEEN = dict.fromkeys(
    map(ord, "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff\ufff9\ufffa\ufffb"),
) | dict.fromkeys((*range(0x2060, 0x2065), *range(0xE0000, 0xE0080)))
"""Soft hyphen, zero-width space, word joiner, byte order mark, marks and isolates of direction, tags and the like."""
_IN_NO_ADDRESS = dict.fromkeys((0x034F, *range(0xFE00, 0xFE10)))
"""Grapheme joiner and variation selectors: business of letters and emoji."""
_JOINERS = "\u200c\u200d"
_EDGES = _JOINERS + "\u202d\u202e\u034f\u115f\u1160\u2800\u3164\uffa0"
"""Besides spaces, what is nothing at the edge of a text: joiners, overrides, and fillers that are blank."""
_LINE_END = re.compile("\r\n?|[\v\f\u0085\u2028\u2029]")


def clean(text: str, category: Category) -> str:
    """Return the detail as it was meant, in NFC. Cleaning twice changes nothing. For short texts: it is slow."""
    if category is Category.EMAIL:
        return _address(text)
    if category is Category.TELEPHONE:
        return _number(text)
    if category is Category.POSTAL_ADDRESS:
        return "\n".join(_line(line) for line in _LINE_END.sub("\n", text).split("\n")).strip("\n")
    return _line(text)


def _line(text: str) -> str:
    """Until nothing changes: what composes once a mark between is gone may be at an edge."""
    while (plain := _edges(unicodedata.normalize("NFC", text.translate(_UNSEEN)))) != text:
        text = plain
    return text


def _edges(text: str) -> str:
    while (bare := text.strip().strip(_EDGES)) != text:
        text = bare
    return text


# -- addresses --------------------------------------------------------------------------------------------------------

_NAMED = re.compile(r"[^<>]*<([^<>]*)>[\s.,;:]*(?:[(\[][^<>@]*[)\]])?")
_COMMENTED = re.compile(r"(\S+@\S+)\s+[(\[][^()\[\]@]*[)\]]")
_SCHEME = re.compile(r"(?:mailto|smtp|e-?mail|mail):\s*", re.IGNORECASE)
_PAIRS = ('""', "''", "``", "<>", "()", "[]", "“”", "„“", "‘’", "«»")


def _address(text: str) -> str:
    """`Ada <ada@example.com>;` and `mailto:ada@example.com` as `ada@example.com`."""
    text = _line(text.translate(_IN_NO_ADDRESS))
    plain = _without_joiners(unicodedata.normalize("NFKC", text))
    text = plain if plain.isascii() else text  # beyond ASCII a joiner may be part of a domain (RFC 5892, appendix A)
    while (bare := _line(_unwrapped(text))) != text:
        text = bare
    return text


def _without_joiners(text: str) -> str:
    return text.replace(_JOINERS[0], "").replace(_JOINERS[1], "")


def _unwrapped(text: str) -> str:
    named = _NAMED.fullmatch(text) or _COMMENTED.fullmatch(text)
    text = named[1] if named else text
    scheme = _SCHEME.match(text)
    text = text[scheme.end() :].partition("?")[0] if scheme else text
    text = text.strip().lstrip(",;").rstrip(".,;:").strip()
    inside = len(text) > 2 and text[0] + text[-1] in _PAIRS
    return text[1:-1] if inside else text


# -- telephone numbers ------------------------------------------------------------------------------------------------

_CALLED = re.compile(
    r"(?:(?:tel|telephone|telefon|téléphone|phone|mobile?|mob|cell|handy|office|home|work|fax|callto)(?:\s*[.:]+\s*|\s+)"
    r"|[ptmfhw]\s*[.:]\s*|[☎☏✆📞📱]\s*)"
    r"(?=[+(0-9*#])",
    re.IGNORECASE,
)
_EXTENSION_OF_A_LINK = re.compile(r";ext=([0-9]{1,7})", re.IGNORECASE)  # RFC 3966


def _number(text: str) -> str:
    """`tel:+49…` and `p: +49…` as `+49…`; every script's digits and dashes as ASCII."""
    text = _line(_without_joiners(text).replace("\u202d", "").replace("\u202e", ""))
    text = _edges("".join(map(_plain, unicodedata.normalize("NFKC", text))))
    while (bare := _line(_called(text))) != text:
        text = bare
    return text


def _called(text: str) -> str:
    called = _CALLED.match(text)
    text = text[called.end() :] if called else text
    text = _EXTENSION_OF_A_LINK.sub(r" ext. \1", text)
    text = text[1:] if text[:1] in ("'", "’") else text
    return _edges(text.rstrip(" .,;:"))


def _plain(char: str) -> str:
    if char.isascii():
        return char
    if unicodedata.category(char) == "Pd" or char == "\N{MINUS SIGN}":
        return "-"
    if unicodedata.category(char) == "Zs":
        return " "
    return str(unicodedata.digit(char)) if char.isdecimal() else char
