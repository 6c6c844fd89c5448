"""Writing a campaign in the console: saved as one types, shown beside the text, and nothing is lost."""

import re
import uuid
from html import unescape

import pytest

from tests.newsletter.conftest import TEXT
from troth.core import clock
from troth.newsletter.campaigns import drafts
from troth.newsletter.models import Campaign, CampaignTest

HTMX = {"HX-Request": "true"}
HOSTILE = "<img src=x onerror=1 hx-get=/x>"


def form(made: Campaign, **changed):
    """What the editor's form sends."""
    made.refresh_from_db()
    typed = {
        "subject": made.subject, "preheader": made.preheader, "markdown": made.markdown, "template": made.template,
        "topic": "", "signed_up_from": "", "signed_up_until": "", "link_name": made.link_name,
        "revision": made.revision,
    }  # fmt: skip
    if made.public:
        typed["public"] = "on"
    return {**typed, **changed}


def text(answer) -> str:
    return unescape(answer.content.decode())


def test_a_new_campaign_is_an_empty_draft_that_opens_in_the_editor(desk):
    answer = desk.post("/newsletter/new/")
    made = Campaign.objects.get()
    assert answer.headers["Location"] == f"/newsletter/{made.id}/" and made.state == "draft"
    page = text(desk.get(f"/newsletter/{made.id}/"))
    assert "Edit campaign" in page and "The preview appears here once there is some text." in page


def test_what_is_typed_is_saved_by_htmx_and_answered_with_what_stands_beside_it(desk, written):
    made = written()
    answer = desk.client.post(f"/newsletter/{made.id}/save/", form(made, subject="Summer  news"), headers=HTMX)
    page = text(answer)
    assert answer.status_code == 200 and page.lstrip().startswith('<div id="beside" data-beside="saved"')
    assert f'name="revision" value="{made.revision + 1}"' in page and 'data-saved="Saved ' in page
    made.refresh_from_db()
    assert (made.subject, made.revision) == ("Summer news", 3)


def test_it_is_saved_by_a_button_where_there_is_no_script(desk, written):
    made = written()
    answer = desk.post(f"/newsletter/{made.id}/save/", form(made, preheader="What is new"))
    assert answer.headers["Location"] == f"/newsletter/{made.id}/"
    made.refresh_from_db()
    assert made.preheader == "What is new"
    answer = desk.post(f"/newsletter/{made.id}/save/", form(made, then="review"))
    assert answer.headers["Location"] == f"/newsletter/{made.id}/review/"


def test_two_windows_overwrite_nothing_and_both_versions_are_shown(desk, written):
    made = written()
    old = form(made, markdown="Mine, from the other window", subject="Mine")
    desk.post(f"/newsletter/{made.id}/save/", form(made, markdown="Theirs, saved first"))
    answer = desk.client.post(f"/newsletter/{made.id}/save/", old, headers=HTMX)
    assert answer.status_code == 409 and "Saved elsewhere meanwhile" in text(answer)
    assert f'name="revision" value="{old["revision"]}"' in text(answer), "so that the next attempt is refused as well"
    answer = desk.post(f"/newsletter/{made.id}/save/", old)
    page = text(answer)
    assert answer.status_code == 409 and "Mine, from the other window" in page and "Theirs, saved first" in page
    assert "Spring news" in page, "the subject differs, too"
    made.refresh_from_db()
    assert made.markdown == "Theirs, saved first"
    assert desk.post(f"/newsletter/{made.id}/save/", {**old, "revision": made.revision}).status_code == 302
    made.refresh_from_db()
    assert made.markdown == "Mine, from the other window"


def test_what_is_typed_into_a_campaign_that_was_sent_meanwhile_is_shown(desk, written):
    made = written()
    typed = form(made, markdown="Too late")
    Campaign.objects.update(state="sending", started_at=clock.now())
    assert desk.client.post(f"/newsletter/{made.id}/save/", typed, headers=HTMX).status_code == 409
    answer = desk.post(f"/newsletter/{made.id}/save/", typed)
    assert answer.status_code == 409 and "Too late" in text(answer)
    made.refresh_from_db()
    assert made.markdown == TEXT


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"signed_up_from": "2026-03-02", "signed_up_until": "2026-03-01"}, "This day is before the first one."),
        ({"topic": str(uuid.uuid4())}, "This topic was archived or deleted."),
        ({"markdown": "x" * 200_001}, "The text is longer than 200,000 characters."),
        ({"template": "nothing"}, "nothing is not one of the available choices"),
    ],
)
def test_what_cannot_be_saved_is_said_and_stays_in_the_form(desk, written, changed, words):
    made = written()
    answer = desk.client.post(f"/newsletter/{made.id}/save/", form(made, **changed), headers=HTMX)
    assert answer.status_code == 422 and words in text(answer)
    answer = desk.post(f"/newsletter/{made.id}/save/", form(made, subject="Typed", **changed))
    assert answer.status_code == 422 and words in text(answer) and 'value="Typed"' in text(answer)
    assert f'name="revision" value="{made.revision}"' in text(answer)
    made.refresh_from_db()
    assert made.subject == "Spring news"


def test_card_numbers_are_masked_and_a_name_in_links_is_one(desk, written):
    made = written()
    desk.post(f"/newsletter/{made.id}/save/", form(made, markdown="4111 1111 1111 1111", link_name="Spring News!"))
    made.refresh_from_db()
    assert "4111 1111" not in made.markdown and made.link_name == "spring-news"


def test_a_mistake_in_the_text_is_named_where_the_preview_would_be(desk, written):
    made = written(markdown="Dear {{ surname }}")
    page = text(desk.get(f"/newsletter/{made.id}/"))
    assert "No preview." in page and "surname" in page
    assert "surname" in text(desk.get(f"/newsletter/{made.id}/email/"))


def test_hints_and_links_stand_beside_the_text(desk, written):
    page = text(desk.get(f"/newsletter/{written(markdown='[here](http://example.com/x)').id}/"))
    assert "The link text “here” does not say where it leads." in page and "http://example.com/x" in page


# -- the email, in a frame of its own ---------------------------------------------------------------------------------


def test_the_email_is_a_document_in_which_nothing_runs_and_nothing_foreign_loads(desk, written):
    answer = desk.get(f"/newsletter/{written().id}/email/")
    told = dict(part.split(None, 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert told["default-src"] == told["form-action"] == told["base-uri"] == "'none'"
    assert told["img-src"] == told["frame-ancestors"] == "'self'" and told["sandbox"] == "allow-same-origin"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN" and "script-src" not in told
    assert "Alex" in text(answer)


def test_htmx_never_gets_an_email_into_a_page(desk, written):
    assert desk.client.get(f"/newsletter/{written().id}/email/", headers=HTMX).status_code == 404


def test_only_pages_that_show_an_email_may_have_a_frame_and_only_of_our_own(desk, written):
    made = written()
    for path in ("", "preview/"):
        answer = desk.get(f"/newsletter/{made.id}/{path}")
        assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert re.search(r'<iframe [^>]*sandbox="allow-same-origin"', text(answer)) and "srcdoc" not in text(answer)
    assert "frame-src" not in desk.get("/newsletter/").headers["Content-Security-Policy"]


def test_dark_colours_and_plain_text_are_shown_on_request(desk, written):
    path = f"/newsletter/{written().id}/email/"
    light, dark, plain = (text(desk.get(path + query)) for query in ("", "?scheme=dark", "?part=text"))
    assert "prefers-color-scheme" not in light + dark and light != dark
    assert "(min-width: 0)" in dark and "(max-width: 0)" in light
    assert "<pre" in plain and "https://example.com/notes" in plain


@pytest.mark.parametrize("field", ["subject", "preheader", "markdown"])
def test_hostile_words_are_shown_as_words_wherever_they_stand(desk, written, field):
    made = written(**{field: HOSTILE})
    paths = [f"/newsletter/{made.id}/{part}" for part in ("", "preview/", "review/")]
    pages = [desk.get(path) for path in ["/newsletter/", *paths, f"/newsletter/{made.id}/email/?part=text"]]
    pages.append(desk.client.post(f"/newsletter/{made.id}/save/", form(made), headers=HTMX))
    pages.append(desk.post(f"/newsletter/{made.id}/save/", form(made, revision=1)))
    assert all(HOSTILE not in page.content.decode() for page in pages)


# -- pictures ---------------------------------------------------------------------------------------------------------


def _picture(name="p.png", size=(2, 2)):
    from io import BytesIO

    from django.core.files.uploadedfile import SimpleUploadedFile
    from PIL import Image

    file = BytesIO()
    Image.new("RGB", size, "red").save(file, "PNG")
    return SimpleUploadedFile(name, file.getvalue(), "image/png")


def test_a_picture_is_stored_anew_and_its_markdown_comes_back(desk, written, settings):
    made = written()
    answer = desk.post(f"/newsletter/{made.id}/images/", {"image": _picture()})
    assert answer.status_code == 200
    markdown = answer.json()["markdown"]
    name = markdown.removesuffix(")").rpartition("/")[2]
    assert markdown == f"![]({settings.TROTH_CONFIG.site.url}/images/{name})"
    shown = desk.get(f"/newsletter/images/{name}")
    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/png")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    drafts.save(made.id, made.revision, markdown=markdown)
    assert f'src="/newsletter/images/{name}"' in text(desk.get(f"/newsletter/{made.id}/email/"))


def test_without_a_script_a_picture_is_added_at_the_end_and_what_was_typed_is_saved(desk, written):
    made = written()
    answer = desk.post(
        f"/newsletter/{made.id}/save/", {**form(made, markdown="Typed"), "then": "image", "image": _picture()}
    )
    assert answer.status_code == 302
    made.refresh_from_db()
    assert re.fullmatch(r"Typed\n\n!\[\]\(\S+/images/\w+\.png\)\n", made.markdown)


def test_what_is_no_picture_is_refused_with_a_word(desk, written):
    from django.core.files.uploadedfile import SimpleUploadedFile

    made = written()
    for file in (SimpleUploadedFile("p.png", b"<svg onload=1>", "image/png"), None):
        answer = desk.post(f"/newsletter/{made.id}/images/", {"image": file} if file else {})
        assert answer.status_code == 422 and answer.json()["problem"]


def test_a_file_is_taken_where_pictures_are_and_nowhere_else(desk, written):
    from django.core.files.uploadedfile import SimpleUploadedFile

    made = written()
    assert desk.post("/people/search/", {"sought": "x", "file": _picture()}).status_code == 400
    assert desk.post(f"/newsletter/{made.id}/hide/", {"file": _picture()}).status_code == 400
    large = SimpleUploadedFile("p.png", b"\x89PNG" + b"x" * 11_000_000, "image/png")
    assert desk.post(f"/newsletter/{made.id}/images/", {"image": large}).status_code in {400, 413, 422}
    two = {"image": _picture(), "other": _picture()}
    assert desk.post(f"/newsletter/{made.id}/images/", two).status_code == 400


def test_five_megabytes_of_pasted_html_are_refused(desk, written):
    made = written()
    answer = desk.client.post(f"/newsletter/{made.id}/save/", form(made, markdown="<p>x</p>" * 650_000), headers=HTMX)
    assert answer.status_code in {400, 413}
    made.refresh_from_db()
    assert made.markdown == TEXT


# -- tests, copies, and what becomes of a draft -----------------------------------------------------------------------


def test_a_test_goes_to_the_operator_who_asks(desk, written):
    made = written()
    page = text(desk.client.post(f"/newsletter/{made.id}/test/", follow=True))
    assert "A test is on its way to olga@example.com." in page
    assert CampaignTest.objects.get().operator == desk.operator.id


def test_the_test_button_of_the_editor_saves_first(desk, written):
    made = written()
    desk.post(f"/newsletter/{made.id}/save/", form(made, subject="Newer", then="test"))
    made.refresh_from_db()
    assert made.subject == "Newer" and CampaignTest.objects.count() == 1


def test_no_test_is_sent_of_what_cannot_be_rendered(desk, written):
    made = written(markdown="Dear {{ surname }}")
    page = text(desk.client.post(f"/newsletter/{made.id}/test/", follow=True))
    assert "The test was not sent." in page and CampaignTest.objects.count() == 0


def test_a_copy_is_a_draft_of_the_same_words(desk, written):
    made = written()
    answer = desk.post(f"/newsletter/{made.id}/duplicate/")
    copy = Campaign.objects.exclude(id=made.id).get()
    assert answer.headers["Location"] == f"/newsletter/{copy.id}/"
    assert (copy.subject, copy.markdown, copy.state) == (made.subject, made.markdown, "draft")


def test_a_draft_is_hidden_shown_again_and_deleted_after_a_question(desk, written):
    made = written()
    desk.post(f"/newsletter/{made.id}/hide/", {"hidden": "yes"})
    assert "Spring news" in text(desk.get("/newsletter/?tab=hidden"))
    assert "Spring news" not in text(desk.get("/newsletter/?tab=drafts"))
    desk.post(f"/newsletter/{made.id}/hide/", {"hidden": "no"})
    assert "Spring news" in text(desk.get("/newsletter/?tab=drafts"))
    page = text(desk.post(f"/newsletter/{made.id}/delete/"))
    assert "Delete “Spring news”?" in page and Campaign.objects.count() == 1
    desk.post(f"/newsletter/{made.id}/delete/", {"sure": "yes"})
    assert Campaign.objects.count() == 0


@pytest.mark.parametrize("action", ["delete", "hide"])
def test_what_is_being_sent_is_neither_deleted_nor_hidden(desk, written, action):
    made = written()
    Campaign.objects.update(state="sending", started_at=clock.now())
    answer = desk.client.post(f"/newsletter/{made.id}/{action}/", {"sure": "yes"}, follow=True)
    assert "This campaign is under way." in text(answer) or "Only drafts can be deleted." in text(answer)
    made.refresh_from_db()
    assert made.archived_at is None


ACTIONS = ("save", "images", "test", "duplicate", "hide", "delete")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_get_changes_nothing_and_what_is_not_there_is_not_found(desk, written, action):
    made = written()
    assert desk.get(f"/newsletter/{made.id}/{action}/").status_code == 405
    assert desk.post(f"/newsletter/{uuid.uuid4()}/{action}/", {"sure": "yes"}).status_code == 404
    assert list(Campaign.objects.values_list("revision", "state", "archived_at")) == [(2, "draft", None)]


@pytest.mark.parametrize("path", ["", "preview/", "email/", "review/"])
def test_looking_changes_nothing(desk, written, path):
    made = written()
    before = Campaign.objects.values().get()
    assert desk.get(f"/newsletter/{made.id}/{path}").status_code == 200
    assert Campaign.objects.values().get() == before
    assert desk.get(f"/newsletter/{uuid.uuid4()}/{path}").status_code == 404
    assert desk.post(f"/newsletter/{made.id}/{path}").status_code == 405


def test_support_writes_and_an_analyst_sees_nothing_of_it(support, analyst, written):
    made = written()
    assert support.post(f"/newsletter/{made.id}/save/", form(made)).status_code == 302
    for path in ("/newsletter/", "/newsletter/new/", f"/newsletter/{made.id}/", "/newsletter/images/x.png",
                 *(f"/newsletter/{made.id}/{action}/" for action in (*ACTIONS, "email", "preview"))):  # fmt: skip
        assert analyst.get(path).status_code == analyst.post(path).status_code == 403
    assert b'href="/newsletter/"' not in analyst.get("/").content
