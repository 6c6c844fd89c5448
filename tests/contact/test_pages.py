"""The desk: the list, a conversation, answers; what each shows, refuses, and writes in the ledger."""

import html
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import both
from tests.contact.conftest import message
from tests.office.conftest import browser
from tests.office.test_people import Tags, uses
from tests.worker.test_intake import drain
from troth.contact import replies
from troth.contact.models import Canned, Label, Message, Thread
from troth.core import clock
from troth.core.personal import Company, MessageText, PostalAddress
from troth.core.purpose import Reason
from troth.gate.models import Delivery
from troth.vault.models import Person

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1) hx-get=/x hx-trigger=load><b data-hx-post='/'>{{ 7 }}</b>"
    "</textarea></div>{% csrf_token %}"
)
NOBODY = uuid.UUID("018f0000-0000-7000-8000-000000000000")


def text(answer):
    return html.unescape(answer.content.decode())


@both
def test_the_list_shows_who_waits_newest_first_and_the_ledger_names_who_looked(desk, written):
    written("ada@example.com", "First question", "Ada")
    written("bo@example.com", "Second question\nwith lines", "Bo")
    page = text(desk.get("/inbox/"))
    assert page.index("Second question") < page.index("First question")
    assert page.index("Bo") < page.index("Ada")
    (use,) = uses()
    assert (use.reason, use.actor, len(use.people)) == (Reason.LIST_MESSAGES, str(desk.operator.id), 2)
    assert "Viewing this page was logged: 2 people and their latest messages, purpose: administration." in page


@both
def test_a_conversation_reads_as_one_and_says_for_what_it_was_opened(desk, written):
    thread = written(text="Does it print?\n   Yes or no", company=Company("Example & Sons"))
    desk.post(f"/inbox/{thread.id}/reply/", {"text": "Yes.", "seen": thread.messages.get().id})
    written(text="Thanks!")
    page = text(desk.get(f"/inbox/{thread.id}/"))
    assert page.index("Does it print?\n   Yes or no") < page.index("Yes.") < page.index("Thanks!")
    assert "Example & Sons" in page and "email queued" in page
    assert "Viewing this conversation was logged, purpose: administration." in page
    assert uses()[-1].reason is Reason.READ_MESSAGES
    assert uses()[-1].people == [thread.person_id.bytes]


def test_an_answer_is_called_sent_when_it_was_and_held_when_it_is(desk, written):
    """The office says what it knows: a mail that is queued may be held a second later."""
    thread = written()
    page = f"/inbox/{thread.id}/"
    desk.post(f"{page}reply/", {"text": "Yes.", "seen": thread.messages.get().id})
    said = text(desk.get(page))
    assert "Your reply is queued" in said and "on its way" not in said
    for state, words in {
        "queued": "email queued",
        "sending": "email being sent",
        "sent": "email sent",
        "held": "email held for review",
        "failed": "email rejected",
        "uncertain": "email delivery unknown",
        "suppressed": "email not sent",
    }.items():
        Delivery.objects.update(state=state)
        assert words in text(desk.get(page))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("sent", "Answered"),
        ("held", "Reply held for review"),
        ("failed", "Reply rejected"),
        ("suppressed", "Reply not sent"),
    ],
)
def test_a_conversation_is_not_called_answered_while_its_reply_is_held(desk, written, state, words):
    thread = written()
    desk.post(f"/inbox/{thread.id}/reply/", {"text": "Yes.", "seen": thread.messages.get().id})
    Delivery.objects.update(state=state)
    for page in ("/inbox/?state=all", f"/inbox/{thread.id}/"):
        assert f">{words}</span>" in text(desk.get(page))
    written(text="And another thing")
    assert ">Open</span>" in text(desk.get("/inbox/?state=all"))


@both
def test_hostile_text_is_text_on_every_page(desk, written):
    more = {"company": Company(HOSTILE), "postal_address": PostalAddress(HOSTILE)}
    thread = written(text=HOSTILE, name=HOSTILE, unjudged=True, **more)
    desk.post("/inbox/saved-replies/", {"title": HOSTILE[:60], "text": HOSTILE})
    desk.post(f"/inbox/{thread.id}/label/", {"name": "<img hx-get=/x>"})
    pages = ["/inbox/", "/inbox/?state=all", f"/inbox/{thread.id}/", f"/people/{thread.person_id}/"]
    pages += ["/inbox/saved-replies/", f"/inbox/saved-replies/{Canned.objects.get().id}/"]
    answers = [desk.get(page) for page in pages]
    answers.append(desk.post(f"/inbox/{thread.id}/reply/", {"text": HOSTILE, "seen": NOBODY}))
    for answer in answers:
        tags = Tags(answer.content.decode()).found
        assert not [tag for tag, _ in tags if tag in {"img", "b"}]
        assert not [tag for tag, attributes in tags if tag == "script" and not attributes.get("src")]
        names = {name for _, attributes in tags for name in attributes}
        assert not {name for name in names if name.startswith(("on", "data-hx-"))}
        assert {name for name in names if name.startswith("hx-")} <= {"hx-boost", "hx-ignore"}
        assert "<script>alert" not in answer.content.decode()
    assert "{{ 7 }}" in text(answers[2]), "nor is it a template"


@both
def test_an_answer_is_queued_and_the_page_says_so(desk, written):
    thread = written()
    answer = desk.post(f"/inbox/{thread.id}/reply/", {"text": "Yes.\r\n\r\nOlga", "seen": thread.messages.get().id})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/inbox/{thread.id}/")
    assert Delivery.objects.get().kind == "answer"
    said = Message.objects.get(direction="out")
    assert said.operator == desk.operator.id
    assert "Yes.\n\nOlga" in text(desk.get(f"/inbox/{thread.id}/"))


@pytest.mark.parametrize("typed", ["", "  \n ", "x" * 20_001, "a\x00b"])
def test_what_cannot_be_sent_is_said_and_kept(desk, written, typed):
    thread = written()
    answer = desk.post(f"/inbox/{thread.id}/reply/", {"text": typed, "seen": thread.messages.get().id})
    assert answer.status_code == 422
    assert not Delivery.objects.exists()
    assert typed.strip() in text(answer)


def test_when_a_message_came_meanwhile_the_answer_waits_and_is_not_lost(desk, written):
    thread = written()
    seen = thread.messages.get().id
    written(text="Forget it!")
    answer = desk.post(f"/inbox/{thread.id}/reply/", {"text": "My long answer", "seen": seen})
    assert answer.status_code == 409
    assert "My long answer" in text(answer) and "Forget it!" in text(answer)
    assert not Delivery.objects.exists()


def test_a_card_number_in_an_answer_is_not_kept(desk, written):
    thread = written()
    desk.post(f"/inbox/{thread.id}/reply/", {"text": "4111 1111 1111 1111", "seen": thread.messages.get().id})
    page = text(desk.get(f"/inbox/{thread.id}/"))
    assert "•••• 1111" in page and "4111" not in page


def test_a_message_out_of_which_a_card_number_was_taken_says_so(desk, written):
    said = "A card number was removed before this message was stored"
    assert said not in text(desk.get(f"/inbox/{written(text='My card is 4 •••• long').id}/"))
    assert said in text(desk.get(f"/inbox/{written(text='My card: •••• 4242').id}/"))


def test_a_canned_answer_is_put_behind_what_was_typed_and_nothing_is_sent(desk, written):
    thread = written()
    desk.post("/inbox/saved-replies/", {"title": "Thanks", "text": "Thank you."})
    typed = {"text": "Hello,", "seen": thread.messages.get().id, "canned": Canned.objects.get().id, "insert": "yes"}
    assert "Hello,\n\nThank you." in text(desk.post(f"/inbox/{thread.id}/reply/", typed))
    assert not Delivery.objects.exists()
    for wrong in ("", "nonsense", str(NOBODY)):
        assert desk.post(f"/inbox/{thread.id}/reply/", typed | {"canned": wrong}).status_code == 200


def test_canned_answers_are_changed_and_removed(desk):
    assert desk.post("/inbox/saved-replies/", {"title": "", "text": ""}).status_code == 422
    desk.post("/inbox/saved-replies/", {"title": "Thanks", "text": "Thank you."})
    assert desk.post("/inbox/saved-replies/", {"title": "Thanks", "text": "x"}).status_code == 422
    one = Canned.objects.get()
    desk.post(f"/inbox/saved-replies/{one.id}/", {"title": "Thanks", "text": "Many thanks.\r\nOlga"})
    assert Canned.objects.get().text == "Many thanks.\nOlga"
    desk.post(f"/inbox/saved-replies/{one.id}/", {"remove": "yes", "sure": "yes"})
    assert not Canned.objects.exists()


@both
def test_closing_and_reopening(desk, written):
    thread = written()
    assert desk.post(f"/inbox/{thread.id}/state/", {"state": "closed"}).headers["Location"] == "/inbox/"
    assert "Does it print?" not in text(desk.get("/inbox/"))
    assert "Does it print?" in text(desk.get("/inbox/?state=closed"))
    desk.post(f"/inbox/{thread.id}/state/", {"state": "waiting"})
    assert Thread.objects.get().state == "waiting"


@both
def test_labels_sort_conversations_and_go_when_nobody_carries_them(desk, written):
    thread = written()
    desk.post(f"/inbox/{thread.id}/label/", {"name": "  printing   trouble "})
    desk.post(f"/inbox/{thread.id}/label/", {"name": "Printing Trouble"})
    one = Label.objects.get()
    assert one.name == "printing trouble"
    assert "Does it print?" in text(desk.get(f"/inbox/?label={one.id}"))
    desk.post(f"/inbox/{thread.id}/label/", {"remove": one.id})
    assert not Label.objects.exists()
    for number in range(replies.MOST_LABELS + 3):
        desk.post(f"/inbox/{thread.id}/label/", {"name": f"label {number}"})
    assert Label.objects.count() == replies.MOST_LABELS


def test_a_label_without_a_name_is_refused(desk, written):
    thread = written()
    for typed in ({}, {"name": " "}, {"name": "x" * 31}, {"remove": "x"}):
        desk.post(f"/inbox/{thread.id}/label/", typed)
    assert not Label.objects.exists()


@pytest.mark.parametrize("sought", ["ADA@example.com", "@example.com", "Ada Example", "ada"])
def test_conversations_are_found_by_whom_they_are_with(desk, written, sought):
    written()
    page = text(desk.post("/inbox/search/", {"sought": sought}))
    assert "Does it print?" in page
    assert [use.reason for use in uses()] == [Reason.FIND_PERSON, Reason.LIST_MESSAGES]


def test_a_search_that_finds_nobody_says_so(desk, written):
    written()
    page = text(desk.post("/inbox/search/", {"sought": "bo@example.com"}))
    assert "No conversations found" in page
    assert "Does it print?" not in page
    assert desk.post("/inbox/search/", {"sought": ""}).status_code == 422


def test_fifty_to_a_page_in_few_queries(desk, site):
    site.submit(*[message(f"v{number}@example.com", f"Question {number:03}") for number in range(60)])
    drain()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = text(desk.get("/inbox/"))
    assert page.count("Question ") == 50 and "1–50 of 60" in page
    assert len(queries) < 25
    assert text(desk.get("/inbox/?page=2")).count("Question ") == 10
    assert desk.get("/inbox/?page=3").status_code == 404


@pytest.mark.parametrize("query", ["state=lost", "page=0", "page=x", "page=²", "label=x", f"label={NOBODY}"])
def test_what_does_not_exist_is_404(desk, written, query):
    written()
    assert desk.get(f"/inbox/?{query}").status_code == 404


def test_a_conversation_that_does_not_exist_is_404(desk):
    assert desk.get(f"/inbox/{NOBODY}/").status_code == 404
    assert desk.post(f"/inbox/{NOBODY}/state/", {"state": "closed"}).status_code == 404
    assert desk.post(f"/inbox/{NOBODY}/reply/", {"text": "x", "seen": NOBODY}).status_code == 404
    assert desk.post(f"/inbox/{NOBODY}/label/", {"name": "x"}).status_code in {302, 404}


def test_nobody_gets_in_without_signing_in_and_nothing_changes_by_get(desk, written):
    thread = written()
    paths = ["reply/", "state/", "label/"]
    for path in paths:
        assert desk.get(f"/inbox/{thread.id}/{path}").status_code == 405
    assert desk.get("/inbox/search/").status_code == 405
    for path in ["/inbox/", f"/inbox/{thread.id}/", "/inbox/saved-replies/"]:
        assert browser().get(path).status_code == 302
    forged = browser(enforce_csrf_checks=True)
    forged.cookies = desk.client.cookies
    assert forged.post(f"/inbox/{thread.id}/state/", {"state": "closed"}).status_code == 403


def test_an_analyst_sees_how_many_wait_and_no_message(desk, written):
    thread = written()
    desk.operator.role = "analyst"
    desk.operator.save()
    assert "1 open message." in text(desk.get("/"))
    for path in ("/inbox/", f"/inbox/{thread.id}/", "/inbox/saved-replies/"):
        assert desk.get(path).status_code == 403


def test_a_frozen_person_is_not_opened_in_the_list_and_gets_no_answer(desk, written):
    thread = written()
    Person.objects.update(frozen_at=clock.now())
    page = text(desk.get("/inbox/"))
    assert "(restricted)" in page and "Does it print?" not in page
    shown = text(desk.get(f"/inbox/{thread.id}/"))
    assert "you cannot email them" in shown and "Send reply" not in shown
    assert desk.post(f"/inbox/{thread.id}/reply/", {"text": "x", "seen": thread.messages.get().id}).status_code == 409


@both
def test_a_persons_page_and_export_show_their_conversations(desk, written):
    from troth.contact import erase

    thread = written(text="Does it print?")
    replies.answer(desk.operator.id, thread.id, MessageText("Yes."), last_seen=thread.messages.get().id)
    page = text(desk.get(f"/people/{thread.person_id}/"))
    assert "Sent a message" in page and "Reply written" in page
    (part,) = erase.export(thread.person_id, desk.operator.id)
    assert [item.get("you_wrote", item.get("we_answered")).reveal() for item in part.items] == [
        "Does it print?",
        "Yes.",
    ]
    assert "we_answered" not in part.typed and "you_wrote" in part.typed
    assert uses()[-1].reason is Reason.EXPORT_PERSON
