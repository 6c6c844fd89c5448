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


def check(vendor: str, ask: Ask, known: Iterable[type[models.Model]] | None = None) -> None:
    """Raises `TrothError` where something that the models want is not there. `vendor`: `sqlite` or `postgresql`."""
    missing = differences(vendor, ask, known)
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise TrothError(
            f"The database is not what its own list of changes says: {', '.join(missing[:3])}{more}.",
            mend="It was made by a build of Troth from before the first release, or altered by hand. Nothing was "
            "changed. Serve it with the build that made it, and take people along by `troth people export`; or "
            "restore a backup (docs/backup.md).",
        )


def models_after(made: Iterable[tuple[str, str]]) -> list[type[models.Model]]:
    """The models as they were when of all changes only these were made, by (room, name)."""
    loader = MigrationLoader(None)
    nodes = [node for node in made if node in loader.graph.nodes]
    return list(loader.project_state(nodes, at_end=True).apps.get_models())


def differences(vendor: str, ask: Ask, known: Iterable[type[models.Model]] | None = None) -> list[str]:
    """What the models want and the database has not, or has otherwise: `table`, `table.column`, or a name."""
    wrapper = load_backend(f"django.db.backends.{'sqlite3' if vendor == 'sqlite' else vendor}").DatabaseWrapper({})
    wanted = {model: _columns(model, wrapper) for model in _tables(apps.get_models() if known is None else known)}
    there, named = _there(vendor, ask), _named(vendor, ask)
    missing = list[str]()
    for model, columns in wanted.items():
        table = model._meta.db_table
        if table not in there:
            missing.append(f"{table} is missing")
            continue
        missing += [_told(table, name, want, there[table].get(name)) for name, want in columns.items()]
        missing += [f"{name} is missing" for name in _names(model) if name not in named]
    return sorted(filter(None, missing))


def _tables(known: Iterable[type[models.Model]]) -> Iterable[type[models.Model]]:
    seen = set[type[models.Model]]()
    for model in known:
        for each in (model, *(field.remote_field.through for field in model._meta.local_many_to_many)):
            if each and each not in seen and each._meta.managed and not each._meta.proxy:
                seen.add(each)
                yield each


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
    name, bracket, rest = kind.partition("(")
    return _LONG.get(name, name) + bracket + rest


def _names(model: type[models.Model]) -> list[str]:
    """Indexes and constraints that have a name of ours."""
    return [each.name for each in (*model._meta.indexes, *model._meta.constraints)]


def _there(vendor: str, ask: Ask) -> Columns:
    found: Columns = {}
    for table, column, kind, full in ask(_SQLITE if vendor == "sqlite" else _POSTGRESQL):
        found.setdefault(table, {})[column] = (kind, not full)
    return found


def _named(vendor: str, ask: Ask) -> set[str]:
    if vendor == "postgresql":
        return {name for (name,) in ask(_POSTGRESQL_NAMED)}
    return {word.strip('"') for (sql,) in ask(_SQLITE_NAMED) for word in sql.replace("(", " ").split()}


def _told(table: str, column: str, want: tuple[str, bool], there: tuple[str, bool] | None) -> str:
    if there is None:
        return f"{table}.{column} is missing"
    if there[0] != want[0]:
        return f"{table}.{column} is {there[0]}, not {want[0]}"
    return "" if there[1] == want[1] else f"{table}.{column} may {'' if there[1] else 'not '}be empty"
