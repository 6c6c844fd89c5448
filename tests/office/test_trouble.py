"""The database locked or gone: a clear page, soon, and nothing waits for ever."""

import sqlite3
import time
from contextlib import closing

import pytest

from tests.office.conftest import EMAIL, PASSWORD, browser
from tests.office.test_people import uses

SOON = 6.5
"""Seconds: the five for which SQLite is asked to wait for a lock, and some."""


def timed(ask):
    began = time.monotonic()
    answer = ask()
    return answer, time.monotonic() - began


def check(answer):
    told = answer.content.decode()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "The database is not responding" in told
    assert "Example Software" in told
    assert "Traceback" not in told


@pytest.fixture
def patient(desk):
    """Errors become pages, as in the real process."""
    desk.client.raise_request_exception = False
    return desk


@pytest.fixture
def locked(site, patient, people):
    """Somebody else writes and does not come to an end."""
    people()
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_locked_database_gives_a_page_that_says_so(patient, locked):
    answer, took = timed(lambda: patient.get("/people/"))
    check(answer)
    assert took < SOON


def test_a_locked_database_opens_nobody(patient, locked, people):
    answer = patient.get("/people/")
    assert "ada@example.com" not in answer.content.decode()
    assert uses() == [], "what cannot be written in the ledger is not opened"


def test_what_needs_no_writing_goes_on_while_it_is_locked(patient, locked):
    answer, took = timed(lambda: patient.get("/"))
    assert answer.status_code == 200
    assert took < 1


def test_signing_in_while_it_is_locked_says_so_too(operator, patient, locked):
    client = browser(raise_request_exception=False)
    answer, took = timed(lambda: client.post("/sign-in/", {"login": EMAIL, "password": PASSWORD}))
    check(answer)
    assert took < SOON


@pytest.mark.postgres
def test_a_database_server_that_is_down_gives_a_page_that_says_so(patient, postgres_server):
    from django.db import connections

    postgres_server.stop()
    try:
        connections.close_all()
        for ask in (
            lambda: patient.get("/"),
            lambda: patient.get("/people/"),
            lambda: patient.post("/people/search/", {"email": "ada@example.com"}),
        ):
            answer, took = timed(ask)
            check(answer)
            assert took < SOON
        assert browser(raise_request_exception=False).get("/sign-in/").status_code == 200
    finally:
        postgres_server.start()
        connections.close_all()
    assert patient.get("/people/").status_code == 200


def test_a_fault_of_ours_is_a_page_without_detail(patient, monkeypatch):
    from troth.office import today

    def fault():
        raise RuntimeError("ada@example.com")

    monkeypatch.setattr(today, "today", fault)
    answer = patient.get("/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.content.decode()
    assert "ada@example.com" not in answer.content.decode()


def test_a_session_that_was_changed_is_not_saved_after_the_fault_and_waits_no_second_time(operator, rf):
    from django.db import OperationalError

    from troth.office.sign_in.sessionstore import SessionStore
    from troth.office.views import broken

    request = rf.get("/")
    request.session = SessionStore()
    request.session["something"] = 1
    try:
        raise OperationalError("database is locked")
    except OperationalError:
        answer = broken(request)
    assert answer.status_code == 503
    assert not request.session.modified
