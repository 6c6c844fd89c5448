"""What a restore leaves in a site's folder while it is at work, and what one that was stopped has left there.

    restoring           from the first rename of the swap to the last: nothing serves while it is there
    .restore-<pid>      the stage: the backup, decrypted. Beside a new site's place it is called .<site>.restore
    .keys-before        the keys that the restored ones replaced

Standard library only: the supervisor looks before anything else is imported.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from troth.core.disk import open_plain
from troth.core.errors import TrothError
from troth.core.site import Site

BEFORE = ".keys-before"
WHAT = "A restore of this site was started but not finished: nothing runs until it is."
MEND = "Run `troth restore` again with the same backups and options: it starts over from the state before the restore."


def check(site: Site) -> None:
    """Refuse a site that is half restored."""
    if site.restoring.exists():
        raise TrothError(WHAT, mend=MEND)


def stage_beside(root: Path) -> Path:
    """Return the stage of a site whose folder is not there yet."""
    return root.parent / f".{root.name}.restore"


def remains(site: Site) -> list[Path]:
    """Return what a restore that was stopped has left, or one that is at work just now; nothing serves from there."""
    candidates = [*sorted(site.root.glob(".restore-*")), site.root / BEFORE, stage_beside(site.root)]
    return [path for path in candidates if path.exists()]


def clear(site: Site) -> list[Path]:
    """Remove what was left, which may hold keys of people erased by now; return what went. Never while `restoring` is
    there."""
    if site.restoring.exists() or not remains(site):
        return []
    with _alone(site) as alone:
        removed = remains(site) if alone and not site.restoring.exists() else []
        for path in removed:
            shutil.rmtree(path, ignore_errors=True)
    return [path for path in removed if not path.exists()]


@contextmanager
def _alone(site: Site) -> Iterator[bool]:
    """Whether nobody holds the worker's lock, as a restore does; held meanwhile."""
    try:
        descriptor = open_plain(site.data / "worker.lock", os.O_RDWR)
    except FileNotFoundError:
        yield True
        return
    try:
        locked = False
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            locked = True
        yield locked
    finally:
        os.close(descriptor)
