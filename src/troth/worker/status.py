"""What `troth status` shows: counts, times and opaque places. Opens nobody."""

from dataclasses import asdict
from typing import Any

from django.conf import settings

from troth.gate import outbox
from troth.vault import site_status
from troth.worker.intake import position
from troth.worker.spool_reader import waiting


def report() -> dict[str, Any]:
    """Return the present state, from the database and the sizes of the spool's files: a worker need not run.

    `mail_reasons`: `failed auth` and how many; docs/mail.md explains each reason.
    """
    state = asdict(site_status.read())
    counts = state.pop("counts")
    size, oldest = waiting(settings.TROTH_SITE.spool, position())
    return {
        **state,
        "spool_bytes": size,
        "spool_oldest_at": oldest,
        **counts,
        "mails": outbox.counts(),
        "mail_reasons": {f"{cause.state} {cause.reason}": cause.count for cause in outbox.failures()},
    }
