"""An answer with somebody else's address in it stops at the gate, until an owner sends it."""

import os

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.console.test_console_look import _SMALL
from tests.browser.console.test_messages import open_thread, write
from tests.browser.test_accessible import check


def wait_until_held(desk, house):
    """The worker may be some tenths of a second behind."""
    for _ in range(50):
        desk.goto(f"{house.office}/held/")
        if desk.get_by_role("button", name="Send", exact=True).count():
            return
        desk.wait_for_timeout(200)
    raise AssertionError("nothing is held")


@pytest.fixture
def other(page, house):
    """Somebody else, who confirmed."""
    address = f"bea-{os.urandom(4).hex()}@example.org"
    steps.sign_up(page, house, address, "Bea Byron")
    steps.confirm(page, house.mail_for(address))
    return address


def test_an_answer_with_somebody_elses_address_waits_for_an_owner(page, desk, house, address, other):
    write(page, house, address)
    open_thread(desk, house, address)
    desk.get_by_label("Your reply").fill(f"Ask {other}, she has one.")
    desk.get_by_role("button", name="Send reply").click()
    expect(desk.get_by_text("Your reply is queued.")).to_be_visible()
    wait_until_held(desk, house)
    assert house.mails(address) == []
    expect(desk.get_by_text("It seems to contain somebody else’s email address.")).to_be_visible()
    expect(desk.get_by_role("heading", name=other)).to_be_visible()
    assert address not in desk.content()
    check(desk)
    desk.set_viewport_size({"width": 390, "height": 844})
    assert desk.evaluate(_SMALL) == []
    desk.get_by_role("button", name="Send", exact=True).click()
    desk.get_by_role("button", name="Release").click()
    expect(desk.get_by_text("It is queued for sending")).to_be_visible()
    expect(desk.get_by_role("heading", name="No held mail")).to_be_visible()
    assert other in house.mail_for(address).text


def test_a_dropped_answer_never_arrives(page, desk, house, address, other):
    write(page, house, address)
    open_thread(desk, house, address)
    desk.get_by_label("Your reply").fill("It was Bea Byron.")
    desk.get_by_role("button", name="Send reply").click()
    wait_until_held(desk, house)
    desk.get_by_role("button", name="Discard").click()
    desk.get_by_role("heading", name="Discard it?").wait_for()
    desk.get_by_role("button", name="Discard").click()
    expect(desk.get_by_text("It will not be sent.")).to_be_visible()
    desk.wait_for_timeout(2500)
    assert house.mails(address) == []
