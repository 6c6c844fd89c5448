"""`troth restore`: restores a site from its backups, completely or not at all.

Everything is read, checked and prepared in a stage beside the site (or in it, if the site's folder exists); only then
it replaces the old content. Meanwhile a file `restoring` keeps the site from starting, and the next `troth restore`
starts from the state before. The old database is kept as `data/replaced-<time>.sqlite3` for some days. May touch: the
site's folder and its parent; the site's PostgreSQL, in one transaction.
"""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from django.db import connection, connections, transaction

from troth.backup import database_snapshot, merge_keys, swap
from troth.backup.create import SITE_FILES, SUPPRESSED, silent
from troth.backup.database_snapshot import Progress
from troth.backup.errors import Apart, BackupError, DiskFull
from troth.backup.read import Unpacked, choose, unpack
from troth.backup.recovery_key import RecoveryKey
from troth.core import clock_jumps, django_start
from troth.core.config import sections
from troth.core.config.load import load_config
from troth.core.errors import TrothError
from troth.core.lazy import lazy
from troth.core.site import Site
from troth.core.site_files.restore_marker import stage_beside
from troth.gate.sent_log import SentJournal
from troth.supervisor.safe_write import acting_as, owner_of
from troth.vault import wal_truncate
from troth.vault.site_id import read_site_id
from troth.worker.main import hold_lock
from troth.worker.spool_reader import SpoolPosition

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from troth.backup import postgres_load, reconcile
    from troth.backup.reconcile import Mended
    from troth.vault import models
else:  # they import models, for which Django must know the site
    models = lazy("troth.vault.models")
    postgres_load = lazy("troth.backup.postgres_load")
    reconcile = lazy("troth.backup.reconcile")

_SETTLE_MS = 10_000


@dataclass(slots=True)
class Wish:
    """What the operator asked for."""

    replace: bool = False
    """The site has records of its own, and they may go."""
    moved: bool = False
    """The site was stopped before this backup and has not run since: what waits may be sent."""


def restore(
    named: Sequence[Path], root: Path, key: RecoveryKey, wish: Wish | None = None, *, progress: Progress = silent
) -> "Mended":
    """Restore the site in `root` from these files, or the newest in a folder. Call once in a process.

    Raises `BackupError`, or another `TrothError`; then the site is unchanged.
    """
    live = Site(Path(os.path.abspath(root)))  # noqa: PTH100 - a link that is there by intent stays
    chosen, wish = choose(named), wish or Wish()
    with _plain_refusals(live), _stopped(live), _stage(live) as stage:
        _undo_earlier(live)
        unpacked = unpack(chosen, key, stage.root, progress)
        _check_site(live, unpacked, wish)
        try:
            mended = _Restore(live, stage, unpacked, wish, progress).run()
        except BaseException:
            _undo(live)
            raise
    clock_jumps.accept(live.data)  # the records are of an earlier time, and that is what was asked for
    return mended


class _Restore:
    """One restore, after all of its files were found to be right."""

    def __init__(self, live: Site, stage: Site, unpacked: Unpacked, wish: Wish, progress: Progress) -> None:
        self._live, self._stage, self._found, self._wish, self._progress = live, stage, unpacked, wish, progress
        self._joined = merge_keys.join(stage, live, unpacked)
        self._settings = self._prepare()

    def run(self) -> "Mended":
        """Do the steps, then the swap."""
        filed_to = self._filed_to()
        django_start.set_up(self._stage.root)
        if not self._settings.database.url:
            mended = self._mend(filed_to)
            connections.close_all()
            _settle_sqlite(self._stage.database)
            self._swap(None)
            return mended
        with transaction.atomic():
            if self._found.data:
                self._check_empty()
                postgres_load.load(self._stage.root / "tables", self._found.data.about.migrations, self._progress)
            mended = self._mend(filed_to)
            ended = self._swap(connections["default"])
        ended()
        return mended

    def _swap(self, database: "BaseDatabaseWrapper | None") -> Callable[[], None]:
        """Move the stage into place. With PostgreSQL, the caller ends it after the transaction."""
        for name in ("keys-of-the-backup", "tables", SUPPRESSED):
            swap.remove(self._stage.root / name)
        change = swap.Swap(self._live, self._stage)
        if not self._live.root.exists():
            change.whole()
            return lambda: None
        change.begin(None if database is None else _number(database))
        change.move()
        if database is None:
            change.end()
        return change.end

    # -- the stage ------------------------------------------------------------------------------------------------

    def _prepare(self) -> sections.Config:
        """Make a whole site of the stage: its own settings where it has some, its spool, its folders."""
        live, stage = self._live, self._stage
        for name in SITE_FILES:
            if (live.root / name).exists():
                shutil.copy2(live.root / name, stage.root / name)
        if not stage.config.exists():
            raise BackupError(
                "There is no troth.toml, either in the site or in a backup.", mend="Name the data backup, too."
            )
        settings = load_config(stage.config)
        self._check_database(settings)
        folders = (stage.data, stage.public, stage.asks, stage.offers, stage.seal_keys, stage.sent)
        for folder in folders:
            folder.mkdir(mode=0o700, exist_ok=True, parents=True)
        if not self._found.data and live.database.exists():  # the keys alone come back: the records stay as they are
            with database_snapshot.copied_sqlite(live.database, self._progress) as copy:
                copy.rename(stage.database)
        if live.spool.is_dir():
            stage.spool.symlink_to(live.spool)
        else:
            stage.spool.mkdir(mode=0o700)
        return settings

    def _check_database(self, settings: sections.Config) -> None:
        vendor = "postgresql" if settings.database.url else "sqlite"
        if self._found.data and self._found.data.about.database != vendor:
            raise Apart(
                f"This backup is of a {_SPOKEN[self._found.data.about.database]} database, and the site has "
                f"{_SPOKEN[vendor]}.",
                mend="Set `url` under [database] (or TROTH_DATABASE__URL) as it was then, and try again.",
            )

    def _filed_to(self) -> SpoolPosition | None:
        query = 'SELECT segment, "offset" FROM vault_position WHERE id = 1'
        with suppress(sqlite3.Error, BackupError, OSError):
            if self._settings.database.url:
                with database_snapshot.connect_postgres(self._stage, self._settings) as connection:
                    return _first(_asked_postgres(connection, query))
            if self._live.database.exists():
                with acting_as(owner_of(self._live.data)):
                    asking = sqlite3.connect(f"{self._live.database.as_uri()}?mode=ro", uri=True)
                    try:
                        return _first(asking.execute(query).fetchall())
                    finally:
                        asking.close()
        return None

    def _check_empty(self) -> None:
        has_tables = "vault_person" in connection.introspection.table_names()
        if has_tables and not self._wish.replace and models.Person.with_canaries.exists():
            raise _has_records()

    # -- the steps ------------------------------------------------------------------------------------------------

    def _mend(self, filed_to: SpoolPosition | None) -> "Mended":
        self._progress("bringing the database up to date", 0, 1)
        reconcile.migrate()
        context = reconcile.LostSiteFacts(self._joined, self._complete(), filed_to)
        return reconcile.mend(context, self._progress)

    def _complete(self) -> bool:
        """Whether the journal covers every email since the backup: it is the site's own and was never restarted."""
        if self._wish.moved or not self._found.data:
            return True
        about, now = self._found.data.about, self._joined.journal
        gone_on = self._joined.own_store and now is not None and about.journal in (None, now)
        gap = SentJournal.of(self._stage).gap()
        return gone_on and (gap is None or gap < self._found.data.head.made_at)


_SPOKEN = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def _first(rows: Sequence[tuple[int, int]]) -> SpoolPosition | None:
    return SpoolPosition(*rows[0]) if rows else None


def _asked_postgres(connection: object, query: str) -> list[tuple[int, int]]:
    try:
        return connection.execute(query).fetchall()  # type: ignore[attr-defined, no-any-return]
    except psycopg.Error:
        return []  # an empty or a damaged one


def _number(database: "BaseDatabaseWrapper") -> int:
    """Return this transaction's number, by which PostgreSQL can tell later whether it was committed."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        return int(cursor.fetchone()[0])


def _settle_sqlite(database: Path) -> None:
    """Write SQLite's log into the database, so that one file has everything."""
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        settled = wal_truncate.cut(connection, _SETTLE_MS)
    finally:
        connection.close()
    if not settled:
        raise BackupError(
            f"{database} is being read by another program: the restore was stopped, and the site is unchanged.",
            mend="Stop that program, then restore again.",
        )
    descriptor = os.open(database, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_site(live: Site, unpacked: Unpacked, wish: Wish) -> None:
    """Refuse a place that is another site's, or whose records nobody said may go."""
    if live.site_id.exists() and read_site_id(live) != unpacked.head.site:
        raise Apart(f"This backup is of another site than {live.root}.", mend="Name a new folder with --to.")
    if not live.config.exists() and live.root.is_dir() and any(live.root.iterdir()) and not live.restoring.exists():
        foreign = [path for path in live.root.iterdir() if not path.name.startswith(".restore-")]
        if foreign and not live.keys.is_dir():
            raise BackupError(f"{live.root} is neither empty nor a site.", mend="Name a new folder with --to.")
    if unpacked.data and live.database.exists() and live.database.stat().st_size and not wish.replace:
        raise _has_records()


def _has_records() -> BackupError:
    return BackupError(
        "This site already has records.",
        mend="Add --replace to replace them; with SQLite, the old database is kept for `keys_days`.",
    )


def _undo_earlier(live: Site) -> None:
    """Undo an earlier restore that was interrupted during the swap."""
    if _undo(live):
        raise BackupError(
            "The earlier restore had already finished; its last steps are done now.",
            mend="Start the site. To restore again, run the same command with --replace.",
        )


def _undo(live: Site) -> bool:
    """Move everything back; returns whether the restore had already finished instead."""
    return swap.undo(live, lambda number: _committed(live, number))


def _committed(live: Site, transaction: int) -> bool:
    """Whether PostgreSQL committed it. By then all files had been moved, including those needed to connect."""
    if not (live.keys.exists() and live.config.exists()):
        return False
    with database_snapshot.connect_postgres(live, load_config(live.config)) as connection:
        row = connection.execute("SELECT pg_xact_status(%s::text::xid8)", (str(transaction),)).fetchone()
    return row is not None and row[0] == "committed"


@contextmanager
def _stage(live: Site) -> Iterator[Site]:
    """Create a folder on the site's file system, closed to others, and remove it at the end."""
    inside = live.root.is_dir()
    folder = live.root / f".restore-{os.getpid()}" if inside else stage_beside(live.root)
    if inside:
        for leftover in live.root.glob(".restore-*"):
            swap.remove(leftover)
    elif not live.root.parent.is_dir():
        raise BackupError(f"{live.root.parent} does not exist.", mend="Create it first.")
    swap.remove(folder)
    folder.mkdir(mode=0o700)
    before = os.umask(0o077)
    try:
        yield Site(folder)
    finally:
        os.umask(before)
        swap.remove(folder)


@contextmanager
def _stopped(live: Site) -> Iterator[None]:
    """Hold the worker's lock, so that the site is not running and cannot start."""
    if not live.data.is_dir():
        yield
        return
    try:
        lock = hold_lock(live.data / "worker.lock")
    except TrothError:
        raise BackupError("This site is running.", mend="Stop `troth serve`, then restore.") from None
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def _plain_refusals(live: Site) -> Iterator[None]:
    """Raise disk and database errors in our own words: a driver's message may quote a value."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(
                "The disk is full: nothing was restored.", mend=f"Free space beside {live.root}, then try again."
            ) from None
        where = error.filename or live.root
        raise BackupError(
            f"{where}: {os.strerror(error.errno or 0)}.", mend="Run it as root, or as the user that runs `troth serve`."
        ) from None
    except (TrothError, KeyboardInterrupt):
        raise
    except Exception as error:
        if type(error).__module__.split(".")[0] not in ("django", "sqlite3", "psycopg"):
            raise
        raise BackupError(
            f"The database reported an error ({type(error).__name__}): nothing was restored.",
            mend="Check that its disk has space and that this user may create tables.",
        ) from None


def report(mended: "Mended") -> Iterator[tuple[str, str, str]]:
    """Return what was restored and lost, in lines for the operator: `ok` or `warn`, what, and the fix."""
    yield "ok", f"{mended.people:,} people were restored.", ""
    if mended.erased_again:
        yield "ok", f"{mended.erased_again:,} people deleted since the backup were deleted again.", ""
    if mended.left_again:
        yield "ok", f"{mended.left_again:,} people unsubscribed since the backup were unsubscribed again.", ""
    if mended.mails.get("sent", 0):
        yield "ok", f"{mended.mails.get('sent', 0):,} emails were sent since the backup and will not be sent again.", ""
    if mended.filed:
        yield "ok", f"{mended.filed:,} submissions waiting in the spool were processed.", ""
    if mended.left_out:
        yield "ok", f"{mended.left_out:,} submissions of people deleted since the backup were left out.", ""
    yield from _losses(mended)


def _losses(mended: "Mended") -> Iterator[tuple[str, str, str]]:
    """Yield what is lost or not certain."""
    if mended.mails.get("uncertain", 0):
        mend = "They stay as they are: sending them could be for the second time."
        yield "warn", f"Nobody knows whether {mended.mails.get('uncertain', 0):,} mails had gone.", mend
    if mended.mails.get("held", 0):
        message = f"{mended.mails.get('held', 0):,} emails are held: they may have been sent after the backup."
        yield "warn", message, "Release or discard each, under Held mail in the admin pages or with `troth held`."
    if mended.lost:
        message = f"{mended.lost:,} people added after the backup are lost."
        yield "warn", message, "A later backup may have them. Their keys are kept, so it can still be restored."
    if mended.lost_by_law:
        message = (
            f"Records that the law requires, added after the backup, are lost (of {mended.lost_by_law:,} legal holds)."
        )
        yield "warn", message, "A later backup may have them. Their keys are kept, so it can still be restored."
    if not mended.own_store:
        message = "The keys come from the backup, too: people deleted after it was made are back."
        yield "warn", message, "Delete those you know of again: `troth people delete ADDRESS`."
    message = "Edits, restrictions and deletion receipts since the backup are lost."
    yield "warn", message, "Check the requests you have received since."
