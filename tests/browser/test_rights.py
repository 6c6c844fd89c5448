"""One's own record, in a browser: see it, take it along, have it erased; then nothing is found (must-show 1)."""

import json

import httpx
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.test_accessible import check
from tests.browser.test_walk import _holding
from tests.rights.test_receipt_command import verified


def ask(page, house, address):
    """From the vendor's privacy page to the mail with the link, which is returned whole."""
    page.goto(f"{house.vendor}/privacy.html")
    page.get_by_role("link", name="View, export or delete your data").click()
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Email me a link").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    mail = house.mail_for(address, count=2)
    return next(word for word in mail.text.split() if "/privacy/me/" in word)


def test_a_visitor_sees_takes_along_and_erases_their_record(page, desk, house, address):
    name = "Perpetua Harrowgate-Finch"
    steps.sign_up(page, house, address, name)
    steps.confirm(page, house.mail_for(address))
    link = ask(page, house, address)

    page.goto(link)
    expect(page.get_by_text("Decrypted in your browser")).to_be_visible()
    expect(page.get_by_text(address)).to_be_visible()
    expect(page.get_by_text(name)).to_be_visible()
    with page.expect_download() as got:
        page.get_by_role("link", name="Download as JSON").click()
    told = json.loads(got.value.path().read_text())
    assert told["parts"][0]["items"] == [{"email": address, "name": name}]
    with page.expect_download() as got:
        page.get_by_role("link", name="Download as HTML").click()
    assert name in got.value.path().read_text()

    page.get_by_role("link", name="Delete my data").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text(name)).to_be_visible()  # the key came along
    page.get_by_role("link", name="Delete my data").click()
    page.get_by_role("button", name="Delete permanently").click()
    expect(page.get_by_role("heading", name="Your data has been deleted")).to_be_visible()
    with page.expect_download() as got:
        page.get_by_role("link", name="Download receipt").click()
    assert "Contact details: 1" in verified(got.value.path(), house.site)
    page.goto(link)
    expect(page.get_by_role("heading", name="Your data has been deleted")).to_be_visible()

    desk.goto(f"{house.office}/people/")
    desk.get_by_label("Search by email, name or phone number").fill(address)
    desk.get_by_role("button", name="Search").click()
    expect(desk.get_by_role("heading", name="No results")).to_be_visible()
    texts = [address, name, "Perpetua", "Harrowgate"]
    assert _holding(house.site, texts, but=house.site / "nothing") == []


def test_without_a_script_it_comes_by_mail_and_can_be_erased(browser, house, address, page):
    steps.sign_up(page, house, address)
    link = ask(page, house, address)
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(link)
    expect(plain.get_by_text("Your browser does not run scripts")).to_be_visible()
    plain.get_by_role("button", name="Email it to me").click()
    expect(plain.get_by_text("to email your data to you")).to_be_visible()
    assert steps.NAME in house.mail_for(address, count=3).text
    plain.goto(link)
    plain.get_by_role("button", name="Email it to me").click()
    plain.goto(link)
    plain.get_by_role("link", name="Delete my data").click()
    plain.get_by_role("button", name="Delete permanently").click()
    expect(plain.get_by_role("heading", name="Your data has been deleted")).to_be_visible(timeout=15_000)
    assert len(house.mails(address)) == 3  # once for each link
    context.close()


def test_a_scanner_that_follows_every_link_changes_nothing(page, desk, house, address):
    steps.sign_up(page, house, address)
    link = ask(page, house, address).partition("#")[0]
    for rest in ("", "/erase", "/erased", "/receipt.json", "/answer/0123456789abcdef"):
        httpx.get(link + rest)
        httpx.head(link + rest)
    steps.expect_state(desk, house, address, "unconfirmed")


def test_who_is_not_known_reads_the_same_words_and_gets_no_mail(page, house, address):
    page.goto(f"{house.front}/privacy/me")
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Email me a link").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    assert page.url == f"{house.front}/thanks/rights"
    page.wait_for_timeout(1500)
    assert house.mails(address) == []


def test_a_link_without_its_key_opens_nothing(page, house, address, watch):
    watch.expected.append("status of 404")
    steps.sign_up(page, house, address)
    link = ask(page, house, address)
    page.goto(link.partition("#")[0])
    expect(page.get_by_text("The link is incomplete")).to_be_visible()
    page.goto("about:blank")
    page.goto(link[:-6] + "AAAAAA")
    expect(page.get_by_text("no longer available, or there is a newer link")).to_be_visible()


def test_the_operator_corrects_freezes_exports_and_erases(page, desk, house, address):
    steps.sign_up(page, house, address)
    steps.confirm(page, house.mail_for(address))
    steps.expect_state(desk, house, address, "confirmed")
    desk.get_by_role("link", name="Edit details").click()
    desk.get_by_label("Name").fill("Ursula Quill")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Ursula Quill", exact=True)).to_be_visible()
    desk.get_by_role("button", name="Restrict processing", exact=True).click()
    expect(desk.get_by_text("Processing is restricted")).to_be_visible()
    with desk.expect_download() as got:
        desk.get_by_role("button", name="Export as JSON").click()
    assert json.loads(got.value.path().read_text())["parts"][0]["items"][0]["name"] == "Ursula Quill"
    desk.get_by_role("link", name="Delete…").click()
    desk.get_by_role("button", name="Delete permanently").click()
    expect(desk.get_by_role("heading", name="Deleted")).to_be_visible()
    expect(desk.get_by_text("Contact details: 1")).to_be_visible()
    check(desk)


def test_the_pages_are_for_everybody(page, desk, house, address, watch):
    watch.expected.append("status of 404")
    steps.sign_up(page, house, address)
    link = ask(page, house, address)
    page.goto(link)
    expect(page.get_by_text("Decrypted in your browser")).to_be_visible()
    check(page)
    page.get_by_role("link", name="Delete my data").click()
    check(page)
    page.goto(f"{house.front}/privacy/me")
    check(page)
    steps.find(desk, house, address)
    check(desk)
    desk.get_by_role("link", name="Edit details").click()
    check(desk)
    desk.go_back()
    desk.get_by_role("link", name="Delete…").click()
    check(desk)


def test_erasing_needs_no_mouse(page, house, address):
    steps.sign_up(page, house, address)
    page.goto(ask(page, house, address))
    page.get_by_role("link", name="Delete my data").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Delete all your data?").wait_for()
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Delete permanently":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your data has been deleted")).to_be_visible(timeout=15_000)
