"""Names as people read them, and back: a country for its code, "Others" for what may not be named. Touches nothing."""

from troth.audience.counting.cells import Dim
from troth.audience.counting.page_names import OTHER
from troth.audience.queries import country_names

_OTHERS = "Others"
_CODED = {Dim.COUNTRY: country_names.COUNTRIES, Dim.LANGUAGE: country_names.LANGUAGES}
_CAPITAL = frozenset({Dim.CHANNEL, Dim.DEVICE, Dim.SCREEN})
"""Kinds of our own words, which begin with a small letter."""
_SYSTEMS = {
    "linux": "Linux",
    "windows": "Windows",
    "macos": "macOS",
    "ios": "iOS",
    "android": "Android",
    "freebsd": "FreeBSD",
}


def shown(dim: Dim, name: str) -> str:
    """A name as people read it."""
    if name == OTHER:
        return _OTHERS
    if dim in _CAPITAL:
        return name.capitalize()
    if dim is Dim.PRODUCT:  # "plainbook (other)": its versions that may not be named
        return name.replace(OTHER, _OTHERS.lower())
    return _CODED.get(dim, {}).get(name, name)


def stored(dim: Dim, text: str) -> str:
    """The name under which it is counted, where `text` is how it is shown, or the name itself."""
    return next((code for code, name in _CODED.get(dim, {}).items() if name.lower() == text.lower()), text)


def system(name: str) -> str:
    """A system as its maker writes it."""
    return _SYSTEMS.get(name, name)


def coded(dim: Dim, text: str) -> list[str]:
    """What to look for in the names that are stored where `text` was looked for in those that are shown."""
    if not text:
        return []
    codes = [code for code, name in _CODED.get(dim, {}).items() if text.lower() in name.lower()][:60]
    return [*(codes or [text]), *([OTHER] if text.lower() in _OTHERS.lower() else [])]
