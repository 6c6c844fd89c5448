"""What needs the operator now, and what happened lately: counts and states, nobody's details."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate

from troth.gate import outbox
from troth.ground import clock
from troth.kit.charts import Bars, bars
from troth.letters.models import Subscription
from troth.vault.models import AsideItem, WorkerState

SILENT_AFTER = timedelta(seconds=60)
_DAYS = 30


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that needs a person at the desk."""

    level: str
    """`bad` or `warn`."""
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Today:
    """The first page."""

    now: datetime
    needs: tuple[Need, ...]
    confirmed: int
    waiting: int
    confirmed_7: int
    confirmed_30: int
    chart: Bars
    beat_at: datetime | None
    worker_alive: bool
    lag: str
    queued: int
    uncertain: int
    failed: int
    aside: int


def today() -> Today:
    """All of it, by a handful of counting queries."""
    now, mails = clock.now(), outbox.counts()
    state = WorkerState.objects.filter(id=1).first()
    aside = AsideItem.objects.filter(filed_at=None).count()
    alive = state is not None and now - state.beat_at < SILENT_AFTER
    confirmed = Subscription.objects.filter(state=Subscription.State.CONFIRMED)
    newly = Subscription.objects.filter(confirmed_at__lte=now)  # as in the chart: also who has left since
    return Today(
        now=now,
        needs=tuple(_needs(state, alive, mails, aside)),
        confirmed=confirmed.count(),
        waiting=Subscription.objects.filter(state=Subscription.State.WAITING).count(),
        confirmed_7=newly.filter(confirmed_at__gt=now - timedelta(days=7)).count(),
        confirmed_30=newly.filter(confirmed_at__gt=now - timedelta(days=30)).count(),
        chart=_day_by_day(now),
        beat_at=state.beat_at if state else None,
        worker_alive=alive,
        lag=_lag(state, now),
        queued=mails["queued"] + mails["sending"],
        uncertain=mails["uncertain"],
        failed=mails["failed"],
        aside=aside,
    )


def _needs(state: WorkerState | None, alive: bool, mails: dict[str, int], aside: int) -> Iterator[Need]:
    if state is not None and not alive:
        yield Need(
            "bad",
            "The worker is silent.",
            "What comes in is kept and waits. `troth doctor` on this machine says what is wrong.",
        )
    if aside:
        yield Need(
            "bad",
            f"{aside} {'item' if aside == 1 else 'items'} could not be filed and wait aside.",
            "`troth aside list` says why, `troth aside retry` tries again.",
        )
    if mails["failed"]:
        yield Need(
            "warn",
            f"{mails['failed']} {'mail was' if mails['failed'] == 1 else 'mails were'} refused for good.",
            "Some addresses do not exist. Where it is many, look whether your relay still welcomes you.",
        )
    if mails["held"]:
        yield Need(
            "warn",
            f"{mails['held']} {'mail was' if mails['held'] == 1 else 'mails were'} held back.",
            "An owner looks at it under Held back, and sends or drops it.",
        )
    if mails["uncertain"]:
        yield Need(
            "warn",
            f"Nobody knows whether {mails['uncertain']} {'mail' if mails['uncertain'] == 1 else 'mails'} went out.",
            "The connection broke at the last moment. Each is tried once more, and says so.",
        )


def _lag(state: WorkerState | None, now: datetime) -> str:
    if state is None or not state.spool_bytes_waiting:
        return "Nothing"
    size = f"{max(1, state.spool_bytes_waiting // 1024):,} KiB"
    if state.spool_oldest_at is None:
        return size
    return f"{size}, the oldest for {max(0, int((now - state.spool_oldest_at).total_seconds()))} s"


def _day_by_day(now: datetime) -> Bars:
    """The last 30 days, this one included, in UTC."""
    first = (now - timedelta(days=_DAYS - 1)).date()
    since = datetime.combine(first, time.min, UTC)
    found = Subscription.objects.filter(confirmed_at__gte=since).annotate(day=TruncDate("confirmed_at", tzinfo=UTC))
    by_day = dict(found.values_list("day").annotate(n=Count("id")).values_list("day", "n"))
    days = [first + timedelta(days=number) for number in range(_DAYS)]
    return bars("Confirmed sign-ups", [(f"{day:%-d %b}", by_day.get(day, 0)) for day in days])
