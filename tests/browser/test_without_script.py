"""The walk without JavaScript: slower, and whole."""

import time

from playwright.sync_api import expect

from tests.browser import steps


def test_signing_up_on_the_vendors_page_takes_one_more_press(plain, house, address):
    plain.goto(house.vendor)
    plain.get_by_label("Email address").fill(address)
    plain.get_by_label("Name").fill(steps.NAME)
    plain.get_by_role("button", name="Sign up").click()
    expect(plain.get_by_role("heading", name="One more step")).to_be_visible()
    assert plain.url == f"{house.front}/newsletter"
    expect(plain.get_by_label("Email address")).to_have_value(address)  # what was typed is still there
    expect(plain.get_by_label("Name")).to_have_value(steps.NAME)
    time.sleep(9)
    plain.get_by_role("button", name="Sign up").click()
    plain.wait_for_url(f"{house.vendor}/thanks.html?newsletter=thanks")
    plain.goto(house.mail_for(address).link("confirm"))
    plain.get_by_role("button", name="Confirm").click()
    expect(plain.get_by_role("heading", name="Thank you")).to_be_visible()


def test_one_who_presses_too_early_is_told_how_long_to_wait(plain, watch, house, address):
    watch.expected.append("status of 422")
    plain.goto(f"{house.front}/newsletter")
    plain.get_by_label("Email address").fill(address)
    plain.get_by_role("button", name="Sign up").click()
    expect(plain.get_by_text("more second")).to_be_visible()
    expect(plain.get_by_label("Email address")).to_have_value(address)


def test_an_error_keeps_what_was_typed_and_says_what_to_mend(plain, watch, house):
    watch.expected.append("status of 422")
    plain.goto(f"{house.front}/newsletter")
    plain.get_by_label("Email address").fill("nobody@localhost")
    plain.get_by_label("Name").fill(steps.NAME)
    plain.get_by_role("button", name="Sign up").click()
    expect(plain.get_by_role("alert")).to_contain_text("Email address")
    expect(plain.get_by_label("Email address")).to_have_value("nobody@localhost")
    expect(plain.get_by_label("Email address")).to_have_attribute("aria-invalid", "true")
    expect(plain.get_by_label("Name")).to_have_value(steps.NAME)


def test_the_way_out_needs_no_script(plain, page, house, address):
    steps.sign_up(page, house, address)
    plain.goto(house.mail_for(address).link("unsubscribe"))
    plain.get_by_role("button", name="Unsubscribe").click()
    expect(plain.get_by_role("heading", name="You’re unsubscribed")).to_be_visible()
