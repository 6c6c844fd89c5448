"""Owners and modes of a site's folder, set by root in folders that are no longer root's: by descriptor, never by name.

Whoever owns a folder may put a link to somebody else's file into it, also between a look and a change. So each entry is
opened from its folder's descriptor without following, looked at and changed there. What is no plain file or folder, has
a second name, or belongs to no user of this site is left as it is and reported. Standard library only.
"""

import os
import stat
from pathlib import Path

from troth.core.errors import TrothError

_DEEPEST = 6
"""Folders below one another; the site's own are two deep."""
_MOST_TOLD = 20


class Settling:
    """`root`: the site's folder. `ours`: ids of users whose files are the site's own. An owner or a
    group of -1 stays."""

    def __init__(self, root: Path, ours: set[int]) -> None:
        self._root, self._ours = root, ours
        self._told: list[str] = []
        self._count = 0

    @property
    def left(self) -> list[str]:
        """What was left as it is, in words; of very many, how many more there are."""
        more = self._count - len(self._told)
        return [*self._told, *([f"{more} more files and folders were left unchanged"] if more else [])]

    def folder(self, path: Path, user: int, group: int, mode: int) -> None:
        """Give a folder away, and nothing below it."""
        descriptor = self._at(path)
        if descriptor is not None:
            try:
                _set(path, descriptor, (user, group, mode))
            finally:
                os.close(descriptor)

    def give(self, path: Path, user: int, group: int, mode: int) -> None:
        """Give a file away, if it is there; a link that stands there is the operator's, and stays as it is."""
        folder = self._at(path.parent)
        if folder is None:
            return
        try:
            status = _look(path.name, folder)
            if status is not None and not stat.S_ISLNK(status.st_mode):
                self._file(path, folder, status, (user, group, mode))
        finally:
            os.close(folder)

    def tree(self, path: Path, user: int, group: int, mode: int, file_mode: int) -> None:
        """Give a folder away with all that is in it, if it is there."""
        descriptor = self._at(path)
        if descriptor is not None:
            self._below(path, descriptor, (user, group, mode), (user, group, file_mode), 0)

    def _below(
        self, path: Path, folder: int, folders: tuple[int, int, int], files: tuple[int, int, int], depth: int
    ) -> None:
        """Set `folder`, which is closed on return, and what is in it."""
        try:
            if os.fstat(folder).st_uid not in self._ours:
                return self._leave(path, "belongs to no user of this site")
            if depth > _DEEPEST:
                return self._leave(path, "is nested deeper than anything of this site")
            _set(path, folder, folders)
            for name in os.listdir(folder):
                status = _look(name, folder)
                if status is None:
                    continue
                if stat.S_ISLNK(status.st_mode):  # it is given away itself, and not followed
                    os.chown(name, files[0], files[1], dir_fd=folder, follow_symlinks=False)
                elif stat.S_ISDIR(status.st_mode):
                    self._below(path / name, _open(name, folder, os.O_DIRECTORY), folders, files, depth + 1)
                else:
                    self._file(path / name, folder, status, files)
        except OSError as error:
            self._leave(path, os.strerror(error.errno or 0))  # it was changed meanwhile
        finally:
            os.close(folder)
        return None

    def _file(self, path: Path, folder: int, status: os.stat_result, owner_and_mode: tuple[int, int, int]) -> None:
        if not stat.S_ISREG(status.st_mode):  # a pipe or a socket: never opened
            return self._leave(path, "is not a regular file")
        try:
            descriptor = _open(path.name, folder)
        except OSError as error:
            return self._leave(path, os.strerror(error.errno or 0))
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return self._leave(path, "is not a regular file")
            if status.st_nlink > 1 and not _is(status, owner_and_mode):
                return self._leave(path, "has another hard link")
            if status.st_uid not in self._ours:
                return self._leave(path, "belongs to no user of this site")
            _set(path, descriptor, owner_and_mode)
        finally:
            os.close(descriptor)
        return None

    def _at(self, path: Path) -> int | None:
        """Return a folder of the site's, opened step by step from its root; None where it is not there. A link is
        followed where only root makes any: somebody moved the folder to another disk."""
        descriptor = _open(str(self._root), None, os.O_DIRECTORY)
        for name in path.relative_to(self._root).parts:
            above, trusted = descriptor, _is_roots(os.fstat(descriptor))
            try:
                status = _look(name, above)
                if status is None:
                    return None
                follow = stat.S_ISLNK(status.st_mode) and trusted
                descriptor = (
                    os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=above)
                    if follow
                    else _open(name, above, os.O_DIRECTORY)
                )
            except OSError as error:
                self._leave(path, os.strerror(error.errno or 0))
                return None
            finally:
                os.close(above)
        return descriptor

    def _leave(self, path: Path, why: str) -> None:
        self._count += 1
        if self._count <= _MOST_TOLD:
            self._told.append(f"{path.relative_to(self._root)} {why}: its owner and mode were left unchanged")


def _open(name: str, folder: int | None, flags: int = 0) -> int:
    return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | flags, dir_fd=folder)


def _look(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _is_roots(status: os.stat_result) -> bool:
    """Whether nobody but root decides what lies in this folder."""
    return status.st_uid == 0 and not status.st_mode & 0o022


def _is(status: os.stat_result, owner_and_mode: tuple[int, int, int]) -> bool:
    """Whether owner, group and mode are these; -1: whatever it is."""
    present = (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode))
    return all(want in (-1, has) for want, has in zip(owner_and_mode, present, strict=True))


def _set(path: Path, descriptor: int, owner_and_mode: tuple[int, int, int]) -> None:
    """Raises `TrothError` where it is not taken: a file system without owners, a service's restrictions."""
    if _is(os.fstat(descriptor), owner_and_mode):
        return
    try:
        os.fchown(descriptor, owner_and_mode[0], owner_and_mode[1])  # before the mode: it clears bits of it
        os.fchmod(descriptor, owner_and_mode[2])
    except OSError as error:
        raise _not_taken(path, f": {os.strerror(error.errno or 0)}") from None
    if not _is(os.fstat(descriptor), owner_and_mode):
        raise _not_taken(path, ", without an error")


def _not_taken(path: Path, why: str) -> TrothError:
    return TrothError(
        f"{path} can't be given the owner and mode it needs{why}.",
        mend="Keep the site on a file system that supports owners and modes, and start it as root with no further "
        "limits than those of the unit that `troth systemd` writes; or run everything as one user with --one-user.",
    )
