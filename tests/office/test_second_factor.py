"""The second factor: nothing opens without it, and its secret cannot be read where it is stored."""

from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.management import call_command

from tests.conftest import both
from tests.office.codes import code
from tests.office.conftest import PASSWORD, browser, enrol, type_password
from troth.core import clock
from troth.office import operators


def again(client):
    """What stands before every change of how somebody signs in."""
    return client.post("/account/confirm/", {"password": PASSWORD})


@pytest.fixture
def without(operator):
    """A browser of somebody who has a password and no second factor."""
    client = browser()
    assert type_password(client).status_code == 302
    assert again(client).status_code == 302
    return client


@pytest.mark.parametrize(
    "path", ["/", "/people/", "/people/?state=left", "/people/018f0000-0000-7000-8000-000000000000/", "/account/codes/"]
)
def test_without_one_only_the_set_up_is_seen(without, path):
    answer = without.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account/")


@pytest.mark.parametrize("path", ["/people/search/", "/people/018f0000-0000-7000-8000-000000000000/consent/"])
def test_without_one_nothing_is_found_or_opened(without, path):
    answer = without.post(path, {"email": "ada@example.com"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account/")


def test_the_set_up_and_the_way_out_are_open(without):
    assert "One more step" in without.get("/account/").content.decode()
    assert without.get("/account/app/add/").status_code == 200
    assert without.get("/account/passkeys/add/").status_code == 200
    assert without.get("/sign-out/").status_code == 200


def test_adding_an_app_opens_the_office_and_gives_recovery_codes(without):
    enrol(without)
    assert without.get("/").status_code == 200
    assert len(without.get("/account/codes/").context["unused_codes"]) == 10


def test_a_wrong_first_code_adds_nothing(without):
    without.get("/account/app/add/")
    answer = without.post("/account/app/add/", {"code": "000000"})
    assert "Incorrect code" in answer.content.decode()
    assert not Authenticator.objects.exists()


def everything_stored(site):
    """Each table's content, and the database's files as they lie on the disk."""
    import io

    out = io.StringIO()
    call_command("dumpdata", format="json", stdout=out)
    files = [path.read_bytes() for path in site.data.rglob("*") if path.is_file()]
    return out.getvalue().encode() + b"".join(files)


def test_the_secret_is_readable_nowhere_not_even_while_it_is_being_added(without, site):
    page = without.get("/account/app/add/")
    secret = page.context["form"].secret
    session = Session.objects.get()
    assert secret not in session.session_data
    assert session.get_decoded() == {}, "Django's own reading of it finds nothing"
    assert secret.encode() not in everything_stored(site)
    without.post("/account/app/add/", {"code": code(secret)})
    assert Authenticator.objects.filter(type="totp").count() == 1
    spare = without.get("/account/codes/").context["unused_codes"][0]
    stored = everything_stored(site)
    assert secret.encode() not in stored
    assert spare.encode() not in stored


@both
def test_another_secret_key_opens_neither_session_nor_factor(enrolled, desk, settings):
    settings.SECRET_KEY = "another key file, of another site"
    assert desk.get("/").status_code == 302
    client = browser(raise_request_exception=False)
    type_password(client)
    assert client.post("/sign-in/second/", {"code": code(enrolled)}).status_code == 500
    assert client.get("/").status_code == 302


def test_removing_the_only_one_shuts_the_office_until_there_is_another(enrolled, operator):
    client = browser()
    type_password(client)
    client.post("/sign-in/second/", {"code": code(enrolled)})
    assert client.get("/").status_code == 200
    assert client.post("/account/app/remove/").headers["Location"].startswith("/account/confirm/")
    again(client)
    client.post("/account/app/remove/")
    assert client.get("/").headers["Location"] == "/account/"


def test_five_minutes_later_a_change_asks_once_more_who_it_is(enrolled, desk, monkeypatch):
    import time

    desk.post("/sign-in/second/", {"code": code(enrolled)})
    again(desk.client)
    assert desk.get("/account/app/remove/").status_code == 200
    later = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: later)
    for path in ("/account/app/remove/", "/account/passkeys/add/", "/account/codes/"):
        answer = desk.get(path)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/account/confirm/")
    assert desk.post("/account/app/remove/").headers["Location"].startswith("/account/confirm/")
    assert Authenticator.objects.filter(type="totp").exists()


def test_a_link_that_chooses_a_password_does_not_stand_for_a_factor(operator):
    link = operators.new_link(operator.email)
    client = browser()
    words = "a different and longer password"
    assert client.post(link, {"password": words, "repeated": words}).headers["Location"] == "/account/"
    assert client.get("/people/").headers["Location"] == "/account/"


def test_signing_in_by_password_later_does_not_inherit_the_shells_trust(desk, operator):
    """A session that began at the shell is over once its operator signs out."""
    desk.post("/sign-out/")
    type_password(desk.client)
    with clock.hold(datetime.now(UTC) + timedelta(seconds=1)):
        assert desk.get("/people/").headers["Location"] == "/account/"
