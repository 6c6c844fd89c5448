"""Frames on disk: how the clerk writes what was acknowledged and how the worker reads it back.

A segment is a file `<sequence, 16 hex digits>.seg`: a 16-byte header, then frames. A frame is

    marker 4 | kind 1 | length 3, big-endian | checksum 8 | body

with the checksum (BLAKE2b) over sequence, offset, kind, length and body: a frame that was copied elsewhere does not
verify. `read` tells a *tail* that is not whole yet (or torn by a crash; never acknowledged) from a *damaged* stretch,
which has a good frame or the end of a closed segment behind it. Reading resumes at the next frame that verifies.
Standard library only.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

SEGMENT_MAGIC = b"TROTHSG1"
HEADER_SIZE = 16
MARKER = b"\xf1TF\x01"
FRAME_OVERHEAD = 16
MAX_BODY = 60_000
"""Largest body of one frame, bytes: it must fit one packet between front and clerk."""
_NAME = re.compile(r"[0-9a-f]{16}\.seg")


@dataclass(frozen=True, slots=True)
class Frame:
    """One good frame: `offset` is where it begins in its segment, `end` where the next one does."""

    offset: int
    end: int
    kind: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """`end - offset` bytes at `offset` that no frame accounts for."""

    offset: int
    end: int


def segment_name(sequence: int) -> str:
    """Return the file name of segment `sequence` (0 or more)."""
    return f"{sequence:016x}.seg"


def segments(folder: Path) -> list[int]:
    """Return the sequences of all segments in `folder`, ascending. Other files are ignored."""
    return sorted(int(name[:16], 16) for name in os.listdir(folder) if _NAME.fullmatch(name))  # noqa: PTH208 - polled: no Path for each name


def header(sequence: int) -> bytes:
    """Return the first 16 bytes of segment `sequence`."""
    return SEGMENT_MAGIC + sequence.to_bytes(8)


def _checksum(sequence: int, offset: int, head: bytes, body: bytes) -> bytes:
    sum_ = blake2b(sequence.to_bytes(8) + offset.to_bytes(8) + head, digest_size=8)
    sum_.update(body)
    return sum_.digest()


def frame(sequence: int, offset: int, kind: int, body: bytes) -> bytes:
    """Return the bytes of a frame that will stand at `offset` of segment `sequence`. `ValueError` beyond the limits."""
    if not 0 < kind < 256 or len(body) > MAX_BODY:
        raise ValueError("a frame has a kind of 1 to 255 and a body of at most MAX_BODY bytes")
    head = bytes([kind]) + len(body).to_bytes(3)
    return MARKER + head + _checksum(sequence, offset, head, body) + body


def _frame_at(data: bytes, position: int, offset: int, sequence: int) -> Frame | None:
    """The good frame at `position` of `data`, which stands at `offset` of the segment; None if there is none."""
    head = data[position + 4 : position + 8]
    end = position + FRAME_OVERHEAD + int.from_bytes(head[1:])
    if data[position : position + 4] != MARKER or len(head) < 4 or end > len(data) or end - position > MAX_BODY + 16:
        return None
    body = data[position + FRAME_OVERHEAD : end]
    if data[position + 8 : position + FRAME_OVERHEAD] != _checksum(sequence, offset, head, body):
        return None
    return Frame(offset, offset + end - position, head[0], body)


def read(data: bytes, offset: int, sequence: int, *, closed: bool) -> Iterator[Frame | Damage]:
    """Yield frames in `data`, which stands at `offset` of segment `sequence`.

    `closed` says that the segment will not grow. While it may, an unreadable tail yields nothing: it is a frame being
    written, or one that a crash tore. In a closed segment it is yielded as `Damage`, for the caller to report.
    """
    position = 0
    while position < len(data):
        frame = _frame_at(data, position, offset + position, sequence)
        if frame:
            yield frame
            position = frame.end - offset
            continue
        resume = _next_good(data, position + 1, offset, sequence)
        if resume is None:
            if closed:
                yield Damage(offset + position, offset + len(data))
            return
        yield Damage(offset + position, offset + resume)
        position = resume


def _next_good(data: bytes, position: int, offset: int, sequence: int) -> int | None:
    while (position := data.find(MARKER, position)) >= 0:
        if _frame_at(data, position, offset + position, sequence):
            return position
        position += 1
    return None
