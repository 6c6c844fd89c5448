"""What a visitor may submit to the newsletter (C1). The front imports this; it has no models and no services."""

from hashlib import sha256
from typing import ClassVar

from troth.core.entry import Entry, EntryRefused, Kind
from troth.core.personal import BasicDetails
from troth.core.purpose import Purpose
from troth.core.signed_links import LENGTH


class Signup(Entry, BasicDetails, frozen=True, kw_only=True):
    """A filled newsletter form. Only `email` is always there; the others where the operator's form asks for them."""

    schema: ClassVar[int] = 1
    purpose: ClassVar[Purpose] = Purpose.ADMINISTRATION
    kind: ClassVar[Kind] = Kind.SIGNUP

    wording: bytes
    """SHA-256 of the consent sentence that stood beside the button."""

    def check(self) -> None:
        """Whether it names a sentence at all; whether it is one of ours, the worker asks its database."""
        if len(self.wording) != sha256().digest_size:
            raise EntryRefused("wording: This is no SHA-256.")


class LinkUsed(Entry, frozen=True):
    """A person pressed the button behind a signed link, or their mail program did (RFC 8058)."""

    schema: ClassVar[int] = 2
    purpose: ClassVar[Purpose] = Purpose.ADMINISTRATION
    kind: ClassVar[Kind] = Kind.LINK

    act: int
    link: str

    def check(self) -> None:
        """Of any length that a link may have; whether it is one, its signature says."""
        if len(self.link) > 4 * LENGTH:
            raise EntryRefused("link: This is too long.")


def wording_digest(consent: str) -> bytes:
    """Return what is kept of the sentence that one agreed to, or of a list's: its SHA-256. Bytes that are no UTF-8
    count as they are."""
    return sha256(consent.encode("utf-8", "surrogateescape")).digest()


ENTRIES: tuple[type[Entry], ...] = (Signup, LinkUsed)
"""Everything this room takes in."""
