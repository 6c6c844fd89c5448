"""`troth people` and `troth receipt`: find, export, erase, check a receipt; with exit codes."""

import json
import os

import pytest

from tests import forked
from troth.core.site import Site
from troth.operate import create_site

CODE = "from troth.cli import main; main()"


def troth(*words, stdin=""):
    """The command, its exit code and what it printed."""
    environ = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return forked.run(CODE, *words, env=environ, stdin=stdin)


def verified(path, site) -> str:
    """What `troth receipt verify` says of a receipt of this site; the signature is good."""
    done = troth("receipt", "verify", path, "--site", site)
    assert done.returncode == 0, done.stderr
    return done.stdout


_FILE = """
import sys
from troth.operate import site_session
from pathlib import Path
site_session.in_site(Path(sys.argv[1]))
from tests.people.people import whole_signup, signup
from troth.core.entry import came
from troth.newsletter.services import file_signups
from troth.core.ids import new_id
from django.db import transaction
with transaction.atomic():
    file_signups([came(new_id(), whole_signup()), came(new_id(), signup("other@example.com", "Otto Other"))])
"""


@pytest.fixture
def root(tmp_path):
    """A site as `troth init` makes it, with two people filed."""
    made = tmp_path / "site"
    create_site.init(made, name="Example Software", url="http://127.0.0.1:18399")
    done = forked.run(_FILE, made, env=os.environ)
    assert done.returncode == 0, done.stderr
    return made


def test_a_person_is_found_by_all_that_leads_to_them(root):
    for words in ("wilma.oddsworth@example.com", "oddsworth-quill", "+49 30 90182099", "Wilma Oddsworth-Quill"):
        done = troth("people", "find", words, "--site", root, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["email"] == "wilma.oddsworth@example.com"
    assert len(troth("people", "find", "@example.com", "--site", root).stdout.splitlines()) == 2


def test_exit_code_1_is_nobody(root):
    for words in (("find", "nobody@example.com"), ("export", "nobody@example.com"), ("delete", "nobody", "--yes")):
        done = troth("people", *words, "--site", root)
        assert (done.returncode, done.stdout) == (1, "")
        assert "Nobody" in done.stderr


def test_an_export_comes_as_text_page_or_json(root):
    address = "wilma.oddsworth@example.com"
    assert "Lantern Lane 77" in troth("people", "export", address, "--site", root).stdout
    told = json.loads(troth("people", "export", address, "--site", root, "--json").stdout)
    assert [part["name"] for part in told["parts"]] == ["details", "newsletter", "consent"]
    page = troth("people", "export", address, "--site", root, "--html").stdout
    assert page.startswith("<!doctype html>") and "Oddsworth Lanterns" in page and "src=" not in page


def test_erase_asks_and_prints_a_receipt_that_verifies(root, tmp_path):
    address = "wilma.oddsworth@example.com"
    refused = troth("people", "delete", address, "--site", root, stdin="n\n")
    assert refused.returncode == 2 and "Nothing was deleted" in refused.stderr
    done = troth("people", "delete", address, "--site", root, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    (tmp_path / "receipt.json").write_text(done.stdout)
    assert "Contact details: 1" in verified(tmp_path / "receipt.json", root)
    assert troth("people", "find", address, "--site", root).returncode == 1
    assert troth("people", "find", "other@example.com", "--site", root).returncode == 0


def test_an_altered_receipt_or_anothers_is_refused(root, tmp_path):
    done = troth("people", "delete", "other@example.com", "--site", root, "--yes", "--json")
    path = tmp_path / "receipt.json"
    path.write_text(done.stdout.replace("Contact details", "Contact derails"))
    assert troth("receipt", "verify", path).returncode == 1
    path.write_text(done.stdout)
    assert troth("receipt", "verify", path).returncode == 0
    (Site(root).sign_keys / "1.key").write_bytes(bytes(range(32)))
    assert troth("receipt", "verify", path, "--site", root).returncode == 1
