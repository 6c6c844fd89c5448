"""Tell whether the names of files still lead to what this process has open: what is written to a database that was
removed or replaced meanwhile is lost. Standard library only."""

import os
import resource
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_MOST = 4096


class InPlace:
    """`paths`: files that this process opens and keeps open. One that it has not opened yet is in place."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._held: dict[Path, int] = {}
        """By which descriptor each was open when we last looked."""

    def moved(self) -> Path | None:
        """Return the first whose name leads elsewhere, or nowhere; None where all are in place."""
        return next((path for path in self._paths if not self._is_in_place(path)), None)

    def _is_in_place(self, path: Path) -> bool:
        named = _identity(path)
        watched = self._held.get(path)
        if named is not None and watched is not None and _identity(watched) == named:
            return True
        opened = None if named is None else _opened(named)
        if opened is not None:
            self._held[path] = opened
            return True
        return path not in self._held


def _identity(file: Path | int) -> tuple[int, int] | None:
    with suppress(OSError):
        status = os.stat(file)  # noqa: PTH116 - a descriptor as well as a path
        return status.st_dev, status.st_ino
    return None


def _opened(identity: tuple[int, int]) -> int | None:
    """A descriptor of this process that leads there. Asked one by one: behind the fence /proc is closed."""
    most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], _MOST)
    return next((number for number in range(3, most) if _identity(number) == identity), None)
