"""Tokens in the office and at the shell: made by owners only, shown once, ended for good."""

import json
import re

import pytest
from django.test import Client

from tests.cli.running import troth
from tests.office.test_roles import sign_in
from troth.audience.api import tokens
from troth.audience.models import ApiToken
from troth.kit.roles import Role
from troth.operate import create_site

PAGE = "/api-tokens/"


@pytest.mark.parametrize("role", [Role.CLERK, Role.ANALYST])
def test_only_an_owner_sees_makes_or_ends_tokens(site, role):
    tokens.add("a test")
    client, kept = sign_in(role), ApiToken.objects.get()
    assert client.get(PAGE).status_code == client.post(PAGE, {"name": "x"}).status_code == 403
    assert client.post(f"{PAGE}{kept.id}/revoke/").status_code == 403
    assert ApiToken.objects.count() == 1


def test_nobody_who_is_not_signed_in_sees_them(site):
    assert Client(SERVER_NAME="localhost").get(PAGE).status_code == 302


def test_a_token_is_shown_once_and_works(site):
    client = sign_in(Role.OWNER)
    shown = client.post(PAGE, {"name": "monthly  spreadsheet"}).content.decode()
    token = re.search(r"troth_[\w-]{43}", shown)[0]
    assert tokens.known(token) and ApiToken.objects.get().name == "monthly spreadsheet"
    later = client.get(PAGE).content.decode()
    assert token not in later and "monthly spreadsheet" in later


def test_it_is_ended_with_one_button_and_the_page_says_so(site):
    token = tokens.add("a test")
    client = sign_in(Role.OWNER)
    answer = client.post(f"{PAGE}{ApiToken.objects.get().id}/revoke/", {"sure": "yes"}, follow=True)
    assert "Revoked: a test" in answer.content.decode()
    assert tokens.known(token) is None
    assert client.get(f"{PAGE}00000000-0000-7000-8000-000000000000/revoke/").status_code == 405


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a test", "tab\x00s"])
def test_a_name_that_will_not_do_is_refused_with_the_reason(site, name):
    tokens.add("a test")
    answer = sign_in(Role.OWNER).post(PAGE, {"name": name})
    assert answer.status_code == 422 and ApiToken.objects.count() == 1


def test_there_is_an_end_to_how_many_there_are(site, monkeypatch):
    monkeypatch.setattr(tokens, "MOST", 1)
    tokens.add("one")
    with pytest.raises(tokens.TokenError, match="There are 1"):
        tokens.add("another")


def test_the_shell_makes_lists_and_ends_them(tmp_path):
    site = str(create_site.init(tmp_path / "site").root)
    made = troth("audience", "token", "add", "a script", "--site", site)
    assert made.returncode == 0 and re.fullmatch(r"troth_[\w-]{43}\n", made.stdout), made.stderr
    told = json.loads(troth("audience", "token", "list", "--json", "--site", site).stdout)
    assert [(one["name"], one["used_on"]) for one in told] == [("a script", None)]
    assert "never used" in troth("audience", "token", "list", "--site", site).stdout
    assert made.stdout.strip().encode() not in b"".join(
        path.read_bytes() for path in (tmp_path / "site" / "data").glob("*") if path.is_file()
    )
    twice = troth("audience", "token", "add", "a script", "--site", site)
    assert twice.returncode == 1 and "exists already" in twice.stderr
    assert troth("audience", "token", "revoke", "a script", "--site", site).stdout == "Revoked: a script.\n"
    gone = troth("audience", "token", "revoke", "a script", "--site", site)
    assert gone.returncode == 1 and "No token has that name" in gone.stderr
    assert troth("audience", "token", "list", "--site", site).stdout == "There are no tokens.\n"
