"""How many commits SQLite's write-ahead log holds ("The Write-Ahead Log" in SQLite's file format)."""

import struct
from contextlib import suppress

_HEADER, _FRAME = struct.Struct(">8xI20x"), struct.Struct(">4xI16x")


def commits_kept(database):
    """How many commits its log holds."""
    count = 0
    with suppress(FileNotFoundError), database.with_name(f"{database.name}-wal").open("rb") as file:
        head = file.read(_HEADER.size)
        page = _HEADER.unpack(head)[0] if len(head) == _HEADER.size else 0
        while len(frame := file.read(_FRAME.size)) == _FRAME.size:
            count += bool(_FRAME.unpack(frame)[0])
            file.seek(page, 1)
    return count
