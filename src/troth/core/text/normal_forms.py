"""Unicode's normal forms in time that grows with the text: ordering a row of combining marks takes the square of its
length, so each thirty are separated (Unicode Standard Annex 15, Stream-Safe Text Format). Touches nothing."""

import re
import unicodedata
from typing import Literal

_JOINER = "\u034f"
"""COMBINING GRAPHEME JOINER: not seen, and nothing is sorted past it."""
_BEGIN_WITH_A_MARK = "\u0f73\u0f75\u0f81"
"""No marks themselves, but what they are taken apart into is."""
_TOO_MANY = re.compile(rb"[^\x00]{30}(?=[^\x00])")


def normal(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """Return `text` in this normal form."""
    return unicodedata.normalize(form, text if text.isascii() else _parted(text))


def _parted(text: str) -> str:
    classes = bytes(1 if char in _BEGIN_WITH_A_MARK else unicodedata.combining(char) for char in text)
    ends = [match.end() for match in _TOO_MANY.finditer(classes)]
    if not ends:
        return text
    return _JOINER.join(text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True))
