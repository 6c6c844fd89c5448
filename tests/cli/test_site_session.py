"""A command beside the running processes: it makes a database where there is none, and is never a second worker."""

import fcntl
import json
import os
import shutil
import stat
import uuid

import pytest

from tests import forked
from tests.cli.running import troth
from tests.conftest import SampleSite
from troth.contact.entry import ContactMessage
from troth.core.personal import EmailAddress, MessageText
from troth.core.site import Site
from troth.operate import create_site
from troth.vault.key_store import KeyStore, path_in

# Files a sign-up whose epoch's key is away, so that it is set aside; then a command finds it.
INTAKE = """
import sys
from pathlib import Path
from troth.operate import site_session
site_session.in_site(Path(sys.argv[1]))
from troth.worker.intake import Intake
while Intake().turn().moved: pass
"""


@pytest.fixture
def site(tmp_path):
    return Site(create_site.init(tmp_path / "site").root)


def run(site, *words, **environ):
    return troth(*words, "--site", str(site.root), **environ)


def test_a_new_site_gets_its_database_closed_to_others(site):
    done = run(site, "status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["alive"] is False and told["people"] == 0
    for path in [site.database, *site.data.iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0, path


@pytest.mark.parametrize("part", ["data", "people_keys"])
def test_a_missing_folder_is_told_and_not_made(site, part):
    folder = getattr(site, part)
    shutil.rmtree(folder)
    done = run(site, "status")
    assert done.returncode == 1 and f"{folder} is missing." in done.stderr and "backup" in done.stderr
    assert "Traceback" not in done.stderr and not folder.exists()


def test_a_database_that_does_not_answer_is_told_in_our_words(site):
    site.database.write_bytes(b"this is no database" * 100)
    done = run(site, "status")
    assert done.returncode == 1 and "The database reported an error (DatabaseError)." in done.stderr
    assert "Traceback" not in done.stderr
    done = run(site, "status", TROTH_DATABASE__URL="postgresql://troth@127.0.0.1:1/troth")
    assert done.returncode == 1 and "The database reported an error (OperationalError)." in done.stderr
    assert "Traceback" not in done.stderr


def set_aside(site):
    """A message that was set aside because its key was away; the key is back."""
    sample = object.__new__(SampleSite)
    for name, value in (("root", site.root), ("id", uuid.UUID(site.site_id.read_text().strip())), ("segment", 1)):
        object.__setattr__(sample, name, value)
    sample.submit(ContactMessage(EmailAddress("anna@example.com"), message=MessageText("Hello")))
    (key,) = site.seal_keys.iterdir()
    key.rename(site.root / "away")
    forked.run(INTAKE, site.root, env=os.environ).check_returncode()
    (site.root / "away").rename(key)


def test_what_is_aside_is_listed_and_filed_once_its_cause_is_mended(site):
    set_aside(site)
    listed = run(site, "failed", "list")
    assert "its epoch's key is missing, kept" in listed.stdout and "anna" not in listed.stdout
    (row,) = json.loads(run(site, "failed", "list", "--json").stdout)
    assert (row["segment"], row["offset"], row["reason"], row["kept"]) == (1, 16, "no_key", True)
    lock = os.open(site.data / "worker.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    busy = run(site, "failed", "retry")
    assert busy.returncode == 1 and "The worker is running" in busy.stderr and "Traceback" not in busy.stderr
    os.close(lock)
    done = run(site, "failed", "retry")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 processed.\n", "")
    assert run(site, "failed", "retry").stdout == "Nothing could be processed.\n"
    assert run(site, "failed", "list").stdout == "There are no failed items.\n"
    assert json.loads(run(site, "status", "--json").stdout)["people"] == 1


def test_a_key_store_of_other_data_is_told_before_anything_is_filed(site):
    set_aside(site)
    run(site, "failed", "retry")
    path_in(site.people_keys).unlink()
    KeyStore.create(site.people_keys)
    done = run(site, "failed", "retry")
    assert done.returncode == 1 and "do not belong together" in done.stderr and "Traceback" not in done.stderr
