"""Count the card numbers that were masked in what visitors sent, so that operators know of it (B2): people who paste
their card number may be missing a way to pay, or be led here by somebody else's page.

One number for the whole site, of nobody: those of the proofs' invented people are left out. It is kept beside the
counts of rows (`vault.Tally`). Worker only, in intake's transaction.
"""

import re
from collections.abc import Iterable

from django.db import connection
from django.db.models import F, Sum

from troth.core.entry import Entry
from troth.core.personal import Personal
from troth.core.text.card_numbers import MASK
from troth.vault.models import Tally

_NAME = "masked_cards"
_MASKED = re.compile(rf"{MASK}[0-9]{{4}}")


def note(entries: Iterable[Entry]) -> None:
    """Add the card numbers that were masked in these entries, which a person sent."""
    count = sum(_masked_in(entry) for entry in entries)
    if not count:
        return
    # With PostgreSQL a row for each time, which the worker sums up (`row_counts.fold`): nobody waits for a row.
    if connection.vendor == "postgresql" or not Tally.objects.filter(name=_NAME).update(n=F("n") + count):
        Tally.objects.create(name=_NAME, n=count)


def total() -> int:
    """Return how many there were since the site was made."""
    return Tally.objects.filter(name=_NAME).aggregate(total=Sum("n"))["total"] or 0


def _masked_in(entry: Entry) -> int:
    values = (getattr(entry, name) for name in entry.__struct_fields__)
    return sum(len(_MASKED.findall(value.reveal())) for value in values if isinstance(value, Personal))
