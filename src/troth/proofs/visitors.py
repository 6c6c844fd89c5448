"""Proofs of V1 and V2: statistics are totals that identify nobody, and they are correct. A test visitor visits the
running site; what is in the spool is decrypted with the site's own key before it is removed.

May touch: what `instruments.test_visitor` names; every file of the site (reading).
"""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
from django.apps import apps
from django.db import connection

from troth.audience.counting.cells import ALL, Cell, Dim
from troth.audience.counting.commit import Counted, MinuteCounts
from troth.audience.counting.page_names import OTHER
from troth.audience.storage.fold import kind_of
from troth.policy import data_map
from troth.policy.promise import Verdict
from troth.proofs.context import Scene, proof
from troth.proofs.instruments import file_scan, spool_and_tables, sqlite_wal, test_visitor
from troth.proofs.instruments.encodings import LEAST, forms
from troth.proofs.instruments.spool_and_tables import OpenedFrame
from troth.proofs.instruments.test_visitor import AGAIN, MASKED, SECONDS, WALK, SiteVisit

_BLOCK = 2_048
"""The size of every frame's content is a multiple of this. Repeated here on purpose, so that a change is noticed."""
_FIELDS = ("day", "hour", "names", "cells", "risen", "minute", "fresh", "proof")
_NOT_COUNTED = Verdict.kept("Statistics are off ([audience] enabled is false).")
_STORAGE = re.compile(r"cookie|localStorage|sessionStorage|indexedDB|caches\.", re.IGNORECASE)
_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
_IDENTIFYING = ("set-cookie", "etag", "last-modified")
"""Headers that could identify a returning browser."""


def _nothing_to_check(scene: Scene, visit: SiteVisit) -> Verdict | None:
    """Return why there is nothing to check, if so."""
    if not scene.config.audience.enabled:
        return _NOT_COUNTED
    return Verdict.unproven(visit.trouble) if visit.trouble else None


# -- V1 ---------------------------------------------------------------------------------------------------------------


@proof("visits.nowhere")
def no_traces_stored(scene: Scene) -> Verdict:
    """Check that no trace of a counted test visitor is in any file, table, log or backup."""
    visit = test_visitor.visited(scene)
    if (fault := _nothing_to_check(scene, visit)) is not None:
        return fault
    patterns = [*forms(visit.marks), *_forms_of_address(visit.address)]
    result = file_scan.everywhere(scene, patterns)
    _, in_log, _ = file_scan.in_the_log(scene, patterns)
    named = [name for book in visit.books for name in book.names if name == visit.language]
    if result.places or in_log or named:
        where = ", ".join([*result.places, *in_log, *(["the names in the statistics"] if named else [])][:5])
        return Verdict.broken(f"Traces of a test visitor who was counted were found in {where}.")
    size = f"{result.size >> 10:,} KiB"
    return Verdict.kept(
        f"Searched {result.files} files ({size}) for a test visitor’s traces in {len(patterns):,} forms; found none."
    )


def _forms_of_address(address: str) -> list[bytes]:
    """Return the address as text, bytes and digits, in full and as its network prefix. Bytes and digits only if long
    enough: eight digits occur in ids by chance."""
    packed = ipaddress.ip_address(address).packed
    parts = [part for part in (packed, packed[:8]) if len(part) >= LEAST]
    digits = [text.encode() for part in parts for text in (part.hex(), part.hex().upper())]
    return list(dict.fromkeys([address.encode(), *parts, *digits]))


@proof("visits.spool")
def spool_holds_totals(scene: Scene) -> Verdict:
    """Check that what fronts hand over are totals: nothing in it identifies a visitor, and a repeated hit raises no
    register."""
    visit = test_visitor.visited(scene)
    if (fault := _nothing_to_check(scene, visit)) is not None:
        return fault
    frames = [frame for hit in visit.hits for frame in hit.frames]
    if not frames:
        return Verdict.broken("Hits were acknowledged as counted, but nothing was in the spool.")
    fault_found = next(_spool_faults(scene, visit, frames), "")
    if fault_found:
        return Verdict.broken(fault_found)
    repeats = [hit.alone for hit in visit.of("again") if hit.alone]
    if len(repeats) < AGAIN // 2:
        return Verdict.unproven("Other visitors came at the same moment, so the effect of a single hit is unclear.")
    part = (
        ""
        if _masked_page_was_counted(visit)
        else " Counting a masked address could not be checked: it takes several visitors."
    )
    return Verdict.kept(f"{len(frames)} frames were opened; they contain totals and known names, and no visitor.{part}")


def _masked_page_was_counted(visit: SiteVisit) -> bool:
    return any(MASKED in frame.counts.names for hit in visit.of("brought") for frame in hit.frames)


def _spool_faults(scene: Scene, visit: SiteVisit, frames: list[OpenedFrame]) -> Iterator[str]:
    more = {field.name for field in msgspec.structs.fields(Counted)} - {"packed"}
    if more or tuple(field.name for field in msgspec.structs.fields(MinuteCounts)) != _FIELDS:
        yield "The visit data from the public server has an undeclared field."
    if visit.stray:
        yield f"In the spool, {visit.stray[0]}."
    marks = [mark.encode() for mark in visit.marks] + _forms_of_address(visit.address)
    for frame in frames:
        if len(frame.packed) % _BLOCK:
            yield "The size of a frame shows how much it contains."
        if any(mark in frame.packed for mark in marks) or visit.language in frame.counts.names:
            yield "A frame of visit data contains traces of a test visitor."
    programs = {name for product in scene.config.audience.products for name in (product, f"{product} {OTHER}")} | {
        "linux",
        "bot",
    }
    allowed = {
        "",
        OTHER,
        MASKED,
        *programs,
        *visit.pages,
        "link",
        "direct",
        "desktop",
        "Chrome",
        "Linux",
        "large",
        "en",
    }
    for hit in visit.hits:
        if hit.alone and (unexpected := set(hit.alone.counts.names) - allowed):
            yield f"A test visitor’s hit was counted under {len(unexpected)} names that should not be used."
    for hit in visit.of("again"):
        if hit.alone and hit.alone.counts.risen:
            yield "A repeated hit raised a register, which reveals that the visitor came back."


@proof("visits.rows")
def hits_leave_no_rows(scene: Scene) -> Verdict:
    """Check that twenty hits from one visitor on one page leave as many rows as one, no log line each, and that
    SQLite's log of commits is cut."""
    visit = test_visitor.visited(scene)
    if (fault := _nothing_to_check(scene, visit)) is not None:
        return fault
    _, once, often, _ = visit.books
    frames = [frame for hit in visit.of("again") for frame in hit.frames]
    grown = {table: often.counts[table] - once.counts.get(table, 0) for table in often.counts}
    by_others = _grown_by_others(visit)
    for table, more in sorted(grown.items()):
        if more >= AGAIN - 1 and table not in by_others:
            return Verdict.broken(f"{AGAIN} hits from one visitor added {more} more rows than one hit to {table}.")
    theirs = _cells_of_others(visit, frames)
    fresh = len(often.days.keys() - once.days.keys())
    if fresh > theirs:
        return Verdict.broken(f"A visitor’s further hits on one page added {fresh} rows to the statistics.")
    _, lines_once, more_said, *_ = [*visit.lines, 0, 0, 0]
    if visit.quiet and more_said - lines_once >= AGAIN // 2 and visit.idle_lines < AGAIN // 4:
        return Verdict.broken(f"{AGAIN} hits from one visitor added {more_said - lines_once} lines to the log.")
    if connection.vendor == "sqlite" and not sqlite_wal.is_cut(scene.site.database):
        return Verdict.broken("SQLite’s write-ahead log still holds what each hit added, one by one.")
    rows = sum(often.counts[table] for table in often.counts if table.startswith("audience_"))
    note = f" Could not be separated from other activity: {', '.join(sorted(by_others))}." if by_others else ""
    return Verdict.kept(
        f"{AGAIN} hits from one visitor left as many rows as one hit; the statistics have {rows:,} rows.{note}"
    )


def _grown_by_others(visit: SiteVisit) -> set[str]:
    """Return tables that grew (nearly) as fast while the test visitor did nothing."""
    if visit.idle is None:
        return set()
    before, after = visit.idle
    return {table for table in after.counts if after.counts[table] - before.counts.get(table, 0) >= AGAIN // 2}


def _cells_of_others(visit: SiteVisit, frames: list[OpenedFrame]) -> int:
    """Count the cells in frames that may contain others' hits."""
    ours = {id(hit.alone) for hit in visit.of("again") if hit.alone}
    return len({cell for frame in frames if id(frame) not in ours for cell in frame.cells})


@proof("visits.tables")
def tables_are_declared(scene: Scene) -> Verdict:
    """Check in the database itself that the statistics tables have only declared columns, and that no table is
    undeclared."""
    with connection.cursor() as cursor:
        existing = connection.introspection.table_names(cursor)
        declared = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} | {
            "django_migrations"
        }
        if strange := sorted(set(existing) - declared):
            return Verdict.broken(f"The database has an undeclared table: {', '.join(strange[:3])}.")
        columns = 0
        for table in sorted(table for table in existing if table.startswith("audience_")):
            present = {column.name for column in connection.introspection.get_table_description(cursor, table)}
            if more := sorted(present - data_map.STATISTICS.get(table, frozenset())):
                return Verdict.broken(f"{table} has an undeclared column: {', '.join(more[:3])}.")
            columns += len(present)
    return Verdict.kept(
        f"The statistics have {columns} columns, all declared; none identifies a visitor, a visit or a hit."
    )


@proof("visits.files")
def files_are_declared(scene: Scene) -> Verdict:
    """Check that every file in the site's folder is in a declared place: no daily key, no map of visits."""
    count, strange = 0, list[str]()
    for path in file_scan.files(scene):
        name = str(path.relative_to(scene.site.root)) if path.is_relative_to(scene.site.root) else ""
        count += 1
        if name and not _is_declared(scene, name):
            strange.append(name)
    if strange:
        return Verdict.broken(f"{len(strange)} files are in undeclared places, the first: {strange[0]}.")
    return Verdict.kept(f"All {count} files are in declared places; none holds a daily key or a map of visits.")


_FILES = re.compile(
    r"""
    (?: [^/]+\.(?:toml|md|mmdb)         # the operator's own
    | troth\.log(?:[.-][^/]+)? | restoring | \.restore-[^/]+/.* | \.keys-before/.* | before-[^/]+/.*
    | keys/(?: site-id | recovery\.pub | \.recovery\.new | mail-password(?:-[a-z0-9-]{1,20})? | database-password
        | seal/(?:\d+\.key|\.\d+\.new) | sign/\d+\.key | dkim/[^/]+\.pem | office/secret\.key
        | sent/[^/]+ | \.?card-company-(?:key|secrets|path)(?:\.new)? | licence/(?:\d+\.(?:key|next)|\.\d+\.new)
        | people/(?: forgotten | slots | proving | proving-late | ledger-heads
            | index-(?:administration|identification)\.key | (?:index|marks)\.sqlite3(?:-wal|-shm|-journal)? ) )
    | data/(?: beat | \.?house\.json(?:\.new)? | prove-asked | policy-copy\.md | version | \.?clock\.json(?:\.new)?
        | policy-seen | \.policy-seen\.new | dns-asked | sender-dns/\.?records\.json(?:\.new)?
        | (?:prove|worker|backup)\.lock | wire-[a-z]+ | backups\.json | \.backups\.new
        | (?:troth|replaced-[^/]+|\.backup-\d+)\.sqlite3(?:-wal|-shm|-journal)?
        | aside/[0-9a-f]{16}-[0-9a-f]{8}\.sealed | answers?/.* | imports?/.* )
    | spool/(?: [0-9a-f]{16}\.seg | spent )
    | public/(?: \.?gen-\d{12}[^/]*/[^/]+ | answers/.*
        | licences/revoked\.(?:json|new)
        | archive/\.?[0-9a-f]{32}\.(?:html|xml) | images/\.?[0-9a-f]{8,64}\.(?:jpg|png|gif) )
    | (?:asks|offers)/.*
    )
    """,
    re.VERBOSE,
)


def _is_declared(scene: Scene, name: str) -> bool:
    if _FILES.fullmatch(name):
        return True
    folders = scene.config.backup.folder, scene.config.audience.country_database
    own = [Path(folder) for folder in folders if folder]
    path = scene.site.root / name
    return any(path == folder or path.is_relative_to(folder) for folder in own)


@proof("visits.log")
def log_has_no_visits(scene: Scene) -> Verdict:
    """Check that fronts log only lines of known forms, and that no line contains a possible hash of a visitor."""
    fronts, lines = 0, file_scan.lines_of_log(scene)
    for line in lines:
        fronts += line.startswith("front=")
        if line.startswith("front=") and not _FRONT_LINE.fullmatch(line):
            return Verdict.broken("The public server wrote a line to the log that is not one of its known forms.")
        if _DIGEST.search(line):
            return Verdict.broken("The log contains something that could identify a visitor.")
    return Verdict.kept(f"The log has {len(lines):,} lines, {fronts:,} from the public server; none is about a visit.")


_FRONT_LINE = re.compile(r"front=\d+ event=[a-z_]+(?: [a-z_]+=(?:\d+|[A-Za-z_][\w.]*|[\w./-]+:\d+))*")
_DIGEST = re.compile(r"(?<![0-9a-fA-F-])[0-9a-fA-F]{32}(?![0-9a-fA-F])|(?:\\x[0-9a-f]{2}.{0,3}){4}")
"""Sixteen bytes, in hex or as Python prints bytes."""


@proof("visits.asked")
def opt_outs_are_not_counted(scene: Scene) -> Verdict:
    """Check that an opt-out, by Global Privacy Control or on this site, raises only the counter of opt-outs."""
    visit = test_visitor.visited(scene)
    if (fault := _nothing_to_check(scene, visit)) is not None:
        return fault
    if not visit.chosen:
        return Verdict.broken(
            "A browser does not send the choice made at /privacy/choices from every page that is counted, so people "
            "who opted out are counted. `troth doctor` suggests a fix."
        )
    alone = 0
    for hit in (*visit.of("signal"), *visit.of("choice")):
        how = "by Global Privacy Control" if hit.kind == "signal" else "on this site"
        if hit.alone is None:
            continue
        alone += 1
        if hit.alone.cells != {Cell(Dim.ASKED, ""): (1, 0, 0, 0)} or hit.alone.counts.risen:
            return Verdict.broken(f"A visitor who opted out {how} was counted.")
    if alone < 2:
        return Verdict.unproven("Other visitors came at the same moment, so the effect of a single hit is unclear.")
    return Verdict.kept("Hits from visitors who opted out, in either way, raise only the counter of opt-outs.")


@proof("visits.stored")
def browser_stores_nothing(scene: Scene) -> Verdict:
    """Check that neither the script nor the responses to hits store anything in the browser."""
    if not scene.config.audience.enabled:
        return _NOT_COUNTED
    script = scene.front.get("/t.js")
    if script.status != 200:
        return Verdict.unproven(f"The counting script returned status {script.status}.")
    if storage := _STORAGE.search(_COMMENT.sub("", script.text)):
        return Verdict.broken(f"The counting script mentions {storage[0]}.")
    if "set-cookie" in script.headers:
        return Verdict.broken("The counting script sets a cookie.")
    # One that is no hit: nothing is counted by it, every hour.
    visit = scene.shared.get("visited")
    answers = [
        scene.front.hit(b"k=", {}),
        *([hit.answer for hit in visit.hits] if isinstance(visit, SiteVisit) else []),
    ]
    for answer in answers:
        if name := next((header for header in _IDENTIFYING if header in answer.headers), ""):
            return Verdict.broken(f"The response to a hit has a {name} header.")
    return Verdict.kept("The script uses no cookies and no storage; responses to hits store nothing in the browser.")


# -- V2 ---------------------------------------------------------------------------------------------------------------


@proof("popular.counted")
def visit_is_counted(scene: Scene) -> Verdict:
    """Check that a test visit is counted correctly in every cell, and that the tables gained exactly what the frames
    contain."""
    visit = test_visitor.visited(scene)
    if (fault := _nothing_to_check(scene, visit)) is not None:
        return fault
    frames = [frame for hit in visit.hits if hit.kind in WALK for frame in hit.frames]
    if wrong := next(_unfiled(visit, frames), ""):
        return Verdict.broken(wrong)
    if not all(hit.frames for hit in visit.hits):
        return Verdict.broken("A hit was acknowledged as counted, but nothing was in the spool.")
    for hit in (*visit.of("robot"), *visit.of("program")):
        if hit.alone and hit.alone.cells != _expected_other(scene, hit.kind):
            return Verdict.broken(f"A request from a {hit.kind} was not counted correctly.")
    counted, expected = spool_and_tables.added(frames), _expected_cells(visit)
    if visit.quiet:
        wrong_cells = sorted(
            {cell.dim.value for cell in counted.keys() | expected.keys() if counted.get(cell) != expected.get(cell)}
        )
        if wrong_cells:
            return Verdict.broken(f"A test visit was not counted correctly: {', '.join(wrong_cells)}.")
    elif counted.get(ALL, (0,))[0] == 2 * expected[ALL][0] and counted[ALL][1] == expected[ALL][1]:
        return Verdict.broken("Every page view of a test visitor was counted twice.")
    elif lacking := sorted({cell.dim.value for cell, sums in expected.items() if counted.get(cell, (0,))[0] < sums[0]}):
        return Verdict.broken(f"Parts of a test visit were not counted: {', '.join(lacking)}.")
    note = "" if visit.quiet else " Other visitors came at the same moment, so only minimum figures could be checked."
    note += " Page flow could not be checked because no page is known yet." if OTHER in visit.pages[:2] else ""
    return Verdict.kept(f"A test visit of {len(WALK)} hits was counted correctly in {len(expected)} counters.{note}")


def _unfiled(visit: SiteVisit, frames: list[OpenedFrame]) -> Iterator[str]:
    before, after = visit.books[0], visit.books[-1]
    for interval, then, now, hourly in (
        ("day", before.days, after.days, False),
        ("hour", before.hours, after.hours, True),
    ):
        gain = spool_and_tables.gained(then, now)
        expected = spool_and_tables.as_rows(frames, after.names, now, hourly=hourly)
        if gain != expected:
            wrong = sum(1 for key in gain.keys() | expected.keys() if gain.get(key) != expected.get(key))
            yield f"What the public server counted and what was stored by the {interval} differ in {wrong} counters."


def _expected_cells(visit: SiteVisit) -> dict[Cell, tuple[int, int, int, int]]:
    """Return what the visit must add, worked out without the counting code: AGAIN views of the first page, one of the
    second, viewed for a while and left by a link, one of an unknown third."""
    first, second, third = visit.pages
    views = [first] * AGAIN + [second, third]
    about = {
        Dim.SOURCE: OTHER,
        Dim.CHANNEL: "link",
        Dim.CAMPAIGN: OTHER,
        Dim.DEVICE: "desktop",
        Dim.BROWSER: "Chrome",
        Dim.SYSTEM: "Linux",
        Dim.LANGUAGE: OTHER,
        Dim.SCREEN: "large",
    }
    per_visit = (len(views), 1, 0, SECONDS)
    cells = {ALL: per_visit, **{Cell(dim, name): per_visit for dim, name in about.items()}}
    for dimension, by in _VISIT_PAIRS:
        cells[Cell(dimension, about[dimension], by, about[by])] = (len(views), 1, 0, 0)
    for page in dict.fromkeys(views):
        often = views.count(page)
        cells[Cell(Dim.PAGE, page)] = (often, 1, 0, SECONDS if page == second else 0)
        for dim, name in about.items():
            if dim is not Dim.SCREEN:
                cells[Cell(Dim.PAGE, page, dim, name)] = (often, 1, 0, 0)
    cells[Cell(Dim.ENTRY, first)] = (0, 1, 0, 0)
    cells |= {Cell(Dim.ENTRY, first, dim, about[dim]): (0, 1, 0, 0) for dim in (Dim.SOURCE, Dim.CAMPAIGN)}
    cells[Cell(Dim.EXIT, third)] = (0, 1, 0, 0)
    for current, next_page in ((first, second), (second, third)):
        if current != next_page:
            cells[Cell(Dim.STEP, current, Dim.STEP, next_page)] = (1, 0, 0, 0)
    cells[Cell(Dim.OUTBOUND, OTHER)] = (1, 1, 0, 0)
    return cells


def _expected_other(scene: Scene, kind: str) -> dict[Cell, tuple[int, int, int, int]]:
    """Return what is counted of a robot, and of the vendor's program in an unknown version."""
    once = (1, 0, 0, 0)
    if kind == "robot":
        return {Cell(Dim.DROPPED, "bot"): once}
    name = scene.config.audience.products[0]
    return {Cell(Dim.PRODUCT, name): once, Cell(Dim.PRODUCT, f"{name} {OTHER}", Dim.SYSTEM, "linux"): once}


_VISIT_PAIRS = (
    (Dim.SOURCE, Dim.CAMPAIGN),
    (Dim.SOURCE, Dim.DEVICE),
    (Dim.CAMPAIGN, Dim.DEVICE),
    (Dim.SOURCE, Dim.BROWSER),
    (Dim.CAMPAIGN, Dim.BROWSER),
)


@proof("popular.shown")
def figures_match_tables(scene: Scene) -> Verdict:
    """Check that Admin's queries return what the tables contain, while the test visit is in them."""
    visit = test_visitor.current_figures(scene) if scene.light else test_visitor.visited(scene)
    if (fault := _nothing_to_check(scene, visit)) is not None:
        return fault
    for dim, shown_views in visit.shown_views.items():
        stored_views = sum(
            sums[0] for (kind, _, _, by), sums in visit.stored_rows.items() if (kind, by) == (kind_of(dim), 0)
        )
        if shown_views > stored_views or (shown_views < stored_views and not visit.taken_out):
            return Verdict.broken(
                f"Admin shows {shown_views} page views by {dim.value}, but {stored_views} were counted."
            )
    note = " Traffic excluded by the operator is left out." if visit.taken_out else ""
    return Verdict.kept(f"Admin’s figures for today by page, source and device match what was counted.{note}")
