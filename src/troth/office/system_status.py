"""How the house stands: processes, queues, what waits for a hand. Counts and states, nobody's details.

The console's page and Prometheus both read it from here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from troth.core import clock
from troth.gate import outbox
from troth.policy import status
from troth.supervisor import status_file
from troth.vault import site_status
from troth.vault.models import Erasure


@dataclass(frozen=True, slots=True)
class Process:
    """One of the house's processes."""

    name: str
    up: bool
    since: datetime
    restarts: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it, at one moment."""

    processes: tuple[Process, ...]
    """Empty where the supervisor has said nothing for a minute."""
    worker_beat: datetime | None
    worker_alive: bool
    last_intake: datetime | None
    spool_bytes: int
    spool_oldest: datetime | None
    mails: dict[str, int]
    aside: dict[str, int]
    people: int
    subscriptions: dict[str, int]
    erasures_waiting: int
    promises: dict[str, str]
    """How each promise stands, by its id: `kept`, `broken`, `unproven` or `stale`."""


def gather() -> Figures:
    """The present state, from the database and the supervisor's file."""
    site = site_status.read()
    return Figures(
        processes=_processes(),
        worker_beat=site.beat_at,
        worker_alive=site.alive,
        last_intake=site.last_intake_at,
        spool_bytes=site.spool_bytes,
        spool_oldest=site.spool_oldest_at,
        mails=outbox.counts(),
        aside=site.failed_items,
        people=site.people,
        subscriptions=site.counts["subscriptions"],
        erasures_waiting=Erasure.objects.filter(done_at=None).count(),
        promises={one.promise.id: one.state.value for one in status.standings(status.newest(), clock.now())},
    )


def _processes() -> tuple[Process, ...]:
    told = status_file.read(settings.TROTH_SITE.data)
    if told is None or clock.timestamp_ms() - told[0] > site_status.SILENT_AFTER.total_seconds() * 1000:
        return ()
    return tuple(
        Process(one.name, one.up, datetime.fromtimestamp(one.since / 1000, UTC), one.restarts) for one in told[1]
    )
