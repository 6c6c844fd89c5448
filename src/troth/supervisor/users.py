"""One user for each process, where the supervisor runs as root; who owns what in the site's folder.

    troth-front    reads public/
    troth-clerk    writes spool/
    troth-worker   reads spool/; writes data/, public/, asks/; owns the sealing, signing and DKIM keys, and keys/sent
    troth-office   writes data/; shares the people's keys with the worker

Two users share a folder by a group, and each makes its files with that group: so no folder needs a set-group-ID bit,
which a service manager may refuse and a kernel may drop. Runs before any child does. Standard library only.
"""

import grp
import os
import pwd
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from troth.core.errors import TrothError
from troth.core.site import Site
from troth.supervisor import roles
from troth.supervisor.ownership import Settling
from troth.supervisor.safe_write import User, acting_as, owner_of


def ensure() -> dict[str, User]:
    """Return the users, created where missing (with useradd and groupadd, as system accounts)."""
    for name in roles.SHARED:
        _make("groupadd", ["--system", f"troth-{name}"], lambda name=name: grp.getgrnam(f"troth-{name}"))
    for role in roles.USERS:
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        options += ["--shell", "/usr/sbin/nologin", f"troth-{role}"]
        _make("useradd", options, lambda role=role: pwd.getpwnam(f"troth-{role}"))
    return known()


def known() -> dict[str, User]:
    """Return the users of this machine. Raises `KeyError` if one, or a group, does not exist yet."""
    shared = {name: grp.getgrnam(f"troth-{name}").gr_gid for name in roles.SHARED}
    return {role: _user(roles.BY_NAME[role], shared) for role in roles.USERS}


def _user(role: roles.ProcessRole, shared: dict[str, int]) -> User:
    entry = pwd.getpwnam(f"troth-{role.name}")
    first = role.makes_files_for
    groups = [shared[name] for name in sorted(role.shares, key=lambda name: name != first)]
    return User(entry.pw_uid, entry.pw_gid, [*groups, entry.pw_gid] if first else [entry.pw_gid, *groups])


def _make(tool: str, options: list[str], look: object) -> None:
    try:
        look()  # type: ignore[operator]
        return
    except KeyError:
        pass
    name = options[-1]
    try:
        subprocess.run([tool, *options], check=True, capture_output=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        lines = (getattr(error, "stderr", "") or getattr(error, "strerror", "") or "").strip().splitlines()
        raise TrothError(
            f"{tool} could not create {name}{': ' + lines[-1] if lines else ''}.",
            mend="Create the users as root, outside any service: with `troth serve --prepare`, or by hand "
            "(docs/serve.md). Or run everything as one user with --one-user.",
        ) from None


def check_reach(users: dict[str, User], source: Path) -> None:
    """See that each user can run this Python and read this code. Raises `TrothError` where one cannot."""
    for role, user in users.items():
        if not _can(user.own, f"open({str(source / 'troth/supervisor/child.py')!r})"):
            raise TrothError(
                f"The user troth-{role} can't read Python or Troth's code: they are in a folder closed to other users.",
                mend="Install Troth where every user can read it, such as /opt/troth (docs/serve.md), or run "
                "everything as one user with --one-user; seccomp and Landlock are then the only isolation.",
            )


def check_site(users: dict[str, User], site: Site) -> None:
    """See that each user can come to the settled site: the folders above are not ours to open. Raises `TrothError`."""
    for role, user in users.items():
        if not _can(user.own, f"import os; os.stat({str(site.config)!r})"):
            raise TrothError(
                f"The user troth-{role} cannot reach {site.root}: a folder above it is closed to other users.",
                mend=f"Let other users pass through the folders above it (`namei -m {site.root}` lists them, "
                "`chmod o+x` opens one), or move the site to a folder such as /srv.",
            )


def _can(own: tuple[int, int], code: str) -> bool:
    """Return whether this user can run this Python, and this code with it."""
    try:
        result = subprocess.run(  # noqa: S603 - our own interpreter, a line of ours
            [sys.executable, "-I", "-S", "-B", "-c", code],
            user=own[0],
            group=own[1],
            extra_groups=[],
            cwd="/",
            env={},
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return result.returncode == 0


@dataclass(frozen=True, slots=True)
class PathOwner:
    """Whose a part of the site's folder is. `owner`: a role or `root`, `group`: a role, a shared folder or `root`;
    empty where it stays whose it is."""

    path: Path
    owner: str
    group: str
    mode: int
    below: int | None = None
    """The mode of files in it, where it is a folder whose whole content is that user's."""
    is_folder: bool = False
    """A folder of which nothing below is touched."""


def places(site: Site) -> tuple[PathOwner, ...]:
    """Return the table of docs/serve.md: what `settle` sets, and what `troth doctor` looks for."""
    worker_alone = (site.seal_keys, site.sign_keys, site.licence_keys, site.dkim_keys, site.sent)
    return (
        PathOwner(site.root, "", "", 0o711, is_folder=True),
        PathOwner(site.keys, "root", "worker", 0o751, is_folder=True),  # proofs list what lies among the keys
        PathOwner(site.config, "root", "data", 0o640),
        PathOwner(site.policy, "root", "root", 0o644),
        PathOwner(site.site_id, "root", "root", 0o644),
        PathOwner(site.mail_password, "worker", "worker", 0o600),
        *(PathOwner(path, "worker", "worker", 0o600) for path in site.relay_passwords()),
        *(PathOwner(path, "worker", "worker", 0o600) for path in site.card_company_files()),
        PathOwner(site.database_password, "root", "data", 0o640),
        *(PathOwner(folder, "worker", "worker", 0o700, 0o600) for folder in worker_alone),
        PathOwner(
            site.office_keys, "office", "worker", 0o750, 0o600
        ),  # listed by proofs, and opened by the office alone
        PathOwner(site.people_keys, "worker", "data", 0o770, 0o660),
        PathOwner(site.data, "worker", "data", 0o770, 0o660),
        PathOwner(site.spool, "clerk", "spool", 0o750, 0o640),
        PathOwner(site.public, "worker", "public", 0o750, 0o640),
        PathOwner(site.asks, "worker", "worker", 0o750, 0o640),
        PathOwner(site.offers, "worker", "worker", 0o750, 0o640),
    )


@dataclass(frozen=True, slots=True)
class Ids:
    """The numbers behind the names of a `Place`; -1: as it is."""

    users: dict[str, int]
    groups: dict[str, int]

    @classmethod
    def of(cls, by_role: dict[str, User]) -> "Ids":
        """Return the numbers of these users, root, and the groups by which they share."""
        shared = {name: grp.getgrnam(f"troth-{name}").gr_gid for name in roles.SHARED}
        nobody = {"": -1, "root": 0}
        groups = {role: user.group for role, user in by_role.items()} | shared | nobody
        return cls({role: user.ident for role, user in by_role.items()} | nobody, groups)


def settle(site: Site, by_role: dict[str, User]) -> list[str]:
    """Give each part of the site's folder to those who use it, and close it to the rest. Returns, in words, what was
    left as it is because it is none of ours. Raises `TrothError` where owners or modes are not taken."""
    ids = Ids.of(by_role)
    settling = _settling(site, by_role)
    for place in places(site):
        _settle(settling, place, ids)
    return settling.left


def _settling(site: Site, by_role: dict[str, User]) -> Settling:
    return Settling(site.root, {0, site.root.stat().st_uid, *(user.ident for user in by_role.values())})


def _settle(settling: Settling, place: PathOwner, ids: Ids) -> None:
    user, group = ids.users[place.owner], ids.groups[place.group]
    if place.below is not None:
        settling.tree(place.path, user, group, place.mode, place.below)
    elif place.is_folder:
        settling.folder(place.path, user, group, place.mode)
    else:
        settling.give(place.path, user, group, place.mode)


def settle_edited(site: Site) -> None:
    """Give back what an editor of root's may have replaced: settings and policy. On a site with a user for each."""
    try:
        by_role = known()
    except KeyError:
        return
    ids = Ids.of(by_role)
    if site.data.lstat().st_uid == ids.users["worker"]:
        for place in places(site):
            if place.path in (site.config, site.policy):
                _settle(_settling(site, by_role), place, ids)


def share(site: Site) -> None:
    """Make the files that two processes write, so that neither makes them for itself alone."""
    site.sent.mkdir(mode=0o700, exist_ok=True)
    for path in (site.database, site.people_keys / "index.sqlite3", site.people_keys / "marks.sqlite3"):
        with acting_as(owner_of(path.parent)), suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o660))


def let_look(folder: Path, worker: User) -> None:
    """Let the proofs, which are the worker's user, look through a backup folder that is root's alone: they see that
    what lies there is encrypted. In one that everybody may list the backups are opened to them; one that root opened to
    somebody else stays as it is, and `troth doctor` says so."""
    if not folder.is_dir() or folder.is_symlink() or not (_roots_alone(folder) or listed_by_all(folder)):
        return
    with suppress(OSError):  # of another machine, or a disk that knows no owners
        for path in sorted(folder.glob("*.troth")):
            if path.is_file() and not path.is_symlink() and _roots_alone(path):
                os.chown(path, -1, worker.group, follow_symlinks=False)
                path.chmod(0o640)
        if _roots_alone(folder):
            os.chown(folder, -1, worker.group, follow_symlinks=False)
            folder.chmod(0o750)


def may_look(folder: Path, worker: User) -> bool:
    """Whether the proofs can list this folder and read the backups in it: as root, by trying it."""
    looking = f"import os; os.chdir({str(folder)!r}); [open(n).close() for n in os.listdir() if n.endswith('.troth')]"
    return _can((worker.ident, worker.group), looking)


def listed_by_all(folder: Path) -> bool:
    """Whether a folder of root's may be listed by everybody, and nobody else writes in it."""
    status = folder.stat()
    return status.st_uid == 0 and status.st_mode & 0o005 == 0o005 and not status.st_mode & 0o022


def _roots_alone(path: Path) -> bool:
    status = path.stat()
    return status.st_uid == 0 and not status.st_mode & 0o077


def journal_readers() -> list[int]:
    """Return the group that may read systemd's journal, where there is one (systemd-journald.service(8))."""
    try:
        return [grp.getgrnam("systemd-journal").gr_gid]
    except KeyError:
        return []
