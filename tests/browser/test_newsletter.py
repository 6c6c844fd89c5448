"""Writing and sending a campaign in the console, in a real browser: saved as one types, and nothing lost on the way."""

import re
from functools import partial
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.test_accessible import check

HOSTILE = (
    "<script>fetch('/stray')</script><img src=x onerror=\"fetch('/stray')\"><b hx-get=/stray hx-trigger=load>x</b>"
)


@pytest.fixture
def editor(desk, house):
    """The editor of a new campaign."""
    desk.goto(f"{house.office}/newsletter/")
    desk.get_by_role("button", name="New campaign").click()
    desk.get_by_role("heading", name="Edit campaign").wait_for()
    return desk


def write(editor, subject: str, text: str) -> None:
    """Type both, and wait until they are saved and shown."""
    editor.get_by_label("Subject", exact=True).fill(subject)
    with editor.expect_response(re.compile("/save/")):
        editor.get_by_label("Text", exact=True).fill(text)
    expect(editor.locator("#saved")).to_have_text(re.compile(r"^Saved \d\d:\d\d$"))


def email(page):
    """The document in the frame."""
    return page.frame_locator("iframe#email")


def picture() -> dict:
    """A file as a file chooser gives it."""
    file = BytesIO()
    Image.new("RGB", (40, 30), "green").save(file, "PNG")
    return {"name": "green.png", "mimeType": "image/png", "buffer": file.getvalue()}


def test_what_is_typed_is_saved_and_shown_beside_the_text(editor):
    write(editor, "Spring news", "# Hello\n\nDear {{ first_name | reader }}, [see](https://example.com/)")
    expect(email(editor).get_by_role("heading", name="Hello")).to_be_visible()
    expect(editor.locator(".inbox-line")).to_contain_text("Spring news")
    expect(editor.get_by_text("looks like a placeholder")).to_be_visible()
    editor.reload()
    expect(editor.get_by_label("Subject", exact=True)).to_have_value("Spring news")


def test_the_preview_shows_a_phone_dark_colours_and_plain_text(editor):
    write(editor, "Spring news", "# Hello\n\nA list:\n\n- one\n- two")
    expect(email(editor).get_by_role("heading", name="Hello")).to_be_visible()  # the frame has its last document
    ground = "getComputedStyle(document.body).backgroundColor"
    frame = editor.frame(name="email")
    light, wide = frame.evaluate(ground), frame.evaluate("innerWidth")
    editor.locator("input[value=phone]").check(force=True)
    assert frame.evaluate("innerWidth") < wide and frame.evaluate("innerWidth") <= 376
    editor.get_by_role("radio", name="Dark").check(force=True)
    editor.wait_for_function(
        f"() => frames.email.document.readyState === 'complete' && frames.email.{ground} !== '{light}'"
    )
    editor.get_by_role("radio", name="Plain text").check(force=True)
    expect(email(editor).locator("pre")).to_contain_text("- one")


def test_typing_on_loses_neither_the_place_nor_a_letter(editor):
    text = editor.get_by_label("Text", exact=True)
    text.focus()
    for _ in range(6):
        editor.keyboard.type("words and more of them ", delay=8)
        editor.wait_for_timeout(450)
    expect(editor.locator("#saved")).to_have_text(re.compile("^Saved"), timeout=5_000)
    assert text.input_value() == "words and more of them " * 6
    assert editor.evaluate("document.activeElement.name") == "markdown"
    editor.wait_for_timeout(1_500)
    editor.reload()
    expect(text).to_have_value("words and more of them " * 6)


def test_another_window_is_noticed_and_both_versions_are_there(editor, watch):
    watch.expected.append("status of 409")
    write(editor, "Mine", "First words")
    other = editor.context.new_page()
    other.goto(editor.url)
    write(other, "Theirs", "Their words")
    other.close()
    editor.get_by_label("Text", exact=True).fill("My words")
    expect(editor.get_by_text("Saved elsewhere meanwhile.")).to_be_visible()
    expect(editor.get_by_label("Text", exact=True)).to_have_value("My words")
    editor.get_by_role("button", name="Compare both versions").click()
    expect(editor.get_by_role("heading", name="Two versions")).to_be_visible()
    check(editor)
    assert [box.input_value() for box in editor.get_by_label("Text", exact=True).all()] == ["My words", "Their words"]
    editor.get_by_role("button", name="Save my version").click()
    expect(editor.get_by_label("Text", exact=True)).to_have_value("My words")


def test_with_the_server_gone_what_was_typed_stays_and_is_saved_once_it_is_back(editor, watch):
    watch.expected += ["Failed to load resource", "htmx"]
    write(editor, "Spring news", "Before")
    editor.route("**/save/", lambda route: route.abort())
    editor.get_by_label("Text", exact=True).fill("While it was gone")
    expect(editor.locator("#saved")).to_contain_text("Not saved.")
    editor.unroute("**/save/")
    expect(editor.locator("#saved")).to_have_text(re.compile("^Saved"), timeout=10_000)
    editor.reload()
    expect(editor.get_by_label("Text", exact=True)).to_have_value("While it was gone")


def test_a_server_error_or_a_sign_in_page_never_replaces_what_was_typed(editor, watch):
    watch.expected.append("Failed to load resource")
    write(editor, "Spring news", "Before")
    for answer in (
        {"status": 500, "content_type": "text/html", "body": "<h1>Oh</h1>"},
        {"status": 204, "headers": {"HX-Refresh": "true"}},
    ):
        editor.route("**/save/", partial(_fulfil, answer))
        editor.get_by_label("Text", exact=True).fill(f"Typed {answer['status']}")
        expect(editor.locator("#saved")).to_contain_text("Not saved.")
        expect(editor.get_by_label("Text", exact=True)).to_have_value(f"Typed {answer['status']}")
        editor.unroute("**/save/")


def _fulfil(answer, route) -> None:
    route.fulfill(**answer)


def test_a_picture_is_put_where_the_cursor_is_and_shown(editor):
    write(editor, "Spring news", "Before\n\nAfter")
    editor.evaluate("document.querySelector('[name=markdown]').setSelectionRange(6, 6)")
    editor.get_by_label("Add a picture").set_input_files(picture())
    expect(editor.get_by_label("Text", exact=True)).to_have_value(
        re.compile(r"Before\n\n!\[\]\(\S+\.png\)\n\n\n\nAfter")
    )
    expect(email(editor).locator("img")).to_be_visible()
    editor.wait_for_function("() => frames.email.document.querySelector('img').naturalWidth === 40")


def test_what_is_no_picture_is_said(editor, watch):
    watch.expected.append("status of 422")
    editor.get_by_label("Add a picture").set_input_files(
        {"name": "p.png", "mimeType": "image/png", "buffer": b"<svg onload=1>"}
    )
    expect(editor.locator("#picture-problem")).to_be_visible()


@pytest.mark.parametrize("place", ["subject", "text"])
def test_hostile_words_run_nowhere(editor, house, place):
    stray: list[str] = []
    editor.on("request", lambda request: stray.append(request.url) if "stray" in request.url else None)
    write(editor, HOSTILE if place == "subject" else "News", HOSTILE if place == "text" else "Words")
    at = editor.url
    for path in (at, f"{at}preview/", f"{at}review/", f"{house.office}/newsletter/", f"{at}email/"):
        editor.goto(path)
        editor.wait_for_timeout(300)
    assert stray == []


def test_the_buttons_save_before_they_go_on(editor):
    editor.get_by_label("Subject", exact=True).fill("Typed a moment ago")
    editor.get_by_label("Text", exact=True).fill("Words")
    editor.get_by_role("button", name="Review and send…").click()
    expect(editor.get_by_role("heading", name="Review and send")).to_be_visible()
    expect(editor.get_by_text("Typed a moment ago").first).to_be_visible()
    editor.get_by_role("link", name="← Edit campaign").click()
    editor.get_by_role("button", name="Send test").click()
    expect(editor.get_by_text("A test is on its way to")).to_be_visible()
    expect(email(editor).get_by_text("Words")).to_be_visible()


def test_a_page_with_a_frame_is_loaded_as_a_whole_however_one_gets_there(editor):
    write(editor, "Put away and fetched", "Words")
    editor.get_by_role("button", name="Hide from the list").click()  # by htmx, to the list
    editor.get_by_role("link", name="Hidden").click()
    editor.get_by_role("link", name="Put away and fetched").click()
    editor.get_by_role("button", name="Show in the list again").click()  # by htmx, back to the editor
    expect(email(editor).get_by_text("Words")).to_be_visible()


@pytest.mark.parametrize("path", ["", "review/", "preview/"])
def test_pages_of_a_draft_are_accessible(editor, path):
    write(editor, "Spring news", "# Hello\n\nDear {{ first_name | reader }}, [here](http://example.com/) is more.")
    editor.goto(editor.url + path)
    check(editor)


@pytest.mark.parametrize("path", ["/newsletter/", "/newsletter/?tab=scheduled", "/newsletter/topics/"])
def test_lists_are_accessible(desk, house, path):
    desk.goto(house.office + path)
    check(desk)


def test_everything_is_reached_by_keyboard(editor):
    write(editor, "Spring news", "Words")
    editor.get_by_label("Subject", exact=True).focus()
    names = []
    for _ in range(28):
        editor.keyboard.press("Tab")
        names.append(editor.evaluate("(document.activeElement.name || document.activeElement.textContent).trim()"))
    for name in (
        "preheader",
        "markdown",
        "image",
        "topic",
        "template",
        "public",
        "width",
        "scheme",
        "part",
        "Duplicate",
    ):
        assert name in names, name


def test_without_a_script_it_is_written_by_buttons(browser, operator, house, watch):
    context = browser.new_context(java_script_enabled=False, storage_state=operator.storage_state())
    watch.over(context)
    page = context.new_page()
    page.goto(f"{house.office}/newsletter/")
    page.get_by_role("button", name="New campaign").click()
    page.get_by_label("Subject", exact=True).fill("By hand")
    page.get_by_label("Text", exact=True).fill("# Hello")
    page.get_by_label("Add a picture").set_input_files(picture())
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_label("Text", exact=True)).to_have_value(re.compile(r"# Hello\n\n!\[\]\(\S+\.png\)"))
    expect(email(page).get_by_role("heading", name="Hello")).to_be_visible()
    page.get_by_role("link", name="Plain text").click()
    expect(email(page).locator("pre")).to_contain_text("Hello")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Review and send…").click()
    expect(page.get_by_role("heading", name="Review and send")).to_be_visible()
    context.close()


def test_it_is_sent_and_watched_until_everybody_has_it(page, editor, house, address):
    steps.sign_up(page, house, address)
    steps.confirm(page, house.mail_for(address))
    write(editor, "Spring news", "# Hello\n\nDear {{ first_name | reader }}, it is spring.")
    editor.get_by_role("button", name="Review and send…").click()
    editor.get_by_role("button", name=re.compile(r"^Send to \d+ subscribers?…$")).click()
    expect(editor.get_by_role("heading", name=re.compile(r"^Send to \d+ subscribers? now\?$"))).to_be_visible()
    check(editor)
    editor.get_by_role("button", name=re.compile("^Send to")).click()
    expect(editor.get_by_role("heading", name=re.compile("^Sent to"))).to_be_visible(timeout=30_000)
    expect(editor.get_by_role("button", name="Pause")).to_have_count(0)
    check(editor)
    assert house.mail_for(address, count=2).subject == "Spring news"
