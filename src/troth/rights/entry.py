"""What a visitor may submit about their own record. The front imports this; it has no models and no services."""

from typing import ClassVar

from troth.core.entry import Entry, EntryRefused, Kind
from troth.core.personal import EmailAddress
from troth.core.purpose import Purpose
from troth.core.signed_links import LENGTH

ERASE, MAIL = "erase", "mail"
"""What may be asked by a link: have everything erased, or have what is kept sent by mail."""


class RightsAsked(Entry, frozen=True):
    """Somebody asks what is kept under this address. Sealed for identification: the address gets a mail and is not
    kept."""

    schema: ClassVar[int] = 4
    purpose: ClassVar[Purpose] = Purpose.IDENTIFICATION
    kind: ClassVar[Kind] = Kind.RIGHTS

    email: EmailAddress


class RightsUsed(Entry, frozen=True):
    """Whoever got the mail pressed a button on the page behind its link."""

    schema: ClassVar[int] = 5
    purpose: ClassVar[Purpose] = Purpose.ADMINISTRATION
    kind: ClassVar[Kind] = Kind.LINK

    link: str
    wish: str
    """`ERASE` or `MAIL`; anything else is refused by the worker."""

    def check(self) -> None:
        """Whether it wishes for something that there is."""
        if self.wish not in (ERASE, MAIL) or len(self.link) > 4 * LENGTH:
            raise EntryRefused("wish or link: No button of ours says this.")


ENTRIES: tuple[type[Entry], ...] = (RightsAsked, RightsUsed)
"""Everything that is taken in here."""
