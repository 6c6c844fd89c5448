"""Days from one to another, and the stretches that they are read in.

May touch: nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from troth.audience.models import Sheet


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
    """A stretch of days, or of hours, and which sheets it may be read from."""

    unit: int
    first: int
    last: int


HOURS, DAYS, MONTHS = Sheet.HOURS, Sheet.DAY, Sheet.MONTH
"""Hours; days; days, where they make up whole months as months."""


def spans(period: Period) -> list[Span]:
    """All of it, by months where there are whole ones, and days."""
    return [Span(MONTHS, period.first.toordinal(), period.last.toordinal())]


def days(period: Period) -> Span:
    """All of it, by days."""
    return Span(DAYS, period.first.toordinal(), period.last.toordinal())


def hours(period: Period) -> Span:
    """All of it, by hours."""
    return Span(HOURS, period.first.toordinal() * 24, period.last.toordinal() * 24 + 23)


def within(stretches: Sequence[Span], first: int, last: int) -> Span | None:
    """What of these days lies in the stretches; by hours where they are hours. None where nothing does."""
    unit = stretches[0].unit
    if unit == HOURS:
        first, last = first * 24, last * 24 + 23
    begin, end = max(first, min(one.first for one in stretches)), min(last, max(one.last for one in stretches))
    return Span(unit, begin, end) if begin <= end else None


def month_of(day: date) -> int:
    """A month as `Sheet.at` has it."""
    return day.year * 12 + day.month - 1


def month_begin(month: int) -> date:
    """Its first day."""
    return date(month // 12, month % 12 + 1, 1)
