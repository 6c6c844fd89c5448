"""The key of the day as the supervisor keeps it: made at the start and at each of the site's midnights, in memory only.

Each front gets it with its brief, and every newer one by a pipe. The old key is overwritten here (V1); a front's goes
with its counter. Weak: copies that Python made lie in memory until overwritten, and a system that swaps may write them
(docs/threat-model.md). Standard library only.
"""

import os
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from troth.core import clock_jumps
from troth.supervisor import day_key
from troth.supervisor.brief import Brief

_BELIEVED_AFTER = 600.0
"""Seconds for which a clock that leapt by more than a day must run on before it begins a day."""


class Days:
    """The site's days, in its time zone."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._day = datetime.now(self._zone).date()
        self._key = bytearray(bytes(day_key.fresh(self._day)))
        self._pipes: dict[int, int] = {}
        self._seen = clock_jumps.here()
        self._leapt: clock_jumps.Moment | None = None

    def brief_with_key(self, brief: Brief) -> tuple[Brief, list[int]]:
        """Return a front's brief with today's key and the pipe for later ones, and the descriptors that it gets."""
        self.roll_over()
        read_end, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        before = self._pipes.pop(brief.number, None)
        if before is not None:
            os.close(before)
        self._pipes[brief.number] = write_end
        return replace(brief, keys=read_end, secrets={**brief.secrets, "day": self._key.hex()}), [read_end]

    def roll_over(self) -> None:
        """Make a new key when the day has changed, and hand it to every front. Call it each second."""
        today = datetime.now(self._zone).date()
        if today == self._day or self._has_just_leapt():
            return
        self._day = today
        self._key[:] = bytes(day_key.fresh(today))
        for pipe in self._pipes.values():
            with suppress(BlockingIOError, BrokenPipeError):  # one that is dead gets it with its next brief
                os.write(pipe, self._key)

    def _has_just_leapt(self) -> bool:
        """Return whether the clock leapt to this day and may leap back: a key that has gone does not come back, and
        every visitor of today would be counted twice."""
        now = clock_jumps.here()
        if self._seen.runs_on(now):
            self._seen, self._leapt = now, None
            return False
        if self._leapt is None or not self._leapt.runs_on(now):
            self._leapt = now
        if now.up - self._leapt.up < _BELIEVED_AFTER:
            return True
        self._seen, self._leapt = now, None
        return False

    def close(self) -> None:
        """Close the pipes."""
        for pipe in self._pipes.values():
            os.close(pipe)
        self._pipes = {}
