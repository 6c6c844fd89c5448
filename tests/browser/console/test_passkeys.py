"""Passkeys in a real browser, with a device that Chromium plays (WebAuthn's own virtual authenticator)."""

import itertools

import pytest
from playwright.sync_api import Page, expect

from tests.browser import desk
from tests.browser.house import House

_numbers = itertools.count(1)


@pytest.fixture
def person(page: Page, house: House):
    """A new operator who has chosen a password, at a browser with a device; and the device."""
    email = f"operator-{next(_numbers)}@example.com"
    link = desk.new_operator(house, "Olga", email)
    session, device = desk.with_authenticator(page)
    desk.choose_password(page, link)
    return email, session, device


def is_you(page: Page, house: House, path: str) -> None:
    """Go to a page that asks first who it is."""
    page.goto(house.office + path)
    if page.get_by_role("heading", name="Confirm it’s you").is_visible():
        page.get_by_label("Password").fill(desk.PASSWORD)
        page.get_by_role("button", name="Continue").click()


def test_a_passkey_is_added_and_signs_in_by_itself(page, house, person):
    _, session, device = person
    desk.add_passkey(page, house, "Laptop")
    expect(page.get_by_text("Recovery codes").first).to_be_visible()
    (kept,) = session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert kept["isResidentCredential"]
    assert kept["rpId"] == "localhost"
    page.context.clear_cookies()
    page.goto(f"{house.office}/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    page.goto(f"{house.office}/people/")
    expect(page.get_by_role("heading", name="People", exact=True)).to_be_visible()


def test_a_passkey_is_the_second_step_after_the_password(page, house, person):
    email, _, _ = person
    desk.add_passkey(page, house, "Laptop")
    page.context.clear_cookies()
    page.goto(f"{house.office}/sign-in/")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(desk.PASSWORD)
    page.get_by_role("button", name="Sign in with password").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Today")).to_be_visible()


def test_a_device_that_does_not_check_the_person_lets_nobody_in(page, house, person):
    _, session, device = person
    desk.add_passkey(page, house, "Laptop")
    page.context.clear_cookies()
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.goto(f"{house.office}/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The passkey was not used")
    page.goto(f"{house.office}/people/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_passkey_of_nobody_here_lets_nobody_in(page, house, person):
    _, session, device = person
    desk.add_passkey(page, house, "Laptop")
    page.goto(f"{house.office}/account/passkeys/")
    page.get_by_role("link", name="Remove Laptop").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Passkey removed.")).to_be_visible()
    assert session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"], (
        "the device still has it"
    )
    page.context.clear_cookies()
    page.goto(f"{house.office}/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_load_state("networkidle")
    page.goto(f"{house.office}/people/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_same_device_is_not_added_twice(page, house, person):
    desk.add_passkey(page, house, "Laptop")
    is_you(page, house, "/account/passkeys/add/")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("already has a passkey")


def test_an_app_and_its_code_in_a_browser(page, house, person):
    from tests.office.codes import code

    email, _, _ = person
    is_you(page, house, "/account/app/add/")
    secret = desk.add_app(page, house)
    page.context.clear_cookies()
    page.goto(f"{house.office}/sign-in/")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(desk.PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Code from your authenticator app").fill(code(secret, steps=1))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
