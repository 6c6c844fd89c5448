"""A small database beside the keys opens whoever else has it open, and leaves nothing half done or half open."""

import contextlib
import functools
import resource
import sqlite3
import threading

import pytest

from troth.vault import sidecar_db
from troth.vault.sidecar_db import Besides

_TABLES = """
CREATE TABLE IF NOT EXISTS thing (id INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS part (thing INTEGER REFERENCES thing DEFERRABLE INITIALLY DEFERRED);
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "small.sqlite3"


@pytest.fixture
def opened(monkeypatch):
    """Every connection that is opened."""
    connections = []

    def connect(*args, **options):
        connections.append(sqlite3_connect(*args, **options))
        return connections[-1]

    sqlite3_connect = sqlite3.connect
    monkeypatch.setattr(sidecar_db.sqlite3, "connect", connect)
    return connections


@contextlib.contextmanager
def reading(path):
    """Another program that looks into a file in which there is nothing yet."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield connection


def is_closed(connection):
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return True
    return False


def test_many_who_open_a_new_file_at_once_all_can(path):
    database, barrier, errors = Besides(path, _TABLES, ()), threading.Barrier(8), []

    def first():
        barrier.wait()
        try:
            with database.writing() as connection:
                connection.execute("INSERT INTO thing DEFAULT VALUES")
        except sqlite3.Error as error:
            errors.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert database().execute("SELECT count(*) FROM thing").fetchone() == (8,)
    assert database().execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_who_is_refused_at_once_when_a_new_file_is_opened_tries_again(path, monkeypatch):
    refused = []

    class Busy(sqlite3.Connection):
        def execute(self, words, *args):
            if words == "PRAGMA journal_mode=WAL" and len(refused) < 2:
                refused.append(sqlite3.OperationalError("database is locked"))
                refused[-1].sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise refused[-1]
            return super().execute(words, *args)

    monkeypatch.setattr(sidecar_db.sqlite3, "connect", functools.partial(sqlite3.connect, factory=Busy))
    database = Besides(path, _TABLES, ())
    assert database().execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert len(refused) == 2
    database.close()


def test_a_reader_of_a_new_file_is_waited_for(path):
    database = Besides(path, _TABLES, ())
    with reading(path) as reader:
        ends = threading.Timer(0.2, reader.execute, ("ROLLBACK",))
        ends.start()
        with database.writing() as connection:
            connection.execute("INSERT INTO thing DEFAULT VALUES")
        ends.join()
    assert database().execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_a_file_that_cannot_be_had_is_tried_anew_and_no_connection_stays_open(path, monkeypatch, opened):
    monkeypatch.setattr(sidecar_db, "_PATIENCE", 0.05)
    database = Besides(path, _TABLES, ())
    with reading(path), pytest.raises(sqlite3.OperationalError, match="locked"):
        database()
    assert is_closed(opened[-1])
    assert database().execute("SELECT count(*) FROM thing").fetchone() == (0,)
    database.close()


def test_a_disk_that_is_full_at_first_leaves_no_connection_open(path, opened):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        with pytest.raises(sqlite3.OperationalError):
            Besides(path, _TABLES, ())()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(opened) == 1 and is_closed(opened[0])


def test_a_commit_that_fails_leaves_no_transaction_open(path):
    database = Besides(path, _TABLES, ("foreign_keys=ON",))
    with pytest.raises(sqlite3.IntegrityError), database.writing() as connection:
        connection.execute("INSERT INTO part VALUES (7)")
    with database.writing() as connection:
        connection.execute("INSERT INTO thing VALUES (1)")
    assert database().execute("SELECT count(*) FROM part").fetchone() == (0,)
    database.close()
