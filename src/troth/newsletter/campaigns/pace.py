"""How fast a campaign may leave: so many emails an hour altogether, and to one receiving domain.

Each email reserves the next free moment; emails are spread evenly, so that no provider gets an hour's worth at once.
Kept in memory: a worker that is started again begins anew. Source: the generic cell rate algorithm (ITU-T I.371).
Touches nothing.
"""

from datetime import datetime, timedelta
from uuid import UUID

_AT_ONCE = timedelta(seconds=2)
"""So far ahead a moment may lie to count as now."""


class Pace:
    """Reserved moments: for each domain the last one, and by delivery those that are still to come."""

    def __init__(self) -> None:
        self._last: dict[str, datetime] = {}
        self._reserved: set[UUID] = set()

    def reserve(self, delivery: UUID, limits: dict[str, int], now: datetime) -> datetime | None:
        """Return when this email may leave; None: now. `limits`: emails an hour by domain, `""` for all together."""
        if delivery in self._reserved:
            self._reserved.discard(delivery)  # it waited for its turn
            return None
        moment = now
        for key, per_hour in limits.items():
            if per_hour:
                between = timedelta(hours=1) / per_hour
                self._last[key] = max(now, self._last.get(key, now - between) + between)
                moment = max(moment, self._last[key])
        if moment <= now + _AT_ONCE:
            return None
        self._reserved.add(delivery)
        return moment

    def forget_past(self, now: datetime) -> None:
        """Forget domains whose last moment is over."""
        self._last = {key: moment for key, moment in self._last.items() if moment > now}


PACE = Pace()
