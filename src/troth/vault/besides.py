"""The small databases that lie beside the key store: SQLite, durable, and what is deleted is overwritten."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON")


class Besides:
    """One such database. Each thread has a connection of its own, made when it first asks."""

    def __init__(self, path: Path, tables: str, pragmas: Sequence[str]) -> None:
        self.path, self._tables, self._pragmas = path, tables, (*_PRAGMAS, *pragmas)
        self._local = threading.local()

    def __call__(self) -> sqlite3.Connection:
        """This thread's connection. Raises `sqlite3.Error`."""
        made: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if made is None:
            made = sqlite3.connect(self.path, isolation_level=None, timeout=5)
            for pragma in self._pragmas:
                made.execute(f"PRAGMA {pragma}")
            made.executescript(self._tables)
            self._local.connection = made
        return made

    def close(self) -> None:
        """Close this thread's connection."""
        made = getattr(self._local, "connection", None)
        if made is not None:
            made.close()
            self._local.connection = None
