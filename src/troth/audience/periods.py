"""Days from one to another, and the stretches of which table they are read from: months that are added up, then days.

May touch: reads this room's tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from troth.audience.models import Day, Hour, Month


@dataclass(frozen=True, slots=True)
class Period:
    """Days from the first to the last, both counted."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """As many days just before, to compare with."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def shortened(self) -> "Period":
        """The same without its last day; of one day, itself."""
        return Period(self.first, max(self.first, self.last - timedelta(days=1)))


class Span(NamedTuple):
    """A stretch of one table: hours, days or months."""

    table: str
    first: int
    last: int


HOURS, DAYS, MONTHS = (model._meta.db_table for model in (Hour, Day, Month))


def spans(period: Period, closed: int) -> list[Span]:
    """The stretches that a period is made of. `closed`: the first month that has not been added up yet."""
    first_month, last_month = _month_from(period.first), _month_to(period.last)
    last_month = min(last_month, closed - 1)
    if last_month < first_month:
        return [days(period)]
    found = [Span(MONTHS, first_month, last_month)]
    begin, end = month_begin(first_month), month_begin(last_month + 1)
    if period.first < begin:
        found.append(Span(DAYS, period.first.toordinal(), begin.toordinal() - 1))
    if end <= period.last:
        found.append(Span(DAYS, end.toordinal(), period.last.toordinal()))
    return found


def days(period: Period) -> Span:
    """All of it, by days."""
    return Span(DAYS, period.first.toordinal(), period.last.toordinal())


def hours(period: Period) -> Span:
    """All of it, by hours."""
    return Span(HOURS, period.first.toordinal() * 24, period.last.toordinal() * 24 + 23)


def within(stretches: Sequence[Span], first: int, last: int) -> Span | None:
    """What of these days lies in the stretches, by days; by hours where they are hours. None where nothing does."""
    if stretches[0].table == HOURS:
        begin, end = max(stretches[0].first, first * 24), min(stretches[0].last, last * 24 + 23)
        return Span(HOURS, begin, end) if begin <= end else None
    begin, end = max(first, min(map(_first_day, stretches))), min(last, max(map(_last_day, stretches)))
    return Span(DAYS, begin, end) if begin <= end else None


def _first_day(span: Span) -> int:
    return month_begin(span.first).toordinal() if span.table == MONTHS else span.first


def _last_day(span: Span) -> int:
    return month_begin(span.last + 1).toordinal() - 1 if span.table == MONTHS else span.last


def month_of(day: date) -> int:
    """A month as `Month.at` has it."""
    return day.year * 12 + day.month - 1


def month_begin(month: int) -> date:
    """Its first day."""
    return date(month // 12, month % 12 + 1, 1)


def _month_from(day: date) -> int:
    return month_of(day) + (day.day > 1)


def _month_to(day: date) -> int:
    return month_of(day + timedelta(days=1)) - 1


def first_open_month() -> int:
    """The first month that has not been added up yet; 0 where none has."""
    newest = Month.objects.order_by("-at").values_list("at", flat=True).first()
    return 0 if newest is None else newest + 1
