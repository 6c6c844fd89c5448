"""The key of the day, by which visitors are told apart until midnight: handed over by pipe, kept in memory (V1).

The launcher makes one for each day of the site's zone; at midnight the old one is gone here and there. Whatever the
clock shows, the day that is counted is the key's.

    day 4 | key 32        day: `date.toordinal` in the site's zone
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

SIZE = 36
_GRACE = timedelta(minutes=1)
"""How long after its midnight a key may still be used: the launcher looks at the clock each second."""


@dataclass(frozen=True, slots=True)
class DayKey:
    """One day's key. Its `repr` does not show it."""

    day: date
    key: bytes

    def __repr__(self) -> str:
        return f"<DayKey {self.day}>"

    def __bytes__(self) -> bytes:
        return self.day.toordinal().to_bytes(4) + self.key

    @classmethod
    def of(cls, packed: bytes) -> "DayKey":
        """Return the key that `bytes()` made these of. Raises `ValueError`."""
        if len(packed) != SIZE:
            raise ValueError("a day's key is told in 36 bytes")
        return cls(date.fromordinal(int.from_bytes(packed[:4])), packed[4:])

    def at(self, now: datetime) -> datetime:
        """Return `now` (in the site's zone) as a time of this key's day, its first or last minute where the clock is
        outside."""
        if now.date() == self.day:
            return now
        edge = (23, 59) if now.date() > self.day else (0, 0)
        return datetime(self.day.year, self.day.month, self.day.day, *edge, tzinfo=now.tzinfo)

    def holds(self, now: datetime) -> bool:
        """Whether visitors may still be told apart by it at `now`, in the site's zone."""
        return self.day >= now.date() or self.day >= (now - _GRACE).date()


def fresh(day: date) -> DayKey:
    """Return a new key for `day`."""
    return DayKey(day, os.urandom(32))


def newest(descriptor: int, current: DayKey) -> DayKey:
    """Return the newest key that waits in a pipe that does not block; `held` where none does."""
    with suppress(BlockingIOError, ValueError):
        # The launcher writes each at once, and a pipe keeps so few bytes whole.
        while packed := os.read(descriptor, SIZE):
            current = DayKey.of(packed)
    return current
