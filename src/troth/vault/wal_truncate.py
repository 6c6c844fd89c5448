"""Truncates SQLite's write-ahead log, where deleted data can be read until then (secure_delete only cleans pages).

A checkpoint that a reader blocks raises no error: the row that it returns says so (sqlite.org/pragma.html,
"wal_checkpoint"). A program that copies the database continuously always reads. May touch: the databases;
`data/log-uncut`, which the worker writes while a log is longer than it should be.

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
    """Whether the row that `TRUNCATE` returned says so: `busy`, pages in the log, pages written."""
    return row is not None and not row[0]


def cut(connection: sqlite3.Connection, patience_ms: int) -> bool:
    """Truncate this database's log, after waiting for readers for this long. False if it was not truncated."""
    (before,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout={patience_ms:d}")
    try:
        return was_cut(connection.execute(TRUNCATE).fetchone())
    except sqlite3.OperationalError:  # somebody writes, or the disk is full
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout={before:d}")


def log_of(database: Path) -> Path:
    """Return the path of the log."""
    return database.with_name(f"{database.name}-wal")


def holds_any(database: Path) -> bool:
    """Whether its log has anything."""
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
    """Return what the worker noted last; None if all logs are truncated, or it cannot be read."""
    try:
        record = json.loads((data / NOTE).read_text())
        return Uncut(datetime.fromtimestamp(record["since"] / 1000, UTC), tuple(map(str, record["files"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None
