"""Where the answer to "what do you keep of me" lies until it is fetched. The worker writes, the front reads.

    public/answers/<request>.<mark>      what is kept, encrypted; the key is only in the fragment of the mailed link
    public/answers/<request>.receipt     the receipt of an erasure, once there is one

`request` is a rights request's id in hex; `mark` begins a hash of the key, so that each mail's key finds its answer.
"""

import re
import uuid
from hashlib import sha256
from pathlib import Path

RECEIPT = "receipt"
MARK = re.compile(r"[0-9a-f]{16}")
"""What a mark looks like: the front takes no other word for a file's name."""


def folder(public: Path) -> Path:
    """Return where answers lie."""
    return public / "answers"


def mark_of(key: bytes) -> str:
    """Return the mark of the answer that `key` opens. The page's script makes the same."""
    return sha256(b"troth answer\0" + key).hexdigest()[:16]


def path(public: Path, request: uuid.UUID, suffix: str) -> Path:
    """Return the file of `request` for a mark, or its `RECEIPT`."""
    return folder(public) / f"{request.hex}.{suffix}"


def request_of(name: str) -> uuid.UUID | None:
    """Return whose file this is; None for a name that is none of ours."""
    stem, dot, _ = name.partition(".")
    if not dot or len(stem) != 32 or not all(char in "0123456789abcdef" for char in stem):
        return None
    return uuid.UUID(stem)
