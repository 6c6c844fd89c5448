"""Reads GoatCounter's CSV export, versions 1 and 2: each row is a page view or an event of a session. Without time on
page and language. Sessions, by which visitors are told apart, are hashed under a key of the day that is never written.
Source: "The GoatCounter export" in GoatCounter's own help."""

import csv
import os
import re
from collections import Counter as Tallied
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from troth.audience.counting import page_names, user_agents
from troth.audience.counting.cells import Cell, Dim, Sums
from troth.audience.counting.counted_hit import CountedHit
from troth.audience.counting.counter import GroupCommit
from troth.audience.counting.hit import HitKind, screen
from troth.audience.counting.name_threshold import NameThreshold
from troth.audience.counting.page_names import Origin
from troth.audience.counting.registers import DayRegisters
from troth.audience.counting.visits import Visits, cells_with_visitors
from troth.audience.imports import log_files
from troth.audience.imports.counted_day import Clock, CountedDay, Tell
from troth.audience.imports.days import Given, ImportContext, Plan
from troth.audience.imports.log_files import Bad, LogError
from troth.audience.imports.log_formats import LONGEST_LINE
from troth.audience.imports.sitemap import known_names

MOST_ROWS = 2_000_000
"""Rows of one file at most: they are sorted in memory."""
_ANEW = 4
"""Hours after which a visitor may have another session: what brings a name must have come within so many."""
LACKS = ("time on page", "languages", "outbound links, downloads and 404s")
_NEEDED = (
    "Path",
    "Event",
    "Session",
    "Bot",
    "Referrer",
    "Referrer scheme",
    "Location",
    "Date",
    "Browser",
    "Screen size",
)
_VERSION = re.compile(r'(?:\xef\xbb\xbf|\ufeff)?"?([0-9]{1,3}),?"?(?:,")?Path')
_NUMBER = re.compile(r"\s+[\d.].*")


class GoatCounterRow(NamedTuple):
    """One page view or event."""

    at: float
    session: str
    path: str
    is_event: bool
    is_bot: bool
    referrer: str
    scheme: str
    country: str
    width: int
    browser: str
    system: str


@dataclass(slots=True)
class GoatCounterExport:
    """An export that was read."""

    file: Given
    lines: int
    bad: Bad
    days: dict[int, list[GoatCounterRow]] = field(default_factory=dict)


def is_one(head: bytes) -> bool:
    """Return whether a file that begins so is a GoatCounter export."""
    return _VERSION.match(head[:200].decode("utf-8", "replace")) is not None


def read(path: Path, ground: ImportContext, tell: Tell) -> GoatCounterExport:
    """Read the rows, by day. Writes nothing. Raises `LogError`."""
    digest, bad = log_files.digest(ground.key), Bad()
    packed, size = log_files.is_packed(path), path.stat().st_size
    export, clock = GoatCounterExport(Given("goatcounter", b"", {}), 0, bad), Clock(ground.zone)
    with log_files.opened(path, packed=packed) as file:
        lines = log_files.lines_of(log_files.Digesting(file, digest.update))
        for number, cells in _rows(path, lines, bad):
            export.lines = number
            if number % 10_000 == 0:
                tell("reading", 0, size, number)
            row = _row(cells, number, bad, ground.span)
            if row is not None:
                export.days.setdefault(clock.of(row.at)[0], []).append(row)
    if not export.days:
        raise LogError(
            f"{path} has no rows that can be counted.",
            mend="Check that it is an export, and covers days within the retention period.",
        )
    export.file = Given("goatcounter", digest.digest(), {day: len(rows) for day, rows in export.days.items()})
    return export


def _rows(path: Path, lines: Iterator[bytes | int], bad: Bad) -> Iterator[tuple[int, dict[str, str]]]:
    """Return each row with its line number, as columns by name."""
    reader = csv.reader(_text(lines, bad))
    try:
        header = next(reader, [])
        version = header[0].lstrip("\ufeff") if header else ""
        header = ["Path", *header[1:]] if version in {"1Path", "2Path"} else []
        if any(name not in header for name in _NEEDED):
            raise LogError(
                f"{path} is not a GoatCounter export of version 1 or 2.",
                mend="Export it again, and do not edit the file.",
            )
        for count, cells in enumerate(reader):
            if count >= MOST_ROWS:
                raise LogError(
                    f"{path} has more than {MOST_ROWS:,} rows.",
                    mend="Split the file, and keep the first line in each part.",
                )
            if len(cells) == len(header):
                yield reader.line_num, dict(zip(header, cells, strict=True))
            elif cells:
                bad.add(reader.line_num, "different number of columns than the first line")
    except csv.Error:
        raise LogError(f"{path} is not valid CSV from line {reader.line_num} on.", mend="Export it again.") from None


def _text(lines: Iterator[bytes | int], bad: Bad) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if isinstance(line, int):
            bad.add(number, f"longer than {LONGEST_LINE >> 10} KiB")
            yield "\n"
        else:
            yield line.decode("utf-8", "replace") + "\n"


def _row(columns: dict[str, str], number: int, bad: Bad, span: tuple[float, float]) -> GoatCounterRow | None:
    try:
        at = datetime.fromisoformat(columns["Date"])
        if at.tzinfo is None:
            raise ValueError
        moment = at.timestamp()
        width = int(float(columns["Screen size"].split(",")[0] or 0))
    except (ValueError, OverflowError):
        bad.add(number, "no valid time or screen size")
        return None
    if not span[0] <= moment <= span[1]:
        bad.add(number, "in the future" if moment > span[1] else "older than the retention period")
        return None
    browser, system = columns["Browser"], columns.get("System", "")
    if "System" not in columns:  # version 1 has the agent whole
        agent = user_agents.parse(browser)
        browser, system = agent.browser, agent.system
    is_event, is_bot = columns["Event"].lower() in {"true", "1", "t"}, columns["Bot"] not in {"", "0"}
    country = columns["Location"][:2].upper()
    country = country if country.isascii() and country.isalpha() and len(country) == 2 else ""
    return GoatCounterRow(
        moment,
        columns["Session"],
        columns["Path"],
        is_event,
        is_bot,
        columns["Referrer"],
        columns["Referrer scheme"],
        country,
        width,
        _without_version(browser),
        _without_version(system),
    )


def _without_version(text: str) -> str:
    """Return `Firefox 143` or `Windows 10` without the number, by the name used here."""
    plain = page_names.mask(_NUMBER.sub("", text.strip()))[:40]
    return user_agents.renamed(plain)


def days(export: GoatCounterExport, planned: Plan, ground: ImportContext, counts: Tallied[str]) -> Iterator[CountedDay]:
    """Count and return each planned day."""
    names, clock = NameThreshold(ground.at_least, known_names(ground.site.pages)), Clock(ground.zone)
    for day in sorted(planned.days):
        names.new_day()
        counting = _RowCounter(ground, names, counts)
        counted, hour = CountedDay(day), -1
        for row in sorted(export.days[day], key=lambda row: row.at):
            if (now := clock.of(row.at)[1]) != hour:
                counted.add(counting.take(day, hour))
                if now // _ANEW != hour // _ANEW:
                    names.new_day()
                hour = now
            counting.count(row)
        counted.add(counting.take(day, hour))
        yield counted


class _RowCounter:
    """Counts rows as `counting.counter.Counter` counts hits."""

    def __init__(self, ground: ImportContext, names: NameThreshold, counts: Tallied[str]) -> None:
        self._site, self._known, self._counts = ground.site, names, counts
        self._key = os.urandom(32)
        self._visits, self._registers, self._sums = Visits(), DayRegisters(self._key), Sums()
        self._taken = GroupCommit("", 0, self._sums)
        self._page: dict[bytes, str] = {}

    def take(self, day: int, hour: int) -> GroupCommit | None:
        """Return what was counted since the last call, or None."""
        if not len(self._sums) and not self._taken.risen:
            return None
        batch = GroupCommit(datetime.fromordinal(day).date().isoformat(), hour, self._sums, self._taken.risen)
        self._sums = Sums()
        self._taken = GroupCommit("", 0, self._sums)
        return batch

    def count(self, row: GoatCounterRow) -> None:
        """Count a row."""
        if row.is_bot:
            self._sums.add(Cell(Dim.DROPPED, "bot"), views=1)
            self._counts["bot"] += 1
        elif row.is_event and row.path not in self._site.events:
            self._sums.add(Cell(Dim.DROPPED, "undeclared event"), views=1)
            self._counts["undeclared event"] += 1
        else:
            has_session = bool(row.session.strip("0-"))  # else sessions were turned off, and each view is a visit
            visitor = (
                blake2b(row.session.encode(), key=self._key, digest_size=16).digest() if has_session else os.urandom(16)
            )
            bringer = visitor if has_session else b""
            self._count_event(row, visitor) if row.is_event else self._count_view(row, visitor, bringer)

    def _count_view(self, row: GoatCounterRow, visitor: bytes, bringer: bytes) -> None:
        """Count a page view. `bringer`: who brings its names; all unknown sessions are one bringer."""
        listed = self._known.allowed(Dim.PAGE)
        path = page_names.page(row.path, self._site.parameters, routes=self._site.hash_routes, listed=listed)
        page = self._known.stored(Dim.PAGE, path, bringer)
        origin = _origin(row, self._site.hosts)
        attributes = {
            Dim.SOURCE: origin.source,
            Dim.CHANNEL: origin.channel,
            Dim.CAMPAIGN: origin.campaign,
            Dim.COUNTRY: row.country,
            Dim.BROWSER: row.browser,
            Dim.SYSTEM: row.system,
            Dim.SCREEN: screen(row.width),
        }
        about = {dim.code: self._known.stored(dim, name, bringer) for dim, name in attributes.items() if name}
        self._page[visitor] = page
        self._add(CountedHit(visitor, bringer, HitKind.VIEW, page, about=about), row.at)
        self._counts["views"] += 1

    def _count_event(self, row: GoatCounterRow, visitor: bytes) -> None:
        page = self._page.get(visitor, "")
        self._add(CountedHit(visitor, b"", HitKind.EVENT, page, row.path), row.at)
        self._counts["events"] += 1

    def _add(self, hit: CountedHit, at: float) -> None:
        self._sums.add_all(self._visits.count(hit, at))
        self._taken.risen += self._registers.saw(hit.visitor, cells_with_visitors(hit))


def _origin(row: GoatCounterRow, own: Set[str]) -> Origin:
    """Return where a row came from. Schemes: `h` an address, `c` a campaign, `g` and `o` a name."""
    if row.scheme == "c":
        campaign = page_names.named(row.referrer).source
        return Origin("", "campaign" if campaign else "direct", campaign)
    if row.scheme in {"g", "o"}:
        return page_names.named(row.referrer)
    address = row.referrer if "://" in row.referrer else f"https://{row.referrer}"
    return page_names.origin(address if row.referrer else "", row.path, own)
