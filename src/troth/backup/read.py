"""Reads backups, and checks that they are complete and belong together, before the site is touched.

May touch: the given files; the folder that it unpacks into.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from troth.backup import manifest
from troth.backup.container import BackupHeader, BackupKind, BackupReader, head_of
from troth.backup.create import SITE_FILES, SUPPRESSED
from troth.backup.database_snapshot import Progress
from troth.backup.errors import Altered, Apart, BackupError, Foreign
from troth.backup.manifest import DataManifest, Manifest
from troth.backup.recovery_key import RecoveryKey
from troth.core.disk import is_plain

_NAMES = {
    BackupKind.DATA: re.compile(r"data/troth\.sqlite3|data/aside/[0-9a-f-]+\.sealed|tables/[a-z0-9_]+"),
    BackupKind.KEYS: re.compile(r"keys(/[A-Za-z0-9_-][A-Za-z0-9._-]*){1,3}"),
}
_PLAIN = {BackupKind.DATA: {manifest.NAME, *SITE_FILES}, BackupKind.KEYS: {manifest.NAME, SUPPRESSED}}


@dataclass(frozen=True, slots=True)
class Half[M: Manifest]:
    """One file of a backup that was read through to its end."""

    path: Path
    head: BackupHeader
    about: M


@dataclass(slots=True)
class Chosen:
    """The files to restore from; at least one."""

    data: Path | None = None
    keys: Path | None = None


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was read. Its files lie in the stage."""

    data: Half[DataManifest] | None
    keys: Half[Manifest] | None

    @property
    def head(self) -> BackupHeader:
        """Return the head of one of them; both are of the same site."""
        half = self.data or self.keys
        assert half is not None
        return half.head


def choose(sources: Sequence[Path]) -> Chosen:
    """Return the files to restore: those named, or the newest of each kind in a folder."""
    result = Chosen()
    for source in sources:
        for path, kind in _in_folder(source) if source.is_dir() else [(source, _kind(source))]:
            if (result.data if kind is BackupKind.DATA else result.keys) is not None:
                raise BackupError(f"Two backups of the {kind.word} were named.", mend="Name one of each.")
            if kind is BackupKind.DATA:
                result.data = path
            else:
                result.keys = path
    if result.data is None and result.keys is None:
        raise BackupError("No backup was named.", mend="Name a folder with backups, or the .troth files.")
    return result


def _kind(path: Path) -> BackupKind:
    try:
        return head_of(path).kind
    except FileNotFoundError:
        raise BackupError(f"{path} does not exist.", mend="Name the .troth files, or their folder.") from None
    except PermissionError:
        raise BackupError(f"{path} cannot be read by this user.", mend="Run it as root.") from None


def _in_folder(folder: Path) -> Iterator[tuple[Path, BackupKind]]:
    newest: dict[BackupKind, tuple[BackupHeader, Path]] = {}
    sites = set()
    for path in sorted(folder.glob("*.troth")):
        try:
            head = head_of(path)
        except Foreign:
            continue
        sites.add(head.site)
        if head.kind not in newest or newest[head.kind][0].made_at <= head.made_at:
            newest[head.kind] = (head, path)
    if len(sites) > 1:
        raise BackupError(f"{folder} has backups of several sites.", mend="Name the two files.")
    if not newest:
        raise BackupError(f"There is no backup in {folder}.", mend="Name the folder with the .troth files.")
    for kind, (_, path) in newest.items():
        yield path, kind


def unpack(chosen: Chosen, key: RecoveryKey, stage: Path, progress: Progress) -> Unpacked:
    """Read the chosen files whole into `stage`. Raises `BackupError` for all that a file can be but right."""
    paths = [path for path in (chosen.data, chosen.keys) if path is not None]
    heads = [head_of(path) for path in paths]
    if len({head.site for head in heads}) > 1:
        raise Apart(
            "These backups are of different sites.", mend="Name two that `troth backup` created for the same site."
        )
    data = keys = None
    for path, head in zip(paths, heads, strict=True):
        raw = _read(path, key, stage, progress)
        if head.kind is BackupKind.DATA:
            data = Half(path, head, manifest.read(raw, DataManifest, path.name))
            manifest.check_migrations(data.about, path.name)
        else:
            keys = Half(path, head, manifest.read(raw, Manifest, path.name))
    result = Unpacked(data, keys)
    _check_pair(result)
    return result


def _check_pair(result: Unpacked) -> None:
    for half in (result.data, result.keys):
        if half and half.about.site != half.head.site:
            raise Altered(
                f"The header and the manifest of {half.path.name} contradict each other.", mend="Use another backup."
            )
    if result.data and result.keys:
        if result.data.about.store != result.keys.about.store:
            raise Apart(
                "The key backup and the data backup do not belong together.", mend="Name two of the same installation."
            )
        if result.data.about.slots > result.keys.about.slots:
            raise Apart(
                "The key backup is older than the data backup, so some people's records could not be decrypted.",
                mend="Name the key backup that was created with it, or a later one; the newest is best.",
            )


def _read(path: Path, key: RecoveryKey, stage: Path, progress: Progress) -> bytes:
    """Write every member below `stage`; returns the manifest."""
    size, content = path.stat().st_size, b""
    with BackupReader(path, key) as reader:
        for name, parts in reader.members():
            if name == manifest.NAME:
                content = b"".join(parts)
                continue
            target = _place(stage, name, reader.head.kind, path.name)
            with target.open("xb") as file:
                for part in parts:
                    file.write(part)
                    progress(f"reading {path.name}", reader.read, size)
            target.chmod(0o600)
    if not content:
        raise Altered(f"{path.name} has no manifest.", mend="Use another backup.")
    return content


def _place(stage: Path, name: str, kind: BackupKind, where: str) -> Path:
    if name not in _PLAIN[kind] and not _NAMES[kind].fullmatch(name):
        raise Altered(f"{where} has an unexpected part.", mend="Use another backup.")
    target = stage / name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if target.exists():
        raise Altered(f"{where} has a duplicate part.", mend="Use another backup.")
    return target


def missing_files(folder: Path, reference: Path) -> Iterable[Path]:
    """Return the files below `other` that `folder` lacks, relative to it."""
    for path in sorted(reference.rglob("*")):
        relative = path.relative_to(reference)
        if is_plain(path) and not (folder / relative).exists():
            yield relative
