"""Whether the tables are what this version's models say: the list of changes that were made tells what was run, not
what is there. Reads the database's catalogue; changes nothing. Sources: sqlite.org, "PRAGMA table_info"; PostgreSQL's
manual, "System Catalogs".
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.utils import load_backend

from troth.core.errors import TrothError
from troth.core.schema.renamed_tables import table_now

type Ask = Callable[[str], Sequence[Sequence[Any]]]
"""Runs a query without parameters and returns all rows."""
type Columns = dict[str, dict[str, tuple[str, bool]]]
"""By table and column: the type as the database writes it, and whether it may be empty."""

_SQLITE = """SELECT m.name, c.name, lower(c.type), c."notnull" OR c.pk FROM sqlite_master m, pragma_table_info(m.name) c
WHERE m.type = 'table'"""
_SQLITE_NAMED = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
_POSTGRESQL = """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"""
_POSTGRESQL_NAMED = "SELECT relname FROM pg_class UNION SELECT conname FROM pg_constraint"
_LONG = {"varchar": "character varying"}
"""How Django writes a type, and how PostgreSQL's `format_type` does."""


def check(vendor: str, ask: Ask, models_expected: Iterable[type[models.Model]] | None = None) -> None:
    """Check that the database has what the models want. Raises `TrothError`. `vendor`: `sqlite` or `postgresql`."""
    missing = differences(vendor, ask, models_expected)
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise TrothError(
            f"The database doesn't match its own list of migrations: {', '.join(missing[:3])}{more}.",
            mend="It was created by a build of Troth before the first release, or changed by hand. Nothing was "
            "changed. Run the build that created it, and export people with `troth people export`; or "
            "restore a backup (docs/backup.md).",
        )


def models_after(applied: Iterable[tuple[str, str]]) -> list[type[models.Model]]:
    """Return the models as they were when of all changes only these were made, by (room, name)."""
    loader = MigrationLoader(None)
    nodes = [node for node in applied if node in loader.graph.nodes]
    return list(loader.project_state(nodes, at_end=True).apps.get_models())


def differences(vendor: str, ask: Ask, models_expected: Iterable[type[models.Model]] | None = None) -> list[str]:
    """Return what the models want and the database has not, or has otherwise: `table`, `table.column`, or a name."""
    wrapper = load_backend(f"django.db.backends.{'sqlite3' if vendor == 'sqlite' else vendor}").DatabaseWrapper({})
    expected = {
        model: _columns(model, wrapper)
        for model in _tables(apps.get_models() if models_expected is None else models_expected)
    }
    actual, named = _there(vendor, ask), _named(vendor, ask)
    missing = list[str]()
    for model, columns in expected.items():
        table = model._meta.db_table
        if table not in actual:
            missing.append(f"{table} is missing")
            continue
        missing += [_told(table, name, want, actual[table].get(name)) for name, want in columns.items()]
        missing += [f"{name} is missing" for name in _names(model) if name not in named]
    return sorted(filter(None, missing))


def _tables(models_expected: Iterable[type[models.Model]]) -> Iterable[type[models.Model]]:
    tables = set[type[models.Model]]()
    for model in models_expected:
        for table in (model, *(field.remote_field.through for field in model._meta.local_many_to_many)):
            if table and table not in tables and table._meta.managed and not table._meta.proxy:
                tables.add(table)
                yield table


def _columns(model: type[models.Model], wrapper: BaseDatabaseWrapper) -> dict[str, tuple[str, bool]]:
    return {
        str(field.column): (_written(field.db_type(wrapper) or "", wrapper.vendor), field.null)
        for field in model._meta.local_concrete_fields
        if not (model._meta.auto_created and field.primary_key)  # its type was another Django's to choose
    }


def _written(kind: str, vendor: str) -> str:
    """A type as the catalogue writes it."""
    kind = kind.lower()
    if vendor != "postgresql":
        return kind
    name, bracket, parameters = kind.partition("(")
    return _LONG.get(name, name) + bracket + parameters


def _names(model: type[models.Model]) -> list[str]:
    """Indexes and constraints that have a name of ours."""
    return [named.name for named in (*model._meta.indexes, *model._meta.constraints)]


def _there(vendor: str, ask: Ask) -> Columns:
    columns: Columns = {}
    for table, column, kind, full in ask(_SQLITE if vendor == "sqlite" else _POSTGRESQL):
        columns.setdefault(table_now(table), {})[column] = (kind, not full)
    return columns


def _named(vendor: str, ask: Ask) -> set[str]:
    if vendor == "postgresql":
        return {name for (name,) in ask(_POSTGRESQL_NAMED)}
    return {word.strip('"') for (sql,) in ask(_SQLITE_NAMED) for word in sql.replace("(", " ").split()}


def _told(table: str, column: str, want: tuple[str, bool], actual: tuple[str, bool] | None) -> str:
    if actual is None:
        return f"{table}.{column} is missing"
    if actual[0] != want[0]:
        return f"{table}.{column} is {actual[0]}, not {want[0]}"
    return "" if actual[1] == want[1] else f"{table}.{column} may {'' if actual[1] else 'not '}be empty"
