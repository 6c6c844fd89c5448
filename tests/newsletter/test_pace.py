"""A campaign keeps to its limits in any hour, whatever the clock and pauses do; nothing waits longer than it must."""

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from troth.newsletter.campaigns.pace import HOUR, Pace, SlidingWindow

START = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
STEP = HOUR / 60
gaps = st.lists(st.one_of(st.just(0.0), st.floats(0, 90), st.floats(0, 7_200)), min_size=1, max_size=150)


def moments(seconds):
    """Rising moments, so many seconds apart."""
    now = START
    for gap in seconds:
        now += timedelta(seconds=gap)
        yield now


def most_in_any_hour(times):
    """The most that left within one hour, whenever it begins: it suffices to look from each."""
    return max((sum(begin <= at < begin + HOUR for at in times) for begin in times), default=0)


@given(gaps, st.integers(1, 20))
def test_in_any_hour_at_most_so_many_leave(seconds, limit):
    window, left = SlidingWindow(), []
    for now in moments(seconds):
        if window.free_at(limit, now) <= now:
            window.count(now)
            left.append(now)
    assert most_in_any_hour(left) <= limit


@given(gaps, st.integers(1, 20))
def test_the_moment_it_names_is_free_and_at_most_a_step_too_late(seconds, limit):
    window, left = SlidingWindow(), []
    for now in moments(seconds):
        free = window.free_at(limit, now)
        if free <= now:
            window.count(now)
            left.append(now)
        else:
            assert free <= left[-limit] + HOUR + STEP
            assert window.free_at(limit, free) == free
    assert window.is_empty(left[-1] + HOUR + STEP)


@given(gaps, st.integers(1, 12), st.integers(1, 12), st.lists(st.booleans(), min_size=150, max_size=150))
def test_a_campaign_keeps_the_limits_of_each_domain_and_of_all(seconds, of_all, of_domain, which):
    pace, waiting = Pace(), []
    left = {"": [], "example.com": [], "example.org": []}
    for number, (now, first) in enumerate(zip(moments(seconds), which, strict=False)):
        domain = "example.com" if first else "example.org"
        due = [(uuid.UUID(int=number), domain, now), *waiting]
        waiting = []
        for ident, goes_to, at in due:
            if at > now:
                waiting.append((ident, goes_to, at))
            elif later := pace.reserve(ident, {"": of_all, goes_to: of_domain}, now):
                assert later > now
                waiting.append((ident, goes_to, later))
            else:
                left[""].append(now)
                left[goes_to].append(now)
        pace.forget_past(now)
    assert most_in_any_hour(left[""]) <= of_all
    assert most_in_any_hour(left["example.com"]) <= of_domain
    assert most_in_any_hour(left["example.org"]) <= of_domain


def test_what_piled_up_in_a_pause_does_not_leave_at_once():
    pace, limits = Pace(), {"example.com": 60}
    turns = {uuid.UUID(int=number): START for number in range(1_000)}
    for ident in turns:
        turns[ident] = pace.reserve(ident, limits, START) or START
    after = START + timedelta(hours=20)
    assert max(turns.values()) < after, "all of them are due"
    turns = {ident: pace.reserve(ident, limits, after) for ident in turns}
    assert sum(at is None for at in turns.values()) == 60
    assert len({at for at in turns.values() if at}) > 800, "the others are spread again"


def test_a_clock_that_was_set_back_frees_nothing():
    window = SlidingWindow()
    for _ in range(3):
        window.count(START)
    window.count(START - timedelta(minutes=30))
    assert window.free_at(4, START) > START
    assert window.free_at(5, START) == START


def test_a_hundred_thousand_emails_to_one_domain_take_little_memory():
    window = SlidingWindow()
    for number in range(100_000):
        window.count(START + timedelta(seconds=number / 10))
    assert len(window._steps) <= 167  # ten thousand seconds in steps of a minute
    assert not window.is_empty(START + timedelta(seconds=10_000))
    assert len(window._steps) <= 62
