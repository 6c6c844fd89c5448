"""The pictures of the newsletter's pages: before the first campaign, and with campaigns in every state."""

import os
import subprocess
import sys
from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.house import House

type Told = tuple[str, str, Callable[[Page], object]]


def empty(at: House) -> list[Told]:
    """Before anything has been written."""
    return [
        ("office-newsletter-empty", "Newsletter, on the first day", lambda page: page.goto(f"{at.office}/newsletter/")),
        ("office-topics-empty", "No topics", lambda page: page.goto(f"{at.office}/newsletter/topics/")),
    ]


def fill(at: House) -> list[str]:
    """Make invented campaigns; return the ids of a draft, a scheduled, a paused and a sent one."""
    environment = {**os.environ, "TROTH_SITE": str(at.site)}
    command = [sys.executable, "-m", "tests.newsletter.filled"]
    done = subprocess.run(command, env=environment, check=True, timeout=300, capture_output=True, text=True)
    return done.stdout.split()


def shots(at: House, ids: list[str]) -> list[Told]:
    """Every page of the newsletter."""
    draft, scheduled, paused, sent = (f"{at.office}/newsletter/{campaign_id}/" for campaign_id in ids)

    def choose(*values: str) -> Callable[[Page], object]:
        def go(page: Page) -> None:
            page.goto(draft)
            for value in values:
                page.locator(f"input[value={value}]").check(force=True)
            page.frame_locator("iframe#email").locator("body").wait_for()
            page.evaluate("scrollTo(0, 0)")

        return go

    def press(path: str, button: str) -> Callable[[Page], object]:
        def go(page: Page) -> None:
            page.goto(path)
            page.get_by_role("button", name=button).click()
            page.locator("[name=sure]").wait_for()

        return go

    def conflict(page: Page) -> None:
        page.goto(draft)
        other = page.context.new_page()
        other.goto(draft)
        other.get_by_label("Preheader").fill("Written in another window")
        other.get_by_role("button", name="Save").click()
        other.get_by_text("Saved.", exact=True).wait_for()
        other.close()
        page.get_by_label("Preheader").fill("Written here")
        page.get_by_role("button", name="Compare both versions").click()
        page.get_by_role("heading", name="Two versions").wait_for()

    def go(path: str) -> Callable[[Page], object]:
        return lambda page: page.goto(path)

    return [
        ("office-newsletter", "Newsletter: drafts", go(f"{at.office}/newsletter/?tab=drafts")),
        ("office-newsletter-sending", "Newsletter: sending", go(f"{at.office}/newsletter/?tab=sending")),
        ("office-newsletter-sent", "Newsletter: sent", go(f"{at.office}/newsletter/?tab=sent")),
        ("office-editor", "The editor of a campaign", choose()),
        ("office-editor-phone", "The same: on a phone, in dark colours", choose("phone", "dark")),
        ("office-editor-text", "The same: the plain-text part", choose("text")),
        ("office-editor-conflict", "Saved in another window meanwhile", conflict),
        ("office-campaign-review", "Review and send", go(f"{draft}review/")),
        ("office-campaign-send", "Before it is sent", press(f"{draft}review/", "Send to")),
        ("office-campaign-scheduled", "A scheduled campaign", go(scheduled)),
        ("office-campaign-progress", "How far a campaign is", go(paused)),
        ("office-campaign-cancel", "Before it is cancelled", press(paused, "Cancel…")),
        ("office-campaign-sent", "A campaign that was sent", go(sent)),
        ("office-campaign-email", "Its email", go(f"{sent}preview/")),
        ("office-campaign-failed", "Whom it did not reach", go(f"{sent}recipients/failed/")),
        ("office-topics", "Topics", go(f"{at.office}/newsletter/topics/")),
    ]
