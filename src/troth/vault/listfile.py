"""The list of people as CSV (RFC 4180), written out for the operator who takes it along. The only place where it is.

A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection), and an import of
ours takes that off again. One that has apostrophes before the sign gets one more, so that each comes back as it was.
Touches nothing.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from troth.ground.personal import Personal

HEADERS = ("email", "name", "telephone", "postal_address", "company", "state", "signed_up", "confirmed", "left")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
type Cell = Personal | datetime | str | None


def lines(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Rows in the order of `HEADERS`, as bytes in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    return neutral(cell.reveal() if isinstance(cell, Personal) else cell)


def neutral(text: str) -> str:
    """`text` as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def as_it_was(cell: str) -> str:
    """What `neutral` made this cell of; any other cell as it is."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell
