"""Whatever command meets wrong settings says file, line and mend, with exit code 1 and without a traceback."""

import pytest

from tests.cli.running import troth
from troth.core.site import Site
from troth.operate import create_site

COMMANDS = [
    ["serve", "--one-user"],
    ["proxy", "nginx"],
    ["embed"],
    ["status"],
]


@pytest.fixture
def site(tmp_path):
    return Site(create_site.init(tmp_path / "site").root)


def refused(done):
    assert done.returncode == 1 and done.stdout == "" and "Traceback" not in done.stderr, done.stderr
    return done.stderr


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_each_command_names_file_line_and_mend(site, words):
    site.config.write_text('[site]\nname = "x"\nurl = "https://www.example.com"\n[front]\nlissten = "x"\n')
    said = refused(troth(*words, "--site", str(site.root)))
    assert said == f"{site.config}:5: [front] has no setting `lissten`.\nDid you mean `listen`?\n"


def test_all_that_is_wrong_is_told_at_once(site):
    site.config.write_text('[site]\nname = ""\nurl = "example"\n')
    said = refused(troth("embed", "--site", str(site.root), TROTH_FRONT__WORKERS="none"))
    assert "3 settings are wrong:" in said
    for words in (f"{site.config}:2: ", f"{site.config}:3: ", "TROTH_FRONT__WORKERS: "):
        assert words in said


def test_a_folder_that_is_no_site_is_told(tmp_path):
    said = refused(troth("serve", "--site", str(tmp_path)))
    assert f"{tmp_path}/troth.toml: This file does not exist." in said and "troth init DIR" in said


def test_brackets_in_a_message_are_shown_as_they_are(site):
    site.config.write_text("[sitee]\n[bold]\n")
    said = refused(troth("embed", "--site", str(site.root)))
    assert "[sitee]" in said and "[bold]" in said
