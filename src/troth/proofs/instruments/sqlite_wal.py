"""SQLite's write-ahead log: it holds one commit after the other until it is cut. On a quiet site a commit is one
visitor's hit, readable without any key (V1; `worker.timers.cut_log`). May touch: that file (reading), its database.

    header 32: salts at 16

Source: "The Write-Ahead Log" in SQLite's file format. Frames of an older log that was overwritten stay behind the new
end until the file is cut.
"""

import struct
import time
from contextlib import suppress
from pathlib import Path

from django.db import connection

CUT_SECONDS = 20.0
"""How long the worker may take to cut the log; it does so every five seconds."""
_WHOLE = 1_000 * 4_096
"""The size at which SQLite itself starts overwriting the log, which leaves old frames behind its end."""
_HEADER = struct.Struct(">16x8s8x")


def is_cut(database: Path) -> bool:
    """Return whether what the log holds now is gone in time. True also while a reader prevents the cut."""
    size, salts = _state(database)
    until = time.monotonic() + CUT_SECONDS
    while size and (now := _state(database))[0] >= size and (now[1] == salts or now[0] >= _WHOLE):
        if time.monotonic() > until:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
                _, total, checkpointed = cursor.fetchone()
            return bool(checkpointed < total)
        time.sleep(0.1)
    return True


def _state(database: Path) -> tuple[int, bytes]:
    """Return the log's size and its salts, which change when it is overwritten."""
    with suppress(FileNotFoundError), _log(database).open("rb") as file:
        head = file.read(_HEADER.size)
        return file.seek(0, 2), _HEADER.unpack(head)[0] if len(head) == _HEADER.size else b""
    return 0, b""


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")
