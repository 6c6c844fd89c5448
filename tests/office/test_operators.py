"""Operators are made and removed at the shell; the last owner stays."""

import pytest

from tests.conftest import both
from tests.office.conftest import EMAIL, browser
from troth.office import operators
from troth.office.models import Operator
from troth.office.operators import OperatorError


@both
def test_the_last_owner_stays(operator):
    with pytest.raises(OperatorError, match="last owner") as refused:
        operators.remove(EMAIL)
    assert "troth operator add" in refused.value.mend
    operators.add("Second", "second@example.com")
    operators.remove(EMAIL)
    with pytest.raises(OperatorError, match="last owner"):
        operators.remove("second@example.com")
    assert [one.name for one in operators.list_all()] == ["Second"]


def test_an_owner_who_is_switched_off_does_not_count(operator):
    operators.add("Second", "second@example.com")
    Operator.objects.filter(email="second@example.com").update(is_active=False)
    with pytest.raises(OperatorError, match="last owner"):
        operators.remove(EMAIL)


def test_a_removed_operators_session_ends_with_the_next_request(desk):
    operators.add("Second", "second@example.com")
    assert desk.get("/people/").status_code == 200
    operators.remove(EMAIL)
    answer = desk.get("/people/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in/?next=/people/")


def test_a_removed_operators_link_is_over(operator):
    link = operators.new_link(EMAIL)
    operators.add("Second", "second@example.com")
    operators.remove(EMAIL)
    assert browser().get(link).status_code == 410


@pytest.mark.parametrize(
    "email", ["", "olga", "olga@", "@example.com", "o@example.com\nBcc: x@example.com", "a b@example.com"]
)
def test_what_is_no_address_is_refused(site, email):
    with pytest.raises(OperatorError, match="not an email address"):
        operators.add("Olga", email)
    assert operators.list_all() == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "Olga\x1b[2J", "Ol\nga", "\u202eaglO"])
def test_a_name_has_to_be_there_and_fit(site, name):
    with pytest.raises(OperatorError, match="name needs 1 to 100"):
        operators.add(name, EMAIL)


def test_an_address_is_taken_once_in_whatever_case(operator):
    with pytest.raises(OperatorError, match="already exists"):
        operators.add("Another", " OLGA@Example.com ")


def test_no_link_for_somebody_unknown(operator):
    with pytest.raises(OperatorError, match="No operator has this email address"):
        operators.new_link("nobody@example.com")


def test_a_new_operator_has_no_password_that_works(site):
    operators.add("Olga", EMAIL)
    assert not Operator.objects.get().has_usable_password()
