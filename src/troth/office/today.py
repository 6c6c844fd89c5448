"""The first page: what needs attention, and recent numbers. Counts and states, without personal data."""

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
from troth.vault import site_status
from troth.vault.models import Canary
from troth.vault.site_status import SiteStatus

_DAYS = 30
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Today:
    """The content of the first page."""

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
    failed_items: int


def today() -> Today:
    """Return the content of the first page, from a handful of counting queries."""
    now, mails = clock.now(), outbox.counts()
    site = site_status.read()
    failed_items = sum(site.failed_items.values())
    subscriptions = site.counts["subscriptions"]
    last_7, last_30, chart = _lately(now)
    return Today(
        now=now,
        needs=tuple(_needs(site, mails, failed_items)),
        confirmed=subscriptions["confirmed"],
        waiting=subscriptions["waiting"],
        confirmed_7=last_7,
        confirmed_30=last_30,
        chart=chart,
        beat_at=site.beat_at,
        worker_alive=site.alive,
        lag=_lag(site, now),
        queued=mails["queued"] + mails["sending"],
        uncertain=mails["uncertain"],
        failed=mails["failed"],
        failed_items=failed_items,
    )


def _needs(site: SiteStatus, mails: dict[str, int], failed_items: int) -> Iterator[Need]:
    if site.beat_at is not None and not site.alive:
        yield Need(
            "bad",
            "The worker is not responding.",
            "Submissions are stored and will be processed later. Run `troth doctor` on the server to find the cause.",
        )
    if failed_items:
        yield Need(
            "bad",
            f"{failed_items} {'submission' if failed_items == 1 else 'submissions'} could not be processed.",
            "`troth failed list` shows why, `troth failed retry` tries again.",
        )
    failures = outbox.failures() if mails["queued"] or mails["failed"] else []
    for failure in failures:
        if failure.state == "queued" and failure.reason not in failure_reasons.PATIENCE_HELPS:
            yield Need("warn", failure.line, failure.mend)
    if mails["failed"]:
        yield Need(
            "warn",
            f"{mails['failed']} {'email was' if mails['failed'] == 1 else 'emails were'} rejected permanently.",
            _why_rejected([failure for failure in failures if failure.state == "failed"])
            or "Some addresses do not exist. If there are many, check whether your SMTP server blocks you.",
        )
    if mails["held"]:
        yield Need(
            "warn",
            f"{mails['held']} held {'email' if mails['held'] == 1 else 'emails'}.",
            f"An owner reviews {'it' if mails['held'] == 1 else 'them'} under Held mail, and sends or discards "
            f"{'it' if mails['held'] == 1 else 'them'}.",
            page="held",
        )
    if mails["uncertain"]:
        yield Need(
            "warn",
            f"{mails['uncertain']} {'email' if mails['uncertain'] == 1 else 'emails'}: delivery unknown.",
            "The connection broke before the SMTP server confirmed. Each email is sent once more, and says so.",
        )


def _why_rejected(failures: list[failure_reasons.Why]) -> str:
    return " ".join(f"{failure.count}: {failure.what}. {failure.mend}".strip() for failure in failures[:3])


def _lag(site: SiteStatus, now: datetime) -> str:
    if not site.spool_bytes:
        return "Nothing"
    size = f"{max(1, site.spool_bytes // 1024):,} KiB"
    if site.spool_oldest_at is None:
        return size
    return f"{size}, oldest {max(0, int((now - site.spool_oldest_at).total_seconds()))} s"


def _lately(now: datetime) -> tuple[int, int, Bars]:
    """Count confirmations in the last 7 and 30 times 24 hours, and on each of the last 30 days including today, in UTC;
    of people who have unsubscribed since, too. Time is cut at every edge, so that nobody is counted twice."""
    midnight, end = datetime.combine(now.date(), time.min, UTC), now + _INSTANT
    days = [midnight - timedelta(days=number) for number in reversed(range(_DAYS))]
    week, month = end - timedelta(days=7), end - timedelta(days=30)
    counts = _confirmed_between(sorted({*days, week, month, end}))

    def within(begin: datetime, until: datetime) -> int:
        return sum(count for at, count in counts.items() if begin <= at < until)

    by_day = [(f"{day:%-d %b}", within(day, after)) for day, after in pairwise([*days, end])]
    return within(week, end), within(month, end), bars("New subscribers", by_day)


def _confirmed_between(edges: Sequence[datetime]) -> dict[datetime, int]:
    """Count the confirmations from each edge to the next, in one statement with one index range for each. Canaries are
    few and subtracted: to exclude them would mean to read each row."""
    within = f"SELECT count(*) FROM {Subscription._meta.db_table} WHERE confirmed_at >= %s AND confirmed_at < %s"  # noqa: S608
    look = f"({within}) - ({within} AND person_id IN (SELECT person_id FROM {Canary._meta.db_table}))"  # noqa: S608
    adapted = [connection.ops.adapt_datetimefield_value(at) for pair in pairwise(edges) for at in (*pair, *pair)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join([look] * (len(edges) - 1)), adapted)
        return dict(zip(edges, cursor.fetchone(), strict=False))
