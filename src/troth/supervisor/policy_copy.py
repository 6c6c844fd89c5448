"""Copy `policy.md` into `data/` for processes behind a fence: a fence opens a file, not a name, and most editors put a
new file in the old one's place. Parses nothing. Standard library only."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from troth.supervisor.safe_write import SharedFolder, User

_MOST = 100_000
"""Bytes that are brought at most; a policy has fewer, and one that is cut off is refused for its length."""


class Mirror:
    """`policy`: the file that the operator edits. `seen`: where it is brought to, in a folder of `user`'s."""

    def __init__(self, policy: Path, copy: Path, user: User | None = None) -> None:
        self._policy, self._folder, self._name = policy, SharedFolder(copy.parent, user), copy.name
        self._known: tuple[int, ...] = ()

    def follow(self) -> None:
        """Bring it, where it is another than last time. One that is no plain file is not brought."""
        try:
            status = self._policy.lstat()
        except OSError:
            status = None
        if status is None or not stat.S_ISREG(status.st_mode):
            self._known = ()
            with suppress(OSError):
                self._folder.remove(self._name)
            return
        version = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
        if version != self._known:
            with suppress(OSError):  # a full disk is told by others; tried again at the next turn
                self._bring()
                self._known = version

    def _bring(self) -> None:
        descriptor = os.open(self._policy, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(_MOST)
        self._folder.write(self._name, data)
