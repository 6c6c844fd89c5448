"""What a visitor may submit to the inbox (C1). The front imports this; it has no models and no services."""

from typing import ClassVar

from troth.core.entry import Entry, Kind
from troth.core.personal import Company, EmailAddress, MessageText, PersonName, PostalAddress, Telephone
from troth.core.purpose import Purpose


class ContactMessage(Entry, frozen=True):
    """A filled contact form. `email` and `message` are always there; the others where the operator's form asks."""

    schema: ClassVar[int] = 3
    purpose: ClassVar[Purpose] = Purpose.ADMINISTRATION
    kind: ClassVar[Kind] = Kind.MESSAGE

    email: EmailAddress
    message: MessageText
    """Lines parted by a newline, card numbers masked."""
    name: PersonName | None = None
    telephone: Telephone | None = None
    postal_address: PostalAddress | None = None
    company: Company | None = None


ENTRIES: tuple[type[Entry], ...] = (ContactMessage,)
"""Everything this room takes in."""
