"""What a command needs in order to work on a site with Django, beside or without the running processes.

Typed by root on a site that another user serves, it becomes that user first (`supervisor.act_as_user`). May write the
database, and the key store where it files what was set aside. Opens no connection but the database's.
"""

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from troth.core import restore_marker
from troth.core.config import sections
from troth.core.config.load import load_config
from troth.core.errors import TrothError
from troth.core.intake_counts import Count
from troth.core.site import Site
from troth.core.text import terminal
from troth.supervisor import act_as_user

_WAIT_SECONDS = 30.0

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def within_reach(root: Path, paths: "Iterable[Path]") -> list[Path]:
    """Files of the operator's that a command reads after `in_site`: to be called before it."""
    return act_as_user.within_reach(Site(root.resolve()), paths)


def in_site(root: Path) -> sections.Config:
    """Point Django at the site in `root`, make its database where there is none yet, and return its settings."""
    site = Site(root.resolve())
    terminal.guard()
    os.umask(0o027)
    act_as_user.become_owner(site)
    settings = load_config(site.config)
    restore_marker.check(site)
    for folder in (site.data, site.people_keys):
        if not folder.is_dir():
            raise TrothError(f"{folder} is missing.", mend=site.mend_of(folder))
    os.environ["TROTH_SITE"] = str(site.root)
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.django_settings"
    import django

    with _plain_refusals():
        django.setup()
        _make_database(site)
    return settings


def _make_database(site: Site) -> None:
    from django.core.management import call_command
    from django.db import connection

    from troth.supervisor import users

    if not settings_use_postgresql():
        if not (site.database.exists() and site.database.stat().st_size):
            _refuse_a_lost_database(site)
        users.share(site)
    if "vault_person" not in connection.introspection.table_names():
        call_command("migrate", verbosity=0, interactive=False)


def _refuse_a_lost_database(site: Site) -> None:
    """One that is gone is not made anew by whoever only wants to look: it may come back."""
    from troth.vault.key_store import KeyStore

    store = KeyStore.open(site.people_keys)
    try:
        used = store.slots > 0
    finally:
        store.close()
    if used:
        raise TrothError(
            f"{site.database} is gone, but keys/people/ holds people's keys.",
            mend="Put it back, or restore a backup (docs/backup.md).",
        )


def settings_use_postgresql() -> bool:
    """Whether the site that Django points at keeps its records in PostgreSQL."""
    from django.db import connection

    return connection.vendor == "postgresql"


def retry_aside(root: Path) -> int:
    """File what was set aside, where it can be filed now. Refused while a worker serves: it does that by itself."""
    in_site(root)
    from troth.vault.keeper import keeper
    from troth.worker.intake import Intake
    from troth.worker.main import hold_lock

    try:
        lock = hold_lock(root.resolve() / "data" / "worker.lock")
    except TrothError:
        raise TrothError(
            "The worker is at work: it tries again by itself every five minutes.",
            mend="Look again later with `troth aside list`, or stop `troth serve` first.",
        ) from None
    try:
        with _plain_refusals():
            keeper().check()
            return Intake().retry_aside()[Count.FILED]
    finally:
        os.close(lock)


def finish_erasures(root: Path, until_done: "Callable[[], bool]") -> bool:
    """Have erasures done that were asked for: by the worker, if one serves, else here, under its lock.

    `until_done` says whether it is; False where the worker has not come to it within half a minute.
    """
    from troth.worker.intake import Intake
    from troth.worker.main import hold_lock

    give_up = time.monotonic() + _WAIT_SECONDS
    while not until_done() and time.monotonic() < give_up:
        try:
            lock = hold_lock(root.resolve() / "data" / "worker.lock")
        except TrothError:
            time.sleep(0.1)  # the worker is there; it looks every second
            continue
        try:
            with _plain_refusals():
                Intake().finish_erasures()
        finally:
            os.close(lock)
        break
    return until_done()


@contextmanager
def _plain_refusals() -> "Iterator[None]":
    """A database's refusal in our words: a driver's may quote a value."""
    from django.db import Error

    try:
        yield
    except Error as error:
        raise TrothError(
            f"The database refused ({type(error).__name__}).",
            mend="`troth doctor` says more. Is it running, and is this user let in?",
        ) from None
    except PermissionError as error:
        raise TrothError(
            f"{error.filename} may not be opened by this user.", mend="Use the user that runs `troth serve`, or root."
        ) from None
