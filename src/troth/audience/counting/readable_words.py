"""Tells readable slugs from keys: `why-you-should-enable-2fa` from `x7Kq-9fZ2mPw-4tLb`.

A key has parts that mix digits and letters in unusual ways, or rare pairs of letters: one in forty strings of 20 random
letters passes, and one in a hundred slugs of words does not. Touches nothing.
"""

import re
from itertools import pairwise

_MOST_ODD_PAIRS = 0.12
"""Rare pairs per letter."""
_HARDLY = (
    "aq bcdfghjkmpqtvwxz cbdfgjqvwx dhqwx e fbcdghjkmnpqvwxz gbcdfjkqvwxz hbcdfghjkmnpqsvwxz iwy "
    "jbcdfghjklmnpqrvwxyz kbcdfghjmpqwxz lhqrwxz mfghjkqrvwxz nqwx oqy pbfgjkmqvwxz "
    "qabcdefghijklmnopqrstvwxyz rqwx sgjx tgjqx uhqwxy vbcdfghjklmpqtvwxz wbcdfghjklmpqrtuvwxz "
    "xabcdfghjklmnoqrsuvwxyz yhjkqvwxyz zbcfghjklpqrsvwx"
)
"""A letter, then the letters that hardly ever follow it in English, German, French, Spanish and 20 more languages in
Latin script, or in names of software."""
_ODD_PAIRS = frozenset(row[0] + after for row in _HARDLY.split() for after in row[1:])
_TERM = re.compile(
    r"[a-z]{1,12}\d{1,4}|\d{1,5}[a-z]|\d{1,3}[a-z]{2,3}|[a-z]\d{1,2}[a-z]|[a-z]{2,5}[24][a-z]{1,6}|\d{1,2}(?:rc|beta|alpha)\d{1,2}"
)
"""`v3`, `utf8`, `sha256`; `3d`, `1080p`; `2fa`, `1st`, `64bit`; `i18n`, `k8s`; `log4j`, `log4shell`; `0rc1`."""
_KNOWN = re.compile(
    r"0x[0-9a-f]{2,8}|\d{1,5}(?:[kmg]bps|fps|[kmg]hz|[kmgt]i?b|mah|dpi|px|bit|bits)|log4(?:j|js|shell|net|cxx)"
    r"|(?:aes|sha|md|utf|ucs|rsa|ed|base|blake|crc|mp|av|vp|h|x|arm|usb|ddr|pcie|ipv|http|tls|ssl|oauth|es|ps|gtx|rtx|"
    r"iphone|ipad|pixel|galaxy|win|windows|ubuntu|debian|fedora|php|vue|python|java|jdk|sql|oracle)\d{1,5}"
    r"(?:b|s|g|k|x|be|le|mb3|mb4|gcm|cbc|ccm|ctr|url|hex|ti|pro|max|promax|plus|mini|super|ultra|kw|kwp)?"
)
"""Public technical terms: `0x80070005`, `320kbps`, `aes256gcm`, `blake2b`, `rtx4080super`."""
ROUND = re.compile(r"[1-9]\d?0{5,9}")
"""`1000000`."""
_LONGEST_NUMBER = 6
_SHORTEST_HUMP = 4
"""Letters of a word per inner capital at least, but for one: `GitHub`."""
DATE = re.compile(r"(?:19|20)\d\d[-/.]?(?:0[1-9]|1[0-2])(?:[-/.]?(?:0[1-9]|[12]\d|3[01]))?")
"""A day or a month; also eight digits."""


def readable(text: str) -> bool:
    """Return whether `text`, letters and digits with `-`, `_` and `~`, is made of words."""
    parts = [part for part in re.split(r"[-_~=]", text) if part]
    words = [part.lower() for part in parts if part.isalpha()]
    letters = sum(map(len, words))
    terms = sum(map(_termed, parts))
    if not all(map(_is_usual, parts)) or (terms and terms >= letters):
        return False
    return sum(map(_odd_pairs, words)) <= _MOST_ODD_PAIRS * letters


def _odd_pairs(word: str) -> float:
    """Return the number of rare pairs in a word; they count half in short ones, often abbreviations (`rtx`)."""
    count = sum(letter + after in _ODD_PAIRS for letter, after in pairwise(word))
    return count / 2 if len(word) < _SHORTEST_HUMP else count


def _termed(part: str) -> int:
    """Return how many characters of a part are not words: a term without its leading word."""
    if part.isalpha() or part.isdigit() or _KNOWN.fullmatch(part.lower()):
        return 0
    return len(re.sub(r"^[A-Za-z]{3,}(?=\d+$)", "", part))


def _is_usual(part: str) -> bool:
    """Return whether people write so: a word, a short number, a term."""
    if part.isalpha():
        humps = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", part)
        return len(humps) <= 1 + len(part) // _SHORTEST_HUMP
    if part.isdigit():
        return len(part) <= _LONGEST_NUMBER or bool(DATE.fullmatch(part) or ROUND.fullmatch(part))
    return bool(_TERM.fullmatch(part.lower()) or _KNOWN.fullmatch(part.lower()))
