"""Cells of CSV files that no spreadsheet takes for a formula (OWASP, CSV injection).

A cell that would be one gets an apostrophe before it, and an import of ours takes that off again. One that has
apostrophes before the sign gets one more, so that each comes back as it was. Touches nothing.
"""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def neutral(text: str) -> str:
    """`text` as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def as_it_was(cell: str) -> str:
    """What `neutral` made this cell of; any other cell as it is."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell
