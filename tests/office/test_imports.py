"""Importing people in the console: what is uploaded, shown, confirmed and refused. No page shows anybody."""

import io
import re
import uuid
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.conftest import both
from tests.office.test_roles import sign_in
from troth.kit import uploads
from troth.kit.roles import Role
from troth.newsletter import topics
from troth.newsletter.models import Subscription, Topic, TopicSubscription
from troth.people import import_desk, import_job, import_views
from troth.people.import_desk import Step
from troth.people.import_words import for_page
from troth.vault.models import LedgerRow, Person

PEOPLE = (
    "email,name,consent_date,tags,Shoe size\r\n"
    "ada@example.com,Ada Lovelace,2024-05-01,Releases,42\r\n"
    'bert@example.com,"Bert, the elder",2024-05-02,"Releases,Beta",43\r\n'
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Checks and imports are done before the page answers, one test after the other."""
    monkeypatch.setattr(import_desk, "_start", import_desk._work)
    monkeypatch.setattr(import_desk, "_drop_later", lambda *_: None)
    import_desk._desks.clear()
    yield
    import_desk._desks.clear()


@pytest.fixture
def owner(site):
    return sign_in(Role.OWNER)


def bring(browser, text=PEOPLE, name="people.csv", **typed):
    """Upload a file; the answer, and the page that follows."""
    data = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile(name, data, "text/csv")
    answer = browser.post("/people/import/", {"consent": "Send me news.", "file": file, **typed})
    page = browser.get(answer["Location"]).content.decode() if answer.status_code == 302 else answer.content.decode()
    return answer, page


def words(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@both
def test_a_file_is_shown_first_and_imported_when_it_is_confirmed(owner):
    topics.create("Releases", "", public=True)
    answer, page = bring(owner, update="on", source="Fair in May")
    assert answer.status_code == 302 and not Person.objects.exists()
    shown = words(page)
    assert "New people 2" in shown and "Releases 2" in shown and "Beta no topic here 1" in shown
    assert "Shoe size unknown, not read" in shown and "Import 2 people" in shown
    for detail in ("ada", "Ada", "Lovelace", "bert", "elder"):
        assert detail not in re.sub(r"[0-9a-f-]{36}", "", page)  # an id may spell "ada"
    assert "xxx@xxxxxxx.xxx" in page
    assert '<option value="consent_date" selected>' in page and '<option value="topics" selected>' in page
    confirm, rows = f"{answer['Location']}confirm/", LedgerRow.objects.count()
    done = words(owner.get(owner.post(confirm)["Location"]).content.decode())
    assert "Imported" in done and "New people 2" in done
    assert Subscription.objects.filter(state="confirmed").count() == 2
    assert TopicSubscription.objects.count() == 2 and Topic.objects.count() == 1
    assert LedgerRow.objects.count() == rows + 1
    (desk,) = import_desk._desks.values()
    assert desk.file.data == b"" and not desk.checked.fates and not desk.job.files
    owner.post(confirm)  # once
    assert Subscription.objects.count() == 2


def test_topics_are_created_only_if_that_is_ticked(owner):
    answer, _ = bring(owner)
    owner.post(f"{answer['Location']}confirm/", {"create_topics": "yes"})
    assert sorted(Topic.objects.values_list("name", "public")) == [("Beta", False), ("Releases", False)]
    assert TopicSubscription.objects.count() == 3


def test_a_row_with_an_error_stops_the_import_unless_it_is_left_out(owner):
    answer, page = bring(owner, PEOPLE + "nobody,Cleo,2024-05-03,,\r\n")
    shown = words(page)
    assert "line 4 email" in shown and "Rows with errors 1" in shown and "nobody" not in page
    confirm = f"{answer['Location']}confirm/"
    owner.post(confirm)
    assert not Person.objects.exists()
    owner.post(confirm, {"skip_bad": "yes"})
    assert Person.objects.count() == 2


def test_a_column_that_may_say_who_is_gone_is_asked_for_and_can_be_chosen(owner):
    text = "email,consent_date,Unsubscribed\r\nada@example.com,2024-05-01,perhaps\r\nbert@example.com,2024-05-01,\r\n"
    answer, page = bring(owner, text)
    assert "“Unsubscribed” as “that, or when, they unsubscribed or opted out”" in words(page) and "--" not in words(
        page
    )
    check = f"{answer['Location']}check/"
    refused = owner.post(check, {"column_1": "-"})
    assert refused.status_code == 422 and "No email address column found" in words(refused.content.decode())
    page = owner.get(owner.post(check, {"column_3": "-"})["Location"]).content.decode()
    assert "New people 2" in words(page)
    page = owner.get(owner.post(check, {"column_1": "nonsense"})["Location"]).content.decode()
    assert "New people 2" in words(page)


@pytest.mark.parametrize(
    ("text", "name", "typed", "why"),
    [
        (b"", "people.csv", {}, "The file is empty."),
        ("Where\r\nada@example.com\r\n", "people.csv", {}, "“Column with the email address”"),
        ("Where\r\nada@example.com\r\n", "people.csv", {"email_column": "Who"}, "The columns are: Where."),
        ("ada@example.com,Ada\r\n", "people.csv", {}, "looks like personal details"),
        (PEOPLE, "unsubscribed_people.csv", {}, "its name says that it lists unsubscribed people"),
        (PEOPLE, "people.csv", {"language": "German words"}, "“Language” is not a language tag"),
        (PEOPLE, "people.csv", {"consent_date": "2999-01-01"}, "still to come"),
        (PEOPLE, "people.csv", {"topics": "None such"}, "not one of the available choices"),
        (b"PK\x03\x04 damaged", "people.zip", {}, "damaged ZIP"),
    ],
)
def test_what_cannot_be_read_is_said_with_the_fix_and_nothing_is_kept(owner, text, name, typed, why):
    topics.create("Releases", "", public=True)
    answer, page = bring(owner, text, name, **typed)
    assert answer.status_code == 422 and why in words(page) and "ada@example.com" not in page
    assert "--" not in words(page) and not import_desk._desks


def test_the_column_with_the_address_can_be_named(owner):
    _, page = bring(owner, "Where,Consent date\r\nada@example.com,2024-05-01\r\n", email_column="Where")
    assert "New people 1" in words(page)


def test_without_consent_nobody_is_imported(owner):
    _, page = bring(owner, "email\r\nada@example.com\r\n", consent="", consent_date="")
    assert "There is nobody to import" in words(page) and "“Date of consent” is empty" in words(page)


@both
def test_mailchimps_zip_is_shown_by_file_and_state_with_what_listmonk_leaves_out_said_of_listmonk(owner):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        head = "Email Address,First Name,Last Name,OPTIN_TIME,CONFIRM_TIME\r\n"
        archive.writestr("subscribed_a.csv", head + "ada@example.com,Ada,L,2021-02-03 07:55:20,2021-02-04 07:55:20\r\n")
        archive.writestr("cleaned_a.csv", head + "bert@example.com,Bert,E,2021-02-03 07:55:20,2021-02-04 07:55:20\r\n")
    answer, page = bring(owner, packed.getvalue(), "export.zip")
    shown = words(page)
    assert "An export of Mailchimp" in shown
    assert "subscribed_a.csv Subscribed 1" in shown and "cleaned_a.csv Bounced 1" in shown
    owner.post(f"{answer['Location']}confirm/")
    assert Person.objects.count() == 1
    listmonk = "uuid,email,name,attributes,status,created_at,updated_at\r\n"
    _, page = bring(owner, listmonk + 'u,ada@example.com,Ada,"{}",enabled,2024-01-02T03:04:05Z,\r\n')
    assert "What an export of listmonk does not say" in words(page)


def test_only_owners_import_and_each_sees_only_their_own(owner):
    answer, _ = bring(owner)
    here = answer["Location"]
    (desk,) = import_desk._desks.values()
    import_desk._desks.clear()
    import_desk._desks[uuid.uuid4()] = desk  # another operator's
    assert owner.get(here).status_code == 404
    assert [owner.post(f"{here}{word}/").status_code for word in ("check", "confirm")] == [404, 404]
    owner.post(f"{here}discard/")
    assert import_desk._desks
    for role in (Role.CLERK, Role.ANALYST):
        browser = sign_in(role)
        assert browser.get("/people/import/").status_code == 403 and browser.post(f"{here}confirm/").status_code == 403
    assert not Person.objects.exists() and desk.step is Step.CHECKED


def test_a_discarded_file_is_gone_and_an_import_under_way_is_not_replaced(owner):
    answer, _ = bring(owner)
    owner.post(f"{answer['Location']}discard/")
    assert not import_desk._desks and owner.get(answer["Location"]).status_code == 404
    answer, _ = bring(owner)
    (desk,) = import_desk._desks.values()
    desk.step = Step.IMPORTING
    page = owner.get(answer["Location"]).content.decode()
    assert "Importing" in page and 'http-equiv="refresh"' in page
    owner.post(f"{answer['Location']}discard/")
    again, page = bring(owner)
    assert again.status_code == 422 and "under way" in page and import_desk._desks


def test_a_check_that_ends_while_the_page_is_made_is_not_shown_as_nobody_to_import(owner, monkeypatch):
    answer, _ = bring(owner)
    (desk,) = import_desk._desks.values()
    done, desk.step, desk.checked = desk.checked, Step.CHECKING, import_job.ExaminedFile()

    def ends_meanwhile(*_):
        desk.checked, desk.step = done, Step.CHECKED
        return []

    monkeypatch.setattr(import_views, "column_choices", ends_meanwhile)
    page = owner.get(answer["Location"]).content.decode()
    assert "Checking the file" in page and 'http-equiv="refresh"' in page and "nobody to import" not in page
    assert "Import 2 people" in words(owner.get(answer["Location"]).content.decode())


def test_an_error_in_the_thread_is_said_and_names_nobody(owner, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("ada@example.com")

    monkeypatch.setattr(import_desk.import_job, "examine", broken)
    _, page = bring(owner)
    assert "It stopped" in page and "ada@example.com" not in page and "ada@example.com" not in caplog.text
    assert "RuntimeError" in caplog.text


def test_files_in_memory_are_few_and_go_after_an_hour(owner, monkeypatch):
    monkeypatch.setattr(import_desk, "MOST", 0)
    answer, page = bring(owner)
    assert answer.status_code == 422 and "Other operators" in page
    monkeypatch.undo()
    assert import_desk.KEPT_SECONDS == 3600


def test_a_file_is_dropped_when_its_time_is_over(monkeypatch):
    timers = []
    monkeypatch.undo()
    monkeypatch.setattr(import_desk.threading, "Timer", lambda seconds, act: timers.append((seconds, act)) or _Timer())
    desk = type("D", (), {"id": 1})()
    import_desk._desks["olga"] = desk
    import_desk._drop_later("olga", desk)
    ((seconds, act),) = timers
    assert seconds == import_desk.KEPT_SECONDS
    act()
    assert not import_desk._desks


class _Timer:
    def start(self):
        pass


def test_a_file_that_is_too_large_is_refused(owner, monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST", 100)
    assert bring(owner)[0].status_code == 400


def test_the_pages_words_have_no_option_of_the_command_line():
    text = 'Say what the column is: --map "A b=left", or --map "A b=-"; --consent-date is not set.'
    reworded = (
        "Say what the column is: “A b” as “that, or when, they unsubscribed or opted out”, or “A b” as “not read”;"
    )
    assert for_page(text) == f"{reworded} “Date of consent” is empty."
