"""Searches for texts in everything stored: files byte by byte, PostgreSQL row by row.

It uses `grep -F`, which finds thousands of texts at once, as fast as the disk reads. The patterns go through a pipe,
never on a command line. Free pages and write-ahead logs are searched like any file; gzipped files, such as old logs,
are unpacked. A file that is not readable is an error: nothing counts as clean because it was closed. May touch: reads
what it is given; starts grep and gzip.
"""

import contextlib
import gzip
import os
import shutil
import subprocess
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path

from django.db import connection

from troth.proofs.instruments.encodings import LEAST

_FILES_AT_ONCE = 200
_ROWS_AT_ONCE = 2000
_LEAST_VARIED = 6
"""Distinct bytes that part of a text must have to stand for the whole."""
_MOST_UNPACKED = 64 << 20


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was searched, and where something was found (places only, never the text)."""

    files: int
    size: int
    places: tuple[str, ...]


def _grep() -> str:
    grep = shutil.which("grep", path="/usr/bin:/bin:/usr/local/bin")
    if grep is None:
        raise FileNotFoundError(2, "grep is not installed")
    return grep


def _patterns(forms: Sequence[bytes]) -> bytes:
    """Return the patterns, one a line. A pattern with a line break, such as a raw digest, is represented by its longest
    part, unless that could occur anywhere: a run of zeros is in every database."""
    pieces = [form if b"\n" not in form else _piece(form) for form in forms]
    return b"".join(piece + b"\n" for piece in pieces if len(piece) >= LEAST)  # an empty line would be in every file


def _piece(form: bytes) -> bytes:
    piece = max(form.split(b"\n"), key=len)
    return piece if len(set(piece)) >= _LEAST_VARIED else b""


def in_files(paths: Iterable[Path], root: Path, forms: Sequence[bytes]) -> SearchResult:
    """Search files. Files that disappear meanwhile are left out; one that is not readable raises `OSError`."""
    count, size, places, patterns = 0, 0, list[str](), _patterns(forms)
    for batch in batched(paths, _FILES_AT_ONCE):
        present = [path for path in batch if path.is_file()]
        count, size = count + len(present), size + sum(_size(path) for path in present)
        places += [named(path, root) for path in _in_files(present, patterns)]
        packed = [path for path in present if path.suffix == ".gz"]
        places += [named(path, root) for path in packed if _contains(_unpacked(path), patterns)]
    return SearchResult(count, size, tuple(places))


def named(path: Path, root: Path) -> str:
    """Return a path for display: relative to the site's folder, or else its name alone."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(_MOST_UNPACKED)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return b""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _in_files(paths: Sequence[Path], patterns: bytes) -> list[Path]:
    if not paths:
        return []
    process = subprocess.run(  # noqa: S603 - grep, with what is sought on its stdin
        [_grep(), "-lZUaFs", "-f", "-", "--", *map(str, paths)],
        input=patterns,
        capture_output=True,
        env={"LC_ALL": "C"},
        check=False,
    )
    if process.returncode > 1:
        remaining = [path for path in paths if path.exists()]
        if len(remaining) < len(paths):  # a file went away under its hands: the others once more
            return _in_files(remaining, patterns)
        closed = next((path for path in remaining if not os.access(path, os.R_OK)), remaining[0])
        raise PermissionError(13, "may not be read", closed.name)
    return [Path(os.fsdecode(name)) for name in process.stdout.split(b"\0") if name]


def files_of(root: Path, *, but: Sequence[Path] = ()) -> Iterator[Path]:
    """Yield every file below `root` that is not in `but`, files or folders. Raises `OSError` if a folder is not
    readable."""
    if not root.is_dir():
        return

    def closed(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise PermissionError(13, "may not be read", Path(str(error.filename)).name)

    for folder, folders, names in os.walk(root, onerror=closed):
        parent = Path(folder)
        folders[:] = sorted(name for name in folders if parent / name not in but)
        for path in (parent / name for name in sorted(names)):
            if path not in but and not path.is_symlink() and path.is_file():
                yield path


def in_journal(unit: str, forms: Sequence[bytes]) -> int:
    """Return 1 if the last day of a systemd unit's journal contains a pattern, else 0. Raises `OSError` if it is not
    readable."""
    return int(_contains(journal(unit), _patterns(forms)))


def journal(unit: str) -> bytes:
    """Return the last day of a systemd unit's journal, from any namespace (LogNamespace=). Raises `OSError` if it is
    not readable."""
    reader = shutil.which("journalctl", path="/usr/bin:/bin:/usr/local/bin")
    if reader is None:
        raise FileNotFoundError(2, "journalctl is not there")
    process = subprocess.run(  # noqa: S603 - systemd's own
        [reader, "--quiet", "--namespace=*", "--unit", unit, "--since", "-25h", "--output=cat", "--all", "--no-pager"],
        capture_output=True,
        env={"LC_ALL": "C"},
        check=False,
    )
    if process.returncode != 0 or not process.stdout:
        raise PermissionError(13, "may not be read", "the journal")
    return process.stdout


def in_postgresql(forms: Sequence[bytes]) -> SearchResult:
    """Search every row of every table, bytes as hex. PostgreSQL's own files belong to its user and are not searched."""
    patterns = _patterns([*forms, *(form.hex().encode() for form in forms)])
    tables, size = connection.introspection.table_names(), 0

    def rows() -> Iterator[bytes]:
        nonlocal size
        for table in tables:
            for text in _rows(table):
                size += len(text)
                yield text

    # All of them at once: what takes its time is to learn thousands of texts. Only where something is in, which table.
    places = (
        [f"table {table}" for table in tables if _any_contains(_rows(table), patterns)]
        if _any_contains(rows(), patterns)
        else []
    )
    return SearchResult(len(tables), size, tuple(places))


def _rows(table: str) -> Iterator[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t")  # noqa: S608 - quoted
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield "\n".join(row for (row,) in rows).encode() + b"\n"


def _contains(text: bytes, patterns: bytes) -> bool:
    return _any_contains([text], patterns)


def _any_contains(texts: Iterable[bytes], patterns: bytes) -> bool:
    """Return whether one of these texts contains a pattern. Texts and patterns go through pipes."""
    grep, writing = _start_grep()
    feeder = threading.Thread(target=_feed, args=(writing, patterns))  # only now that there is somebody who reads
    feeder.start()
    try:
        with contextlib.suppress(BrokenPipeError), grep:  # one that found something does not wait for the rest
            assert grep.stdin is not None
            for text in texts:
                grep.stdin.write(text)
    finally:
        feeder.join()
    if grep.returncode > 1:
        raise OSError("grep could not look")
    return grep.returncode == 0


def _start_grep() -> "tuple[subprocess.Popen[bytes], int]":
    """Start the search; return it and the end of the pipe that takes the patterns. Its errors go to our own stderr: in
    a read-only sandbox, /dev/null cannot be opened for writing."""
    reading, writing = os.pipe()
    try:
        command = [_grep(), "-sqUaF", "-f", f"/dev/fd/{reading}"]
        grep = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[reading], env={"LC_ALL": "C"})  # noqa: S603
    except BaseException:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    return grep, writing


def _feed(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as pipe:
        try:
            pipe.write(data)
        except BrokenPipeError:
            return
