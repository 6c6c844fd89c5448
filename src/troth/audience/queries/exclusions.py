"""Excludes traffic, such as a burst of spam, from every figure. Nothing is deleted; restored, it counts again.

May touch: this room's tables.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from troth.audience.counting.cells import Dim
from troth.audience.models import Name, TakenOut
from troth.audience.queries.periods import Period
from troth.audience.queries.periods import days as by_days
from troth.audience.queries.sums import Out, SumQuery, countable, one_sum, outs
from troth.audience.storage.fold import dims_of, kind_of
from troth.core.errors import TrothError

MAY_GO = (Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY, Dim.PAGE)
"""What can be excluded: the dimensions that are counted together with most others."""
MOST = 50
"""Exclusions at a time: each makes every query a little longer."""
_LONGEST = timedelta(days=800)


class NotTakenOut(TrothError):
    """Why traffic cannot be excluded, in a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An exclusion, with the figures of its traffic."""

    id: int
    dim: Dim
    name: str
    first: date
    last: date
    views: int
    visits: int


def take_out(dim: Dim, name: str, period: Period) -> None:
    """Exclude the traffic of a name on these days. Raises `NotTakenOut`."""
    if dim not in MAY_GO:
        raise NotTakenOut("Only a source, a campaign, a country or a page can be excluded.")
    if period.last < period.first or period.last - period.first > _LONGEST:
        raise NotTakenOut("The last day must not be before the first, nor more than 800 days after it.")
    name_id = Name.objects.filter(text=name).values_list("id", flat=True).first()
    if name_id is None or not _has_traffic(dim, name_id, period):
        raise NotTakenOut("No traffic with that name on these days. Check the spelling and the days.")
    if TakenOut.objects.count() >= MOST:
        raise NotTakenOut(f"There are {MOST} exclusions already, the maximum. Restore one first.")
    first, last = period.first.toordinal(), period.last.toordinal()
    overlapping = TakenOut.objects.filter(kind=kind_of(dim), name=name_id, first__lte=last + 1, last__gte=first - 1)
    for row in overlapping:  # merged: a day that is listed twice would be subtracted twice
        first, last = min(first, row.first), max(last, row.last)
    overlapping.delete()
    TakenOut.objects.create(kind=kind_of(dim), name=name_id, first=first, last=last)


def put_back(number: int) -> bool:
    """Remove an exclusion; return whether it existed."""
    return bool(TakenOut.objects.filter(id=number).delete()[0])


def standing() -> list[Exclusion]:
    """Return all exclusions with their figures, the newest days first."""
    exclusions = []
    for row in TakenOut.objects.order_by("-last", "-id"):
        dim, _ = dims_of(row.kind)
        period = Period(date.fromordinal(row.first), date.fromordinal(row.last))
        sums = one_sum(SumQuery({dim: row.name}), [by_days(period)])
        name = Name.objects.filter(id=row.name).values_list("text", flat=True).first() or ""
        exclusions.append(Exclusion(row.id, dim, name, period.first, period.last, sums.views, sums.visits))
    return exclusions


def _has_traffic(dim: Dim, name: int, period: Period) -> bool:
    return bool(one_sum(SumQuery({dim: name}), [by_days(period)]).views)


def within(period: Period) -> list[Out]:
    """Return the exclusions that fall into a period."""
    first, last = period.first.toordinal(), period.last.toordinal()
    return [exclusion for exclusion in outs() if exclusion.first <= last and exclusion.last >= first]


def stays_in(dim: Dim) -> list[Dim]:
    """Return the dimensions that still include traffic excluded by `dim`: the two are not counted together."""
    return [by for by in Dim if by not in _NO_PANEL and not countable(SumQuery({dim: 0}, by))]


_NO_PANEL = {Dim.ALL, Dim.ASKED, Dim.DROPPED, Dim.PRODUCT}
