"""What the worker does with visitor statistics: files what fronts counted, says what fronts may write.

May touch: this room's tables.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from troth.audience.counting.cells import Dim
from troth.audience.counting.commit import Counted, Counts, CountsRefused, unpack
from troth.audience.counting.name_threshold import FROM_OUTSIDE
from troth.audience.counting.page_names import OTHER
from troth.audience.imports.sitemap import own_pages
from troth.audience.queries import queries
from troth.audience.queries.queries import Period
from troth.audience.storage.fold import Tally, day_of_proofs, uncollected
from troth.core import clock
from troth.core.entry import Came
from troth.core.intake_counts import Count

_LEEWAY = timedelta(days=1)
_KNOWN_DAYS = 90
_KNOWN_MOST = 2_000
"""Names of one kind that fronts are told; they hold more, and learn the rest again."""
_KNOWN_SECONDS = 3_600.0
_tally = Tally()


def file_counts(came: Sequence[Came[Counted]], zone: ZoneInfo) -> Counter[Count]:
    """Fold what fronts counted, in the caller's transaction. Raises `CountsRefused`.

    Says no number: how much came in when would be one line of the log for each visit of a quiet site (V1).
    """
    with uncollected():
        _tally.fold([_in_place(unpack(one.entry.packed), one.at.astimezone(zone)) for one in came])
    return Counter()


def forget() -> None:
    """The transaction in which something was filed did not happen."""
    _tally.forget()


def _in_place(counts: Counts, at: datetime) -> Counts:
    """Refuse counts of a day that was not when they were made: no front adds to the past or to the future. What a proof
    brought goes where no figure is made of it."""
    if abs(counts.day - at.date().toordinal()) > _LEEWAY.days:
        raise CountsRefused("Counts of another day than that on which they were made.")
    return replace(counts, day=day_of_proofs(counts.day)) if counts.proof else counts


class _Names:
    """The names that fronts may write from the start, looked up each hour: they learn for themselves, too."""

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
    found = {row.name for row in queries.top(period, dim, limit=_KNOWN_MOST)}
    if dim is Dim.PRODUCT:  # versions stand together with systems only
        found |= {name for name, *_ in queries.products(period, _KNOWN_MOST)}
    return sorted(name for name in found if name and not name.endswith(OTHER))


_names = _Names()


def names_known(pages: Iterable[str] = ()) -> dict[int, list[str]]:
    """By `Dim.code`, the site's own pages and `pages`, and the names of the last 90 days, which several visitors had
    brought."""
    known = _names.names(clock.now().date())
    return {**known, Dim.PAGE.code: sorted({*known[Dim.PAGE.code], *own_pages(), *pages})}
