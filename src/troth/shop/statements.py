"""For the bookkeeper: every amount of a time as a table, and its sums by country and tax rate. No buyer is in either:
the numbers of the documents lead to them. May touch: the database."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.conf import settings

from troth.core import money
from troth.core.errors import TrothError
from troth.core.text.csv_cells import neutral
from troth.shop.models import Movement

_COLUMNS = "date document order product kind country tax_rate currency amount tax net payment".split()


@dataclass(frozen=True, slots=True)
class StatementLine:
    """The sums of one country, tax rate and currency."""

    country: str
    tax_rate: str
    """In percent."""
    currency: str
    sales: int
    refunds: int
    """Below zero."""
    disputes: int
    """What banks took back, below zero, and gave again."""
    tax: int

    @property
    def total(self) -> int:
        """Return what is left."""
        return self.sales + self.refunds + self.disputes


def month(text: str) -> tuple[date, date]:
    """Return the first day of a month, `2026-11`, and of the next. Raises `TrothError`."""
    try:
        first = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a day without a time
    except ValueError:
        raise TrothError(f"{text!r} is not a month.", mend="Write it like 2026-11.") from None
    return first, (first + timedelta(days=32)).replace(day=1)


def movements(first: date, after: date) -> Iterator[Movement]:
    """Yield every amount from the first day to the one before `after`, oldest first, by the site's own days."""
    zone = settings.TROTH_CONFIG.zone
    begin, end = (datetime.combine(day, time(), zone) for day in (first, after))
    rows = Movement.objects.filter(at__gte=begin, at__lt=end).select_related("order__price__edition__product")
    yield from rows.order_by("at", "id").iterator(2_000)


def as_csv(rows: Iterator[Movement]) -> Iterator[str]:
    """Yield the table as CSV, line by line: amounts with a point, no cell that a spreadsheet would run."""
    yield _line(_COLUMNS)
    zone = settings.TROTH_CONFIG.zone
    for row in rows:
        order = row.order
        yield _line(
            [
                row.at.astimezone(zone).date().isoformat(),
                row.document,
                order.number,
                order.price.edition.title,
                row.kind,
                order.country,
                _percent(order.tax_rate),
                row.currency,
                money.plain(row.amount, row.currency),
                money.plain(row.tax, row.currency),
                money.plain(row.amount - row.tax, row.currency),
                order.payment,
            ]
        )


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([text if _is_amount(text) else neutral(text) for text in cells])
    return out.getvalue()


def _is_amount(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()


def statement(rows: Iterator[Movement]) -> list[StatementLine]:
    """Return the sums by country, tax rate and currency, in this order."""
    sums: dict[tuple[str, int, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    places = {Movement.Kind.PAYMENT: 0, Movement.Kind.REFUND: 1, Movement.Kind.REFUND_FAILED: 1}
    for row in rows:
        line = sums[row.order.country, row.order.tax_rate, row.currency]
        line[places.get(Movement.Kind(row.kind), 2)] += row.amount
        line[3] += row.tax
    return [
        StatementLine(country, _percent(rate), currency, *line)
        for (country, rate, currency), line in sorted(sums.items())
    ]


def _percent(rate: int) -> str:
    return f"{rate / 100:g}"
