"""The supervisor's eye: what it writes down, and when it sends for help."""

import os
import time

import pytest

from troth.launch import watch
from troth.launch.watch import Seen, Watch


@pytest.fixture
def eye(tmp_path):
    made = Watch(tmp_path, 10)
    made._begun = time.time() - 3600
    return made


def beat(folder, age):
    (folder / watch.BEAT).touch()
    moment = time.time() - age
    os.utime(folder / watch.BEAT, (moment, moment))


def test_what_is_written_is_read_again(tmp_path, eye):
    seen = [Seen("clerk", True, 1, 0), Seen("front 0", False, 2, 7)]
    eye.write(seen)
    at, told = watch.read(tmp_path)
    assert told == seen and abs(at - time.time() * 1000) < 5000
    assert (tmp_path / watch.HOUSE).stat().st_mode & 0o777 == 0o640


def test_it_is_not_written_at_every_turn(tmp_path, eye):
    eye.write([])
    (tmp_path / watch.HOUSE).unlink()
    eye.write([])
    assert watch.read(tmp_path) is None


def test_a_folder_that_takes_nothing_stops_nobody(tmp_path):
    Watch(tmp_path / "gone", 10).write([])


def test_one_alarm_for_one_silence_and_one_word_when_it_ends(tmp_path, eye):
    beat(tmp_path, 0)
    assert [eye.alarm() for _ in range(3)] == ["", "", ""]
    beat(tmp_path, 601)
    assert [eye.alarm() for _ in range(3)] == ["silent", "", ""]
    beat(tmp_path, 0)
    assert [eye.alarm() for _ in range(3)] == ["back", "", ""]


def test_a_house_that_has_just_begun_is_given_its_time(tmp_path):
    assert Watch(tmp_path, 10).alarm() == ""


def test_a_worker_that_never_beat_is_silent(eye):
    assert eye.alarm() == "silent"


def test_zero_minutes_turn_it_off(tmp_path):
    eye = Watch(tmp_path, 0)
    eye._begun = 0
    assert eye.alarm() == ""
