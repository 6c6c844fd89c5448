"""Rows of one size in a file, each a body and its checksum, by which a torn or damaged one is known. Touches
nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class RowFormat:
    """How the rows of one kind of file are written. Sizes are in bytes."""

    file: bytes
    """Tells the rows of one kind of file from those of another; 16 bytes at most."""
    body: int
    checksum: int

    @property
    def size(self) -> int:
        """Return the size of a row."""
        return self.body + self.checksum

    def pack(self, body: bytes) -> bytes:
        """Return the row with this body."""
        return body + blake2b(body, digest_size=self.checksum, person=self.file).digest()

    def is_sound(self, row: bytes) -> bool:
        """Return whether the row is whole and undamaged."""
        return len(row) == self.size and self.pack(row[: self.body]) == row

    def bodies(self, data: bytes) -> Iterator[bytes]:
        """Yield the body of each sound row."""
        for start in range(0, len(data), self.size):
            row = data[start : start + self.size]
            if self.is_sound(row):
                yield row[: self.body]
