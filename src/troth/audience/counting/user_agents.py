"""Parses user agents into browser, system and device, or a reason to drop the hit. The text itself is never stored.

Parsing takes half a millisecond, so results for recent user agents are cached in memory. Touches nothing. Sources of
the patterns: the packages `is-bot` and `ua-parser`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from is_bot import Bots
from ua_parser import Parser
from ua_parser.loaders import load_lazy_builtins
from ua_parser.regex import Resolver

REMEMBERED = 4_096
LONGEST = 512
"""Characters that are read: real user agents are shorter, and patterns take time by length."""
_BOTS = Bots()
_BROWSER_PATTERNS, _SYSTEM_PATTERNS, _ = load_lazy_builtins()
_PARSER = Parser(Resolver((_BROWSER_PATTERNS, _SYSTEM_PATTERNS, [])))
"""Without the patterns of device models, which nothing needs and which take 16 MB of each front. `lazy`: `Resolver`
compiles the patterns itself; that Python does so as well would take 0.2 s of each start."""
_HEADLESS = re.compile(r"headless|phantomjs|electron/|puppeteer|playwright|selenium|webdriver|slimerjs", re.IGNORECASE)
_TABLET = re.compile(r"ipad|tablet|kindle|silk/|playbook|android(?!.*mobile)", re.IGNORECASE)
_PHONE = re.compile(r"mobi|iphone|ipod|windows phone|opera mini|iemobile", re.IGNORECASE)
_TELEVISION = re.compile(r"smart-?tv|hbbtv|appletv|googletv|bravia|netcast|web0s|roku|crkey", re.IGNORECASE)
_SYSTEMS = {"Mac OS X": "macOS", "Mac OS": "macOS", "Chrome OS": "ChromeOS", "Ubuntu": "Linux", "Fedora": "Linux"}
_BROWSERS = {
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "Chromium": "Chrome",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Safari",
    "Edge Mobile": "Edge",
    "Opera Mobile": "Opera",
    "Opera Mini": "Opera",
    "Samsung Internet": "Samsung",
}


@dataclass(frozen=True, slots=True)
class Agent:
    """What is counted of a user agent. `dropped`: why it is not counted, or empty."""

    browser: str = ""
    system: str = ""
    device: str = ""
    """`desktop`, `phone`, `tablet` or `television`."""
    dropped: str = ""


@lru_cache(maxsize=REMEMBERED)
def parse(agent: str) -> Agent:
    """Parse a `User-Agent` header."""
    agent = agent[:LONGEST]
    if len(agent) < 12:
        return Agent(dropped="no agent")
    if _HEADLESS.search(agent):
        return Agent(dropped="headless")
    if _BOTS.is_bot(agent):
        return Agent(dropped="bot")
    parsed = _PARSER.parse(agent)
    browser = parsed.user_agent.family if parsed.user_agent else ""
    system = parsed.os.family if parsed.os else ""
    return Agent(_BROWSERS.get(browser, browser), _SYSTEMS.get(system, system), _device(agent))


_BOTS.is_bot("")  # compiles the patterns now, not at a visitor's first hit


def _device(agent: str) -> str:
    for device, pattern in (("television", _TELEVISION), ("tablet", _TABLET), ("phone", _PHONE)):
        if pattern.search(agent):
            return device
    return "desktop"


def renamed(name: str) -> str:
    """Return the name used here for a browser or system of another program."""
    return _BROWSERS.get(name) or _SYSTEMS.get(name) or _ELSEWHERE.get(name, name)


_ELSEWHERE = {
    "Microsoft Edge": "Edge",
    "Mobile App": "",
    "Samsung Browser": "Samsung",
    "(unknown)": "",
    "(not set)": "",
    "Mac": "macOS",
    "GNU/Linux": "Linux",
    "Windows Mobile": "Windows Phone",
}
