"""Token buckets: how often one visitor may submit. In memory, bounded, by a keyed hash and never by an address. One
number a visitor: when the bucket will be full again (the generic cell rate algorithm, ITU-T I.371)."""

import time
from collections import OrderedDict
from collections.abc import Callable

MOST = 20_000
"""Visitors remembered at once, about 4 MB; beyond, the one not seen for longest is forgotten."""


class Buckets:
    """`burst` tickets at once, then one each `refill` seconds."""

    def __init__(
        self, burst: int, refill: float, *, most: int = MOST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._slack, self._refill, self._most, self._clock = (burst - 1) * refill, refill, most, clock
        self._full_at: OrderedDict[bytes, float] = OrderedDict()

    def take(self, visitor: bytes) -> float:
        """Take one ticket: 0.0 if there was one, else the seconds until there will be."""
        now = self._clock()
        full_at = max(self._full_at.get(visitor, now), now)
        wait = full_at - now - self._slack
        if wait > 1e-9:
            return wait
        self._full_at[visitor] = full_at + self._refill
        self._full_at.move_to_end(visitor)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        return 0.0

    def __len__(self) -> int:
        return len(self._full_at)
