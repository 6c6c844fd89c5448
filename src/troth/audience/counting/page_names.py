"""Reduces addresses to what is counted: the page without anything that could name a person, the source, the campaign.

Deny by default: only allowed query parameters are kept; anything like an email address, a key or a long number is
masked before it is counted or compared (V1). Touches nothing.
"""

import re
import unicodedata
from collections.abc import Callable, Container, Set
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from troth.audience.counting.readable_words import DATE, ROUND, readable

LONGEST = 200
"""Characters of a name at most; longer ones are cut."""
LONGEST_ADDRESS = 2_000
"""Characters of an address that are read."""
EMAIL, NUMBER, KEY, ADDRESS = "(e-mail)", "(number)", "(key)", "(address)"
OTHER = "(other)"

_EMAIL = re.compile(r"[^\s/@?#]{1,64}[@\uff20\ufe6b]([^\s/@&=?#]{1,190})((?:[@\uff20\ufe6b][^\s/@&=?#]{1,190})*)")
"""Also with the other letters that are read as `@`, `bounce+ada=example.org@…`, as mailing lists write it, and several
`@` in a row: half of `ada@1@example.com` would be taken for a package."""
_OF_PACKAGE = re.compile(r"v?\d{1,4}(?:\.\d{1,4}){0,2}(?:-(?:rc|beta|alpha|next|preview)[.-]?\d{0,4})?", re.IGNORECASE)
"""What follows the `@` of `react@18.2.0`; no host has such a name."""
_MAY_BE_EMAIL = re.compile("[@\uff20\ufe6b]")
_ADDRESS = re.compile(r"(?<![\w:])[0-9a-f:]{3,39}(?![\w:])", re.IGNORECASE)
"""IPv6, as `2001:db8::1`; `_is_address` tells times apart, because a pattern for that would be slow. Four short numbers
may be a version, and are kept."""
_NUMBER = re.compile(r"\+?\d(?:[ ._()\u2010-\u2015-]{0,3}\d){6,}")
"""Seven digits and more: telephone, order, customer, card. `_is_no_secret` finds the public ones."""
_IDENTIFIER = re.compile(
    r"(?:cve|cwe|capec|ghsa|rh[sbe]a|dsa|dla|usn|glsa|elsa|alsa|pysec|rustsec|jvndb|jvn|icsm?a|zdi|cnn?vd|euvd|kb|rfc|bcp|iso|"
    r"iec|din|ieee|nist|fips|pep|jep|jsr|ecma|ean|isbn)[-_ :/.]?",
    re.IGNORECASE,
)
"""Prefixes of public numbers: vulnerabilities, fixes, standards."""
_VERSION = re.compile(r"(?:\bv|versions?|releases?|build)[-_ /.]?", re.IGNORECASE)
_LONGEST_PREFIX = 10
"""Characters before a number in which one of these two must end."""
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_LONG_WORD = re.compile(r"[A-Za-z0-9_~-]{20,}={0,2}|[0-9a-fA-F]{12,}")
_SHORTEST = 3
"""Characters of the shortest text that may need a mask: `a@b`."""


def mask(text: str) -> str:
    """Return `text` with email addresses, keys and long numbers replaced by placeholders."""
    if len(text) < _SHORTEST:
        return text
    if _MAY_BE_EMAIL.search(text):  # a millisecond is saved on a long address in which there is none
        text = _without_emails(text)
    text = _UUID.sub(KEY, text)
    if ":" in text:
        text = _ADDRESS.sub(lambda match: ADDRESS if _is_address(match[0]) else match[0], text)
    text = _LONG_WORD.sub(_masked_word, text)
    return _NUMBER.sub(lambda match: match[0] if _is_no_secret(match) else NUMBER, text)


def _without_emails(text: str) -> str:
    """Return `text` with every e-mail address masked. A second round finds one that the first laid bare: `a@=b@c`."""
    while (masked := _EMAIL.sub(lambda match: match[0] if _is_package(match) else EMAIL, text)) != text:
        text = masked
    return text


def _is_package(match: re.Match[str]) -> bool:
    """Return whether the match is a package and its version, such as `react@18.2.0`."""
    return not match[2] and bool(_OF_PACKAGE.fullmatch(match[1]))


def _is_address(text: str) -> bool:
    if text.count(":") != _COLONS and not ("::" in text and any(character.isdigit() for character in text)):
        return False
    try:
        return bool(IPv6Address(text))
    except ValueError:
        return False


_COLONS = 7
"""Colons of a full IPv6 address."""


def _masked_word(match: re.Match[str]) -> str:
    """Return a slug of words unchanged, and anything else as a key."""
    return match[0] if readable(match[0]) else KEY


def _is_no_secret(match: re.Match[str]) -> bool:
    """Return whether a number is a date, several dates or years, round, a public identifier, or a version."""
    number, groups = match[0], re.split(r"\D+", match[0])
    if number.startswith("+"):
        return False
    if (
        DATE.fullmatch(number)
        or ROUND.fullmatch(number)
        or _are_days(groups)
        or re.fullmatch(r"\d{1,3}(?:[-., ]000){2,}", number)
    ):
        return True
    before = match.string[max(0, match.start() - _LONGEST_PREFIX) : match.start()]
    if len(number) <= _LONGEST_CODE and re.search(r"(?<![0-9A-Za-z])0x$", before):
        return True  # `0x80070005`
    if any(len(group) > _LONGEST_GROUP for group in groups):
        return False
    if _ends_with(_IDENTIFIER, before):
        return len(groups) <= _MOST_GROUPS
    return _ends_with(_VERSION, before) and not _is_ipv4(groups)


_LONGEST_CODE = 8
_LONGEST_GROUP = 7
_MOST_GROUPS = 3


def _ends_with(pattern: re.Pattern[str], text: str) -> bool:
    """Return whether `text` ends with `pattern`, without a letter before it."""
    return any(pattern.fullmatch(text, start) for start in range(len(text)) if not text[start - 1 : start].isalpha())


def _are_days(groups: list[str]) -> bool:
    """Return whether the groups are dates or years: `25-11-2026`, `2024-2025-2026`."""
    years = sum(bool(re.fullmatch(r"(?:19|20)\d\d", group)) for group in groups)
    short = sum(len(group) <= 2 for group in groups)
    return bool(years) and years + short == len(groups) and short <= _MOST_GROUPS + years


def _is_ipv4(groups: list[str]) -> bool:
    return len(groups) == _OCTETS and all(int(group) < 256 for group in groups)


_OCTETS = 4


def _tidy(text: str) -> str:
    """Return text in NFC, without control characters and repeated spaces. Mask it before cutting it: the end may show
    that the beginning is an email address."""
    if text.isascii() and text.isprintable():  # most are, and need no look at each character
        return " ".join(text.split())
    text = unicodedata.normalize("NFC", text)
    return " ".join("".join(_shown(character) for character in text).split())


def _shown(character: str) -> str:
    """Return a character, without invisible ones: a soft hyphen must not hide an email address."""
    kind = unicodedata.category(character)
    if kind == "Cf":
        return ""
    return " " if kind in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} else character


# -- pages ------------------------------------------------------------------------------------------------------------


def page(
    address: str, allowed: Set[str] = frozenset(), *, routes: bool = False, listed: Container[str] = frozenset()
) -> str:
    """Return the page of an address: its path, and the query parameters in `allowed`, sorted. Begins with `/`.

    `routes`: whether a fragment that begins with `#/` or `#!` is a page; others are anchors.
    `listed`: pages that are not masked, as `plain_page` writes them.
    """
    plain = plain_page(address, allowed, routes=routes)
    return plain if plain in listed else _page(address, allowed, routes, mask)


def plain_page(address: str, allowed: Set[str] = frozenset(), *, routes: bool = False) -> str:
    """Return the page without a mask, for listed addresses."""
    return _page(address, allowed, routes, lambda text: text)


def _page(address: str, allowed: Set[str], routes: bool, masked: Callable[[str], str]) -> str:
    split = _split(address)
    path = masked(_tidy(_decoded(split.path)))[:LONGEST] or "/"
    path = re.sub(r"/{2,}", "/", path if path.startswith("/") else "/" + path)
    parameters = sorted((name, masked(_tidy(value))) for name, value in _query(split.query) if name in allowed)
    query = "&".join(f"{name}={value}" for name, value in parameters)
    route = masked(_tidy(_decoded(split.fragment))) if routes and split.fragment.startswith(("/", "!")) else ""
    return (path + (f"?{query}" if query else "") + (f"#{route}" if route else ""))[:LONGEST]


def host(address: str) -> str:
    """Return the host of an address in lower case, without `www.`; empty without one."""
    return _split(address).host.removeprefix("www.")


_PLAIN = re.compile(
    r"https?://([a-z0-9.-]{1,253})(?::\d{1,5})?(/[!-\"$-;=@-Z_a-z~]*)?(?:\?([!-\"$-Z_a-z~]*))?(?:#([!-~]*))?"
)
"""Nearly every address, split in a tenth of the time."""


def _split(address: str) -> "_Split":
    if not address:  # most hits have no referrer
        return _Split("", "", "", "")
    if match := _PLAIN.fullmatch(address, 0, LONGEST_ADDRESS):
        return _Split(match[1], match[2] or "", match[3] or "", match[4] or "")
    try:
        split = urlsplit(address[:LONGEST_ADDRESS])
        return _Split((split.hostname or "").lower(), split.path, split.query, split.fragment)
    except ValueError:  # brackets that hold no IPv6 address, and the like
        return _Split("", "/", "", "")


class _Split(NamedTuple):
    host: str
    path: str
    query: str
    fragment: str


def _decoded(text: str) -> str:
    """Return text without percent-encoding, up to five layers: a second one would hide an email address."""
    for _ in range(5):
        if "%" not in text:
            break
        text = unquote(text, errors="replace")
    return text


def _query(query: str) -> list[tuple[str, str]]:
    try:
        read = parse_qsl(query, keep_blank_values=False, max_num_fields=50)
    except ValueError:
        return []
    return [(name, _decoded(value)) for name, value in read]  # a mailing program may have encoded it once more


# -- where from -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a visit came from. Empty for unknown."""

    source: str = ""
    """A host without `www.`, or a name for several: `Google`."""
    channel: str = "direct"
    campaign: str = ""


_SEARCH = {
    "google": "Google",
    "bing": "Bing",
    "duckduckgo": "DuckDuckGo",
    "ecosia": "Ecosia",
    "yahoo": "Yahoo",
    "yandex": "Yandex",
    "baidu": "Baidu",
    "startpage": "Startpage",
    "qwant": "Qwant",
    "kagi": "Kagi",
}
_SEARCH_HOST = re.compile(
    rf"(?:[a-z0-9-]+\.)*({'|'.join(_SEARCH)})\.(?:com|org|net|eu|ru|cn|[a-z]{{2}}|co\.[a-z]{{2}}|com\.[a-z]{{2}})"
)
_SOCIAL = {
    "t.co": "X",
    "x.com": "X",
    "twitter.com": "X",
    "facebook.com": "Facebook",
    "fb.me": "Facebook",
    "instagram.com": "Instagram",
    "linkedin.com": "LinkedIn",
    "lnkd.in": "LinkedIn",
    "reddit.com": "Reddit",
    "youtube.com": "YouTube",
    "youtu.be": "YouTube",
    "news.ycombinator.com": "Hacker News",
    "lobste.rs": "Lobsters",
    "bsky.app": "Bluesky",
    "mastodon.social": "Mastodon",
    "pinterest.com": "Pinterest",
    "tiktok.com": "TikTok",
    "threads.net": "Threads",
}
_ASSISTANTS = {
    "chatgpt.com": "ChatGPT",
    "chat.openai.com": "ChatGPT",
    "perplexity.ai": "Perplexity",
    "claude.ai": "Claude",
    "gemini.google.com": "Gemini",
    "copilot.microsoft.com": "Copilot",
}
NAMED = frozenset({*_SEARCH.values(), *_SOCIAL.values(), *_ASSISTANTS.values(), "Mail"})
"""Sources with a built-in name, which are not names from outside."""
_MAIL_HOST = re.compile(r"(?:mail|webmail|outlook|roundcube)\.[a-z0-9.-]+")
_PAID = frozenset({"cpc", "ppc", "paid", "paidsearch", "display", "banner", "cpm", "ads"})
_MAILED = frozenset({"email", "mail", "newsletter", "e-mail"})


def origin(referrer: str, address: str, own: Set[str]) -> Origin:
    """Return where a visit came from, by referrer and campaign parameters. `own`: the site's own hosts."""
    marks = {name: _mark(value) for name, value in _query(_split(address).query) if name in _CAMPAIGN}
    campaign = marks.get("utm_campaign", "")
    source, channel = _by_referrer(_split(referrer).host, own)
    campaign_source = marks.get("utm_source") or marks.get("ref") or marks.get("source") or ""
    medium = marks.get("utm_medium", "").lower()
    if campaign_source:
        named, by = _by_referrer(campaign_source.lower(), own)
        source, channel = (named, by) if by not in {"direct", "link"} else (campaign_source, "campaign")
    if medium in _PAID:
        channel = "paid"
    elif medium in _MAILED:
        channel = "mail"
    elif campaign and channel == "direct":
        channel = "campaign"
    return Origin(source, channel, campaign)


def named(source: str) -> Origin:
    """Return the origin for a source that another program names: a host or a name for several."""
    name = _mark(source)
    by_host, channel = _by_referrer(name.lower(), frozenset())
    if by_host and "." in name:
        return Origin(by_host, channel)
    for channel_name, sources in (("search", _SEARCH), ("social", _SOCIAL), ("assistant", _ASSISTANTS)):
        if name in sources.values():
            return Origin(name, channel_name)
    return Origin(name, "link") if name else Origin()


_CAMPAIGN = frozenset({"utm_source", "utm_medium", "utm_campaign", "ref", "source"})


def _mark(value: str) -> str:
    return mask(_tidy(value))[:80]


def _by_referrer(host: str, own: Set[str]) -> tuple[str, str]:
    host = host.removeprefix("www.").removeprefix("m.").removeprefix("old.")
    if not host or host in own or f"www.{host}" in own or not re.fullmatch(r"[a-z0-9.-]{1,190}", host):
        return "", "direct"
    for table, channel in ((_ASSISTANTS, "assistant"), (_SOCIAL, "social")):
        if host in table:
            return table[host], channel
        if (parent := host.partition(".")[2]) in table and channel == "social":
            return table[parent], channel
    if _MAIL_HOST.fullmatch(host):
        return "Mail", "mail"
    if match := _SEARCH_HOST.fullmatch(host):
        return _SEARCH[match[1]], "search"
    return mask(host), "link"
