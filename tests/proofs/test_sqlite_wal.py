"""Whether SQLite's log was cut, as a proof sees it: begun anew over the old one is not cut."""

import sqlite3
from contextlib import closing

import pytest

from tests.proofs.wal import commits_kept
from troth.proofs.instruments import sqlite_wal


@pytest.fixture
def database(tmp_path, monkeypatch):
    """One whose log is never cut but by us, with a table that has something in it."""
    monkeypatch.setattr(sqlite_wal, "CUT_SECONDS", 0.3)
    with closing(sqlite3.connect(tmp_path / "data.db", isolation_level=None)) as held:
        held.execute("PRAGMA journal_mode=WAL")
        held.execute("CREATE TABLE seen (page)")
        monkeypatch.setattr(sqlite_wal, "connection", Connection(held))
        yield tmp_path / "data.db"


class Connection:
    """What the proof asks for its cursor."""

    def __init__(self, held):
        self.held = held

    def cursor(self):
        return closing(self.held.cursor())


def write(rows):
    for _ in range(rows):
        sqlite_wal.connection.held.execute("INSERT INTO seen VALUES (randomblob(3000))")


def test_a_log_that_stays_is_not_cut(database):
    write(3)
    assert commits_kept(database) >= 3
    assert not sqlite_wal.is_cut(database)


def test_a_log_that_was_cut_is(database):
    write(3)
    sqlite_wal.connection.held.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert commits_kept(database) == 0 and sqlite_wal.is_cut(database)


def test_a_log_that_is_begun_anew_over_the_old_one_is_not_cut(database, monkeypatch):
    sqlite_wal.connection.held.execute("PRAGMA wal_autocheckpoint=0")
    write(1_100)
    before = sqlite_wal._state(database)
    real, told = sqlite_wal._state, [before]

    def state(path):
        if told:
            return told.pop()
        write(1)
        return real(path)

    sqlite_wal.connection.held.execute("PRAGMA wal_checkpoint(PASSIVE)")
    monkeypatch.setattr(sqlite_wal, "_state", state)
    assert not sqlite_wal.is_cut(database)
    assert real(database)[1] != before[1], "it was begun anew"
