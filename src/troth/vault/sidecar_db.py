"""The SQLite files beside the key store: durable, with deleted data overwritten."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from troth.vault import wal_truncate

_PRAGMAS = ("synchronous=FULL", "secure_delete=ON")
_PATIENCE = 5.0
"""Seconds to wait for whoever else reads or writes."""
_AGAIN = 0.02
"""Seconds between two tries where SQLite itself does not wait."""


class Besides:
    """One such database. Each thread has a connection of its own, made when it first asks."""

    def __init__(self, path: Path, tables: str, pragmas: Sequence[str]) -> None:
        self.path, self._tables, self._pragmas = path, tables, (*_PRAGMAS, *pragmas)
        self._local = threading.local()

    def __call__(self) -> sqlite3.Connection:
        """Return this thread's connection. Raises `sqlite3.Error`."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        return connection

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=_PATIENCE)
        try:
            _keep_a_log(connection)
            for pragma in self._pragmas:
                connection.execute(f"PRAGMA {pragma}")
            connection.executescript(self._tables)
        except BaseException:
            connection.close()  # a full disk, or a lock: the next who asks begins anew
            raise
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run an exclusive transaction, synced at the end. Raises `sqlite3.Error`."""
        connection = self()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself where the disk is full, and has not where somebody reads: either way the
            # connection begins the next transaction, and what went wrong is what the caller hears.
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    def cut(self, patience_ms: int) -> bool:
        """Truncate the write-ahead log, which still has deleted data. False while somebody reads it."""
        return not wal_truncate.holds_any(self.path) or wal_truncate.cut(self(), patience_ms)

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Switch a new file to write-ahead logging.

    That needs exclusive access for a moment. If several processes open a new file at once, SQLite may refuse one
    immediately, whatever the timeout: seen once in 400 runs of four processes (SQLite 3.40).
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_AGAIN)
