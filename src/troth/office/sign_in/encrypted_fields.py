"""What the office alone may read back from the database: encrypted under keys drawn from `keys/office/secret.key`.

A backup of the database, or another process that reads it, finds only boxes.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_NONCE = 12


class NotOurs(Exception):
    """A box that does not open with today's key: altered, or made under another `keys/office/secret.key`."""


def _cipher(use: str) -> AESGCM:
    drawn = HKDF(SHA256(), 32, salt=None, info=f"troth office {use}".encode()).derive(settings.SECRET_KEY.encode())
    return AESGCM(drawn)


def close(use: str, content: bytes) -> str:
    """`content` as it is stored for one use: base64 of a 12-byte nonce and AES-256-GCM's box."""
    nonce = os.urandom(_NONCE)
    return base64.b64encode(nonce + _cipher(use).encrypt(nonce, content, None)).decode()


def open_again(use: str, stored: bytes | str) -> bytes:
    """The content again; raises `NotOurs`."""
    try:
        box = base64.b64decode(stored, validate=True)
        return _cipher(use).decrypt(box[:_NONCE], box[_NONCE:], None)
    except (InvalidTag, ValueError) as error:
        raise NotOurs from error
