"""Operators in a browser: made at the shell, with an authenticator app and with passkeys."""

import os

from playwright.sync_api import CDPSession, Page, expect

from tests import forked
from tests.browser.house import TROTH, House
from tests.office.codes import code

PASSWORD = "heron under the slow bridge"


def new_operator(house: House, name: str, email: str) -> str:
    """`troth operator add`; returns the one-time link."""
    done = forked.run(TROTH[-1], "operator", "add", name, email, "--site", house.site, env=os.environ)
    done.check_returncode()
    return next(word for word in done.stdout.split() if word.startswith("http"))


def choose_password(page: Page, link: str) -> None:
    """Behind the one-time link."""
    page.goto(link)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("Repeat password").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("heading", name="Account security")).to_be_visible()


def add_app(page: Page, house: House) -> str:
    """Add an authenticator app; returns its secret. Leaves the page at the recovery codes."""
    page.goto(f"{house.office}/account/app/add/")
    secret = page.locator("#secret").inner_text() or page.locator("#secret").text_content()
    assert secret
    page.get_by_label("Six-digit code").fill(code(secret))
    page.get_by_role("button", name="Add app").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    return secret


def with_authenticator(page: Page) -> tuple[CDPSession, str]:
    """Give this page's browser a device that holds passkeys, with a fingerprint that always fits."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return session, made["authenticatorId"]


def add_passkey(page: Page, house: House, name: str) -> None:
    """On the page for it; the page's browser has a device."""
    page.goto(f"{house.office}/account/passkeys/add/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("Passkey added.")).to_be_visible()
