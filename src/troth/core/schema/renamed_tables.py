"""Tables and migrations that had other names before each was called as its package. Standard library only.

Sites and backups with the earlier names are still read, through this list. `worker.rename_tables` renames what a site
has; an upgrade and a restore call it before they migrate.

TABLES        a table's earlier name -> its name
MIGRATIONS    a migration's earlier (label, name) -> what it is now; the earlier policy held the tables of `rights`, too
LABELS        labels of Django apps that are no more
MARK          the migration by which a version that knows only the earlier names refuses a database with these
"""

from collections.abc import Iterable

type Migration = tuple[str, str]
"""The label of its Django app and its name, as `django_migrations` has them."""

MOVES = (
    ("letters", "newsletter", ("sentence", "domainhour", "subscription", "request")),
    ("inbox", "contact", ("label", "canned", "thread", "thread_labels", "message")),
    ("promises", "policy", ("policyversion", "proofrun")),
    ("promises", "rights", ("rightsrequest", "heldexport", "heldexport_causes")),
)
"""The earlier label, the label, and the tables without it."""
TABLES = {f"{before}_{name}": f"{label}_{name}" for before, label, names in MOVES for name in names}
MIGRATIONS: dict[Migration, tuple[Migration, ...]] = {
    ("letters", "0001_initial"): (("newsletter", "0001_initial"),),
    ("inbox", "0001_initial"): (("contact", "0001_initial"),),
    ("promises", "0001_initial"): (("policy", "0001_initial"), ("rights", "0001_initial")),
    ("promises", "0002_held_causes"): (("rights", "0002_held_causes"),),
}
LABELS = frozenset(before for before, _, _ in MOVES)
MARK: Migration = ("office", "0002_tables_named_by_package")


def table_now(table: str) -> str:
    """Return what a table of this name is called now."""
    return TABLES.get(table, table)


def current(applied: Iterable[Migration]) -> set[Migration]:
    """Return these migrations by the names that they have now; one that no version had stays as it is."""
    return {now for migration in applied for now in MIGRATIONS.get(migration, (migration,))}
