"""Held mails: owners see that one waits and why, never whose details it carries; they send it or drop it."""

import json
import uuid

import pytest
from typer.testing import CliRunner

from tests.conftest import both
from tests.office.test_roles import sign_in
from tests.worker.test_intake import drain, signup
from troth.cli.app import app
from troth.core.purpose import Category, Reason
from troth.gate import outbox
from troth.gate.mailer import HeldMail
from troth.gate.models import Delivery
from troth.kit.roles import Role
from troth.vault import ledger
from troth.vault.models import LedgerRow, Person
from troth.worker.composers import COMPOSERS


@pytest.fixture
def waiting(site):
    site.submit(signup("ada@example.com"))
    drain()
    (job,) = outbox.claim(10, COMPOSERS)
    outbox.record(job, HeldMail("leak", (Category.EMAIL, Category.NAME)))
    return job.delivery


@both
def test_an_owner_sees_what_waits_and_the_ledger_says_so(waiting):
    page = sign_in(Role.OWNER).get("/held/").content.decode()
    assert "somebody else’s email address and full name" in page
    assert f"/people/{Person.objects.get().id}/" in page and "ada@example.com" not in page
    use = ledger.read(LedgerRow.objects.latest("number"))
    assert use.reason is Reason.LIST_HELD and use.people == [Person.objects.get().id.bytes]


def test_today_says_that_one_waits(waiting):
    assert "1 held email." in sign_in(Role.OWNER).get("/").content.decode()


def test_sent_or_dropped_it_waits_no_more(waiting):
    client = sign_in(Role.OWNER)
    assert client.post(f"/held/{waiting}/release/", {"sure": "yes"}, follow=True).status_code == 200
    assert (Delivery.objects.get().state, Delivery.objects.get().released) == ("queued", True)
    assert "no longer held" in client.post(f"/held/{waiting}/drop/", {"sure": "yes"}, follow=True).content.decode()
    assert Delivery.objects.get().state == "queued"
    assert "No held mail" in client.get("/held/").content.decode()


def test_dropping_is_for_good(waiting):
    sign_in(Role.OWNER).post(f"/held/{waiting}/drop/", {"sure": "yes"})
    assert (Delivery.objects.get().state, Delivery.objects.get().reason) == ("suppressed", "dropped")


@pytest.mark.parametrize("role", [Role.CLERK, Role.ANALYST])
def test_nobody_but_an_owner_sees_or_sends(waiting, role):
    client = sign_in(role)
    assert client.get("/held/").status_code == 403
    assert client.post(f"/held/{waiting}/release/", {"sure": "yes"}).status_code == 403
    assert client.post(f"/held/{waiting}/drop/", {"sure": "yes"}).status_code == 403
    assert Delivery.objects.get().state == "held"


def test_looking_changes_nothing(waiting):
    client = sign_in(Role.OWNER)
    assert client.get(f"/held/{waiting}/release/").status_code == 405
    assert Delivery.objects.get().state == "held"


def test_the_same_from_the_shell(waiting, monkeypatch):
    monkeypatch.setattr("troth.operate.site_session.in_site", lambda _root, warn=None: None)
    run = CliRunner().invoke
    (told,) = json.loads(run(app, ["held", "list", "--json"]).stdout)
    assert (told["id"], told["reason"], told["categories"]) == (str(waiting), "leak", ["email", "name"])
    assert str(waiting) in run(app, ["held", "list"]).stdout
    assert run(app, ["held", "release", str(uuid.uuid4())]).exit_code == 1
    assert run(app, ["held", "release", str(waiting)]).exit_code == 0
    assert run(app, ["held", "drop", str(waiting)]).exit_code == 1
    assert run(app, ["held", "list"]).stdout == "Nothing is held.\n"
