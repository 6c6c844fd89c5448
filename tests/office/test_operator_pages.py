"""Operators are added, changed and removed by owners."""

import re
import uuid

import pytest
from django.test import Client

from tests.office.test_roles import sign_in
from troth.kit.roles import Role
from troth.office import operators
from troth.office.models import Operator


def add(client, **told):
    return client.post("/team/add/", {"name": "Second", "email": "second@example.com", "role": "clerk", **told})


def test_a_new_operator_comes_in_by_a_link_that_is_shown_once(site):
    page = add(sign_in(Role.OWNER)).content.decode()
    link = re.search(r"https?://[^/<]+(/welcome/[\w-]+)", page)[1]
    made = Operator.objects.get(email="second@example.com")
    assert made.role == Role.CLERK and not made.has_usable_password()
    assert "Set a password" in Client(SERVER_NAME="localhost").get(link).content.decode()


@pytest.mark.parametrize(
    "told", [{"email": "nobody"}, {"name": ""}, {"role": "king"}, {"email": "owner@example.com"}, {"name": "x" * 101}]
)
def test_what_cannot_be_is_said_beside_the_form(site, told):
    answer = add(sign_in(Role.OWNER), **told)
    assert answer.status_code == 422 and Operator.objects.count() == 1


def test_the_list_shows_everybody_and_their_role(site):
    operators.add("A Clerk", "clerk@example.org", Role.CLERK)
    page = sign_in(Role.OWNER).get("/team/").content.decode()
    assert "clerk@example.org" in page and '<option value="clerk" selected>' in page


def test_a_role_is_changed(site):
    client = sign_in(Role.OWNER)
    add(client)
    second = Operator.objects.get(email="second@example.com")
    assert client.post(f"/team/{second.id}/role/", {"role": "owner"}).status_code == 302
    second.refresh_from_db()
    assert second.role == Role.OWNER
    assert client.post(f"/team/{second.id}/role/", {"role": "king"}).status_code == 404


def test_the_last_owner_cannot_take_it_from_themselves(site):
    client = sign_in(Role.OWNER)
    me = Operator.objects.get()
    page = client.post(f"/team/{me.id}/role/", {"role": "clerk"}, follow=True).content.decode()
    assert "last owner" in page
    assert "cannot remove yourself" in client.post(f"/team/{me.id}/remove/", follow=True).content.decode()
    assert Operator.objects.get().role == Role.OWNER


def test_who_is_removed_is_out_at_once(site):
    owner = sign_in(Role.OWNER)
    clerk = sign_in(Role.CLERK)
    assert clerk.get("/people/").status_code == 200
    gone = Operator.objects.get(email="clerk@example.com")
    owner.post(f"/team/{gone.id}/remove/", {"sure": "yes"})
    assert clerk.get("/people/").status_code == 302


@pytest.mark.parametrize("path", ["", "add/"])
@pytest.mark.parametrize("role", [Role.CLERK, Role.ANALYST])
def test_others_do_not_see_operators(site, role, path):
    assert sign_in(role).get(f"/team/{path}").status_code == 403


@pytest.mark.parametrize("what", ["role", "link", "remove"])
def test_each_change_refuses_a_get_and_a_stranger(site, what):
    client = sign_in(Role.OWNER)
    assert client.get(f"/team/{Operator.objects.get().id}/{what}/").status_code == 405
    assert client.post(f"/team/{uuid.uuid4()}/{what}/", {"role": "clerk"}).status_code == 404
