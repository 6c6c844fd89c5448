"""Agents are told as people read them; what is no person is dropped, with the reason."""

import pytest

from tests.audience.user_agents import CHROME, FIREFOX, IPAD, IPHONE, MAC
from troth.audience.counting.user_agents import Agent, parse


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
