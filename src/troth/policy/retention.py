"""How long each kind of thing is kept, in one table: enforced by the worker, shown with the oldest of each.

The policy's data map reads it, `troth retention` and the console show it, and `troth doctor` warns where something is
older than it may be. A kind that is not here has no end: people who are confirmed, and the chain over the ledger.
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
"""As long as the ledger: a yearly look finds the year before."""
RECEIPTS_KEPT = timedelta(days=1095)
"""Three years: how long somebody may come and ask whether it was done. A receipt names nobody."""
HELD_EXPORTS_KEPT = timedelta(days=30)
"""A month: by then whoever asked for it has their answer (GDPR, article 12)."""
ASIDE_KEPT = timedelta(days=90)
"""What could not be filed for a quarter of a year will not be: its keys are gone by then."""
_SLACK = timedelta(days=1)
"""So late may the worker be before anybody is troubled."""
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that is kept for a time."""

    name: str
    """For programs."""
    title: str
    kept: Callable[[Config], timedelta]
    oldest: Callable[[], datetime | None]
    """When the oldest began to be kept."""
    sweep: Callable[[Config], int] | None
    """Removes what is over; returns how many. None where the worker cannot reach it, and `mend` says who does."""
    why: str
    mend: str = "The worker removes it: is it running? `troth status` says so."


@dataclass(frozen=True, slots=True)
class Standing:
    """One kind as it stands."""

    kind: Kind
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


def _least(rows: QuerySet[Any], field: str) -> datetime | None:
    """By way of the order: where there is an index, its first entry says it, however many come behind."""
    found: datetime | None = rows.order_by(field).values_list(field, flat=True).first()
    return found


def _some(rows: QuerySet[Any]) -> int:
    """Delete up to `_MOST` of them: no timer holds the worker up."""
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
        known = backup_index.read(settings.TROTH_SITE)
        return known.oldest(kind) if known else None

    return oldest


def _oldest_sums() -> datetime | None:
    """The first day that a sum is of. A month stands for the days that are kept of it, and goes when they go."""
    found = rollup.oldest(settings.TROTH_CONFIG.zone)
    first = found.days or found.months
    return first and first.astimezone(UTC)


def _sums_kept(config: Config) -> timedelta:
    """As many days as so many months have at most: some are longer than the mean, and nothing is late within them."""
    return _days(round(config.audience.keep_months * 365.25 / 12) + 2)


_BACKUP_MEND = "`troth backup` removes it when it makes the next one: let it run each night."
_OPEN = Request.objects.filter(state__in=letters.UNCONFIRMED)
_LEFT = Subscription.objects.filter(state=Subscription.State.LEFT, left_at__isnull=False)
_DONE = Delivery.objects.filter(done_at__isnull=False)
_ERASED = Erasure.objects.filter(done_at__isnull=False)

KINDS: tuple[Kind, ...] = (
    Kind(
        "signups_unconfirmed",
        "Sign-ups that nobody confirmed",
        lambda config: timedelta(hours=config.newsletter.confirm_hours) + letters.GRACE,
        lambda: _least(_OPEN.all(), "created_at"),
        lambda _config: letters.purge_expired(),
        "The link's time, and a week for a confirmation that waited on its way.",
    ),
    Kind(
        "subscriptions_left",
        "People who left the newsletter",
        lambda _config: letters.LEFT_KEPT,
        lambda: _least(_LEFT.all(), "left_at"),
        lambda _config: letters.purge_left(),
        "To be able to show that they had agreed, and that they left. Then a keyed mark remains, against re-import.",
    ),
    Kind(
        "conversations",
        "Conversations, after their last message",
        lambda config: _days(config.contact.keep_days),
        lambda: _least(Thread.objects.filter(person__frozen_at=None), "last_at"),
        lambda _config: inbox.purge_over(),
        "The setting keep_days under [contact]; the contact form says so. Who is not known otherwise goes with them.",
    ),
    Kind(
        "deliveries",
        "Which mails went to whom, by opaque id",
        lambda _config: DELIVERIES_KEPT,
        lambda: _least(_DONE.all(), "done_at"),
        lambda _config: _some(_DONE.filter(done_at__lt=clock.now() - DELIVERIES_KEPT)),
        "As long as the ledger, for the yearly look.",
    ),
    Kind(
        "ledger",
        "What the ledger tells of each opening",
        lambda _config: ledger.KEPT,
        _oldest_ledger,
        lambda _config: ledger.forget_ended(),
        "A year and some, so that a yearly look finds the year before. The chain over it stays.",
    ),
    Kind(
        "erasures",
        "Receipts of erasures, which name nobody",
        lambda _config: RECEIPTS_KEPT,
        lambda: _least(_ERASED.all(), "done_at"),
        lambda _config: _some(_ERASED.filter(done_at__lt=clock.now() - RECEIPTS_KEPT)),
        "As long as somebody may ask whether it was done.",
    ),
    Kind(
        "held_exports",
        "That an export was held, and for what",
        lambda _config: HELD_EXPORTS_KEPT,
        lambda: _least(HeldExport.objects.all(), "asked_at"),
        lambda _config: _some(HeldExport.objects.filter(asked_at__lt=clock.now() - HELD_EXPORTS_KEPT)),
        "Time enough for an owner to look. The export itself is not kept; it is made anew when it is asked for.",
    ),
    Kind(
        "aside",
        "Sealed entries that could not be filed",
        lambda _config: ASIDE_KEPT,
        lambda: _least(AsideItem.objects.all(), "created_at"),
        _sweep_aside,
        "Time enough to mend what kept them from being filed.",
    ),
    Kind(
        "sent",
        "The journal of what was sent, and of who left, by opaque id",
        _journal_kept,
        lambda: SentJournal.of(settings.TROTH_SITE).oldest_closed,
        lambda config: SentJournal.of(settings.TROTH_SITE).expire(_journal_kept(config)),
        "Longer than the oldest backup of the data, which must not send it again.",
    ),
    Kind(
        "statistics",
        "Sums of visits, which are about nobody",
        _sums_kept,
        _oldest_sums,
        lambda config: rollup.forget(clock.now(), config.zone, config.audience.keep_months),
        "The setting keep_months under [audience]: so that a month can be compared with that of two years before.",
    ),
    Kind(
        "replaced",
        "The database that a restore replaced",
        lambda config: _days(config.backup.keys_days),
        lambda: min((at for _, at in _replaced()), default=None),
        _sweep_replaced,
        "In case the wrong backup was restored.",
    ),
    Kind(
        "backups_data",
        "Backups of the data",
        lambda config: _days(config.backup.data_days),
        _oldest_backup("data"),
        None,
        "The setting data_days. Without its key in the other half, an erased person cannot be read in one.",
        _BACKUP_MEND,
    ),
    Kind(
        "backups_keys",
        "Backups of the keys",
        lambda config: _days(config.backup.keys_days),
        _oldest_backup("keys"),
        None,
        "The setting keys_days. With the last one made before, an erased person is gone from every backup.",
        _BACKUP_MEND,
    ),
)


def report() -> list[Standing]:
    """Every kind as it stands."""
    doubted = clock_jumps.doubted(settings.TROTH_SITE.data) is not None
    return [Standing(kind, kind.kept(settings.TROTH_CONFIG), kind.oldest(), doubted) for kind in KINDS]


def sweep() -> int:
    """Remove what is over its time, of every kind; returns how many went. Safe at any time. Where the clock leaps
    meanwhile, the kinds that are left wait."""
    gone = 0
    for kind in KINDS:
        if kind.sweep is not None and not clock.doubted():
            gone += kind.sweep(settings.TROTH_CONFIG)
    return gone
