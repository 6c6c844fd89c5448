"""Imports existing statistics day by day, each in one transaction with a record of its file, so that an import may be
killed at any moment and run again. Days that have figures are skipped unless asked for, and so is today. May touch:
this room's tables."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from troth.audience.counting import counted_hit
from troth.audience.counting.cells import DIMS
from troth.audience.imports.counted_day import CountedDay
from troth.audience.models import Import, ImportedDay
from troth.audience.storage import read
from troth.audience.storage.fold import CellFold, kind_of
from troth.audience.storage.rollup import RollupLimits
from troth.core.errors import TrothError

LIVE, OTHER, BEFORE = "has figures already", "has figures from another import", "was imported before"
NOT_OVER, TOO_OLD = "is not over yet", "is older than the retention period"


class ImportRefused(TrothError):
    """An import that cannot continue. The days it has written stay; run again, it continues from there."""


@dataclass(frozen=True, slots=True)
class ImportContext:
    """The settings of an import, and the present moment."""

    site: counted_hit.SiteFacts
    host: str
    """The host of log lines that do not name one."""
    prefix: str
    """The path under which Troth answers on that host; empty where Troth has its own host."""
    zone: ZoneInfo
    at_least: int
    keep_months: int
    key: bytes
    """The key of the files' hashes: the site's id."""
    now: datetime
    country: Callable[[str], str] = lambda _address: ""
    proxies: Sequence[str] = ()
    """Addresses or networks of the vendor's proxies."""

    @property
    def _limits(self) -> RollupLimits:
        return RollupLimits.of(self.now, self.zone, self.keep_months)

    @property
    def today(self) -> date:
        """Return today in the site's zone."""
        return self.now.astimezone(self.zone).date()

    @property
    def first_day(self) -> date:
        """Return the first day within the retention period."""
        return date.fromordinal(self._limits.day)

    @property
    def span(self) -> tuple[float, float]:
        """Return the first and last moment of valid lines; a clock may be an hour fast."""
        return self._limits.begin(self.zone).timestamp(), (self.now + timedelta(hours=1)).timestamp()


@dataclass(frozen=True, slots=True)
class Given:
    """A file, and its days, as in `Day`, with the number of lines of each."""

    kind: str
    digest: bytes
    days: Mapping[int, int]


@dataclass(slots=True)
class Plan:
    """The days to import with their files, and the days to skip with the reason."""

    days: dict[int, Set[int]] = field(default_factory=dict)
    """Each day with the positions of its files."""
    left: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class ImportOutcome:
    """The result of an import."""

    counts: Counter[str] = field(default_factory=Counter)
    """Lines or rows, by what they counted as or why they did not."""
    days: list[int] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What looks wrong, in the program's own words."""


def plan(files: Sequence[Given], ground: ImportContext, *, also: bool = False) -> Plan:
    """Plan which days to import. `also`: include days that have figures, but none from the same file."""
    result = Plan()
    of_file = [_days_of(file.digest) for file in files]
    imported = set(ImportedDay.objects.values_list("at", flat=True))
    days = sorted({day for file in files for day in file.days})
    with_figures = _with_figures(days)
    for day in days:
        places = {place for place, file in enumerate(files) if day in file.days}
        fresh = {place for place in places if day not in of_file[place]}
        why = _why_not(day, ground) or ("" if fresh else BEFORE)
        if not why and not also and day in with_figures:
            why = OTHER if day in imported else LIVE
        if why:
            result.left[day] = why
        else:
            result.days[day] = fresh
    return result


def _with_figures(days: Sequence[int]) -> set[int]:
    if not days:
        return set()
    return read.days_with_figures(days[0], days[-1], [kind_of(dim) for dim in DIMS])


def _days_of(digest: bytes) -> set[int]:
    return set(ImportedDay.objects.filter(source__digest=digest).values_list("at", flat=True))


def _why_not(day: int, ground: ImportContext) -> str:
    if day >= ground.today.toordinal():
        return NOT_OVER
    return TOO_OLD if day < ground.first_day.toordinal() else ""


def write(
    days: Iterable[CountedDay],
    planned: Plan,
    files: Sequence[Given],
    lines: Sequence[int],
    ground: ImportContext,
    result: ImportOutcome,
    *,
    dry_run: bool,
) -> None:
    """Write the counted days one by one, and note them in `done`. `dry_run`: write nothing."""
    sources, tally = [] if dry_run else _begin(files, lines, ground.now), CellFold()
    for day in days:
        if not dry_run:
            import_day(tally, day, [sources[place] for place in sorted(planned.days[day.day])])
        result.days.append(day.day)
    Import.objects.filter(pk__in=[source.pk for source in sources]).update(finished_at=ground.now)


def _begin(files: Sequence[Given], lines: Sequence[int], now: datetime) -> list[Import]:
    """Record that these files are being imported; an import that was interrupted continues."""
    imports = []
    for file, count in zip(files, lines, strict=True):
        span = {"first": min(file.days), "last": max(file.days), "lines": count}
        defaults = {"kind": file.kind, "begun_at": now, **span}
        imports.append(Import.objects.get_or_create(digest=file.digest, defaults=defaults)[0])
    return imports


def import_day(tally: CellFold, day: CountedDay, sources: Iterable[Import]) -> None:
    """Write one day, whole or not at all. Raises `ImportRefused` where another import has just written it."""
    try:
        with transaction.atomic():
            ImportedDay.objects.bulk_create([ImportedDay(at=day.day, source=source) for source in sources])
            tally.fold(day.counted)
            tally.add_visitors(day.day, day.visitors)
    except IntegrityError:
        tally.forget()
        raise ImportRefused(
            "Another import of the same file is running.", mend="Let it finish, then run this command again."
        ) from None
    except BaseException:
        tally.forget()
        raise
