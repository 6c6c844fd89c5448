"""`troth upgrade`: makes a backup, changes the database, and reports the changes.

`troth serve` creates a new database, but never changes one with records: a change cannot be undone, so it happens on
request and after a backup. It also refuses a database that a later version has changed. Both errors name the command to
run. May touch: the database; the backup folder.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from troth.backup import create, manifest
from troth.backup.database_snapshot import Progress
from troth.core import django_start
from troth.core.config.load import load_config
from troth.core.errors import TrothError
from troth.core.schema import migrations
from troth.core.site import Site
from troth.supervisor import act_as_user
from troth.supervisor.safe_write import acting_as, owner_of
from troth.worker import migrate
from troth.worker.main import hold_lock


@dataclass(slots=True)
class Upgraded:
    """What was done. `before`: the version that last served the site, empty where nobody wrote it down."""

    before: str
    now: str
    backup: list[Path] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    """The changes of the database that were made, `room.name`."""
    news: list[str] = field(default_factory=list)
    """Lines of the changelog since `before`."""


def upgrade(root: Path, *, backup_first: bool, progress: Progress = create.silent) -> Upgraded:
    """Upgrade the site to this version. Raises `TrothError` if it is running, or of a later version."""
    site = Site(root.resolve())
    settings = load_config(site.config)
    if backup_first and not settings.backup.folder:
        raise TrothError(
            "An upgrade creates a backup first, and no backup folder is set.",
            mend="Set `folder` under [backup], or use --no-backup if you have a backup.",
        )
    try:
        with act_as_user.as_owner(site):
            lock = hold_lock(site.data / "worker.lock")
    except TrothError:
        raise TrothError("This site is running.", mend="Stop `troth serve`, upgrade, then start it again.") from None
    try:
        return _upgrade(site, backup_first=backup_first, progress=progress)
    finally:
        os.close(lock)


def _upgrade(site: Site, *, backup_first: bool, progress: Progress) -> Upgraded:
    with acting_as(owner_of(site.data)):  # the database is theirs: SQLite, too, opens by name what lies beside it
        django_start.set_up(site.root)
        state = migrate.look()
        migrations.refuse_later(state.later)
        migrate.refuse_altered(state)
        result = Upgraded(migrate.last_version(site), manifest.program())
    if state.missing and backup_first and not state.empty:
        result.backup = create.backup(site.root, progress=progress).files
    act_as_user.become_owner(site)  # root no more: what is written from here on is theirs who serve
    progress("changing the database", 0, 1)
    migrate.make_changes()
    migrate.check_schema()
    migrate.write_version(site)
    progress("changing the database", 1, 1)
    result.changes = [f"{room}.{name}" for room, name in state.missing]
    result.news = list(news_since(result.before))
    return result


def news_since(before: str) -> Iterator[str]:
    """Return the changelog's lines of the versions after `before`; of all if it is empty."""
    for place in (Path(__file__).parents[1] / "CHANGELOG.md", Path(__file__).parents[3] / "CHANGELOG.md"):
        if place.is_file():
            for part in re.split(r"(?m)^(?=## )", place.read_text("utf-8"))[1:]:
                head = re.match(r"## \[([^\]]+)\]", part)
                if head and before and head[1] == before:
                    return
                yield from (line for line in part.rstrip().splitlines() if line.strip())
            return


def report(result: Upgraded) -> Iterator[str]:
    """Return what was done, in lines for the operator."""
    for path in result.backup:
        yield f"✓ Backed up first: {path}"
    origin = f" (was {result.before})" if result.before and result.before != result.now else ""
    yield f"✓ The site is at Troth {result.now}{origin}."
    if not result.changes:
        yield "✓ The database was up to date; nothing was changed."
        return
    yield f"✓ {len(result.changes)} changes of the database were made: {', '.join(result.changes)}"
    if result.news:
        yield "\nWhat changed for you:"
        yield from result.news
