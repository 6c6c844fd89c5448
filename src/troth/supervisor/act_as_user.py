"""Become the user who serves a site, where root types a command on it: those who serve could not use root's files, and
a link that one of them planted would lead root elsewhere. For good, or for one act where root is needed otherwise, as
for a backup. On root's own site, and for any other user, nothing changes. Standard library only."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from troth.core.site import Site
from troth.supervisor import users
from troth.supervisor.opened_file import opened
from troth.supervisor.safe_write import User, acting_as, owner_of

_UMASK = 0o007


def owner(site: Site) -> User | None:
    """Return who serves the site, if we are root and that is somebody else."""
    if os.geteuid() != 0 or not site.data.is_dir():
        return None
    data_owner = owner_of(site.data)
    try:
        worker = users.known()["worker"]
    except KeyError:
        return data_owner
    return worker if data_owner and worker.ident == data_owner.ident else data_owner


def within_reach(site: Site, paths: Iterable[Path]) -> list[Path]:
    """Open the files that root named, before the command becomes somebody who may not open them."""
    return [opened(path) for path in paths] if owner(site) else [*paths]


def become_owner(site: Site) -> None:
    """Become who serves the site, for good. What root edits by hand is made readable to them first."""
    user = owner(site)
    if user is None:
        return
    users.settle_edited(site)
    _become(user, users.journal_readers())  # a proof searches the log


def _become(user: User, more: list[int]) -> None:
    os.setgroups([*user.groups, *more])
    os.setresgid(*[user.groups[0]] * 3)
    os.setresuid(*[user.ident] * 3)
    os.umask(_UMASK)


def become_role(site: Site, role: str) -> None:
    """Become, for good, whom this process of the site runs as; on a site of one user that one."""
    user = owner(site)
    if user is None:
        return
    with suppress(KeyError):
        site_users = users.known()
        user = site_users[role] if site_users["worker"] == user else user
    _become(user, [])


@contextmanager
def as_owner(site: Site) -> Iterator[None]:
    """Do this as who serves the site, then be root again."""
    user = owner(site)
    if user is None:
        yield
        return
    mask = os.umask(_UMASK)
    try:
        with acting_as(user):
            yield
    finally:
        os.umask(mask)
