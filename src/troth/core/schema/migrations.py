"""Which packages have tables, and which changes of the database this version knows. Reads the packages' own folders.

LABELS    the packages with `migrations/`: each is the label of its Django app, too, as `django_migrations` and the
          tables' names have it
"""

from collections.abc import Collection, Iterable
from pathlib import Path

from troth.core.errors import TrothError
from troth.core.schema import renamed_tables
from troth.core.schema.renamed_tables import Migration

_TROTH = Path(__file__).parents[2]
LABELS = tuple(sorted(file.parents[1].name for file in _TROTH.glob("*/migrations/0001_initial.py")))
KNOWN: frozenset[Migration] = frozenset(
    (label, file.stem) for label in LABELS for file in (_TROTH / label / "migrations").glob("[0-9]*.py")
)
"""Every change that this version knows. Read at the start: a command that root typed becomes the site's user, who may
not be able to read the program's folder."""


def ours(applied: Iterable[Migration]) -> set[Migration]:
    """Return those of the applied changes that are Troth's, by the names that they have now."""
    labels = renamed_tables.LABELS.union(LABELS)
    return {migration for migration in renamed_tables.current(applied) if migration[0] in labels}


def later(applied: Iterable[Migration]) -> list[Migration]:
    """Return the applied changes that only a later version knows."""
    return sorted(ours(applied) - KNOWN)


def renames(applied: Iterable[Migration]) -> list[Migration]:
    """Return the labels that the database has under an earlier name, each as if that were a change."""
    applied_labels = {label for label, _ in applied}
    return [(label, f"renamed_from_{before}") for before, label, _ in renamed_tables.MOVES if before in applied_labels]


def missing(applied: Iterable[Migration]) -> set[Migration]:
    """Return the changes that the database needs to be this version's."""
    applied = set(applied)
    return {*(KNOWN - ours(applied)), *renames(applied)}


def refuse_later(later_migrations: list[Migration]) -> None:
    """Raise `TrothError` where a later version has changed the database."""
    if later_migrations:
        raise TrothError(
            f"The database was upgraded by a later version of Troth ({'.'.join(later_migrations[0])}).",
            mend="Use the version that ran last, or a later one; or restore an earlier backup.",
        )


def refuse_missing(missing_migrations: Collection[Migration]) -> None:
    """Raise `TrothError` where the database is an earlier version's."""
    if missing_migrations:
        raise TrothError(
            f"The database needs {len(missing_migrations)} migrations of this version.",
            mend="Run `troth upgrade`: it makes a backup first, and lists the changes.",
        )
