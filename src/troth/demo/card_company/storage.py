"""The state, in one SQLite file: objects with what the stand-in knows of them beside, keys, faults, what is due.

Each call writes in one transaction, so that a process that is killed loses nothing and does nothing by halves.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, created INTEGER NOT NULL,
  body TEXT NOT NULL, private TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS objects_of_kind ON objects (kind, number);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, permissions TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
  key TEXT PRIMARY KEY, fingerprint BLOB NOT NULL, path TEXT NOT NULL, created INTEGER NOT NULL, status INTEGER,
  body TEXT)
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
  number INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, endpoint TEXT NOT NULL, due INTEGER NOT NULL,
  state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, status INTEGER, fault TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due);
CREATE INDEX IF NOT EXISTS deliveries_of_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS timers (
  number INTEGER PRIMARY KEY AUTOINCREMENT, due INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS faults (
  number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, times INTEGER NOT NULL);
"""

type Object = dict[str, Any]
"""An object as the API shows it."""


class Storage:
    """One connection to the file."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")  # a killed process loses nothing; a power cut may

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def prepare(self) -> None:
        """Make the tables, and forget calls that a killed process had begun."""
        self._connection.executescript(_TABLES)
        self.run("DELETE FROM answers WHERE status IS NULL")

    def run(self, statement: str, *values: Any) -> int:
        """Run a statement; return how many rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return all rows."""
        return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of it or nothing, alone."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def setting(self, name: str, default: str = "") -> str:
        """Return a setting."""
        rows = self.rows("SELECT value FROM settings WHERE name = ?", name)
        return str(rows[0][0]) if rows else default

    def set(self, name: str, value: str) -> None:
        """Write a setting."""
        self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, value)

    def add(self, body: Object, created: int, private: Object) -> None:
        """Add an object."""
        kind = str(body["object"])
        values = (body["id"], kind, created, json.dumps(body), json.dumps(private))
        self.run("INSERT INTO objects (id, kind, created, body, private) VALUES (?, ?, ?, ?, ?)", *values)

    def save(self, body: Object) -> None:
        """Write an object that exists."""
        self.run("UPDATE objects SET body = ? WHERE id = ?", json.dumps(body), body["id"])

    def save_private(self, identifier: str, private: Object) -> None:
        """Write what the API does not show of an object."""
        self.run("UPDATE objects SET private = ? WHERE id = ?", json.dumps(private), identifier)

    def load(self, kind: str, identifier: str) -> Object | None:
        """Return an object, or None."""
        rows = self.rows("SELECT body FROM objects WHERE id = ? AND kind = ?", identifier, kind)
        return json.loads(rows[0][0]) if rows else None

    def private(self, identifier: str) -> Object:
        """Return what the API does not show of an object."""
        rows = self.rows("SELECT private FROM objects WHERE id = ?", identifier)
        return dict(json.loads(rows[0][0])) if rows else {}

    def number(self, identifier: str) -> int | None:
        """Return where an object stands in lists."""
        rows = self.rows("SELECT number FROM objects WHERE id = ?", identifier)
        return int(rows[0][0]) if rows else None

    def select(self, kind: str, conditions: Sequence[tuple[str, Any]], order: str, limit: int) -> list[Object]:
        """Return objects that meet all conditions, each an SQL expression with one `?`."""
        where = " AND ".join(["kind = ?", *(condition for condition, _ in conditions)])
        values = [kind, *(value for _, value in conditions), limit]
        # The conditions are constants of this package, never a caller's text.
        statement = f"SELECT body FROM objects WHERE {where} ORDER BY number {order} LIMIT ?"  # noqa: S608
        return [json.loads(body) for (body,) in self.rows(statement, *values)]
