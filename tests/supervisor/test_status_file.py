"""The supervisor's eye: what it writes down, and when it sends for help."""

import os
import time

import pytest

from troth.supervisor import status_file
from troth.supervisor.status_file import ChildStatus, StatusFile


@pytest.fixture
def eye(tmp_path):
    return StatusFile(tmp_path, 10)


def beat(folder, at=None):
    (folder / status_file.BEAT).touch()
    if at is not None:
        os.utime(folder / status_file.BEAT, (at, at))


@pytest.fixture
def passed(monkeypatch):
    """Lets so many seconds pass."""
    now = [status_file.time.monotonic()]
    monkeypatch.setattr(status_file.time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def test_what_is_written_is_read_again(tmp_path, eye):
    seen = [ChildStatus("clerk", True, 1, 0), ChildStatus("front 0", False, 2, 7)]
    eye.write(seen)
    at, told = status_file.read(tmp_path)
    assert told == seen and abs(at - time.time() * 1000) < 5000
    assert (tmp_path / status_file.HOUSE).stat().st_mode & 0o777 == 0o640


def test_it_is_not_written_at_every_turn(tmp_path, eye):
    eye.write([])
    (tmp_path / status_file.HOUSE).unlink()
    eye.write([])
    assert status_file.read(tmp_path) is None


def test_a_child_that_came_up_or_went_is_written_down_at_once(tmp_path, eye):
    for seen in (
        ChildStatus("worker", False, 1, 0, 7),
        ChildStatus("worker", True, 2, 0, 7),
        ChildStatus("worker", True, 3, 1, 8),
    ):
        eye.write([seen])
        assert status_file.read(tmp_path)[1] == [seen]


def test_a_folder_that_takes_nothing_stops_nobody(tmp_path):
    StatusFile(tmp_path / "gone", 10).write([])


def test_one_alarm_for_one_silence_and_one_word_when_it_ends(tmp_path, passed, eye):
    beat(tmp_path)
    assert [eye.alarm() for _ in range(3)] == ["", "", ""]
    passed(599)
    assert eye.alarm() == ""
    passed(2)
    assert [eye.alarm() for _ in range(3)] == ["silent", "", ""]
    beat(tmp_path)
    assert [eye.alarm() for _ in range(3)] == ["back", "", ""]


@pytest.mark.parametrize("at", [0, 4e9], ids=["behind", "ahead"])
def test_a_clock_that_was_wrong_for_a_moment_hides_no_silence(tmp_path, passed, eye, at):
    beat(tmp_path, at)
    assert eye.alarm() == ""
    passed(601)
    assert eye.alarm() == "silent"
    beat(tmp_path)
    assert eye.alarm() == "back"


def test_a_house_that_has_just_begun_is_given_its_time(tmp_path):
    assert StatusFile(tmp_path, 10).alarm() == ""


def test_a_worker_that_never_beat_is_silent(passed, eye):
    passed(601)
    assert eye.alarm() == "silent"


def test_zero_minutes_turn_it_off(tmp_path, passed):
    eye = StatusFile(tmp_path, 0)
    passed(1e9)
    assert eye.alarm() == ""


def test_where_the_house_logs_is_told_where_it_can_be_looked_through(tmp_path):
    log = tmp_path / "troth.log"
    with log.open("wb") as file:
        StatusFile(tmp_path, 10, file.fileno()).write([])
    assert status_file.log_of(tmp_path) == str(log)


def test_a_pipe_and_a_terminal_keep_nothing_to_look_through(monkeypatch):
    reading, writing = os.pipe()
    try:
        assert status_file.where_it_logs(writing) == ""
        found = os.fstat(writing)
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        assert status_file.where_it_logs(writing).startswith("journal ")
        assert status_file.where_it_logs(writing).endswith(".service")
    finally:
        os.close(reading)
        os.close(writing)
    assert status_file.where_it_logs(writing) == ""  # closed


def test_where_nobody_has_said_where_it_logs_is_an_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        status_file.log_of(tmp_path)
    (tmp_path / status_file.HOUSE).write_text('{"at": 1, "processes": []}')
    with pytest.raises(OSError, match="has not recorded"):
        status_file.log_of(tmp_path)


def timetable(folder, monkeypatch, minutes):
    now = [1000.0]
    monkeypatch.setattr(status_file.time, "monotonic", lambda: now[0])
    return status_file.Timetable(folder, minutes), now


def test_all_promises_are_tried_soon_after_the_start_and_once_a_day_the_quick_ones_hourly(tmp_path, monkeypatch):
    table, now = timetable(tmp_path, monkeypatch, 60)
    assert table.due() == ""
    now[0] += 20
    assert (table.due(), table.due()) == ("full", "")
    light = 0
    for _ in range(26):
        now[0] += 3600
        word = table.due()
        light += word == "light"
        if word == "full":
            break
    assert (word, light) == ("full", 23)


def test_whoever_asks_gets_a_full_one_at_once_even_where_none_is_due(tmp_path, monkeypatch):
    table, now = timetable(tmp_path, monkeypatch, 0)
    now[0] += 100_000
    assert table.due() == ""
    (tmp_path / status_file.PROVE_ASKED).touch()
    assert (table.due(), table.due()) == ("full", "")
    assert not (tmp_path / status_file.PROVE_ASKED).exists()


def test_dns_records_are_looked_up_soon_after_the_start_every_few_hours_and_when_asked(tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(status_file.time, "monotonic", lambda: now[0])
    table, never = status_file.LookupTimetable(tmp_path), status_file.LookupTimetable(tmp_path, enabled=False)
    assert not table.due()
    now[0] += 10
    assert (table.due(), table.due()) == (True, False)
    now[0] += 6 * 3600
    assert (table.due(), table.due()) == (True, False)
    (tmp_path / status_file.DNS_ASKED).touch()
    assert not never.due()
    assert (table.due(), table.due()) == (True, False)
