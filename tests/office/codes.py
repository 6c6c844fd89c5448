"""An authenticator app: RFC 6238 by its definition, so that codes in tests are real ones."""

import base64
import hashlib
import hmac
import time


def code(secret: str, *, steps: int = 0) -> str:
    """The six digits for `secret` (base32) now, or `steps` periods of 30 s from now."""
    counter = int(time.time()) // 30 + steps
    digest = hmac.digest(base64.b32decode(secret, casefold=True), counter.to_bytes(8), hashlib.sha1)
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF) % 1_000_000:06}"
