"""What a person sees where something is wrong."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import steps


def test_the_vendors_page_shows_what_to_mend_in_place(page, watch, house, address):
    watch.expected.append("status of 422")
    page.goto(house.vendor)
    page.get_by_label("Email address").fill("someone@localhost")
    page.get_by_label("Name").fill(steps.NAME)
    page.get_by_role("button", name="Sign up").click()
    field = page.get_by_label("Email address")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("someone@localhost")
    expect(field).to_be_focused()
    note = page.locator(f"#{field.get_attribute('aria-describedby')}")
    expect(note).to_contain_text("example.com")
    assert page.url.startswith(house.vendor)

    field.fill(address)  # mended: the note goes, and the form with it
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/thanks.html*")


def test_what_no_person_should_see_is_shown_by_no_style_and_stops_nobody(page, house, address):
    """Password managers fill in what they find, seen or not; vendors give all parts of a form a `display`."""
    page.goto(house.vendor)
    sheet = "document.adoptedStyleSheets[0].insertRule('form *, [hidden] { display: block !important }')"
    page.evaluate(f"document.adoptedStyleSheets = [new CSSStyleSheet()]; {sheet}")
    expect(page.get_by_text("Leave this empty")).to_have_count(0)
    page.evaluate(
        "for (const one of document.forms[0].elements) "
        "if (!one.offsetParent && one.type != 'hidden') one.value = 'https://www.example.com'"
    )
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/thanks.html*")
    house.mail_for(address)


def test_the_sentence_that_is_agreed_to_comes_up_to_date_in_a_pasted_form(page, watch, house, address):
    watch.expected.append("status of 422")
    page.goto(house.vendor)
    note = page.locator("[data-troth-note]")
    sentence = note.inner_text()
    page.evaluate(
        "document.querySelector('[data-troth-note]').textContent = 'Send me a parcel.';"
        "document.querySelector('[name=wording]').value = '00'.repeat(32)"
    )
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Sign up").click()
    expect(note).to_have_text(sentence)
    expect(note).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("the text you agree to")
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/thanks.html*")


@pytest.mark.parametrize(
    "older",
    [
        "document.querySelector('[name=name]').name = 'telephone'",  # asked for once, and no longer
        "document.querySelector('[name=email]').closest('p').remove()",  # asked for since
        "document.querySelector('[name=back]').value += '?old'",  # listed once, and no longer
        # The sentence changed, and the page was made before it could be put in its place.
        "document.querySelector('[name=wording]').value = '00'.repeat(32);"
        "document.querySelector('[data-troth-note]').removeAttribute('data-troth-note')",
    ],
)
def test_a_form_that_was_pasted_before_the_settings_changed_comes_back_as_it_is_now(page, watch, house, address, older):
    watch.expected += ["status of 400", "status of 422"]
    page.goto(house.vendor)
    page.get_by_label("Email address").fill(address)
    page.get_by_label("Name").fill(steps.NAME)
    page.evaluate(older)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url(f"{house.front}/newsletter")
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("heading", name="Check your inbox").or_(page.get_by_text("Almost there")).first.wait_for()
    house.mail_for(address)


def test_back_on_the_page_with_the_form_stands_that_it_was_sent(page, house):
    page.goto(f"{house.vendor}/?newsletter=thanks")
    thanks = page.get_by_role("status").filter(has_text="Check your inbox")
    expect(thanks).to_be_visible()
    expect(thanks).to_be_focused()
    expect(page.get_by_role("button", name="Sign up")).to_be_hidden()
    page.goto(f"{house.vendor}/contact.html?newsletter=thanks")  # it is about another form
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    page.goto(f"{house.vendor}/contact.html?contact=thanks")
    expect(page.get_by_role("status").filter(has_text="We’ve received your message")).to_be_visible()


def test_the_pages_own_look_reaches_the_form(page, house):
    """The embedded form carries no style of ours: it takes the vendor's."""
    page.goto(house.vendor)
    button, other = page.get_by_role("button", name="Sign up"), page.get_by_role("link", name="See what it does")
    colour = "e => getComputedStyle(e).backgroundColor"
    assert button.evaluate(colour) == other.evaluate(colour)


@pytest.mark.parametrize(
    ("path", "status", "heading"),
    [
        ("/nothing-here", 404, "Page not found"),
        ("/thanks/nobody", 404, "Page not found"),
        ("/confirm/forged-by-somebody", 400, "This link is incomplete"),
        ("/unsubscribe/forged-by-somebody", 400, "This link is incomplete"),
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
    for path in ("/", "/people/", "/people/search/", "/account/"):
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
