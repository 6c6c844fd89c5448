"""Ids sort by when they were made, also when the clock does not go on, and say nothing else."""

import sys
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core import clock, ids

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(ids, "_last", 0)


def test_an_id_is_a_uuid_of_version_7_with_the_variant_of_the_rfc():
    with clock.hold(NOW):
        made = ids.new_id()
    assert made.version == 7 and made.variant == uuid.RFC_4122
    assert ids.made_at_ms(made) == int(NOW.timestamp() * 1000)


def test_ids_rise_within_one_millisecond_and_beyond_its_4096():
    with clock.hold(NOW):
        made = [ids.new_id() for _ in range(10_000)]
    assert made == sorted(made) and len(set(made)) == len(made)
    assert ids.made_at_ms(made[-1]) - ids.made_at_ms(made[0]) == 10_000 // 4096


def test_ids_never_run_backwards_when_the_clock_does():
    with clock.hold(NOW) as held:
        before = ids.new_id()
        held.move(days=-30)
        during = [ids.new_id() for _ in range(100)]
        held.move(days=31)
        after = ids.new_id()
    assert [before, *during, after] == sorted([before, *during, after])
    assert ids.made_at_ms(after) == int((NOW + timedelta(days=1)).timestamp() * 1000)


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=50))
def test_whatever_the_clock_does_ids_rise(jumps):
    ids._last = 0
    with clock.hold(NOW) as held:
        made = []
        for jump in jumps:
            held.at = NOW + timedelta(milliseconds=jump)
            made.append(ids.new_id())
    assert made == sorted(set(made))


def test_threads_never_make_the_same_id_twice(request):
    before = sys.getswitchinterval()
    request.addfinalizer(lambda: sys.setswitchinterval(before))
    sys.setswitchinterval(1e-6)
    made: list[uuid.UUID] = []
    threads = [threading.Thread(target=lambda: made.extend(ids.new_id() for _ in range(2000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.int >> 64 for one in made}) == 16_000  # already without their random part


def test_an_id_of_another_version_has_no_time():
    for other in (uuid.uuid4(), uuid.UUID(int=0)):
        with pytest.raises(ValueError, match="not a UUIDv7"):
            ids.made_at_ms(other)
