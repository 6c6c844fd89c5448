"""Agents are told as people read them; what is no person is dropped, with the reason."""

import pytest

from troth.audience.counting.user_agents import Agent, parse

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Mobile/15E148 Safari/604.1"
)
IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7 Mobile/15E148 "
    "Safari/604.1"
)
FIREFOX = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Safari/605.1.15"
)


@pytest.mark.parametrize(
    ("agent", "wanted"),
    [
        (CHROME, Agent("Chrome", "Windows", "desktop")),
        (IPHONE, Agent("Safari", "iOS", "phone")),
        (IPAD, Agent("Safari", "iOS", "tablet")),
        (FIREFOX, Agent("Firefox", "Linux", "desktop")),
        (MAC, Agent("Safari", "macOS", "desktop")),
    ],
)
def test_browser_system_and_device(agent, wanted):
    assert parse(agent) == wanted


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        ("", "no agent"),
        ("curl/8", "no agent"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
        ("python-requests/2.32.3", "bot"),
        (CHROME.replace("Chrome/", "HeadlessChrome/"), "headless"),
        (
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "bot",
        ),
    ],
)
def test_what_is_no_person_is_dropped(agent, why):
    assert parse(agent).dropped == why


def test_an_agent_of_any_length_takes_no_longer():
    assert parse("Mozilla/5.0 " + "(" * 100_000).browser == parse("Mozilla/5.0 " + "(" * 500).browser
