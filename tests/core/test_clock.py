"""One clock, aware and in UTC, which a test can hold and move either way."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from troth.core import clock

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_clock_tells_the_present_in_utc():
    told = clock.now()
    assert told.utcoffset() == timedelta(0)
    assert abs(told - datetime.now(UTC)) < timedelta(seconds=5)
    assert abs(clock.timestamp_ms() / 1000 - datetime.now(UTC).timestamp()) < 5


def test_a_held_clock_stands_still_and_moves_forward_and_back():
    with clock.hold(AT) as held:
        assert clock.now() == clock.now() == AT
        assert held.move(hours=2) == clock.now() == AT + timedelta(hours=2)
        assert held.move(days=-3) == clock.now() == AT + timedelta(hours=2, days=-3)
        assert clock.timestamp_ms() == int(clock.now().timestamp() * 1000)


def test_after_a_hold_the_clock_goes_on_even_after_an_error_and_holds_nest():
    with pytest.raises(RuntimeError), clock.hold(AT):
        with clock.hold(AT + timedelta(days=1)):
            assert clock.now() == AT + timedelta(days=1)
        assert clock.now() == AT
        raise RuntimeError
    assert clock.now() > AT


def test_a_moment_without_a_zone_cannot_be_held():
    with pytest.raises(ValueError, match="aware"), clock.hold(AT.replace(tzinfo=None)):
        pass


def test_milliseconds_do_not_depend_on_the_zone():
    with clock.hold(AT.astimezone(timezone(timedelta(hours=5)))):
        assert clock.timestamp_ms() == int(AT.timestamp() * 1000)
