"""Each kind goes at its time, the oldest is shown, and what is late is told."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.conftest import both
from tests.worker.test_intake import drain, signup
from troth.audience.models import Day
from troth.audience.storage import rollup
from troth.core import clock
from troth.core.personal import EmailAddress
from troth.core.site_files import backup_index
from troth.gate.models import Delivery
from troth.gate.sent_log import SentJournal
from troth.newsletter.models import Request, Subscription
from troth.policy import retention
from troth.vault.keeper import keeper
from troth.vault.models import AsideItem, Erasure, LedgerRow, Person


def standing(name):
    return next(one for one in retention.report() if one.kind.name == name)


@pytest.fixture
def held():
    with clock.hold(clock.now()) as made:
        yield made


@both
def test_a_signup_that_nobody_confirms_goes_with_its_person(site, database, held):
    site.submit(signup("ada@example.com"))
    drain()
    assert standing("signups_unconfirmed").oldest == held.at and retention.sweep() == 0
    held.move(days=9, seconds=1)
    retention.sweep()
    assert not Request.objects.exists() and not Person.objects.exists()
    assert standing("signups_unconfirmed").oldest is None


@both
def test_who_left_goes_after_three_years_and_a_mark_stays(site, database, held):
    site.submit(signup("ada@example.com"))
    drain()
    Request.objects.update(state=Request.State.CONFIRMED)
    Subscription.objects.update(state="left", left_at=held.at)
    held.move(days=1094)
    retention.sweep()
    assert Person.objects.exists()
    held.move(days=3)
    assert standing("subscriptions_left").late and standing("subscriptions_left").mend
    retention.sweep()
    assert not Person.objects.exists()
    vault = keeper()
    assert vault.index.suppression_mark(EmailAddress("ada@example.com")) in vault.index.suppressed()


def test_every_other_kind_goes_at_its_time(site, held):
    site.submit(signup("ada@example.com"))
    drain()
    Request.objects.update(state=Request.State.CONFIRMED)
    Delivery.objects.update(state="sent", done_at=held.at)
    Erasure.objects.create(asked_by="person", done_at=held.at)
    (site.data / "aside").mkdir()
    AsideItem.objects.create(segment=1, offset=16, size=3, reason="refused", kept=True)
    sealed = site.data / "aside" / f"{1:016x}-{16:08x}.sealed"
    sealed.write_bytes(b"...")
    held.move(days=91)
    retention.sweep()
    assert not AsideItem.objects.exists() and not sealed.exists() and Delivery.objects.exists()
    held.move(days=310)
    assert standing("deliveries").oldest is not None and LedgerRow.objects.filter(content__isnull=False).exists()
    retention.sweep()
    assert not Delivery.objects.exists() and not LedgerRow.objects.filter(content__isnull=False).exists()
    assert Erasure.objects.exists()
    held.move(days=700)
    retention.sweep()
    assert not Erasure.objects.exists()


def test_the_journal_outlives_every_backup_of_the_data(site, held, monkeypatch):
    monkeypatch.setattr("troth.gate.sent_log._MOST", 200)
    journal = SentJournal.of(site)
    people = [Person().id for _ in range(20)]
    for one in people:
        journal.tried([one])
        journal.sent([one])
    assert len(journal.files()) > 3 and journal.deeds().sent.keys() == set(people)
    held.move(days=120)
    retention.sweep()
    assert journal.deeds().sent.keys() == set(people)
    held.move(days=3)
    before = journal.id
    retention.sweep()
    assert len(journal.files()) == 1 and journal.id == before


def test_a_backup_that_should_have_gone_is_told(site, held):
    assert not standing("backups_keys").late
    files = [backup_index.BackupFile("keys-x.troth", "keys", held.at, 1)]
    backup_index.write(site, backup_index.Backups("/backups", held.at, files))
    held.move(days=14)
    assert not standing("backups_keys").late
    held.move(days=2)
    late = standing("backups_keys")
    assert late.late and "troth backup" in late.mend and late.told()["late"] is True


def test_a_torn_row_of_the_journal_is_passed_over(site):
    journal = SentJournal.of(site)
    one, two = Person().id, Person().id
    journal.tried([one])
    with journal.files()[0].open("ab") as file:
        file.write(b"T" * 13)
    journal.tried([two])
    journal.sent([two])
    assert not Person.objects.exists()
    assert set(journal.deeds().tried) == {one} and set(journal.deeds().sent) == {two}


def test_every_kind_has_its_reason_and_an_end(site):
    for one in retention.report():
        assert one.kind.why and timedelta(days=1) < one.period < timedelta(days=3650), one.kind.name


@pytest.mark.parametrize("day", [date(2030, 2, 28), date(2030, 11, 30), date(2026, 3, 31), date(2025, 8, 1)])
def test_statistics_are_never_said_to_be_late_on_the_day_on_which_the_last_of_them_goes(site, day):
    """Twenty-five months are 759 to 763 days long; the last of a day goes within it."""
    with clock.hold(datetime.combine(day, time(23, 59), UTC)):
        config = retention.settings.TROTH_CONFIG
        limits = rollup.RollupLimits.of(clock.now(), config.zone, config.audience.keep_months)
        Day.objects.create(kind=0, at=limits.day, name=0, by=0, views=1)
        retention.sweep()
        assert Day.objects.exists() and not standing("statistics").late
        Day.objects.update(at=limits.day - 5)
        assert standing("statistics").late
        retention.sweep()
        assert not Day.objects.exists() and not standing("statistics").late
