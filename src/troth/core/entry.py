"""What a visitor may submit: the base of every package's entries, which are closed, typed structs with a purpose and a
wire schema, and the kinds of frame that they travel in, each with a quota."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import ClassVar
from uuid import UUID

import msgspec

from troth.core import clock
from troth.core.errors import TrothError
from troth.core.ids import made_at_ms
from troth.core.purpose import Purpose


class Kind(IntEnum):
    """The kinds of frame. Each has its own share of the spool, so that a flood of one never shuts out another."""

    SIGNUP = 1
    """A newsletter form."""
    LINK = 2
    """A person used a signed link: confirm, unsubscribe, erase."""
    MESSAGE = 3
    """A contact form."""
    RIGHTS = 4
    """Somebody asks what is kept of them."""
    HITS = 5
    """Visitor statistics: sums about nobody."""
    NOTICE = 6
    """The card company says that something happened, or a buyer came back from it."""


class EntryRefused(TrothError):
    """An entry that no front of ours seals: what is in it was not held to what the forms ask. Carries no value."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=False):
    """Base of what a visitor may submit. Subclasses live in a room's `entry.py` and set the three class variables."""

    schema: ClassVar[int]
    """Wire number, unique over all rooms, 1..255; changes when the fields do."""
    purpose: ClassVar[Purpose | None]
    """What the entry is sealed for; part of the seal. None: it is about nobody, and no person's data is in it."""
    kind: ClassVar[Kind]
    """Whose quota it counts against in the spool."""

    def check(self) -> None:
        """Check its fields besides the details of a person. Raises `EntryRefused`."""


@dataclass(frozen=True, slots=True)
class Came[E]:
    """An entry as it came in: `at` is when the front made it, never later than now."""

    entry_id: UUID
    entry: E
    at: datetime


def came[E](entry_id: UUID, entry: E) -> Came[E]:
    """Return an entry with the time in its id: the front's clock, bounded by ours. `ValueError` for a foreign id."""
    made_at = datetime.fromtimestamp(made_at_ms(entry_id) / 1000, UTC)
    return Came(entry_id, entry, min(made_at, clock.now()))
