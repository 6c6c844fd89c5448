"""Looking for texts in everything that lies about: files byte by byte, PostgreSQL row by row.

The search is that of `grep -F`, which looks for thousands of texts at once, as fast as the disk reads. What is sought
goes to it by a pipe, never on a command line. Free pages and write-ahead logs are files as others. May touch: reads
what it is given, changes nothing; starts grep.
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path

from django.db import connection

_FILES_AT_ONCE = 200
_ROWS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked through, and where something was found (places only, never the text)."""

    files: int
    size: int
    places: tuple[str, ...]


def _grep() -> str:
    found = shutil.which("grep", path="/usr/bin:/bin:/usr/local/bin")
    if found is None:
        raise FileNotFoundError(2, "grep is not installed")
    return found


def _sought(forms: Sequence[bytes]) -> bytes:
    """One text a line. One that has a line's end in it (a raw digest may) is sought by its longest piece."""
    pieces = (max(form.split(b"\n"), key=len) for form in forms)
    return b"\n".join(piece for piece in pieces if len(piece) >= 6) + b"\n"


def in_files(paths: Iterable[Path], root: Path, forms: Sequence[bytes]) -> Looked:
    """Look through files. What goes away meanwhile is left out; what may not be read is an `OSError`."""
    count, size, places, sought = 0, 0, list[str](), _sought(forms)
    for some in batched(paths, _FILES_AT_ONCE):
        there = [path for path in some if path.is_file()]
        count, size = count + len(there), size + sum(_size(path) for path in there)
        places += [str(path.relative_to(root)) for path in _in_files(there, sought)]
    return Looked(count, size, tuple(places))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _in_files(paths: Sequence[Path], sought: bytes) -> list[Path]:
    if not paths:
        return []
    done = subprocess.run(  # noqa: S603 - grep, with what is sought on its stdin
        [_grep(), "-lZUaFs", "-f", "-", "--", *map(str, paths)],
        input=sought,
        capture_output=True,
        env={"LC_ALL": "C"},
        check=False,
    )
    if done.returncode > 1:
        left = [path for path in paths if path.exists()]
        if len(left) < len(paths):  # a file went away under its hands: the others once more
            return _in_files(left, sought)
        closed = next((path for path in left if not os.access(path, os.R_OK)), left[0])
        raise PermissionError(13, "may not be read", closed.name)
    return [Path(os.fsdecode(name)) for name in done.stdout.split(b"\0") if name]


def files_of(root: Path, *, but: Sequence[Path]) -> Iterator[Path]:
    """Every file below `root` that is not in one of the folders `but`, nor one of these files."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and not any(path == out or out in path.parents for out in but):
            yield path


def in_postgresql(forms: Sequence[bytes]) -> Looked:
    """Look through every row of every table, bytes as hexadecimal digits. PostgreSQL's own files belong to its user and
    are not looked at from here."""
    sought = _sought([*forms, *(form.hex().encode() for form in forms)])
    size, places = 0, list[str]()
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t")  # noqa: S608 - quoted
            found = False
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                text = "\n".join(row for (row,) in rows).encode()
                size += len(text)
                found = found or _in_text(text, sought)
            if found:
                places.append(f"table {table}")
    return Looked(len(tables), size, tuple(places))


def _in_text(text: bytes, sought: bytes) -> bool:
    """Whether something sought is in `text`; both go by pipes."""
    reading, writing = os.pipe()
    feeder = threading.Thread(target=_feed, args=(writing, sought))
    feeder.start()
    try:
        done = subprocess.run(  # noqa: S603 - grep, with what is sought on a pipe
            [_grep(), "-qUaF", "-f", f"/dev/fd/{reading}"],
            input=text,
            capture_output=True,
            pass_fds=[reading],
            env={"LC_ALL": "C"},
            check=False,
        )
    finally:
        os.close(reading)
        feeder.join()
    if done.returncode > 1:
        raise OSError("grep could not look")
    return done.returncode == 0


def _feed(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as pipe:
        try:
            pipe.write(data)
        except BrokenPipeError:
            return
