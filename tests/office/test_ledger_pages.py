"""The ledger as owners read it, and what they are told when somebody changed it."""

import re
import uuid

import pytest

from tests.conftest import both
from tests.office.test_roles import sign_in
from tests.worker.test_intake import drain, signup
from troth.core.purpose import Reason
from troth.kit.roles import Role
from troth.office import access_log_views
from troth.vault import ledger
from troth.vault.models import LedgerHead, LedgerRow, Person


@both
def test_each_use_is_a_row_with_who_what_and_for_what(site):
    site.submit(signup("ada@example.com"))
    drain()
    client = sign_in(Role.OWNER)
    person = Person.objects.get()
    assert client.get(f"/people/{person.id}/").status_code == 200
    page = client.get("/access-log/").content.decode()
    first = re.search(r"<tbody><tr>(.*?)</tr>", page, re.S)[1]
    assert "An Owner" in first and "Viewed a person" in first and "Administration" in first
    assert f"/people/{person.id}/" in first
    assert "Troth<" in page and "Processed submissions" in page
    assert "ada@example.com" not in page


def test_a_use_by_an_operator_who_is_gone_says_so(site):
    ledger.write(Reason.LIST_PEOPLE, uuid.uuid4(), [])
    assert b"Former team member" in sign_in(Role.OWNER).get("/access-log/").content


def test_a_person_who_was_erased_is_no_link(site):
    ledger.write(Reason.SHOW_PERSON, "worker", [uuid.uuid4()])
    page = sign_in(Role.OWNER).get("/access-log/").content
    assert b"Viewed a person" in page and b"/people/0" not in page


def test_a_row_past_its_end_date_is_told_as_forgotten(site):
    ledger.write(Reason.LIST_PEOPLE, "worker", [])
    LedgerRow.objects.update(content=None, salt=None)
    assert b"Expired" in sign_in(Role.OWNER).get("/access-log/").content


def test_older_rows_are_on_further_pages(site):
    for _ in range(120):
        ledger.write(Reason.LIST_PEOPLE, "worker", [])
    client, seen, path = sign_in(Role.OWNER), 0, "/access-log/"
    while path:
        page = client.get(path).content.decode()
        seen += page.count("Viewed contact list")
        more = re.search(r'rel="next" href="(\?before=\d+)"', page)
        path = f"/access-log/{more[1]}" if more else ""
    assert seen == 120


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "٣"])
def test_a_page_that_cannot_be_is_not_there(site, before):
    assert sign_in(Role.OWNER).get("/access-log/", {"before": before}).status_code == 404


@pytest.mark.parametrize("role", [Role.CLERK, Role.ANALYST])
def test_others_may_not_read_it(site, role):
    client = sign_in(role)
    assert client.get("/access-log/").status_code == 403
    assert client.post("/access-log/verify/").status_code == 403


def test_verifying_says_that_the_chain_holds(site):
    ledger.write(Reason.LIST_PEOPLE, "worker", [])
    page = sign_in(Role.OWNER).post("/access-log/verify/").content.decode()
    assert "The access log is intact" in page and LedgerHead.objects.get().link.hex() in page


def test_verifying_finds_what_was_changed(site):
    for _ in range(3):
        ledger.write(Reason.LIST_PEOPLE, "worker", [])
    LedgerRow.objects.filter(number=2).update(content=b"\x90")
    page = sign_in(Role.OWNER).post("/access-log/verify/").content.decode()
    assert "The access log is not intact" in page and "altered" in page


def test_looking_does_not_verify_by_get(site):
    assert sign_in(Role.OWNER).get("/access-log/verify/").status_code == 405


def test_every_reason_has_words():
    assert set(access_log_views._ACTIONS) == set(Reason)
