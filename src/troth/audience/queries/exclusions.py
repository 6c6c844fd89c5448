"""What the operator took out: a spam burst that every figure is then shown without. Nothing is deleted; put back, it
counts again. May touch: this room's tables.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from troth.audience.counting.cells import Dim
from troth.audience.models import Name, TakenOut
from troth.audience.queries.periods import Period
from troth.audience.queries.periods import days as by_days
from troth.audience.queries.sums import Out, Question, countable, one_sum, outs
from troth.audience.storage.fold import dims_of, kind_of
from troth.core.errors import TrothError

MAY_GO = (Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY, Dim.PAGE)
"""What can be taken out: what is counted together with most other things."""
MOST = 50
"""Things that are taken out at a time: each makes every question a little longer."""
_LONGEST = timedelta(days=800)


class NotTakenOut(TrothError):
    """It cannot be taken out, in a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing that is taken out."""

    id: int
    dim: Dim
    name: str
    first: date
    last: date
    views: int
    visits: int


def take_out(dim: Dim, name: str, period: Period) -> None:
    """Take it out on these days. Raises `NotTakenOut`."""
    if dim not in MAY_GO:
        raise NotTakenOut("Only a source, a campaign, a country or a page can be taken out.")
    if period.last < period.first or period.last - period.first > _LONGEST:
        raise NotTakenOut("Give the first day and the last one, in this order, at most 800 days apart.")
    found = Name.objects.filter(text=name).values_list("id", flat=True).first()
    if found is None or not _brought(dim, found, period):
        raise NotTakenOut("Nothing of that name came on these days. Look at its spelling, and at the days.")
    if TakenOut.objects.count() >= MOST:
        raise NotTakenOut(f"{MOST} things are taken out already. Put something back first.")
    first, last = period.first.toordinal(), period.last.toordinal()
    same = TakenOut.objects.filter(kind=kind_of(dim), name=found, first__lte=last + 1, last__gte=first - 1)
    for one in same:  # days of one thing never lie twice in the list: what went twice would be missing twice
        first, last = min(first, one.first), max(last, one.last)
    same.delete()
    TakenOut.objects.create(kind=kind_of(dim), name=found, first=first, last=last)


def put_back(number: int) -> bool:
    """Count it again. Whether it was taken out."""
    return bool(TakenOut.objects.filter(id=number).delete()[0])


def standing() -> list[Standing]:
    """All that is taken out, the newest days first, with what it brought."""
    found = []
    for row in TakenOut.objects.order_by("-last", "-id"):
        dim, _ = dims_of(row.kind)
        period = Period(date.fromordinal(row.first), date.fromordinal(row.last))
        sums = one_sum(Question({dim: row.name}), [by_days(period)])
        name = Name.objects.filter(id=row.name).values_list("text", flat=True).first() or ""
        found.append(Standing(row.id, dim, name, period.first, period.last, sums.views, sums.visits))
    return found


def _brought(dim: Dim, name: int, period: Period) -> bool:
    return bool(one_sum(Question({dim: name}), [by_days(period)]).views)


def within(period: Period) -> list[Out]:
    """What is taken out in a period."""
    first, last = period.first.toordinal(), period.last.toordinal()
    return [one for one in outs() if one.first <= last and one.last >= first]


def stays_in(dim: Dim) -> list[Dim]:
    """The panels that go on showing what `dim` brought, because no cell knows both together."""
    return [other for other in Dim if other not in _NO_PANEL and not countable(Question({dim: 0}, other))]


_NO_PANEL = {Dim.ALL, Dim.ASKED, Dim.DROPPED, Dim.PRODUCT}
