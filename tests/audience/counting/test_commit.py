"""What a front says it counted comes back as it was; what no counter makes is refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audience.counting.test_counter import AT, _counter, _view
from tests.audience.counts import risen_of, sums_of
from troth.audience.counting.cells import ALL, Cell, Dim, Sums
from troth.audience.counting.commit import (
    MOST_BYTES,
    CountsRefused,
    MinuteCounts,
    cells_of,
    entries,
    pack,
    unpack,
)
from troth.audience.counting.counter import GroupCommit
from troth.audience.counting.registers import Rise


def _taken(*seen) -> GroupCommit:
    counter = _counter()
    for now, one in enumerate(seen):
        counter.count(one, float(now))
    return counter.take(AT)


def test_what_was_counted_comes_back():
    taken = _taken(_view("/docs", country="DE"), _view("/buy"), _view("/buy", address="203.0.113.8"))
    counts = unpack(pack(taken))
    assert dict(sums_of(counts)) == dict(taken.sums) and list(risen_of(counts)) == taken.risen
    assert (counts.day, counts.hour) == (AT.date().toordinal(), 14)


def test_one_hit_and_a_few_have_the_same_size():
    one, few = _taken(_view("/")), _taken(_view("/"), _view("/docs"), _view("/buy", address="203.0.113.8"))
    assert len(pack(one)) == len(pack(few)) == 2_048


def _counts(**changed) -> bytes:
    made = {"day": 739_000, "hour": 3, "names": ["", "/"], "cells": [], "risen": []} | changed
    return msgspec.msgpack.encode(MinuteCounts(**made)) + b"\x80"


@pytest.mark.parametrize(
    "changed",
    [
        {"hour": 24},
        {"day": 0},
        {"names": ["a" * 500]},
        {"names": ["a\nb"]},
        {"cells": [(99, 0, -1, 0, 1, 0, 0, 0)]},
        {"cells": [(0, 7, -1, 0, 1, 0, 0, 0)]},
        {"cells": [(0, 0, -2, 0, 1, 0, 0, 0)]},
        {"cells": [(0, 0, -1, 0, 10**9, 0, 0, 0)]},
        {"cells": [(9, 0, 10, 1, 1, 0, 0, 0)]},
        {"risen": [(0, 0, 1 << 14, 1)]},
        {"risen": [(1, 1, 1, 60)]},
        {"risen": [(9, 0, 1, 1)]},
    ],
)
def test_what_no_counter_makes_is_refused(changed):
    with pytest.raises(CountsRefused):
        counts = unpack(_counts(**changed))
        list(cells_of(counts)), list(risen_of(counts))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_counted(data):
    try:
        assert isinstance(sums_of(unpack(data)), Sums)
    except CountsRefused:
        return


def test_what_one_frame_cannot_hold_becomes_several_that_say_the_same():
    sums = Sums()
    for number in range(4_000):
        sums.add(Cell(Dim.PAGE, f"/a-long-path-of-a-page/{number}"), views=number + 1, visits=1)
    risen = [Rise(ALL, number, 3) for number in range(500)]
    parts = list(entries(GroupCommit("2026-11-25", 14, sums, risen, 30, fresh=True)))
    assert len(parts) > 1
    assert all(len(part.packed) <= MOST_BYTES for part in parts)
    told = [unpack(part.packed) for part in parts]
    views = sum(sums_of(counts).of(Cell(Dim.PAGE, f"/a-long-path-of-a-page/{n}"))[0] for counts in told for n in (0, 7))
    assert views == 1 + 8
    assert sum(len(list(risen_of(counts))) for counts in told) == 500
    assert {(counts.hour, counts.minute, counts.fresh) for counts in told} == {(14, 30, True)}
