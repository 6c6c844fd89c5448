"""Writing that survives a loss of power (fsync(2), "NOTES"), and opening files in folders where others may plant
names."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from troth.core.errors import TrothError


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable: a file that was synced may have no name yet. Raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | bytearray) -> None:
    """Write all of `data`, in as many calls as it takes. Raises `OSError`."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def open_plain(
    path: Path | str, flags: int = os.O_RDONLY, mode: int = 0o660, *, folder: int | None = None, linked: bool = False
) -> int:
    """Open a plain file that has this one name, and return its descriptor. Raises `OSError` for anything else.

    Where somebody with fewer rights may write in the folder, a name may be a symbolic link, a second name of a file
    that is elsewhere, or a pipe that keeps who opens it waiting: each is refused, and nothing is cut before that.
    `folder`: a descriptor that `path` is relative to. `linked`: it may have a second name, as keys have in a restore.
    """
    safe_flags = (flags & ~os.O_TRUNC) | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, safe_flags, mode, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or (status.st_nlink > 1 and not linked):
            raise OSError(errno.ELOOP, "not a plain file with one name", str(path))
        if flags & os.O_TRUNC:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_shared(path: Path, flags: int) -> int:
    """Open a plain file, as above; one that is not there yet is made for all who share its folder: with the folder's
    group and what owner and group may do in it, whoever makes it and under whatever umask; by root for the folder's
    owner. One that is there stays as it is. Raises `OSError`."""
    try:
        descriptor = open_plain(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return open_plain(path, flags | os.O_CREAT, linked=True)
    try:
        folder, mine = path.parent.stat(), os.fstat(descriptor)
        owner = folder.st_uid if os.geteuid() == 0 else mine.st_uid
        if (owner, folder.st_gid) != (mine.st_uid, mine.st_gid):
            with suppress(PermissionError):  # a group that this user is not in
                os.fchown(descriptor, owner, folder.st_gid)
        os.fchmod(descriptor, folder.st_mode & 0o660)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_plain(path: Path, most: int = -1) -> bytes:
    """Return what is in a plain file, or the first `most` bytes of it. Raises `OSError` for anything else, as above."""
    with os.fdopen(open_plain(path), "rb") as file:
        return file.read(most)


def is_plain(path: Path) -> bool:
    """Whether a plain file is there, and no link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def write_synced(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write a new file in the place of what bears that name, link or not, and sync it; `mode` is set whatever the
    umask. Its name wants `sync_folder`."""
    with suppress(FileNotFoundError):
        path.unlink()
    new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, new, 0o666), "wb") as file:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def new_private(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file that only this user can read, synced at the end. Raises `TrothError`; then it is removed, or
    emptied where this user may no longer remove it."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise TrothError(f"{path} already exists.", mend="Choose a new file name.") from None
    except OSError as error:
        raise TrothError(f"{path} can't be written ({error.strerror}).", mend="Choose another place.") from None
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
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def touch(path: Path) -> None:
    """Set the file's times to now, by its descriptor as above; it is made where it is missing. Raises `OSError`."""
    descriptor = open_plain(path, os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        os.utime(descriptor)
    finally:
        os.close(descriptor)
