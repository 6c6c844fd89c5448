"""While proofs are being run, nobody who works here sees an invented person, and no count knows of one."""

import re
import uuid
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from django.apps import apps
from django.conf import settings as django
from django.db import models

from tests.conftest import both
from tests.office.test_openings import addresses, order_of, there  # noqa: F401 - a fixture
from tests.office.test_roles import sign_in
from tests.proofs.scenes import scene
from troth.audience.api import endpoints, tokens
from troth.audience.counting.cells import ALL, Cell, Dim, Sums
from troth.audience.counting.commit import entries
from troth.audience.counting.counter import GroupCommit
from troth.audience.counting.registers import Rise
from troth.audience.public import page
from troth.audience.services import file_counts
from troth.contact import notices
from troth.contact.mails import REPLY
from troth.contact.models import Label, Message, Thread
from troth.core import clock
from troth.core.entry import came
from troth.core.ids import new_id
from troth.core.purpose import Reason
from troth.gate import outbox
from troth.gate.models import Delivery
from troth.kit.roles import Role
from troth.office import metrics, system_status
from troth.people import export
from troth.people.list_formats import ListFormat, form_of
from troth.policy import retention
from troth.proofs import contact_not_shared_mail, contact_purpose
from troth.rights.models import HeldExport, RightsRequest
from troth.shop.models import Order
from troth.vault import ledger
from troth.vault.keeper import keeper
from troth.vault.models import Canary, LedgerRow, LegalHold, LegalRecord, Person, RealHolds, RealPeople
from troth.worker import report_mail, status

NOT_OURS = ("account_", "mfa_")
GO_BACK = ("thread_label", "held_release", "held_drop")
"""Addresses that lead back to their list, with a word that nothing was done."""
_TOKENS = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": ?"[^"]*"|nonce="[^"]*"')

_NOT_INVENTED = re.compile(r'"invented" = False|NOT "\w+"\."invented"')
"""As the databases say it."""


@contextmanager
def halfway(site, settings):
    """A full run halfway: canaries planted, opened and found, with something in every table that leads to a person."""
    with scene(site, settings, count=12, light=False) as here:
        list(contact_not_shared_mail._samples(here))
        canary = next(one for one in here.canaries if one.has_written)
        for _what, _reason, way in contact_purpose._accesses(canary.person, here):
            way()
        keeper().open_records(Reason.SHOW_PERSON, actor="worker", person_ids=[canary.person])
        now = clock.now() - timedelta(days=1)
        for state in Delivery.State.values:
            made = outbox.new(REPLY, uuid4(), canary.person, "example.com")
            made.state, made.reason, made.tripped, made.done_at = state, "auth", "email", now
            made.save(force_insert=True)
        HeldExport.with_canaries.create(person_id=canary.person, asked_by="shell", reason="leak", asked_at=now)
        RightsRequest.with_canaries.create(person_id=canary.person, expires_at=now)
        thread = Thread.with_canaries.filter(person=canary.person).first()
        thread.labels.add(Label.objects.get_or_create(name="invoices")[0])
        thread.created_at = thread.last_at = now
        thread.save()
        sums = Sums()
        for cell in (ALL, Cell(Dim.PAGE, "/docs"), Cell(Dim.SOURCE, "DuckDuckGo")):
            sums.add(cell, views=9, visits=9)
        taken = GroupCommit(today().isoformat(), 9, sums, [Rise(ALL, 7, 3)], proof=True)
        file_counts([came(new_id(), one) for one in entries(taken)], settings.TROTH_CONFIG.zone)
        order_of(canary.person)
        yield here, canary, thread


def today():
    return clock.now().astimezone(django.TROTH_CONFIG.zone).date()


def told(there, client):  # noqa: F811
    """All that anybody is told: each page and file of the office, figures, exports, mails to operators."""
    found = {}
    for one, path in addresses(there):
        if one.name and not one.name.startswith(NOT_OURS) and one.name != "access_log":
            answer = client.get(path)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            found[path] = (answer.status_code, _TOKENS.sub("", body.decode()))
    label = Label.objects.get_or_create(name="invoices")[0]
    more = [f"/people/?state={state}" for state in ("waiting", "confirmed", "left")]
    more += [f"/inbox/?state={state}" for state in ("waiting", "answered", "closed", "all")]
    more += [f"/orders/?state={state}" for state in Order.State.values]
    for path in (*more, f"/inbox/?label={label.id}"):
        found[path] = _TOKENS.sub("", client.get(path).content.decode())
    for path in ("/people/search/", "/inbox/search/"):
        found[path] = _TOKENS.sub("", client.post(path, {"sought": "Example"}).content.decode())
    found["/orders/search/"] = _TOKENS.sub("", client.post("/orders/search/", {"sought": "4242"}).content.decode())
    found["metrics"] = "".join(metrics.lines(system_status.gather()))
    found["status"] = repr(status.report())
    found["list"] = b"".join(part for _, part in export.ListExport("shell", form_of(ListFormat.TROTH, None)).parts())
    found["reasons"] = repr(outbox.failures())
    found["retention"] = repr([(kind.name, kind.oldest()) for kind in retention.kinds()])
    row = outbox.new(notices.NOTICE, next(iter(notices.told())), None, "example.com")
    row.created_at = clock.now() - timedelta(days=2)
    found["notice"] = notices.compose_notices([row])[row.id].count
    found["report"] = repr(report_mail.last_week())
    bearer = {"authorization": f"Bearer {there['bearer']}"}
    for one in endpoints.ENDPOINTS:
        path = one.path.replace("{dim}", "page").replace("{by}", "source")
        found[path] = client.get(path, headers=bearer).content
    found["public"] = repr(page.made(None))
    found["visitors"] = client.get(f"/visitors/?from={today()}&to={today()}").content.count(b"/docs")
    found["adds up"] = sum(outbox.counts().values()) == Delivery.objects.count()
    return found


@both
def test_halfway_through_a_run_nothing_that_people_see_has_changed(site, settings, there):  # noqa: F811
    office = msgspec.structs.replace(settings.TROTH_CONFIG.office, notify=["desk@example.org"])
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, office=office)
    with clock.hold(clock.now()):
        client, there["bearer"] = sign_in(Role.OWNER), tokens.add("another")
        told(there, client)  # what a first look changes has been changed
        before = told(there, client)
        with halfway(site, settings) as (here, canary, thread):
            seen = told(there, client)
            assert {what for what in before if before[what] != seen.get(what)} == set()
            details = [text for one in here.canaries for text in one.texts()]
            whole = repr(seen)
            assert not [text for text in details if text in whole]
            theirs = {**there, "person_id": canary.person, "thread_id": thread.id}
            theirs["cause_id"] = uuid.uuid4()  # none is made for a canary
            theirs["held_id"] = Delivery.with_canaries.get(person=canary.person, state="held").id
            theirs["order_id"] = Order.with_canaries.get(person=canary.person).id
            for one, path in addresses(theirs):
                if {"person_id", "thread_id", "held_id", "order_id"} & one.pattern.converters.keys():
                    assert client.get(path).status_code in (404, 405), path
                    did = client.post(path, {"frozen": "yes", "state": "closed", "name": "invoices"})
                    assert did.status_code in (404, 405) or one.name in GO_BACK, path
            assert list(thread.labels.values_list("name", flat=True)) == ["invoices"]
            assert Delivery.with_canaries.filter(person=canary.person, state="held").count() == 1
            for sought in (canary.invented.email, canary.invented.name, f"@{canary.invented.email.partition('@')[2]}"):
                for path in ("/people/search/", "/inbox/search/"):
                    found = client.post(path, {"sought": sought}, follow=True)
                    assert str(canary.person) not in found.content.decode()
                    assert f"/{thread.id}/" not in found.content.decode()


@both
def test_the_ledger_names_the_proof_run_and_shows_it_when_asked(site, settings, people):
    real = people()
    with halfway(site, settings) as (_, canary, _thread):
        client = sign_in(Role.OWNER)
        plain, whole = client.get("/access-log/").content.decode(), client.get("/access-log/?proofs").content.decode()
        assert "Proof run" not in plain and "who is gone" not in plain
        assert plain.count("<time") == LedgerRow.objects.filter(proof=False).count()
        assert whole.count("Proof run") == 50 < LedgerRow.objects.filter(proof=True).count()
        assert "who is gone" not in whole and str(canary.person) not in whole
        ledger.write(Reason.LIST_PEOPLE, "worker", [real, canary.person])
        *_, hidden, shown = LedgerRow.objects.order_by("number")
        assert ledger.read(shown).people == [real.bytes] and ledger.read(hidden).people == [canary.person.bytes]
    assert ledger.verify_chain() == []
    assert (
        client.get("/access-log/?proofs").content.decode().count("Proof run") > 8
    )  # they are gone, their rows are not


def test_a_row_that_is_hidden_for_a_proof_s_is_altered(site, people):
    people()
    row = LedgerRow.objects.order_by("number").first()
    LedgerRow.objects.filter(number=row.number).update(proof=True)
    assert [(one.number, one.what) for one in ledger.verify_chain()] == [(row.number, "altered")]


def leads_to_a_person(model):
    """Whether its rows are about one person."""
    ways = [field.related_model for field in model._meta.get_fields() if field.many_to_one or field.one_to_one]
    return any(way in (Person, Thread, Message) or leads_to_a_person(way) for way in ways if way and way is not model)


def test_whatever_leads_to_a_person_leaves_canaries_out_unless_it_says_otherwise():
    ours = [model for model in apps.get_models() if model.__module__.startswith("troth.")]
    about = [one for one in ours if one is Person or (one is not Canary and leads_to_a_person(one))]
    assert {"Person", "Record", "Request", "Message", "Delivery", "HeldExport"} <= {one.__name__ for one in about}
    for model in about:
        if model._meta.auto_created:
            continue  # a thread's labels
        assert type(model._base_manager) is models.Manager, model
        query = str(model._default_manager.all().query)
        if model in (LegalHold, LegalRecord):  # they outlive their person, and carry the mark themselves
            assert isinstance(model._default_manager, RealHolds) and len(_NOT_INVENTED.findall(query)) == 1
        else:
            assert isinstance(model._default_manager, RealPeople), model
            assert query.count("vault_canary") == 1


@pytest.mark.parametrize("count", [1, 3])
def test_one_real_person_among_many_is_found_at_every_page_of_the_list(site, settings, people, count):
    real = [people(f"p{number}@example.com", "P") for number in range(count)]
    with scene(site, settings, count=12):
        assert set(Person.objects.values_list("id", flat=True)) == set(real)
        assert keeper().find_by_digest("shell", keeper().index.domain_digest("@example.com")) == real[::-1]
