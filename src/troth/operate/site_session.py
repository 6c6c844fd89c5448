"""Open a site for a command, with Django, whether or not its processes are running. Run by root on a site that another
user serves, the command becomes that user first (`supervisor.act_as_user`). May write the database, and the key store
when it processes failed items."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from django import db
from django.core import management
from django.db.migrations.recorder import MigrationRecorder

from troth.core import django_start
from troth.core.config import sections
from troth.core.config.load import load_config
from troth.core.errors import TrothError
from troth.core.intake_counts import Count
from troth.core.lazy import lazy
from troth.core.schema import migrations
from troth.core.site import Site
from troth.core.site_files import restore_marker
from troth.core.text import terminal
from troth.supervisor import act_as_user, users
from troth.vault.key_store import KeyStore
from troth.worker.main import hold_lock

if TYPE_CHECKING:
    from troth.vault import keeper
    from troth.worker import intake
else:  # they import models, for which Django must know the site
    intake = lazy("troth.worker.intake")
    keeper = lazy("troth.vault.keeper")

_WAIT_SECONDS = 30.0


def within_reach(root: Path, paths: Iterable[Path]) -> list[Path]:
    """Open the operator's files that a command reads after `in_site`, and return where. To be called before it."""
    return act_as_user.within_reach(Site(root.resolve()), paths)


def in_site(root: Path, *, warn: Callable[[sections.SettingProblem], None] | None = None) -> sections.Config:
    """Point Django at the site in `root`, create its database if there is none, and return its settings. `warn` is
    called for each setting that is still under its earlier name."""
    site = Site(root.resolve())
    terminal.guard()
    os.umask(0o027)
    act_as_user.become_owner(site)
    settings = load_config(site.config, warn=warn)
    restore_marker.check(site)
    for folder in (site.data, site.people_keys):
        if not folder.is_dir():
            raise TrothError(f"{folder} is missing.", mend=site.mend_of(folder))
    with _plain_refusals():
        django_start.set_up(site.root)
        _make_database(site)
    return settings


def _make_database(site: Site) -> None:
    if not settings_use_postgresql():
        if not (site.database.exists() and site.database.stat().st_size):
            _refuse_a_lost_database(site)
        users.share(site)
    if "vault_person" not in db.connection.introspection.table_names():
        management.call_command("migrate", verbosity=0, interactive=False)
    else:
        _refuse_another_version()


def _refuse_another_version() -> None:
    """Refuse a database that is not this version's: a command would fail in the middle, or misread it."""
    applied = set(MigrationRecorder(db.connection).applied_migrations())
    migrations.refuse_later(migrations.later(applied))
    migrations.refuse_missing(migrations.missing(applied))


def _refuse_a_lost_database(site: Site) -> None:
    """Refuse to create a database where one was lost: it may come back."""
    store = KeyStore.open(site.people_keys)
    try:
        used = store.slots > 0
    finally:
        store.close()
    if used:
        raise TrothError(
            f"{site.database} is missing, but keys/people/ has people's keys.",
            mend="Put it back, or restore a backup (docs/backup.md).",
        )


def settings_use_postgresql() -> bool:
    """Return whether the site that Django points at stores its records in PostgreSQL."""
    return db.connection.vendor == "postgresql"


def retry_aside(root: Path) -> int:
    """Process failed items again; return how many succeeded. Refused while a worker runs, which does so by itself."""
    in_site(root)
    try:
        lock = hold_lock(root.resolve() / "data" / "worker.lock")
    except TrothError:
        raise TrothError(
            "The worker is running: it retries failed items every five minutes.",
            mend="Check later with `troth failed list`, or stop `troth serve` first.",
        ) from None
    try:
        with _plain_refusals():
            keeper.keeper().check()
            return intake.Intake().retry_aside()[Count.FILED]
    finally:
        os.close(lock)


def finish_erasures(root: Path, until_done: Callable[[], bool]) -> bool:
    """Have the queued deletions done: by the worker if one runs, else here, under its lock. Returns whether
    `until_done` became true within half a minute."""
    give_up = time.monotonic() + _WAIT_SECONDS
    while not until_done() and time.monotonic() < give_up:
        try:
            lock = hold_lock(root.resolve() / "data" / "worker.lock")
        except TrothError:
            time.sleep(0.1)  # a worker runs; it looks every second
            continue
        try:
            with _plain_refusals():
                intake.Intake().finish_erasures()
        finally:
            os.close(lock)
        break
    return until_done()


@contextmanager
def _plain_refusals() -> Iterator[None]:
    """Report a database's error in our words: a driver's message may quote a value."""
    try:
        yield
    except db.Error as error:
        raise TrothError(
            f"The database reported an error ({type(error).__name__}).",
            mend="Is it running, and does this user have access? `troth doctor` tells you more.",
        ) from None
    except PermissionError as error:
        raise TrothError(
            f"This user may not open {error.filename}.", mend="Use the user that runs `troth serve`, or root."
        ) from None
