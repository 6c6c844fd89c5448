"""An export of one person that carries somebody else's details stops, waits for an owner, and tells nobody why."""

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from tests.conftest import both
from tests.office.test_people import uses
from tests.office.test_roles import sign_in
from tests.people.people import answered, signed_up, signup
from tests.worker.test_intake import drain
from troth.cli.app import app
from troth.core import clock
from troth.core.purpose import Reason
from troth.kit.roles import Role
from troth.policy import retention
from troth.rights import held_exports, services
from troth.rights.models import HeldExport
from troth.rights.room import HELD_EXPORTS_KEPT
from troth.vault.models import Erasure, LedgerRow, Person

ADA, BEA = "ada@example.com", "bb77@example.org"


@pytest.fixture
def ada(site):
    """Ada wrote, and was answered with Bea's address; Bea is on the list."""
    signed_up(site, signup(BEA, "Bea Byron"))
    return answered(site, ADA, "Whom do I ask?", f"Ask {BEA}.")


def asked(client, person, form="json"):
    return client.post(f"/people/{person}/export/", {"form": form}, follow=True)


@both
def test_it_stops_and_whoever_asked_hears_neither_why_nor_of_whom(ada):
    clerk = sign_in(Role.CLERK)
    answer = asked(clerk, ada)
    assert answer.redirect_chain == [(f"/people/{ada}/", 302)]
    page = answer.content.decode()
    assert "until an owner has reviewed it" in page
    assert "email address" not in page and BEA not in page
    held = HeldExport.objects.get()
    assert (held.person_id, held.reason, held.tripped) == (ada, "leak", "email")
    assert "Content-Disposition" not in answer.headers
    asked(clerk, ada, "html")
    assert HeldExport.objects.count() == 1


@both
def test_an_owner_sees_it_lets_it_go_and_then_it_comes(ada):
    owner, clerk = sign_in(Role.OWNER), sign_in(Role.CLERK)
    asked(clerk, ada)
    assert "1 held export." in owner.get("/").content.decode()
    page = owner.get("/held/").content.decode()
    assert "somebody else’s email address" in page and f"/people/{ada}/" in page
    assert page.count(BEA) == 1, "an owner sees what holds it"
    held = HeldExport.objects.get()
    assert (
        "It can now be downloaded"
        in owner.post(f"/held/{held.id}/release/", {"sure": "yes"}, follow=True).content.decode()
    )
    assert BEA in asked(clerk, ada).content.decode()
    assert "No held mail" in owner.get("/held/").content.decode()
    assert "held export" not in owner.get("/").content.decode()


def test_what_was_let_go_passes_for_a_day_and_no_longer(ada):
    owner = sign_in(Role.OWNER)
    asked(owner, ada)
    owner.post(f"/held/{HeldExport.objects.get().id}/release/", {"sure": "yes"})
    HeldExport.objects.update(decided_at=clock.now() - held_exports.PASSES)
    assert "until an owner has reviewed it" in asked(owner, ada).content.decode()
    assert HeldExport.objects.count() == 2


def test_what_was_dropped_does_not_come(ada):
    owner = sign_in(Role.OWNER)
    asked(owner, ada)
    assert (
        "It will not be released"
        in owner.post(f"/held/{HeldExport.objects.get().id}/drop/", {"sure": "yes"}, follow=True).content.decode()
    )
    assert BEA not in asked(owner, ada).content.decode()


def test_another_persons_export_is_not_let_go_with_it(ada, site):
    other = answered(site, "carl@example.com", "And I?", f"Ask {BEA}.")
    owner = sign_in(Role.OWNER)
    asked(owner, ada)
    owner.post(f"/held/{HeldExport.objects.get().id}/release/", {"sure": "yes"})
    assert BEA not in asked(owner, other).content.decode()


def test_what_the_person_wrote_themselves_comes_back_to_them(site, people, desk):
    people(BEA, "Bea Byron")
    ada = answered(site, ADA, f"I know {BEA} and Bea Byron.", "So do we.")
    assert BEA in asked(desk.client, ada).content.decode()
    assert not HeldExport.objects.exists()


def test_the_opening_is_in_the_ledger_though_it_was_held(ada, desk):
    LedgerRow.objects.all().delete()
    desk.post(f"/people/{ada}/export/", {"form": "json"})
    told = [use for use in uses() if use.reason is Reason.EXPORT_PERSON]
    assert told and {use.actor for use in told} == {str(desk.operator.id)}


def test_the_file_is_stored_nowhere_and_its_name_names_nobody(people, desk):
    who = people()
    answer = desk.post(f"/people/{who}/export/", {"form": "html"})
    assert answer.headers["Cache-Control"] == "no-store"
    name = answer.headers["Content-Disposition"].partition("filename=")[2].strip('"')
    assert name == f"export-{clock.now():%Y-%m-%d}.html"


@pytest.mark.parametrize("role", [Role.CLERK, Role.ANALYST])
def test_nobody_but_an_owner_lets_it_go(ada, role):
    asked(sign_in(Role.OWNER), ada)
    held = HeldExport.objects.get()
    client = sign_in(role)
    assert client.post(f"/held/{held.id}/release/", {"sure": "yes"}).status_code == 403
    assert client.post(f"/held/{held.id}/drop/", {"sure": "yes"}).status_code == 403
    assert HeldExport.objects.get().decided_at is None


def test_from_the_shell_it_stops_as_well_and_is_let_go_by_its_id(ada, monkeypatch):
    monkeypatch.setattr("troth.operate.site_session.in_site", lambda _root, warn=None: None)
    run = CliRunner().invoke
    done = run(app, ["people", "export", ADA])
    assert isinstance(done.exception, held_exports.ExportHeld) and BEA not in done.output
    (told,) = json.loads(run(app, ["held", "list", "--json"]).stdout)
    assert (told["kind"], told["person"], told["categories"]) == ("Data export", str(ada), ["email"])
    assert "of " + str(ada) in run(app, ["held", "list"]).stdout
    assert run(app, ["held", "release", told["id"]]).exit_code == 0
    assert BEA in run(app, ["people", "export", ADA]).stdout


def test_it_goes_with_its_person_and_after_a_month(ada, site):
    owner = sign_in(Role.OWNER)
    asked(owner, ada)
    HeldExport.objects.update(asked_at=clock.now() - HELD_EXPORTS_KEPT - timedelta(minutes=1))
    retention.sweep()
    assert not HeldExport.objects.exists()
    asked(owner, ada)
    services.ask_to_erase(ada, "test")
    drain()
    assert not HeldExport.objects.exists() and Erasure.objects.get().done_at
    assert not Person.objects.filter(id=ada).exists()
