"""`troth people import` and `list`: what they print, how they end, and that nobody's details are printed."""

import json

import pytest

from tests.cli.running import troth
from tests.people.files import written

SECRETS = ("wilma", "Wilma", "oddsworth", "Oddsworth")


@pytest.fixture
def people_csv(tmp_path):
    return written(tmp_path / "people.csv", "E-Mail;Name", "wilma@oddsworth.example.com;Wilma Oddsworth", "bad;Wilma O")


GROUND = ("--consent", "Yes.", "--consent-date", "2024-05-01")


def test_bad_rows_stop_it_before_anything_is_written(root, people_csv):
    done = troth("people", "import", str(people_csv), "--site", str(root), *GROUND)
    assert done.returncode == 3
    assert "nothing written" in done.stderr
    assert "line 3, E-Mail: Enter an email address with an @" in done.stderr
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


def test_where_no_row_can_be_used_nothing_advises_to_skip_the_bad_ones(root, tmp_path):
    path = written(tmp_path / "bad.csv", "email", "bad", "worse")
    for words in ((), ("--skip-bad",)):
        done = troth("people", "import", str(path), "--site", str(root), *GROUND, *words)
        assert done.returncode == 3
        assert "No row is valid" in done.stderr
        assert "--skip-bad" not in done.stderr


def test_who_is_gone_and_what_is_not_read_is_told(root, tmp_path):
    path = written(tmp_path / "x.csv", "email,UNSUB_TIME,Rating", "a@example.com,2024-01-31,3", "b@example.com,,4")
    words = ("people", "import", str(path), "--site", str(root), *GROUND, "--dry-run")
    told = json.loads(troth(*words, "--json").stdout)
    assert (told["new"], told["away"], told["away_by"]) == (1, 1, {"UNSUB_TIME": 1})
    assert (told["who_is_gone"], told["not_read"]) == ({"UNSUB_TIME": "left"}, ["Rating"])
    shown = troth(*words).stderr
    assert "UNSUB_TIME → unsubscribed" in shown
    assert "ignored: Rating" in shown
    assert "1  of these by UNSUB_TIME" in shown


def test_a_file_of_those_who_are_gone_is_refused_by_its_name(root, tmp_path):
    path = written(tmp_path / "nonsubscribed_members_export_1a.csv", "Email Address", "a@example.com")
    done = troth("people", "import", str(path), "--site", str(root), *GROUND)
    assert done.returncode == 1
    assert "lists unsubscribed people" in done.stderr and "rename it" in done.stderr


def test_a_column_that_may_speak_of_leaving_is_asked_about(root, tmp_path):
    path = written(tmp_path / "x.csv", "email,Mail status", "a@example.com,purple")
    done = troth("people", "import", str(path), "--site", str(root), *GROUND)
    assert done.returncode == 3
    assert '"purple"' in done.stderr and '--map "Mail status=-"' in done.stderr
    again = troth("people", "import", str(path), "--site", str(root), *GROUND, "--map", "Mail status=-", "--json")
    assert json.loads(again.stdout)["new"] == 1


def test_the_first_rows_are_shown_where_that_is_asked(root, people_csv):
    done = troth("people", "import", str(people_csv), "--site", str(root), *GROUND, "--dry-run", "--show")
    assert "wilma@oddsworth.example.com" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--map", "Name=shoe"), "unknown field"),
        (("--map", "Shoe=name"), "unknown column"),
        (("--consent-date", "yesterday"), "is not a date"),
        (("--encoding", "klingon"), "Unknown encoding"),
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


def test_the_program_and_its_topics_are_told_and_topics_created_when_asked(root, tmp_path):
    head = "id,first_name,email,status,created_at,tags,Shoe"
    path = written(tmp_path / "kit.csv", head, "1,A,a@example.com,active,2024-01-31,News,7")
    words = ("people", "import", str(path), "--site", str(root), "--consent", "Yes.")
    shown = troth(*words, "--dry-run").stderr
    assert "looks like an export of Kit" in shown and "unknown, ignored: Shoe" in shown and "here: News" in shown
    told = json.loads(troth(*words, "--create-topics", "--json").stdout)
    assert told["caution"] is None
    assert (told["new"], told["unknown_topics"], told["unknown_columns"]) == (1, {"News": 1}, ["Shoe"])
    assert troth(*words, "--topic", "news", "--dry-run").returncode == 0
