"""What `troth doctor` asks of owners and modes: whether those who serve a site can use what lies in it.

A file that somebody else left there, such as root by a command, is seen here before an entry waits for it. Reads names,
owners and modes; opens nothing; changes nothing.
"""

import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from troth.core.config.sections import Config
from troth.core.errors import TrothError
from troth.core.site import Site
from troth.operate.doctor.finding import Finding, Level
from troth.supervisor import status_file, supervisor, users
from troth.supervisor.safe_write import User

_SHOWN = 5
_NOBODY = User(65534, 65534, [65534])


def look(site: Site, settings: Config) -> Iterator[Finding]:
    """Everything about owners and modes, whichever way the site is served."""
    if not site.data.is_dir():
        return  # told already
    owner, who = site.data.stat().st_uid, _users()
    if who and owner == who["worker"].ident:
        yield from _reached(who, site, "bad")
        yield from _listed(strangers(site, who), f"troth serve --prepare --site {site.root}")
        yield from _backups(settings, who["worker"])
    elif owner != 0:
        yield from _listed(_of_others(site, owner), f"chown -R {owner} {site.root}")
    elif not site.database.exists():  # not served yet: by root, for all we know, who may still choose one user
        yield from _reached(who or {"worker": _NOBODY}, None, "warn")


def _users() -> dict[str, User] | None:
    try:
        return users.known()
    except KeyError:
        return None


def _listed(found: Iterator[str], mend: str) -> Iterator[Finding]:
    """At most some of many, so that the others are still read."""
    shown = list(islice(found, _SHOWN + 1))
    for what in shown[:_SHOWN]:
        yield Finding("bad", what, mend)
    if len(shown) > _SHOWN:
        yield Finding("bad", "… and more.", mend)
    if not shown:
        yield Finding("ok", "Everything belongs to those who use it.")


def _reached(who: dict[str, User], site: Site | None, level: Level) -> Iterator[Finding]:
    """What `troth serve` asks before it starts anything: only root can try it."""
    if os.geteuid() != 0:
        return
    try:
        users.check_reach(who, supervisor.source())
        if site:
            users.check_site(who, site)
    except TrothError as error:
        yield Finding(level, str(error), error.mend)


# -- a user for each process ------------------------------------------------------------------------------------------


def strangers(site: Site, who: dict[str, User]) -> Iterator[str]:
    """What those who serve cannot use, where each process has a user of its own."""
    ids = users.Ids.of(who)
    for place in users.places(site):
        try:
            found = place.path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(found.st_mode):
            continue
        user, group = ids.users[place.owner], ids.groups[place.group]
        if user not in (-1, found.st_uid) or group not in (-1, found.st_gid):
            yield f"{place.path} belongs to {_name(found.st_uid)}, and those who need it cannot use it."
        elif stat.S_IMODE(found.st_mode) & 0o777 != place.mode:
            yield f"{place.path} has mode {stat.S_IMODE(found.st_mode):04o}, and needs {place.mode:04o}."
        if place.below is not None:
            shared = (who["worker"].ident, who["office"].ident)
            owners = shared if place.group == "data" else (user,)
            yield from _below(place.path, owners, group if place.group == "data" else -1)


def _below(folder: Path, owners: tuple[int, ...], group: int) -> Iterator[str]:
    roots = {status_file.HOUSE, "policy-copy.md"}  # what the supervisor writes for the others
    for path in _files(folder):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue  # it went meanwhile
        if found.st_uid not in owners and not (
            found.st_uid == 0 and path.name.strip(".").removesuffix(".new") in roots
        ):
            yield f"{path} belongs to {_name(found.st_uid)}, and those who need it cannot use it."
        elif group not in (-1, found.st_gid):
            yield f"{path} has the group {found.st_gid}, and one of two who share it cannot use it."


def _backups(settings: Config, worker: User) -> Iterator[Finding]:
    """Proofs see that backups hold nobody in plain text, where they may look into the folder."""
    folder = Path(settings.backup.folder) if settings.backup.folder else None
    if folder and folder.is_dir() and os.geteuid() == 0 and not users.may_look(folder, worker):
        what = f"The proofs cannot look through {folder}: the promises that backups touch stay unproven."
        there = shlex.quote(str(folder))
        mend = f"chgrp -R troth-worker {there} && chmod -R g+rX {there}, and let others pass the folders above it."
        yield Finding("warn", what, mend)


# -- one user ---------------------------------------------------------------------------------------------------------


def _of_others(site: Site, owner: int) -> Iterator[str]:
    """What in the folders that are written while serving is not the serving user's."""
    for folder in (site.keys, site.data, site.spool, site.public, site.asks, site.offers):
        for path in (folder, *_files(folder)):
            try:
                found = path.lstat()
            except FileNotFoundError:
                continue
            if found.st_uid != owner:
                yield f"{path} belongs to {_name(found.st_uid)}, but {_name(owner)} serves this site."


def _files(folder: Path) -> Iterator[Path]:
    """Everything below; what this user may not list is told elsewhere."""
    for at, folders, names in os.walk(folder):
        yield from (Path(at, name) for name in sorted([*folders, *names]))


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
