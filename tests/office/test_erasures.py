"""The list of past erasures: when, by whose wish, what went, what a law kept, and whether each receipt is good."""

import json

import pytest

from tests.conftest import both
from tests.office.test_roles import sign_in
from tests.worker.test_intake import drain
from troth.kit.roles import Role
from troth.rights import services
from troth.vault import signing_keys
from troth.vault.models import Erasure, LedgerRow
from troth.worker import publish

ADDRESS, NAME = "wilma.oddsworth@example.com", "Wilma Oddsworth-Quill"


@pytest.fixture
def erased(site, people):
    """`erased(by)` has somebody erased; returns the erasure."""

    def erase(by="shell"):
        found = services.ask_to_erase(people(ADDRESS, NAME), by)
        drain()
        return Erasure.objects.get(id=found.id)

    return erase


@both
def test_each_is_told_with_what_went_and_by_whose_wish_and_names_nobody(desk, erased):
    erased(str(desk.operator.id)), erased("person"), erased("shell"), erased("018f0000-0000-7000-8000-000000000000")
    before = LedgerRow.objects.count()
    page = desk.get("/deletion-log/").content.decode()
    table = page.partition("<table")[2]
    for words in ("Olga", "The person<", "Command line on the server", "Former team member"):
        assert table.count(words) == 1, words
    assert table.count("Contact details: 1") == 4 and table.count("Valid") == 4 and table.count("Nothing") == 4
    assert ADDRESS not in page and "Oddsworth" not in page
    assert LedgerRow.objects.count() == before, "nobody is opened"


def test_what_a_law_kept_is_named(desk, erased, monkeypatch):
    monkeypatch.setattr(services, "must_keep", lambda _person: ["The invoice of 3 May 2026, for ten years."])
    erased()
    assert "The invoice of 3 May 2026, for ten years." in desk.get("/deletion-log/").content.decode()


def test_one_that_waits_is_told_as_such(desk, people):
    services.ask_to_erase(people(), "shell")
    page = desk.get("/deletion-log/").content.decode()
    assert "In progress" in page and "Pending" in page


def test_before_anybody_was_erased_it_says_so(desk):
    assert "No deletions yet" in desk.get("/deletion-log/").content.decode()


def test_a_receipt_that_somebody_changed_is_told_and_its_own_page_says_so(desk, erased):
    erasure = erased()
    Erasure.objects.update(receipt=erasure.receipt.replace("Contact details", "Contact derails"))
    page = desk.get("/deletion-log/").content.decode()
    assert "Invalid" in page and "its signature does not fit" in page and "derails" not in page
    own = desk.get(f"/deletion-log/{erasure.id}/")
    assert own.status_code == 200 and "its signature does not fit" in own.content.decode()


def test_a_receipt_of_another_key_is_told_once_the_keys_are_published(desk, erased, site):
    erased()
    told = json.loads(Erasure.objects.get().receipt)
    publish.publish()
    assert "Invalid" not in desk.get("/deletion-log/").content.decode()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from troth.core import receipts

    signed = json.loads(told["signed"])
    signed.pop("troth_erasure_receipt")
    Erasure.objects.update(receipt=receipts.sign(signed, 1, Ed25519PrivateKey.generate()))
    page = desk.get("/deletion-log/").content.decode()
    assert "Invalid" in page and "another key" in page
    assert signing_keys.public_link_keys()


@both
def test_pages_go_on_and_end(desk, erased, monkeypatch):
    monkeypatch.setattr("troth.office.deletion_log_views._SIZE", 2)
    for _ in range(3):
        erased()
    assert "1–2 of 3" in desk.get("/deletion-log/").content.decode()
    assert "3–3 of 3" in desk.get("/deletion-log/?page=2").content.decode()
    assert desk.get("/deletion-log/?page=3").status_code == 404
    assert desk.get("/deletion-log/?page=x").status_code == 404


@pytest.mark.parametrize("role", [Role.CLERK, Role.ANALYST])
def test_owners_alone_see_it(site, role):
    client = sign_in(role)
    assert client.get("/deletion-log/").status_code == 403
    assert 'href="/deletion-log/"' not in client.get("/").content.decode()


def test_owners_find_it_in_the_menu(desk):
    assert 'href="/deletion-log/"' in desk.get("/").content.decode()
