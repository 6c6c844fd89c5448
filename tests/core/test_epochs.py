"""Weeks from Monday to Monday, told from the clock, and a clear word where the clock is wrong."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core.epochs import LAST, LENGTH, ends_at, epoch_of, starts_at

FIRST = datetime(2026, 1, 5, tzinfo=UTC)


@given(st.integers(0, LAST), st.timedeltas(timedelta(0), LENGTH - timedelta(microseconds=1)))
def test_a_moment_lies_in_the_epoch_that_began_before_it_and_has_not_ended(epoch, into):
    at = starts_at(epoch) + into
    assert epoch_of(at) == epoch
    assert starts_at(epoch) <= at < ends_at(epoch)
    assert at.weekday() in range(7) and starts_at(epoch).weekday() == 0


def test_epochs_change_on_monday_at_midnight_utc_whatever_the_zone():
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    assert epoch_of(monday) == epoch_of(monday - timedelta(microseconds=1)) + 1
    assert epoch_of(monday.astimezone(timezone(timedelta(hours=-11)))) == epoch_of(monday)


@pytest.mark.parametrize("at", [FIRST - timedelta(seconds=1), datetime(1970, 1, 1, tzinfo=UTC), ends_at(LAST)])
def test_a_clock_outside_of_all_epochs_is_an_error_that_names_its_year(at):
    with pytest.raises(ValueError, match=str(at.year)):
        epoch_of(at)


def test_a_moment_without_a_zone_has_no_epoch():
    with pytest.raises(ValueError, match="aware"):
        epoch_of(FIRST.replace(tzinfo=None))
