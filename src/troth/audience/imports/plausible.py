"""Reads Plausible's export, a ZIP of CSV files with daily totals of one dimension each, into the same totals; those of
two dimensions, steps and hours stay empty. A name from outside is written where enough visitors brought it that day, or
it was known. Nothing is unpacked to disk. Source: "Export your stats" and "CSV import" in Plausible's own help."""

import csv
import io
import re
import zipfile
import zlib
from collections import Counter as Tallied
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from troth.audience.counting import page_names, user_agents
from troth.audience.counting.cells import ALL, SKETCHED, Cell, Dim, Sums
from troth.audience.counting.name_threshold import FROM_OUTSIDE, NameThreshold
from troth.audience.imports import log_files
from troth.audience.imports.counted_day import CountedDay, Tell, whole_day
from troth.audience.imports.days import Given, ImportContext, Plan
from troth.audience.imports.log_files import Bad, LogError
from troth.audience.imports.sitemap import known_names

LACKS = ("hours", "languages", "screens", "page flow", "combinations, such as a page's sources")
MOST_ROWS, MOST_FILES = 5_000_000, 200
_MOST_BYTES, _RATIO, _SURELY_FINE = 4 << 30, 200, 64 << 20
_MOST = 1_000_000_000
"""The highest number in a row."""
_TABLE = re.compile(r"(?:[^\\]*/)?imported_([a-z_]+?)(?:_\d{8}_\d{8})?\.csv")
_DEVICES = {"mobile": "phone", "tablet": "tablet", "desktop": "desktop", "laptop": "desktop"}
type _Row = Mapping[str, str]


class ExportFigure(NamedTuple):
    """What a row adds to a cell."""

    dim: Dim
    name: str
    views: int = 0
    visits: int = 0
    bounces: int = 0
    seconds: int = 0
    visitors: int = 0


@dataclass(slots=True)
class PlausibleExport:
    """An export that was read."""

    file: Given
    lines: int = 0
    bad: Bad = field(default_factory=Bad)
    days: dict[int, list[ExportFigure]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    """Tables that this version does not read."""


def is_one(head: bytes) -> bool:
    """Return whether a file that begins so may be a Plausible export."""
    return head.startswith(b"PK\x03\x04")


def read(path: Path, ground: ImportContext, tell: Tell) -> PlausibleExport:
    """Read the figures, by day. Writes nothing. Raises `LogError`."""
    digest = log_files.digest(ground.key)
    export = PlausibleExport(Given("plausible", b"", {}))
    try:
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
        with path.open("rb") as file, zipfile.ZipFile(file) as packed:
            for info, table in _tables(path, packed, export):
                tell("reading", 0, path.stat().st_size, export.lines)
                _read_table(packed, info, table, export, ground)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError):
        raise LogError(f"{path} is damaged or truncated.", mend="Download the export again.") from None
    except RuntimeError:
        raise LogError(
            f"{path} is protected by a password.", mend="Remove the password, or download the export again."
        ) from None
    if not export.days:
        raise LogError(
            f"{path} has no figures that can be imported.",
            mend="Use the ZIP with imported_visitors….csv and other files.",
        )
    export.file = Given("plausible", digest.digest(), {day: len(rows) for day, rows in export.days.items()})
    return export


def _tables(path: Path, packed: zipfile.ZipFile, export: PlausibleExport) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    infos = packed.infolist()
    size, most = sum(info.file_size for info in infos), max(_SURELY_FINE, path.stat().st_size * _RATIO)
    if len(infos) > MOST_FILES or size > min(_MOST_BYTES, most):
        raise LogError(f"{path} decompresses to far too much data.", mend="Check that it is a Plausible export.")
    for info in infos:
        match = _TABLE.fullmatch(info.filename)
        if match and match[1] in _ROWS:
            yield info, match[1]
        elif not info.is_dir():
            export.unread.append(match[1] if match else "(other)")


def _read_table(
    packed: zipfile.ZipFile, info: zipfile.ZipInfo, table: str, export: PlausibleExport, ground: ImportContext
) -> None:
    with packed.open(info) as content, io.TextIOWrapper(content, "utf-8-sig", "replace", newline="") as text:
        reader = csv.reader(text)
        try:
            header = next(reader, [])
            if "date" not in header:
                raise LogError(f"The table {table} has no dates.", mend="Export it again, and do not edit the files.")
            for cells in reader:
                export.lines += 1
                if export.lines > MOST_ROWS:
                    raise LogError("The export has too many rows.", mend="Export fewer months at a time.")
                if cells:
                    _read_row(table, dict(zip(header, cells, strict=False)), reader.line_num, export, ground)
        except csv.Error:
            raise LogError(
                f"The table {table} is not valid CSV from line {reader.line_num} on.", mend="Export it again."
            ) from None


def _read_row(table: str, row: _Row, line: int, export: PlausibleExport, ground: ImportContext) -> None:
    try:
        day = date.fromisoformat(row.get("date", "")).toordinal()
        figures = list(_ROWS[table](row, ground))
    except ValueError:
        export.bad.add(line, f"{table}: no valid date or number")
        return
    if day > ground.today.toordinal() or day < ground.first_day.toordinal():
        export.bad.add(line, f"{table}: in the future, or older than the retention period")
        return
    export.days.setdefault(day, []).extend(figures)


def _number(row: _Row, *columns: str) -> int:
    """Return the first of these columns that exists. Raises `ValueError`."""
    text = next((row[column] for column in columns if row.get(column)), "0")
    if not (text.isascii() and text.isdigit()) or int(text) > _MOST:
        raise ValueError
    return int(text)


def _sums(row: _Row) -> tuple[int, int, int, int, int]:
    """Return views, visits, bounces, seconds, visitors."""
    return (
        _number(row, "pageviews"),
        _number(row, "visits"),
        _number(row, "bounces"),
        _number(row, "visit_duration"),
        _number(row, "visitors"),
    )


# -- one table each ---------------------------------------------------------------------------------------------------


def _visitors(row: _Row, _ground: ImportContext) -> Iterator[ExportFigure]:
    yield ExportFigure(Dim.ALL, "", *_sums(row))


def _page(address: str, ground: ImportContext) -> str:
    site = ground.site
    return page_names.page(address, site.parameters, routes=site.hash_routes, listed=site.pages)


def _pages(row: _Row, ground: ImportContext) -> Iterator[ExportFigure]:
    host = row.get("hostname", "").lower().removeprefix("www.")
    if host and host not in ground.site.hosts:
        return
    seconds = _number(row, "total_time_on_page", "time_on_page")
    visits, visitors = _number(row, "visits", "visitors"), _number(row, "visitors")
    page = _page(row.get("page", ""), ground)
    yield ExportFigure(Dim.PAGE, page, _number(row, "pageviews"), visits, 0, seconds, visitors)


def _entries(row: _Row, ground: ImportContext) -> Iterator[ExportFigure]:
    page = _page(row.get("entry_page", ""), ground)
    yield ExportFigure(
        Dim.ENTRY, page, 0, _number(row, "entrances"), _number(row, "bounces"), 0, _number(row, "visitors")
    )


def _exits(row: _Row, ground: ImportContext) -> Iterator[ExportFigure]:
    page = _page(row.get("exit_page", ""), ground)
    yield ExportFigure(Dim.EXIT, page, 0, _number(row, "exits"), visitors=_number(row, "visitors"))


def _sources(row: _Row, ground: ImportContext) -> Iterator[ExportFigure]:
    marks = {name: row.get(name, "") for name in ("utm_source", "utm_medium", "utm_campaign")}
    address = "https://localhost/?" + urlencode({name: value for name, value in marks.items() if value})
    referrer = row.get("referrer", "")
    origin = page_names.origin(f"https://{referrer}" if referrer else "", address, ground.site.hosts)
    source, channel = origin.source, origin.channel
    if not source and row.get("source", "") not in {"", "Direct / None", "(not set)"}:
        named = page_names.named(row["source"])
        source, channel = named.source, named.channel if channel == "direct" else channel
    for dim, name in ((Dim.SOURCE, source), (Dim.CHANNEL, channel), (Dim.CAMPAIGN, origin.campaign)):
        if name:
            yield ExportFigure(dim, name, *_sums(row))


def _locations(row: _Row, _ground: ImportContext) -> Iterator[ExportFigure]:
    country = row.get("country", "").upper()
    if len(country) == 2 and country.isascii() and country.isalpha():
        yield ExportFigure(Dim.COUNTRY, country, *_sums(row))


def _devices(row: _Row, _ground: ImportContext) -> Iterator[ExportFigure]:
    if device := _DEVICES.get(row.get("device", "").lower(), ""):
        yield ExportFigure(Dim.DEVICE, device, *_sums(row))


def _browsers(row: _Row, _ground: ImportContext) -> Iterator[ExportFigure]:
    if browser := user_agents.renamed(page_names.mask(row.get("browser", ""))[:40]):
        yield ExportFigure(Dim.BROWSER, browser, *_sums(row))


def _systems(row: _Row, _ground: ImportContext) -> Iterator[ExportFigure]:
    if system := user_agents.renamed(page_names.mask(row.get("operating_system", ""))[:40]):
        yield ExportFigure(Dim.SYSTEM, system, *_sums(row))


def _events(row: _Row, ground: ImportContext) -> Iterator[ExportFigure]:
    event, link = row.get("name", ""), row.get("link_url", "")
    sums = {
        "views": _number(row, "events"),
        "visits": _number(row, "visitors"),
        "visitors": _number(row, "visitors"),
    }
    if event == "Outbound Link: Click":
        yield ExportFigure(Dim.OUTBOUND, page_names.mask(page_names.host(link)), **sums)
    elif event == "File Download":
        yield ExportFigure(Dim.DOWNLOAD, page_names.page(link), **sums)
    elif event == "404":
        yield ExportFigure(Dim.MISSING, page_names.page(row.get("path", "")), **sums)
    elif event in ground.site.events:
        yield ExportFigure(Dim.EVENT, event, **sums)
    else:
        yield ExportFigure(Dim.DROPPED, "undeclared event", views=sums["views"])


_ROWS: Mapping[str, Callable[[_Row, ImportContext], Iterator[ExportFigure]]] = {
    "visitors": _visitors,
    "pages": _pages,
    "entry_pages": _entries,
    "exit_pages": _exits,
    "sources": _sources,
    "locations": _locations,
    "devices": _devices,
    "browsers": _browsers,
    "operating_systems": _systems,
    "custom_events": _events,
}


# -- days -------------------------------------------------------------------------------------------------------------


def days(export: PlausibleExport, planned: Plan, ground: ImportContext, counts: Tallied[str]) -> Iterator[CountedDay]:
    """Return each planned day."""
    names = NameThreshold(ground.at_least, known_names(ground.site.pages))
    for day in sorted(planned.days):
        sums, counted = Sums(), CountedDay(day)
        for figure in export.days[day]:
            cell = _cell(figure, names, ground.at_least)
            if cell.name or cell == ALL:
                sums.add(
                    cell,
                    views=figure.views,
                    visits=figure.visits,
                    bounces=figure.bounces,
                    seconds=figure.seconds,
                )
                if cell.dim in SKETCHED:
                    counted.known_visitors[cell] = counted.known_visitors.get(cell, 0) + figure.visitors
        counts["views"] += sums.of(ALL)[0]
        counts["visits"] += sums.of(ALL)[1]
        counted.counted += whole_day(day, sums)
        yield counted


def _cell(figure: ExportFigure, names: NameThreshold, at_least: int) -> Cell:
    """Return the cell under a name that may be written: enough visitors brought it that day, or it is known."""
    dim, name = figure.dim, figure.name
    like = Dim.PAGE if dim in {Dim.ENTRY, Dim.EXIT} else dim
    if like in FROM_OUTSIDE and name:
        if figure.visitors >= at_least:
            names.learn([(like, name)])
        name = names.stored(like, name, b"")
    return Cell(dim, name)
