"""The report by mail to those under `notify` in [office]: queued once for each period, put together as it leaves. Noted
and queued in one transaction; its id is drawn from period and address, so that a restored copy knows it for the same
mail. Here, because `audience` reaches no person and the gate's outbox does."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction

from troth.audience.counting.cells import Dim
from troth.audience.models import Reported
from troth.audience.public import report
from troth.audience.public.report import AudienceReport, Every
from troth.audience.queries import site_time
from troth.audience.queries.answers import Row
from troth.audience.queries.labels import shown
from troth.audience.queries.queries import Period
from troth.core.personal import EmailAddress
from troth.gate import outbox
from troth.gate.email_kinds import REPORT
from troth.gate.mail_types import ReportFigure, ReportLine, ReportMail
from troth.gate.message import Mail
from troth.gate.models import Delivery

_NAMESPACE = UUID("0c1c5d0e-3b44-4a55-9a39-6f0a7d3e2b18")
_LATELY = 8
"""Periods of which a mail may still be on its way: one that cannot leave is given up after days."""


def _about(interval: str, first: date, address: str) -> UUID:
    """What a delivery says it is about."""
    return uuid5(_NAMESPACE, f"{interval} {first} {address}")


def queue() -> int:
    """Queue the report of the newest period that is over, unless it was; returns how many mails."""
    interval, office = report.wanted(), settings.TROTH_CONFIG.office
    if interval is None or not office.notify:
        return 0
    period = report.over(interval, site_time.now())
    if not report.counted_by(period.last):
        return 0
    domain = settings.TROTH_CONFIG.mail.sender.rpartition("@")[2]
    addresses = dict.fromkeys(office.notify)
    with transaction.atomic():
        _, fresh = Reported.objects.get_or_create(every=interval, at=period.first.toordinal())
        if not fresh:
            return 0
        for address in addresses:
            about = _about(interval, period.first, address)
            outbox.new(REPORT, about, None, domain, ident=about).save(force_insert=True)
    return len(addresses)


def _waiting() -> Iterator[tuple[UUID, tuple[str, Period]]]:
    """Of each mail that may wait: what it is about, to whom, and of which period."""
    for noted in Reported.objects.order_by("-id")[:_LATELY]:
        interval: Every = "weekly" if noted.every == "weekly" else "monthly"
        period = report.begun(interval, date.fromordinal(noted.at))
        for address in settings.TROTH_CONFIG.office.notify:
            yield _about(interval, period.first, address), (address, period)


def compose_reports(rows: Sequence[Delivery]) -> Mapping[UUID, Mail]:
    """Return the reports of these deliveries, without those to somebody who is no longer told."""
    waiting, reports = dict(_waiting()), dict[Period, AudienceReport]()
    mails = dict[UUID, Mail]()
    for row in rows:
        if row.about in waiting:
            address, period = waiting[row.about]
            figures = reports.get(period) or reports.setdefault(period, report.made(period))
            mails[row.id] = mail(row, address, figures)
    return mails


def last_week() -> AudienceReport:
    """Return the report of the last week that is over, whether or not it is wanted: for the proof."""
    return report.made(report.over("weekly", site_time.now()))


def mail(row: Delivery, address: str, figures: AudienceReport) -> ReportMail:
    """Return the mail of one delivery."""
    config = settings.TROTH_CONFIG
    return ReportMail(
        to=EmailAddress(address),
        site_name=config.site.name,
        message_id=row.message_id,
        maybe_twice=row.maybe_twice,
        period=_words(figures.period),
        figures=list(_figures(figures)),
        tops=[
            (ReportFigure.PAGES, _lines(Dim.PAGE, figures.pages)),
            (ReportFigure.SOURCES, _lines(Dim.SOURCE, figures.sources)),
        ],
        office_url=f"{config.office.url.rstrip('/')}/",
    )


def _words(period: Period) -> str:
    """`16 to 22 November 2026`, or the month."""
    first, last = period.first, period.last
    if first.day == 1 and (first.month, first.year) == (last.month, last.year) and period.days > 7:
        return f"{first:%B %Y}"
    begins = f"{first:%-d}" if first.month == last.month else f"{first:%-d %B}"
    return f"{begins if first.year == last.year else f'{first:%-d %B %Y}'} to {last:%-d %B %Y}"


def _figures(figures: AudienceReport) -> Iterator[ReportLine]:
    now, before = figures.totals.figures, figures.totals.before
    yield ReportLine(ReportFigure.VISITS, f"{now.visits:,}", _change(now.visits, before.visits))
    yield ReportLine(ReportFigure.VIEWS, f"{now.views:,}", _change(now.views, before.views))
    yield ReportLine(ReportFigure.VISITORS, f"{now.visitors or 0:,}", _change(now.visitors or 0, before.visitors or 0))
    yield ReportLine(ReportFigure.BOUNCES, f"{now.bounce_rate:.0%}", f"before: {before.bounce_rate:.0%}")
    yield ReportLine(ReportFigure.TIME, _time(now.seconds_a_visit), f"before: {_time(before.seconds_a_visit)}")


def _lines(dim: Dim, rows: Sequence[Row]) -> list[ReportLine]:
    return [ReportLine(shown(dim, row.name), f"{row.visits:,}") for row in rows]


def _change(now: int, before: int) -> str:
    if not before:
        return "none before" if now else ""
    if now == before:
        return "as before"
    return f"{(now - before) / before:+.0%} ({before:,} before)"


def _time(seconds: float) -> str:
    minutes, remainder = divmod(round(seconds), 60)
    return f"{minutes} min {remainder:02} s" if minutes else f"{remainder} s"
