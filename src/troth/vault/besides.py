"""The small databases that lie beside the key store: SQLite, durable, and what is deleted is overwritten."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from troth.vault import logcut

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

    def cut(self, patience_ms: int) -> bool:
        """Cut the log, so that what was deleted is gone from there, too. False where somebody still reads it."""
        return not logcut.holds_any(self.path) or logcut.cut(self(), patience_ms)

    def close(self) -> None:
        """Close this thread's connection."""
        made = getattr(self._local, "connection", None)
        if made is not None:
            made.close()
            self._local.connection = None
