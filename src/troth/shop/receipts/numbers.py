"""Numbers of invoices and credit notes: `2026-000123`, without a gap within a year. Touches nothing.

What keeps the last number (`NumberCounter`) has to do this:

1. `take` returns the number after the last one of that year, beginning with 1: no number twice, and none left out.
2. It takes it in the same transaction in which the document is kept: rolled back together, or kept together. A number
   that is taken before, or in a transaction of its own, is lost with the first crash.
3. The row of the year is locked until that transaction ends (`select_for_update` on PostgreSQL, an IMMEDIATE
   transaction on SQLite), so that two workers cannot read the same last number. Take it late: everybody else waits.
4. A document is never renumbered or removed. What was wrong is corrected by a credit note, which takes a number too.
5. The year is that of the day of issue, in the time zone of the site, as the document shows it.
6. A restored backup is older than the documents that were mailed: the last number is raised beyond the highest that is
   known from elsewhere (the card company's list of payments) before the next one is taken.

`problems` looks at all numbers of a year and finds what was not kept to.
"""

import re
from collections import Counter as Multiset
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

_DIGITS = 6
_FORM = re.compile(r"([0-9]{4})-([0-9]{6,9})", re.ASCII)


class NumberCounter(Protocol):
    """Keeps the last number of each year."""

    def take(self, year: int) -> int:
        """Return the year's next number, in the caller's transaction."""


@dataclass(frozen=True, slots=True, order=True)
class Number:
    """The number of an invoice or a credit note. Its text has too few digits to look like a card number."""

    year: int
    place: int

    def __str__(self) -> str:
        return f"{self.year}-{self.place:0{_DIGITS}d}"


def next_number(counter: NumberCounter, year: int) -> str:
    """Take the year's next number and return its text."""
    return str(Number(year, counter.take(year)))


def read(text: str) -> Number | None:
    """Return the number in this text; None if it is none."""
    match = _FORM.fullmatch(text)
    number = Number(int(match[1]), int(match[2])) if match else None
    return number if number and number.place and str(number) == text else None


def problems(texts: Iterable[str]) -> list[str]:
    """Return the numbers that are missing, doubled or none at all among all documents' numbers, in words."""
    by_year: dict[int, Multiset[int]] = {}
    wrong: list[str] = []
    for text in texts:
        number = read(text)
        if number is None:
            wrong.append(f"{text!r} is no number of a document.")
        else:
            by_year.setdefault(number.year, Multiset())[number.place] += 1
    for year, places in sorted(by_year.items()):
        wrong += [f"{Number(year, place)} was given {times} times." for place, times in places.items() if times > 1]
        wrong += [f"{first}{f' to {last}' if last != first else ''} missing." for first, last in _gaps(year, places)]
    return wrong


def _gaps(year: int, places: Iterable[int]) -> Iterable[tuple[Number, Number]]:
    before = 0
    for place in sorted(places):
        if place > before + 1:
            yield Number(year, before + 1), Number(year, place - 1)
        before = place
