"""Find other programs that copy the databases, and their copies, for `troth doctor`: they keep what Troth deletes, in
their copies and, while they read, in SQLite's write-ahead log, which cannot be truncated then. Reads names and
/proc."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from troth.core import clock
from troth.core.config.sections import Config
from troth.core.site import Site
from troth.operate.doctor.finding import Finding
from troth.supervisor import status_file
from troth.vault import wal_truncate

_GUIDE = "docs/backup.md, “Other programs that copy”"


def look(site: Site, _settings: Config) -> Iterator[Finding]:
    """Yield logs that were not truncated, programs that read, and folders of programs that copy."""
    readers = sorted(set(_readers(site)))
    uncut = wal_truncate.noted(site.data)
    if uncut is not None:
        hours = (clock.now() - uncut.since).total_seconds() / 3600
        message = (
            f"Since {uncut.since:%Y-%m-%d %H:%M} (UTC) the write-ahead log of {' and '.join(uncut.files)} cannot be"
        )
        message += " truncated: deleted data can still be read in it."
        mend = f"Stop the program that reads it{f' ({", ".join(readers)})' if readers else ''}: {_GUIDE}."
        yield Finding("bad" if hours >= 1 else "warn", message, mend)
    elif readers:
        message = f"Another program has the databases open: {', '.join(readers)}."
        yield Finding("warn", message, f"While it reads, deleted data stays in SQLite's write-ahead log: {_GUIDE}.")
    for path in _left(site):
        message = f"{path} is a copy made by another program: it keeps what Troth deletes."
        yield Finding("bad", message, f"Use `troth backup` instead, or see {_GUIDE}.")


def _left(site: Site) -> Iterator[Path]:
    """Yield folders that litestream keeps beside a database (litestream.io, "How it works": `.NAME-litestream`)."""
    for folder in (site.data, site.people_keys):
        with suppress(OSError):
            yield from sorted(folder.glob(".*-litestream"))


def _readers(site: Site) -> Iterator[str]:
    """Yield other programs that have a database open, as far as this user may see: root sees all."""
    ours = _ours(site)
    databases = {str(path) for path in (site.database, *site.people_keys.glob("*.sqlite3"))}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) not in ours:
            with suppress(OSError):
                if any(str(descriptor.readlink()) in databases for descriptor in (process / "fd").iterdir()):
                    yield (process / "comm").read_text().strip()


def _ours(site: Site) -> set[int]:
    """Return the ids of this process, of the site's processes, and of their supervisor and its children."""
    status = status_file.read(site.data)
    pids = {os.getpid(), *(process.pid for process in (status[1] if status else []))}
    supervisors = {parent for pid in pids - {os.getpid()} if (parent := _parent(pid)) > 1}
    return (
        pids
        | supervisors
        | {int(process.name) for process in Path("/proc").iterdir() if _is_child(process, supervisors)}
    )


def _is_child(process: Path, supervisors: set[int]) -> bool:
    return process.name.isdigit() and _parent(int(process.name)) in supervisors


def _parent(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0
