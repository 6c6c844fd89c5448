"""What a person sees where something is wrong."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import steps


def test_the_vendors_page_shows_what_to_mend_in_place(page, watch, house, address):
    watch.expected.append("status of 422")
    page.goto(house.vendor)
    page.get_by_label("E-mail address").fill("someone@localhost")
    page.get_by_label("Name").fill(steps.NAME)
    page.get_by_role("button", name="Sign up").click()
    field = page.get_by_label("E-mail address")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("someone@localhost")
    expect(field).to_be_focused()
    note = page.locator(f"#{field.get_attribute('aria-describedby')}")
    expect(note).to_contain_text("example.com")
    assert page.url.startswith(house.vendor)

    field.fill(address)  # mended: the note goes, and the form with it
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/thanks.html*")


def test_the_pages_own_look_reaches_the_form(page, house):
    """The embedded form carries no style of ours: it takes the vendor's."""
    page.goto(house.vendor)
    button, other = page.get_by_role("button", name="Sign up"), page.get_by_role("link", name="See what it does")
    colour = "e => getComputedStyle(e).backgroundColor"
    assert button.evaluate(colour) == other.evaluate(colour)


@pytest.mark.parametrize(
    ("path", "status", "heading"),
    [
        ("/nothing-here", 404, "Nothing is here"),
        ("/thanks/nobody", 404, "Nothing is here"),
        ("/confirm/forged-by-somebody", 400, "could not be understood"),
        ("/unsubscribe/forged-by-somebody", 400, "could not be understood"),
    ],
)
def test_an_error_has_a_page_of_its_own(page, watch, house, path, status, heading):
    watch.expected.append(f"status of {status}")
    answer = page.goto(house.front + path)
    assert answer.status == status
    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)


def test_a_link_for_leaving_does_not_confirm(page, house, address):
    steps.sign_up(page, house, address)
    link = house.mail_for(address).link("unsubscribe").replace("/unsubscribe/", "/confirm/")
    assert httpx.post(link).status_code == 400


def test_a_link_with_one_letter_changed_is_refused(page, house, address):
    steps.sign_up(page, house, address)
    link = house.mail_for(address).link("confirm")
    middle = len(link) - 10
    changed = link[:middle] + ("A" if link[middle] != "A" else "B") + link[middle + 1 :]
    assert httpx.post(changed).status_code == 400


def test_a_field_that_was_never_asked_for_is_refused(house, address):
    answer = httpx.post(f"{house.front}/newsletter", data={"email": address, "birthday": "1 May"})
    assert answer.status_code == 400
    assert address not in answer.text


def test_the_office_shows_nothing_to_a_stranger(page, house):
    for path in ("/", "/people/", "/people/find/", "/account/"):
        page.goto(house.office + path)
        assert page.url.startswith(f"{house.office}/sign-in/")


def test_a_sign_in_link_works_once(operator, page, watch, house):
    watch.expected.append("status of 410")
    answer = page.goto(house.sign_in)
    assert answer.status == 410


def test_the_office_has_a_page_for_what_is_not_there(desk, watch, house):
    watch.expected.append("status of 404")
    answer = desk.goto(f"{house.office}/nothing-here")
    assert answer.status == 404
    expect(desk.get_by_role("heading", level=1)).to_be_visible()
