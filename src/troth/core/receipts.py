"""Receipts: a signed text that says what was erased, or what somebody agreed to, and names nobody. Anyone with the
public key may check.

    {"signed": "<the text, itself JSON>", "ed25519": "<public key>", "number": 1, "signature": "<base64>"}

The signature (Ed25519, RFC 8032) covers the text's bytes, UTF-8. The key also signs links, none of which begins as this
text does. docs/rights.md shows how to check with openssl.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from troth.core.errors import TrothError

ERASURE, CONSENT = "troth_erasure_receipt", "troth_consent_receipt"
"""Kinds of receipts, as the signed text begins."""
_LARGEST = 64 * 1024


class ReceiptRefused(TrothError):
    """A file that is no receipt, was altered, or is another site's."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt whose signature is good. `told` is what it says; `key` the raw public key that signed it."""

    told: Mapping[str, Any]
    key: bytes
    number: int
    kind: str = ERASURE


def sign(statement: Mapping[str, Any], number: int, key: Ed25519PrivateKey, kind: str = ERASURE) -> str:
    """Return the receipt that says `statement`, as JSON."""
    text = json.dumps({kind: 1, **statement}, ensure_ascii=False, separators=(",", ":"))
    shell = {
        "signed": text,
        "ed25519": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
        "number": number,
        "signature": base64.b64encode(key.sign(text.encode())).decode(),
    }
    return json.dumps(shell, ensure_ascii=False, indent=1) + "\n"


def read(data: bytes, keys: Mapping[int, bytes] | None = None, kinds: Sequence[str] = (ERASURE,)) -> Receipt:
    """Return the receipt in `data`, one of `kinds`, its signature checked against the site's public `keys` by number;
    without, against the key in it, which shows only that nobody altered it. Raises `ReceiptRefused`."""
    text, number, key, signature = _parts(data)
    if keys is not None and keys.get(number) != key:
        raise ReceiptRefused(
            "This receipt was signed with another key than this site's.",
            mend="Compare its `ed25519` with the keys at /privacy/keys of the site that gave it.",
        )
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode())
        document = json.loads(text)
    except (InvalidSignature, ValueError):
        raise _refused("The receipt was altered: its signature does not fit.") from None
    kind = next((kind for kind in kinds if isinstance(document, dict) and document.get(kind) == 1), None)
    if kind is None:
        raise _refused("What was signed is not such a receipt.")
    return Receipt(document, key, number, kind)


def _parts(data: bytes) -> tuple[str, int, bytes, bytes]:
    try:
        shell: Any = json.loads(data) if len(data) <= _LARGEST else None
        text, number = shell["signed"], shell["number"]
        key, signature = (base64.b64decode(shell[name], validate=True) for name in ("ed25519", "signature"))
        if isinstance(text, str) and isinstance(number, int) and len(key) == 32:
            return text, number, key, signature
    except (ValueError, TypeError, KeyError, binascii.Error):
        pass
    raise _refused("This is not a receipt as Troth writes them.")


def _refused(reason: str) -> ReceiptRefused:
    return ReceiptRefused(reason, mend="Take the file as it was saved, without changing or reformatting it.")
