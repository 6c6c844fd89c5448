"""SQLite's write-ahead log, cut: until it is, what was deleted can be read in it (secure_delete cleans the pages only).

A checkpoint that somebody's reading keeps from finishing raises nothing: it says so in the row that it returns
(sqlite.org, "PRAGMA wal_checkpoint"). A program that copies the database as it changes reads all the time. May touch:
the databases; `data/log-uncut`, which the worker writes while a log stays longer than it should.

    log-uncut    {"since": ms since 1970, "files": ["keys/people/index.sqlite3", ...]}
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

NOTE = "log-uncut"
PATIENCE_MS = 1_000
"""How long whoever reads is waited for, right after somebody was erased."""
TRUNCATE = "PRAGMA wal_checkpoint(TRUNCATE)"


@dataclass(frozen=True, slots=True)
class Uncut:
    """Logs that could not be cut, since when."""

    since: datetime
    files: tuple[str, ...]


def was_cut(row: Sequence[int] | None) -> bool:
    """Whether the row that `TRUNCATE` returned says so: `busy`, pages in the log, pages moved."""
    return row is not None and not row[0]


def cut(connection: sqlite3.Connection, patience_ms: int) -> bool:
    """Cut the log of this database; whoever reads is waited for so long. False where it was not cut."""
    (before,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout={patience_ms:d}")
    try:
        return was_cut(connection.execute(TRUNCATE).fetchone())
    except sqlite3.OperationalError:  # somebody writes, or the disk is full
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout={before:d}")


def log_of(database: Path) -> Path:
    """Where SQLite keeps it."""
    return database.with_name(f"{database.name}-wal")


def holds_any(database: Path) -> bool:
    """Whether there is anything in its log."""
    with suppress(FileNotFoundError):
        return log_of(database).stat().st_size > 0
    return False


def note(data: Path, uncut: Uncut | None) -> None:
    """Write down what is uncut, for doctor, status and the office; nothing, where all is cut."""
    path = data / NOTE
    if uncut is None:
        path.unlink(missing_ok=True)
        return
    fresh = path.with_name(f".{NOTE}.new")
    fresh.write_text(json.dumps({"since": int(uncut.since.timestamp() * 1000), "files": uncut.files}))
    fresh.replace(path)


def noted(data: Path) -> Uncut | None:
    """What the worker wrote down last; None where all is cut, or nothing can be read."""
    try:
        record = json.loads((data / NOTE).read_text())
        return Uncut(datetime.fromtimestamp(record["since"] / 1000, UTC), tuple(map(str, record["files"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None
