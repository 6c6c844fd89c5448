"""What must survive a loss of power: bytes and the names that lead to them (fsync(2), "NOTES")."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable: a file that was synced may have no name yet. Raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_synced(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write the whole file and sync it; `mode` is set whatever the umask. Its name wants `sync_folder`."""
    with path.open("wb") as file:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def set_mode(folder: Path, mode: int) -> None:
    """Set a folder's mode whatever the umask, by its descriptor: behind a fence nobody changes a mode by path."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def touch(path: Path) -> None:
    """Set the file's times to now, by its descriptor as above; it is made where it is missing. Raises `OSError`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        os.utime(descriptor)
    finally:
        os.close(descriptor)
