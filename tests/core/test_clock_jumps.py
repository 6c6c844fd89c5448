"""A clock that leapt is doubted until it has run on for a day, has come back, or somebody says that it is right."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from troth.core import clock, clock_jumps
from troth.core.clock_jumps import ClockRecord, Moment

DAY = 86_400.0
START = Moment(1_000_000_000.0, "boot", 5_000.0)


def later(moment, up, wall=None, boot="boot"):
    """`up` seconds later, while the clock went on by `wall` (as much, if not said)."""
    return Moment(moment.at + (up if wall is None else wall), boot, moment.up + up if boot == moment.boot else up)


@pytest.mark.parametrize(
    ("now", "doubted"),
    [
        (later(START, 60), False),
        (later(START, 400 * DAY), False),
        (later(START, 60, 400 * DAY), True),
        (later(START, 60, -400 * DAY), True),
        (later(START, 60, 3_600), False),
        (later(START, 10, 3_600, boot="next"), False),
        (later(START, 10, 3 * DAY, boot="next"), True),
        (later(START, 10, -3 * DAY, boot="next"), True),
    ],
    ids=["time", "a year awake", "ahead", "behind", "summer time", "a reboot", "days off", "a dead battery"],
)
def test_what_is_doubted(now, doubted):
    assert ClockRecord(START).judged(now).doubted is doubted


def test_a_clock_that_comes_back_is_believed_at_once():
    ahead = ClockRecord(START).judged(later(START, 10, 400 * DAY))
    assert ahead.doubted and not ahead.judged(later(START, 70)).doubted


def test_one_that_runs_on_is_believed_after_a_day_and_not_before():
    leapt = later(START, 10, 400 * DAY)
    state = ClockRecord(START).judged(leapt)
    for hours in range(1, 24):
        state = state.judged(later(leapt, hours * 3_600))
        assert state.doubted, hours
    state = state.judged(later(leapt, DAY))
    assert not state.doubted and state.seen.at == leapt.at + DAY


def test_one_that_leaps_again_waits_anew():
    first = later(START, 10, 400 * DAY)
    second = later(first, 3_600, 30 * DAY)
    state = ClockRecord(START).judged(first).judged(second)
    assert state.leapt == second
    assert state.judged(later(second, DAY - 1)).doubted


def test_a_reboot_while_it_is_doubted_begins_the_day_anew():
    leapt = later(START, 10, 400 * DAY)
    booted = later(leapt, 30, 600, boot="next")
    state = ClockRecord(START).judged(leapt).judged(booted)
    assert state.judged(later(booted, DAY - 60, boot="next")).doubted
    assert not state.judged(later(booted, DAY, boot="next")).doubted


def test_one_that_creeps_away_is_doubted_too():
    state, now = ClockRecord(START), START
    for _ in range(4):
        now = later(now, 60, 20 * 3_600)
        state = state.judged(now)
    assert state.doubted


def test_a_leap_is_seen_at_once_and_not_at_the_next_look(tmp_path):
    clock_jumps.ClockWatch(tmp_path, None)
    assert not clock.doubted()
    with clock.hold(clock.now() + timedelta(days=2)):
        assert clock.doubted()
    assert not clock.doubted()


def test_the_watch_writes_down_tells_and_listens_to_the_operator(tmp_path):
    told = list[bool]()
    watch = clock_jumps.ClockWatch(tmp_path, None, lambda state: told.append(state.doubted))
    assert watch.look() and told == []
    with clock.hold(clock.now() + timedelta(days=400)):
        assert not watch.look() and clock.doubted() and told == [True]
        assert clock_jumps.doubted(tmp_path) is not None
        assert "nothing is deleted" in clock_jumps.words(clock_jumps.doubted(tmp_path))
        clock_jumps.accept(tmp_path)
        assert watch.look() and not clock.doubted() and told == [True, False]
    assert not watch.look(), "now it is behind"
    clock_jumps.accept(tmp_path)
    assert clock_jumps.doubted(tmp_path) is None


def test_what_the_records_tell_of_counts_where_nothing_is_written_down(tmp_path):
    assert not clock_jumps.ClockWatch(tmp_path, datetime(2020, 1, 1, tzinfo=UTC)).look()


@pytest.mark.parametrize(
    "told",
    [
        '{"seen": 7}',
        "[" * 4_096,
        "[7]",
        '{"seen": {"at": "now", "boot": "", "up": 1}, "leapt": null}',
        '{"seen": {"at": 1e300, "boot": "", "up": 1}, "leapt": {"at": NaN, "boot": "", "up": 1}}',
        '{"seen": {"at": 1, "boot": [], "up": 1}, "leapt": null}',
    ],
)
def test_what_cannot_be_read_is_nothing(tmp_path, told):
    (tmp_path / clock_jumps.NAME).write_text(told)
    assert clock_jumps.read(tmp_path) is None and clock_jumps.doubted(tmp_path) is None


def test_what_was_planted_in_its_place_is_nothing_either(tmp_path):
    for plant in (lambda path: os.mkfifo(path), lambda path: path.symlink_to("/dev/zero"), lambda path: path.mkdir()):
        plant(tmp_path / clock_jumps.NAME)
        assert clock_jumps.read(tmp_path) is None
        (tmp_path / clock_jumps.NAME).rename(tmp_path / "gone")
        (tmp_path / "gone").rmdir() if (tmp_path / "gone").is_dir() else (tmp_path / "gone").unlink()
