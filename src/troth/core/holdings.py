"""What a package tells of what it holds of a person, for their page, export and erasure: the functions of its
`erase.py`, all of which `rights.services` asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from troth.core.personal import Personal

type Value = str | int | bool | datetime | Personal | None
"""What an export may carry; what people typed stays in its types until it is written out."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened, and when."""

    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """One room's part of an export: `name` for programs, `title` for people, `items` in the order of time.

    `typed`: what the person had typed themselves stands under these keys; it may name others.
    """

    name: str
    title: str
    items: tuple[dict[str, Value], ...]
    typed: frozenset[str] = frozenset()


class Holding(Protocol):
    """A room's `erase.py`."""

    def history(self, person: UUID) -> Sequence[Step]:
        """Return what happened between us and this person. Opens nothing."""
        ...

    def export(self, person: UUID, actor: UUID | str) -> Sequence[Part]:
        """Return all that the room holds of this person, opened through the keeper, in the ledger."""
        ...

    def dealt_with(self, people: Sequence[UUID]) -> set[UUID]:
        """Those of these people with whom the room has had to do: they confirmed, or were answered. These alone are in
        the leak index, for anybody may type anything into a form. Opens nothing."""
        ...

    def must_keep(self, person: UUID) -> Sequence[str]:
        """Return what the law wants kept, each in words for the receipt; empty where everything may go."""
        ...
