"""Tokens that may be used once: spent proof-of-work challenges and waiting tickets, for all fronts alike. Kept in a
file for a clerk that is killed and started again; not synced, as the key that signs challenges goes with the machine,
too. Standard library only."""

import os
import struct
import time
from itertools import islice
from pathlib import Path

_RECORD = struct.Struct(">16sI")
_SWEEP_SECONDS = 60.0
MOST = 500_000
"""Tokens remembered at most. Beyond, the oldest is forgotten: a proof that counts twice is a lesser harm than a clerk
that takes nothing more because a captured front spent all there are."""


class Spent:
    """The tokens whose time has not run out yet. `path` is `spool/spent`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._until: dict[bytes, int] = {}
        self._next_sweep = 0.0
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        data = path.read_bytes()
        for token, until in _RECORD.iter_unpack(data[: len(data) // _RECORD.size * _RECORD.size]):
            self._until[token] = until
        self._sweep()

    def holds(self, token: bytes) -> bool:
        """Whether the token was spent."""
        return token in self._until

    def add(self, tokens: dict[bytes, int]) -> None:
        """Spend tokens, each until its time (seconds since 1970). Where the disk is full they are spent in memory."""
        if time.monotonic() > self._next_sweep:
            self._sweep()
        self._until.update(tokens)
        for token in list(islice(self._until, max(0, len(self._until) - MOST))):
            del self._until[token]
        size = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, b"".join(_RECORD.pack(token, until) for token, until in tokens.items()))
        except OSError:
            return
        if written != len(tokens) * _RECORD.size:
            os.ftruncate(self._file, size)  # no half record may shift those behind it

    def _sweep(self) -> None:
        """Forget what has run out, in memory and in the file."""
        self._next_sweep = time.monotonic() + _SWEEP_SECONDS
        now = int(time.time())
        self._until = {token: until for token, until in self._until.items() if until > now}
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_bytes(b"".join(_RECORD.pack(token, until) for token, until in self._until.items()))
            fresh.replace(self._path)
            replacement = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except OSError:
            return  # a full disk: the old file goes on, and the next sweep tries again
        os.close(self._file)
        self._file = replacement
