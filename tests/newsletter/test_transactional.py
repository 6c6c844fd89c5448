"""Transactional email by API: one email, from a template, to one person who is known, by a token for that alone."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from tests.conftest import both
from tests.newsletter.subscribers import leave, subscribe
from troth.audience.api import tokens
from troth.audience.api.tokens import Scope
from troth.core import clock
from troth.gate import outbox
from troth.gate.models import Delivery
from troth.newsletter import erase
from troth.newsletter.models import MailTemplate, TransactionalMail
from troth.newsletter.transactional import mails, orders, retention, templates
from troth.newsletter.transactional.templates import TemplateRefused, Words
from troth.office import api as office_api
from troth.vault.keeper import keeper
from troth.vault.models import Person, Record
from troth.worker.composers import COMPOSERS

ADDRESS = "ada@example.com"
TEXT = "Dear {{ first_name | customer }}, your order {{ data.number }} goes to {{ data.town | you }}."
ORDER = {"template": "receipt", "to": ADDRESS, "data": {"number": "4711"}}


@pytest.fixture
def token(site, monkeypatch):
    """A token for transactional email, a template, and Ada, who is subscribed."""
    monkeypatch.setattr(office_api, "_buckets", office_api.Buckets(10_000, 0.001))
    templates.save(Words("receipt", "Order {{ data.number }}", TEXT))
    subscribe(ADDRESS, name="Ada Lovelace")
    return tokens.add("shop", Scope.MAIL)


def post(token, order=None, *, body=None, kind="application/json", **headers):
    data = json.dumps(ORDER | (order or {})) if body is None else body
    headers = {"authorization": f"Bearer {token}", **headers}
    return Client(SERVER_NAME="localhost").post("/api/mail", data, content_type=kind, headers=headers)


def state(token, ident):
    headers = {"authorization": f"Bearer {token}"}
    return Client(SERVER_NAME="localhost").get(f"/api/mail/{ident}", headers=headers)


def queued():
    return Delivery.objects.filter(kind="transactional")


@both
def test_one_email_is_queued_composed_and_told(token):
    answer = post(token)
    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert told["state"] == "queued" and answer["Location"].endswith(f"/api/mail/{told['id']}")
    row = queued().get()
    [mail] = mails.compose([row]).values()
    assert mail.to.reveal() == ADDRESS and mail.subject() == "Order 4711"
    assert "Dear Ada, your order 4711 goes to you." in mail.text() and "4711" in mail.page()
    assert "nsubscribe" not in mail.text() + mail.page() and mail.headers() == {}
    assert "4711" not in repr(mail) and "Ada" not in repr(mail)
    queued().update(state="sent")
    assert state(token, told["id"]).json() == {"id": told["id"], "state": "sent"}


def test_what_the_program_passes_is_in_no_column_but_the_encrypted_one(token):
    post(token, {"data": {"number": "Wilhelmina"}}, **{"idempotency-key": "one"})
    box = bytes(Record.objects.get(kind="mail_data").box)
    rows = [str(list(table.objects.values_list())) for table in (TransactionalMail, Delivery)]
    assert not any("Wilhelmina" in row for row in rows) and b"Wilhelmina" not in box


def test_the_same_key_twice_sends_one_email(token):
    first, second = (post(token, **{"idempotency-key": "order-1"}) for _ in range(2))
    assert first.status_code == second.status_code == 202 and first.json() == second.json()
    assert queued().count() == 1
    other = post(token, {"data": {"number": "1"}}, **{"idempotency-key": "order-1"})
    assert other.status_code == 422 and other.json()["parameter"] == "Idempotency-Key"
    assert post(tokens.add("other", Scope.MAIL), **{"idempotency-key": "order-1"}).status_code == 202
    assert queued().count() == 2


def test_without_a_key_each_request_is_an_email(token):
    assert post(token).json()["id"] != post(token).json()["id"]


def test_a_token_for_the_statistics_sends_nothing_and_one_for_mail_reads_none(token):
    assert post(tokens.add("sheet")).status_code == 403
    assert post("").status_code == post("troth_" + "a" * 43).status_code == 401
    headers = {"authorization": f"Bearer {token}"}
    figures = Client(SERVER_NAME="localhost").get("/api/v1/statistics/totals", headers=headers)
    assert figures.status_code == 403 and queued().count() == 0


def _frozen():
    Person.objects.filter(id=subscribe("b@example.com")).update(frozen_at=clock.now())


def _erased():
    keeper().erase([subscribe("b@example.com")])


@pytest.mark.parametrize(
    "prepare",
    [
        lambda: None,
        _frozen,
        _erased,
        lambda: subscribe("b@example.com", confirm=False),
        lambda: leave(subscribe("b@example.com")),
    ],
)
def test_who_is_not_known_restricted_deleted_unconfirmed_or_left_gets_none_in_the_same_words(token, prepare):
    unknown = post(token, {"to": "nobody@example.com"})
    prepare()
    answer = post(token, {"to": "b@example.com"})
    assert answer.status_code == unknown.status_code == 404 and answer.content == unknown.content
    assert b"example.com" not in answer.content and queued().count() == 0


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"template": "other"}, "template"),
        ({"data": {}}, "data"),
        ({"data": {"number": " "}}, "data"),
        ({"data": {"number": "1", "more": "2"}}, "data"),
        ({"data": {"number": "<b>1</b>"}}, "data"),
        ({"data": {"number": "1\n2"}}, "data"),
        ({"data": {"number": "x" * 501}}, "data"),
        ({"data": {"number": "4111 1111 1111 1111"}}, "data"),
        ({"to": "no address"}, "to"),
    ],
)
def test_an_order_that_does_not_fit_is_refused_with_the_parameter_and_no_value(token, change, parameter):
    answer = post(token, change)
    assert answer.status_code == 422 and answer.json()["parameter"] == parameter
    assert queued().count() == 0 and b"4111" not in answer.content


@both
@pytest.mark.parametrize("change", [{"template": "a\0b"}, {"to": "a\0b@example.com"}, {"data": {"number": "a\0b"}}])
def test_a_character_that_no_database_stores_is_refused(token, change):
    assert post(token, change).status_code == 422 and queued().count() == 0


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"body": "{"}, 400),
        ({"body": "[]"}, 400),
        ({"order": {"data": {"number": 1}}}, 400),
        ({"order": {"cc": "b@example.com"}}, 400),
        ({"kind": "text/plain"}, 415),
        ({"body": json.dumps(ORDER | {"data": {"number": "x" * 40_000}})}, 413),
        ({"idempotency-key": "a b"}, 422),
        ({"idempotency-key": ""}, 422),
    ],
)
def test_a_request_that_is_none_is_refused(token, request_, status):
    assert post(token, **request_).status_code == status


def test_a_get_sends_nothing_and_another_tokens_email_is_not_told(token):
    made = post(token).json()["id"]
    assert state(tokens.add("other", Scope.MAIL), made).status_code == 404
    assert state(token, "x").status_code == 404
    headers = {"authorization": f"Bearer {token}"}
    assert Client(SERVER_NAME="localhost").get("/api/mail", headers=headers).status_code == 405


def test_a_held_email_is_not_told_and_after_a_few_no_more_are_taken(token):
    for _ in range(orders.MOST_HELD):
        made = post(token)
        queued().update(state="held")
        assert state(token, made.json()["id"]).json()["state"] == "queued"
    assert post(token).status_code == 429


def test_one_person_gets_only_so_many_a_day(token, monkeypatch):
    monkeypatch.setattr(orders, "MOST_A_DAY", 1)
    assert post(token).status_code == 202
    refused = post(token)
    assert refused.status_code == 429 and refused["Retry-After"]


def test_who_tries_addresses_is_slowed_down(token, monkeypatch):
    monkeypatch.setattr(office_api, "_buckets", office_api.Buckets(office_api.BURST, 1000))
    statuses = [post(token, {"to": f"n{number}@example.com"}).status_code for number in range(14)]
    assert statuses == [404] * 12 + [429] * 2


@both
def test_who_left_after_it_was_ordered_gets_none(token):
    person = subscribe("b@example.com")
    post(token, {"to": "b@example.com"})
    row = queued().get()
    assert mails.compose([row])
    leave(person)
    assert not mails.compose([row])


def test_a_template_that_wants_more_or_is_gone_is_not_sent(token):
    post(token)
    [template] = MailTemplate.objects.all()
    templates.save(Words("receipt", "Hi", "{{ data.more }}"), template.id)
    assert not mails.compose([queued().get()])
    templates.delete(template.id)
    assert not mails.compose([queued().get()])


@pytest.mark.parametrize(
    "words",
    [
        Words("Not a name", "Hi", "Text"),
        Words("receipt", "Hi", "Text"),
        Words("empty", "", "Text"),
        Words("details", "Hi", f"Write to {ADDRESS}."),
    ],
)
def test_a_template_with_a_bad_name_or_somebodys_details_is_refused(token, words):
    with pytest.raises(TemplateRefused):
        templates.save(words)


def test_what_was_passed_is_exported_and_goes_after_a_month(token):
    post(token)
    person = Person.objects.get().id
    [part] = [part for part in erase.export(person, "shell") if part.name == "emails"]
    assert part.items[0]["template"] == "receipt" and part.items[0]["number"].reveal() == "4711"
    TransactionalMail.objects.update(created_at=clock.now() - retention.KEPT - timedelta(seconds=1))
    assert retention.sweep() == 1
    assert not TransactionalMail.objects.exists() and not Record.objects.filter(kind="mail_data").exists()


def test_pages_make_change_show_and_delete_a_template(token, desk, support):
    client = desk
    page = "/newsletter/mail-templates/"
    typed = {"name": "notice", "subject": "Hi", "markdown": TEXT, "template": "plain", "language": "de"}
    assert support.get(page).status_code == 403
    assert "No HTML" not in client.get(page).content.decode()
    assert client.post(f"{page}new/", typed | {"markdown": "{{ what }}"}).status_code == 422
    made = client.post(f"{page}new/", typed)
    assert made.status_code == 302
    shown = client.get(made["Location"]).content.decode()
    assert "<code>number</code>" in shown and "required" in shown
    frame = client.get(f"{made['Location']}email/")
    assert b"[number]" in frame.content and b'lang="de"' in frame.content
    assert client.post(f"{made['Location']}delete/", {"sure": "yes"}).status_code == 302
    assert not MailTemplate.objects.filter(name="notice").exists()


def test_an_email_that_may_arrive_twice_says_so(token):
    post(token)
    row = queued().get()
    for maybe in (False, True):
        row.maybe_twice = maybe
        [mail] = mails.compose([row]).values()
        assert ("You may get this email twice" in mail.text()) is maybe
        assert ("You may get this email twice" in mail.page()) is maybe


@both
def test_who_is_restricted_after_it_was_ordered_gets_none_and_the_program_is_told(token):
    person = subscribe("b@example.com")
    told = post(token, {"to": "b@example.com"}).json()
    Person.objects.filter(id=person).update(frozen_at=clock.now())
    assert [job.mail.to.reveal() for job in outbox.claim(10, COMPOSERS) if job.id == queued().get().id] == []
    assert state(token, told["id"]).json()["state"] == "not_sent"
