"""Parses what the script sends: a few known fields, each once; anything else is rejected. Touches nothing.

/hit?k=v&u=https://example.com/docs&r=https://example.org/&w=1280      a page view
/hit?k=t&u=…&s=42                                                       time on page so far: 42 s
/hit?k=e&u=…&n=trial                                                    an event
k=o, k=d, k=m     an outbound link, a download (n: its address), a 404
k=v&g=1           opted out by Global Privacy Control: no other fields
k=p&n=plainbook&v=4.1&y=linux        the vendor's program checks for updates: product, version, system
"""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote_to_bytes

from troth.audience.counting.cells import Dim
from troth.core.errors import TrothError

LONGEST = 8 * 1024
"""Bytes of a query or beacon at most."""
LONGEST_NAME = 100


class HitKind(StrEnum):
    """The kind of a hit."""

    VIEW = "v"
    TIME = "t"
    EVENT = "e"
    OUTBOUND = "o"
    DOWNLOAD = "d"
    MISSING = "m"
    PRODUCT = "p"


ACTIONS = {
    HitKind.EVENT: Dim.EVENT,
    HitKind.OUTBOUND: Dim.OUTBOUND,
    HitKind.DOWNLOAD: Dim.DOWNLOAD,
    HitKind.MISSING: Dim.MISSING,
    HitKind.PRODUCT: Dim.PRODUCT,
}
"""Hits that are counted by a name of their own, and its dimension."""
_FIELDS = {"k", "u", "r", "w", "n", "s", "v", "y", "g"}


class HitRefused(TrothError):
    """Not what the script sends."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A message of a visitor's browser or the vendor's program."""

    kind: HitKind
    url: str = ""
    referrer: str = ""
    width: int = 0
    """Screen width in CSS pixels; 0 for unknown."""
    name: str = ""
    seconds: int = 0
    version: str = ""
    system: str = ""
    asked_not: bool = False
    """Whether the browser has Global Privacy Control (`navigator.globalPrivacyControl`)."""


def parse(query: bytes) -> Hit:
    """Read a hit from a query string or a beacon. Raises `HitRefused`, which never quotes it."""
    if len(query) > LONGEST:
        raise HitRefused(f"A hit is at most {LONGEST} bytes.")
    fields: dict[str, str] = {}
    for pair in query.decode("ascii", "replace").split("&"):
        name, equals, value = pair.partition("=")
        if not equals or name not in _FIELDS or name in fields:
            raise HitRefused("A hit has the fields k, u, r, w, n, s, v, y and g, each once at most.")
        fields[name] = _unquoted(value)
    try:
        kind = HitKind(fields.get("k", ""))
    except ValueError:
        raise HitRefused("A hit says by k what happened.") from None
    return Hit(
        kind,
        url=fields.get("u", ""),
        referrer=fields.get("r", ""),
        width=_number(fields.get("w", "")),
        name=fields.get("n", "")[:2_000],
        seconds=_number(fields.get("s", "")),
        version=fields.get("v", "")[:LONGEST_NAME],
        system=fields.get("y", "")[:LONGEST_NAME],
        asked_not="g" in fields,
    )


def _unquoted(value: str) -> str:
    value = value.replace("+", " ")
    return unquote_to_bytes(value).decode(errors="replace") if "%" in value else value


def _number(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise HitRefused("w and s are whole numbers.")
    return int(text)


def screen(width: int) -> str:
    """Return the class of a screen, coarse enough to identify nobody."""
    for name, below in (("small", 576), ("medium", 992), ("large", 1440)):
        if 0 < width < below:
            return name
    return "wide" if width else ""


def language(header: str) -> str:
    """Return the preferred language without its region: `de`."""
    first = header.split(",", 1)[0].split(";", 1)[0].split("-", 1)[0].strip().lower()
    return first if 2 <= len(first) <= 3 and first.isascii() and first.isalpha() else ""
