"""Retention periods in one table, enforced by the worker.

The policy's tables, `troth retention` and the console read it, and `troth doctor` warns if something is overdue. What
is not in it is kept indefinitely: confirmed people, and the hash chain of the access log.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Min, QuerySet

from troth.audience.storage import rollup
from troth.contact import services as inbox
from troth.contact.models import Thread
from troth.core import backup_index, clock, clock_jumps
from troth.core.config.sections import Config
from troth.gate.models import Delivery
from troth.gate.sent_log import SentJournal
from troth.newsletter import services as letters
from troth.newsletter.models import Request, Subscription
from troth.rights.models import HeldExport
from troth.vault import ledger
from troth.vault.models import AsideItem, Erasure, LedgerRow

DELIVERIES_KEPT = timedelta(days=400)
"""As long as the access log, for a yearly review of the year before."""
RECEIPTS_KEPT = timedelta(days=1095)
"""Three years, in which somebody may ask whether they were deleted. A receipt contains no personal data."""
HELD_EXPORTS_KEPT = timedelta(days=30)
"""A month, the time in which a request must be answered (GDPR, article 12)."""
ASIDE_KEPT = timedelta(days=90)
"""A quarter of a year: afterwards the keys that could decrypt it are gone."""
_SLACK = timedelta(days=1)
"""How late the worker may be before something counts as overdue."""
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record with a retention period."""

    name: str
    """Its identifier in JSON and in the documentation."""
    title: str
    period: Callable[[Config], timedelta]
    oldest: Callable[[], datetime | None]
    """The time from which the oldest is kept."""
    sweep: Callable[[Config], int] | None
    """Removes expired records and returns their number. None if the worker cannot reach them; `mend` names who does."""
    why: str
    mend: str = "The worker removes it. Check with `troth status` that it is running."


@dataclass(frozen=True, slots=True)
class Standing:
    """One kind with its present state."""

    kind: Kind
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


def span(period: timedelta) -> str:
    """Return a period in words: whole years, else days."""
    days = max(1, round(period / timedelta(days=1)))
    count, unit = (days // 365, "year") if days % 365 == 0 else (days, "day")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def months(config: Config) -> str:
    """Return the period of the statistics in words."""
    count = config.audience.keep_months
    return f"{count} month{'' if count == 1 else 's'}"


def kept_for(kind: Kind, config: Config) -> str:
    """Return the period of a kind in words, the same for visitors and operators."""
    return months(config) if kind.name == "statistics" else span(kind.period(config))


def _days(count: int) -> timedelta:
    return timedelta(days=count)


def _least(rows: QuerySet[Any], field: str) -> datetime | None:
    """Return the least value by ordering, which reads one entry of an index."""
    least: datetime | None = rows.order_by(field).values_list(field, flat=True).first()
    return least


def _some(rows: QuerySet[Any]) -> int:
    """Delete up to `_MOST` rows, so that no timer delays the worker; returns their number."""
    ids = list(rows.values_list("pk", flat=True)[:_MOST])
    rows.model._base_manager.filter(pk__in=ids).delete()
    return len(ids)


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


def _oldest_sums() -> datetime | None:
    """Return the first day of the statistics. A month stands for its stored days and is removed with them."""
    oldest = rollup.oldest(settings.TROTH_CONFIG.zone)
    first = oldest.days or oldest.months
    return first and first.astimezone(UTC)


def _sums_kept(config: Config) -> timedelta:
    """Return the most days that `keep_months` months can have, so that nothing is overdue within them."""
    return _days(round(config.audience.keep_months * 365.25 / 12) + 2)


_BACKUP_MEND = "`troth backup` removes it when it creates the next one. Run it every night."
_OPEN = Request.objects.filter(state__in=letters.UNCONFIRMED)
_LEFT = Subscription.objects.filter(state=Subscription.State.LEFT, left_at__isnull=False)
_DONE = Delivery.objects.filter(done_at__isnull=False)
_ERASED = Erasure.objects.filter(done_at__isnull=False)

KINDS: tuple[Kind, ...] = (
    Kind(
        "signups_unconfirmed",
        "Unconfirmed sign-ups",
        lambda config: timedelta(hours=config.newsletter.confirm_hours) + letters.GRACE,
        lambda: _least(_OPEN.all(), "created_at"),
        lambda _config: letters.purge_expired(),
        "While the confirmation link is valid, and a week more for confirmations received late.",
    ),
    Kind(
        "subscriptions_left",
        "Unsubscribed people",
        lambda _config: letters.LEFT_KEPT,
        lambda: _least(_LEFT.all(), "left_at"),
        lambda _config: letters.purge_left(),
        "As evidence that they consented and unsubscribed. Then a keyed hash of the address remains, so that no "
        "import adds them again.",
    ),
    Kind(
        "conversations",
        "Conversations, after their last message",
        lambda config: _days(config.contact.keep_days),
        lambda: _least(Thread.objects.filter(person__frozen_at=None), "last_at"),
        lambda _config: inbox.purge_over(),
        "Set by `keep_days` under [contact]; the contact form states it. People with nothing else stored are "
        "deleted with them.",
    ),
    Kind(
        "deliveries",
        "Email delivery records, by random ID",
        lambda _config: DELIVERIES_KEPT,
        lambda: _least(_DONE.all(), "done_at"),
        lambda _config: _some(_DONE.filter(done_at__lt=clock.now() - DELIVERIES_KEPT)),
        "As long as the access log, for a yearly review.",
    ),
    Kind(
        "ledger",
        "Content of the access log",
        lambda _config: ledger.KEPT,
        _oldest_ledger,
        lambda _config: ledger.forget_ended(),
        "A little over a year, for a yearly review. The hash chain stays.",
    ),
    Kind(
        "erasures",
        "Deletion receipts, which contain no personal data",
        lambda _config: RECEIPTS_KEPT,
        lambda: _least(_ERASED.all(), "done_at"),
        lambda _config: _some(_ERASED.filter(done_at__lt=clock.now() - RECEIPTS_KEPT)),
        "While somebody may ask whether they were deleted.",
    ),
    Kind(
        "held_exports",
        "Records of held exports",
        lambda _config: HELD_EXPORTS_KEPT,
        lambda: _least(HeldExport.objects.all(), "asked_at"),
        lambda _config: _some(HeldExport.objects.filter(asked_at__lt=clock.now() - HELD_EXPORTS_KEPT)),
        "Time for an owner to review. The export itself is not stored; it is created again on request.",
    ),
    Kind(
        "aside",
        "Failed items: encrypted submissions that could not be processed",
        lambda _config: ASIDE_KEPT,
        lambda: _least(AsideItem.objects.all(), "created_at"),
        _sweep_aside,
        "Time to fix what prevented their processing.",
    ),
    Kind(
        "sent",
        "Journal of sent emails and unsubscribes, by random ID",
        _journal_kept,
        lambda: SentJournal.of(settings.TROTH_SITE).oldest_closed,
        lambda config: SentJournal.of(settings.TROTH_SITE).expire(_journal_kept(config)),
        "Longer than the oldest data backup, so that a restore does not send them again.",
    ),
    Kind(
        "statistics",
        "Visitor statistics: totals only",
        _sums_kept,
        _oldest_sums,
        lambda config: rollup.forget(clock.now(), config.zone, config.audience.keep_months),
        "Set by `keep_months` under [audience]; by default, long enough to compare a month with two years before.",
    ),
    Kind(
        "replaced",
        "Databases replaced by a restore",
        lambda config: _days(config.backup.keys_days),
        lambda: min((at for _, at in _replaced()), default=None),
        _sweep_replaced,
        "In case the wrong backup was restored.",
    ),
    Kind(
        "backups_data",
        "Data backups",
        lambda config: _days(config.backup.data_days),
        _oldest_backup("data"),
        None,
        "Set by `data_days` under [backup]. A deleted person in them cannot be read without the key, which only "
        "key backups hold.",
        _BACKUP_MEND,
    ),
    Kind(
        "backups_keys",
        "Key backups",
        lambda config: _days(config.backup.keys_days),
        _oldest_backup("keys"),
        None,
        "Set by `keys_days` under [backup]. A deleted person is gone from all backups once the last key backup "
        "made before the deletion is removed.",
        _BACKUP_MEND,
    ),
)


def report() -> list[Standing]:
    """Return the state of every kind."""
    doubted = clock_jumps.doubted(settings.TROTH_SITE.data) is not None
    return [Standing(kind, kind.period(settings.TROTH_CONFIG), kind.oldest(), doubted) for kind in KINDS]


def sweep() -> int:
    """Remove expired records of every kind and return their number. Safe at any time. If the clock jumps meanwhile, the
    remaining kinds wait."""
    removed = 0
    for kind in KINDS:
        if kind.sweep is not None and not clock.doubted():
            removed += kind.sweep(settings.TROTH_CONFIG)
    return removed
