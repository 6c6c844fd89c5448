"""The one rule by which a person goes with the last thing that was kept of them: nothing else is known of them.

Each room that lets something go by the clock asks here first. May touch: the database.
"""

from collections.abc import Collection
from uuid import UUID

from troth.vault.models import Record
from troth.vault.records import DETAILS


def otherwise_known(people: Collection[UUID], *, besides: Collection[str]) -> set[UUID]:
    """Those of these people of whom there is any record but their details and those of the kinds `besides`."""
    remaining = Record.with_canaries.filter(person__in=people).exclude(kind__in=[DETAILS, *besides])
    return set(remaining.values_list("person_id", flat=True))
