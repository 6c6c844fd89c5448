"""Decides what the public page shows: the worker computes it, and the front gets nothing that is hidden.

Every figure covers one week and is rounded down to a step of five (more where `min_visitors` is more):

    separate weeks     a visit counts in one week of a table only, and a published week never changes, so that two
                       versions of the page never differ by something hidden
    rounding           a row below the step is left out, and others are known to within the step only, also the total
                       of each day: hidden figures cannot be computed by subtraction
    a second row       the smallest visible row is hidden as well where what is shown would leave less than half a
                       step for what is hidden, or where a single row that is not small would be hidden alone

Why five and not three: for every week of a small site, an attacker who knows this file and every name has at least
three possible values of a hidden row; with three it is sometimes one (tests/audience/public/test_disclosure.py). Visits
are not people, so a page, a source or a country must also have had `min_visitors` visitors on one of the week's days.
Standard library and msgspec only; touches nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec

STEP = 5
"""Visits: a row with fewer in a week is hidden, and figures are rounded down to a multiple."""
WEEKS = 4
ROWS_KEPT = 60
"""Rows of a table that a week publishes at most."""
ROWS_SHOWN = 10
PARTING = ("sources", "countries", "devices")
"""Tables in which each visit is in one row at most."""


class ShownRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of one week or of all."""

    name: str
    visits: int
    """Rounded down."""


class ShownWeek(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A week, Monday to Sunday in the site's zone. It never changes once published."""

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
        """Return the top rows of a table: the published figures of all weeks, added up."""
        sums: dict[str, int] = {}
        for row in chain.from_iterable(week.tables.get(table, []) for week in self.weeks):
            sums[row.name] = sums.get(row.name, 0) + row.visits
        most = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
        return [ShownRow(name, visits) for name, visits in most[:ROWS_SHOWN]]

    @property
    def days(self) -> list[int]:
        """Return the visits of each day."""
        return list(chain.from_iterable(week.days for week in self.weeks))


@dataclass(frozen=True, slots=True)
class Exact:
    """A row as counted. It never leaves the worker."""

    name: str
    visits: int
    several: bool = True
    """Whether enough different visitors brought it on one day, where that is counted."""


def step_of(at_least: int) -> int:
    """Return the rounding step: the multiple of five that is not below `min_visitors`."""
    return max(STEP, -(-at_least // STEP) * STEP)


def down(count: int, step: int) -> int:
    """Return `count` rounded down to a multiple of `step`, at least 0."""
    return max(0, count) // step * step


def week(first: str, days: Sequence[int], tables: Mapping[str, Iterable[Exact]], step: int) -> ShownWeek:
    """Return a week as it is published."""
    rounded = [down(count, step) for count in days]
    parts = {name: _parted(list(rows), step) for name, rows in tables.items()}
    room = _most_visits(rounded, parts, step)
    return ShownWeek(
        first=first,
        days=rounded,
        tables={
            name: _enough_hidden(part, room, step) if name in PARTING else part.visible for name, part in parts.items()
        },
    )


@dataclass(frozen=True, slots=True)
class _Parted:
    """A table's rows that may be shown, rounded, largest first; and the hidden ones."""

    visible: list[ShownRow]
    hidden: list[int]
    """The visits of each hidden row."""


def _parted(rows: list[Exact], step: int) -> _Parted:
    may = [ShownRow(row.name, down(row.visits, step)) for row in rows if row.several and row.visits >= step]
    visible = sorted(may, key=lambda row: (-row.visits, row.name))[
        :ROWS_KEPT
    ]  # an order by exact figures would tell them
    visible_names = {row.name for row in visible}
    return _Parted(visible, [row.visits for row in rows if row.visits > 0 and row.name not in visible_names])


def _most_visits(days: Sequence[int], parts: Mapping[str, _Parted], step: int) -> int:
    """Return the most visits that the week can have had, judging by what is shown: its days, and tables that hide
    nothing."""
    bounds = [_upper(days, step)]
    bounds += [
        _upper([row.visits for row in part.visible], step)
        for name, part in parts.items()
        if name in PARTING and not part.hidden and part.visible
    ]
    return min(bounds)


def _upper(figures: Sequence[int], step: int) -> int:
    return sum(figures) + len(figures) * (step - 1)


def _enough_hidden(part: _Parted, most: int, step: int) -> list[ShownRow]:
    """Return the rows to show: hidden rows have room, and a large row is never hidden alone. By rounded figures, so
    that its decisions reveal no exact ones."""
    visible, hidden = list(part.visible), len(part.hidden)
    alone = hidden == 1 and part.hidden[0] >= step
    while visible and hidden and (alone or most - sum(row.visits for row in visible) < step // 2):
        visible.pop()
        alone = False
    return visible
