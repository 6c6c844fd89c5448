"""Signed links: what a mail carries so that a person can act without an account.

A link is `base64url(version 1 | key 1 | act 1 | subject 16 | expires 4 | signature 64)`, 116 characters. The signature
(Ed25519, RFC 8032) covers the site's id and everything before it, so a link of another site does not verify. The
front holds only public keys: it can tell a good link from a bad one and cannot make one. The worker verifies again.

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

_VERSION = 1
_SIZE = 87
_CONTEXT = b"troth link v1\0"
LENGTH = 116
"""Characters in a link."""


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


class LinkExpired(LinkRefused):
    """A link that was good until its time ran out."""


@dataclass(frozen=True, slots=True)
class Link:
    """A verified link. `expires` is None for one that does not."""

    act: Act
    subject: uuid.UUID
    expires: datetime | None


class LinkSigner:
    """Makes links. Only the worker has one."""

    def __init__(self, site: uuid.UUID, key_number: int, key: Ed25519PrivateKey) -> None:
        self._prefix, self._number, self._key = _CONTEXT + site.bytes, key_number, key

    def sign(self, act: Act, subject: uuid.UUID, expires: datetime | None = None) -> str:
        """A link of `LENGTH` characters. `expires` is kept to the second."""
        seconds = int(expires.timestamp()) if expires else 0
        payload = bytes([_VERSION, self._number, act]) + subject.bytes + seconds.to_bytes(4)
        return base64.urlsafe_b64encode(payload + self._key.sign(self._prefix + payload)).decode()


class LinkVerifier:
    """Tells our links from all others. Holds public keys only, by number: old ones stay, so old mails still work."""

    def __init__(self, site: uuid.UUID, keys: dict[int, bytes]) -> None:
        self._prefix = _CONTEXT + site.bytes
        self._keys = {number: Ed25519PublicKey.from_public_bytes(raw) for number, raw in keys.items()}

    def verify(self, text: str, act: Act) -> Link:
        """The link in `text`. Raises `LinkExpired` or `LinkRefused`; neither repeats the text."""
        raw = _decode(text)
        payload, signature = raw[:-64], raw[-64:]
        key = self._keys.get(payload[1]) if payload[0] == _VERSION else None
        if key is None or payload[2] != act:
            raise LinkRefused("This link isn’t valid.", mend="Copy the whole link from the email and try again.")
        try:
            key.verify(signature, self._prefix + payload)
        except InvalidSignature:
            raise LinkRefused(
                "This link isn’t valid.", mend="Copy the whole link from the email and try again."
            ) from None
        seconds = int.from_bytes(payload[19:23])
        if seconds and clock.now().timestamp() > seconds:
            raise LinkExpired("This link has expired.", mend="Submit the form again to get a new one.")
        expires = datetime.fromtimestamp(seconds, UTC) if seconds else None
        return Link(act, uuid.UUID(bytes=bytes(payload[3:19])), expires)


def _decode(text: str) -> bytes:
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raw = b""
    # Python also takes `+` for `-` and `/` for `_`; but one link has exactly one spelling.
    if len(raw) != _SIZE or base64.urlsafe_b64encode(raw).decode() != text:
        raise LinkRefused("This link is incomplete.", mend="Copy the whole link from the email and try again.")
    return raw
