"""Says on a page what the import says at the command line: fields of a form in place of options. Touches nothing."""

import re

from troth.people.import_columns import FIELDS

LABELS = {
    "--consent-date": "“Date of consent”",
    "--consent": "“Consent sentence”",
    "--language": "“Language”",
    "--topic": "“Topics for everybody in the file”",
}
"""What the form calls an option; longer names first, as one begins like another."""
_MAPPED = re.compile(r'--map "?(?P<column>[^"=]+)=(?P<field>[a-z_]+|-)"?')
NOT_READ = "not read"


_NO_ADDRESS = "--map COLUMN=email"


def for_page(sentence: str) -> str:
    """Return what the import says of a file or a row, in the words of the page."""
    sentence = sentence.replace(f"Choose one: {_NO_ADDRESS}.", "Name it under “Column with the email address”.")
    sentence = sentence.replace("--map names", "“Column with the email address” names")
    reworded = _MAPPED.sub(lambda match: f"{_column(match['column'])} as “{field_label(match['field'])}”", sentence)
    for option, label in LABELS.items():
        reworded = reworded.replace(option, label)
    return reworded.replace("--map", "“Columns”").replace(" is not set.", " is empty.")


def _column(name: str) -> str:
    return "a column" if name == "COLUMN" else f"“{name}”"


def field_label(field: str) -> str:
    """Return what a column can be, for people: `email address`; `not read` for none."""
    if field in ("", "-"):
        return NOT_READ
    return FIELDS[field].partition(";")[0] if field in FIELDS else field
