"""A site that an earlier version made is upgraded with all that it keeps, or is told why not before anything says ✓."""

import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from bench.site import free_port, settings
from tests.cli.running import troth
from tests.worker import earlier_tables, served
from troth.core.site import Site
from troth.operate.doctor import examine

KEPT = Path(__file__).parents[1] / "data/site-0.1.0.tar.xz"


@pytest.fixture
def kept(tmp_path):
    """The site as it was left, on ports of today."""
    with tarfile.open(KEPT) as packed:
        packed.extractall(tmp_path, filter="data")
    site = Site(tmp_path / "site")
    port = free_port()
    site.config.write_text(settings(port, free_port(), smtp=9, proof=False))
    return site, f"http://127.0.0.1:{port}"


def changed(site, *statements):
    """The same with the database altered by hand, as the first builds' was."""
    with closing(sqlite3.connect(site.database)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.mark.walls
def test_a_kept_site_is_upgraded_and_serves_with_all_that_it_has(kept, tmp_path):
    site, front = kept
    early = troth("people", "list", "--export", str(tmp_path / "early.csv"), "--site", str(site.root))
    assert early.returncode == 1 and "Run `troth upgrade`" in early.stderr, early.stderr
    done = troth("upgrade", "--no-backup", "--site", str(site.root))
    assert done.returncode == 0, done.stderr
    with served.serving(site, front) as house:
        told = house.status()
        assert told["people"] == 2 and told["subscriptions"]["confirmed"] == 1, told
        assert house.sign_up("cy@example.com") == 303
        house.until(lambda told: told["people"] == 3)
    assert "up to date" in " ".join(one.what for one in examine.examine(site.root))
    listed = tmp_path / "people.csv"
    assert troth("people", "list", "--export", str(listed), "--site", str(site.root)).returncode == 0
    assert all(address in listed.read_text() for address in ("ada@example.com", "bob@example.org", "cy@example.com"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def earlier(request, tmp_path):
    """A site with earlier names of tables, on ports of today."""
    folder, url = earlier_tables.unpack(tmp_path, request.param), ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        server.execute("DROP DATABASE IF EXISTS earlier WITH (FORCE)", "CREATE DATABASE earlier")
        url = server.at("earlier")
        earlier_tables.fill_postgresql(url, folder / "database.sql")
    site, port = Site(folder / "site"), free_port()
    site.config.write_text(settings(port, free_port(), smtp=9, proof=False, database=url))
    return site, f"http://127.0.0.1:{port}"


@pytest.mark.walls
def test_a_site_with_other_names_of_tables_is_upgraded_and_keeps_every_promise(earlier, tmp_path):
    site, front = earlier
    refused = troth("serve", "--one-user", "--site", str(site.root))
    assert refused.returncode == 1 and "Run `troth upgrade`" in refused.stderr, refused.stderr
    assert any("is not up to date" in finding.what for finding in examine.examine(site.root))
    (tmp_path / "backups").mkdir()
    with site.config.open("a") as file:
        file.write(f'\n[backup]\nfolder = "{tmp_path / "backups"}"\n')
    done = troth("upgrade", "--site", str(site.root))
    assert done.returncode == 0 and "newsletter.renamed_from_letters" in done.stdout, done.stderr
    assert len(list((tmp_path / "backups").glob("*.troth"))) == 2
    accepted = troth("clock", "accept", "--site", str(site.root))  # it was stopped for more than a day
    assert accepted.returncode == 0, accepted.stderr
    with served.serving(site, front) as house:
        told = house.status()
        assert told["people"] == 5, told
        assert told["subscriptions"].items() >= {"waiting": 1, "confirmed": 2, "left": 1}.items(), told
        assert house.sign_up("cy@example.com") == 303
        house.until(lambda told: told["people"] == 6)
        done = served.troth("prove", "--json", "--site", str(site.root), check=False)
        proofs = [proof for promise in json.loads(done.stdout)["promises"] for proof in promise["proofs"]]
        assert [proof for proof in proofs if proof["state"] != "kept"] == []


HARM = {
    "a column": (["ALTER TABLE inbox_thread DROP COLUMN last_at"], "contact_thread.last_at is missing"),
    "a table": (["DROP TABLE promises_policyversion"], "policy_policyversion is missing"),
    "a type": (
        ["ALTER TABLE vault_person RENAME COLUMN slot TO old", "ALTER TABLE vault_person ADD COLUMN slot text NULL"],
        "vault_person.slot is text",
    ),
}


@pytest.mark.parametrize(
    ("command", "harm"), [("upgrade", "a column"), ("serve", "a table"), *(("doctor", harm) for harm in HARM)]
)
def test_a_database_that_is_not_what_it_says_is_told_before_anything_says_yes(kept, command, harm):
    (site, _), (statements, named) = kept, HARM[harm]
    with closing(sqlite3.connect(site.database)) as connection:  # an index keeps its columns
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%last_at%'")
        indexes = [f'DROP INDEX "{name}"' for (name,) in rows.fetchall()]
    changed(site, *(indexes if "last_at" in named else []), *statements)
    words = {"upgrade": ["--no-backup"], "serve": ["--one-user"], "doctor": []}[command]
    done = troth(command, *words, "--site", str(site.root))
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "doesn't match its own list of migrations" in said and named in " ".join(said.split()), said
    assert "is up to date" not in said and "✓ The site is at" not in said and "Traceback" not in said


def test_doctor_says_of_a_site_that_only_wants_this_versions_changes_just_that(kept):
    said = " ".join(one.what for one in examine.examine(kept[0].root))
    assert "is not up to date" in said and "its own list" not in said and "is up to date" not in said
