"""The places where a person's data might be stored, and the search through them.

The site's folder except the keys; of the keys, the key store's indexes and whatever the worker may write beside them;
the log, wherever it goes; backups, also outside of the site's folder; PostgreSQL's tables. May touch: all that
(reading); starts grep.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from troth.proofs.context import Scene
from troth.proofs.instruments import search
from troth.proofs.instruments.search import SearchResult
from troth.supervisor import status_file

_LARGE = 256 << 20
_NEWEST = 4 << 20


@dataclass(frozen=True, slots=True)
class Log:
    """Where the processes log."""

    files: tuple[Path, ...] = ()
    unit: str = ""
    """The systemd unit with the journal."""


def everywhere(scene: Scene, forms: Sequence[bytes]) -> SearchResult:
    """Search everything but the log. Raises `OSError` if something is not readable."""
    files_result = search.in_files(_files(scene), scene.site.root, forms)
    if not scene.config.database.url:
        return files_result
    rows = search.in_postgresql(forms)
    return SearchResult(files_result.files, files_result.size + rows.size, (*files_result.places, *rows.places))


def _files(scene: Scene) -> Iterator[Path]:
    site = scene.site
    yield from (path for path in _at_the_top(site.root) if path.is_file())
    for folder in (*_folders(scene), site.sent, site.seal_keys):  # the worker may write among the keys, too
        yield from search.files_of(folder, but=left_for_the_day(scene))
    if not scene.light:
        yield from search.files_of(site.people_keys, but=[site.people_keys / "slots"])


def files(scene: Scene) -> Iterator[Path]:
    """Yield every file of the site, keys included, without opening any."""
    yield from (path for path in _at_the_top(scene.site.root) if path.is_file())
    for folder in dict.fromkeys((*_folders(scene), scene.site.keys)):
        if folder.is_relative_to(scene.site.root):
            yield from search.files_of(folder)


def left_for_the_day(scene: Scene) -> list[Path]:
    """Return what is too large to search every hour: a database of hundreds of megabytes. Its log of recent writes is
    still searched every hour, and the whole database once a day."""
    path = scene.site.database
    return [path] if scene.light and path.exists() and path.stat().st_size > _LARGE else []


def _folders(scene: Scene) -> list[Path]:
    """Return the folders to search: the declared ones and any others beside them."""
    site = scene.site
    declared = [site.data, site.spool, site.public, site.asks, site.offers]
    subfolders = [
        path for path in _at_the_top(site.root) if path.is_dir() and not path.is_symlink() and path != site.keys
    ]
    backups = Path(scene.config.backup.folder) if scene.config.backup.folder else None
    outside = [backups] if backups and not scene.light and not backups.is_relative_to(site.root) else []
    return list(dict.fromkeys([*(path for path in declared if path.exists()), *subfolders, *outside]))


def _at_the_top(root: Path) -> list[Path]:
    """Return what is at the top of the site's folder. With a user for each process it is not listable (mode 0711), and
    only root can have put anything there."""
    try:
        return sorted(root.iterdir())
    except PermissionError:
        return [path for path in (root / "troth.toml", root / "policy.md") if path.exists()]


def log(scene: Scene) -> Log:
    """Return where the processes log; empty for a terminal or a pipe. Raises `OSError` if that is unknown."""
    place = status_file.log_of(scene.site.data)
    if place.startswith("journal "):
        return Log(unit=place.removeprefix("journal "))
    if not place:
        return Log()
    path = Path(place)
    older = sorted(path.parent.glob(f"{path.name}.*")) if os.access(path.parent, os.R_OK) else []
    return Log((path, *older))


def lines_of_log(scene: Scene) -> list[str]:
    """Return the newest lines of the log, up to some megabytes. Raises `OSError` if it is not readable."""
    where = log(scene)
    if where.unit:
        content = search.journal(where.unit)[-_NEWEST:]
    elif where.files:
        with where.files[0].open("rb") as file:
            file.seek(max(0, where.files[0].stat().st_size - _NEWEST))
            content = file.read()
    else:
        content = b""
    return content.decode("utf-8", "replace").splitlines()[int(len(content) >= _NEWEST) :]


def count_lines(scene: Scene) -> int:
    """Count the log's lines. Raises `OSError` if it is not readable."""
    where = log(scene)
    if where.unit:
        return search.journal(where.unit).count(b"\n")
    count = 0
    for path in where.files[:1]:
        with path.open("rb") as file:
            while chunk := file.read(_NEWEST):
                count += chunk.count(b"\n")
    return count


def in_the_log(scene: Scene, forms: Sequence[bytes]) -> tuple[int, list[str], str]:
    """Search the log; return how many files were searched, where something was found, and a description of the log."""
    where = log(scene)
    if where.unit:
        hits = search.in_journal(where.unit, forms)
        return 1, ["the journal"] if hits else [], "the journal of the last day"
    result = search.in_files(where.files, scene.site.root, forms)
    if where.files and not result.files:
        raise PermissionError(13, "may not be read", "the log")
    words = f"{result.files} log files" if where.files else "no log (it goes to a terminal or another program)"
    return result.files, list(result.places), words
