"""Translates stored names into labels for people, and back: a country for its code, "Others" for unnamed ones.

Touches nothing.
"""

from collections.abc import Mapping

from troth.audience.counting.cells import Dim
from troth.audience.counting.page_names import OTHER
from troth.audience.queries import country_names

_OTHERS = "Others"
_CHANNELS = {
    "direct": "Direct",
    "search": "Search",
    "social": "Social",
    "assistant": "AI assistant",
    "link": "Referral",
    "mail": "Email",
    "campaign": "Campaign",
    "paid": "Paid",
}
_SCREENS = {
    "small": "Small (under 576 px)",
    "medium": "Medium (576–991 px)",
    "large": "Large (992–1439 px)",
    "wide": "Extra large (1440 px and up)",
}
_DROPPED = {
    "bot": "Bots",
    "headless": "Headless browsers (bots)",
    "no agent": "No user agent",
    "prefetched": "Prefetched, not viewed",
    "another site": "Other sites",
    "undeclared event": "Undeclared events",
    "undeclared product": "Undeclared products",
}
_CODED: Mapping[Dim, Mapping[str, str]] = {
    Dim.COUNTRY: country_names.COUNTRIES,
    Dim.LANGUAGE: country_names.LANGUAGES,
    Dim.CHANNEL: _CHANNELS,
    Dim.SCREEN: _SCREENS,
    Dim.DROPPED: _DROPPED,
}
_CAPITAL = frozenset({Dim.CHANNEL, Dim.DEVICE, Dim.SCREEN, Dim.DROPPED})
"""Dimensions whose names are the program's own words, stored in small letters."""
_SYSTEMS = {
    "linux": "Linux",
    "windows": "Windows",
    "macos": "macOS",
    "ios": "iOS",
    "android": "Android",
    "freebsd": "FreeBSD",
}


def shown(dim: Dim, name: str) -> str:
    """Return the label of a stored name."""
    if name == OTHER:
        return _OTHERS
    if dim is Dim.PRODUCT:  # "plainbook (other)": its versions that may not be named
        return name.replace(OTHER, _OTHERS.lower())
    return _CODED.get(dim, {}).get(name, name.capitalize() if dim in _CAPITAL else name)


def stored(dim: Dim, text: str) -> str:
    """Return the stored name for a label, or for the name itself."""
    return next((code for code, name in _CODED.get(dim, {}).items() if name.lower() == text.lower()), text)


def system(name: str) -> str:
    """Return an operating system's name as its maker writes it."""
    return _SYSTEMS.get(name, name)


def coded(dim: Dim, text: str) -> list[str]:
    """Return what to search for in stored names when somebody searches labels for `text`."""
    if not text:
        return []
    codes = [code for code, name in _CODED.get(dim, {}).items() if text.lower() in name.lower()][:60]
    return [*(codes or [text]), *([OTHER] if text.lower() in _OTHERS.lower() else [])]
