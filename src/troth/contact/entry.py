"""What a visitor may submit to the inbox (C1). The front imports this; it has no models and no services."""

from typing import ClassVar

from troth.core.entry import Entry, Kind
from troth.core.personal import BasicDetails, MessageText
from troth.core.purpose import Purpose


class ContactMessage(Entry, BasicDetails, frozen=True, kw_only=True):
    """A filled contact form. `email` and `message` are always there; the others where the operator's form asks."""

    schema: ClassVar[int] = 3
    purpose: ClassVar[Purpose] = Purpose.ADMINISTRATION
    kind: ClassVar[Kind] = Kind.MESSAGE

    message: MessageText
    """Lines parted by a newline, card numbers masked."""


ENTRIES: tuple[type[Entry], ...] = (ContactMessage,)
"""Everything this room takes in."""
