"""What of the statistics everybody may see: the public page as the worker hands it to the front, without what it hides.

Everything shown is a figure of one week, rounded down to a step of five (more, where `min_visitors` is more):

    weeks part time    a visit is in one week of a table and in no other figure of it, so that two pages, each of four
                       weeks, never differ by what is shown nowhere; a week once shown stays as it was
    rounding           a row under the step is nothing, so it is not there; and what is there is known to within the
                       step only, the total of each day, too: what is hidden is not to be had by taking away
    a second row       where what is shown would leave less room than half a step for what is hidden, or where one row
                       alone is hidden and is not small, the smallest row that was shown is hidden as well

Five, and not three: tried on every week that a small site can have, by somebody who knows this file and every name
there is, five leaves three different answers at least to how often a hidden row was seen; three leaves one
(tests/audience/test_disclosure.py). Visits are not people, so a page, a source or a country must have had
`min_visitors` different visitors on one of the week's days besides. Standard library and msgspec only; touches nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec

STEP = 5
"""Visits: a row with fewer in a week is hidden, and every figure is rounded down to a multiple."""
WEEKS = 4
ROWS_KEPT = 60
"""Rows of one kind that a week hands on at most."""
ROWS_SHOWN = 10
PARTING = ("sources", "countries", "devices")
"""The tables whose rows add up to all visits, or to less where a visit has none: each is in one row at most."""


class ShownRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of one week, or of all of them."""

    name: str
    visits: int
    """Rounded down."""


class ShownWeek(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One week, Monday to Sunday in the site's zone. It never changes once it was shown."""

    first: str
    """Its Monday: `2026-11-16`."""
    days: list[int]
    """Visits of its seven days, each rounded down."""
    tables: dict[str, list[ShownRow]]


class StatisticsPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The public page, the newest week last."""

    step: int
    at_least: int
    weeks: list[ShownWeek]

    def rows(self, table: str) -> list[ShownRow]:
        """The most of a kind over all weeks: what the weeks show, added up."""
        sums: dict[str, int] = {}
        for row in chain.from_iterable(week.tables.get(table, []) for week in self.weeks):
            sums[row.name] = sums.get(row.name, 0) + row.visits
        most = sorted(sums.items(), key=lambda one: (-one[1], one[0]))
        return [ShownRow(name, visits) for name, visits in most[:ROWS_SHOWN]]

    @property
    def days(self) -> list[int]:
        """Visits of each day."""
        return list(chain.from_iterable(week.days for week in self.weeks))


@dataclass(frozen=True, slots=True)
class Exact:
    """One row as it was counted. Never leaves the worker."""

    name: str
    visits: int
    several: bool = True
    """Whether so many different visitors as must be were there on one day, where that is counted."""


def step_of(at_least: int) -> int:
    """The step where so many visitors must bring a name: a multiple of five that is not less."""
    return max(STEP, -(-at_least // STEP) * STEP)


def down(count: int, step: int) -> int:
    """`count` rounded down to a multiple of `step`, at least 0."""
    return max(0, count) // step * step


def week(first: str, days: Sequence[int], tables: Mapping[str, Iterable[Exact]], step: int) -> ShownWeek:
    """One week as everybody may see it."""
    told = [down(count, step) for count in days]
    parts = {name: _parted(list(rows), step) for name, rows in tables.items()}
    room = _most_visits(told, parts, step)
    return ShownWeek(
        first=first,
        days=told,
        tables={
            name: _enough_hidden(part, room, step) if name in PARTING else part.shown for name, part in parts.items()
        },
    )


@dataclass(frozen=True, slots=True)
class _Parted:
    """A table's rows that may be shown, rounded, the most first; and those that may not."""

    shown: list[ShownRow]
    hidden: list[int]
    """How many visits each of those has."""


def _parted(rows: list[Exact], step: int) -> _Parted:
    may = [ShownRow(one.name, down(one.visits, step)) for one in rows if one.several and one.visits >= step]
    shown = sorted(may, key=lambda one: (-one.visits, one.name))[
        :ROWS_KEPT
    ]  # an order by exact figures would tell them
    kept = {one.name for one in shown}
    return _Parted(shown, [one.visits for one in rows if one.visits > 0 and one.name not in kept])


def _most_visits(days: Sequence[int], parts: Mapping[str, _Parted], step: int) -> int:
    """The most visits that the week can have had, for all that is shown: by its days, and by each table that hides
    nothing, which somebody may know."""
    bounds = [_upper(days, step)]
    bounds += [
        _upper([row.visits for row in part.shown], step)
        for name, part in parts.items()
        if name in PARTING and not part.hidden and part.shown
    ]
    return min(bounds)


def _upper(figures: Sequence[int], step: int) -> int:
    return sum(figures) + len(figures) * (step - 1)


def _enough_hidden(part: _Parted, most: int, step: int) -> list[ShownRow]:
    """The rows to show, so that there is room for what is hidden, and a large row is never hidden alone.

    It goes by rounded figures: what decided would otherwise be told by what was decided.
    """
    shown, hidden = list(part.shown), len(part.hidden)
    alone = hidden == 1 and part.hidden[0] >= step
    while shown and hidden and (alone or most - sum(row.visits for row in shown) < step // 2):
        shown.pop()
        alone = False
    return shown
