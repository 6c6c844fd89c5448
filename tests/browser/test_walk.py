"""Newsletter, from start to end: from the vendor's page to the operator's list, and out again by one click."""

import base64
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import steps


def test_a_visitor_signs_up_confirms_is_on_the_list_and_leaves(page, desk, house, address):
    steps.sign_up(page, house, address)
    mail = house.mail_for(address)
    page.goto(house.mail)
    page.get_by_role("link", name=address).first.click()
    assert mail.link("confirm") in page.locator("pre").first.inner_text()
    steps.expect_state(desk, house, address, "unconfirmed")

    steps.confirm(page, mail)
    steps.expect_state(desk, house, address, "confirmed")
    expect(desk.get_by_text(steps.NAME)).to_be_visible()
    desk.goto(f"{house.office}/people/?state=confirmed")
    expect(desk.get_by_role("link", name=address)).to_be_visible()

    page.goto(mail.link("unsubscribe"))
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You’re unsubscribed")).to_be_visible()
    steps.expect_state(desk, house, address, "unsubscribed")


def test_looking_at_a_link_changes_nothing(page, desk, house, address):
    """Mail scanners follow every link with GET."""
    steps.sign_up(page, house, address)
    mail = house.mail_for(address)
    for act in ("confirm", "unsubscribe"):
        assert httpx.get(mail.link(act)).status_code == 200
        assert httpx.head(mail.link(act)).status_code in {200, 405}
    steps.expect_state(desk, house, address, "unconfirmed")


def test_a_mail_program_unsubscribes_by_one_click(page, desk, house, address):
    """RFC 8058: a POST of `List-Unsubscribe=One-Click`, without cookies or a page."""
    steps.sign_up(page, house, address)
    mail = house.mail_for(address)
    steps.confirm(page, mail)
    steps.expect_state(desk, house, address, "confirmed")
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail.headers["List-Unsubscribe"].strip().strip("<>")
    answer = httpx.post(link, data={"List-Unsubscribe": "One-Click"}, follow_redirects=False)
    assert answer.status_code in {200, 202, 303}
    assert not answer.cookies
    steps.expect_state(desk, house, address, "unsubscribed")


def test_the_thanks_page_is_the_same_for_an_address_that_is_known(page, house, address):
    steps.sign_up(page, house, address)
    steps.confirm(page, house.mail_for(address))
    steps.sign_up(page, house, address)
    assert page.url == f"{house.vendor}/thanks.html?newsletter=thanks"


def test_the_mail_is_signed_and_carries_nothing_but_the_recipients_own_address(page, house, address):
    steps.sign_up(page, house, address)
    mail = house.mail_for(address)
    told = httpx.get(f"{house.mail}/messages.json").json()
    assert next(one["dkim"] for one in told if one["recipient"] == address) == "good"
    assert steps.NAME not in mail.raw
    assert steps.NAME.split()[1] not in mail.raw


_CHANCE = 8
"""Fewer characters than these stand somewhere in some megabytes of encrypted records by chance: four did."""


def _forms(text: str) -> set[bytes]:
    """The text as it might lie about: plain, in other encodings, encoded."""
    plain = text.encode()
    found = {plain, text.encode("utf-16-le"), plain.hex().encode(), quote(text).encode(), quote(text, "").encode()}
    for shift in range(3):  # base64 of the text at each alignment, less the characters that its neighbours decide
        encoded = base64.b64encode(b"\0" * shift + plain)[4 * (shift > 0) : -4]
        if len(encoded) >= _CHANCE:
            found.add(encoded)
    return {form.lower() for form in found}


def _holding(folder: Path, texts: list[str], *, but: Path) -> list[str]:
    forms = set().union(*map(_forms, texts))
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_relative_to(but)]
    assert len(files) > 3
    return [str(path) for path in files if any(form in path.read_bytes().lower() for form in forms)]


@pytest.mark.parametrize("confirmed", [False, True])
def test_nothing_that_a_visitor_typed_can_be_found_in_the_sites_folder(page, desk, house, address, confirmed):
    """Must-show 3: everything but `keys/`, as `strings` and `grep` would look."""
    name = f"Wilhelmina Oddsworth{'' if confirmed else ' Lightfoot'}"
    steps.sign_up(page, house, address, name)
    mail = house.mail_for(address)
    if confirmed:
        steps.confirm(page, mail)
        steps.expect_state(desk, house, address, "confirmed")
    texts = [address, name, name.split()[0], name.split()[1], address.partition("@")[0]]
    assert _holding(house.site, texts, but=house.site / "keys") == []


def test_that_search_would_find_it(tmp_path):
    for number, form in enumerate(_forms("someone@example.com")):
        (tmp_path / str(number)).write_bytes(b"xy" + form + b"z")
    assert len(_holding(tmp_path, ["someone@example.com"], but=tmp_path / "keys")) == number + 1
