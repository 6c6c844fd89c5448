"""The files in `public/answers/`: written by the worker, fetched by the front for whoever holds the link, soon removed.
`core.site_files.answer_paths` names them."""

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID

from django.conf import settings

from troth.core.disk import set_mode, sync_folder, write_synced
from troth.core.site_files import answer_paths


def write_answer(request: UUID, key: bytes, blob: bytes) -> None:
    """Lay down what only `key` opens. Synced on return."""
    _write(answer_paths.path(settings.TROTH_SITE.public, request, answer_paths.mark_of(key)), blob)


def write_receipt(request: UUID, receipt: str) -> None:
    """Lay down the receipt for the page of this request. Synced on return."""
    _write(answer_paths.path(settings.TROTH_SITE.public, request, answer_paths.RECEIPT), receipt.encode())


def remove(requests: Iterable[UUID]) -> int:
    """Remove all files of these requests; returns how many."""
    ids = set(requests)
    return _remove(lambda request: request in ids) if ids else 0


def remove_but(requests: Iterable[UUID]) -> int:
    """Remove the files of all requests but these; returns how many."""
    ids = set(requests)
    return _remove(lambda request: request not in ids)


def _remove(may_go: Callable[[UUID | None], bool]) -> int:
    count, folder = 0, answer_paths.folder(settings.TROTH_SITE.public)
    with contextlib.suppress(FileNotFoundError):
        for path in list(folder.iterdir()):
            if may_go(answer_paths.request_of(path.name.lstrip("."))):
                path.unlink(missing_ok=True)
                count += 1
    if count:
        sync_folder(folder)
    return count


def _write(path: Path, data: bytes) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(exist_ok=True)
        # The front is another user, and nothing in there is readable without its link.
        set_mode(path.parent, 0o755)
    fresh = path.with_name(f".{path.name}")
    write_synced(fresh, data, mode=0o644)
    fresh.replace(path)
    sync_folder(path.parent)
