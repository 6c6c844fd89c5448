"""Represents periods of days, and the spans in which they are read.

May touch: nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from troth.audience.models import Sheet


@dataclass(frozen=True, slots=True)
class Period:
    """Days from the first to the last, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Return the number of days."""
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """Return the previous period of the same length."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def shortened(self) -> "Period":
        """Return the period without its last day; one day stays."""
        return Period(self.first, max(self.first, self.last - timedelta(days=1)))


class SheetSpan(NamedTuple):
    """A span of days or hours, and the sheets to read it from."""

    unit: int
    first: int
    last: int


HOURS, DAYS, MONTHS = Sheet.HOURS, Sheet.DAY, Sheet.MONTH
"""Hours; days; days that are read as months where they are whole months."""


def spans(period: Period) -> list[SheetSpan]:
    """Return the period by whole months and days."""
    return [SheetSpan(MONTHS, period.first.toordinal(), period.last.toordinal())]


def days(period: Period) -> SheetSpan:
    """Return the period by days."""
    return SheetSpan(DAYS, period.first.toordinal(), period.last.toordinal())


def hours(period: Period) -> SheetSpan:
    """Return the period by hours."""
    return SheetSpan(HOURS, period.first.toordinal() * 24, period.last.toordinal() * 24 + 23)


def within(spans_read: Sequence[SheetSpan], first: int, last: int) -> SheetSpan | None:
    """Return the part of these days that lies in the spans, in their unit; None for no part."""
    unit = spans_read[0].unit
    if unit == HOURS:
        first, last = first * 24, last * 24 + 23
    begin, end = max(first, min(span.first for span in spans_read)), min(last, max(span.last for span in spans_read))
    return SheetSpan(unit, begin, end) if begin <= end else None


def month_of(day: date) -> int:
    """Return a month as `Sheet.at` stores it."""
    return day.year * 12 + day.month - 1


def month_begin(month: int) -> date:
    """Return the first day of a month."""
    return date(month // 12, month % 12 + 1, 1)
