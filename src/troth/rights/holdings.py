"""The rooms that hold something of people, in the order in which an export names them."""

from collections.abc import Sequence
from itertools import batched
from uuid import UUID

from troth.contact import erase as inbox
from troth.newsletter import erase as letters
from troth.vault.holdings import Holding

HOLDINGS: tuple[Holding, ...] = (letters, inbox)


def dealt_with(people: Sequence[UUID]) -> set[UUID]:
    """Those of these people with whom any room has had to do: the leak index holds them, and nobody else."""
    found = set[UUID]()
    for some in batched(people, 500):
        found.update(*(room.dealt_with(some) for room in HOLDINGS))
    return found
