"""Each day has a key of its own, which every front gets, whenever it starts."""

import os
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from troth.core import clock_jumps
from troth.supervisor import day_keys
from troth.supervisor.brief import Brief
from troth.supervisor.day_key import SIZE, DayKey, fresh, newest
from troth.supervisor.day_keys import Days


class Clock(datetime):
    at = datetime(2026, 11, 25, 22, 59, 30, tzinfo=UTC)

    @classmethod
    def now(cls, tz=None):
        return cls.at.astimezone(tz)


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(day_keys, "datetime", Clock)
    Clock.at = datetime(2026, 11, 25, 22, 59, 30, tzinfo=UTC)
    return Clock


def _key(brief) -> DayKey:
    return DayKey.of(bytes.fromhex(brief.secrets["day"]))


def test_every_front_of_a_day_has_the_same_key_also_one_that_starts_again(clock):
    held = Days("Europe/Berlin")
    told = [held.brief_with_key(Brief(role="front", public="/p", number=number)) for number in (0, 1, 0)]
    assert len({_key(brief).key for brief, _ in told}) == 1
    assert {_key(brief).day for brief, _ in told} == {date(2026, 11, 25)}
    held.close()


def test_at_the_site_s_midnight_every_front_gets_a_new_key(clock):
    held = Days("Europe/Berlin")
    first, pipes = zip(
        *(held.brief_with_key(Brief(role="front", public="/p", number=number)) for number in (0, 1)), strict=True
    )
    held.roll_over()
    before = _key(first[0])
    assert newest(pipes[0][0], before) is before
    clock.at += timedelta(seconds=40)  # 23:00:10 in UTC is 00:00:10 in Berlin
    held.roll_over()
    told = {newest(pipe, before) for (pipe,) in pipes}
    assert len(told) == 1 and told.pop().day == date(2026, 11, 26)
    later, _ = held.brief_with_key(Brief(role="front", public="/p", number=0))
    assert _key(later).key != before.key
    held.close()


def test_a_front_that_is_gone_holds_nobody_up(clock):
    held = Days("UTC")
    _, (pipe,) = held.brief_with_key(Brief(role="front", public="/p", number=0))
    os.close(pipe)
    clock.at += timedelta(days=1)
    held.roll_over()
    held.close()


def test_a_key_is_told_in_whole_and_shown_nowhere():
    key = fresh(date(2026, 11, 25))
    assert DayKey.of(bytes(key)) == key and len(bytes(key)) == SIZE
    assert key.key.hex() not in repr(key) and str(key.key) not in repr(key)
    with pytest.raises(ValueError, match="36 bytes"):
        DayKey.of(bytes(key)[:-1])


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "at", "holds"),
    [
        (datetime(2026, 10, 25, 14, 3, tzinfo=BERLIN), (14, 3), True),
        (datetime(2026, 10, 26, 0, 0, 30, tzinfo=BERLIN), (23, 59), True),
        (datetime(2026, 10, 26, 0, 1, 1, tzinfo=BERLIN), (23, 59), False),
        (datetime(2026, 10, 24, 23, 59, 59, tzinfo=BERLIN), (0, 0), True),
    ],
)
def test_a_key_counts_for_its_own_day_only(now, at, holds):
    key = fresh(date(2026, 10, 25))  # a day of 25 hours
    found = key.at(now)
    assert (found.date(), found.hour, found.minute) == (key.day, *at)
    assert key.holds(now) is holds


def test_a_clock_that_leaps_and_comes_back_takes_no_key(clock, monkeypatch):
    moment = [clock_jumps.Moment(1e9, "boot", 100.0)]
    monkeypatch.setattr(clock_jumps, "here", lambda: moment[0])
    held = Days("UTC")
    before = held.brief_with_key(Brief(role="front", public="/p", number=0))[0]
    there = Clock.at
    Clock.at += timedelta(days=400)
    moment[0] = clock_jumps.Moment(1e9 + 400 * 86_400, "boot", 110.0)
    held.roll_over()
    Clock.at, moment[0] = there, clock_jumps.Moment(1e9 + 60, "boot", 160.0)
    held.roll_over()
    assert _key(held.brief_with_key(Brief(role="front", public="/p", number=0))[0]).key == _key(before).key
    Clock.at += timedelta(days=400)
    for up in (200.0, 900.0):  # it stays there
        moment[0] = clock_jumps.Moment(1e9 + 400 * 86_400 + up, "boot", up)
        held.roll_over()
    assert _key(held.brief_with_key(Brief(role="front", public="/p", number=0))[0]).key != _key(before).key
    held.close()
