"""What the snippet sends is taken; what it would not send is refused, in words that repeat nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.audience.counting.hit import LONGEST, Hit, HitKind, HitRefused, language, parse, screen


def test_a_view():
    told = parse(b"k=v&u=https%3A%2F%2Fexample.com%2Fdocs&r=https%3A%2F%2Fexample.org%2F&w=1280")
    assert told == Hit(HitKind.VIEW, "https://example.com/docs", "https://example.org/", 1280)


def test_time_events_and_a_product():
    assert parse(b"k=t&u=%2F&s=42").seconds == 42
    assert parse(b"k=e&u=%2F&n=trial+began").name == "trial began"
    assert parse(b"k=p&n=plainbook&v=4.1&y=linux").version == "4.1"


def test_who_asks_by_the_browser_s_signal_tells_nothing_else():
    assert parse(b"k=v&g=1") == Hit(HitKind.VIEW, asked_not=True)
    assert not parse(b"k=v&u=/").asked_not


@pytest.mark.parametrize(
    "query",
    [
        b"",
        b"k=x",
        b"k=v&k=v",
        b"k=v&email=ada@example.com",
        b"k=v&w=-1",
        b"k=v&w=1e9",
        b"k=t&s=99999999",
        b"k",
        b"k=v&&u=/",
        b"k=v&u=" + b"a" * LONGEST,
    ],
)
def test_what_the_snippet_would_not_send(query):
    with pytest.raises(HitRefused) as refused:
        parse(query)
    assert "ada" not in str(refused.value)


@given(st.binary(max_size=300))
def test_whatever_is_sent_is_taken_or_refused(query):
    try:
        assert parse(query).kind in HitKind
    except HitRefused:
        return


@pytest.mark.parametrize(
    ("width", "wanted"), [(0, ""), (390, "small"), (768, "medium"), (1280, "large"), (1440, "wide"), (999_999, "wide")]
)
def test_screens_are_four_sizes(width, wanted):
    assert screen(width) == wanted


@pytest.mark.parametrize(
    ("header", "wanted"),
    [("de-AT,de;q=0.9", "de"), ("EN", "en"), ("", ""), ("*", ""), ("ada@example.com", ""), ("fil", "fil")],
)
def test_languages_have_no_region(header, wanted):
    assert language(header) == wanted
