"""Numbers of invoices: without a gap, told apart from card numbers, and what went wrong is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core.text import card_numbers
from troth.shop.receipts.numbers import Number, next_number, problems, read


class Kept:
    """A counter as the contract wants it, in memory."""

    def __init__(self):
        self.last = {}

    def take(self, year):
        self.last[year] = self.last.get(year, 0) + 1
        return self.last[year]


def test_numbers_follow_one_another_and_each_year_begins_with_one():
    counter = Kept()
    taken = [next_number(counter, year) for year in (2026, 2026, 2027, 2026)]
    assert taken == ["2026-000001", "2026-000002", "2027-000001", "2026-000003"]
    assert problems(taken) == []


def test_what_is_missing_or_doubled_is_said():
    assert problems(["2026-000002", "2026-000002", "2026-000006", "2027-000001", "R-17"]) == [
        "'R-17' is no number of a document.",
        "2026-000002 was given 2 times.",
        "2026-000001 missing.",
        "2026-000003 to 2026-000005 missing.",
    ]


@given(st.integers(1000, 9999), st.integers(1, 999_999_999))
def test_a_number_is_read_as_it_was_written_and_is_no_card_number(year, place):
    text = str(Number(year, place))
    assert read(text) == Number(year, place)
    assert card_numbers.find(f"Card payment of invoice {text}, {text}") == []


@pytest.mark.parametrize(
    "text", ["", "2026-0001", "2026-000000", "2026-0000001", "26-000001", "2026-00000١", " 2026-000001"]
)
def test_what_is_none_is_not_read(text):
    assert read(text) is None


@given(st.sets(st.integers(1, 60)), st.integers(60, 61))
def test_exactly_the_gaps_are_found(missing, last):
    kept = [str(Number(2026, place)) for place in range(1, last + 1) if place not in missing or place == last]
    spans = [line.removesuffix(" missing.").split(" to ") for line in problems(kept)]
    found = {place for span in spans for place in range(read(span[0]).place, read(span[-1]).place + 1)}
    assert found == missing - {last}
