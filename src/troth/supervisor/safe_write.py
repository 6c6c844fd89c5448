"""Writing in a folder that somebody with fewer rights may write, too: never by name, and never with more rights than
theirs.

Whoever may write a folder decides what its names lead to: a symbolic link at `data/house.json` leads root to any file
of the machine, a hard link lends it that file's content, a pipe lets it wait for ever. So a process of root's

    acts as the owner of the folder while it is in there: what the owner may not do, the kernel refuses root as well
    opens the folder once, and each name in it by that descriptor, without following (`core.disk.open_plain`)
    writes a file that is new, and puts it in the old one's place by a rename

Without root, or in a folder of its own, only the second and third remain. Standard library only.
"""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from troth.core.disk import open_plain


@dataclass(frozen=True, slots=True)
class User:
    """Whom a process becomes: `ident` is the user's id, `group` that of its own group, `groups` all of them: first the
    one that its files get."""

    ident: int
    group: int
    groups: list[int]

    @property
    def own(self) -> tuple[int, int]:
        """The user's id, and that of its own group: two numbers, which need not be the same."""
        return self.ident, self.group


def owner_of(folder: Path) -> User | None:
    """Return whose folder it is, where that is somebody with fewer rights than this process, else None. What they make
    there gets the folder's group. Raises `OSError` where it is not there."""
    if os.geteuid() != 0:
        return None
    status = folder.stat()
    if status.st_uid == 0:
        return None
    try:
        entry = pwd.getpwuid(status.st_uid)
        own, groups = entry.pw_gid, os.getgrouplist(entry.pw_name, entry.pw_gid)
    except KeyError:  # a number without a name
        own, groups = status.st_gid, []
    return User(status.st_uid, own, list(dict.fromkeys([status.st_gid, own, *groups])))


@contextmanager
def acting_as(user: User | None) -> Iterator[None]:
    """Have the rights of `user` and no others, for a while; None: stay as one is. For the whole process: keep no other
    thread at work that needs more."""
    if user is None or os.geteuid() != 0:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    os.setgroups(user.groups)
    os.setegid(user.groups[0])
    os.seteuid(user.ident)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def open_theirs(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open a plain file in a folder of somebody else's, with their rights. Raises `OSError`."""
    with acting_as(owner_of(path.parent)):
        return open_plain(path, flags)


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """A folder of `user`'s (None: one's own) in which this process writes, reads and removes plain files with one name.
    Raises `OSError` for anything else."""

    path: Path
    user: User | None = None

    @contextmanager
    def _inside(self) -> Iterator[int]:
        with acting_as(self.user):
            folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                yield folder
            finally:
                os.close(folder)

    def write(self, name: str, data: bytes, mode: int = 0o640) -> None:
        """Put a file there, whole or not at all, in the place of what bears that name."""
        fresh = f".{name}.new"
        with self._inside() as folder:
            with suppress(FileNotFoundError):
                os.unlink(fresh, dir_fd=folder)
            new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(fresh, new, 0o600, dir_fd=folder), "wb") as file:
                file.write(data)
                os.fchmod(file.fileno(), mode)
            os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)

    def read(self, name: str, most: int) -> bytes:
        """Return the first `most` bytes of a file."""
        with self._inside() as folder, os.fdopen(open_plain(name, folder=folder), "rb") as file:
            return file.read(most)

    def changed_at(self, name: str) -> float:
        """Return when a file was last changed, in seconds since 1970. It is not opened."""
        with self._inside() as folder:
            return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime

    def remove(self, name: str) -> None:
        """Remove what bears that name, unless it is a folder or not there."""
        with self._inside() as folder, suppress(FileNotFoundError, IsADirectoryError):
            os.unlink(name, dir_fd=folder)
