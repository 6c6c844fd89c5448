"""Retention periods in one table, enforced by the worker, for the policy's tables, `troth retention`, the console and
`troth doctor`. What is not in it is kept indefinitely: confirmed people, and the hash chain of the access log."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Min

from troth.core import clock, clock_jumps
from troth.core.config.sections import Config
from troth.core.retention_duties import RetentionDuty
from troth.core.rooms import Retained, rooms
from troth.core.site_files import backup_index
from troth.core.text.durations import months_span, span
from troth.gate import bulk
from troth.gate.models import Delivery
from troth.gate.sent_log import SentJournal
from troth.vault import ledger, legal_holds
from troth.vault.keeper import keeper
from troth.vault.models import AsideItem, Erasure, LedgerRow, LegalHold
from troth.vault.retained_rows import delete_some, oldest

DELIVERIES_KEPT = timedelta(days=400)
"""As long as the access log, for a yearly review of the year before."""
RECEIPTS_KEPT = timedelta(days=1095)
"""Three years, in which somebody may ask whether they were deleted. A receipt contains no personal data."""
ASIDE_KEPT = timedelta(days=90)
"""A quarter of a year: afterwards the keys that could decrypt it are gone."""
_MOST = 1000
_SLACK = timedelta(days=1)
"""How late the worker may be before something counts as overdue."""


@dataclass(frozen=True, slots=True)
class RetentionStatus:
    """One kind with its present state."""

    kind: Retained
    period: timedelta
    oldest: datetime | None
    doubted: bool = False
    """Whether the clock jumped, so that nothing expires at present (`core.clock_jumps`)."""

    @property
    def late(self) -> bool:
        """Whether something is overdue for removal."""
        return not self.doubted and self.oldest is not None and self.oldest < clock.now() - self.period - _SLACK

    @property
    def mend(self) -> str:
        """Return what to do about it; empty if nothing is overdue."""
        return self.kind.mend if self.late else ""

    @property
    def days(self) -> int:
        """Return the period in whole days, at least one."""
        return max(1, round(self.period / timedelta(days=1)))

    @property
    def kept_for(self) -> str:
        """Return the period as the policy states it, such as `3 years`."""
        return kept_for(self.kind, settings.TROTH_CONFIG)

    def line(self) -> str:
        """Return the state as a sentence."""
        oldest = f"oldest from {self.oldest:%Y-%m-%d}" if self.oldest else "none stored"
        return f"{self.kind.title}: kept for {self.kept_for}; {oldest}."

    def told(self) -> dict[str, object]:
        """Return the state for JSON."""
        oldest = self.oldest.isoformat() if self.oldest else None
        return {"kind": self.kind.name, "days": self.days, "oldest": oldest, "late": self.late, "why": self.kind.why}


def kept_for(kind: Retained, config: Config) -> str:
    """Return the period of a kind in words, the same for visitors and operators."""
    if kind.words:
        return kind.words
    return months_span(config.audience.keep_months) if kind.name == "statistics" else span(kind.period(config))


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
        backups = backup_index.read(settings.TROTH_SITE)
        return backups.oldest(kind) if backups else None

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
        sweep=lambda _config: bulk.remove_old(clock.now() - DELIVERIES_KEPT),
        why="As long as the access log, for a yearly review.",
    ),
    Retained(
        name="ledger",
        title="Content of the access log",
        visitors="When, and why, your details were accessed",
        anonymous=True,
        period=lambda _config: ledger.KEPT,
        oldest=_oldest_ledger,
        sweep=lambda _config: ledger.forget_ended(),
        why="A little over a year, for a yearly review. The hash chain stays.",
    ),
    Retained(
        name="erasures",
        title="Deletion receipts, which contain no personal data",
        visitors="The receipt of a deletion, without personal data",
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
        visitors="Sent emails by random ID, so that no backup sends them again",
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
        visitors="Backups of the data, unreadable without keys",
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
    """Return everything that is kept for a time: of each package that is used (`room.py`), then what belongs to all."""
    used = [room for room in rooms() if room.active(settings.TROTH_CONFIG)]
    by_law = (_by_law(duty) for duty in legal_holds.named_in_policy())
    return (*(kind for room in used for kind in room.retention), *by_law, *_OWN)


def _by_law(duty: RetentionDuty) -> Retained:
    """Return what a law requires to be kept. Each record has a last day of its own, and none is kept shorter."""
    period = _days(366 * (duty.years + 1))

    def oldest_by_law() -> datetime | None:
        least = LegalHold.objects.filter(duty=duty.name).aggregate(least=Min("until"))["least"]
        return None if least is None else datetime(least.year, least.month, least.day, tzinfo=UTC) + _days(1) - period

    return Retained(
        name=duty.name,
        title=f"{duty.title}, required by law",
        visitors=f"{duty.title}, even if you are deleted",
        period=lambda _config: period,
        oldest=oldest_by_law,
        sweep=lambda _config: keeper().end_holds(),
        why=f"{duty.law}. {duty.why}",
        words=duty.period,
    )


def report() -> list[RetentionStatus]:
    """Return the state of every kind."""
    doubted = clock_jumps.doubted(settings.TROTH_SITE.data) is not None
    return [RetentionStatus(kind, kind.period(settings.TROTH_CONFIG), kind.oldest(), doubted) for kind in kinds()]


def sweep() -> int:
    """Remove expired records of every kind and return their number. Safe at any time. If the clock jumps meanwhile, the
    remaining kinds wait."""
    removed = 0 if clock.doubted() else keeper().end_holds()  # also of duties that are not in force any more
    unused = [kind for room in rooms() if not room.active(settings.TROTH_CONFIG) for kind in room.retention]
    for kind in (*kinds(), *unused):
        if kind.sweep is not None and not clock.doubted():
            removed += kind.sweep(settings.TROTH_CONFIG)
    return removed
