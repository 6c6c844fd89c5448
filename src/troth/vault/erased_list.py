"""The list of deleted people, by random id, by which a restored copy deletes them again (WALL 2).

    row 36 = slot 8 | person 16 | checksum 12         appended and synced before a key is destroyed

It is `keys/people/forgotten`, outside the database and its backups. An id without key, record or index identifies
nobody. An incomplete last row was never acted upon. Touches that one file.
"""

import fcntl
import os
import uuid
from collections.abc import Sequence
from pathlib import Path

from troth.core.checked_rows import RowFormat
from troth.core.disk import open_plain, open_shared, write_all

_ROWS = RowFormat(b"troth forgotten", body=24, checksum=12)
ROW = _ROWS.size


class Forgotten:
    """The list of one site. Opened for each use: two processes add to it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "forgotten"

    def note(self, people: Sequence[tuple[int, uuid.UUID]]) -> None:
        """Append (slot, person); synced on return."""
        if not people:
            return
        descriptor = open_shared(self._path, os.O_RDWR | os.O_APPEND)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size // ROW * ROW
            os.ftruncate(descriptor, size)  # a torn row would shift those behind it
            write_all(descriptor, b"".join(_ROWS.pack(slot.to_bytes(8) + person.bytes) for slot, person in people))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def all(self) -> list[tuple[int, uuid.UUID]]:
        """Return every deleted (slot, person), oldest first; skips incomplete and damaged rows."""
        try:
            with os.fdopen(open_plain(self._path, linked=True), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return []
        return [(int.from_bytes(body[:8]), uuid.UUID(bytes=body[8:])) for body in _ROWS.bodies(data)]
