"""Write out the buyer's details for their own invoice: the only place in this package where they leave their types.

Callers: `page_text` and `electronic_invoice`, whose results are kept sealed and given to nobody but the buyer and the
vendor's books. Touches nothing.
"""

import unicodedata

from troth.shop.receipts.document import Buyer

_MOST_LINES = 8


def names(buyer: Buyer) -> list[str]:
    """Return the company and the person, each on one line; either may be missing."""
    return [line for detail in (buyer.company, buyer.name) if detail for line in _lines(detail.reveal())[:1]]


def address_lines(buyer: Buyer) -> list[str]:
    """Return the lines of the postal address."""
    return _lines(buyer.address.reveal())[:_MOST_LINES] if buyer.address else []


def _lines(text: str) -> list[str]:
    """The lines of a text that a buyer typed, without what neither PDF nor XML can carry."""
    return [line for line in map(_plain, text.splitlines()) if line]


def _plain(line: str) -> str:
    kept = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in line)  # direction marks, too
    return " ".join(unicodedata.normalize("NFC", kept).split())
