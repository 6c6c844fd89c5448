"""The last step of a restore: the stage replaces the old content completely or not at all, whenever it is killed.

    begin    write `restoring`, which lists the old content; from here on the site cannot start
    move     the keys, the database and whatever else is missing: each by one rename
    commit   PostgreSQL's transaction, which replaced all its tables
    end      remove `restoring`: the restored site is valid; then remove the old keys

If it was killed before the end, the next restore moves everything back and starts from the same journal, key store and
records. If PostgreSQL had committed, everything had been moved: then only the end is done. May touch: the site's
folder.
"""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec

from troth.backup.create import SITE_FILES
from troth.core import clock
from troth.core.disk import sync_folder, write_synced
from troth.core.site import Site
from troth.core.site_files import restore_marker
from troth.core.site_files.restore_marker import BEFORE

REPLACED = "replaced-"
_FOLDERS = ("spool", "public", "asks", "offers")
_ENDS = ("-shm", "-wal", "")
"""The database itself goes last: without it, its log is nobody's; without its log, it is not what it was."""
type Committed = Callable[[int], bool]
"""Whether PostgreSQL committed the transaction with this number."""


class RestoreNote(msgspec.Struct, frozen=True):
    """What `restoring` says, for people and for the next restore."""

    what: str
    mend: str
    keys: bool
    """There were keys."""
    database: bool
    """There was an SQLite database."""
    names: list[str]
    """Which of the files and folders beside them there were."""
    replaced: str
    """What the database that was there is called from now on, without its end."""
    transaction: int | None = None
    """PostgreSQL's number of the transaction that the swap belongs to."""


def read(live: Site) -> RestoreNote | None:
    """Read the marker; None if there is none."""
    try:
        return msgspec.json.decode(live.restoring.read_bytes(), type=RestoreNote)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError:  # not ours, or of an earlier version: it moved the same things
        return RestoreNote("", "", True, live.database.exists(), [*SITE_FILES, *_FOLDERS, "data"], REPLACED)


class Swap:
    """One swap of `stage` for what is in `live`."""

    def __init__(self, live: Site, stage: Site) -> None:
        self._live, self._stage = live, stage

    def whole(self) -> None:
        """Move a new site into place by one rename."""
        for path in self._stage.root.rglob("*"):
            if path.is_dir():
                sync_folder(path)
        self._stage.root.rename(self._live.root)
        sync_folder(self._live.root.parent)

    def begin(self, transaction: int | None = None) -> None:
        """Write the marker with the old content; synced on return."""
        live = self._live
        note = RestoreNote(
            restore_marker.WHAT,
            restore_marker.MEND,
            live.keys.exists(),
            live.database.exists(),
            [name for name in (*SITE_FILES, *_FOLDERS, "data") if (live.root / name).exists()],
            f"{REPLACED}{clock.now():%Y-%m-%dT%H%M%S}Z",
            transaction,
        )
        fresh = self._stage.root / live.restoring.name
        write_synced(fresh, msgspec.json.format(msgspec.json.encode(note)) + b"\n", mode=0o600)
        fresh.replace(live.restoring)
        sync_folder(live.root)

    def move(self) -> None:
        """Put everything into its place."""
        live, stage, note = self._live, self._stage, read(self._live)
        assert note is not None
        if live.keys.exists():
            live.keys.rename(live.root / BEFORE)
        stage.keys.rename(live.keys)
        live.data.mkdir(mode=0o700, exist_ok=True)
        if stage.database.exists():
            for end in _ENDS:
                path = live.database.with_name(live.database.name + end)
                if path.exists():
                    path.rename(live.data / f"{note.replaced}.sqlite3{end}")
            stage.database.rename(live.database)
        self._move_aside()
        for name in (*SITE_FILES, *_FOLDERS):
            if not (live.root / name).exists():
                (stage.root / name).rename(live.root / name)
        sync_folder(live.data)
        sync_folder(live.root)

    def _move_aside(self) -> None:
        aside = self._live.aside
        if not stat.S_ISDIR(_kind(aside)):  # whoever owns `data/` decides what bears this name
            aside.unlink(missing_ok=True)
            aside.mkdir(mode=0o770)
        folder = os.open(aside, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            for path in self._stage.aside.glob("*.sealed"):
                os.rename(path, path.name, dst_dir_fd=folder)
        finally:
            os.close(folder)

    def end(self) -> None:
        """Remove the marker: the restored site is valid from here on."""
        end(self._live)


def _kind(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0


def end(live: Site) -> None:
    """Remove the marker, then what it stood for."""
    live.restoring.unlink(missing_ok=True)
    sync_folder(live.root)
    remove(live.root / BEFORE)


def undo(live: Site, committed: Committed) -> bool:
    """Undo an interrupted restore; returns whether it had already finished instead.

    Can itself be killed and repeated: each step is one rename, or removes something that the backup has.
    """
    note = read(live)
    if note is None:
        if live.keys.exists():
            remove(live.root / BEFORE)
        return False
    if note.transaction is not None and committed(note.transaction):
        end(live)
        return True
    _undo_keys(live, note)
    _undo_database(live, note)
    for name in {*SITE_FILES, *_FOLDERS, "data"}.difference(note.names):
        remove(live.root / name)  # nothing has served from there: what is in it came from the backup
    live.restoring.unlink()
    sync_folder(live.root)
    return False


def _undo_keys(live: Site, note: RestoreNote) -> None:
    before = live.root / BEFORE
    if before.exists() or not note.keys:
        remove(live.keys)
    if before.exists():
        before.rename(live.keys)


def _undo_database(live: Site, note: RestoreNote) -> None:
    for end in reversed(_ENDS):  # the database first: over the restored one, which is a single file
        path = live.data / f"{note.replaced}.sqlite3{end}"
        if path.exists():
            path.replace(live.database.with_name(live.database.name + end))
    if not note.database:
        live.database.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder, if it is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
