"""Taking figures in that were there before Troth: which days, each in one transaction, none of them twice.

A day and the note that this file gave it are written together, so an import may be killed at any moment and run again.
Days that have figures are left out unless somebody says otherwise; today is never taken, for it is not over. May touch:
this room's tables.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from troth.audience.counting import counter
from troth.audience.counting.cells import DIMS
from troth.audience.imports.counted_day import CountedDay
from troth.audience.models import Import, ImportedDay
from troth.audience.storage import read
from troth.audience.storage.fold import Tally, kind_of
from troth.audience.storage.rollup import Limits
from troth.core.errors import TrothError

LIVE, OTHER, BEFORE = "has figures already", "has figures of another import", "was taken in before"
NOT_OVER, TOO_OLD = "is not over", "is older than statistics are kept"


class ImportRefused(TrothError):
    """An import that cannot go on. What it had written stays, whole days; run again, it goes on from there."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the operator said, and when it is."""

    site: counter.Site
    host: str
    """Whose log it is, where the log does not say."""
    prefix: str
    """Where Troth itself answers on that host; empty where it has a host of its own."""
    zone: ZoneInfo
    at_least: int
    keep_months: int
    key: bytes
    """Keys the digests of files: the site's id."""
    now: datetime
    country: Callable[[str], str] = lambda _address: ""
    proxies: Sequence[str] = ()
    """Addresses or networks of the vendor's proxies."""

    @property
    def _limits(self) -> Limits:
        return Limits.of(self.now, self.zone, self.keep_months)

    @property
    def today(self) -> date:
        """In the site's zone."""
        return self.now.astimezone(self.zone).date()

    @property
    def first_day(self) -> date:
        """The first that is kept: an older one would go again at once."""
        return date.fromordinal(self._limits.day)

    @property
    def span(self) -> tuple[float, float]:
        """First and last moment that a line may have: an hour is forgiven to a clock that goes fast."""
        return self._limits.begin(self.zone).timestamp(), (self.now + timedelta(hours=1)).timestamp()


@dataclass(frozen=True, slots=True)
class Given:
    """A file, and its days, as in `Day`, with how much there is of each."""

    kind: str
    digest: bytes
    days: Mapping[int, int]


@dataclass(slots=True)
class Plan:
    """Which days are taken, and from which files; which are not, and why."""

    days: dict[int, Set[int]] = field(default_factory=dict)
    """Day, and the places of the files that give it."""
    left: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Done:
    """What came of it."""

    counts: Counter[str] = field(default_factory=Counter)
    """Lines or rows by what they counted as, or why they did not."""
    days: list[int] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What looks wrong, in our own words."""


def plan(given: Sequence[Given], ground: Ground, *, also: bool = False) -> Plan:
    """What would be taken. `also`: days that have figures already, too, but none from the same file."""
    made = Plan()
    of_file = [_days_of(one.digest) for one in given]
    imported = set(ImportedDay.objects.values_list("at", flat=True))
    days = sorted({day for one in given for day in one.days})
    had = _with_figures(days)
    for day in days:
        files = {place for place, one in enumerate(given) if day in one.days}
        fresh = {place for place in files if day not in of_file[place]}
        why = _why_not(day, ground) or ("" if fresh else BEFORE)
        if not why and not also and day in had:
            why = OTHER if day in imported else LIVE
        if why:
            made.left[day] = why
        else:
            made.days[day] = fresh
    return made


def _with_figures(days: Sequence[int]) -> set[int]:
    if not days:
        return set()
    return read.days_with_figures(days[0], days[-1], [kind_of(dim) for dim in DIMS])


def _days_of(digest: bytes) -> set[int]:
    return set(ImportedDay.objects.filter(source__digest=digest).values_list("at", flat=True))


def _why_not(day: int, ground: Ground) -> str:
    if day >= ground.today.toordinal():
        return NOT_OVER
    return TOO_OLD if day < ground.first_day.toordinal() else ""


def write(
    days: Iterable[CountedDay],
    planned: Plan,
    given: Sequence[Given],
    lines: Sequence[int],
    ground: Ground,
    done: Done,
    *,
    dry_run: bool,
) -> None:
    """Write day by day what was counted, and note it in `done`. `dry_run`: write nothing."""
    sources, tally = [] if dry_run else _begin(given, lines, ground.now), Tally()
    for day in days:
        if not dry_run:
            take_in(tally, day, [sources[place] for place in sorted(planned.days[day.day])])
        done.days.append(day.day)
    Import.objects.filter(pk__in=[one.pk for one in sources]).update(finished_at=ground.now)


def _begin(given: Sequence[Given], lines: Sequence[int], now: datetime) -> list[Import]:
    """Note that these files are being taken in; one that was begun before goes on."""
    made = []
    for one, count_of in zip(given, lines, strict=True):
        span = {"first": min(one.days), "last": max(one.days), "lines": count_of}
        noted, _ = Import.objects.get_or_create(digest=one.digest, defaults={"kind": one.kind, "begun_at": now, **span})
        made.append(noted)
    return made


def take_in(tally: Tally, day: CountedDay, sources: Iterable[Import]) -> None:
    """Add one day, whole or not at all. Raises `ImportRefused` where another import has just added it."""
    try:
        with transaction.atomic():
            ImportedDay.objects.bulk_create([ImportedDay(at=day.day, source=one) for one in sources])
            tally.fold(day.counted)
            tally.add_visitors(day.day, day.visitors)
    except IntegrityError:
        tally.forget()
        raise ImportRefused(
            "Another import of the same file is under way.", mend="Let it end, then see what is left."
        ) from None
    except BaseException:
        tally.forget()
        raise
