"""The marks of those who must not come back by an import are taken along, or the backup says why it cannot be made."""

import json
import sqlite3
from contextlib import closing

import pytest

from troth.backup import create
from troth.backup.errors import BackupError
from troth.core.personal import EmailAddress
from troth.vault.blind_index import BlindIndex


@pytest.fixture
def index(site):
    made = BlindIndex(site.people_keys)
    yield made
    made.close()


def test_an_index_that_nobody_has_used_yet_has_none(site, index):
    assert create.suppression_marks(index.path) == b"[]"
    index.path.touch()
    assert create.suppression_marks(index.path) == b"[]"


def test_the_marks_are_taken_along_with_their_day(index):
    mark = index.suppression_mark(EmailAddress("ada@example.com"))
    index.suppress([mark], "2026-01-02")
    assert json.loads(create.suppression_marks(index.path)) == [[mark.hex(), "2026-01-02"]]


def test_an_index_that_is_held_is_no_index_without_marks(index, monkeypatch):
    index.suppress([index.suppression_mark(EmailAddress("ada@example.com"))], "2026-01-02")
    index.close()
    monkeypatch.setattr(create, "_PATIENCE", 0.05)
    with closing(sqlite3.connect(index.path, isolation_level=None)) as holding:
        holding.execute("PRAGMA locking_mode=EXCLUSIVE")
        holding.execute("BEGIN IMMEDIATE")
        with pytest.raises(BackupError, match="locked"):
            create.suppression_marks(index.path)


def test_an_index_that_is_damaged_is_told(index):
    index.path.write_bytes(b"no database" * 100)
    with pytest.raises(BackupError, match="not a database"):
        create.suppression_marks(index.path)
