"""Loads PostgreSQL's tables from a backup, in the caller's transaction: creates them as the backup's version did, then
fills them.

May touch: Troth's tables; all else in that database stays.
"""

from collections.abc import Sequence
from pathlib import Path

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from troth.backup.database_snapshot import Progress, file_parts
from troth.backup.errors import Altered
from troth.core.schema.renamed_tables import current, table_now
from troth.worker.rename_tables import rename_tables


def load(tables: Path, migrations: Sequence[tuple[str, str]], progress: Progress) -> None:
    """Replace our tables by those in `tables`, one file each."""
    drop_ours()
    _make(migrations)
    files = {table_now(path.name): path for path in sorted(tables.iterdir())}
    with connection.cursor() as cursor:
        table_names = set(connection.introspection.table_names(cursor))
        ours = [table for table in files if table in table_names]
        names = ", ".join(connection.ops.quote_name(table) for table in ours)
        cursor.execute(f"TRUNCATE {names} CASCADE")
        for number, table in enumerate(ours):
            progress("filling the database", number, len(ours))
            _fill(cursor, table, files[table])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    _count_on(table_names)
    progress("filling the database", len(ours), len(ours))


def drop_ours() -> None:
    """Remove our tables, with all that is in them, also where a version with other names made them."""
    rename_tables()
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        ours = {*connection.introspection.django_table_names(), MigrationRecorder.Migration._meta.db_table}
        for name in sorted(ours & tables):
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(name)} CASCADE")


def _make(migrations: Sequence[tuple[str, str]]) -> None:
    """Create empty tables as the backup's version had them, under today's names."""
    executor = MigrationExecutor(connection)
    nodes = [migration for migration in current(migrations) if migration in executor.loader.graph.nodes]
    newest = {room: max(name for at, name in nodes if at == room) for room, _ in nodes}
    executor.migrate(sorted(newest.items()))


def _fill(cursor: object, table: str, path: Path) -> None:
    parts = file_parts(path)
    head, end, first = next(parts, b"").partition(b"\0")
    if not end:
        raise Altered("A table in the backup is invalid.", mend="Use another backup.")
    columns = ", ".join(connection.ops.quote_name(name) for name in head.decode().split("\n"))
    command = f"COPY {connection.ops.quote_name(table)} ({columns}) FROM STDIN (FORMAT binary)"
    with cursor.copy(command) as copying:  # type: ignore[attr-defined]
        copying.write(first)
        for part in parts:
            copying.write(part)


def _count_on(tables: set[str]) -> None:
    """Continue sequences after the highest number loaded."""
    nodes = [model for model in apps.get_models(include_auto_created=True) if model._meta.db_table in tables]
    managed: list[type[models.Model]] = [model for model in nodes if model._meta.managed]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), managed):
            cursor.execute(statement)
