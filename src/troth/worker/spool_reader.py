"""Reading the spool from a place in it: the next batch of frames, and where it ends. The clerk appends and removes at
the same time."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from troth.core import frames
from troth.core.disk import open_plain

_READ = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class SpoolPosition:
    """A place in the spool: everything before it is filed."""

    segment: int
    offset: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames and damage between two places, all of one segment. `start == end`: there is nothing new."""

    start: SpoolPosition
    end: SpoolPosition
    items: tuple[frames.Frame | frames.Damage, ...]
    data: bytes
    """The bytes of the segment from `base` on, for what must be set aside as it lies there."""
    base: int

    def raw(self, item: frames.Frame | frames.Damage) -> bytes:
        """Return the bytes of an item, as they lie in the segment."""
        return self.data[item.offset - self.base : item.end - self.base]


def next_batch(folder: Path, start: SpoolPosition, limit: int) -> Batch:
    """Read up to `limit` items after `start`; go on to the next segment at the end of one."""
    sequences = frames.segments(folder)  # listed first: what has a successor in this list will not grow
    after = [sequence for sequence in sequences if sequence > start.segment]
    try:
        base, data, complete = _load(folder, start)
    except FileNotFoundError:  # removed, as we said it may be; or the very first look
        # The clerk never removes the newest: where all are older, the spool was emptied, and the clock had been ahead.
        oldest = after or sequences
        return Batch(start, SpoolPosition(oldest[0], 0) if oldest else start, (), b"", 0)
    head, first = _head(data, base, start.segment, closed=bool(after))
    if first is None:
        return Batch(start, start, (), b"", 0)
    following = list(
        islice(_items(data, first, base, start.segment, closed=bool(after) and complete), limit - len(head))
    )
    if not following and not complete:  # a damaged stretch longer than one read
        base, data, complete = _load(folder, start, everything=True)
        following = list(islice(_items(data, first, base, start.segment, closed=bool(after)), limit - len(head)))
    items = (*head, *following)
    end = items[-1].end if items else max(start.offset, first)
    read_out = end >= base + len(data)
    place = SpoolPosition(after[0], 0) if complete and read_out and after else SpoolPosition(start.segment, end)
    return Batch(start, place, items, data, base)


def _load(folder: Path, start: SpoolPosition, *, everything: bool = False) -> tuple[int, bytes, bool]:
    with os.fdopen(open_plain(folder / frames.segment_name(start.segment)), "rb") as file:
        file.seek(start.offset)
        data = file.read() if everything else file.read(_READ)
        return start.offset, data, everything or len(data) < _READ


def _head(data: bytes, base: int, sequence: int, *, closed: bool) -> tuple[list[frames.Damage], int | None]:
    """Damage of the header, if there is any, and where frames begin; None while the header is being written."""
    if base >= frames.HEADER_SIZE:
        return [], base
    if data[: frames.HEADER_SIZE] == frames.header(sequence):
        return [], frames.HEADER_SIZE
    if len(data) < frames.HEADER_SIZE:
        return ([frames.Damage(0, len(data))] if closed and data else []), (len(data) if closed else None)
    return [frames.Damage(0, frames.HEADER_SIZE)], frames.HEADER_SIZE  # frames carry their own checksums


def _items(data: bytes, first: int, base: int, sequence: int, *, closed: bool):  # type: ignore[no-untyped-def]
    return frames.read(data[first - base :], first, sequence, closed=closed)


def waiting(folder: Path, place: SpoolPosition) -> tuple[int, datetime | None]:
    """Return the bytes behind `place`, and when the oldest segment that has some was last written to."""
    size, oldest = 0, None
    for sequence in frames.segments(folder):
        if sequence < place.segment:
            continue
        try:
            status = (folder / frames.segment_name(sequence)).stat()
        except FileNotFoundError:
            continue
        read = place.offset if sequence == place.segment else 0
        unread = status.st_size - max(read, frames.HEADER_SIZE)
        if unread > 0:
            size += unread
            oldest = oldest or datetime.fromtimestamp(status.st_mtime, UTC)
    return size, oldest
