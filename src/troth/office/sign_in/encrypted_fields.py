"""Encryption of database fields that only the office can decrypt, with keys derived from `keys/office/secret.key`: a
backup of the database, or another process that reads it, has ciphertext only."""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_NONCE = 12


class NotOurs(Exception):
    """Ciphertext that was altered, or made under another `keys/office/secret.key`."""


def _cipher(use: str) -> AESGCM:
    derived = HKDF(SHA256(), 32, salt=None, info=f"troth office {use}".encode()).derive(settings.SECRET_KEY.encode())
    return AESGCM(derived)


def close(use: str, content: bytes) -> str:
    """Encrypt `content` for one use: base64 of a 12-byte nonce and the AES-256-GCM ciphertext."""
    nonce = os.urandom(_NONCE)
    return base64.b64encode(nonce + _cipher(use).encrypt(nonce, content, None)).decode()


def open_again(use: str, stored: bytes | str) -> bytes:
    """Decrypt the content. Raises `NotOurs`."""
    try:
        box = base64.b64decode(stored, validate=True)
        return _cipher(use).decrypt(box[:_NONCE], box[_NONCE:], None)
    except (InvalidTag, ValueError) as error:
        raise NotOurs from error
