"""Reads log files, compressed or not, of any size: scans them first, then returns their lines in order of time.

A scan finds a file's format, days, hash, and where time jumps back; the parts between jumps, of all files, are merged.
So lines come in order whatever the order of the files, and memory does not grow with them. Stores nothing of a line.
"""

import gzip
import heapq
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from typing import IO, NamedTuple, Protocol, cast

from troth.audience.imports.log_formats import FORMATS, LONGEST_LINE, Format, LoggedRequest, NotALine, detect
from troth.core.errors import TrothError

MOST_RUNS = 500
"""Jumps back in time in all files at most; beyond that they are not in order."""
LATE = 3_600
"""Seconds that a line may be late within a run: servers log a request when it ends."""
_CHUNK = 1 << 20
_SAMPLE = 200
_RATIO, _SURELY_FINE = 200, 256 << 20
"""How much a compressed file may grow, beyond a size that does no harm. Logs grow by 10 to 50."""
_OTHERS = {b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "a ZIP"}

type Tell = Callable[[int, int], None]
"""Reports how many bytes and lines more were read."""


class LogError(TrothError):
    """A file that cannot be read as a log. Never quotes the file."""


class Run(NamedTuple):
    """A part of a file that is in order of time."""

    begins: float
    offset: int
    line: int
    lines: int


@dataclass(slots=True)
class Bad:
    """Invalid lines: how many by reason, and the first line numbers."""

    reasons: Counter[str] = field(default_factory=Counter)
    first: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, why: str) -> None:
        """Add an invalid line."""
        self.reasons[why] += 1
        if len(self.first) < 20:
            self.first.append((line, why))


@dataclass(slots=True)
class ExaminedLog:
    """A file that was scanned."""

    path: Path
    format: Format
    packed: bool
    digest: bytes
    lines: int
    runs: list[Run]
    quarters: Counter[int]
    """Lines by quarter of an hour since 1970, from which days follow in any time zone."""
    bad: Bad


# -- bytes ------------------------------------------------------------------------------------------------------------


def is_packed(path: Path) -> bool:
    """Return whether a file is gzip. Raises `LogError` for other compressions, and for what is not text."""
    try:
        with path.open("rb") as file:
            head = file.read(_CHUNK)
    except OSError:
        raise LogError(f"{path} cannot be read.", mend="Check the path, and that this user may read it.") from None
    for magic, name in _OTHERS.items():
        if head.startswith(magic):
            raise LogError(f"{path} is compressed as {name}.", mend="Decompress it first; only gzip is read directly.")
    if head.startswith(b"\x1f\x8b"):
        return True
    if b"\0" in head:
        raise LogError(f"{path} is not UTF-8 text.", mend="Convert it: iconv -f UTF-16 -t UTF-8.")
    return False


@contextmanager
def opened(path: Path, *, packed: bool) -> Iterator[IO[bytes]]:
    """Open a file's content. Raises `LogError` where it is damaged or decompresses to too much."""
    try:
        with path.open("rb") as file:
            yield cast(IO[bytes], _Unpacked(path, file)) if packed else file
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise LogError(f"{path} is damaged or truncated.", mend="Test it with gzip -t, then copy it again.") from None
    except OSError:
        raise LogError(f"{path} cannot be read.", mend="Check the path, and that this user may read it.") from None


class _Unpacked(gzip.GzipFile):
    """Decompresses with a limit: a small file that grows without end is refused."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._path = path
        self._most = max(_SURELY_FINE, path.stat().st_size * _RATIO)

    def read(self, size: int | None = -1) -> bytes:
        """Read as `GzipFile` does. Raises `LogError`."""
        data = super().read(size)
        if self.tell() > self._most:
            raise LogError(
                f"{self._path} decompresses to far too much data.", mend="Decompress it yourself and check it."
            )
        return data


class Readable(Protocol):
    """What is needed of a file."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


def lines_of(file: Readable, tell: Tell | None = None) -> Iterator[bytes | int]:
    """Return lines without their ends; of one that is too long, only its length. Memory stays bounded."""
    tail, dropped = b"", 0
    while chunk := file.read(_CHUNK):
        parts = (tail + chunk).split(b"\n")
        tail = parts.pop()
        if dropped and parts:
            yield dropped + len(parts.pop(0))
            dropped = 0
        for line in parts:
            yield line if len(line) <= LONGEST_LINE else len(line)
        if tell:
            tell(len(chunk), len(parts))
        if dropped or len(tail) > LONGEST_LINE:
            dropped, tail = dropped + len(tail), b""
    if dropped:
        yield dropped
    elif tail:
        yield tail


# -- scanning ---------------------------------------------------------------------------------------------------------


def look(path: Path, key: bytes, span: tuple[float, float], form: str = "", tell: Tell | None = None) -> ExaminedLog:
    """Scan a file. `key`: of its hash. `span`: first and last moment of valid lines. `form`: a name of `FORMATS`,
    detected if empty. Raises `LogError`."""
    packed = is_packed(path)
    used = FORMATS[form] if form else _format_of(path, packed=packed)
    scan = ExaminedLog(path, used, packed, b"", 0, [], Counter(), Bad())
    digested = digest(key)
    with opened(path, packed=packed) as file:
        _look_at(scan, lines_of(Digesting(file, digested.update), tell), span)
    if not scan.quarters:
        raise LogError(
            f"{path} has no lines that can be counted.",
            mend="Check that it is an access log, and covers days within the retention period.",
        )
    scan.digest = digested.digest()
    return scan


def digest(key: bytes) -> blake2b:
    """Return the hash function for a file: keyed, so that the hash means nothing elsewhere."""
    return blake2b(key=key[:64], digest_size=32, person=b"troth import")


class Digesting:
    """A file whose content is hashed as it is read."""

    def __init__(self, file: Readable, update: Callable[[bytes], None]) -> None:
        self._file, self._update = file, update

    def read(self, size: int, /) -> bytes:
        """Read from the file, and hash what was read."""
        data = self._file.read(size)
        self._update(data)
        return data


def _format_of(path: Path, *, packed: bool) -> Format:
    with opened(path, packed=packed) as file:
        sample = [line for line in islice(lines_of(file), _SAMPLE) if isinstance(line, bytes) and line.strip()]
    used = detect(sample) if sample else None
    if used is None:
        raise LogError(
            f"{path} has an unknown format, or no user agents.",
            mend=f"Name the format with --format {' | '.join(FORMATS)}; see docs/statistics-import.md.",
        )
    return used


def _look_at(scan: ExaminedLog, lines: Iterator[bytes | int], span: tuple[float, float]) -> None:
    """Note each line's quarter of an hour, the invalid lines, and where runs begin."""
    newest, offset, number = 0.0, 0, 0
    begins: tuple[float, int, int] | None = None
    for number, line in enumerate(lines, 1):
        at = _moment(scan, line, number, span)
        if at is not None:
            scan.quarters[int(at) // 900] += 1
            if begins is None or at < newest - LATE:
                _end_run(scan, begins, number)
                begins, newest = (at, offset, number), at
            elif at > newest:
                newest = at
        offset += (line if isinstance(line, int) else len(line)) + 1
    _end_run(scan, begins, number + 1)
    scan.lines = number


def _moment(scan: ExaminedLog, line: bytes | int, number: int, span: tuple[float, float]) -> float | None:
    """Return a line's time; None, noted as invalid unless empty, where it cannot be counted."""
    if isinstance(line, int):
        scan.bad.add(number, f"longer than {LONGEST_LINE >> 10} KiB")
    elif line.strip():
        try:
            at = scan.format.moment(line)
        except NotALine:
            scan.bad.add(number, "not in this format")
            return None
        if at is None or span[0] <= at <= span[1]:
            return at
        scan.bad.add(number, "in the future" if at > span[1] else "older than the retention period")
    return None


def _end_run(scan: ExaminedLog, begins: tuple[float, int, int] | None, number: int) -> None:
    if begins is not None:
        scan.runs.append(Run(*begins, number - begins[2]))
    if len(scan.runs) > MOST_RUNS:
        raise LogError(f"{scan.path} is not in order of time.", mend="Sort it by time, then try again.")


# -- reading in order -------------------------------------------------------------------------------------------------


class LogLine(NamedTuple):
    """A line, in order of time."""

    at: float
    """Never less than that of the previous line; for a late line, when it was logged."""
    file: int
    number: int
    line: bytes
    request: LoggedRequest


def in_order(files: Sequence[ExaminedLog], span: tuple[float, float], tell: Tell | None = None) -> Iterator[LogLine]:
    """Return the requests of all files in order of time, each line once. Notes invalid lines that the scan did not
    find. Raises `LogError`."""
    runs = [(run.begins, file, run) for file, scan in enumerate(files) for run in scan.runs]
    if len(runs) > MOST_RUNS:
        raise LogError("The files are not in order of time.", mend="Sort each by time, then try again.")
    heap: list[tuple[float, int, Iterator[LogLine], LogLine | None]] = [
        (begins, order, _run_lines(files[file], file, run, span, tell), None)
        for order, (begins, file, run) in enumerate(sorted(runs, key=lambda run: run[0]))
    ]
    heapq.heapify(heap)
    twins = _Twins()
    while heap:
        _, order, lines, pending = heapq.heappop(heap)
        next_at = heap[0][0] if heap else float("inf")
        for line in chain(() if pending is None else (pending,), lines):
            if line.at > next_at:
                heapq.heappush(heap, (line.at, order, lines, line))
                break
            if not twins.is_one(line, order, next_at):
                yield line


class _Twins:
    """Finds lines that another run had in the same second: overlapping files, or a copy of one."""

    def __init__(self) -> None:
        self._second = -1
        self._taken: Counter[bytes] = Counter()
        self._brought: Counter[tuple[int, bytes]] = Counter()

    def is_one(self, line: LogLine, order: int, next_at: float) -> bool:
        """Return whether another run brought this line as often as this one."""
        second = int(line.at)
        if second != self._second:
            if next_at >= second + 1:  # nobody else comes in this second
                return False
            self._second = second
            self._taken.clear()
            self._brought.clear()
        self._brought[order, line.line] += 1
        if self._brought[order, line.line] <= self._taken[line.line]:
            return True
        self._taken[line.line] += 1
        return False


def _run_lines(
    scan: ExaminedLog, file: int, run: Run, span: tuple[float, float], tell: Tell | None
) -> Iterator[LogLine]:
    parse, newest, number = scan.format.parse, run.begins, run.line - 1
    with opened(scan.path, packed=scan.packed) as content:
        content.seek(run.offset)
        for line in islice(lines_of(content, tell), run.lines):
            number += 1
            if isinstance(line, int):
                continue
            try:
                request = parse(line)
            except NotALine:
                _note_bad(scan, line, number)
                continue
            if request is not None and span[0] <= request.at <= span[1]:
                newest = max(newest, request.at)
                yield LogLine(newest, file, number, line, request)


def _note_bad(scan: ExaminedLog, line: bytes, number: int) -> None:
    """Note an invalid line, unless the scan did because its time was invalid, too."""
    if line.strip():
        with suppress(NotALine):
            scan.format.moment(line)
            scan.bad.add(number, "not in this format")
