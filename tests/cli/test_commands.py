"""The command line: every command is listed and documented, answers in words or JSON, and refuses with a mend."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from tests.cli.running import CODE, troth
from troth.cli import app
from troth.operate import create_site

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"


def commands(group=None, before=()):
    """Every command's words, with the command."""
    for name, command in (group or get_command(app.app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))
        else:
            yield " ".join((*before, name)), command


ALL = dict(commands())


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return str(create_site.init(tmp_path_factory.mktemp("commands") / "site").root)


def test_help_lists_every_command_with_what_it_does():
    done = troth("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name in get_command(app.app).commands:
        assert re.search(rf"^│ {name} +[A-Z]", done.stdout, re.MULTILINE), name
    assert troth().stdout.count("Usage: troth") == 1


@pytest.mark.parametrize("name", ALL)
def test_every_command_and_option_says_what_it_does_and_is_in_the_docs(name):
    assert ALL[name].help and ALL[name].help.endswith(".")
    for parameter in ALL[name].params:
        assert getattr(parameter, "help", None) or "|" in (parameter.metavar or ""), (name, parameter.name)
    text = DOCS.read_text("utf-8")
    assert f"troth {name}" in text
    for parameter in ALL[name].params:
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert option in text, (name, option)


def test_help_is_there_at_once_without_django():
    heavy = "('django', 'cryptography', 'rich')"
    code = f"import sys, troth.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) in ([], ["rich"])


def test_the_version_is_the_packages():
    from importlib.metadata import version

    assert troth("version").stdout == f"troth {version('troth')}\n"


@pytest.mark.parametrize("words", [["nonsense"], ["sandbox", "owner"], ["doctor", "--nonsense"]])
def test_words_that_make_no_sense_end_with_2_and_a_usage(words):
    done = troth(*words)
    assert done.returncode == 2 and done.stdout == ""
    assert "Usage: troth" in done.stderr and "Traceback" not in done.stderr


def test_an_operators_life(root):
    assert "There are no operators yet" in troth("operator", "list", "--site", root).stdout
    added = troth("operator", "add", "Ada [Example]", "Ada@Example.com", "--site", root)
    assert added.returncode == 0 and added.stderr == "Open this link; it works once:\n"
    assert re.fullmatch(r"http://localhost:8081/welcome/[A-Za-z0-9_-]{43}/?\n", added.stdout)
    again = troth("operator", "add", "Ada", "ada@example.com", "--site", root)
    assert again.returncode == 1 and "already exists" in again.stderr and "operator link" in again.stderr
    assert troth("operator", "list", "--site", root).stdout == "Ada [Example]  <ada@example.com>  owner\n"
    (row,) = json.loads(troth("operator", "list", "--site", root, "--json").stdout)
    assert row == {"name": "Ada [Example]", "email": "ada@example.com", "role": "owner"}
    link = troth("operator", "link", "ada@example.com", "--sign-in", "--site", root)
    assert link.stdout.startswith("http://localhost:8081/welcome/") and link.stdout != added.stdout
    last = troth("operator", "remove", "ada@example.com", "--site", root)
    assert last.returncode == 1 and "This is the last owner." in last.stderr
    for words in (["link", "nobody@example.com"], ["add", "Ben", "no address"]):
        done = troth("operator", *words, "--site", root)
        assert done.returncode == 1 and done.stdout == "" and "Traceback" not in done.stderr, words


def test_status_in_words(root):
    done = troth("status", "--site", root)
    assert done.returncode == 0 and re.search(r"^alive +no$", done.stdout, re.MULTILINE)
    assert re.search(r"^mails +queued 0, ", done.stdout, re.MULTILINE)


def test_from_inside_the_sites_folder_no_option_is_needed(root):
    assert troth("embed", cwd=Path(root)).returncode == 0


def test_a_pipe_that_closes_early_is_no_error(root):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", CODE, "embed", "--site", root],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert "Traceback" not in done.stderr and done.returncode in (0, 1)
