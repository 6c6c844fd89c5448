"""What lies in policy.md is brought to where fenced processes read it, whatever an editor does; who asks is heard."""

import os
import time

import pytest

from troth.supervisor import status_file
from troth.supervisor.policy_copy import Mirror
from troth.supervisor.status_file import Timetable


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "policy.md"
    path.write_text("One.")
    return path


@pytest.fixture
def seen(tmp_path):
    return tmp_path / "seen.md"


@pytest.fixture
def mirror(policy, seen):
    made = Mirror(policy, seen)
    made.follow()
    return made


def test_it_is_brought_at_the_start_and_closed_to_others(mirror, seen):
    assert seen.read_text() == "One."
    assert seen.stat().st_mode & 0o777 == 0o640


def test_an_editor_that_puts_a_new_file_in_its_place_is_followed(mirror, policy, seen):
    fresh = policy.with_name("policy.md~")
    fresh.write_text("Two.")
    fresh.replace(policy)
    mirror.follow()
    assert seen.read_text() == "Two."


def test_one_that_writes_into_it_is_followed_even_within_the_same_size(mirror, policy, seen):
    time.sleep(0.02)
    policy.write_text("Six.")
    mirror.follow()
    assert seen.read_text() == "Six."


def test_what_has_not_changed_is_not_written_again(mirror, seen):
    seen.unlink()
    mirror.follow()
    assert not seen.exists()


def test_a_policy_that_is_gone_is_gone_there_too_and_comes_back(mirror, policy, seen):
    policy.unlink()
    mirror.follow()
    assert not seen.exists()
    policy.write_text("Back.")
    mirror.follow()
    assert seen.read_text() == "Back."


def test_a_link_a_pipe_and_a_folder_are_not_followed(mirror, policy, seen, tmp_path):
    (tmp_path / "secret").write_text("secret")
    for make in (
        lambda: policy.symlink_to(tmp_path / "secret"),
        lambda: os.mkfifo(policy),
        policy.mkdir,
    ):
        policy.unlink() if not policy.is_dir() else policy.rmdir()
        make()
        mirror.follow()
        assert not seen.exists()


def test_a_huge_one_is_brought_in_part(mirror, policy, seen):
    policy.write_bytes(b"x" * 10_000_000)
    mirror.follow()
    assert seen.stat().st_size == 100_000


def test_a_folder_that_takes_nothing_stops_nobody_and_is_tried_again(policy, tmp_path):
    place = tmp_path / "later" / "seen.md"
    mirror = Mirror(policy, place)
    mirror.follow()
    place.parent.mkdir()
    mirror.follow()
    assert place.read_text() == "One."


# -- who asks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "done"), [("light", "light"), ("full", "full"), ("", "full"), ("rm -rf", "full")])
def test_whoever_asks_is_heard_once_and_by_a_closed_list_of_words(tmp_path, word, done):
    table = Timetable(tmp_path, 0)
    assert table.due() == ""
    (tmp_path / status_file.PROVE_ASKED).write_text(word)
    assert (table.due(), table.due()) == (done, "")


def test_a_quick_one_that_was_asked_for_does_not_put_the_daily_one_off(tmp_path):
    table = Timetable(tmp_path, 60)
    table._full_at = time.monotonic() - 1
    (tmp_path / status_file.PROVE_ASKED).write_text("light")
    assert (table.due(), table.due(), table.due()) == ("light", "full", "")
