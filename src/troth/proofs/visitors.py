"""Proofs of V1 and V2: visits are sums about nobody, and the sums are right. An invented visitor walks through the
running site; what lies in the spool is opened with the site's own key before it is removed.

May touch: what `visiting` says; every file of the site (reading).
"""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
from django.apps import apps
from django.db import connection

from troth.audience.counting.cells import ALL, Cell, Dim
from troth.audience.counting.commit import Counted, Counts
from troth.audience.counting.page_names import OTHER
from troth.audience.storage.fold import kind_of
from troth.policy import data_map
from troth.policy.promise import Verdict
from troth.proofs.context import Scene
from troth.proofs.instruments import file_scan, spool_and_tables, sqlite_wal, test_visitor
from troth.proofs.instruments.encodings import LEAST, forms
from troth.proofs.instruments.spool_and_tables import Frame
from troth.proofs.instruments.test_visitor import AGAIN, MASKED, SECONDS, WALK, Visited

_BLOCK = 2_048
"""What the size of every frame's content is a multiple of. Written down once more, so that another is seen here."""
_FIELDS = ("day", "hour", "names", "cells", "risen", "minute", "fresh", "proof")
_NOT_COUNTED = Verdict.kept("Nothing is counted: [audience] enabled is false.")
_STORES = re.compile(r"cookie|localStorage|sessionStorage|indexedDB|caches\.", re.IGNORECASE)
_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
_TRACES = ("set-cookie", "etag", "last-modified")
"""Headers by which an answer could be known again."""


def _fault(scene: Scene, told: Visited) -> Verdict | None:
    """Why there is nothing to judge."""
    if not scene.config.audience.enabled:
        return _NOT_COUNTED
    return Verdict.unproven(told.trouble) if told.trouble else None


# -- V1 ---------------------------------------------------------------------------------------------------------------


def lies_nowhere(scene: Scene) -> Verdict:
    """No mark of an invented visitor whose hits were counted is in any file, table, log or backup."""
    told = test_visitor.visited(scene)
    if (fault := _fault(scene, told)) is not None:
        return fault
    sought = [*forms(told.marks), *_forms_of_address(told.address)]
    looked = file_scan.everywhere(scene, sought)
    _, in_log, _ = file_scan.in_the_log(scene, sought)
    named = [name for book in told.books for name in book.names if name == told.language]
    if looked.places or in_log or named:
        where = ", ".join([*looked.places, *in_log, *(["the names that are counted"] if named else [])][:5])
        return Verdict.broken(f"Of an invented visitor who was counted, something was kept, in {where}.")
    size = f"{looked.size >> 10:,} KiB"
    return Verdict.kept(f"{looked.files} files and {size} were searched for {len(sought):,} forms; none was found.")


def _forms_of_address(address: str) -> list[bytes]:
    """The address as text, as bytes and as digits, whole and as far as a visitor has one. Bytes and digits only of an
    address that is so long: the eight digits of a short one stand in some id by chance."""
    packed = ipaddress.ip_address(address).packed
    parts = [part for part in (packed, packed[:8]) if len(part) >= LEAST]
    digits = [text.encode() for part in parts for text in (part.hex(), part.hex().upper())]
    return list(dict.fromkeys([address.encode(), *parts, *digits]))


def spool_holds_sums(scene: Scene) -> Verdict:
    """What fronts hand over is sums: opened, nothing in it is a visitor, and a hit of somebody who was counted raises
    no register."""
    told = test_visitor.visited(scene)
    if (fault := _fault(scene, told)) is not None:
        return fault
    frames = [frame for hit in told.hits for frame in hit.frames]
    if not frames:
        return Verdict.broken("Hits were answered as counted, and nothing of them was in the spool.")
    fault_found = next(_faults_of(scene, told, frames), "")
    if fault_found:
        return Verdict.broken(fault_found)
    again = [hit.alone for hit in told.of("again") if hit.alone]
    if len(again) < AGAIN // 2:
        return Verdict.unproven("Others came in the same moments: what one hit leaves cannot be told.")
    part = "" if _brought(told) else " That a masked address is counted could not be tried: it takes several visitors."
    return Verdict.kept(f"{len(frames)} frames were opened: sums and names that are known, no visitor.{part}")


def _brought(told: Visited) -> bool:
    return any(MASKED in frame.counts.names for hit in told.of("brought") for frame in hit.frames)


def _faults_of(scene: Scene, told: Visited, frames: list[Frame]) -> Iterator[str]:
    more = {field.name for field in msgspec.structs.fields(Counted)} - {"packed"}
    if more or tuple(field.name for field in msgspec.structs.fields(Counts)) != _FIELDS:
        yield "What a front says of visits has a field that nobody declared."
    if told.stray:
        yield f"In the spool, {told.stray[0]}."
    marks = [mark.encode() for mark in told.marks] + _forms_of_address(told.address)
    for frame in frames:
        if len(frame.packed) % _BLOCK:
            yield "The size of a frame tells how much is in it."
        if any(mark in frame.packed for mark in marks) or told.language in frame.counts.names:
            yield "A frame of visits carries what an invented visitor brought."
    programs = {name for one in scene.config.audience.products for name in (one, f"{one} {OTHER}")} | {"linux", "bot"}
    allowed = {"", OTHER, MASKED, *programs, *told.pages, "link", "direct", "desktop", "Chrome", "Linux", "large", "en"}
    for hit in told.hits:
        if hit.alone and (odd := set(hit.alone.counts.names) - allowed):
            yield f"A hit of an invented visitor was counted under {len(odd)} names that it should not be."
    for hit in told.of("again"):
        if hit.alone and hit.alone.counts.risen:
            yield "A hit of somebody who was counted raises a register: it says that they came again."


def rows_are_no_hits(scene: Scene) -> Verdict:
    """Twenty hits of one visitor to one page leave as many rows as one, no line of the log each, and what SQLite notes
    of each commit is cut."""
    told = test_visitor.visited(scene)
    if (fault := _fault(scene, told)) is not None:
        return fault
    _, once, often, _ = told.books
    frames = [frame for hit in told.of("again") for frame in hit.frames]
    grown = {table: often.counts[table] - once.counts.get(table, 0) for table in often.counts}
    by_others = _grown_by_others(told)
    for table, more in sorted(grown.items()):
        if more >= AGAIN - 1 and table not in by_others:
            return Verdict.broken(f"{AGAIN} hits of one visitor left {more} rows more than one hit did, in {table}.")
    theirs = _cells_of_others(told, frames)
    fresh = len(often.days.keys() - once.days.keys())
    if fresh > theirs:
        return Verdict.broken(f"A visitor’s further hits to one page made {fresh} new rows of sums.")
    _, said, more_said, *_ = [*told.lines, 0, 0, 0]
    if told.quiet and more_said - said >= AGAIN // 2 and told.idle_lines < AGAIN // 4:
        return Verdict.broken(f"{AGAIN} hits of one visitor left {more_said - said} lines more in the log.")
    if connection.vendor == "sqlite" and not sqlite_wal.is_cut(scene.site.database):
        return Verdict.broken("SQLite’s own log keeps, one behind the other, what each hit added.")
    rows = sum(often.counts[table] for table in often.counts if table.startswith("audience_"))
    rest = f" Not told apart from what others do: {', '.join(sorted(by_others))}." if by_others else ""
    return Verdict.kept(f"{AGAIN} hits of one visitor left as many rows as one did; there are {rows:,} of sums.{rest}")


def _grown_by_others(told: Visited) -> set[str]:
    """Tables that grew as fast, or nearly, while the invented visitor did nothing."""
    if told.idle is None:
        return set()
    before, after = told.idle
    return {table for table in after.counts if after.counts[table] - before.counts.get(table, 0) >= AGAIN // 2}


def _cells_of_others(told: Visited, frames: list[Frame]) -> int:
    """Cells in frames that others' hits may be in."""
    ours = {id(hit.alone) for hit in told.of("again") if hit.alone}
    return len({cell for frame in frames if id(frame) not in ours for cell in frame.cells})


def tables_have_no_place(scene: Scene) -> Verdict:
    """The database itself, not the program's idea of it: its tables of statistics have the declared columns alone, and
    there is no table that nobody declared."""
    with connection.cursor() as cursor:
        there = connection.introspection.table_names(cursor)
        known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} | {"django_migrations"}
        if strange := sorted(set(there) - known):
            return Verdict.broken(f"There is a table that nobody declared: {', '.join(strange[:3])}.")
        columns = 0
        for table in sorted(one for one in there if one.startswith("audience_")):
            found = {one.name for one in connection.introspection.get_table_description(cursor, table)}
            if more := sorted(found - data_map.STATISTICS.get(table, frozenset())):
                return Verdict.broken(f"{table} has a column that nobody declared: {', '.join(more[:3])}.")
            columns += len(found)
    return Verdict.kept(f"{columns} columns of statistics, each of them declared; none is a visitor, a visit or a hit.")


def files_are_declared(scene: Scene) -> Verdict:
    """Every file in the site's folder lies where one is declared: no key of a day, no map of visits."""
    count, strange = 0, list[str]()
    for path in file_scan.files(scene):
        name = str(path.relative_to(scene.site.root)) if path.is_relative_to(scene.site.root) else ""
        count += 1
        if name and not _is_declared(scene, name):
            strange.append(name)
    if strange:
        return Verdict.broken(f"{len(strange)} files lie where none is declared: {strange[0]}.")
    return Verdict.kept(f"{count} files, each where one is declared; no key of a day, no map of visits is among them.")


_FILES = re.compile(
    r"""
    (?: [^/]+\.(?:toml|md|mmdb)         # the operator's own
    | troth\.log(?:[.-][^/]+)? | restoring | \.restore-[^/]+/.* | \.keys-before/.* | before-[^/]+/.*
    | keys/(?: site-id | recovery\.pub | \.recovery\.new | mail-password | database-password
        | seal/(?:\d+\.key|\.\d+\.new) | sign/\d+\.key | dkim/[^/]+\.pem | office/secret\.key
        | sent/[^/]+
        | people/(?: forgotten | slots | proving | proving-late | ledger-heads
            | index-(?:administration|identification)\.key | (?:index|marks)\.sqlite3(?:-wal|-shm|-journal)? ) )
    | data/(?: beat | \.?house\.json(?:\.new)? | prove-asked | policy-copy\.md | version | \.?clock\.json(?:\.new)?
        | policy-seen | \.policy-seen\.new
        | (?:prove|worker|backup)\.lock | wire-[a-z]+ | backups\.json | \.backups\.new
        | (?:troth|replaced-[^/]+|\.backup-\d+)\.sqlite3(?:-wal|-shm|-journal)?
        | aside/[0-9a-f]{16}-[0-9a-f]{8}\.sealed | answers?/.* | imports?/.* )
    | spool/(?: [0-9a-f]{16}\.seg | spent )
    | public/(?: \.?gen-\d{12}[^/]*/[^/]+ | answers/.* )
    | (?:asks|offers)/.*
    )
    """,
    re.VERBOSE,
)


def _is_declared(scene: Scene, name: str) -> bool:
    if _FILES.fullmatch(name):
        return True
    told = scene.config.backup.folder, scene.config.audience.country_database
    own = [Path(one) for one in told if one]
    path = scene.site.root / name
    return any(path == one or path.is_relative_to(one) for one in own)


def log_names_no_visit(scene: Scene) -> Verdict:
    """Fronts say only what they can say in closed words; nobody writes down what could be a visitor's digest."""
    fronts, lines = 0, file_scan.lines_of_log(scene)
    for line in lines:
        fronts += line.startswith("front=")
        if line.startswith("front=") and not _FRONT_SAYS.fullmatch(line):
            return Verdict.broken("A front wrote something into the log that it has no words for.")
        if _DIGEST.search(line):
            return Verdict.broken("In the log stands something that could be who a visitor is.")
    return Verdict.kept(f"{len(lines):,} lines of the log, {fronts:,} of them by fronts: none is about a visit.")


_FRONT_SAYS = re.compile(r"front=\d+ event=[a-z_]+(?: [a-z_]+=(?:\d+|[A-Za-z_][\w.]*|[\w./-]+:\d+))*")
_DIGEST = re.compile(r"(?<![0-9a-fA-F-])[0-9a-fA-F]{32}(?![0-9a-fA-F])|(?:\\x[0-9a-f]{2}.{0,3}){4}")
"""Sixteen bytes, as digits or as Python writes bytes."""


def who_asks_is_not_counted(scene: Scene) -> Verdict:
    """By Global Privacy Control, or by the choice that was made here: one more in "asked", and nothing else."""
    told = test_visitor.visited(scene)
    if (fault := _fault(scene, told)) is not None:
        return fault
    if not told.chosen:
        return Verdict.broken(
            "A browser does not send the choice made at /privacy/choices along from each page that is counted: "
            "whoever chose not to be counted is. `troth doctor` says what to do."
        )
    alone = 0
    for hit in (*told.of("signal"), *told.of("choice")):
        how = "Global Privacy Control" if hit.what == "signal" else "the choice that was made here"
        if hit.alone is None:
            continue
        alone += 1
        if hit.alone.cells != {Cell(Dim.ASKED, ""): (1, 0, 0, 0)} or hit.alone.counts.risen:
            return Verdict.broken(f"Who asked by {how} not to be counted was counted.")
    if alone < 2:
        return Verdict.unproven("Others came in the same moment: what one hit leaves cannot be told.")
    return Verdict.kept("Who asked not to be counted, in either way, is one more of those who asked, and nothing else.")


def nothing_is_stored_with_you(scene: Scene) -> Verdict:
    """The script and the answers to hits set no cookie and leave nothing by which a browser is known again."""
    if not scene.config.audience.enabled:
        return _NOT_COUNTED
    script = scene.front.get("/t.js")
    if script.status != 200:
        return Verdict.unproven(f"The script that counts answered {script.status}.")
    if found := _STORES.search(_COMMENT.sub("", script.text)):
        return Verdict.broken(f"The script that counts names {found[0]}.")
    if "set-cookie" in script.headers:
        return Verdict.broken("The script that counts comes with a cookie.")
    # One that is no hit: nothing is counted by it, every hour.
    told = scene.seen.get("visited")
    answers = [scene.front.hit(b"k=", {}), *([hit.answer for hit in told.hits] if isinstance(told, Visited) else [])]
    for answer in answers:
        if name := next((one for one in _TRACES if one in answer.headers), ""):
            return Verdict.broken(f"An answer to a hit carries {name}.")
    return Verdict.kept("The script names no cookie and no storage; no answer to a hit leaves anything with a browser.")


# -- V2 ---------------------------------------------------------------------------------------------------------------


def walk_is_counted(scene: Scene) -> Verdict:
    """A walk is counted right in every cell; and the tables gained what the frames said, and nothing else."""
    told = test_visitor.visited(scene)
    if (fault := _fault(scene, told)) is not None:
        return fault
    frames = [frame for hit in told.hits if hit.what in WALK for frame in hit.frames]
    if wrong := next(_not_filed(told, frames), ""):
        return Verdict.broken(wrong)
    if not all(hit.frames for hit in told.hits):
        return Verdict.broken("A hit was answered as counted, and nothing of it was in the spool.")
    for hit in (*told.of("robot"), *told.of("program")):
        if hit.alone and hit.alone.cells != _wanted_beside(scene, hit.what):
            return Verdict.broken(f"What a {hit.what} asked for was not counted right.")
    found, wanted = spool_and_tables.added(frames), _wanted(told)
    if told.quiet:
        wrong_cells = sorted(
            {cell.dim.value for cell in found.keys() | wanted.keys() if found.get(cell) != wanted.get(cell)}
        )
        if wrong_cells:
            return Verdict.broken(f"An invented visitor’s walk was not counted right: {', '.join(wrong_cells)}.")
    elif found.get(ALL, (0,))[0] == 2 * wanted[ALL][0] and found[ALL][1] == wanted[ALL][1]:
        return Verdict.broken("Every view of an invented visitor was counted twice.")
    elif lacking := sorted({cell.dim.value for cell, sums in wanted.items() if found.get(cell, (0,))[0] < sums[0]}):
        return Verdict.broken(f"Of an invented visitor’s walk less was counted than there was: {', '.join(lacking)}.")
    rest = "" if told.quiet else " Others came in the same moments: of their sums these could not be told apart."
    rest += " Steps could not be tried: no page is known yet." if OTHER in told.pages[:2] else ""
    return Verdict.kept(f"A walk of {len(WALK)} steps was counted right in {len(wanted)} cells.{rest}")


def _not_filed(told: Visited, frames: list[Frame]) -> Iterator[str]:
    before, after = told.books[0], told.books[-1]
    for what, then, now, hourly in (("day", before.days, after.days, False), ("hour", before.hours, after.hours, True)):
        gain = spool_and_tables.gained(then, now)
        wanted = spool_and_tables.as_rows(frames, after.names, now, hourly=hourly)
        if gain != wanted:
            wrong = sum(1 for key in gain.keys() | wanted.keys() if gain.get(key) != wanted.get(key))
            yield f"What fronts counted and what was filed by the {what} differ, in {wrong} cells."


def _wanted(told: Visited) -> dict[Cell, tuple[int, int, int, int]]:
    """What the walk must add, put together without the program that counts: AGAIN views of the first page, one of the
    second, which is looked at for a while and left by a link, one of a third that nobody knows."""
    first, second, third = told.pages
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
    each = (len(views), 1, 0, SECONDS)
    found = {ALL: each, **{Cell(dim, name): each for dim, name in about.items()}}
    for one, by in _VISIT_PAIRS:
        found[Cell(one, about[one], by, about[by])] = (len(views), 1, 0, 0)
    for page in dict.fromkeys(views):
        often = views.count(page)
        found[Cell(Dim.PAGE, page)] = (often, 1, 0, SECONDS if page == second else 0)
        for dim, name in about.items():
            if dim is not Dim.SCREEN:
                found[Cell(Dim.PAGE, page, dim, name)] = (often, 1, 0, 0)
    found[Cell(Dim.ENTRY, first)] = (0, 1, 0, 0)
    found |= {Cell(Dim.ENTRY, first, dim, about[dim]): (0, 1, 0, 0) for dim in (Dim.SOURCE, Dim.CAMPAIGN)}
    found[Cell(Dim.EXIT, third)] = (0, 1, 0, 0)
    for here, there in ((first, second), (second, third)):
        if here != there:
            found[Cell(Dim.STEP, here, Dim.STEP, there)] = (1, 0, 0, 0)
    found[Cell(Dim.OUTBOUND, OTHER)] = (1, 1, 0, 0)
    return found


def _wanted_beside(scene: Scene, what: str) -> dict[Cell, tuple[int, int, int, int]]:
    """What is counted of a robot, and of the vendor's program in a version that nobody else has."""
    once = (1, 0, 0, 0)
    if what == "robot":
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


def walk_was_shown(scene: Scene) -> Verdict:
    """The questions that the office asks find what lies in the tables, while the walk is in them."""
    told = test_visitor.stood(scene) if scene.light else test_visitor.visited(scene)
    if (fault := _fault(scene, told)) is not None:
        return fault
    for dim, shown in told.shown.items():
        there = sum(sums[0] for (kind, _, _, by), sums in told.there.items() if (kind, by) == (kind_of(dim), 0))
        if shown > there or (shown < there and not told.taken_out):
            return Verdict.broken(f"The office shows {shown} views by {dim.value}, and {there} were counted.")
    rest = " Some of it you took out yourself." if told.taken_out else ""
    return Verdict.kept(f"What the office shows of today by page, source and device is what was counted.{rest}")
