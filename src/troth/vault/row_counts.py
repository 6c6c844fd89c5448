"""Numbers of rows in each state, kept up to date by database triggers.

Counting a million rows takes PostgreSQL over a tenth of a second for every page. So each change adds its difference in
the same transaction, and the numbers are exact. SQLite has one writer, which updates one row for each state. With
PostgreSQL each statement appends its differences, so that writers do not wait for each other, and the worker sums them
up now and then. Each migration recounts, and so does each restore, which ends with one.
A model with `COUNTED_BY` is counted by that column; as a whole if it is empty.

    name "subscription.confirmed" | n      the count is the sum of all rows of that name
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from django.apps import apps
from django.db import connection, transaction
from django.db.models.signals import post_migrate

from troth.vault.models import Tally


@dataclass(frozen=True, slots=True)
class CountedTable:
    """A table whose rows are counted, for each value of `column`; all together where it is empty. `person`: the column
    that leads to the person whom a row is about, so that canaries are not counted."""

    name: str
    table: str
    person: str
    column: str = ""
    values: tuple[str, ...] = ()

    @classmethod
    def of_model(cls, model: type[Any]) -> Self:
        """Return the table of a model that has `COUNTED_BY`."""
        meta, column = model._meta, model.COUNTED_BY
        values = tuple(value for value, _ in meta.get_field(column).choices) if column else ()
        person = meta.get_field(getattr(model, "PERSON", "person")).column
        return cls(meta.model_name, meta.db_table, person, column, values)

    def names(self) -> list[str]:
        """Return the names of its counts."""
        return [f"{self.name}.{value}" for value in self.values] or [self.name]

    def of(self, row: str) -> str:
        """Return SQL for the name that `row` counts for."""
        return f"'{self.name}.' || {row}.{self.column}" if self.column else f"'{self.name}'"


_WATCHED: dict[str, CountedTable] = {}


def watch_models() -> None:
    """Count every model that has `COUNTED_BY` from the next migration of its app on."""
    for model in apps.get_models():
        if hasattr(model, "COUNTED_BY"):
            watched = _WATCHED[str(model._meta.model_name)] = CountedTable.of_model(model)
            app = apps.get_app_config(model._meta.app_label)
            # Held by a name of its own: a signal forgets a function that nobody else holds.
            post_migrate.connect(
                partial(_install_after, watched), sender=app, weak=False, dispatch_uid=f"tally {watched.name}"
            )


def _install_after(watched: CountedTable, **_keywords: Any) -> None:
    install(watched)


def count(name: str) -> int:
    """Return the number of rows."""
    return counts(name).get("", 0)


def counts(name: str) -> dict[str, int]:
    """Return the numbers of rows by value, each value included; under the empty one, all, if no column is watched.

    Without canaries, which are few and counted in the same statement, so that a proof that begins or ends meanwhile
    affects both numbers or neither.
    """
    watched = _WATCHED[name]
    marks = ", ".join(["%s"] * len(watched.names()))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT name, sum(n) FROM (SELECT name, n FROM vault_tally WHERE name IN ({marks}) UNION ALL "  # noqa: S608
            f"SELECT {watched.of('hidden')}, -1 FROM {watched.table} AS hidden "
            f"WHERE hidden.{watched.person} IN (SELECT person_id FROM vault_canary)) AS counted GROUP BY name",
            watched.names(),
        )
        totals = {key[len(name) + 1 :]: int(total) for key, total in cursor.fetchall()}
    return dict.fromkeys(watched.values, 0) | totals


_ONE_AT_A_TIME = "LOCK TABLE vault_tally IN SHARE UPDATE EXCLUSIVE MODE"
"""Who folds and who counts anew wait for each other; who only appends waits for neither."""


def fold() -> int:
    """Sum up the differences of one name in one row; returns how many rows were removed."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return 0
        cursor.execute(_ONE_AT_A_TIME)
        cursor.execute("SELECT count(*), count(DISTINCT name) FROM vault_tally")
        rows, names = cursor.fetchone()
        if rows <= names:
            return 0
        cursor.execute(
            "WITH gone AS (DELETE FROM vault_tally RETURNING name, n)"
            " INSERT INTO vault_tally (name, n) SELECT name, sum(n) FROM gone GROUP BY name"
        )
        return int(rows - names)


# -- setting up -------------------------------------------------------------------------------------------------------


def install(watched: CountedTable) -> None:
    """Replace the triggers, and count."""
    with connection.cursor() as cursor:
        tables_present = set(connection.introspection.table_names(cursor))
    if not {watched.table, Tally._meta.db_table} <= tables_present:
        return  # only one app was migrated, and it is not this one
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in _postgresql(watched) if connection.vendor == "postgresql" else _sqlite(watched):
            cursor.execute(statement)
        _count(cursor, watched)


def uninstall(table: str) -> None:
    """Remove the triggers of a table."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP FUNCTION IF EXISTS tally_{table}() CASCADE")
            return
        for change in ("insert", "delete", "update"):
            cursor.execute(f"DROP TRIGGER IF EXISTS tally_{table}_{change}")


def _count(cursor: Any, watched: CountedTable) -> None:
    if connection.vendor == "postgresql":
        cursor.execute(f"LOCK TABLE {watched.table} IN SHARE ROW EXCLUSIVE MODE")  # nobody changes it meanwhile
        cursor.execute(_ONE_AT_A_TIME)
    named, grouped = watched.of("counted"), "GROUP BY 1" if watched.column else ""
    cursor.execute(f"SELECT {named}, count(*) FROM {watched.table} AS counted {grouped}")  # noqa: S608
    counts = dict.fromkeys(watched.names(), 0) | dict(cursor.fetchall())
    Tally.objects.filter(name__in=list(counts)).delete()
    Tally.objects.bulk_create(Tally(name=name, n=n) for name, n in counts.items())


def _sqlite(watched: CountedTable) -> Sequence[str]:
    add = f"UPDATE vault_tally SET n = n + 1 WHERE name = {watched.of('NEW')}"  # noqa: S608
    take = f"UPDATE vault_tally SET n = n - 1 WHERE name = {watched.of('OLD')}"  # noqa: S608
    steps = {"INSERT": f"{add};", "DELETE": f"{take};"}
    if watched.column:
        steps[f"UPDATE OF {watched.column}"] = f"{take}; {add};"
    triggers = []
    for when, body in steps.items():
        name = f"tally_{watched.table}_{when.split()[0].lower()}"
        triggers += [
            f"DROP TRIGGER IF EXISTS {name}",
            f"CREATE TRIGGER {name} AFTER {when} ON {watched.table} BEGIN {body} END",
        ]
    return triggers


_FUNCTION = """
CREATE OR REPLACE FUNCTION tally_{table}() RETURNS trigger LANGUAGE plpgsql AS $tally$ BEGIN
IF TG_OP = 'INSERT' THEN
    INSERT INTO vault_tally (name, n) SELECT {fresh}, count(*) FROM fresh {grouped};
ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO vault_tally (name, n) SELECT {gone}, -count(*) FROM gone {grouped};
ELSE
    INSERT INTO vault_tally (name, n) SELECT name, sum(one) FROM (
        SELECT {fresh} AS name, 1 AS one FROM fresh UNION ALL SELECT {gone}, -1 FROM gone
    ) AS changed GROUP BY name HAVING sum(one) <> 0;
END IF;
RETURN NULL;
END $tally$
"""
_TABLES = {"INSERT": "NEW TABLE AS fresh", "DELETE": "OLD TABLE AS gone"}


def _postgresql(watched: CountedTable) -> Sequence[str]:
    grouped = "GROUP BY 1" if watched.column else "HAVING count(*) > 0"
    statements = [
        _FUNCTION.format(table=watched.table, fresh=watched.of("fresh"), gone=watched.of("gone"), grouped=grouped)
    ]
    tables = dict(_TABLES)
    if watched.column:
        tables["UPDATE"] = " ".join(_TABLES.values())
    for when, reference in tables.items():
        statements.append(
            f"CREATE OR REPLACE TRIGGER tally_{watched.table}_{when.lower()} AFTER {when} ON {watched.table}"
            f" REFERENCING {reference} FOR EACH STATEMENT EXECUTE FUNCTION tally_{watched.table}()"
        )
    return statements
