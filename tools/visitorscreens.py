"""The pictures of the visitors' dashboard: before the first visit, after some weeks, drilled down, spam excluded."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page

from tests.browser.house import House
from tests.browser.test_public_statistics import PUBLIC
from tests.front.client import Keys, Serving

type Told = tuple[str, str, Callable[[Page], object]]

_SPAM = "cheap-clicks.example.com"


def empty(at: House) -> list[Told]:
    """Before anything has been counted."""
    return [("office-visitors-empty", "Visitors, on the first day", lambda page: page.goto(f"{at.office}/visitors/"))]


def fill(at: House) -> None:
    """Some months of invented visits."""
    environment = {**os.environ, "TROTH_SITE": str(at.site)}
    subprocess.run([sys.executable, "-m", "tests.audience.filled"], env=environment, check=True, timeout=300)


def shots(at: House) -> list[Told]:
    """In the order in which they are taken: a note is written first, and spam excluded last."""

    def noted(page: Page) -> None:
        page.goto(f"{at.office}/visitors/")
        page.get_by_text("Add a note").click()
        page.get_by_label("Day", exact=True).fill(f"{datetime.now(UTC) - timedelta(days=9):%Y-%m-%d}")
        page.get_by_label("What happened").fill("Release 4.2, announced on the blog and in the newsletter")
        page.get_by_role("button", name="Save note").click()
        page.locator(".noted").wait_for()

    def taken_out(page: Page) -> None:
        page.goto(f"{at.office}/visitors/?source={_SPAM}")
        page.get_by_role("link", name="Exclude as spam…").click()
        page.get_by_role("button", name="Exclude", exact=True).click()
        page.get_by_role("status").wait_for()

    def token(page: Page) -> None:
        page.goto(f"{at.office}/api-tokens/")
        page.get_by_label("Name", exact=True).fill("The monthly report")
        page.get_by_role("button", name="Create token (shown once)").click()
        page.get_by_role("link", name="API tokens").first.click()
        page.get_by_role("heading", name="API tokens").wait_for()

    def go(query: str) -> Callable[[Page], object]:
        return lambda page: page.goto(f"{at.office}/visitors/{query}")

    return [
        ("office-visitors", "Visitors", noted),
        ("office-visitors-today", "Visitors, today", go("?period=today")),
        ("office-visitors-page", "Filtered by a page", go("?page=%2Fplainbook&tabs=browser")),
        ("office-visitors-two", "Filtered by a page and a source", go("?period=7&page=%2Fplainbook&source=Google")),
        ("office-visitors-year", "Twelve months", go("?period=year&show=views&tabs=channel.language.missing")),
        ("office-visitors-all", "More pages", go("all/page/")),
        ("office-visitors-out", "Excluded traffic", taken_out),
        ("office-tokens", "API tokens", token),
    ]


@contextmanager
def public() -> Iterator[list[Told]]:
    """The page of whole weeks for everybody, from a front of its own."""
    with TemporaryDirectory() as folder, Serving(Path(folder), Keys(), statistics=PUBLIC) as front:
        address = f"http://127.0.0.1:{front.port}/troth/statistics"
        yield [("statistics", "Visitor statistics, if they are public", lambda page: page.goto(address))]
