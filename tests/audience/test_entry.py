"""What a front says it counted comes back as it was; what no counter makes is refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audience.test_count import AT, _counter, _view
from troth.audience.cells import Sums
from troth.audience.count import Taken
from troth.audience.entry import Counts, CountsRefused, cells_of, pack, risen_of, sums_of, unpack


def _taken(*seen) -> Taken:
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
    return msgspec.msgpack.encode(Counts(**made)) + b"\x80"


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
