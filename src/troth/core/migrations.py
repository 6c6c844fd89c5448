"""Which packages have tables, and which migrations this version knows. Reads this package's own folders."""

import re
from collections.abc import Iterator
from pathlib import Path

_TROTH = Path(__file__).parents[1]
_LABEL = re.compile(r'^    label = "(\w+)"$', re.MULTILINE)


def _labels() -> Iterator[tuple[str, str]]:
    for folder in sorted(_TROTH.glob("*/migrations")):
        match = _LABEL.search((folder.parent / "apps.py").read_text())
        if match:
            yield match[1], folder.parent.name


LABELS = dict(_labels())


def known() -> set[tuple[str, str]]:
    """Every change that this version knows, as (label, name of the migration)."""
    return {
        (label, file.stem)
        for label, package in LABELS.items()
        for file in (_TROTH / package / "migrations").glob("[0-9]*.py")
    }
