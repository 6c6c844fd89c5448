"""Where rows come from: a file, or one of the files of a ZIP. Each is read several times, and never unpacked to disk.

Only reads.
"""

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Protocol, cast

from troth.core.errors import TrothError

if TYPE_CHECKING:
    from collections.abc import Buffer


class FileRefused(TrothError):
    """The file as a whole cannot be read. Names nobody."""


class CsvSource(Protocol):
    """A file of rows."""

    @property
    def name(self) -> str:
        """Return its name, as errors give it."""

    @property
    def size(self) -> int:
        """Return its length in bytes."""

    def open(self) -> BinaryIO:
        """Open it anew. Raises `FileRefused`."""

    def version(self) -> tuple[int, int]:
        """Return what differs once somebody writes to it."""


@dataclass(frozen=True, slots=True)
class FileOnDisk:
    """A file by itself."""

    path: Path

    @property
    def name(self) -> str:
        """Return its name without its folder."""
        return self.path.name

    @property
    def size(self) -> int:
        """Return its length in bytes."""
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        """Open it. Raises `FileRefused`."""
        try:
            if not self.path.is_file():
                raise FileRefused(
                    f"{self.path} is not a file.",
                    mend="Choose a CSV file. It is read twice, so it cannot be a pipe.",
                )
            return self.path.open("rb")
        except OSError as error:
            raise FileRefused(
                f"{self.path} cannot be read ({error.strerror}).", mend="Check that this user may read it."
            ) from None

    def version(self) -> tuple[int, int]:
        """Return its length and when it was last written."""
        stat = self.path.stat()
        return stat.st_size, stat.st_mtime_ns


@dataclass(frozen=True, slots=True, repr=False)
class FileInMemory:
    """A file that somebody uploaded."""

    name: str
    data: bytes

    @property
    def size(self) -> int:
        """Return its length in bytes."""
        return len(self.data)

    def open(self) -> BinaryIO:
        """Open it."""
        return io.BytesIO(self.data)

    def version(self) -> tuple[int, int]:
        """Return its length: nobody writes to it."""
        return self.size, 0


@dataclass(frozen=True, slots=True)
class FileInZip:
    """One of the files of a ZIP, which `zip_export.read_zip` has examined."""

    archive: CsvSource
    entry: str
    """Its whole name in the ZIP."""
    size: int

    @property
    def name(self) -> str:
        """Return its name without its folder."""
        return self.entry.rpartition("/")[2]

    def open(self) -> BinaryIO:
        """Open it. Raises `FileRefused`, also while it is read, if the ZIP is damaged."""
        try:
            raw = self.archive.open()
            with zipfile.ZipFile(raw) as opened:
                unpacked = opened.open(self.entry)
        except (OSError, zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError):
            raise self._damaged() from None
        return cast("BinaryIO", io.BufferedReader(_Unpacked(raw, unpacked, self._damaged())))

    def _damaged(self) -> FileRefused:
        return FileRefused(
            f"{self.name} in {self.archive.name} cannot be unpacked: the ZIP is damaged.",
            mend="Download the export again.",
        )

    def version(self) -> tuple[int, int]:
        """Return the length of the ZIP and when it was last written."""
        return self.archive.version()


class _Unpacked(io.RawIOBase):
    """A file of a ZIP whose errors say which it is."""

    def __init__(self, raw: BinaryIO, unpacked: IO[bytes], damaged: FileRefused) -> None:
        self._raw, self._unpacked, self._damaged = raw, unpacked, damaged

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        try:
            return cast("zipfile.ZipExtFile", self._unpacked).readinto(buffer)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error):
            raise self._damaged from None

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._unpacked.seek(offset, whence)

    def tell(self) -> int:
        return self._unpacked.tell()

    def close(self) -> None:
        self._unpacked.close()
        self._raw.close()
        super().close()


def as_source(file: Path | CsvSource) -> CsvSource:
    """Return a path's file; anything else as it is."""
    return FileOnDisk(file) if isinstance(file, Path) else file
