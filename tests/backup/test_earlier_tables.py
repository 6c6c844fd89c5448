"""A backup of a version whose tables had other names comes back under today's, in place of whichever were there."""

import sqlite3
from contextlib import closing

import psycopg
import pytest

from tests.cli.running import troth
from tests.worker import earlier_tables
from troth.core.schema.renamed_tables import LABELS, TABLES

_CURRENT = "SELECT count(*) FROM newsletter_subscription WHERE state = 'confirmed'"


def _restored(folder, backups, place, *options):
    said = troth("restore", str(backups), "--to", str(place), "--recovery-key", str(folder / "paper"), *options)
    assert said.returncode == 0, said.stderr
    assert "5 people were restored" in said.stdout


def _backed_up(site, into):
    """A backup in which everything has the names that the database has."""
    into.mkdir()
    done = troth("backup", str(into), "--site", str(site))
    assert done.returncode == 0, done.stderr
    return into


def test_with_sqlite(tmp_path):
    folder = earlier_tables.unpack(tmp_path, "sqlite")
    backups = _backed_up(folder / "site", tmp_path / "backups")
    _restored(folder, backups, tmp_path / "new")
    _restored(folder, backups, folder / "site", "--replace")
    for site in (tmp_path / "new", folder / "site"):
        with closing(sqlite3.connect(site / "data/troth.sqlite3")) as database:
            assert database.execute(_CURRENT).fetchone() == (2,)
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            labels = {label for (label,) in database.execute("SELECT app FROM django_migrations")}
        assert tables >= set(TABLES.values()) and not tables & TABLES.keys() and not labels & LABELS


@pytest.mark.postgres
def test_with_postgresql(tmp_path, postgres_server):
    """First in place of tables with the earlier names, then of those with today's, then where there is none."""
    folder = earlier_tables.unpack(tmp_path, "postgresql")
    postgres_server.execute("DROP DATABASE IF EXISTS earlier WITH (FORCE)", "CREATE DATABASE earlier")
    url = postgres_server.at("earlier")
    earlier_tables.fill_postgresql(url, folder / "database.sql")
    config = folder / "site/troth.toml"
    lines = [
        f'url = "{url}"' if line.startswith('url = "postgresql') else line for line in config.read_text().split("\n")
    ]
    config.write_text("\n".join(lines))
    backups = _backed_up(folder / "site", tmp_path / "backups")
    for step in ("the earlier names", "today's names", "none"):
        if step == "none":
            with psycopg.connect(url) as database:
                database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        _restored(folder, backups, folder / "site", "--replace")
        with psycopg.connect(url) as database:
            assert database.execute(_CURRENT).fetchone() == (2,)
            names = {name for (name,) in database.execute("SELECT relname FROM pg_class")}
            names |= {name for (name,) in database.execute("SELECT proname FROM pg_proc")}
            labels = {label for (label,) in database.execute("SELECT app FROM django_migrations")}
        assert names >= set(TABLES.values()) and not labels & LABELS
        assert [name for name in names for label in LABELS if name.startswith((f"{label}_", f"tally_{label}_"))] == []
