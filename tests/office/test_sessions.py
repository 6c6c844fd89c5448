"""A session ends 12 hours after it began, however busy it was."""

from datetime import UTC, datetime

import pytest
from django.contrib.sessions.models import Session

from tests.office.conftest import EMAIL, browser
from troth.core import clock
from troth.office import operators

HOUR = 60


@pytest.fixture
def held(operator):
    with clock.hold(datetime.now(UTC)) as held:
        yield held


@pytest.fixture
def signed_in(held):
    client = browser()
    client.post(operators.new_link(EMAIL, signs_in=True))
    return client


def test_it_ends_after_twelve_hours_though_it_was_used_all_the_time(signed_in, held):
    for _ in range(23):
        held.move(minutes=30)
        assert signed_in.get("/").status_code == 200
    held.move(minutes=30)
    answer = signed_in.get("/people/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in/?next=/people/")


def test_it_is_gone_from_the_database_then(signed_in, held):
    assert Session.objects.count() == 1
    held.move(hours=12)
    signed_in.get("/")
    assert Session.objects.count() == 0


def test_a_clock_that_jumps_back_by_hours_ends_it_and_by_seconds_does_not(signed_in, held):
    held.move(seconds=-30)
    assert signed_in.get("/").status_code == 200
    held.move(hours=-2)
    assert signed_in.get("/").status_code == 302


def test_a_session_that_does_not_say_when_it_began_is_over(signed_in):
    session = signed_in.session
    del session["began"]
    session.save()
    assert signed_in.get("/").status_code == 302


def test_the_cookie_is_for_this_site_and_no_script(signed_in):
    cookie = signed_in.cookies["office"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert int(cookie["max-age"]) == 12 * 60 * 60


def test_behind_https_the_cookies_are_bound_to_the_host():
    from troth.office.settings import office

    told = office(url="https://office.example.com", site_name="Example")
    assert told["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert told["CSRF_COOKIE_NAME"].startswith("__Host-")
    assert told["SESSION_COOKIE_SECURE"]
    assert told["CSRF_COOKIE_SECURE"]
    assert told["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert told["ALLOWED_HOSTS"] == ["office.example.com"]
    assert told["CSRF_TRUSTED_ORIGINS"] == ["https://office.example.com"]


def test_a_made_up_session_is_nobodys(operator):
    client = browser()
    client.cookies["office"] = "a" * 32
    assert client.get("/").status_code == 302
