"""The site's keys for signed links and receipts. Worker only.

Reads `keys/sign/` and `keys/site-id` once.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from troth.core import receipts
from troth.core.errors import TrothError
from troth.core.signed_links import Act, LinkExpired, LinkSigner, LinkVerifier
from troth.core.site import Site
from troth.vault.keeper import read_site_id

_SIGN_KEYS_MEND = "Put keys/sign/ back from your backup: links in mails that went out need it."


@cache
def _link_keys(root: Path) -> dict[int, Ed25519PrivateKey]:
    keys = {}
    for path in sorted(Site(root).sign_keys.glob("*.key")):
        if path.stem.isdigit() and 0 < int(path.stem) < 256:
            keys[int(path.stem)] = _link_key(path)
    if not keys:
        raise TrothError("There is no key to sign links with in keys/sign/.", mend=_SIGN_KEYS_MEND)
    return keys


def _link_key(path: Path) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except ValueError:
        raise TrothError(f"keys/sign/{path.name} is not whole.", mend=_SIGN_KEYS_MEND) from None


def public_link_keys() -> dict[int, bytes]:
    """Return the keys that verify links, by number, for the front."""
    return {number: key.public_key().public_bytes_raw() for number, key in _link_keys(settings.TROTH_SITE.root).items()}


def signer() -> LinkSigner:
    """Return the signer, which uses the newest key."""
    return _signer(settings.TROTH_SITE.root)


def sign_receipt(content: Mapping[str, Any], kind: str = receipts.ERASURE) -> str:
    """Sign a receipt with the newest key."""
    keys = _link_keys(settings.TROTH_SITE.root)
    return receipts.sign(content, max(keys), keys[max(keys)], kind)


def verifier() -> LinkVerifier:
    """Return the verifier, which accepts every key."""
    return _verifier(settings.TROTH_SITE.root)


def subject(text: str, act: Act, at: datetime) -> UUID:
    """Return whom a link concerns, judged by the time it was used. Raises `LinkRefused`."""
    try:
        return verifier().verify(text, act).subject
    except LinkExpired as expired:  # raised only after the signature was found good
        if expired.link.expires is None or at > expired.link.expires:
            raise
        return expired.link.subject


@cache
def _signer(root: Path) -> LinkSigner:
    keys = _link_keys(root)
    return LinkSigner(read_site_id(Site(root)), max(keys), keys[max(keys)])


@cache
def _verifier(root: Path) -> LinkVerifier:
    return LinkVerifier(read_site_id(Site(root)), public_link_keys())
