"""Sites whose tables have the names that they had before each was called as its package (`tests/data/README.md`)."""

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import psycopg
from django.db import connection, connections

from troth.core.schema.renamed_tables import table_now

DATA = Path(__file__).parents[1] / "data/sites-with-earlier-tables.tar.xz"
_OF_NAMES = {"django_migrations", "django_content_type"}
"""Tables that hold names of others."""

_SQLITE = "SELECT type, name, tbl_name, sql FROM sqlite_master"
_POSTGRESQL = (
    "SELECT table_name, column_name, row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position), data_type,"
    " character_maximum_length, is_nullable, identity_generation, column_default FROM information_schema.columns"
    " WHERE table_schema = 'public'",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
    "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    "SELECT pg_get_serial_sequence(quote_ident(table_name), column_name), table_name FROM information_schema.columns"
    " WHERE table_schema = 'public' AND is_identity = 'YES'",
    "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
)


def unpack(into: Path, database: str) -> Path:
    """The folder with `site` and `paper`, the recovery key; with PostgreSQL with `database.sql`, too."""
    with tarfile.open(DATA) as packed:
        packed.extractall(into, filter="data")
    return into / database


def fill_postgresql(url: str, dump: Path) -> None:
    """Replace all that is in the database at `url` by the dump."""
    with psycopg.connect(url) as filling:
        filling.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        filling.execute(dump.read_text("utf-8"))  # type: ignore[arg-type]


def put_in_place(folder: Path, database: Path) -> None:
    """Have the database that Django points at hold what the site in `folder` has."""
    told = dict(connection.settings_dict)
    connections.close_all()
    if connection.vendor == "postgresql":
        fill_postgresql(
            f"postgresql://{told['USER']}@{told['HOST']}:{told['PORT']}/{told['NAME']}", folder / "database.sql"
        )
        return
    for end in ("", "-wal", "-shm"):
        database.with_name(database.name + end).unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(folder / "site/data/troth.sqlite3")) as source,
        closing(sqlite3.connect(database)) as target,
    ):
        source.backup(target)


def schema() -> set[tuple[object, ...]]:
    """Every table, column, index, constraint, sequence and trigger with its name and its definition."""
    with connection.cursor() as cursor:
        found = set[tuple[object, ...]]()
        for query in _POSTGRESQL if connection.vendor == "postgresql" else (_SQLITE,):
            cursor.execute(query)
            found.update(tuple(row) for row in cursor.fetchall())
    # A dump writes the cast in a condition of allauth's otherwise than it was typed; it means the same.
    return {row for row in found if "unique_authenticator_type" not in row or connection.vendor == "sqlite"}


def rows() -> dict[str, list[str]]:
    """What is in each table, by the table's name of today."""
    with connection.cursor() as cursor:
        content = {}
        for table in connection.introspection.table_names(cursor):
            if table not in _OF_NAMES:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                content[table_now(table)] = sorted(repr(row) for row in cursor.fetchall())
        return content
