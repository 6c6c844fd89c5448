"""What `troth status` shows: counts, times and opaque places. Opens nobody."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count

from troth.core import clock
from troth.gate import failure_reasons, outbox
from troth.newsletter.models import Subscription
from troth.vault import row_counts
from troth.vault.models import AsideItem, WorkerState
from troth.worker.intake import position
from troth.worker.spool_reader import waiting

_SILENT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Report:
    """How the worker stands."""

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
    """`failed auth`: how many; docs/mail.md says what each word means."""
    aside: dict[str, int]


def report() -> Report:
    """The present state, from the database and the spool's file sizes."""
    row = WorkerState.objects.filter(id=1).first()
    size, oldest = waiting(settings.TROTH_SITE.spool, position())
    states = row_counts.counts("subscription")
    left = AsideItem.objects.filter(filed_at=None).values_list("reason").annotate(n=Count("id"))
    return Report(
        alive=row is not None and clock.now() - row.beat_at < _SILENT,
        started_at=row.started_at if row else None,
        beat_at=row.beat_at if row else None,
        last_intake_at=row.last_intake_at if row else None,
        spool_bytes=size,
        spool_oldest_at=oldest,
        people=row_counts.count("person"),
        subscriptions={state.value: states.get(state.value, 0) for state in Subscription.State},
        mails=outbox.counts(),
        mail_reasons={f"{one.state} {one.reason}": one.count for one in failure_reasons.told()},
        aside=dict(left.values_list("reason", "n")),
    )
