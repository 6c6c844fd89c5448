"""Each page of the console says for whom it is; an analyst never sees a person (C2)."""

import pytest
from django.test import Client
from django.urls import get_resolver

from troth.kit.roles import DESK, EVERYBODY, Role, may, roles_of
from troth.office import middleware, operators
from troth.office.models import Operator


def sign_in(role: Role) -> Client:
    """A browser with an operator of this role signed in by a link from the shell."""
    link = operators.add(f"An {role.label}", f"{role.value}@example.com", role)
    link = operators.new_link(f"{role.value}@example.com", signs_in=True)
    client = Client(HTTP_HOST="localhost", SERVER_NAME="localhost")
    assert client.post(link).status_code == 302
    return client


def _views():
    return [(pattern.name, pattern.callback) for pattern in get_resolver().url_patterns]


def test_every_page_says_whom_it_is_for():
    silent = [name for name, view in _views() if roles_of(view) is None and name not in middleware._OWN_ACCOUNT]
    assert silent == []


def test_a_page_that_does_not_say_is_shown_to_nobody(site, monkeypatch):
    client = sign_in(Role.OWNER)
    today = next(view for name, view in _views() if name == "today")
    assert client.get("/").status_code == 200
    monkeypatch.delattr(today, "roles")
    assert client.get("/").status_code == 403


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("path", ["/people/", "/people/00000000-0000-7000-8000-000000000000/"])
def test_who_may_see_people(site, role, path):
    answer = sign_in(role).get(path)
    assert (answer.status_code in {200, 404}) == (role in DESK)


def test_an_analyst_sees_counts_and_no_way_to_people(site):
    page = sign_in(Role.ANALYST).get("/")
    assert page.status_code == 200
    assert b'href="/people/' not in page.content


def test_a_role_that_changed_counts_from_the_next_page_on(site):
    operators.add("Another", "another@example.com")
    client = sign_in(Role.OWNER)
    assert client.get("/people/").status_code == 200
    operators.set_role("owner@example.com", Role.ANALYST)
    assert client.get("/people/").status_code == 403


def test_the_last_owner_stays_one(site):
    operators.add("Only", "only@example.com")
    with pytest.raises(operators.OperatorError, match="last owner"):
        operators.set_role("only@example.com", Role.CLERK)
    assert Operator.objects.get().role == Role.OWNER


def test_the_mark_is_on_the_view_that_the_address_leads_to():
    @may(EVERYBODY)
    def view(request):
        return None

    assert roles_of(view) == EVERYBODY
