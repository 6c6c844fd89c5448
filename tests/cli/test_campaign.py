"""`troth campaign` on a site where nothing runs."""

import json

import pytest

from tests.cli.running import troth

NOBODY = "01a228ed-4e99-7000-9300-edae12b64278"


@pytest.mark.parametrize("word", ["show", "pause", "resume", "cancel", "unschedule", "retry"])
def test_a_campaign_that_there_is_not_is_one_sentence(root, word):
    done = troth("campaign", word, NOBODY, "--site", root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("There is no such campaign.") and "Traceback" not in done.stderr


def test_what_cannot_be_sent_leaves_no_draft(root, tmp_path):
    text = tmp_path / "news.md"
    text.write_text("Hello")
    for words, why in (
        (["--subject", "News"], "Nobody would get it"),
        (["--subject", "x" * 201], "longer than 200 characters"),
        (["--subject", "News", "--topic", "Tricks"], "There is no topic"),
        (["--subject", "News", "--to-language", "de"], "Languages: none yet."),
        (["--subject", "News", "--at", "tomorrow"], "Nobody would get it"),
    ):
        done = troth("campaign", "send", text, *words, "--site", root)
        assert done.returncode == 1 and why in done.stderr and "Traceback" not in done.stderr
    assert troth("campaign", "send", tmp_path, "--subject", "x", "--site", root).returncode == 2
    assert json.loads(troth("campaign", "list", "--json", "--site", root).stdout) == []
