"""What SQLite's write-ahead log still holds, commit by commit. On a quiet site a commit is a visit, so whoever has the
file could tell them apart (V1); `worker.timers.cut_log` cuts it every few seconds. May touch: reads that file.

    header 32 | for each page: number 4, size of the database after a commit 4 (else 0), salts 8, sums 8 | the page

Source: "The Write-Ahead Log" in SQLite's file format. Frames that were written over the end of a log once lie there
until it is cut, and are counted, too.
"""

import struct
from contextlib import suppress
from pathlib import Path

_HEADER, _FRAME = struct.Struct(">8xI20x"), struct.Struct(">4xI16x")


def commits_kept(data: Path) -> int:
    """How many commits the write-ahead logs of the databases in this folder hold."""
    found = 0
    for path in data.glob("*.sqlite3-wal"):
        with suppress(FileNotFoundError), path.open("rb") as file:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size:
                continue
            (page,) = _HEADER.unpack(head)
            while len(frame := file.read(_FRAME.size)) == _FRAME.size:
                found += bool(_FRAME.unpack(frame)[0])
                file.seek(page, 1)
    return found
