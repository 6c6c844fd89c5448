"""Returns the last half hour: views by the minute, pages and sources in steps of five. May touch: reads `Minute`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum

from troth.audience.counting.cells import Dim
from troth.audience.models import Minute
from troth.audience.queries import site_time
from troth.audience.queries.labels import shown
from troth.audience.queries.queries import names_of
from troth.audience.storage.fold import BY_FIVE, kind_of
from troth.kit import charts, numbers

MINUTES = 30
_LINES = 5


@dataclass(frozen=True, slots=True)
class Some:
    """A page or source of the last half hour."""

    name: str
    times: str
    width: float


@dataclass(frozen=True, slots=True)
class Recent:
    """The last half hour, ready to show."""

    views: int
    visits: int
    chart: charts.Bars
    pages: tuple[Some, ...]
    sources: tuple[Some, ...]
    since: str
    """The time from which on pages and sources are included."""


def recent(now: datetime) -> Recent:
    """Return the last half hour. `now`: in the site's zone."""
    this_minute = site_time.minute_of(now)
    first = this_minute - MINUTES + 1
    rows = Minute.objects.filter(kind=kind_of(Dim.ALL), at__range=(first, this_minute)).values_list(
        "at", "views", "visits"
    )
    by_minute = {at: (views, visits) for at, views, visits in rows}
    values = [
        (f"{now - timedelta(minutes=this_minute - at):%H:%M}", by_minute.get(at, (0, 0))[0])
        for at in range(first, this_minute + 1)
    ]
    block = first - first % BY_FIVE + BY_FIVE
    return Recent(
        sum(views for views, _ in by_minute.values()),
        sum(visits for _, visits in by_minute.values()),
        charts.bars("Views by the minute", values, height=56, step=10, gap=3),
        _most(Dim.PAGE, "views", block),
        _most(Dim.SOURCE, "visits", block),
        f"{now - timedelta(minutes=this_minute - block):%H:%M}",
    )


def _most(dim: Dim, of: str, first: int) -> tuple[Some, ...]:
    sums = Minute.objects.filter(kind=kind_of(dim), at__gte=first).values("name").annotate(n=Sum(of))
    rows = list(sums.filter(n__gt=0).order_by("-n", "name").values_list("name", "n")[:_LINES])
    names, most = names_of([name for name, _ in rows]), max([1, *(n for _, n in rows)])
    return tuple(Some(shown(dim, names.get(name, "")), numbers.count(n), round(100 * n / most, 1)) for name, n in rows)
