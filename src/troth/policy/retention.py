"""How long each kind of thing is kept, in one table: enforced by the worker, shown with the oldest of each.

The policy's data map reads it, `troth retention` and the console show it, and `troth doctor` warns where something is
older than it may be. A kind that is not here has no end: people who are confirmed, and the chain over the ledger.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Min

from troth.core import backup_index, clock, clock_jumps
from troth.core.config.sections import Config
from troth.core.rooms import Retained, rooms
from troth.gate.models import Delivery
from troth.gate.sent_log import SentJournal
from troth.vault import ledger
from troth.vault.models import AsideItem, Erasure, LedgerRow
from troth.vault.retained_rows import delete_some, oldest

DELIVERIES_KEPT = timedelta(days=400)
"""As long as the ledger: a yearly look finds the year before."""
RECEIPTS_KEPT = timedelta(days=1095)
"""Three years: how long somebody may come and ask whether it was done. A receipt names nobody."""
ASIDE_KEPT = timedelta(days=90)
"""What could not be filed for a quarter of a year will not be: its keys are gone by then."""
_MOST = 1000
_SLACK = timedelta(days=1)
"""So late may the worker be before anybody is troubled."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One kind as it stands."""

    kind: Retained
    kept: timedelta
    oldest: datetime | None
    doubted: bool = False
    """The clock leapt: nothing is removed by its time just now (`core.clock_jumps`)."""

    @property
    def late(self) -> bool:
        """Whether something is there that should have gone."""
        return not self.doubted and self.oldest is not None and self.oldest < clock.now() - self.kept - _SLACK

    @property
    def mend(self) -> str:
        """What to do about it; empty where nothing is late."""
        return self.kind.mend if self.late else ""

    @property
    def days(self) -> int:
        """How long it is kept, in whole days, at least one."""
        return max(1, round(self.kept / timedelta(days=1)))

    def line(self) -> str:
        """In words."""
        there = f"the oldest is of {self.oldest:%Y-%m-%d}" if self.oldest else "there is none"
        return f"{self.kind.title}: {self.days} days; {there}."

    def told(self) -> dict[str, object]:
        """For programs."""
        oldest = self.oldest.isoformat() if self.oldest else None
        return {"kind": self.kind.name, "days": self.days, "oldest": oldest, "late": self.late, "why": self.kind.why}


def _days(count: int) -> timedelta:
    return timedelta(days=count)


# -- each kind --------------------------------------------------------------------------------------------------------


def _oldest_ledger() -> datetime | None:
    ends = LedgerRow.objects.filter(content__isnull=False).aggregate(least=Min("ends_at"))["least"]
    return None if ends is None else datetime(ends.year, ends.month, ends.day, tzinfo=clock.now().tzinfo) - ledger.KEPT


def _sweep_aside(_config: Config) -> int:
    rows = list(AsideItem.objects.filter(created_at__lt=clock.now() - ASIDE_KEPT)[:_MOST])
    for row in rows:
        settings.TROTH_SITE.aside_file(row.segment, row.offset).unlink(missing_ok=True)
    AsideItem.objects.filter(id__in=[row.id for row in rows]).delete()
    return len(rows)


def _journal_kept(config: Config) -> timedelta:
    return _days(config.backup.data_days + 31)


def _replaced() -> Iterator[tuple[Any, datetime]]:
    for path in settings.TROTH_SITE.data.glob("replaced-*.sqlite3*"):
        yield path, datetime.fromtimestamp(path.stat().st_ctime, clock.now().tzinfo)


def _sweep_replaced(config: Config) -> int:
    over = [path for path, at in _replaced() if at < clock.now() - _days(config.backup.keys_days)]
    for path in over:
        path.unlink()
    return len(over)


def _oldest_backup(kind: str) -> Callable[[], datetime | None]:
    def oldest() -> datetime | None:
        known = backup_index.read(settings.TROTH_SITE)
        return known.oldest(kind) if known else None

    return oldest


_BACKUP_MEND = "`troth backup` removes it when it creates the next one. Run it every night."
_DONE = Delivery.objects.filter(done_at__isnull=False)
_ERASED = Erasure.objects.filter(done_at__isnull=False)

_OWN = (
    Retained(
        name="deliveries",
        title="Email delivery records, by random ID",
        visitors="Which emails we sent you, under a random ID",
        anonymous=True,
        period=lambda _config: DELIVERIES_KEPT,
        oldest=lambda: oldest(_DONE.all(), "done_at"),
        sweep=lambda _config: delete_some(_DONE.filter(done_at__lt=clock.now() - DELIVERIES_KEPT)),
        why="As long as the access log, for a yearly review.",
    ),
    Retained(
        name="ledger",
        title="Content of the access log",
        visitors="When your details were accessed, and for what purpose",
        anonymous=True,
        period=lambda _config: ledger.KEPT,
        oldest=_oldest_ledger,
        sweep=lambda _config: ledger.forget_ended(),
        why="A little over a year, for a yearly review. The hash chain stays.",
    ),
    Retained(
        name="erasures",
        title="Deletion receipts, which contain no personal data",
        visitors="The receipt of a deletion, which contains no personal data",
        anonymous=True,
        period=lambda _config: RECEIPTS_KEPT,
        oldest=lambda: oldest(_ERASED.all(), "done_at"),
        sweep=lambda _config: delete_some(_ERASED.filter(done_at__lt=clock.now() - RECEIPTS_KEPT)),
        why="While somebody may ask whether they were deleted.",
    ),
    Retained(
        name="aside",
        title="Failed items: encrypted submissions that could not be processed",
        visitors="A submission that could not be processed, encrypted",
        anonymous=True,
        period=lambda _config: ASIDE_KEPT,
        oldest=lambda: oldest(AsideItem.objects.all(), "created_at"),
        sweep=_sweep_aside,
        why="Time to fix what prevented their processing.",
    ),
    Retained(
        name="sent",
        title="Journal of sent emails and unsubscribes, by random ID",
        visitors="Which emails were sent to which random ID, so that a restored backup does not send them again",
        anonymous=True,
        period=_journal_kept,
        oldest=lambda: SentJournal.of(settings.TROTH_SITE).oldest_closed,
        sweep=lambda config: SentJournal.of(settings.TROTH_SITE).expire(_journal_kept(config)),
        why="Longer than the oldest data backup, so that a restore does not send them again.",
    ),
    Retained(
        name="replaced",
        title="Databases replaced by a restore",
        visitors="A database that was replaced by a restored backup",
        anonymous=True,
        period=lambda config: _days(config.backup.keys_days),
        oldest=lambda: min((at for _, at in _replaced()), default=None),
        sweep=_sweep_replaced,
        why="In case the wrong backup was restored.",
    ),
    Retained(
        name="backups_data",
        title="Data backups",
        visitors="Backups of the data, unreadable without the keys",
        period=lambda config: _days(config.backup.data_days),
        oldest=_oldest_backup("data"),
        sweep=None,
        why="Set by `data_days` under [backup]. A deleted person in them cannot be read without the key, which only "
        "key backups hold.",
        mend=_BACKUP_MEND,
    ),
    Retained(
        name="backups_keys",
        title="Key backups",
        visitors="Backups of the keys",
        period=lambda config: _days(config.backup.keys_days),
        oldest=_oldest_backup("keys"),
        sweep=None,
        why="Set by `keys_days` under [backup]. A deleted person is gone from all backups once the last key backup "
        "made before the deletion is removed.",
        mend=_BACKUP_MEND,
    ),
)
"""What belongs to no package's own capability."""


def kinds() -> tuple[Retained, ...]:
    """Return everything that is kept for a time: each package's (`room.py`), then what belongs to all of them."""
    return (*(kind for room in rooms() for kind in room.retention), *_OWN)


def report() -> list[Standing]:
    """Every kind as it stands."""
    doubted = clock_jumps.doubted(settings.TROTH_SITE.data) is not None
    return [Standing(kind, kind.period(settings.TROTH_CONFIG), kind.oldest(), doubted) for kind in kinds()]


def sweep() -> int:
    """Remove what is over its time, of every kind; returns how many went. Safe at any time. Where the clock leaps
    meanwhile, the kinds that are left wait."""
    gone = 0
    for kind in kinds():
        if kind.sweep is not None and not clock.doubted():
            gone += kind.sweep(settings.TROTH_CONFIG)
    return gone
