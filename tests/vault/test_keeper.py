"""The keeper finds one person for one address, opens for a reason that serves, and says so in the ledger first (C2)."""

import shutil
import uuid

import pytest

from tests.conftest import both
from troth.core.personal import EmailAddress, PersonName
from troth.core.purpose import Purpose, Reason
from troth.vault import keeper as keepers
from troth.vault import ledger
from troth.vault.errors import KeyErased, KeyStoreError, RecordDamaged, WrongPurpose
from troth.vault.keeper import keeper, read_site_id
from troth.vault.key_store import KeyStore, path_in
from troth.vault.models import LedgerRow, Person, Record, StoreMark
from troth.vault.records import CONSENT, DETAILS, PENDING, Consent, Details

ACTOR = uuid.UUID(int=42)


def brought(*texts):
    return [Details(EmailAddress(text)) for text in texts]


def filed(text, name="Anna Example"):
    """File a person with details and a consent, as intake does; returns their id."""
    details = Details(EmailAddress(text), PersonName(name))
    (found,) = keeper().find_or_make([details])
    if found.new:
        found.person.save(force_insert=True)
    keeper().record(found, DETAILS, details).save(force_insert=True)
    keeper().record(found, CONSENT, Consent("asked", uuid.uuid4(), 1_000)).save(force_insert=True)
    return found.person.id


def reopened(site):
    keeper().close()
    keepers._keeper.cache_clear()
    return keeper()


def rows():
    return [ledger.read(row) for row in LedgerRow.objects.order_by("number")]


# -- finding ----------------------------------------------------------------------------------------------------------


@both
def test_one_address_in_other_spellings_is_one_person(site):
    who = filed("Anna@bücher.example")
    for spelled in ("anna@BÜCHER.example", " anna@xn--bcher-kva.example ", "ANNA@bu\u0308cher.example"):
        (found,) = keeper().find_or_make(brought(spelled))
        assert (found.person.id, found.new) == (who, False)
        assert keeper().find(ACTOR, EmailAddress(spelled)) == who
    assert Person.objects.count() == 1
    assert keeper().find(ACTOR, EmailAddress("anna@bucher.example")) is None


def test_in_one_batch_the_same_address_is_one_person_and_the_order_stays(site):
    found = keeper().find_or_make(brought("a@example.com", "b@example.com", "A@example.com", "b@example.com"))
    assert found[0] is found[2] and found[1] is found[3] and found[0].person.id != found[1].person.id
    assert all(one.new for one in found)
    assert found[0].key != found[1].key and len(found[0].key) == 32


def test_a_batch_that_was_never_committed_meets_the_same_people(site):
    (before,) = keeper().find_or_make(brought("a@example.com"))
    reopened(site)
    (after,) = keeper().find_or_make(brought("a@example.com"))
    assert (after.person.id, after.person.slot, after.key, after.new) == (
        before.person.id,
        before.person.slot,
        before.key,
        True,
    )
    assert Person.objects.count() == 0


def test_a_search_is_in_the_ledger_whether_or_not_there_is_somebody(site):
    who = filed("a@example.com")
    keeper().find(ACTOR, EmailAddress("a@example.com"))
    keeper().find(ACTOR, EmailAddress("nobody@example.com"))
    assert [(use.reason, use.actor, use.people) for use in rows()] == [
        (Reason.FIND_PERSON, str(ACTOR), [who.bytes]),
        (Reason.FIND_PERSON, str(ACTOR), []),
    ]
    assert b"example" not in b"".join(bytes(row.content) for row in LedgerRow.objects.all())


# -- opening ----------------------------------------------------------------------------------------------------------


@both
def test_opening_gives_what_was_filed_and_one_ledger_row_for_the_batch(site):
    people = [filed(f"a{number}@example.com") for number in range(20)]
    opened = keeper().open_records(Reason.LIST_PEOPLE, actor=ACTOR, person_ids=people)
    assert {who: content[0].email.reveal() for who, content in opened.items()} == {
        who: f"a{number}@example.com" for number, who in enumerate(people)
    }
    (use,) = rows()
    assert (use.reason, use.purpose, use.actor, use.count) == (
        Reason.LIST_PEOPLE,
        Purpose.ADMINISTRATION,
        str(ACTOR),
        20,
    )
    assert use.people == [who.bytes for who in people]
    assert ledger.verify_chain() == []


def test_every_opening_has_its_row(site):
    who = filed("a@example.com")
    record = Record.objects.get(kind=DETAILS).id
    for reason in (reason for reason in Reason if reason.purpose is Purpose.ADMINISTRATION):
        before = LedgerRow.objects.count()
        keeper().open_records(reason, actor=ACTOR, person_ids=[who])
        keeper().open_by_id(reason, actor=ACTOR, record_ids=[record])
        assert LedgerRow.objects.count() == before + 2
    keeper().open_records(Reason.SHOW_CONSENT, actor=ACTOR, person_ids=[who], kind=CONSENT)
    assert rows()[-1].purpose is Purpose.IDENTIFICATION
    assert ledger.verify_chain() == []


def test_the_ledger_is_written_before_anything_is_opened(site, monkeypatch):
    who = filed("a@example.com")

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(ledger, "write", full)
    monkeypatch.setattr(keeper().boxer, "open", lambda *_: pytest.fail("opened without a row in the ledger"))
    with pytest.raises(OSError, match="no space"):
        keeper().open_records(Reason.SHOW_PERSON, actor=ACTOR, person_ids=[who])
    with pytest.raises(OSError, match="no space"):
        keeper().open_by_id(
            Reason.SHOW_PERSON,
            actor=ACTOR,
            record_ids=list(Record.objects.filter(kind=DETAILS).values_list("id", flat=True)),
        )


@both
def test_opening_for_the_wrong_purpose_is_refused_and_opens_nothing(site):
    who = filed("a@example.com")
    details, consent = (Record.objects.get(kind=kind).id for kind in (DETAILS, CONSENT))
    tries = [
        lambda: keeper().open_records(Reason.SHOW_CONSENT, actor=ACTOR, person_ids=[who], kind=DETAILS),
        lambda: keeper().open_records(Reason.SHOW_PERSON, actor=ACTOR, person_ids=[who], kind=CONSENT),
        lambda: keeper().open_by_id(Reason.SHOW_CONSENT, actor=ACTOR, record_ids=[details]),
        lambda: keeper().open_by_id(Reason.SHOW_PERSON, actor=ACTOR, record_ids=[details, consent]),
    ]
    for attempt in tries:
        with pytest.raises(WrongPurpose):
            attempt()
    assert LedgerRow.objects.count() == 0


def test_a_record_relabelled_in_the_database_does_not_open_for_the_other_purpose(site):
    who = filed("a@example.com")
    Record.objects.filter(kind=DETAILS).update(purpose="identification", kind=CONSENT)
    with pytest.raises(RecordDamaged):
        keeper().open_records(Reason.SHOW_CONSENT, actor=ACTOR, person_ids=[who], kind=CONSENT)


def test_a_record_moved_to_another_person_does_not_open(site):
    anna, ben = filed("anna@example.com"), filed("ben@example.com")
    Record.objects.filter(person=anna, kind=DETAILS).update(person=ben)
    with pytest.raises(RecordDamaged) as error:
        keeper().open_records(Reason.SHOW_PERSON, actor=ACTOR, person_ids=[ben])
    assert "anna" not in str(error.value)


def test_records_come_oldest_first_and_only_of_their_kind(site):
    who = filed("a@example.com", "First")
    filed("a@example.com", "Second")
    held = keeper().held(Person.objects.get())
    waiting = keeper().record(held, PENDING, Details(EmailAddress("a@example.com"), PersonName("Third")))
    waiting.save(force_insert=True)
    opened = keeper().open_records(Reason.SHOW_PERSON, actor=ACTOR, person_ids=[who])[who]
    assert [one.name.reveal() for one in opened] == ["First", "Second"]


# -- forgetting -------------------------------------------------------------------------------------------------------


@both
def test_who_is_erased_cannot_be_found_nor_opened_not_even_from_a_backup_of_the_data(site):
    who, other = filed("a@example.com"), filed("b@example.com")
    person, kept = Person.objects.get(id=who), list(Record.objects.filter(person=who))
    key = keeper().held(person).key
    assert keeper().erase([who]) == 1
    assert not Person.objects.filter(id=who).exists() and not Record.objects.filter(person=who).exists()
    assert keeper().find(ACTOR, EmailAddress("a@example.com")) is None
    assert key not in path_in(site.people_keys).read_bytes()
    person.save(force_insert=True)  # a backup of the data is put back
    Record.objects.bulk_create(kept)
    assert keeper().open_records(Reason.SHOW_PERSON, actor=ACTOR, person_ids=[who, other]).keys() == {other}
    assert keeper().open_by_id(Reason.SHOW_PERSON, actor=ACTOR, record_ids=[kept[0].id]) == {}
    with pytest.raises(KeyErased):
        keeper().held(person)
    assert ledger.verify_chain() == []


def test_whoever_comes_back_after_being_erased_is_somebody_new(site):
    before = filed("a@example.com")
    keeper().erase([before])
    after = filed("a@example.com")
    assert after != before and Person.objects.get().slot == 1


def test_erasing_twice_or_nobody_is_no_error(site):
    who = filed("a@example.com")
    assert (keeper().erase([who]), keeper().erase([who]), keeper().erase([])) == (1, 0, 0)


@both
def test_a_lost_index_is_rebuilt_from_the_records_step_by_step(site, monkeypatch):
    monkeypatch.setattr(keepers, "_STEP", 2)
    people = [filed(f"a{number}@example.com") for number in range(3)]
    keeper().index.clear()
    assert keeper().find(ACTOR, EmailAddress("a1@example.com")) is None
    steps = []
    assert keeper().rebuild_index(set, lambda done, count: steps.append((done, count))) == 3
    assert steps == [(2, 3), (3, 3)]
    assert [keeper().find(ACTOR, EmailAddress(f"A{number}@example.com")) for number in range(3)] == people


# -- what is lost or wrong --------------------------------------------------------------------------------------------


def test_the_first_keeper_binds_store_and_data_and_it_stays(site):
    keeper().check()
    assert StoreMark.objects.get().store == keeper().store.id
    reopened(site).check()


def use_everything():
    yield lambda: keeper().check()
    yield lambda: keeper().find_or_make(brought("b@example.com"))
    yield lambda: keeper().find(ACTOR, EmailAddress("a@example.com"))
    yield lambda: keeper().open_records(Reason.SHOW_PERSON, actor=ACTOR, person_ids=[uuid.uuid4()])
    yield lambda: keeper().open_by_id(Reason.SHOW_PERSON, actor=ACTOR, record_ids=[])
    yield lambda: keeper().rebuild_index(set)


@both
def test_a_store_of_other_data_is_told_before_anything_is_done(site):
    filed("a@example.com")
    keeper().close()
    keepers._keeper.cache_clear()
    shutil.move(path_in(site.people_keys), site.root / "before")
    KeyStore.create(site.people_keys)
    for attempt in use_everything():
        with pytest.raises(KeyStoreError, match="do not belong together") as error:
            attempt()
        assert "backups that belong together" in error.value.mend
    assert LedgerRow.objects.count() == 0
    assert path_in(site.people_keys).stat().st_size == 64


def test_data_whose_mark_was_lost_is_told_too(site):
    filed("a@example.com")
    StoreMark.objects.all().delete()
    reopened(site)
    with pytest.raises(KeyStoreError, match="do not belong together"):
        keeper().check()


@both
def test_an_empty_database_beside_a_used_store_is_a_lost_one(site):
    filed("a@example.com")
    Person.objects.all().delete()
    StoreMark.objects.all().delete()
    reopened(site)
    with pytest.raises(KeyStoreError, match="the database was lost") as error:
        keeper().check()
    assert "troth restore" in error.value.mend and not StoreMark.objects.exists()
    keeper().bind()  # as a restore does, which has seen that both are of one site
    keeper().check()


def test_an_older_copy_of_the_store_that_lacks_a_slot_is_told(site):
    shutil.copy(path_in(site.people_keys), site.root / "older")
    who = filed("a@example.com")
    reopened(site).close()
    keepers._keeper.cache_clear()
    shutil.copy(site.root / "older", path_in(site.people_keys))
    with pytest.raises(KeyStoreError, match="do not belong together"):
        keeper().open_records(Reason.SHOW_PERSON, actor=ACTOR, person_ids=[who])


@pytest.mark.parametrize("content", [None, b"", b"TROTHKS1", bytes(64), b"x" * 200])
def test_a_lost_cut_or_foreign_store_is_named_with_a_mend_and_left_alone(site, content):
    path = path_in(site.people_keys)
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(KeyStoreError, match="slots") as error:
        keeper()
    assert "backup" in error.value.mend and Person.objects.count() == 0
    assert not path.exists() if content is None else path.read_bytes() == content


@pytest.mark.parametrize("content", [None, b"", b"not an id", b"\xff\xfe"])
def test_a_lost_or_wrong_site_id_is_named_with_a_mend(site, content):
    site.site_id.unlink() if content is None else site.site_id.write_bytes(content)
    for attempt in (lambda: read_site_id(site), keeper):
        with pytest.raises(KeyStoreError, match="keys/site-id") as error:
            attempt()
        assert "backup" in error.value.mend and Person.objects.count() == 0


def test_another_sites_id_opens_nothing(site):
    who = filed("a@example.com")
    keeper().close()
    keepers._keeper.cache_clear()
    site.site_id.write_text(str(uuid.uuid4()))
    with pytest.raises(RecordDamaged):
        keeper().open_records(Reason.SHOW_PERSON, actor=ACTOR, person_ids=[who])


def test_nothing_shows_a_key_or_a_detail(site):
    (found,) = keeper().find_or_make(brought("anna@example.com"))
    record = keeper().record(found, DETAILS, Details(EmailAddress("anna@example.com")))
    shown = f"{found!r} {found} {keeper()!r} {record!r} {record} {found.person!r}"
    assert "anna" not in shown and found.key.hex() not in shown and repr(found.key) not in shown
