"""Opaque ids: UUIDv7 (RFC 9562, section 5.7), which sort by time and say nothing else. Standard library only."""

import os
import threading
import uuid
from hashlib import blake2b

from troth.core import clock

_lock = threading.Lock()
_last = 0


def new_id() -> uuid.UUID:
    """Return a new UUIDv7: 48 bits of milliseconds, 12 that count within one (RFC 9562, section 6.2, method 1), 62
    random. Ids of one process never run backwards, even when the wall clock does."""
    global _last
    with _lock:
        # The counter sits in the 12 bits below the milliseconds, so one addition carries into the next millisecond.
        _last = max(_last + 1, clock.timestamp_ms() << 12)
        stamp = _last
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62
    return uuid.UUID(int=value | int.from_bytes(os.urandom(8)) >> 2)


def derived(origin: uuid.UUID, label: str) -> uuid.UUID:
    """Derive the id of `what` from `origin` (a UUIDv7): always the same, sorted as its origin is. Guessable."""
    drawn = int.from_bytes(blake2b(origin.bytes + label.encode(), digest_size=8, person=b"troth derived").digest())
    return uuid.UUID(int=origin.int >> 64 << 64 | 0b10 << 62 | drawn >> 2)


def made_at_ms(value: uuid.UUID) -> int:
    """Return when a UUIDv7 was made, in milliseconds since 1970; `ValueError` for another version."""
    if value.version != 7:
        raise ValueError("not a UUIDv7")
    return value.int >> 80
