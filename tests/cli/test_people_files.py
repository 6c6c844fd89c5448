"""`troth people import` and `list`: what they print, how they end, and that nobody's details are printed."""

import json

import pytest

from tests.cli.running import troth
from tests.promises.files import written
from troth import scaffold

SECRETS = ("wilma", "Wilma", "oddsworth", "Oddsworth")


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "site"
    scaffold.init(made, name="Example Software", url="http://127.0.0.1:18399")
    return made


@pytest.fixture
def people_csv(tmp_path):
    return written(tmp_path / "people.csv", "E-Mail;Name", "wilma@oddsworth.example.com;Wilma Oddsworth", "bad;Wilma O")


GROUND = ("--consent", "Yes.", "--consent-date", "2024-05-01")


def test_bad_rows_stop_it_before_anything_is_written(root, people_csv):
    done = troth("people", "import", str(people_csv), "--site", str(root), *GROUND)
    assert done.returncode == 3
    assert "nothing written" in done.stderr
    assert "line 3, E-Mail: An e-mail address has an @" in done.stderr
    assert "xxxxx@xxxxxxxxx.xxxxxxx.xxx" in done.stderr
    assert not any(secret in done.stderr + done.stdout for secret in SECRETS)
    assert troth("people", "find", "Wilma", "--site", str(root)).returncode == 1


def test_the_good_rows_can_be_taken_and_are_counted(root, people_csv):
    done = troth("people", "import", str(people_csv), "--site", str(root), *GROUND, "--skip-bad", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["written"], told["new"], told["bad"], told["delimiter"]) == (True, 1, 1, ";")
    assert told["bad_rows"] == [{"line": 3, "column": "E-Mail", "why": told["reasons"][0]["why"]}]
    assert not any(secret in done.stdout for secret in SECRETS)
    found = troth("people", "find", "Oddsworth", "--site", str(root), "--json")
    assert json.loads(found.stdout)["state"] == "confirmed"


def test_a_dry_run_writes_nothing_and_says_what_would_come(root, people_csv):
    done = troth("people", "import", str(people_csv), "--site", str(root), *GROUND, "--dry-run", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["written"], told["new"]) == (0, False, 1)
    assert troth("people", "find", "Wilma", "--site", str(root)).returncode == 1


def test_without_consent_nobody_comes_in(root, people_csv):
    done = troth("people", "import", str(people_csv), "--site", str(root), "--skip-bad", "--json")
    assert json.loads(done.stdout)["written"] is False
    assert "No consent" in done.stdout


def test_the_first_rows_are_shown_where_that_is_asked(root, people_csv):
    done = troth("people", "import", str(people_csv), "--site", str(root), *GROUND, "--dry-run", "--show")
    assert "wilma@oddsworth.example.com" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--map", "Name=shoe"), "no such field"),
        (("--map", "Shoe=name"), "no such column"),
        (("--consent-date", "yesterday"), "is no date"),
        (("--encoding", "klingon"), "not known"),
    ],
)
def test_a_wrong_word_is_one_sentence(root, people_csv, words, said):
    done = troth("people", "import", str(people_csv), "--site", str(root), *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_list_is_written_once(root, people_csv, tmp_path):
    troth("people", "import", str(people_csv), "--site", str(root), *GROUND, "--skip-bad")
    words = ("people", "list", "--export", str(tmp_path / "list.csv"), "--state", "confirmed", "--site", str(root))
    done = troth(*words)
    assert done.returncode == 0, done.stderr
    assert (
        (tmp_path / "list.csv").read_text().splitlines()[1].startswith("wilma@oddsworth.example.com,Wilma Oddsworth,")
    )
    assert troth(*words).returncode == 1
    assert troth(*words[:4], "--state", "purple", "--site", str(root)).returncode == 1
