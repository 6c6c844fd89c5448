"""To whom a program's emails may go: confirmed subscribers, and people whom another package dealt with. Touches the
database.
"""

from collections.abc import Sequence
from uuid import UUID

from troth.core.rooms import rooms
from troth.newsletter.models import Subscription


def known(people: Sequence[UUID]) -> set[UUID]:
    """Return to whom of these email may be sent: anybody can type anybody's address into a form, and of who
    unsubscribed the details stay as evidence alone."""
    rows = Subscription.with_canaries.filter(person__in=people, state=Subscription.State.CONFIRMED)
    subscribed = set(rows.values_list("person_id", flat=True))
    others = (room.holding for room in rooms() if room.holding and room.name != "newsletter")
    return subscribed.union(*(holding.dealt_with(people) for holding in others))
