"""The packages that hold something of people, in the order in which an export names them."""

from collections.abc import Sequence
from itertools import batched
from uuid import UUID

from troth.core.holdings import Holding
from troth.core.rooms import rooms


def holdings() -> tuple[Holding, ...]:
    """Return every package's `erase.py`."""
    return tuple(room.holding for room in rooms() if room.holding is not None)


def dealt_with(people: Sequence[UUID]) -> set[UUID]:
    """Return those of these people with whom any package has had to do: they alone are in the leak index."""
    known = set[UUID]()
    for some in batched(people, 500):
        known.update(*(holding.dealt_with(some) for holding in holdings()))
    return known
