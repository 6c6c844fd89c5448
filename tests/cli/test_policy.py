"""`troth policy`: each command as an operator runs it, what it prints, how it ends, and what it refuses."""

import json
import os
import pty
import subprocess
import sys
import time

import pytest

from tests.cli.running import CODE, troth
from troth.operate import create_site
from troth.policy.text import LONGEST


def ask(root, *words):
    return troth("policy", *words, "--site", str(root))


def add(root, text):
    (root / "policy.md").write_text((root / "policy.md").read_text() + text)


def test_a_new_sites_policy_has_nothing_wrong_with_it(root):
    done = ask(root, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "[controller]" in done.stdout and "✗" not in done.stdout  # who is responsible only the operator knows
    settings = (root / "troth.toml").read_text()
    for name in ("address", "transfers"):
        settings = settings.replace(f'# {name} = ""', f'{name} = "In Exampleton."')
    (root / "troth.toml").write_text(settings)
    assert ask(root, "check").stdout.startswith("✓ ")
    assert json.loads(ask(root, "check", "--json").stdout) == []


def test_what_is_wrong_is_said_with_line_and_mend_and_ends_with_1(root):
    line = (root / "policy.md").read_text().count("\n") + 2
    add(root, "\n[We fly.]{promise=contact.flying}\n")
    done = ask(root, "check")
    assert done.returncode == 1
    assert f"✗ policy.md:{line}: Unknown promise “contact.flying”" in done.stdout
    assert "\n  → Known promises: policy.current, " in done.stdout
    told = json.loads(ask(root, "check", "--json").stdout)
    assert {"level": "bad", "line": line} == {name: told[0][name] for name in ("level", "line")}
    assert set(told[0]) == {"level", "line", "what", "mend"}


def test_a_statement_that_nothing_backs_is_pointed_at_and_ends_with_0(root):
    add(root, "\nWe will never sell your address.\n")
    done = ask(root, "check")
    assert done.returncode == 0
    assert "! policy.md:" in done.stdout and "sounds like a promise" in done.stdout


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfe\x00", "policy.md:1 is not UTF-8."),
        (b"x" * (LONGEST + 1), "policy.md is longer than"),
        (None, "There is no policy.md."),
    ],
)
@pytest.mark.parametrize("command", [["check"], ["diff"], ["publish", "--said", "Try."]])
def test_a_file_that_cannot_be_read_is_one_sentence_and_a_mend(root, data, words, command):
    (root / "policy.md").unlink() if data is None else (root / "policy.md").write_bytes(data)
    done = ask(root, *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr and "Traceback" not in done.stderr


def test_it_is_published_with_a_word_listed_shown_and_compared(root):
    assert ask(root, "diff").stdout == "No policy is published yet.\n"
    assert ask(root, "publish", "--said", "The beginning.").stdout == "Version 1 is published.\n"
    first = (root / "policy.md").read_text()
    assert ask(root, "publish", "--said", "Again.").stdout == "Nothing has changed: version 1 is published.\n"
    assert ask(root, "diff").returncode == 0
    (root / "policy.md").write_text(first.replace("Open a promise", "Open one"))
    done = ask(root, "diff")
    assert done.returncode == 1
    assert "- This page explains what" in done.stdout and "+ This page explains what" in done.stdout
    assert ask(root, "publish", "--said", "One word.").stdout == "Version 2 is published.\n"
    rows = json.loads(ask(root, "versions", "--json").stdout)
    assert [(one["number"], one["said"], one["by"], one["whole"]) for one in rows] == [
        (2, "One word.", "shell", True),
        (1, "The beginning.", "shell", True),
    ]
    assert "   2  " in ask(root, "versions").stdout
    assert ask(root, "show", "1").stdout == first
    assert ask(root, "show").stdout == (root / "policy.md").read_text()
    missing = ask(root, "show", "7")
    assert missing.returncode == 1 and "no such version" in missing.stderr


def test_without_a_word_and_without_a_person_nothing_is_published(root):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE, "policy", "publish", "--site", str(root)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 1 and "Say what changed" in done.stderr
    assert ask(root, "versions").stdout == "No policy is published yet.\n"
    assert ask(root, "publish", "--said", " ").returncode == 1


def test_a_person_is_asked_what_changed(root):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CODE, "policy", "publish", "--site", str(root)],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    time.sleep(0.5)
    os.write(ours, b"All of it is new.\n")
    told, said = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, said
    assert "What changed" in said and told.endswith("Version 1 is published.\n")
    assert json.loads(ask(root, "versions", "--json").stdout)[0]["said"] == "All of it is new."


def test_what_is_bad_is_refused_before_anybody_is_asked(root):
    add(root, "\nWe share your address with our partners.\n")
    done = ask(root, "publish")
    assert done.returncode == 1 and "cannot be published" in done.stderr and "policy.md:" in done.stderr


def test_a_text_with_signs_that_a_terminal_obeys_is_told_of_and_not_obeyed(root):
    ask(root, "publish", "--said", "The beginning.")
    add(root, "\n[x]{promise=\x1b[31m} We will never\x1b[2J. \u202eevil\n")
    told = ask(root, "check").stdout
    assert "Invisible character (U+001B)" in told
    assert "\x1b" not in told + ask(root, "diff").stdout


def test_the_sample_is_written_anew_and_replaces_nothing(root):
    done = ask(root, "new")
    assert done.returncode == 1 and "already" in done.stderr
    (root / "policy.md").unlink()
    assert ask(root, "new").returncode == 0
    assert (root / "policy.md").read_text() == create_site.policy_text()
    assert troth("policy", "new", "--site", str(root / "nowhere")).returncode == 1
