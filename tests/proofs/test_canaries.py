"""Canaries: made as people are, of many shapes, told from people by nobody, and gone without a trace."""

import random
import re
import subprocess
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.apps import apps

from tests.conftest import both
from tests.people import people
from tests.proofs.scenes import ready
from troth.contact import notices, queries
from troth.contact.models import Message
from troth.core import clock, contact_details
from troth.core.personal import EmailAddress
from troth.core.purpose import BASIC
from troth.gate.models import Delivery
from troth.newsletter.models import Request, Subscription
from troth.people import export
from troth.people import queries as people_service
from troth.people.list_formats import ListFormat, form_of
from troth.proofs.instruments import canaries, search
from troth.proofs.instruments.canaries import planted, take_out
from troth.proofs.instruments.encodings import forms
from troth.proofs.instruments.fake_people import invent
from troth.vault import row_counts
from troth.vault.keeper import keeper
from troth.vault.models import Canary, Person, Record, WorkerState

_STAY = {"LedgerRow", "LedgerHead", "StoreMark", "WorkerState"}
"""What a use of a canary leaves as any use does: opaque ids."""


def rows():
    """How many rows there are, by table, of what could be about somebody."""
    row_counts.fold()
    ours = ("vault", "gate", "newsletter", "contact", "policy", "rights")
    models = [model for label in ours for model in apps.get_app_config(label).get_models()]
    return {model.__name__: model._base_manager.count() for model in models if model.__name__ not in _STAY}


def shape(text):
    return re.sub("[^\\W\\d_]+", "a", re.sub("[0-9]+", "9", text))


@both
def test_canaries_leave_nothing_behind(site, settings):
    ready(site)
    before = rows()
    with planted(5) as made:
        assert Person.with_canaries.count() == 5
        sought = forms(text for canary in made for text in canary.texts())
    assert rows() == before
    assert keeper().index.look_up([keeper().email_digest(one.email) for one in made]) == {}
    looked = search.in_files(search.files_of(site.root), site.root, sought)
    assert looked.files > 5
    assert looked.places == ()
    if settings.TROTH_CONFIG.database.url:
        assert search.in_postgresql(sought).places == ()


@both
def test_nobody_is_mailed_for_them_and_no_operator_is_told(site, settings):
    import msgspec

    office = msgspec.structs.replace(settings.TROTH_CONFIG.office, notify=["desk@example.org"])
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, office=office)
    ready(site)
    with planted(4) as made:
        assert any(one.has_written for one in made)
        assert Delivery.with_canaries.count() == 0


def test_a_notice_of_a_real_message_leaves_at_once_and_counts_it_alone(site, settings):
    import msgspec

    office = msgspec.structs.replace(settings.TROTH_CONFIG.office, notify=["desk@example.org"])
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, office=office)
    ready(site)
    with planted(5):
        site.submit(message())
        people.drain()
        row = Delivery.objects.get()
        assert row.next_at <= clock.now()
        row.created_at -= timedelta(hours=1)  # before those whom the proof invented wrote
        assert notices.compose_notices([row])[row.id].count == 1


def message(text="Does it run on Tuesdays?"):
    from troth.contact.entry import ContactMessage
    from troth.core.personal import MessageText

    return ContactMessage(EmailAddress("wilma@example.com"), message=MessageText(text))


def test_they_are_of_every_state_that_people_are_in(site, settings):
    ready(site)
    with planted(12):
        states = set(Subscription.with_canaries.values_list("state", flat=True))
        assert states == {Subscription.State.WAITING, Subscription.State.CONFIRMED}
        assert Person.with_canaries.filter(frozen_at__isnull=False).count() == 1
        assert Message.with_canaries.exists()


def test_nothing_that_is_kept_of_them_tells_them_from_people(site, settings):
    ready(site)
    with planted(2) as made:
        columns = {field.name for field in Person._meta.get_fields()}
        assert not any("canary" in name or "proof" in name for name in columns)
        record = Record.with_canaries.filter(person=made[0].person, kind="details").get()
        site.submit(people.signup())
        people.drain()
        real = Record.objects.get(kind="details")
        assert (record.purpose, record.kind, bytes(record.box)[:1]) == (real.purpose, real.kind, bytes(real.box)[:1])


def test_their_shapes_are_many_and_new_each_time():
    made = [invent(random.Random(seed)) for seed in range(600)]
    assert len({one.email for one in made}) == len(made)
    assert len({shape(one.email) for one in made}) > 40
    assert len({shape(one.name) for one in made}) > 8
    assert len({shape(one.telephone) for one in made}) > 12
    # Of twelve, as a full trial has them, several have a shape that none of the twelve before them had.
    before, then = ({re.sub("[a-z]", "a", one.email.lower()) for one in made[at : at + 12]} for at in (0, 12))
    assert len(then - before) >= 6


@pytest.mark.parametrize("seed", range(200))
def test_what_they_type_is_what_a_form_takes(seed):
    made = invent(random.Random(seed))
    for category in BASIC:
        text = getattr(made, category.value)
        assert contact_details.check(category, contact_details.tidy(text, category)) == text


def test_no_two_share_a_text_that_is_looked_for(site, settings):
    ready(site)
    with planted(12) as made:
        seen = {}
        for one in made:
            for text in one.texts():
                assert seen.setdefault(text, one.person) == one.person, shape(text)


def test_an_address_that_somebody_has_is_not_used(site, settings, monkeypatch):
    ready(site)
    site.submit(people.signup())
    people.drain()
    real = Person.objects.get()
    there = invent(random.Random(1))
    taken = replace(there, email=people.ADDRESS)
    draws = iter([taken, *(invent(random.Random(seed)) for seed in range(2, 9))])
    monkeypatch.setattr(canaries, "invent", lambda draw: next(draws))
    with planted(2) as made:
        assert real.id not in {one.person for one in made}
    assert Person.objects.filter(id=real.id).exists()


@both
def test_those_of_a_proof_that_was_cut_short_are_taken_out_by_the_next(site, settings):
    ready(site)
    plant = planted(3)
    left = plant.__enter__()
    held, plant.gen = plant.gen, None  # as a kill leaves it: nothing after the yield runs
    assert Person.with_canaries.count() == 3
    with planted(2) as made:
        assert Person.with_canaries.count() == 2
        assert {one.person for one in made}.isdisjoint({one.person for one in left})
    assert Person.with_canaries.count() == 0
    held.close()


def test_what_a_killed_proof_leaves_is_told_to_nobody(site, settings):
    import msgspec

    office = msgspec.structs.replace(settings.TROTH_CONFIG.office, notify=["desk@example.org"])
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, office=office)
    ready(site)
    plant = planted(5)
    plant.__enter__()
    held, plant.gen = plant.gen, None
    site.submit(message("Is there anybody?"))
    people.drain()
    (row,) = Delivery.objects.all()
    row.created_at -= timedelta(hours=1)
    assert notices.compose_notices([row])[row.id].count == 1
    assert (people_service.counts().all, queries.counts()["waiting"], exported()) == (1, 1, 1)
    held.close()


def exported():
    return sum(count for count, _ in export.ListExport("shell", form_of(ListFormat.TROTH, None)).parts())


def test_those_whom_an_older_version_left_are_taken_out(site, settings):
    ready(site)
    plant = planted(2)
    left = plant.__enter__()
    held, plant.gen = plant.gen, None
    Canary.objects.all().delete()  # there was no mark then
    (site.people_keys / "proving").write_bytes(b"".join(one.person.bytes for one in left))
    (site.people_keys / "proving-late").write_bytes(left[0].person.bytes)
    take_out()
    assert Person.with_canaries.count() == 0
    assert not [*site.people_keys.glob("proving*")]
    held.close()


def test_whose_call_may_lie_in_the_spool_stays_until_it_is_filed(site, settings):
    ready(site)
    with planted(2) as made:
        caller = made[-1]
        with canaries.calling(caller):
            pass  # never filed
    assert set(Person.with_canaries.values_list("id", flat=True)) == {caller.person}
    WorkerState.objects.update_or_create(id=1, defaults={"started_at": clock.now(), "beat_at": clock.now()})
    take_out()
    assert Person.with_canaries.count() == 1  # it was put there a moment ago
    Canary.objects.update(calls_since=clock.now() - timedelta(seconds=120))
    take_out()
    assert Person.with_canaries.count() == 0


def test_who_is_frozen_is_mailed_nothing_when_they_sign_up_again(site, settings):
    from troth.gate import outbox
    from troth.worker.composers import COMPOSERS

    ready(site)
    with planted(2) as made:
        caller = made[-1]
        site.submit(people.signup(caller.invented.email, caller.invented.name))
        people.drain()
        assert Request.with_canaries.filter(subscription__person=caller.person).count() == 2
        assert outbox.claim(10, COMPOSERS) == []
        assert Delivery.with_canaries.get(person=caller.person).state == Delivery.State.SUPPRESSED


def test_only_proofs_turn_details_of_canaries_into_text():
    found = subprocess.run(
        ["/usr/bin/grep", "-rl", "from troth.proofs.instruments.encodings", "src/troth"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    mails = "contact_basic contact_not_shared contact_not_shared_mail contact_not_shared_pages".split()
    cards = "cards_encrypted cards_not_kept".split()
    allowed = {
        f"src/troth/proofs/{name}.py"
        for name in (*mails, *cards, "visitors", "instruments/canaries", "instruments/search")
    }
    assert {path for path in found if path.endswith(".py")} <= allowed


def test_ids_are_read_whole_whatever_was_cut(tmp_path):
    one = uuid.uuid4()
    path = tmp_path / "proving"
    path.write_bytes(one.bytes + b"torn")
    assert canaries._ids(path) == [one]
    assert canaries._ids(tmp_path / "none") == []
