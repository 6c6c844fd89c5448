"""A file named to a command, opened before the command becomes somebody who may not open it. It stands where a `Path`
stands, for reading; each `open` begins at the file's start. Standard library only."""

import io
import os
import stat
from pathlib import Path
from typing import IO, Any


class OpenedPath(Path):
    """A path whose file is open. `opened` makes one."""

    descriptor: int = -1

    def open(self, mode: str = "r", *_arguments: Any, **_named: Any) -> IO[Any]:  # type: ignore[override]
        """Open as `Path.open` does for "rb", and for nothing else."""
        if mode != "rb":
            raise PermissionError(1, "opened for reading", str(self))
        return io.BufferedReader(_Positioned(self.descriptor))

    def with_segments(self, *segments: Any) -> Path:  # type: ignore[override]
        """Return a path like others."""
        return Path(*segments)

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Return True: it was there to be opened."""
        return True

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a plain file."""
        return stat.S_ISREG(self.stat().st_mode)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return the status of the file that was opened."""
        return os.fstat(self.descriptor)

    def read_bytes(self) -> bytes:
        """Return the whole content."""
        with self.open("rb") as file:
            data: bytes = file.read()
            return data


class _Positioned(io.RawIOBase):
    """Reads a descriptor that others read, too, from a position of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._at = descriptor, 0

    def fileno(self) -> int:
        return self._descriptor

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: os.fstat(self._descriptor).st_size}[whence]
        self._at = begin + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = os.pread(self._descriptor, len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def opened(path: Path) -> Path:
    """Return `path`, open, where that is a plain file; else as it is, to be refused where it is read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return path
    opened_path = OpenedPath(path)
    opened_path.descriptor = descriptor
    if opened_path.is_file():
        return opened_path
    os.close(descriptor)
    return path
