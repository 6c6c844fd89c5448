"""Gives the tables of an older site the names that they have now (`core.schema.renamed_tables`), in one transaction.

With each table go its indexes, constraints and sequences, whose names Django derives from it, the rows by which Django
knows it, and its triggers, which the next `migrate` makes anew: nothing serves without one. Killed at any moment it
has renamed nothing or everything, and once more is no harm. May touch: the database.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.migrations.recorder import MigrationRecorder

from troth.core.lazy import lazy
from troth.core.schema import renamed_tables
from troth.core.schema.renamed_tables import TABLES, table_now

if TYPE_CHECKING:
    from troth.vault import row_counts
else:
    row_counts = lazy("troth.vault.row_counts")

type Constraint = Mapping[str, Any]
"""An index or a constraint, as Django's `get_constraints` describes it."""


def rename_tables() -> None:
    """Rename what still has an earlier name."""
    with transaction.atomic(), connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        tables = {before: now for before, now in TABLES.items() if before in present}
        constraints = {before: connection.introspection.get_constraints(cursor, before) for before in tables}
        for before, now in tables.items():
            row_counts.uninstall(before)
            cursor.execute(f"ALTER TABLE {_quoted(before)} RENAME TO {_quoted(now)}")
            for name, constraint in constraints[before].items():
                name_now = _name_now(name, constraint, before)
                if name_now != name:
                    _rename(cursor, now, name, name_now, is_index=constraint["index"])
            if connection.vendor == "postgresql":
                _rename_sequences(cursor, before, now)
        if MigrationRecorder.Migration._meta.db_table in present:
            _rename_migrations()
        if "django_content_type" in present:
            _rename_content_types(cursor)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _name_now(name: str, constraint: Constraint, before: str) -> str:
    """Return what an index or constraint of the table `before` is called now. Names of our own choice stay."""
    now, columns = TABLES[before], constraint["columns"]
    for suffix, suffix_now in _suffixes(constraint):
        if name == _django_name(before, columns, suffix):
            return _django_name(now, columns, suffix_now)
    return now + name.removeprefix(before) if name.startswith(f"{before}_") else name  # PostgreSQL's own names


def _suffixes(constraint: Constraint) -> list[tuple[str, str]]:
    """Return how Django may end the name, before and now."""
    target = constraint["foreign_key"]
    if target:
        table, column = target
        return [(f"_fk_{table}_{column}", f"_fk_{table_now(table)}_{column}")]
    return [(suffix, suffix) for suffix in ("", "_uniq", "_like")]


def _django_name(table: str, columns: list[str], suffix: str) -> str:
    editor: Any = connection.schema_editor()  # what it is called by is not among Django's stubs
    return str(editor._create_index_name(table, columns, suffix))


def _rename(cursor: CursorWrapper, table: str, name: str, name_now: str, *, is_index: bool) -> None:
    if connection.vendor == "postgresql":
        change = "ALTER INDEX {0} RENAME TO {1}" if is_index else "ALTER TABLE {2} RENAME CONSTRAINT {0} TO {1}"
        cursor.execute(change.format(_quoted(name), _quoted(name_now), _quoted(table)))
    elif is_index:  # SQLite renames none, and its constraints' names are nowhere but in the table
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = %s", [name])
        (definition,) = cursor.fetchone()
        cursor.execute(f"DROP INDEX {_quoted(name)}")
        cursor.execute(definition.replace(_quoted(name), _quoted(name_now), 1))


def _rename_sequences(cursor: CursorWrapper, before: str, now: str) -> None:
    for sequence in connection.introspection.get_sequences(cursor, now):
        name = sequence["name"]
        name_now = now + name.removeprefix(before)
        if name_now != name:
            cursor.execute(f"ALTER SEQUENCE {_quoted(name)} RENAME TO {_quoted(name_now)}")


def _rename_migrations() -> None:
    recorder = MigrationRecorder(connection)
    rows = recorder.migration_qs
    for (before, name), now in renamed_tables.MIGRATIONS.items():
        for row in rows.filter(app=before, name=name):
            for label, name_now in now:
                rows.get_or_create(app=label, name=name_now, defaults={"applied": row.applied})
            row.delete()
            _mark(recorder)


def _mark(recorder: MigrationRecorder) -> None:
    """Have versions that know only the earlier names refuse the database from this transaction on."""
    label, name = renamed_tables.MARK
    rows = recorder.migration_qs.filter(app=label)
    if rows.exists() and not rows.filter(name=name).exists():
        recorder.record_applied(label, name)


def _rename_content_types(cursor: CursorWrapper) -> None:
    for before, now, names in renamed_tables.MOVES:
        for name in names:
            cursor.execute(
                "UPDATE django_content_type SET app_label = %s WHERE app_label = %s AND model = %s", [now, before, name]
            )
