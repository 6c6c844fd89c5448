"""What must survive a loss of power: bytes and the names that lead to them (fsync(2), "NOTES")."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from troth.ground.errors import TrothError


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


@contextmanager
def new_private(path: Path) -> Iterator[BinaryIO]:
    """A new file that only this user can read, synced at the end. Raises `TrothError`.

    What is not whole is removed again; emptied, where this user has become another one since, who may not remove it.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise TrothError(f"{path} is there already.", mend="Name a file that is new.") from None
    except OSError as error:
        raise TrothError(f"{path} cannot be written ({error.strerror}).", mend="Name another place.") from None
    with os.fdopen(descriptor, "wb") as file:
        try:
            yield file
            file.flush()
            os.fsync(descriptor)
        except BaseException as error:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
                path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise TrothError(f"{path} could not be written ({error.strerror}).", mend="Is the disk full?") from None
            raise


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
