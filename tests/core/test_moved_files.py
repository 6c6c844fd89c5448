"""A file that was removed or replaced while it is open is known by its name's leading elsewhere."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from troth.core.site_files.moved_files import InPlace


def opened(tmp_path):
    path = tmp_path / "db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (x)")
    return path, connection


def rename_away(path):
    path.rename(path.with_name("elsewhere"))


def remove(path):
    path.unlink()


def replace(path):
    fresh = path.with_name("fresh")
    shutil.copy(path, fresh)
    fresh.replace(path)


@pytest.mark.parametrize("harm", [rename_away, remove, replace])
@pytest.mark.parametrize("name", ["db", "db-wal"])
def test_a_harmed_file_is_named(tmp_path, name, harm):
    path, connection = opened(tmp_path)
    with closing(connection):
        in_place = InPlace([path, tmp_path / "db-wal"])
        assert in_place.moved() is None
        harm(tmp_path / name)
        assert in_place.moved() == tmp_path / name


def test_one_that_is_opened_again_is_in_place(tmp_path):
    path, connection = opened(tmp_path)
    in_place = InPlace([path])
    assert in_place.moved() is None
    connection.close()
    with closing(sqlite3.connect(path)) as again:
        again.execute("SELECT * FROM t").fetchall()
        assert in_place.moved() is None


def test_one_that_was_never_opened_is_not_missed(tmp_path):
    assert InPlace([tmp_path / "nothing"]).moved() is None
