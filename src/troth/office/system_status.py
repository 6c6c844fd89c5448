"""How the house stands: processes, queues, what waits for a hand. Counts and states, nobody's details.

The console's page and Prometheus both read it from here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Count

from troth.core import clock
from troth.gate import outbox
from troth.newsletter.models import Subscription
from troth.policy import status
from troth.supervisor import status_file
from troth.vault import row_counts
from troth.vault.models import AsideItem, Erasure, WorkerState

SILENT_AFTER = timedelta(seconds=60)


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
    state = WorkerState.objects.filter(id=1).first()
    aside = AsideItem.objects.filter(filed_at=None).values_list("reason").annotate(n=Count("id"))
    states = row_counts.counts("subscription")
    return Figures(
        processes=_processes(),
        worker_beat=state.beat_at if state else None,
        worker_alive=state is not None and clock.now() - state.beat_at < SILENT_AFTER,
        last_intake=state.last_intake_at if state else None,
        spool_bytes=state.spool_bytes_waiting if state else 0,
        spool_oldest=state.spool_oldest_at if state else None,
        mails=outbox.counts(),
        aside=dict(aside.values_list("reason", "n")),
        people=row_counts.count("person"),
        subscriptions={one.value: states.get(one.value, 0) for one in Subscription.State},
        erasures_waiting=Erasure.objects.filter(done_at=None).count(),
        promises={one.promise.id: one.state.value for one in status.standings(status.newest(), clock.now())},
    )


def _processes() -> tuple[Process, ...]:
    told = status_file.read(settings.TROTH_SITE.data)
    if told is None or clock.timestamp_ms() - told[0] > SILENT_AFTER.total_seconds() * 1000:
        return ()
    return tuple(
        Process(one.name, one.up, datetime.fromtimestamp(one.since / 1000, UTC), one.restarts) for one in told[1]
    )
