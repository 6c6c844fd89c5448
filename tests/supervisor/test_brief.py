"""A child hears its orders whole, through a pipe, and the front's carry no path but `public`."""

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.supervisor.brief import Brief, pack, receive

FULL = Brief(
    role="clerk",
    public="/srv/troth/public",
    site="/srv/troth",
    path=["/opt/troth"],
    listener=3,
    lines=[4, 5],
    clerk=6,
    number=1,
    fronts=2,
    secrets={"altcha": "00ff"},
    sandbox="best-effort",
    parent=99,
    user=998,
    quotas={1: 1 << 26, 2: 1 << 25},
    groups=[10, 11],
    ready=7,
    ports=[5432],
)


def through_a_pipe(data):
    read, write = os.pipe()
    with os.fdopen(write, "wb") as pipe:
        pipe.write(data)
    try:
        return receive(read)
    finally:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.close(read)


@pytest.mark.parametrize("brief", [FULL, Brief(role="front", public="/srv/troth/public")])
def test_a_brief_comes_through_the_pipe_as_it_was_written(brief):
    assert through_a_pipe(pack(brief)) == brief


@given(st.text(max_size=40), st.dictionaries(st.integers(1, 255), st.integers(0, 2**50)), st.lists(st.text()))
def test_any_path_and_quotas_come_through(path, quotas, paths):
    brief = replace(FULL, public=path, quotas=quotas, path=paths)
    assert through_a_pipe(pack(brief)) == brief


def test_a_brief_does_not_show_its_secrets():
    assert "00ff" not in repr(FULL) and "00ff" not in f"{FULL}"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"role": "front"}', pack(FULL)[:-1]])
def test_half_a_brief_starts_nothing(data):
    with pytest.raises((ValueError, TypeError, KeyError)):
        through_a_pipe(data)


def test_ready_is_said_once_on_its_pipe_and_to_nobody_where_there_is_none():
    read, write = os.pipe()
    replace(FULL, ready=write).tell_ready()
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert pipe.read() == b"1"
    replace(FULL, ready=None).tell_ready()
