"""A consistent snapshot of the database, while others keep writing.

SQLite: its online backup, inside one read transaction, into a file beside the database whose name is removed before it
is read. PostgreSQL: COPY in one REPEATABLE READ transaction, over the driver that Troth uses anyway; `pg_dump` is often
not installed, must not be older than the server, and would need the password again.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg import sql

from troth.backup.errors import BackupError
from troth.core.config.sections import Config
from troth.core.site import Site
from troth.gate import doors
from troth.supervisor.safe_write import acting_as, open_theirs, owner_of

type Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and how much there is."""
_PAGES = 8192
_READ = 1 << 20


class DatabaseSnapshot(Protocol):
    """One moment of a database."""

    kind: str

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the snapshot."""
        ...

    def members(self, progress: Progress) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield what goes into the backup: names and bytes."""
        ...


@contextmanager
def snapshot(site: Site, settings: Config, progress: Progress) -> Iterator[DatabaseSnapshot]:
    """Take a snapshot of the site's database. Raises `BackupError` if that fails."""
    if settings.database.url:
        with _postgres(site, settings) as snapshot:
            yield snapshot
    else:
        with _sqlite(site, progress) as snapshot:
            yield snapshot


# -- SQLite -----------------------------------------------------------------------------------------------------------


class _SqliteCopy:
    kind = "sqlite"

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()

    def members(self, progress: Progress) -> Iterator[tuple[str, Iterator[bytes]]]:
        yield "data/troth.sqlite3", file_parts(self._path, progress, "encrypting")


@contextmanager
def _sqlite(site: Site, progress: Progress) -> Iterator[_SqliteCopy]:
    if not site.database.exists():
        raise BackupError("There is no database yet, so there is nothing to back up.", mend="Run `troth serve` first.")
    with acting_as(owner_of(site.data)):
        for leftover in site.data.glob(".backup-*.sqlite3*"):
            leftover.unlink()  # of a backup that was killed; the lock says that none is at work
    with copied_sqlite(site.database, progress) as copy:
        with acting_as(owner_of(site.data)):
            connection = sqlite3.connect(f"{copy.as_uri()}?immutable=1", uri=True)
        try:
            yield _SqliteCopy(connection, copy)
        finally:
            connection.close()


@contextmanager
def copied_sqlite(database: Path, progress: Progress) -> Iterator[Path]:
    """Copy a snapshot to a file beside the database, with the rights of the folder's owner: SQLite opens the log by its
    name, and the owner controls what that name leads to. The copy is removed at the end."""
    copy = database.with_name(f".backup-{os.getpid()}.sqlite3")
    try:
        with acting_as(owner_of(database.parent)):
            os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            copy_sqlite(database, copy, progress)
        yield copy
    finally:
        with contextlib.suppress(FileNotFoundError):
            copy.unlink()


def copy_sqlite(database: Path, copy: Path, progress: Progress) -> None:
    """Copy inside a read transaction: without it, each write by another process would restart the copy."""
    source = sqlite3.connect(database, isolation_level=None, timeout=30)
    target = sqlite3.connect(copy, isolation_level=None)
    try:
        target.execute("PRAGMA synchronous=OFF")
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(
            target,
            pages=_PAGES,
            sleep=0,
            progress=lambda _status, leftover, total: progress("copying the database", total - leftover, total),
        )
        source.execute("ROLLBACK")
        target.execute("PRAGMA journal_mode=DELETE")
    finally:
        target.close()
        source.close()


# -- PostgreSQL -------------------------------------------------------------------------------------------------------


class _PostgresMoment:
    kind = "postgresql"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._connection.execute(query).fetchall()
        return rows

    def tables(self) -> list[str]:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
        return [name for (name,) in self.ask(query)]

    def members(self, progress: Progress) -> Iterator[tuple[str, Iterator[bytes]]]:
        tables = self.tables()
        for number, table in enumerate(tables):
            progress("copying the database", number, len(tables))
            yield f"tables/{table}", self._rows(table)
        progress("copying the database", len(tables), len(tables))

    def _rows(self, table: str) -> Iterator[bytes]:
        names = self._connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND table_name = %s ORDER BY ordinal_position",
            (table,),
        ).fetchall()
        yield "\n".join(name for (name,) in names).encode() + b"\0"
        columns = sql.SQL(",").join(sql.Identifier(name) for (name,) in names)
        command = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT binary)").format(sql.Identifier(table), columns)
        with self._connection.cursor().copy(command) as copying:
            buffer = bytearray()
            for part in copying:
                buffer += part
                if len(buffer) >= _READ:
                    yield bytes(buffer)
                    buffer.clear()
            yield bytes(buffer)


@contextmanager
def _postgres(site: Site, settings: Config) -> Iterator[_PostgresMoment]:
    with connect_postgres(site, settings) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = _PostgresMoment(connection)
        if "vault_person" not in snapshot.tables():
            raise BackupError(
                "There is no database yet, so there is nothing to back up.", mend="Run `troth serve` first."
            )
        yield snapshot
        connection.rollback()


@contextmanager
def connect_postgres(site: Site, settings: Config) -> Iterator[Any]:
    """Connect to the site's PostgreSQL, through the declared door."""
    doors.database(settings.database)  # refuses what would not be encrypted
    file = site.keys / "database-password"
    secret: dict[str, Any] = {"password": file.read_text().strip()} if file.is_file() else {}
    try:
        connection = psycopg.connect(settings.database.url, connect_timeout=10, **secret)
    except psycopg.Error as error:
        # Only the kind: a driver's words may quote a value.
        raise BackupError(
            f"The database cannot be reached ({type(error).__name__}).",
            mend="Check that it is running and that this user may connect.",
        ) from None
    try:
        yield connection
    finally:
        connection.close()


def file_parts(path: Path, progress: Progress | None = None, label: str = "") -> Iterator[bytes]:
    """Yield a file's bytes in parts."""
    with os.fdopen(open_theirs(path), "rb") as file:
        copied, size = 0, os.fstat(file.fileno()).st_size
        while part := file.read(_READ):
            yield part
            copied += len(part)
            if progress:
                progress(label, copied, size)
