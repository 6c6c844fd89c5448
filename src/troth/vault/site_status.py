"""The state of the worker and its queues, as counts and times, for `troth status`, Admin and Prometheus.

Decrypts nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from troth.core import clock
from troth.core.rooms import rooms
from troth.vault import masked_cards, row_counts
from troth.vault.models import AsideItem, WorkerState

SILENT_AFTER = timedelta(seconds=60)
"""A worker whose last beat is older does not run, or cannot reach the database."""


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """The database's part of the present state."""

    alive: bool
    started_at: datetime | None
    beat_at: datetime | None
    last_intake_at: datetime | None
    spool_bytes: int
    """What waited to be processed at the last beat, in bytes."""
    spool_oldest_at: datetime | None
    failed_items: dict[str, int]
    """Items that could not be processed, by reason."""
    people: int
    card_numbers_masked: int
    """In what visitors sent, since the site was made."""
    counts: dict[str, dict[str, int]]
    """Each package's counts by state (`Room.status`): `subscriptions`."""


def read() -> SiteStatus:
    """Return the present state, from the database alone."""
    worker = WorkerState.objects.filter(id=1).first()
    failed = AsideItem.objects.filter(filed_at=None).values_list("reason").annotate(n=Count("id"))
    return SiteStatus(
        alive=worker is not None and clock.now() - worker.beat_at < SILENT_AFTER,
        started_at=worker.started_at if worker else None,
        beat_at=worker.beat_at if worker else None,
        last_intake_at=worker.last_intake_at if worker else None,
        spool_bytes=worker.spool_bytes_waiting if worker else 0,
        spool_oldest_at=worker.spool_oldest_at if worker else None,
        failed_items=dict(failed.values_list("reason", "n")),
        people=row_counts.count("person"),
        card_numbers_masked=masked_cards.total(),
        counts={name: dict(by_state) for room in rooms() for name, by_state in room.status().items()},
    )
