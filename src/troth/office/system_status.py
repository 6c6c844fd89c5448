"""System status, for its page and for Prometheus: processes, queues and failed items as counts and states."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from troth.core import clock
from troth.gate import outbox
from troth.policy import status
from troth.supervisor import status_file
from troth.supervisor.roles import label_of
from troth.vault import site_status
from troth.vault.models import Erasure
from troth.vault.site_status import SiteStatus


@dataclass(frozen=True, slots=True)
class Process:
    """One process as the supervisor reports it."""

    name: str
    up: bool
    since: datetime
    restarts: int

    @property
    def title(self) -> str:
        """Return the name that the page shows, such as `Public server 1`."""
        label = label_of(self.name)
        return label[:1].upper() + label[1:]


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """The state of the whole system at one moment."""

    processes: tuple[Process, ...]
    """Empty if the supervisor has not reported for a minute."""
    site: SiteStatus
    mails: dict[str, int]
    erasures_waiting: int
    promises: dict[str, str]
    """The state of each promise by its id: `kept`, `broken`, `unproven` or `stale`."""


def gather() -> SystemStatus:
    """Read the present state from the database and the supervisor's file."""
    return SystemStatus(
        processes=_processes(),
        site=site_status.read(),
        mails=outbox.counts(),
        erasures_waiting=Erasure.objects.filter(done_at=None).count(),
        promises={
            standing.promise.id: standing.state.value for standing in status.standings(status.newest(), clock.now())
        },
    )


def _processes() -> tuple[Process, ...]:
    report = status_file.read(settings.TROTH_SITE.data)
    if report is None or clock.timestamp_ms() - report[0] > site_status.SILENT_AFTER.total_seconds() * 1000:
        return ()
    return tuple(
        Process(child.name, child.up, datetime.fromtimestamp(child.since / 1000, UTC), child.restarts)
        for child in report[1]
    )
