"""The one place that tells the time, so that a test can hold it: UTC, aware. Timeouts inside one process use
`time.monotonic`, which does not jump; what is stored (leases, expiries) uses this clock."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_source: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731 - one replaceable source


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return _source()


def timestamp_ms() -> int:
    """Return the present moment in whole milliseconds since 1970-01-01T00:00:00Z."""
    return int(now().timestamp() * 1000)


LEAP = 86_400.0
"""Seconds that the clock may differ from what is expected."""
_doubted = False
_checked_at: float | None = None


def doubt(doubted: bool) -> None:
    """Say whether this process's clock leapt to where it is (`core.clock_jumps`). A later leap is seen at once."""
    global _doubted, _checked_at
    _doubted, _checked_at = doubted, _ahead()


def doubted() -> bool:
    """Whether the clock may be far from the truth: what it says must not destroy anything."""
    return _doubted or (_checked_at is not None and abs(_ahead() - _checked_at) > LEAP)


def _ahead() -> float:
    """Seconds by which the clock is ahead of the time since the boot, which nobody sets."""
    return now().timestamp() - time.clock_gettime(time.CLOCK_BOOTTIME)


class StoppedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def move(self, **delta: float) -> datetime:
        """Move by `timedelta(**delta)`, backwards if negative; returns the new time."""
        self.at += timedelta(**delta)
        return self.at


@contextmanager
def hold(at: datetime) -> Iterator[StoppedClock]:
    """Hold the clock at `at` (aware) inside the block. For tests."""
    global _source
    if at.tzinfo is None:
        raise ValueError("hold() wants an aware datetime")
    before, frozen = _source, StoppedClock(at)
    _source = lambda: frozen.at  # noqa: E731
    try:
        yield frozen
    finally:
        _source = before
