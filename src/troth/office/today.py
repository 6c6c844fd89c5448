"""What needs the operator now, and what happened lately: counts and states, nobody's details."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from django.db import connection

from troth.core import clock
from troth.gate import failure_reasons, outbox
from troth.kit.charts import Bars, bars
from troth.kit.needs import Need
from troth.newsletter.models import Subscription
from troth.vault import row_counts
from troth.vault.models import AsideItem, Canary, WorkerState

SILENT_AFTER = timedelta(seconds=60)
_DAYS = 30
_INSTANT = timedelta(microseconds=1)


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
    places = row_counts.counts("subscription")
    last_7, last_30, chart = _lately(now)
    return Today(
        now=now,
        needs=tuple(_needs(state, alive, mails, aside)),
        confirmed=places.get("confirmed", 0),
        waiting=places.get("waiting", 0),
        confirmed_7=last_7,
        confirmed_30=last_30,
        chart=chart,
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
            "`troth failed list` says why, `troth failed retry` tries again.",
        )
    why = failure_reasons.told() if mails["queued"] or mails["failed"] else []
    for one in why:
        if one.state == "queued" and one.reason not in failure_reasons.PATIENCE_HELPS:
            yield Need("warn", one.line, one.mend)
    if mails["failed"]:
        yield Need(
            "warn",
            f"{mails['failed']} {'mail was' if mails['failed'] == 1 else 'mails were'} refused for good.",
            _why_refused([one for one in why if one.state == "failed"])
            or "Some addresses do not exist. Where it is many, look whether your relay still welcomes you.",
        )
    if mails["held"]:
        yield Need(
            "warn",
            f"{mails['held']} {'mail was' if mails['held'] == 1 else 'mails were'} held back.",
            "An owner looks at it under Held back, and sends or drops it.",
            page="held",
        )
    if mails["uncertain"]:
        yield Need(
            "warn",
            f"Nobody knows whether {mails['uncertain']} {'mail' if mails['uncertain'] == 1 else 'mails'} went out.",
            "The connection broke at the last moment. Each is tried once more, and says so.",
        )


def _why_refused(why: list[failure_reasons.Why]) -> str:
    return " ".join(f"{one.count}: {one.what}. {one.mend}".strip() for one in why[:3])


def _lag(state: WorkerState | None, now: datetime) -> str:
    if state is None or not state.spool_bytes_waiting:
        return "Nothing"
    size = f"{max(1, state.spool_bytes_waiting // 1024):,} KiB"
    if state.spool_oldest_at is None:
        return size
    return f"{size}, the oldest for {max(0, int((now - state.spool_oldest_at).total_seconds()))} s"


def _lately(now: datetime) -> tuple[int, int, Bars]:
    """How many confirmed in the last 7 and 30 times 24 hours, and on each of the last 30 days, this one included, UTC.

    Also who has left since. The time is cut at every edge of these, so that nobody is counted more than once.
    """
    midnight, end = datetime.combine(now.date(), time.min, UTC), now + _INSTANT
    days = [midnight - timedelta(days=number) for number in reversed(range(_DAYS))]
    week, month = end - timedelta(days=7), end - timedelta(days=30)
    found = _confirmed_between(sorted({*days, week, month, end}))

    def within(begin: datetime, until: datetime) -> int:
        return sum(count for at, count in found.items() if begin <= at < until)

    by_day = [(f"{day:%-d %b}", within(day, after)) for day, after in pairwise([*days, end])]
    return within(week, end), within(month, end), bars("Confirmed sign-ups", by_day)


def _confirmed_between(edges: Sequence[datetime]) -> dict[datetime, int]:
    """How many confirmed from each of these until the next: one statement, with one look along the index for each.
    Canaries, who are few, are taken off again: to leave them out would mean to look at each row."""
    within = f"SELECT count(*) FROM {Subscription._meta.db_table} WHERE confirmed_at >= %s AND confirmed_at < %s"  # noqa: S608
    look = f"({within}) - ({within} AND person_id IN (SELECT person_id FROM {Canary._meta.db_table}))"  # noqa: S608
    adapted = [connection.ops.adapt_datetimefield_value(at) for pair in pairwise(edges) for at in (*pair, *pair)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join([look] * (len(edges) - 1)), adapted)
        return dict(zip(edges, cursor.fetchone(), strict=False))
