"""Coming in by password and code, and everything that does not let in."""

import pytest

from tests.office.codes import code
from tests.office.conftest import EMAIL, PASSWORD, browser, enrol, type_password
from troth.office import operators
from troth.office.models import Operator


def second_step(client, digits):
    return client.post("/sign-in/second/", {"code": digits})


def is_in(client):
    return client.get("/").status_code == 200


def test_password_and_code_let_in(enrolled):
    client = browser()
    first = type_password(client)
    assert (first.status_code, first.headers["Location"]) == (302, "/sign-in/second/")
    assert not is_in(client)
    last = second_step(client, code(enrolled))
    assert (last.status_code, last.headers["Location"]) == (302, "/")
    assert is_in(client)


def test_the_address_may_be_typed_in_any_case(enrolled):
    assert type_password(browser(), email="Olga@Example.COM").status_code == 302


def test_a_password_alone_opens_nothing(enrolled):
    client = browser()
    type_password(client)
    for path in ("/", "/people/", "/account/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize(
    "digits", ["000000", "", "12345", "123456789012345678901234567890", "\u0661\u0662\u0663\u0664\u0665\u0666"]
)
def test_a_wrong_code_is_refused(enrolled, digits):
    client = browser()
    type_password(client)
    answer = second_step(client, digits)
    assert answer.status_code == 200
    assert b'role="alert"' in answer.content
    assert not is_in(client)


def test_a_code_of_ten_minutes_ago_is_refused(enrolled):
    client = browser()
    type_password(client)
    second_step(client, code(enrolled, steps=-20))
    assert not is_in(client)


def test_a_code_works_once(enrolled):
    digits = code(enrolled)
    first, second = browser(), browser()
    type_password(first)
    second_step(first, digits)
    assert is_in(first)
    type_password(second)
    second_step(second, digits)
    assert not is_in(second)


def test_a_recovery_code_works_in_place_of_the_app_and_once(operator):
    owner = browser()
    owner.post(operators.new_link(EMAIL, signs_in=True))
    enrol(owner)
    spare = owner.get("/account/codes/").context["unused_codes"][0]
    first, second = browser(), browser()
    type_password(first)
    second_step(first, spare)
    assert is_in(first)
    type_password(second)
    second_step(second, spare)
    assert not is_in(second)


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(enrolled):
    unknown = type_password(browser(), email="nobody@example.com")
    wrong = type_password(browser(), password="not the one at all")
    assert unknown.status_code == wrong.status_code == 200
    told = [answer.context["form"].errors["__all__"][0] for answer in (unknown, wrong)]
    assert told == ["Incorrect email address or password."] * 2


def test_five_failures_shut_that_address_out_for_a_while_and_no_other(enrolled):
    client = browser()
    for _ in range(5):
        type_password(client, password="not the one at all")
    answer = type_password(browser())
    assert "Too many attempts" in answer.content.decode()
    assert answer.status_code == 200
    assert "Incorrect email" in type_password(browser(), email="nobody@example.com").content.decode()


def test_a_burst_from_one_network_gets_429_and_our_page(enrolled):
    answers = [type_password(browser(), email=f"n{number}@example.com") for number in range(31)]
    assert answers[-1].status_code == 429
    assert "Too many attempts" in answers[-1].content.decode()


def test_wrong_codes_are_counted_too(enrolled):
    client = browser()
    type_password(client)
    for _ in range(6):
        answer = second_step(client, "000000")
    assert "Too many attempts" in answer.content.decode()
    second_step(client, code(enrolled))
    assert not is_in(client)


def test_an_operator_who_is_switched_off_does_not_come_in(enrolled):
    Operator.objects.update(is_active=False)
    client = browser()
    type_password(client)
    assert not is_in(client)


def test_an_operator_without_a_password_does_not_come_in_by_one(operator):
    operator.set_unusable_password()
    operator.save()
    for password in ("", "!", PASSWORD):
        assert type_password(browser(), password=password).status_code == 200


@pytest.mark.parametrize(
    "next_page", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_no_address_elsewhere_is_gone_to_after_the_sign_in(enrolled, next_page):
    client = browser()
    client.post("/sign-in/", {"login": EMAIL, "password": PASSWORD, "next": next_page})
    assert second_step(client, code(enrolled)).headers["Location"] == "/"


def test_only_post_signs_out(desk):
    assert desk.get("/sign-out/").status_code == 200
    assert is_in(desk.client)
    assert desk.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert not is_in(desk.client)


def test_the_session_has_a_new_name_after_the_sign_in(enrolled):
    client = browser()
    type_password(client)
    before = client.cookies["office"].value
    second_step(client, code(enrolled))
    assert client.cookies["office"].value != before


@pytest.mark.parametrize(
    "path", ["/sign-up/", "/accounts/signup/", "/accounts/", "/sign-in/code/", "/password/reset/", "/email/"]
)
def test_what_allauth_has_besides_does_not_exist(desk, path):
    assert desk.get(path).status_code == 404
