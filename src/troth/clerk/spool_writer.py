"""The spool as its only writer sees it: append, sync, rotate, remove, count what waits. Standard library only."""

import contextlib
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from troth.core import frames as journal
from troth.core.disk import write_all

ROTATE_BYTES = 8 << 20
ROTATE_SECONDS = 10.0
_FULL_RETRY_SECONDS = 1.0


class SpoolFull(Exception):
    """The disk takes no more just now; nothing of the batch was kept."""


class Spool:
    """Segments in `folder`. A segment that an earlier clerk left is never appended to: its tail may be torn."""

    def __init__(self, folder: Path, quotas: dict[int, int]) -> None:
        self._folder, self._quotas = folder, quotas
        self._waiting: dict[int, Counter[int]] = {}
        for sequence in journal.segments(folder):
            self._waiting[sequence] = _sizes((folder / journal.segment_name(sequence)).read_bytes(), sequence)
        # An emptied spool goes on beyond every number it ever had: the worker never looks back.
        self._sequence = max(self._waiting, default=time.time_ns() // 1_000_000)
        self._file: int | None = None
        self._offset = 0
        self._opened = 0.0
        self._full_until = 0.0
        self._directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    def room(self, kind: int) -> int:
        """Return how many bytes still fit this kind's share, overhead included: 0 for a kind without one."""
        return self._quotas.get(kind, 0) - sum(sizes[kind] for sizes in self._waiting.values())

    def append(self, frames: Sequence[tuple[int, bytes]]) -> None:
        """Write these (kind, body) and sync them; on return they survive a loss of power. Raises `SpoolFull`."""
        if time.monotonic() < self._full_until:
            raise SpoolFull
        try:
            self._append(frames)
        except OSError as error:
            self._abandon()
            self._full_until = time.monotonic() + _FULL_RETRY_SECONDS
            raise SpoolFull from error

    def _append(self, frames: Sequence[tuple[int, bytes]]) -> None:
        if self._file is None or self._offset >= ROTATE_BYTES or self._is_unlinked(self._file):
            self._open_next()
        assert self._file is not None
        data, offset, sizes = bytearray(), self._offset, Counter[int]()
        for kind, body in frames:
            written = journal.frame(self._sequence, offset, kind, body)
            data += written
            offset += len(written)
            sizes[kind] += len(written)
        write_all(self._file, data)
        os.fdatasync(self._file)
        self._offset = offset
        self._waiting[self._sequence] += sizes

    @staticmethod
    def _is_unlinked(file: int) -> bool:
        """Whether somebody removed the segment: what is written there would be found by nobody."""
        return os.fstat(file).st_nlink == 0

    def _open_next(self) -> None:
        self._close()
        sequence = self._sequence + 1
        path = self._folder / journal.segment_name(sequence)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self._sequence, self._offset, self._opened = sequence, journal.HEADER_SIZE, time.monotonic()
        self._waiting[sequence] = Counter()
        write_all(self._file, journal.header(sequence))
        os.fsync(self._file)
        os.fsync(self._directory)  # the name must survive, too

    def _abandon(self) -> None:
        """After a failed write or sync nobody knows what the disk has: cut the segment back and never use it again."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._offset)
                os.fsync(self._file)
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def rotate_if_old(self) -> bool:
        """Close a segment that has frames and is older than `ROTATE_SECONDS`, so that it can be removed once read."""
        old = self._file is not None and time.monotonic() - self._opened >= ROTATE_SECONDS
        if not old or self._offset == journal.HEADER_SIZE:
            return False
        self.rotate()
        return True

    def rotate(self) -> None:
        """Begin a new segment where the newest has frames, whoever wrote them: someone in there was erased."""
        if self._waiting.get(self._sequence):
            with contextlib.suppress(OSError):  # a full disk: the next append says so to those who wait
                self._open_next()

    def remove_through(self, sequence: int) -> None:
        """Remove every closed segment up to `sequence`, which the worker has filed. The newest stays whatever it says:
        from its number a clerk that starts again counts on."""
        for segment in [number for number in self._waiting if number <= sequence and number != self._sequence]:
            with contextlib.suppress(FileNotFoundError):
                (self._folder / journal.segment_name(segment)).unlink()
            del self._waiting[segment]

    @property
    def seconds_until_rotation(self) -> float | None:
        """When `rotate_if_old` will have something to do; None while there is nothing to rotate."""
        if self._file is None or self._offset == journal.HEADER_SIZE:
            return None
        return max(0.0, self._opened + ROTATE_SECONDS - time.monotonic())


def _sizes(data: bytes, sequence: int) -> Counter[int]:
    sizes = Counter[int]()
    for item in journal.read(data[journal.HEADER_SIZE :], journal.HEADER_SIZE, sequence, closed=True):
        if isinstance(item, journal.Frame):
            sizes[item.kind] += item.end - item.offset
    return sizes
