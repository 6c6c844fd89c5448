"""The keys of a restored site: its own if they still exist, else the backup's; and from both what must not be lost: the
list of deleted people, the suppression hashes, the sent journal.

May touch: the stage's `keys/`; reads the site's own, and writes them through hard links when somebody is deleted again.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec

from troth.backup.create import SUPPRESSED, suppression_marks
from troth.backup.errors import Apart, BackupError
from troth.backup.read import Unpacked, missing_files
from troth.core.disk import write_synced
from troth.core.site import Site
from troth.gate.sent_log import SentJournal
from troth.supervisor.safe_write import acting_as, open_theirs, owner_of
from troth.vault.erased_list import Forgotten
from troth.vault.errors import KeyStoreError
from troth.vault.key_store import KeyStore

_INDEX, _MARKS = "index.sqlite3", "marks.sqlite3"


@dataclass(frozen=True, slots=True)
class Joined:
    """What came of it."""

    own_store: bool
    """The site's own key store is kept: it knows everybody who was erased."""
    marks: list[tuple[bytes, str]]
    """Suppression marks, with the day."""
    journal: UUID | None
    """The id of the journal that was found at the site itself."""


def join(stage: Site, live: Site, unpacked: Unpacked) -> Joined:
    """Merge the stage's keys. Raises `Apart` if store and data do not belong together."""
    own = _store_id(live)
    marks = dict(_backup_marks(stage.root / SUPPRESSED))
    if live.people_keys.is_dir():
        marks.update(_decoded(suppression_marks(live.people_keys / _INDEX)))
    _check(own, unpacked)
    journal = SentJournal.of(live).id
    forgotten, sent = Forgotten(stage.people_keys).all(), SentJournal.of(stage).files()
    if own is None:
        _check_whole(stage, unpacked)
        Forgotten(stage.people_keys).note(_fresh(Forgotten(live.people_keys).all(), forgotten))
        _take_along(stage.keys, live.keys, copy=True)
        if journal is not None:
            SentJournal.of(stage).take_over(SentJournal.of(live).files())
    else:
        backups = stage.root / "keys-of-the-backup"
        if stage.keys.exists():
            stage.keys.rename(backups)
            sent = SentJournal(backups / "sent").files()
        stage.keys.mkdir(mode=0o700)
        _take_along(stage.keys, live.keys, copy=False)
        if backups.exists():
            _take_along(stage.keys, backups, copy=True)
            Forgotten(stage.people_keys).note(_fresh(forgotten, Forgotten(live.people_keys).all()))
            if journal is None:
                SentJournal.of(stage).take_over(sent)
    return Joined(own is not None, sorted(marks.items()), journal)


def _store_id(live: Site) -> UUID | None:
    try:
        with acting_as(owner_of(live.people_keys)):
            store = KeyStore.open(live.people_keys)
    except (KeyStoreError, FileNotFoundError, NotADirectoryError):
        return None
    store.close()
    return store.id


def _check(own: UUID | None, unpacked: Unpacked) -> None:
    for half in (unpacked.data, unpacked.keys):
        if own is not None and half is not None and half.about.store != own:
            raise Apart(
                "This backup does not belong to the site's key store.",
                mend="Restore into a new folder. If the site's keys are of no use any more, move keys/ away.",
            )
    if own is None and unpacked.keys is None:
        raise BackupError(
            "A data backup alone cannot be restored: the key store is in the key backup.",
            mend="Name both: data-….troth and keys-….troth.",
        )


def _check_whole(stage: Site, unpacked: Unpacked) -> None:
    try:
        store = KeyStore.open(stage.people_keys)
    except KeyStoreError:
        raise BackupError("The key backup contains no key store.", mend="Use another one.") from None
    try:
        fits = (
            unpacked.keys is not None
            and store.id == unpacked.keys.about.store
            and store.slots >= unpacked.keys.about.slots
        )
    finally:
        store.close()
    if not fits:
        raise Apart("The key backup lacks keys that its manifest lists.", mend="Use another one.")


def _fresh(more: list[tuple[int, UUID]], existing: list[tuple[int, UUID]]) -> list[tuple[int, UUID]]:
    existing_set = set(existing)
    return [entry for entry in more if entry not in existing_set]


def _take_along(keys: Path, source: Path, *, copy: bool) -> None:
    """Add files of `other` that `keys` lacks, as hard links or copies. Indexes are rebuilt instead."""
    if not source.is_dir():
        return
    for relative in missing_files(keys, source):
        if relative.name.startswith((".", _INDEX, _MARKS)) or (copy and relative.parts[0] == "sent"):
            continue
        if copy and relative.parent.name == "people" and relative.suffix != ".key":
            continue
        target = keys / relative
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if copy:
            with os.fdopen(open_theirs(source / relative), "rb") as file:
                write_synced(target, file.read(), mode=0o600)
        else:
            os.close(open_theirs(source / relative))  # refuses a second name of a file that is elsewhere
            os.link(source / relative, target, follow_symlinks=False)


def _backup_marks(path: Path) -> dict[bytes, str]:
    return _decoded(path.read_bytes()) if path.exists() else {}


def _decoded(raw: bytes) -> dict[bytes, str]:
    return {bytes.fromhex(mark): day for mark, day in msgspec.json.decode(raw, type=list[tuple[str, str]])}
