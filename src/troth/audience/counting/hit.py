"""What the snippet sends, parsed and closed: a few short names, each once, or it is refused. Touches nothing.

/hit?k=v&u=https://example.com/docs&r=https://example.org/&w=1280      a page was shown
/hit?k=t&u=…&s=42                                                       it was really looked at for 42 s, so far
/hit?k=e&u=…&n=trial                                                    a named event
k=o, k=d, k=m     a link that leads away, a download (n: its address), a page that is missing
k=v&g=1           the browser asks by Global Privacy Control not to be counted: nothing else is told
k=p&n=plainbook&v=4.1&y=linux        the vendor's program asks for its newest version: product, version, system
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
    """What happened."""

    VIEW = "v"
    TIME = "t"
    EVENT = "e"
    OUTBOUND = "o"
    DOWNLOAD = "d"
    MISSING = "m"
    PRODUCT = "p"


DIMS = {
    HitKind.EVENT: Dim.EVENT,
    HitKind.OUTBOUND: Dim.OUTBOUND,
    HitKind.DOWNLOAD: Dim.DOWNLOAD,
    HitKind.MISSING: Dim.MISSING,
    HitKind.PRODUCT: Dim.PRODUCT,
}
_FIELDS = {"k", "u", "r", "w", "n", "s", "v", "y", "g"}


class HitRefused(TrothError):
    """Not what the snippet sends."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that a visitor's browser, or the vendor's program, tells."""

    kind: HitKind
    url: str = ""
    referrer: str = ""
    width: int = 0
    """Of the screen, CSS pixels; 0 where it is not told."""
    name: str = ""
    seconds: int = 0
    version: str = ""
    system: str = ""
    asked_not: bool = False
    """The browser told the snippet of Global Privacy Control (`navigator.globalPrivacyControl`)."""


def parse(query: bytes) -> Hit:
    """The hit in a query string or a beacon's body. Raises `HitRefused`; its words repeat nothing that was sent."""
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
    """The kind of screen, coarse enough to be nobody's."""
    for name, below in (("small", 576), ("medium", 992), ("large", 1440)):
        if 0 < width < below:
            return name
    return "wide" if width else ""


def language(header: str) -> str:
    """The language that a browser asks for first, without its region: `de`."""
    first = header.split(",", 1)[0].split(";", 1)[0].split("-", 1)[0].strip().lower()
    return first if 2 <= len(first) <= 3 and first.isascii() and first.isalpha() else ""
