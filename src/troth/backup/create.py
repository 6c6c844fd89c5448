"""`troth backup`: writes two files while the site runs; each is useless without the other.

    data-<time>.troth    the database, failed items, troth.toml, policy.md
    keys-<time>.troth    people's keys, the list of deleted people, suppression hashes, all other keys, the sent journal

Runs as root or as the only user of the site: it reads every key. It copies the data first and the keys afterwards, so
that the keys include every slot that the data name. Blind and leak indexes are in neither: a restore rebuilds them
(WALL 2). May touch: the backup folder, `data/` while it copies; reads the site. In another user's folder it acts as
that user (`supervisor.safe_write`), who controls what its names lead to.
"""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from troth.backup import database_snapshot, manifest
from troth.backup.container import BackupHeader, BackupKind, Writer, head_of
from troth.backup.database_snapshot import Progress, file_parts
from troth.backup.errors import BackupError, DiskFull
from troth.backup.manifest import DataManifest, Manifest, program
from troth.backup.recovery_key import PublicHalf, public_half
from troth.core import clock, clock_jumps
from troth.core.config.load import load_config
from troth.core.config.sections import Config
from troth.core.disk import sync_folder
from troth.core.site import Site
from troth.core.site_files import backup_index
from troth.gate.sent_log import SentJournal
from troth.supervisor import act_as_user, users
from troth.supervisor.safe_write import acting_as, open_theirs, owner_of
from troth.vault.key_store import KeyStore, path_in
from troth.vault.site_id import read_site_id

SUPPRESSED, SITE_FILES = "suppressed", ("troth.toml", "policy.md")
_INDEX = "index.sqlite3"
_AHEAD = timedelta(days=1)
"""So far may a backup be ahead of the clock by which it is looked at."""
_CANARIES_SINCE = ("vault", "0002_canaries_marked")
_HOLDS_SINCE = ("vault", "0003_legal_holds")
_PATIENCE = 30.0
"""Seconds to wait for who holds the index."""
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)


@dataclass(slots=True)
class BackupResult:
    """What was made and what went. Sizes in bytes."""

    files: list[Path] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    people: int = 0
    expired: list[str] = field(default_factory=list)
    doubted: str = ""
    """Why none was removed, where the clock leapt."""


def silent(_step: str, _done: int, _all: int) -> None:
    """Ignore progress."""


def backup(root: Path, folder: Path | None = None, *, progress: Progress = silent) -> BackupResult:
    """Make both halves in `folder` (the settings' if None), then remove what is over its time. All or nothing.

    Raises `BackupError`; no half file remains.
    """
    site = Site(root.resolve())
    settings = load_config(site.config)
    into = _folder(settings, folder)
    public = public_half(site)
    if (worker := act_as_user.owner(site)) and settings.backup.folder and into == Path(settings.backup.folder):
        users.let_look(into, worker)
    with _one_at_a_time(site), _plain_refusals(into):
        result = _Take(site, settings, into, public, progress).run()
        leapt = clock_jumps.doubted(site.data)
        result.doubted = f"{clock_jumps.words(leapt)} {clock_jumps.MEND}" if leapt else ""
        result.expired = expire(site, settings, into)
    return result


class _Take:
    """One backup being made."""

    def __init__(self, site: Site, settings: Config, into: Path, public: PublicHalf, progress: Progress) -> None:
        self._site, self._settings, self._into, self._public = site, settings, into, public
        self._progress, self._now, self._site_id = progress, clock.now(), read_site_id(site)
        self._taken = BackupResult()

    def run(self) -> BackupResult:
        for leftover in self._into.glob(f".*-{self._site_id}.part"):
            leftover.unlink()  # of a backup that was killed
        parts: list[tuple[Path, Path]] = []
        try:
            for kind in (BackupKind.DATA, BackupKind.KEYS):
                part = self._into / f".{kind.word}-{self._site_id}.part"
                parts.append((part, self._into / self._name(kind)))
                self._write(part, kind)
            for part, path in reversed(parts):  # keys first: data never lie there without theirs
                part.rename(path)
                self._taken.files.append(path)
                self._taken.sizes.append(path.stat().st_size)
            sync_folder(self._into)
        except BaseException:
            for part, _ in parts:
                part.unlink(missing_ok=True)
            raise
        return self._taken

    def _name(self, kind: BackupKind) -> str:
        return f"{kind.word}-{self._now:%Y-%m-%dT%H%M%S}Z.troth"

    def _write(self, part: Path, kind: BackupKind) -> None:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb", buffering=1 << 20) as file:
            self._open_to_proofs(descriptor)
            writer = Writer(file, BackupHeader(kind, self._site_id, self._now, self._public.mark), self._public)
            for name, data in self._data() if kind is BackupKind.DATA else self._keys():
                writer.member(name, data)
            writer.close()
            file.flush()
            os.fsync(file.fileno())

    def _open_to_proofs(self, descriptor: int) -> None:
        """Let the proofs, as the worker, read a backup that root wrote. In a folder of the site's user it becomes that
        user's; in root's folder its group does (`users.let_look`)."""
        worker = act_as_user.owner(self._site)
        if worker and self._into.stat().st_uid == worker.ident:
            os.fchown(descriptor, worker.ident, worker.group)
        elif worker and (self._into.stat().st_gid == worker.group or users.listed_by_all(self._into)):
            os.fchown(descriptor, -1, worker.group)
            os.fchmod(descriptor, 0o640)

    # -- the data -------------------------------------------------------------------------------------------------

    def _data(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        set_aside = set[str]()
        yield from self._aside(set_aside)  # and once more behind the database: it comes and goes meanwhile
        with database_snapshot.snapshot(self._site, self._settings, self._progress) as moment:
            yield manifest.NAME, iter([msgspec.json.encode(self._about(moment))])
            yield from moment.members(self._progress)
        yield from self._aside(set_aside)
        for name in SITE_FILES:
            if (path := self._site.root / name).is_file():
                yield name, file_parts(path)

    def _aside(self, known_ids: set[str]) -> Iterator[tuple[str, Iterator[bytes]]]:
        for path in sorted(self._site.aside.glob("*.sealed")):
            if path.name not in known_ids:
                with suppress(FileNotFoundError):  # filed after all
                    content = _bytes_of(path)
                    known_ids.add(path.name)
                    yield f"data/aside/{path.name}", iter([content])

    def _about(self, moment: database_snapshot.DatabaseSnapshot) -> DataManifest:
        with acting_as(owner_of(self._site.people_keys)):
            store = KeyStore.open(self._site.people_keys)
        try:
            known_ids, slots = store.id, store.slots
        finally:
            store.close()
        ((people, last),) = moment.ask("SELECT count(*), coalesce(max(slot), -1) FROM vault_person")
        migrations = [(room, name) for room, name in moment.ask("SELECT app, name FROM django_migrations")]
        if _CANARIES_SINCE in migrations:  # a backup before an upgrade may be of a version without
            people -= moment.ask("SELECT count(*) FROM vault_canary")[0][0]
        self._taken.people = people
        if _HOLDS_SINCE in migrations:
            ((held,),) = moment.ask("SELECT coalesce(max(slot), -1) FROM vault_legalhold")
            last = max(last, held)
        if last >= slots:
            raise BackupError(
                "The database has people whose keys are not in the key store.", mend="Run `troth doctor` for details."
            )
        return DataManifest(
            program=program(),
            site=self._site_id,
            store=known_ids,
            taken_at=self._now,
            slots=last + 1,
            database=moment.kind,
            migrations=migrations,
            people=people,
            journal=self._journal(),
        )

    def _journal(self) -> UUID | None:
        with act_as_user.as_owner(self._site):  # the first one makes it
            return SentJournal.of(self._site).id

    # -- the keys -------------------------------------------------------------------------------------------------

    def _keys(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        site, people = self._site, self._site.people_keys
        with acting_as(owner_of(people)):
            store = KeyStore.open(people)
        slots = os.fdopen(open_theirs(path_in(people)), "rb")
        try:
            fcntl.flock(slots, fcntl.LOCK_SH)  # nobody is erased or added between the first slot and the last
            self._progress("the keys", 0, 1)
            about = Manifest(
                program=program(), site=self._site_id, store=store.id, taken_at=self._now, slots=store.slots
            )
            yield manifest.NAME, iter([msgspec.json.encode(about)])
            yield "keys/people/slots", file_parts(path_in(people))
        finally:
            slots.close()
            store.close()
        forgotten = people / "forgotten"
        if forgotten.exists():  # behind the slots: whoever is erased from now on is in the next one
            yield "keys/people/forgotten", file_parts(forgotten)
        yield SUPPRESSED, iter([suppression_marks(people / _INDEX)])
        for path in sorted(site.keys.rglob("*")):
            if path.is_file() and not path.is_symlink() and self._is_key(path):
                with suppress(FileNotFoundError):  # an epoch's key that was just retired
                    yield f"keys/{path.relative_to(site.keys)}", iter([_bytes_of(path)])
        self._progress("the keys", 1, 1)

    def _is_key(self, path: Path) -> bool:
        """Whether a file in `keys/` belongs in it: all but the indexes, which would let details be guessed, and files
        already copied."""
        if path.parent == self._site.people_keys:
            return path.suffix == ".key"
        return not path.name.startswith(".")


def _bytes_of(path: Path) -> bytes:
    with os.fdopen(open_theirs(path), "rb") as file:
        return file.read()


def suppression_marks(index: Path) -> bytes:
    """Return the suppression hashes, which keep people from being imported again, as JSON: hash in hex, and day."""
    if not index.exists():
        return b"[]"
    with acting_as(owner_of(index.parent)):  # SQLite opens what lies beside it by name, and makes it
        connection = sqlite3.connect(index, timeout=_PATIENCE)
        try:
            used = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'suppressed'").fetchone()
            rows = connection.execute("SELECT mark, day FROM suppressed ORDER BY mark").fetchall() if used else []
        except sqlite3.Error as error:  # without the marks, whoever was erased could come back by a file
            if getattr(error, "sqlite_errorcode", None) in _NO_ROOM:
                raise
            raise BackupError(
                f"{index} cannot be read ({error}).",
                mend="If another program has locked it, stop that program and try again.",
            ) from None
        finally:
            connection.close()
    return msgspec.json.encode([(mark.hex(), day) for mark, day in rows])


# -- the folder -------------------------------------------------------------------------------------------------------


def expire(site: Site, settings: Config, folder: Path) -> list[str]:
    """Remove this site's backups that are over their time, and write down what is left; returns the names that went."""
    lives = {"data": timedelta(days=settings.backup.data_days), "keys": timedelta(days=settings.backup.keys_days)}
    expired, leftover, now = list[str](), list[backup_index.BackupFile](), clock.now()
    doubted = clock_jumps.doubted(site.data) is not None  # a clock that leapt makes every backup old at once
    before = dict[str, datetime]()
    with suppress(OSError):  # something else bears its name: it is written anew
        known_ids = backup_index.read(site)
        before = {backup.name: backup.made_at for backup in known_ids.files} if known_ids else {}
    for path, head in ours(folder, read_site_id(site)):
        made_at = _made_at(head, before.get(path.name), now)
        if made_at < now - lives[head.kind.word] and not doubted:
            path.unlink()
            expired.append(path.name)
        else:
            leftover.append(backup_index.BackupFile(path.name, head.kind.word, made_at, path.stat().st_size))
    sync_folder(folder)
    with acting_as(owner_of(site.data)):
        backup_index.write(site, backup_index.Backups(str(folder), now, leftover))
    return expired


def _made_at(head: BackupHeader, stated: datetime | None, now: datetime) -> datetime:
    """Return when a backup was created. If it claims a future date, the clock was ahead, and the backup would be kept
    too long: then return when it was first seen, as recorded (`told`)."""
    if head.made_at <= now + _AHEAD:
        return head.made_at
    return min(stated or now, now)


def ours(folder: Path, site_id: object) -> list[tuple[Path, BackupHeader]]:
    """Return this site's backups in a folder, oldest first; other files are ignored."""
    backups = []
    for path in folder.glob("*.troth"):
        with suppress(BackupError, OSError):
            if (head := head_of(path)).site == site_id:
                backups.append((path, head))
    return sorted(backups, key=lambda backup: (backup[1].made_at, backup[0].name))


def _folder(settings: Config, folder: Path | None) -> Path:
    into = folder or (Path(settings.backup.folder) if settings.backup.folder else None)
    if into is None:
        raise BackupError("No backup folder was given.", mend="Name one, or set `folder` under [backup].")
    if not into.is_dir():
        raise BackupError(
            f"{into} is not a folder.", mend=f"Create it, on another disk than the site's: mkdir -m 700 {into}"
        )
    return into.resolve()


@contextmanager
def _one_at_a_time(site: Site) -> Iterator[None]:
    descriptor = open_theirs(site.data / "backup.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BackupError("Another backup of this site is running.", mend="Wait until it has finished.") from None
    finally:
        os.close(descriptor)


@contextmanager
def _plain_refusals(into: Path) -> Iterator[None]:
    """Raise disk and database errors in our own words: a driver's message may quote a value."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if full or getattr(error, "sqlite_errorcode", None) in _NO_ROOM:
            raise DiskFull(
                "The disk is full: nothing of this backup was kept.",
                mend=f"Free space in {into} (and in data/, where the database is copied first), then try again.",
            ) from None
        if isinstance(error, PermissionError):
            raise BackupError(
                f"{error.filename} cannot be read or written by this user.",
                mend="Run it as root, or as the user that runs `troth serve`: a backup reads every key.",
            ) from None
        raise BackupError(f"The backup failed ({type(error).__name__}).", mend="Check the disk.") from None
