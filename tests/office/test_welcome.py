"""The one-time link: it works once, for a while, and looking at it spends nothing."""

from datetime import UTC, datetime

import pytest
from allauth.mfa.models import Authenticator

from tests.conftest import both
from tests.office.codes import code
from tests.office.conftest import EMAIL, PASSWORD, browser, type_password
from troth.core import clock
from troth.office import operators
from troth.office.models import Welcome

GOOD = "marmot, ladder, seven o'clock"


def choose(client, link, password=GOOD, again=None, **more):
    return client.post(link, {"password": password, "repeated": password if again is None else again, **more})


@both
def test_it_signs_in_once(operator):
    link = operators.new_link(EMAIL, signs_in=True)
    first = browser()
    assert first.get(link).status_code == 200
    assert first.head(link).status_code == 200
    assert first.post(link).headers["Location"] == "/"
    assert first.get("/people/").status_code == 200
    second = browser()
    assert second.post(link).status_code == 410
    assert second.get("/people/").status_code == 302


def test_looking_at_it_signs_nobody_in(operator):
    client = browser()
    client.get(operators.new_link(EMAIL, signs_in=True))
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(("signs_in", "minutes"), [(True, 30), (False, 48 * 60)])
def test_it_ends(operator, signs_in, minutes):
    with clock.hold(datetime.now(UTC)) as held:
        link = operators.new_link(EMAIL, signs_in=signs_in)
        held.move(minutes=minutes, seconds=-1)
        assert browser().get(link).status_code == 200
        held.move(seconds=1)
        for answer in (browser().get(link), choose(browser(), link)):
            assert answer.status_code == 410
            assert "troth operator link" in answer.content.decode()


def test_a_newer_one_replaces_it(operator):
    old, new = operators.new_link(EMAIL), operators.new_link(EMAIL)
    assert browser().get(old).status_code == 410
    assert browser().get(new).status_code == 200


@pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "..%2f..", "é"])
def test_one_that_is_not_ours_is_over(operator, token):
    assert browser().get(f"/welcome/{token}").status_code in {404, 410}
    assert browser().post(f"/welcome/{token}").status_code in {404, 410}


def test_the_database_does_not_know_the_token(operator):
    link = operators.new_link(EMAIL)
    token = link.rpartition("/")[2]
    (stored,) = Welcome.objects.values_list("digest", flat=True)
    assert token.encode() not in bytes(stored)


def test_choosing_a_password_spends_it_and_leads_to_the_second_factor(operator):
    link, client = operators.new_link(EMAIL), browser()
    assert choose(client, link).headers["Location"] == "/account/"
    assert choose(browser(), link).status_code == 410
    assert type_password(browser(), password=PASSWORD).status_code == 200
    assert type_password(browser(), password=GOOD).status_code == 302


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("short", "short", "at least 12"),
        ("qwerty123456", "qwerty123456", "too common"),
        ("olga@example.com", "olga@example.com", "too similar"),
        (GOOD, GOOD + "x", "do not match"),
        (GOOD, "", "Repeat your password."),
        ("", "", "Enter a password"),
        ("x" * 201, "x" * 201, "at most 200"),
    ],
)
def test_a_poor_password_is_refused_and_the_link_stays(operator, password, again, said):
    link = operators.new_link(EMAIL)
    answer = choose(browser(), link, password, again)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert browser().get(link).status_code == 200


def test_a_new_password_ends_the_operators_other_sessions(desk):
    assert desk.get("/").status_code == 200
    choose(browser(), operators.new_link(EMAIL))
    assert desk.get("/").status_code == 302


def test_who_lost_the_authenticator_says_so_and_starts_anew(enrolled):
    link, client = operators.new_link(EMAIL), browser()
    assert "I lost access to my authenticator" in client.get(link).content.decode()
    choose(client, link, forget="on")
    assert not Authenticator.objects.exists()
    assert client.get("/people/").headers["Location"] == "/account/"


def test_a_new_password_leaves_the_authenticator_where_it_is(enrolled):
    client = browser()
    choose(client, operators.new_link(EMAIL))
    assert Authenticator.objects.filter(type="totp").exists()


@pytest.mark.parametrize("signs_in", [True, False])
def test_a_link_is_the_first_step_only_for_who_has_a_second_factor(enrolled, signs_in):
    client, link = browser(), operators.new_link(EMAIL, signs_in=signs_in)
    answer = client.post(link) if signs_in else choose(client, link)
    assert answer.headers["Location"].startswith("/sign-in/second/")
    for path in ("/", "/people/", "/account/", "/account/codes/", "/account/password/set/"):
        assert client.get(path).headers["Location"].startswith("/sign-in/")
    assert client.post("/sign-in/second/", {"code": "000000"}).status_code == 200
    assert client.get("/").status_code == 302
    client.post("/sign-in/second/", {"code": code(enrolled)})
    assert client.get("/").status_code == 200


def test_a_link_signs_out_whoever_was_signed_in_before_it_asks_for_the_second_factor(enrolled):
    operators.add("Otto", "otto@example.com")
    client = browser()
    client.post(operators.new_link("otto@example.com", signs_in=True))
    client.post(operators.new_link(EMAIL, signs_in=True))
    assert client.get("/").headers["Location"].startswith("/sign-in/")


def test_recovery_codes_alone_are_no_second_factor_that_a_link_would_skip(enrolled):
    Authenticator.objects.filter(type="totp").delete()
    client = browser()
    assert choose(client, operators.new_link(EMAIL)).headers["Location"] == "/account/"
    assert client.get("/people/").headers["Location"] == "/account/"


def test_only_who_has_a_factor_is_asked_whether_it_is_lost(operator):
    assert "I lost access to my authenticator" not in browser().get(operators.new_link(EMAIL)).content.decode()


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_refused(operator, method):
    assert getattr(browser(), method)(operators.new_link(EMAIL)).status_code == 405
