"""How fast a campaign may leave: so many emails an hour altogether, and to one receiving domain.

Each email reserves the next free moment; emails are spread evenly, so that no provider gets an hour's worth at once.
What piled up meanwhile, as in a pause, is held back by a sliding window: in any hour at most so many leave, whenever it
begins. Kept in memory: a worker that is started again begins anew. Source of the spreading: the generic cell rate
algorithm (ITU-T I.371). Touches nothing.
"""

from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

HOUR = timedelta(hours=1)
_AT_ONCE = timedelta(seconds=2)
"""So far ahead a moment may lie to count as now."""
_START = datetime(1970, 1, 1, tzinfo=UTC)


class SlidingWindow:
    """At most `limit` emails in any `length`, whenever it begins.

    They are counted together in steps of a sixtieth of the length, and a step counts until all of it is over: memory
    stays bounded, and the window is never too short, at most a sixtieth too long.
    """

    def __init__(self, length: timedelta = HOUR) -> None:
        self._length, self._step = length, length / 60
        self._steps: deque[tuple[datetime, int]] = deque()
        """The end of each step, and how many left in it."""

    def free_at(self, limit: int, now: datetime) -> datetime:
        """Return when the next email may leave: `now`, or later."""
        self._forget(now)
        over = sum(count for _, count in self._steps) - limit + 1
        for end, count in self._steps:
            if over <= 0:
                break
            over -= count
            now = max(now, end + self._length)
        return now

    def count(self, now: datetime) -> None:
        """Count one email that leaves now."""
        end = _START + ((now - _START) // self._step + 1) * self._step
        if self._steps and self._steps[-1][0] >= end:  # also where the clock was set back
            last, count = self._steps.pop()
            self._steps.append((last, count + 1))
        else:
            self._steps.append((end, 1))

    def is_empty(self, now: datetime) -> bool:
        """Return whether nothing left within the length before `now`."""
        self._forget(now)
        return not self._steps

    def _forget(self, now: datetime) -> None:
        while self._steps and self._steps[0][0] + self._length <= now:
            self._steps.popleft()


class Pace:
    """Reserved moments: for each domain the last one, and by delivery those that are still to come."""

    def __init__(self) -> None:
        self._last: dict[str, datetime] = {}
        self._left: dict[str, SlidingWindow] = {}
        self._reserved: set[UUID] = set()

    def reserve(self, delivery: UUID, limits: Mapping[str, int], now: datetime) -> datetime | None:
        """Return when this email may leave; None: now. `limits`: emails an hour by domain, `""` for all together."""
        limits = {key: per_hour for key, per_hour in limits.items() if per_hour}
        moment = now if delivery in self._reserved else self._next(limits, now)
        if moment <= now + _AT_ONCE:
            windows = {key: self._left.setdefault(key, SlidingWindow()) for key in limits}
            moment = max((windows[key].free_at(limit, now) for key, limit in limits.items()), default=now)
            if moment <= now:
                self._reserved.discard(delivery)
                for window in windows.values():
                    window.count(now)
                return None
            moment = max(moment, self._next(limits, now))  # so that what piled up does not come again all at once
        self._reserved.add(delivery)
        return moment

    def _next(self, limits: Mapping[str, int], now: datetime) -> datetime:
        """Reserve the next moment of all limits."""
        moment = now
        for key, per_hour in limits.items():
            between = HOUR / per_hour
            self._last[key] = max(now, self._last.get(key, now - between) + between)
            moment = max(moment, self._last[key])
        return moment

    def forget_past(self, now: datetime) -> None:
        """Forget domains whose last moment is over, and those to which nothing left in the last hour."""
        self._last = {key: moment for key, moment in self._last.items() if moment > now}
        self._left = {key: window for key, window in self._left.items() if not window.is_empty(now)}


PACE = Pace()
