"""The rule by which a person is deleted together with the last thing stored about them.

Packages that delete by age call it first. May touch: the database.
"""

from collections.abc import Collection
from uuid import UUID

from troth.vault.models import LegalHold, Record
from troth.vault.records import DETAILS, MAIL_DATA


def otherwise_known(people: Collection[UUID], *, besides: Collection[str]) -> set[UUID]:
    """Return those of these people who have any record other than their details, what emails
    carried, and the kinds in `besides`; or of whom a law requires something to be kept."""
    remaining = Record.with_canaries.filter(person__in=people).exclude(kind__in=[DETAILS, MAIL_DATA, *besides])
    held = LegalHold.with_canaries.filter(person__in=people).values_list("person_id", flat=True)
    return {*remaining.values_list("person_id", flat=True), *(person for person in held if person)}
