"""What `troth status` shows: counts, times and opaque places. Opens nobody."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from troth.gate import outbox
from troth.vault import site_status
from troth.worker.intake import position
from troth.worker.spool_reader import waiting


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """The state of the worker and its queues."""

    alive: bool
    started_at: datetime | None
    beat_at: datetime | None
    last_intake_at: datetime | None
    spool_bytes: int
    spool_oldest_at: datetime | None
    people: int
    subscriptions: dict[str, int]
    mails: dict[str, int]
    mail_reasons: dict[str, int]
    """`failed auth`: how many; docs/mail.md explains each reason."""
    aside: dict[str, int]


def report() -> WorkerStatus:
    """Return the present state, from the database and the sizes of the spool's files: a worker need not run."""
    site = site_status.read()
    size, oldest = waiting(settings.TROTH_SITE.spool, position())
    return WorkerStatus(
        alive=site.alive,
        started_at=site.started_at,
        beat_at=site.beat_at,
        last_intake_at=site.last_intake_at,
        spool_bytes=size,
        spool_oldest_at=oldest,
        people=site.people,
        subscriptions=site.counts["subscriptions"],
        mails=outbox.counts(),
        mail_reasons={f"{cause.state} {cause.reason}": cause.count for cause in outbox.failures()},
        aside=site.failed_items,
    )
