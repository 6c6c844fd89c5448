"""Make the database, and see that it is this version's before anything serves. Refuses one that needs migrations
(`troth upgrade` makes those, with a backup first) or that a later version has changed. Runs in the worker's fence, as
its user."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from troth.core import django_start
from troth.core.disk import read_plain, write_synced
from troth.core.errors import TrothError
from troth.core.schema import migrations, renamed_tables
from troth.core.site import Site
from troth.supervisor.brief import Brief
from troth.worker import schema
from troth.worker.rename_tables import rename_tables


@dataclass(frozen=True, slots=True)
class SchemaState:
    """How database and program stand to each other, by (label, name) of changes."""

    empty: bool
    missing: list[tuple[str, str]]
    later: list[tuple[str, str]]


def run(brief: Brief) -> None:
    """Make the database where there is none. Exits with 1 and one line where it cannot be served as it is."""
    site = Site(Path(brief.site))
    django_start.set_up(site.root)
    try:
        state = look()
        migrations.refuse_later(state.later)
        refuse_altered(state)
        if not state.empty:
            migrations.refuse_missing(state.missing)
        make_changes()
        check_schema()
        write_version(site)
    except TrothError as error:
        _say_and_end(f"migrate: {error} {error.mend}")
    except Error as error:
        # Only the kind: a driver's message may quote a value.
        _say_and_end(f"migrate: the database refused ({type(error).__name__})")


def look() -> SchemaState:
    """Compare the changes that were made with those that this version knows."""
    executor = MigrationExecutor(connection)
    applied = set(executor.loader.applied_migrations or ())
    steps = [(step.app_label, step.name) for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    current = renamed_tables.current(applied)
    return SchemaState(
        empty=not migrations.ours(applied),
        missing=[*migrations.renames(applied), *(step for step in steps if step not in current)],
        later=migrations.later(applied),
    )


def refuse_altered(state: SchemaState) -> None:
    """Raise `TrothError` where the tables are not what the changes that were made should have made of them."""
    if state.empty:
        return
    applied = renamed_tables.current(MigrationRecorder(connection).applied_migrations())
    schema.check(connection.vendor, _ask, schema.models_after(applied) if state.missing else None)


def check_schema() -> None:
    """Raise `TrothError` where the tables are not what this version's models say."""
    schema.check(connection.vendor, _ask)


def _ask(query: str) -> Sequence[Sequence[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows: Sequence[Sequence[Any]] = cursor.fetchall()
        return rows


def make_changes() -> None:
    """Make every change that is missing, names first."""
    rename_tables()
    call_command("migrate", verbosity=0, interactive=False)


def last_version(site: Site) -> str:
    """Return the version of Troth that last served this site; empty where nobody wrote it down."""
    try:
        return read_plain(site.data / "version").decode("ascii").strip()
    except (FileNotFoundError, UnicodeError):
        return ""


def write_version(site: Site) -> None:
    """Write this version down."""
    path = site.data / "version"
    if last_version(site) != version("troth"):
        write_synced(path, f"{version('troth')}\n".encode("ascii"))


def _say_and_end(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(1)
