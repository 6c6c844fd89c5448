"""Figures read as people read them."""

import pytest

from troth.kit import numbers


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0"), (950, "950"), (1_000, "1k"), (12_340, "12.3k"), (2_500_000, "2.5M")]
)
def test_an_axis_has_few_letters(number, said):
    assert numbers.short(number) == said


@pytest.mark.parametrize(("part", "said"), [(0, "0"), (0.004, "0.4"), (0.0096, "1"), (0.5, "50"), (1, "100")])
def test_little_is_not_nothing(part, said):
    assert numbers.share(part) == f"{said}\u00a0%"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0\u00a0s"), (59.4, "59\u00a0s"), (59.6, "1:00\u00a0min"), (83, "1:23\u00a0min"), (3_725, "1:02\u00a0h")],
)
def test_time_is_said_in_minutes(seconds, said):
    assert numbers.span(seconds) == said


def test_what_became_of_a_figure():
    assert numbers.count(1_234_567) == "1,234,567"
    assert numbers.change(5, 0) is None
    assert numbers.change(110, 100) == numbers.Change("+10\u00a0%", "up", "good")
    assert numbers.change(110, 100, more_is_better=False).tone == "bad"
    assert numbers.change(50, 100) == numbers.Change("−50\u00a0%", "down", "bad")
    assert numbers.change(1_000, 999) == numbers.Change("±0\u00a0%", "same", "")
