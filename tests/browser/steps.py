"""The steps of the walk, as a person takes them."""

from playwright.sync_api import Page, expect

from tests.browser.house import House, Mail

NAME = "Ursula Quillfeather"


def sign_up(page: Page, house: House, address: str, name: str = NAME) -> None:
    """On the vendor's page, with its script."""
    page.goto(f"{house.vendor}/#newsletter")
    page.get_by_label("Email address").fill(address)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url(f"{house.vendor}/thanks.html?newsletter=thanks")


def confirm(page: Page, mail: Mail) -> None:
    """Follow the mail's link, press its button."""
    page.goto(mail.link("confirm"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def find(desk: Page, house: House, address: str) -> None:
    """The operator looks a person up; the worker may be some tenths of a second behind."""
    for _ in range(50):
        desk.goto(f"{house.office}/people/")
        desk.get_by_label("Search by email, name or phone number").fill(address)
        desk.get_by_role("button", name="Search").click()
        desk.wait_for_load_state("networkidle")
        if "/people/search" not in desk.url:
            return
    raise AssertionError("the person is not on the list")


def expect_state(desk: Page, house: House, address: str, state: str) -> None:
    """The person's page says so, sooner or later."""
    for _ in range(50):
        find(desk, house, address)
        if desk.locator(".head .tag").inner_text().lower() == state:
            return
        desk.wait_for_timeout(200)
    raise AssertionError(f"the office does not say {state}: {desk.locator('.head').inner_text()}")
