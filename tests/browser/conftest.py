"""One demo and one Chromium for all browser tests; a fresh, empty browser context for each.

Package scope, not session: Playwright's loop would be in the way of later asyncio tests.
"""

import itertools
import shutil

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser import house as houses
from tests.browser.house import House
from tests.browser.watch import Watch

ARGUMENTS = [
    "--no-sandbox",  # tests run as root in CI
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
_numbers = itertools.count(1)
expect.set_options(timeout=15_000)  # as patient as what is pressed: on a busy machine the default of 5 s is too short


def chromium(*, whole: bool = False) -> str:
    """Where Chromium is: the shell, which is the same engine without windows and takes half of the processor time, or
    the whole browser, which also keeps pages that were left."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names if whole else ("chromium-headless-shell", *names))), None)
    assert path, "no Chromium found; `make test` installs it (Debian: chromium, chromium-headless-shell)"
    return path


def pytest_collection_modifyitems(items):
    """All of this folder needs a browser."""
    for item in items:
        if item.path.is_relative_to(__file__.rsplit("/", 1)[0]):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def house():
    """The demo: vendor's page, front, office, mail company."""
    with houses.running() as house:
        yield house


@pytest.fixture(scope="package")
def browser():
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def watch():
    """What the pages of this test asked for and complained about; judged when the test is over."""
    watch = Watch()
    yield watch
    watch.judge()


@pytest.fixture
def context(browser: Browser, watch: Watch):
    """A browser that has never been anywhere."""
    context = browser.new_context()
    watch.over(context)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page."""
    page = context.new_page()
    page.set_default_timeout(15_000)
    return page


@pytest.fixture
def address() -> str:
    """An address that no other test uses."""
    return f"visitor-{next(_numbers)}-of-the-walk@example.com"


@pytest.fixture(scope="package")
def operator(browser: Browser, house: House):
    """A browser context that is signed in to the office. The link works once, so there is one for all tests."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(house.sign_in)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Today").wait_for()
    page.close()
    yield context
    context.close()


@pytest.fixture
def desk(operator: BrowserContext, watch: Watch):
    """A page of the signed-in operator's."""
    watch.over(operator)
    page = operator.new_page()
    page.set_default_timeout(15_000)
    yield page
    page.close()


@pytest.fixture
def plain(browser, watch):
    """A page in a browser that runs no script."""
    context = browser.new_context(java_script_enabled=False)
    watch.over(context)
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()
