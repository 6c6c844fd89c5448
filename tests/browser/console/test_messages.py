"""Must-show 1, first half: write as a visitor, answer as the operator, read the answer."""

import time

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.console.test_console_look import _SMALL
from tests.browser.test_accessible import check
from tests.browser.test_walk import _holding

WORDS = "Does Plainbook print on the Brotherly HL-12?\n\n  I have <b>two</b> of them."
PASTE = """html => {
    const box = document.createElement("div"), again = document.createElement("script");
    box.innerHTML = html;
    document.querySelector("main").append(box);
    again.src = document.querySelector("script[src*=embed]").src;
    document.body.append(again);
    return new Promise(done => { again.onload = done; });
}"""
"""As if both forms had been pasted into one page: the second brings the script again."""
ANSWER = "It does, on both.\nAsk again if it does not."


def write(page, house, address, words=WORDS):
    """On the vendor's page, with its script."""
    page.goto(f"{house.vendor}/contact.html")
    page.get_by_label("Email address").fill(address)
    page.get_by_label("Name").fill(steps.NAME)
    page.get_by_label("Your message").fill(words)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(f"{house.vendor}/contact-thanks.html?contact=thanks")


def open_thread(desk, house, address):
    """The operator looks for it; the worker may be some tenths of a second behind."""
    for _ in range(50):
        desk.goto(f"{house.office}/inbox/")
        desk.get_by_label("Search by email, name or phone number").fill(address)
        desk.locator("form.find").evaluate("form => { form.dataset.before = true }")
        desk.get_by_role("button", name="Search").click()
        desk.locator("form.find:not([data-before])").wait_for()  # else a row of the list before is pressed
        row = desk.locator(".threads a").first
        if row.count():
            row.click()
            desk.get_by_role("heading", name="They wrote").first.wait_for()
            return
        desk.wait_for_timeout(200)
    raise AssertionError("the message is not there")


def test_a_visitor_writes_the_operator_answers_and_the_visitor_reads_it(page, desk, house, address):
    write(page, house, address)
    open_thread(desk, house, address)
    assert desk.locator(".talk .text").first.inner_text() == WORDS
    assert desk.locator(".talk .text b").count() == 0
    desk.get_by_label("Your reply").fill(ANSWER)
    desk.get_by_role("button", name="Send reply").click()
    expect(desk.get_by_text("Your reply is queued.")).to_be_visible()
    expect(desk.locator(".head .tag")).to_have_text("Answered")
    mail = house.mail_for(address)
    assert mail.subject == "Your message to Example Software"
    page.goto(house.mail)
    page.get_by_role("link", name=address).first.click()
    shown = page.locator("pre").first.inner_text()
    assert ANSWER in shown and "> Does Plainbook print" in shown
    texts = [address, steps.NAME, steps.NAME.split()[0], steps.NAME.split()[1], "Brotherly", "on both"]
    assert _holding(house.site, texts, but=house.site / "keys") == []


def test_without_a_script_it_takes_one_more_press(plain, desk, house, address):
    plain.goto(f"{house.vendor}/contact.html")
    plain.get_by_label("Email address").fill(address)
    plain.get_by_label("Your message").fill(WORDS)
    plain.get_by_role("button", name="Send").click()
    expect(plain.get_by_role("heading", name="One more step")).to_be_visible()
    assert plain.url == f"{house.front}/contact"
    expect(plain.get_by_label("Your message")).to_have_value(WORDS)
    time.sleep(9)
    plain.get_by_role("button", name="Send").click()
    plain.wait_for_url(f"{house.vendor}/contact-thanks.html?contact=thanks")
    open_thread(desk, house, address)
    assert desk.locator(".talk .text").first.inner_text() == WORDS


def test_who_wrote_a_card_number_is_told_with_a_script_and_without(page, plain, house, address):
    told = "We removed a number that looks like a card number"
    for visitor in (plain, page):
        visitor.goto(f"{house.vendor}/contact.html")
        visitor.get_by_label("Email address").fill(address)
        visitor.get_by_label("Your message").fill("My card is 4242 4242 4242 4242.")
        visitor.get_by_role("button", name="Send").click()
        expect(visitor.get_by_text(told)).to_be_visible()
    assert plain.url == f"{house.front}/contact"
    expect(plain.get_by_label("Your message")).to_have_value("My card is •••• 4242.")
    assert page.url == f"{house.front}/thanks/message/masked/0"
    page.get_by_role("link", name="Back to").click()
    page.wait_for_url(f"{house.vendor}/contact-thanks.html?contact=thanks")


def test_the_operator_is_told_that_something_came_and_not_what(page, house, address):
    write(page, house, address)
    mail = house.mail_for("desk@example.com")
    assert "new message" in mail.subject
    for word in (address, steps.NAME, "Plainbook", "Brotherly"):
        assert word not in mail.raw
    assert f"{house.office}/inbox/" in mail.text


def test_both_forms_on_one_page_each_mind_their_own_business(page, watch, house, address):
    watch.expected.append("status of 422")
    pasted = httpx.get(f"{house.front}/contact?embed").text
    page.goto(house.vendor)
    page.evaluate(PASTE, pasted[: pasted.index("<script")])
    contact, letter = page.locator("form[action$='/contact']"), page.locator("form[action$='/newsletter']")
    contact.get_by_label("Email address").fill("nobody@localhost")
    contact.get_by_label("Your message").fill("Hello")
    contact.get_by_role("button", name="Send").click()
    expect(contact.locator("[data-troth-problem]")).to_have_count(1)
    letter.get_by_label("Email address").fill("nobody@localhost")
    letter.get_by_role("button", name="Sign up").click()
    expect(letter.locator("[data-troth-problem]")).to_have_count(1)
    expect(contact.locator("[data-troth-problem]")).to_have_count(1)


@pytest.mark.parametrize("turned_off", [False, True])
def test_single_keys_move_open_and_answer_unless_they_are_turned_off(page, desk, house, address, turned_off):
    write(page, house, address)
    write(page, house, "second-" + address)
    open_thread(desk, house, "second-" + address)
    desk.goto(f"{house.office}/inbox/")
    desk.evaluate("localStorage.removeItem('keys')")
    if turned_off:
        desk.get_by_text("Keyboard shortcuts", exact=True).click()
        desk.get_by_role("button", name="Keyboard shortcuts are on").click()
        expect(desk.get_by_role("button", name="Keyboard shortcuts are off")).to_be_visible()
        desk.locator("h1").click()
    desk.keyboard.press("j")
    if turned_off:
        expect(desk.locator(".threads a").nth(0)).not_to_be_focused()
        desk.evaluate("localStorage.removeItem('keys')")
        return
    expect(desk.locator(".threads a").nth(0)).to_be_focused()
    desk.keyboard.press("j")
    expect(desk.locator(".threads a").nth(1)).to_be_focused()
    desk.keyboard.press("k")
    desk.keyboard.press("Enter")
    desk.get_by_role("heading", name="They wrote").first.wait_for()
    desk.keyboard.press("r")
    expect(desk.get_by_label("Your reply")).to_be_focused()
    desk.keyboard.type("jk/u")
    expect(desk.get_by_label("Your reply")).to_have_value("jk/u")
    desk.locator("h1").click()
    desk.keyboard.press("u")
    desk.get_by_role("heading", name="Inbox").wait_for()
    desk.keyboard.press("/")
    expect(desk.get_by_label("Search by email, name or phone number")).to_be_focused()


def test_canned_answers_labels_and_states_work_by_the_mouse_alone(page, desk, house, address):
    write(page, house, address)
    desk.goto(f"{house.office}/inbox/saved-replies/")
    desk.get_by_label("Title").fill("Thanks")
    desk.get_by_label("Text").fill("Thank you for writing.")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("link", name="Thanks")).to_be_visible()
    open_thread(desk, house, address)
    desk.get_by_label("Your reply").fill("Hello,")
    desk.get_by_role("button", name="Insert").click()
    expect(desk.get_by_label("Your reply")).to_have_value("Hello,\n\nThank you for writing.")
    desk.get_by_label("Add a label").fill("printing")
    desk.get_by_role("button", name="Add").click()
    expect(desk.locator(".chips")).to_contain_text("printing")
    desk.get_by_role("button", name="Close").click()
    desk.get_by_role("heading", name="Inbox").wait_for()
    desk.get_by_role("link", name="printing").click()
    expect(desk.locator(".threads a")).to_have_count(1)
    desk.locator(".threads a").click()
    desk.get_by_role("button", name="Reopen").click()
    expect(desk.locator(".head .tag")).to_have_text("Open")


def test_every_page_of_it_is_accessible_and_has_room_for_a_thumb(page, desk, house, address):
    write(page, house, address, WORDS + " https://example.com/" + "long" * 60)
    open_thread(desk, house, address)
    desk.get_by_text("Other details entered").first.click()
    thread = desk.url
    for path in (f"{house.office}/inbox/?state=all", f"{house.office}/inbox/saved-replies/", thread):
        desk.goto(path)
        check(desk)
        desk.set_viewport_size({"width": 390, "height": 844})
        assert desk.evaluate(_SMALL) == [], path
