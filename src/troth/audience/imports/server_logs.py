"""Imports server logs by the rules of live counting: `audience.counting.counter` counts lines in order of time, under a
key for each day that is held in memory, and `audience.storage.fold` writes the totals. No line, address or user agent
is ever written. May touch: this room's tables, by `audience.imports.days`."""

import os
from collections import Counter as Tallied
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from troth.audience.counting.counted_hit import SeenHit
from troth.audience.counting.counter import Counter, GroupCommit
from troth.audience.counting.hit import Hit, HitKind
from troth.audience.counting.name_threshold import NameThreshold
from troth.audience.imports import log_files
from troth.audience.imports.counted_day import Clock, CountedDay, ImportProgress, Tell
from troth.audience.imports.days import Given, ImportContext, ImportOutcome, Plan, plan, write
from troth.audience.imports.log_files import ExaminedLog, LogLine
from troth.audience.imports.log_rules import Sorting
from troth.audience.imports.log_visitors import Visitors
from troth.audience.imports.sitemap import known_names

_AT_ONCE = 100_000
"""Hits of one batch at most: fewer than `commit.MOST`."""


@dataclass(slots=True)
class ExaminedLogs:
    """Files that were scanned, and the plan for importing them."""

    files: list[ExaminedLog]
    sources: list[Given]
    plan: Plan


def examine(
    paths: Sequence[Path], ground: ImportContext, form: str = "", *, also: bool = False, tell: Tell
) -> ExaminedLogs:
    """Scan all files and plan their import. Writes nothing. Raises `log_files.LogError`."""
    progress = ImportProgress("reading", sum(path.stat().st_size for path in paths if path.exists()), tell)
    files: dict[bytes, ExaminedLog] = {}
    for path in paths:
        scan = log_files.look(path, ground.key, ground.span, form, progress.more)
        files.setdefault(scan.digest, scan)  # the same file named twice is one
    local = Clock(ground.zone)
    sources = [Given(scan.format.name, scan.digest, _days(scan, local)) for scan in files.values()]
    return ExaminedLogs(list(files.values()), sources, plan(sources, ground, also=also))


def _days(scan: ExaminedLog, local: Clock) -> dict[int, int]:
    days: Tallied[int] = Tallied()
    for quarter, lines in scan.quarters.items():
        days[local.of(quarter * 900)[0]] += lines
    return dict(days)


def carry_out(job: ExaminedLogs, ground: ImportContext, *, dry_run: bool, tell: Tell) -> ImportOutcome:
    """Count and write, day by day. `dry_run`: write nothing."""
    progress = ImportProgress("counting", sum(file.path.stat().st_size for file in job.files), tell)
    lines, result = log_files.in_order(job.files, ground.span, progress.more), ImportOutcome()
    counting = _LineCounter(ground, job.plan, result.counts)
    days = counting.days(lines)
    write(days, job.plan, job.sources, [file.lines for file in job.files], ground, result, dry_run=dry_run)
    result.remarks = counting.remarks()
    return result


class _LineCounter:
    """Counts the lines of the planned days."""

    def __init__(self, ground: ImportContext, planned: Plan, counts: Tallied[str]) -> None:
        self._ground, self._plan, self._counts = ground, planned, counts
        self._sorting, self._clock = Sorting(ground.prefix), Clock(ground.zone)
        self._visitors = Visitors(ground.proxies)
        self._known = NameThreshold(ground.at_least, known_names(ground.site.pages))

    def days(self, lines: Iterator[LogLine]) -> Iterator[CountedDay]:
        """Return each planned day, once it is complete."""
        day: CountedDay | None = None
        counter, hour, hits = self._new_counter(), -1, 0
        for line in lines:
            at_day, at_hour = self._clock.of(line.at)
            if day is None or at_day != day.day:
                if day is not None and day.day in self._plan.days:
                    day.add(self._taken(counter, day.day, hour))
                    yield day
                day, counter = CountedDay(at_day), self._new_counter()
                hour = at_hour
            if at_hour != hour or hits >= _AT_ONCE:
                day.add(self._taken(counter, at_day, hour))
                counter.tidy(line.at)
                hour, hits = at_hour, 0
            if line.file in self._plan.days.get(at_day, ()):
                hits += self._count(line, counter)
            else:
                self._counts["on skipped days"] += 1
        if day is not None and day.day in self._plan.days:
            day.add(self._taken(counter, day.day, hour))
            yield day

    def remarks(self) -> list[str]:
        """Return what the operator should know of the visitors in these lines."""
        return self._visitors.remarks()

    def _new_counter(self) -> Counter:
        self._known.new_day()
        return Counter(self._ground.site, self._known, os.urandom(32))

    def _taken(self, counter: Counter, day: int, hour: int) -> GroupCommit | None:
        return counter.take(datetime.combine(date.fromordinal(day), time(hour), self._ground.zone))

    def _count(self, line: LogLine, counter: Counter) -> bool:
        """Count a request; return whether it reached the counter."""
        request = line.request
        kind = self._sorting.sort(request)
        if not isinstance(kind, HitKind):
            self._counts[kind] += 1
            return False
        host = request.host.lower().removeprefix("www.") or self._ground.host
        if host not in self._ground.site.hosts:
            self._counts["another site"] += 1
            return False
        url = f"https://{host}{request.target}"
        hit = Hit(kind, url, request.referrer, name=url if kind is HitKind.DOWNLOAD else "")
        visitor, address = self._visitors.of(request.hops)
        country = self._ground.country(address) if kind is HitKind.VIEW else ""
        received = SeenHit(
            hit, visitor, request.agent, request.languages, country, request.asked_not, request.prefetched
        )
        self._counts[counter.count(received, line.at) or _WORDS[kind]] += 1
        return True


_WORDS = {HitKind.VIEW: "views", HitKind.MISSING: "404s", HitKind.DOWNLOAD: "downloads"}
