"""Signed links: what a mail carries so that a person can act without an account.

A link is `base64url(version 1 | key 1 | act 1 | subject 16 | expires 4 | signature 64)`, 116 characters. A link to
somebody's preferences is of version 2 and carries, before the signature, the topics that they had chosen when it was
made (8 bytes, a bit for each `Topic.number`): 127 characters, so that the page behind it needs to ask nobody. The
signature (Ed25519, RFC 8032) covers the site's id and everything before it, so a link of another site does not verify.
The front holds only public keys: it can tell a good link from a bad one and cannot make one. The worker verifies again.

`subject` is the opaque id of what the act concerns (a sign-up request, a subscription), never of a person.
"""

import base64
import binascii
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from troth.core import clock
from troth.core.errors import TrothError

_VERSION, _VERSION_WITH_TOPICS = 1, 2
_SIZE, _SIZE_WITH_TOPICS = 87, 95
_CONTEXT = b"troth link v1\0"
LENGTH = 116
"""Characters in a link, but for those with topics."""
LENGTH_WITH_TOPICS = 127
MAX_TOPICS = 63
"""A bit each, in a link and in a signed integer of a database."""


class Act(IntEnum):
    """What a link lets its holder do. A link for one act does not serve for another."""

    CONFIRM = 1
    UNSUBSCRIBE = 2
    RIGHTS = 3
    """See, take along or erase what is kept of the one who got the link."""
    PREFERENCES = 4
    """Choose topics, pause or leave."""


class LinkRefused(TrothError):
    """A link that is not ours, was altered, is for another act, or has expired (`LinkExpired`)."""


@dataclass(frozen=True, slots=True)
class Link:
    """A verified link. `expires` is None for one that does not."""

    act: Act
    subject: uuid.UUID
    expires: datetime | None
    topics: int = 0
    """Of a link to preferences: a bit for each topic that was chosen when it was made."""


class LinkExpired(LinkRefused):
    """A link that was good until its time ran out."""

    def __init__(self, link: Link) -> None:
        super().__init__("This link has expired.", mend="Submit the form again to get a new one.")
        self.link = link


class LinkSigner:
    """Makes links. Only the worker has one."""

    def __init__(self, site: uuid.UUID, key_number: int, key: Ed25519PrivateKey) -> None:
        self._prefix, self._number, self._key = _CONTEXT + site.bytes, key_number, key

    def sign(self, act: Act, subject: uuid.UUID, expires: datetime | None = None) -> str:
        """Sign a link of `LENGTH` characters, `expires` to the second. `ValueError` for an act that needs topics."""
        if act is Act.PREFERENCES:
            raise ValueError("a link to preferences carries topics: use sign_topics")
        seconds = int(expires.timestamp()) if expires else 0
        return self._signed(_VERSION, act, subject, seconds.to_bytes(4))

    def sign_topics(self, subject: uuid.UUID, topics: int) -> str:
        """A link to preferences, `LENGTH_WITH_TOPICS` characters, which does not expire. `topics`: a bit for each that
        is chosen now."""
        return self._signed(_VERSION_WITH_TOPICS, Act.PREFERENCES, subject, bytes(4) + topics.to_bytes(8))

    def _signed(self, version: int, act: Act, subject: uuid.UUID, end: bytes) -> str:
        payload = bytes([version, self._number, act]) + subject.bytes + end
        return _encode(payload + self._key.sign(self._prefix + payload))


class LinkVerifier:
    """Tells our links from all others. Holds public keys only, by number: old ones stay, so old mails still work."""

    def __init__(self, site: uuid.UUID, keys: dict[int, bytes]) -> None:
        self._prefix = _CONTEXT + site.bytes
        self._keys = {number: Ed25519PublicKey.from_public_bytes(raw) for number, raw in keys.items()}

    def verify(self, text: str, act: Act) -> Link:
        """Return the link in `text`. Raises `LinkExpired` or `LinkRefused`; neither repeats the text."""
        raw = _decode(text)
        payload, signature = raw[:-64], raw[-64:]
        version = _VERSION_WITH_TOPICS if act is Act.PREFERENCES else _VERSION
        size = _SIZE_WITH_TOPICS if act is Act.PREFERENCES else _SIZE
        key = self._keys.get(payload[1]) if payload[0] == version and len(raw) == size else None
        if key is None or payload[2] != act:
            raise LinkRefused("This link isn’t valid.", mend="Copy the whole link from the email and try again.")
        try:
            key.verify(signature, self._prefix + payload)
        except InvalidSignature:
            raise LinkRefused(
                "This link isn’t valid.", mend="Copy the whole link from the email and try again."
            ) from None
        seconds = int.from_bytes(payload[19:23])
        expires = datetime.fromtimestamp(seconds, UTC) if seconds else None
        link = Link(act, uuid.UUID(bytes=bytes(payload[3:19])), expires, int.from_bytes(payload[23:]))
        if seconds and clock.now().timestamp() > seconds:
            raise LinkExpired(link)
        return link


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raw = b""
    # Python also takes `+` for `-` and `/` for `_`; but one link has exactly one spelling.
    if len(raw) not in (_SIZE, _SIZE_WITH_TOPICS) or _encode(raw) != text:
        raise LinkRefused("This link is incomplete.", mend="Copy the whole link from the email and try again.")
    return raw
