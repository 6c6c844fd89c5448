"""Which packages have tables, and which changes of the database this version knows. Reads this package's own folders.

LABELS    label of a Django app, as `django_migrations` and the tables' names have it -> its package under `troth/`
"""

from pathlib import Path

LABELS = {
    "vault": "vault",
    "gate": "gate",
    "letters": "newsletter",
    "inbox": "contact",
    "audience": "audience",
    "promises": "policy",
    "office": "office",
}


def known() -> set[tuple[str, str]]:
    """Every change that this version knows, as (label, name of the migration)."""
    here = Path(__file__).parents[1]
    return {
        (label, file.stem)
        for label, package in LABELS.items()
        for file in (here / package / "migrations").glob("[0-9]*.py")
    }
