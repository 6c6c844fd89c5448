"""What a law requires to be kept outlives its person under a key of its own, opens for that alone, ends on its day."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec import structs

from tests.conftest import both
from tests.people.people import ADDRESS, drain, signed_up, signup
from tests.vault.law import DAY, INVOICE, LAST, SOLD, invoice, sold, till  # noqa: F401 - a fixture
from troth.core import clock
from troth.core.personal import EmailAddress, PersonName, PostalAddress, Telephone
from troth.core.purpose import Reason
from troth.gate.leak_check import Leaks
from troth.policy import data_map, retention
from troth.rights import services
from troth.vault import ledger, legal_holds
from troth.vault.errors import KeyErased, RetentionRefused, WrongPurpose
from troth.vault.keeper import keeper
from troth.vault.key_store import path_in
from troth.vault.models import Canary, LedgerRow, LegalHold, LegalRecord, Person, Record
from troth.vault.records import DETAILS, Boxer, Details

pytestmark = pytest.mark.usefixtures("till")
WILMA = Details(
    EmailAddress(ADDRESS), PersonName("Wilma Oddsworth"), Telephone("+49 30 90182099"), PostalAddress("Lane 7\nBerlin")
)
AFTER = datetime(2037, 1, 1, 12, tzinfo=UTC)


def erase(person):
    services.ask_to_erase(person.id, services.PERSON)
    drain()
    assert not Person.objects.filter(id=person.id).exists()


def found(number="2026-0001"):
    return keeper().holds.find("test", number)


def newest_use():
    return ledger.read(LedgerRow.objects.latest("number"))


@both
def test_erased_the_first_key_is_gone_at_once_and_the_second_opens_by_number(site):
    person = signed_up(site)
    vault, record = keeper(), sold(person.id, WILMA)
    hold = LegalHold.objects.get()
    first, second = vault.store.key(person.slot, person.id), vault.store.hold_key(hold.slot, hold.id)
    assert first != second.key and second.until == LAST
    erase(person)
    with pytest.raises(KeyErased):
        vault.store.key(person.slot, person.id)
    slots = path_in(site.people_keys).read_bytes()
    assert first not in slots and second.key in slots
    (kept,) = found()
    assert (kept.id, kept.until, kept.content.text.reveal()) == (record, LAST, SOLD)
    assert kept.content.named == WILMA
    assert newest_use().people == [hold.id.bytes] and newest_use().reason is Reason.SHOW_RETAINED
    assert LegalHold.objects.get().person is None


@both
def test_nothing_but_the_number_leads_to_what_is_kept_of_who_is_erased(site):
    person = signed_up(site)
    sold(person.id, WILMA)
    erase(person)
    vault = keeper()
    assert vault.find("test", WILMA.email) is None
    for kind, value in (("name", WILMA.name), ("telephone", WILMA.telephone)):
        assert vault.find_all("test", kind, value) == []
    assert Record.objects.count() == 0 and vault.holds.of_person(Reason.EXPORT_PERSON, "person", person.id) == []
    assert [digest for digest in vault.index.digests(WILMA) if vault.index.look_up_all(digest, 5)] == []
    assert found("2026-0002") == [] and found(ADDRESS) == []
    assert found(" 2026-0001 ")[0].content.number == "2026-0001"


@both
def test_who_is_erased_and_comes_again_is_somebody_new_and_can_be_erased_again(site):
    first = signed_up(site)
    sold(first.id, WILMA)
    erase(first)
    second = signed_up(site)
    assert second.id != first.id and services.must_keep(second.id) == []
    assert keeper().holds.of_person(Reason.EXPORT_PERSON, "person", second.id) == []
    sold(second.id, WILMA, "2026-0002")
    assert LegalHold.objects.count() == 2
    erase(second)
    assert [found(number)[0].content.named == WILMA for number in ("2026-0001", "2026-0002")] == [True, True]
    assert LegalHold.objects.filter(person=None).count() == 2


def test_one_key_serves_one_person_one_duty_and_one_last_day(site):
    ada, bob = signed_up(site, signup("ada@example.com", "Ada")), signed_up(site, signup("bob@example.com", "Bob"))
    for person, number, on in ((ada, "1", DAY), (ada, "2", DAY), (ada, "3", date(2027, 1, 2)), (bob, "4", DAY)):
        sold(person.id, WILMA, number, on)
    holds = LegalHold.objects.all()
    assert sorted((hold.person_id, hold.until, hold.records.count()) for hold in holds) == sorted(
        [(ada.id, LAST, 2), (ada.id, date(2037, 12, 31), 1), (bob.id, LAST, 1)]
    )
    assert len({keeper().store.hold_key(hold.slot, hold.id).key for hold in holds}) == 3


# -- what it may be opened for ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in legal_holds._WHILE_KNOWN])
def test_no_other_reason_opens_it_even_while_the_person_is_known(site, reason):
    person = signed_up(site)
    sold(person.id, WILMA)
    before = ledger.head()
    with pytest.raises(WrongPurpose):
        keeper().holds.of_person(reason, "test", person.id)
    assert ledger.head() == before


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in legal_holds._FOR_THE_LAW])
def test_once_the_person_is_erased_only_the_law_opens_it(site, reason):
    person = signed_up(site)
    record = sold(person.id, WILMA)
    erase(person)
    with pytest.raises(WrongPurpose):
        keeper().holds.open_by_id(reason, "test", [record])


def test_it_is_logged_first(site, monkeypatch):
    person = signed_up(site)
    sold(person.id, WILMA)

    def fails(*_):
        raise OSError

    opened = []
    monkeypatch.setattr(Boxer, "open_retained", lambda *arguments: opened.append(arguments))
    monkeypatch.setattr(ledger, "write", fails)
    with pytest.raises(OSError):
        found()
    assert opened == []


def test_a_search_that_finds_nothing_is_logged_too(site):
    before, _ = ledger.head()
    assert found("9999") == []
    assert ledger.head()[0] == before + 1 and newest_use().people == []


def test_the_key_of_a_hold_is_nobodys_and_a_persons_key_is_no_holds(site):
    from troth.vault.errors import KeyStoreError

    person = signed_up(site)
    sold(person.id, WILMA)
    store, hold = keeper().store, LegalHold.objects.get()
    for act in (
        lambda: store.key(hold.slot, hold.id),
        lambda: store.hold_key(person.slot, person.id),
        lambda: store.erase([(hold.slot, hold.id)]),
        lambda: store.erase_holds([(person.slot, person.id)]),
    ):
        with pytest.raises(KeyStoreError, match="do not belong together"):
            act()
    assert store.person(hold.slot) is None


# -- its day ----------------------------------------------------------------------------------------------------------


@both
def test_after_its_last_day_the_key_goes_first_and_the_record_after_it(site):
    person = signed_up(site)
    sold(person.id, WILMA)
    hold = LegalHold.objects.get()
    key = keeper().store.hold_key(hold.slot, hold.id).key
    erase(person)
    with clock.hold(datetime(2036, 12, 31, 23, 59, tzinfo=UTC)):
        retention.sweep()
        assert found()[0].until == LAST
    with clock.hold(AFTER):
        assert found() == []
        retention.sweep()
    assert key not in path_in(site.people_keys).read_bytes()
    assert LegalHold.objects.count() == LegalRecord.objects.count() == 0
    assert (hold.slot, hold.id) in keeper().forgotten.all()
    assert keeper().index.look_up_all(keeper().index.number_digest("2026-0001"), 5) == []
    assert keeper().marks.armed([hold.slot]) == set()


class _Killed(BaseException):
    """What a kill looks like from inside."""


_STEPS = (
    "troth.vault.erased_list.Forgotten.note",
    "troth.vault.key_store.KeyStore.erase_holds",
    "troth.vault.blind_index.BlindIndex.forget",
    "troth.vault.leak_marks.Marks.forget",
    "django.db.models.query.QuerySet.delete",
)


@pytest.mark.parametrize("where", _STEPS)
def test_killed_at_any_step_of_its_end_the_next_sweep_finishes(site, monkeypatch, where):
    person = signed_up(site)
    sold(person.id, WILMA)
    erase(person)

    def kill(*_):
        raise _Killed

    with clock.hold(AFTER):
        with monkeypatch.context() as patched:
            patched.setattr(where, kill)
            with pytest.raises(_Killed):
                keeper().end_holds()
        keeper().end_holds()
    assert LegalRecord.objects.count() == 0 and list(keeper().store.holds()) == []


def test_the_key_stores_day_counts_whatever_the_database_says(site):
    person = signed_up(site)
    sold(person.id, WILMA)
    LegalHold.objects.update(until=date(2026, 1, 1))
    keeper().end_holds()
    assert found()[0].until == LAST, "a shorter day in the database destroys nothing"
    LegalHold.objects.update(until=date(2099, 1, 1))
    with clock.hold(AFTER):
        assert found() == []
        keeper().end_holds()
    assert list(keeper().store.holds()) == [], "and a later one keeps nothing"


def test_a_key_whose_record_the_database_has_lost_goes_on_its_day(site):
    person = signed_up(site)
    sold(person.id, WILMA)
    LegalHold.objects.all().delete()
    assert keeper().holds.without_records() == 1
    with clock.hold(AFTER):
        keeper().end_holds()
    assert list(keeper().store.holds()) == []


def test_a_last_day_ends_with_the_sites_midnight(site, settings):
    config = settings.TROTH_CONFIG
    audience = structs.replace(config.audience, timezone="Pacific/Honolulu")
    settings.TROTH_CONFIG = structs.replace(config, audience=audience)
    person = signed_up(site)
    sold(person.id, WILMA)
    with clock.hold(datetime(2037, 1, 1, 9, 59, tzinfo=UTC)):
        assert len(found()) == 1
    with clock.hold(datetime(2037, 1, 1, 10, 1, tzinfo=UTC)):
        assert found() == []


def test_nothing_ends_while_the_clock_is_doubted(site):
    person = signed_up(site)
    sold(person.id, WILMA)
    with clock.hold(AFTER):
        clock.doubt(True)
        try:
            retention.sweep()
        finally:
            clock.doubt(False)
    assert len(list(keeper().store.holds())) == 1


def test_with_the_last_hold_a_person_goes_of_whom_nothing_else_is_known(site):
    kept, customer = signed_up(site), Person()
    (allotted,) = keeper().store.allot([customer.id])
    customer.slot = allotted.slot
    customer.save()
    for person, number in ((kept, "1"), (customer, "2")):
        sold(person.id, WILMA, number)
    with clock.hold(AFTER):
        assert keeper().end_holds() == 2
    assert list(Person.objects.all()) == [kept]


# -- keeping longer ---------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("erased", [False, True])
def test_it_can_be_kept_longer_under_another_key_and_never_shorter(site, erased, django_capture_on_commit_callbacks):
    person = signed_up(site)
    record, vault = sold(person.id, WILMA), keeper()
    before = LegalHold.objects.get()
    if erased:
        erase(person)
    for day in (LAST, date(2030, 1, 1)):
        with pytest.raises(RetentionRefused, match="already"):
            vault.holds.prolong("test", record, day)
    later = date(2040, 6, 30)
    with django_capture_on_commit_callbacks(execute=True):
        vault.holds.prolong("test", record, later)
    hold = LegalHold.objects.get()
    assert hold.id != before.id and hold.until == later and (hold.person_id is None) == erased
    with pytest.raises(KeyErased):
        vault.store.hold_key(before.slot, before.id)
    assert bool(vault.marks.armed([hold.slot])) == erased
    with clock.hold(AFTER):
        vault.end_holds()
        assert found()[0].until == later
    with clock.hold(datetime(2040, 7, 1, 12, tzinfo=UTC)):
        vault.end_holds()
    assert LegalRecord.objects.count() == 0


def test_what_shares_its_key_with_a_record_kept_longer_keeps_its_own_day(site):
    person = signed_up(site)
    first, _ = sold(person.id, WILMA, "1"), sold(person.id, WILMA, "2")
    keeper().holds.prolong("test", first, date(2040, 12, 31))
    assert [found(number)[0].until.year for number in ("1", "2")] == [2040, 2036]
    with clock.hold(AFTER):
        keeper().end_holds()
        assert found("1") != [] and found("2") == []


def test_a_record_that_is_not_there_is_not_kept_longer(site):
    with pytest.raises(RetentionRefused, match="no such record"):
        keeper().holds.prolong("test", uuid.uuid4(), LAST)


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_what_no_package_declares_is_not_kept(site, monkeypatch):
    person = signed_up(site)
    other = replace(INVOICE, name="whim", years=99)
    with pytest.raises(RetentionRefused, match="No package declares"):
        keeper().holds.file(person.id, other, invoice(WILMA), on=DAY)
    monkeypatch.setattr(legal_holds, "rooms", lambda: ())
    with pytest.raises(RetentionRefused, match="No package declares"):
        sold(person.id, WILMA)
    assert LegalHold.objects.count() == 0 and list(keeper().store.holds()) == []


def test_nobody_erased_and_nothing_over_is_filed(site):
    person = signed_up(site)
    with pytest.raises(RetentionRefused, match="over"):
        sold(person.id, WILMA, on=date(2015, 12, 31))
    erase(person)
    with pytest.raises(RetentionRefused, match="deleted"):
        sold(person.id, WILMA)
    assert list(keeper().store.holds()) == []


def test_a_duty_holds_what_it_is_for(site):
    person = signed_up(site)
    with pytest.raises(TypeError, match="holds Invoice"):
        keeper().holds.file(person.id, INVOICE, WILMA, on=DAY)
    assert LegalRecord.objects.count() == 0


# -- what the person is told ------------------------------------------------------------------------------------------


def test_the_receipt_says_what_is_kept_until_when_and_by_which_law(site):
    from troth.core import receipts
    from troth.vault.models import Erasure

    person = signed_up(site)
    sold(person.id, WILMA, "1")
    sold(person.id, WILMA, "2")
    sold(person.id, WILMA, "3", on=date(2027, 5, 1))
    erase(person)
    receipt = Erasure.objects.get().receipt
    told = receipts.read(receipt.encode()).told
    law = "VAT Directive 2006/112/EC, article 369k. Tax authorities may ask for them."
    assert told["kept_by_law"] == [
        f"Invoices (2), until 31 December 2036: {law}",
        f"Invoices (1), until 31 December 2037: {law}",
    ]
    assert any("keyed hash of each record" in words for words in told["remains"])
    assert ADDRESS not in receipt and str(person.id) not in receipt


def test_an_export_has_them_while_the_person_is_known(site):
    person = signed_up(site)
    sold(person.id, WILMA)
    part = next(part for part in services.parts(person.id, services.PERSON) if part.name == "invoice")
    (item,) = part.items
    assert "article 369k" in part.title and item["number"] == "2026-0001" and item["kept_until"] == "2036-12-31"
    assert item["text"].reveal() == SOLD and item["email"] == WILMA.email


def test_the_policy_names_them_where_a_package_keeps_them_and_nowhere_else(site, settings, monkeypatch):
    config = settings.TROTH_CONFIG
    rows = [row for row in data_map.kept(config) if row.name == "invoice"]
    assert rows and rows[0].until == "10 years from the end of the year (VAT Directive 2006/112/EC, article 369k)"
    titles = [row.title for row in data_map.lifetimes(config)]
    assert "Invoices, even if you are deleted" in titles and data_map.undeclared(config) == []
    monkeypatch.setattr(legal_holds, "rooms", lambda: ())
    assert "Invoices, even if you are deleted" not in [row.title for row in data_map.lifetimes(config)]


def test_retention_tells_of_a_worker_that_does_not_end_them(site):
    person = signed_up(site)
    sold(person.id, WILMA)

    def late():
        return next(row for row in retention.report() if row.kind.name == "invoice").late

    assert not late()
    with clock.hold(AFTER + timedelta(days=2)):
        assert late()


# -- the leak index ---------------------------------------------------------------------------------------------------


@both
def test_what_is_kept_stays_in_the_leak_index_but_for_the_name(site):
    person = signed_up(site)
    sold(person.id, WILMA)
    hold = LegalHold.objects.get()
    assert keeper().marks.armed([hold.slot]) == set(), "while they are known, their own marks serve"
    erase(person)

    def leaks(text):
        return {category.value for category in Leaks(keeper().marks).search(text.encode()).categories}

    assert leaks(f"see {ADDRESS}") == {"email"} and leaks("call +49 30 90182099") == {"telephone"}
    assert leaks("Dear Wilma Oddsworth, hello") == set()
    with clock.hold(AFTER):
        keeper().end_holds()
    assert leaks(f"see {ADDRESS}") == set()


# -- after a restore --------------------------------------------------------------------------------------------------


@both
def test_restored_what_is_kept_is_found_and_what_was_erased_or_ended_is_not(site):
    person = signed_up(site)
    sold(person.id, WILMA)
    sold(person.id, WILMA, "old", on=date(2025, 1, 1))
    vault, path = keeper(), path_in(site.people_keys)
    old, rows = (
        path.read_bytes(),
        [list(model.with_canaries.all()) for model in (Person, Record, LegalHold, LegalRecord)],
    )
    erase(person)
    with clock.hold(datetime(2036, 1, 1, 12, tzinfo=UTC)):
        vault.end_holds()
    with path.open("r+b") as file:  # as an older backup of both has it
        file.write(old)
    LegalHold.objects.all().delete()
    for restored in rows:
        for row in restored:
            row.save(force_insert=True)
    assert vault.forget_again() == 1
    vault.rebuild_index(lambda _people: set())
    assert Person.objects.count() == Record.objects.count() == 0
    assert found()[0].content.named == WILMA and found("old") == []
    assert [held.until for held in vault.store.holds()] == [LAST]
    with pytest.raises(KeyErased):
        vault.store.key(person.slot, person.id)
    assert len(Leaks(vault.marks).search(ADDRESS.encode()).categories) == 1
    assert vault.find("test", WILMA.email) is None


def test_a_restored_key_past_its_day_opens_nothing_even_before_it_is_destroyed_again(site):
    person = signed_up(site)
    sold(person.id, WILMA)
    with clock.hold(AFTER):
        assert keeper().holds.of_person(Reason.EXPORT_PERSON, "person", person.id) == []
        assert services.must_keep(person.id) == []


# -- invented people --------------------------------------------------------------------------------------------------


def test_what_a_proof_keeps_is_in_no_list_and_goes_with_it(site):
    person = signed_up(site)
    Canary.objects.create(person=person)
    sold(person.id, WILMA)
    assert LegalHold.objects.count() == LegalRecord.objects.count() == 0
    assert found() == [] and keeper().holds.find(ledger.PROOF, "2026-0001") != []
    keeper().erase([person.id])
    assert found() == [] and LegalHold.objects.count() == 0 and LegalHold.with_canaries.count() == 1
    keeper().holds.end_invented()
    assert LegalHold.with_canaries.count() == 0 and list(keeper().store.holds()) == []


def test_the_details_of_a_person_are_not_opened_by_a_holds_key(site):
    """An old copy of the data, and every key that is left after the erasure."""
    from troth.core.purpose import Purpose
    from troth.vault.errors import RecordDamaged

    person = signed_up(site)
    sold(person.id, WILMA)
    row = Record.objects.get(kind=DETAILS)
    erase(person)
    hold = LegalHold.objects.get()
    key = keeper().store.hold_key(hold.slot, hold.id).key
    for owner in (person.id, hold.id):
        with pytest.raises(RecordDamaged):
            keeper().boxer.open(key, Purpose.ADMINISTRATION, owner, DETAILS, row.id, bytes(row.box))
