"""What a user agent says: browser, system, kind of device; or that it is no person. The agent itself is never kept.

Telling takes half a millisecond, so what was told is remembered, in memory, for the agents that came last. Touches
nothing. Sources of the patterns: the packages `is-bot` and `ua-parser`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from is_bot import Bots
from ua_parser import Parser
from ua_parser.loaders import load_builtins
from ua_parser.regex import Resolver

REMEMBERED = 4_096
LONGEST = 512
"""Characters of an agent that are looked at: real ones are shorter, and patterns take time by length."""
_BOTS = Bots()
_BROWSER_PATTERNS, _SYSTEM_PATTERNS, _ = load_builtins()
_PARSER = Parser(Resolver((_BROWSER_PATTERNS, _SYSTEM_PATTERNS, [])))
"""Without the patterns of devices' makes, which nothing asks for and which take 16 MB of each front."""
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
    """What is counted of an agent. `dropped`: why it is not counted at all, or nothing."""

    browser: str = ""
    system: str = ""
    device: str = ""
    """`desktop`, `phone`, `tablet` or `television`."""
    dropped: str = ""


@lru_cache(maxsize=REMEMBERED)
def told(agent: str) -> Agent:
    """What `agent`, the header's text, says."""
    agent = agent[:LONGEST]
    if len(agent) < 12:
        return Agent(dropped="no agent")
    if _HEADLESS.search(agent):
        return Agent(dropped="headless")
    if _BOTS.is_bot(agent):
        return Agent(dropped="bot")
    found = _PARSER.parse(agent)
    browser = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    return Agent(_BROWSERS.get(browser, browser), _SYSTEMS.get(system, system), _device(agent))


_BOTS.is_bot("")  # its patterns are put together at the first question: let that not be a visitor's


def _device(agent: str) -> str:
    for device, pattern in (("television", _TELEVISION), ("tablet", _TABLET), ("phone", _PHONE)):
        if pattern.search(agent):
            return device
    return "desktop"


def renamed(name: str) -> str:
    """A browser or a system by the name that it has here, whatever another program calls it."""
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
