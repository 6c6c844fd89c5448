"""Adds the counts of fronts to the statistics, and tells fronts which names they may store. Runs in the worker.

May touch: this room's tables.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from troth.audience.counting.cells import Dim
from troth.audience.counting.commit import Counted, CountsRefused, MinuteCounts, unpack
from troth.audience.counting.name_threshold import FROM_OUTSIDE
from troth.audience.counting.page_names import OTHER
from troth.audience.imports.sitemap import own_pages
from troth.audience.queries import queries
from troth.audience.queries.queries import Period, Query
from troth.audience.storage.fold import CellFold, day_of_proofs, uncollected
from troth.core import clock
from troth.core.entry import Came
from troth.core.intake_counts import Count

_LEEWAY = timedelta(days=1)
_KNOWN_DAYS = 90
_KNOWN_MOST = 2_000
"""Names of one dimension that fronts get; they learn others again."""
_KNOWN_SECONDS = 3_600.0
_tally = CellFold()


def file_counts(arrivals: Sequence[Came[Counted]], zone: ZoneInfo) -> Counter[Count]:
    """Add the counts of fronts, in the caller's transaction. Raises `CountsRefused`.

    Returns no numbers: on a quiet site, each visit would be a line of the log (V1).
    """
    with uncollected():
        _tally.fold([_in_place(unpack(arrival.entry.packed), arrival.at.astimezone(zone)) for arrival in arrivals])
    return Counter()


def forget() -> None:
    """Clear caches, after a transaction was rolled back."""
    _tally.forget()


def _in_place(counts: MinuteCounts, at: datetime) -> MinuteCounts:
    """Reject counts of another day, so that no front adds to the past or the future; move those of a proof to their own
    days."""
    if abs(counts.day - at.date().toordinal()) > _LEEWAY.days:
        raise CountsRefused("Counts of another day than the one on which they were sent.")
    return replace(counts, day=day_of_proofs(counts.day)) if counts.proof else counts


class _KnownNames:
    """The names that fronts may store from the start, read once an hour."""

    def __init__(self) -> None:
        self._at = -_KNOWN_SECONDS
        self._names: dict[int, list[str]] = {}

    def names(self, today: date) -> dict[int, list[str]]:
        if time.monotonic() - self._at >= _KNOWN_SECONDS:
            period = Period(today - timedelta(days=_KNOWN_DAYS), today)
            self._names = {dim.code: _of(dim, period) for dim in sorted(FROM_OUTSIDE)}
            self._at = time.monotonic()
        return self._names


def _of(dim: Dim, period: Period) -> list[str]:
    names = {row.name for row in queries.answer(Query(period, dim=dim, limit=_KNOWN_MOST)).rows}
    if dim is Dim.PRODUCT:  # versions stand together with systems only
        names |= {name for name, *_ in queries.products(period, _KNOWN_MOST)}
    return sorted(name for name in names if name and not name.endswith(OTHER))


_names = _KnownNames()


def names_known(pages: Iterable[str] = ()) -> dict[int, list[str]]:
    """Return the names that fronts may store, by `Dim.code`: listed pages, `pages`, and names of the last 90 days."""
    names = _names.names(clock.now().date())
    return {**names, Dim.PAGE.code: sorted({*names[Dim.PAGE.code], *own_pages(), *pages})}
