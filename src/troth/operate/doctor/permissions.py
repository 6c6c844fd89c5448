"""Check owners and permissions for `troth doctor`: can the processes that serve a site use its files? So a file that
root left there is found before a submission waits for it. Opens nothing; changes nothing."""

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
    """Yield findings about owners and permissions, however the site is served."""
    if not site.data.is_dir():
        return  # reported already
    owner, accounts = site.data.stat().st_uid, _users()
    if accounts and owner == accounts["worker"].ident:
        yield from _reached(accounts, site, "bad")
        yield from _listed(strangers(site, accounts), f"troth serve --prepare --site {site.root}")
        yield from _backups(settings, accounts["worker"])
    elif owner != 0:
        yield from _listed(_of_others(site, owner), f"chown -R {owner} {site.root}")
    elif not site.database.exists():  # not served yet; root may still choose one user
        yield from _reached(accounts or {"worker": _NOBODY}, None, "warn")


def _users() -> dict[str, User] | None:
    try:
        return users.known()
    except KeyError:
        return None


def _listed(problems: Iterator[str], mend: str) -> Iterator[Finding]:
    """Yield at most a few of many, so that other findings are still read."""
    first = list(islice(problems, _SHOWN + 1))
    for message in first[:_SHOWN]:
        yield Finding("bad", message, mend)
    if len(first) > _SHOWN:
        yield Finding("bad", "… and more.", mend)
    if not first:
        yield Finding("ok", "Owners and permissions are right.")


def _reached(accounts: dict[str, User], site: Site | None, level: Level) -> Iterator[Finding]:
    """Yield what `troth serve` checks before it starts: only root can."""
    if os.geteuid() != 0:
        return
    try:
        users.check_reach(accounts, supervisor.source())
        if site:
            users.check_site(accounts, site)
    except TrothError as error:
        yield Finding(level, str(error), error.mend)


# -- a user for each process ------------------------------------------------------------------------------------------


def strangers(site: Site, accounts: dict[str, User]) -> Iterator[str]:
    """Yield what the processes cannot use, where each has its own user."""
    ids = users.Ids.of(accounts)
    for place in users.places(site):
        try:
            status = place.path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(status.st_mode):
            continue
        user, group = ids.users[place.owner], ids.groups[place.group]
        if user not in (-1, status.st_uid) or group not in (-1, status.st_gid):
            yield f"{place.path} belongs to {_name(status.st_uid)}, so the process that needs it cannot use it."
        elif stat.S_IMODE(status.st_mode) & 0o777 != place.mode:
            yield f"{place.path} has mode {stat.S_IMODE(status.st_mode):04o}, and needs {place.mode:04o}."
        if place.below is not None:
            shared = (accounts["worker"].ident, accounts["office"].ident)
            owners = shared if place.group == "data" else (user,)
            yield from _below(place.path, owners, group if place.group == "data" else -1)


def _below(folder: Path, owners: tuple[int, ...], group: int) -> Iterator[str]:
    roots = {status_file.HOUSE, "policy-copy.md"}  # the supervisor writes these for the other processes
    for path in _files(folder):
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue  # deleted meanwhile
        if status.st_uid not in owners and not (
            status.st_uid == 0 and path.name.strip(".").removesuffix(".new") in roots
        ):
            yield f"{path} belongs to {_name(status.st_uid)}, so the process that needs it cannot use it."
        elif group not in (-1, status.st_gid):
            yield f"{path} has the group {status.st_gid}, so one of two processes that share it cannot use it."


def _backups(settings: Config, worker: User) -> Iterator[Finding]:
    """Report a backup folder that the proofs may not read: they check that backups are encrypted."""
    folder = Path(settings.backup.folder) if settings.backup.folder else None
    if folder and folder.is_dir() and os.geteuid() == 0 and not users.may_look(folder, worker):
        message = f"The proofs cannot read {folder}: promises about backups cannot be proven."
        quoted = shlex.quote(str(folder))
        mend = f"chgrp -R troth-worker {quoted} && chmod -R g+rX {quoted}, and let others enter the folders above it."
        yield Finding("warn", message, mend)


# -- one user ---------------------------------------------------------------------------------------------------------


def _of_others(site: Site, owner: int) -> Iterator[str]:
    """Yield files that do not belong to the serving user, in folders that are written while serving."""
    for folder in (site.keys, site.data, site.spool, site.public, site.asks, site.offers):
        for path in (folder, *_files(folder)):
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            if status.st_uid != owner:
                yield f"{path} belongs to {_name(status.st_uid)}, but {_name(owner)} serves this site."


def _files(folder: Path) -> Iterator[Path]:
    """Yield everything below; what this user may not list is reported elsewhere."""
    for at, folders, names in os.walk(folder):
        yield from (Path(at, name) for name in sorted([*folders, *names]))


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
