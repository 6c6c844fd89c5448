"""The list of people as CSV (RFC 4180), through `core.text.csv_cells`, so that no spreadsheet runs a cell as a
formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from troth.core.personal import Personal
from troth.core.text.csv_cells import neutral

type Cell = Personal | datetime | str | None


def lines(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return rows as CSV in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    return neutral(cell.reveal() if isinstance(cell, Personal) else cell)


def changes(value: Personal) -> bool:
    """Return whether a value gets an apostrophe: only Troth's own import takes it off again."""
    return neutral(value.reveal()) != value.reveal()
