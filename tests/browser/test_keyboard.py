"""The walk with the keyboard only: Tab, Enter, and typing."""

from playwright.sync_api import Page, expect

from tests.browser import steps


def tab_to(page: Page, name: str, most: int = 40) -> None:
    """Press Tab until the focus is on what has this label, and see that the focus can be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
            return [(e.labels && e.labels[0] ? e.labels[0].textContent : e.textContent).trim(),
                    s.outlineStyle !== 'none' || s.boxShadow !== 'none']; }"""
        )
        if found[0].startswith(name):
            assert found[1], f"the focus on {name} cannot be seen"
            return
    raise AssertionError(f"Tab does not reach {name}")


def test_signing_up_and_confirming(page, house, address):
    page.goto(house.vendor)
    tab_to(page, "Email address")
    page.keyboard.type(address)
    tab_to(page, "Name")
    page.keyboard.type(steps.NAME)
    tab_to(page, "Sign up")
    page.keyboard.press("Enter")
    page.wait_for_url("**/thanks.html*")
    page.goto(house.mail_for(address).link("confirm"))
    tab_to(page, "Confirm")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_leaving(page, house, address):
    steps.sign_up(page, house, address)
    page.goto(house.mail_for(address).link("unsubscribe"))
    tab_to(page, "Unsubscribe")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You’re unsubscribed")).to_be_visible()


def test_after_an_error_the_focus_is_where_the_mending_is(page, watch, house):
    watch.expected.append("status of 422")
    page.goto(f"{house.front}/newsletter")
    tab_to(page, "Email address")
    page.keyboard.type("nobody@localhost")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Email address")).to_be_focused()
    expect(page.get_by_label("Email address")).to_have_attribute("aria-invalid", "true")


def test_the_operator_finds_a_person(page, desk, house, address):
    steps.sign_up(page, house, address)
    house.mail_for(address)
    desk.goto(house.office)
    tab_to(desk, "Skip to content")
    tab_to(desk, "People")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="People", level=1)).to_be_visible()
    tab_to(desk, "Search by email, name or phone number")
    desk.keyboard.type(address)
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name=address)).to_be_visible()
