"""What `troth doctor` says of copies that are not ours: who reads the databases, and what was left beside them.

A program that copies a database as it changes keeps what Troth erases: old pages in copies of its own, and, while it
reads, in SQLite's log, which cannot be cut then. Reads names and /proc; opens nothing.
"""

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
    """Logs that were not cut, who reads, and folders of programs that copy."""
    readers = sorted(set(_readers(site)))
    uncut = wal_truncate.noted(site.data)
    if uncut is not None:
        hours = (clock.now() - uncut.since).total_seconds() / 3600
        what = f"Since {uncut.since:%Y-%m-%d %H:%M} (UTC) the log of {' and '.join(uncut.files)} could not be cut:"
        what += " what was erased can be read in it."
        mend = f"Stop what reads it{f' ({", ".join(readers)})' if readers else ''}: {_GUIDE}."
        yield Finding("bad" if hours >= 1 else "warn", what, mend)
    elif readers:
        what = f"Another program has the databases open: {', '.join(readers)}."
        yield Finding("warn", what, f"While it reads, what is erased stays in SQLite's log: {_GUIDE}.")
    for path in _left(site):
        what = f"{path} is a copy that another program makes: it keeps what Troth erases."
        yield Finding("bad", what, f"Use `troth backup` instead, or see {_GUIDE}.")


def _left(site: Site) -> Iterator[Path]:
    """Folders that litestream keeps beside a database (litestream.io, "How it works": `.NAME-litestream`)."""
    for folder in (site.data, site.people_keys):
        with suppress(OSError):
            yield from sorted(folder.glob(".*-litestream"))


def _readers(site: Site) -> Iterator[str]:
    """Programs that are not ours and hold a database open. As far as this user may look: root sees all."""
    ours = _ours(site)
    databases = {str(path) for path in (site.database, *site.people_keys.glob("*.sqlite3"))}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) not in ours:
            with suppress(OSError):
                if any(str(each.readlink()) in databases for each in (process / "fd").iterdir()):
                    yield (process / "comm").read_text().strip()


def _ours(site: Site) -> set[int]:
    """This process, and every one whose chain of parents leads to the one that made the supervisor's."""
    told = status_file.read(site.data)
    known = {os.getpid(), *(seen.pid for seen in (told[1] if told else []))}
    supervisors = {parent for pid in known - {os.getpid()} if (parent := _parent(pid)) > 1}
    return known | supervisors | {int(each.name) for each in Path("/proc").iterdir() if _is_child(each, supervisors)}


def _is_child(process: Path, supervisors: set[int]) -> bool:
    return process.name.isdigit() and _parent(int(process.name)) in supervisors


def _parent(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0
