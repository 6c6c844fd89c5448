"""Write CSV cells that no spreadsheet takes for a formula (OWASP, CSV injection), and read them back.

Where a formula could begin stands an apostrophe, which an import takes off again: at the start of a cell and behind
each sign that separates cells somewhere (a spreadsheet set to semicolons splits our cells anew), also with invisible
characters before it, and for full-width signs that an old encoding turns into it. A cell that has apostrophes there
already gets one more. Touches nothing.
"""

import re

_PARTING = ",;|\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029\u037e\uff0c\uff1b\uff5c"
_UNSEEN = (
    # White_Space and Default_Ignorable_Code_Point (Unicode, annex 44), controls, and blanks that count as letters.
    "\x00-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_QUOTES = "'\"\u2018\u2019\u201c\u201d\uff02\uff07"
_SIGNS = (
    r"=+\-@|%"
    "\u207a-\u207c\u208a-\u208c\u2212\ufe62\ufe63\ufe66\ufe6a\ufe6b\uff05\uff0b\uff0d\uff1d\uff20\uff5c"
)
_BEFORE = f"[{_PARTING}{_UNSEEN}{_QUOTES}]*"
# A cell that begins with what ends a line or parts cells is one as well, whatever comes behind.
_FORMULA = rf"(?:\A(?='*[\t\r\n])|(?:\A|(?<=[{_PARTING}]))(?={_BEFORE}[{_SIGNS}]))"
_PLACE, _MARKED = re.compile(_FORMULA), re.compile(f"{_FORMULA}'")


def neutral(text: str) -> str:
    """Return `text` as a cell that no spreadsheet takes for a formula, nor any part of it."""
    return _PLACE.sub("'", text)


def as_it_was(cell: str) -> str:
    """Return what `neutral` made this cell of; any other cell as it is."""
    return _MARKED.sub("", cell)
