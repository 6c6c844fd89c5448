"""What was erased is gone from SQLite's log, too, or the operator is told that another program keeps it there."""

import contextlib
import sqlite3
from datetime import timedelta

import pytest

from tests.worker.test_intake import drain, signup
from troth.backup import restore
from troth.backup.errors import BackupError
from troth.core import clock
from troth.operate.doctor import copies
from troth.vault import wal_truncate
from troth.vault.keeper import keeper
from troth.vault.models import Person
from troth.worker import timers
from troth.worker.intake import Intake


@contextlib.contextmanager
def reading(path):
    """Another program that has begun to read and does not end, as one that copies all the time."""
    there_already = f"{path.as_uri()}?mode=ro"  # a reader of what is not there would make an empty file
    with contextlib.closing(sqlite3.connect(there_already, uri=True, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield


@pytest.fixture
def person(site):
    site.submit(signup("ada@example.com"))
    drain()
    return Person.objects.get()


@pytest.mark.parametrize("name", ["index", "marks"])
def test_what_could_not_be_cut_while_somebody_read_is_cut_afterwards(site, person, name, monkeypatch):
    monkeypatch.setattr(wal_truncate, "PATIENCE_MS", 50)
    file = getattr(keeper(), name)
    keeper().marks.armed([])  # the marks' file is made by whoever asks first: nobody was marked so far
    with reading(file.path):
        keeper().erase([person.id])
        assert wal_truncate.holds_any(file.path)
        assert file.cut(50) is False
    timers.cut_logs_besides(Intake())
    assert not wal_truncate.holds_any(file.path)


def test_the_database_says_whether_its_log_was_cut(site, person):
    with reading(site.database):
        Person.objects.update(frozen_at=clock.now())
        assert keeper().tidy(50) is False
    assert keeper().tidy(50) is True
    assert not wal_truncate.holds_any(site.database)


def test_a_log_that_stays_uncut_is_noted_and_told_until_it_is_cut(site, person, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(timers.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(timers, "_uncut", timers._Uncut())
    with reading(site.database):
        Person.objects.update(frozen_at=clock.now())
        timers.cut_log(Intake())
        assert wal_truncate.noted(site.data) is None, "a reader of ours is done by then"
        now[0] += 61
        timers.cut_log(Intake())
        assert wal_truncate.noted(site.data).files == ("data/troth.sqlite3",)
        (finding,) = [one for one in copies.look(site, None) if "cannot be truncated" in one.what]
        assert finding.level == "warn" and "data/troth.sqlite3" in finding.what
        with clock.hold(clock.now() + timedelta(hours=2)):
            (finding,) = [one for one in copies.look(site, None) if "cannot be truncated" in one.what]
            assert finding.level == "bad"
    timers.cut_log(Intake())
    assert wal_truncate.noted(site.data) is None
    assert list(copies.look(site, None)) == []


def test_doctor_names_the_copy_that_another_program_keeps_beside_a_database(site):
    (site.people_keys / ".index.sqlite3-litestream").mkdir()
    (finding,) = copies.look(site, None)
    assert finding.level == "bad" and ".index.sqlite3-litestream" in finding.what


def test_an_erasure_leaves_no_digest_in_the_log_where_nobody_reads(site, person):
    keeper().erase([person.id])
    for file in (keeper().index, keeper().marks):
        assert not wal_truncate.holds_any(file.path)


def test_a_restore_does_not_take_a_log_for_settled_that_another_program_reads(site, person, monkeypatch):
    monkeypatch.setattr(restore, "_SETTLE_MS", 50)
    with reading(site.database):
        Person.objects.update(frozen_at=clock.now())
        with pytest.raises(BackupError, match="read by another program"):
            restore._settle_sqlite(site.database)
    restore._settle_sqlite(site.database)
