"""What a visitor may submit to the newsletter (C1). The front imports this; it has no models and no services."""

from hashlib import sha256
from typing import ClassVar

from troth.core.entry import Entry, EntryRefused, Kind
from troth.core.personal import BasicDetails
from troth.core.purpose import Purpose
from troth.core.signed_links import LENGTH, MAX_TOPICS

PAUSE_AS_IT_IS, PAUSE_ENDS = -1, 0
PAUSES = (PAUSE_AS_IT_IS, PAUSE_ENDS, 1, 3, 6)
"""What may be asked of a pause: leave it as it is, end it, or begin one of so many months."""


class EarlierSignup(Entry, BasicDetails, frozen=True, kw_only=True):
    """A newsletter form as fronts sealed it before there were topics: a spool may still hold one."""

    schema: ClassVar[int] = 1
    purpose: ClassVar[Purpose] = Purpose.ADMINISTRATION
    kind: ClassVar[Kind] = Kind.SIGNUP

    wording: bytes
    """SHA-256 of the consent sentence that stood beside the button."""

    def check(self) -> None:
        """Whether it names a sentence at all; whether it is one of ours, the worker asks its database."""
        if len(self.wording) != sha256().digest_size:
            raise EntryRefused("wording: This is no SHA-256.")


class Signup(EarlierSignup, frozen=True, kw_only=True, omit_defaults=True):
    """A filled newsletter form. Only `email` is always there; the others where the operator's form asks for them."""

    schema: ClassVar[int] = 6

    topics: int = 0
    """What was ticked, a bit for each `Topic.number`."""
    policy: int = 0
    """Number of the privacy policy's version that was in force; 0 where none was."""

    def check(self) -> None:
        """Check, besides, that there can be such topics and such a version."""
        super().check()
        if not (0 <= self.topics < 1 << MAX_TOPICS and 0 <= self.policy < 1 << 31):
            raise EntryRefused("topics or policy: There can be no such number.")


class LinkUsed(Entry, frozen=True):
    """A person pressed the button behind a signed link, or their mail program did (RFC 8058)."""

    schema: ClassVar[int] = 2
    purpose: ClassVar[Purpose] = Purpose.ADMINISTRATION
    kind: ClassVar[Kind] = Kind.LINK

    act: int
    link: str

    def check(self) -> None:
        """Check only the length: whether it is a link, its signature says."""
        if len(self.link) > 4 * LENGTH:
            raise EntryRefused("link: This is too long.")


class PreferencesSet(Entry, frozen=True):
    """Whoever got an issue pressed a button on the page behind its link to their preferences."""

    schema: ClassVar[int] = 7
    purpose: ClassVar[Purpose] = Purpose.ADMINISTRATION
    kind: ClassVar[Kind] = Kind.LINK

    link: str
    seen: int
    """What the page showed as chosen, a bit for each `Topic.number`."""
    chosen: int
    """What was ticked when it was sent. Where it does not differ from `seen`, nothing changes."""
    pause: int = PAUSE_AS_IT_IS
    """For how many months no issue is wanted, one of `PAUSES`."""
    leave: bool = False

    def check(self) -> None:
        """Whether the page has such buttons and boxes."""
        fits = 0 <= self.seen < 1 << 64 and 0 <= self.chosen < 1 << 64
        if not fits or self.pause not in PAUSES or len(self.link) > 4 * LENGTH:
            raise EntryRefused("link, seen, chosen or pause: No page of ours says this.")


def wording_digest(consent: str) -> bytes:
    """Return what is kept of the sentence that one agreed to, or of a list's: its SHA-256. Bytes that are no UTF-8
    count as they are."""
    return sha256(consent.encode("utf-8", "surrogateescape")).digest()


ENTRIES: tuple[type[Entry], ...] = (Signup, EarlierSignup, LinkUsed, PreferencesSet)
"""Everything this room takes in."""
