"""One user for each process, where the supervisor runs as root; who owns what in the site's folder.

    troth-front    reads public/
    troth-clerk    writes spool/
    troth-worker   reads spool/; writes data/, public/, asks/; owns the sealing, signing and DKIM keys, and keys/sent
    troth-office   writes data/; shares the people's keys with the worker

Runs before any child does. Standard library only.
"""

import grp
import os
import pwd
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from troth.ground.errors import TrothError
from troth.ground.site import Site
from troth.launch.safewrite import User, acting_as, owner_of
from troth.launch.settling import Settling

ROLES = ("front", "clerk", "worker", "office")
_SHARED = {"data": ("worker", "office"), "spool": ("clerk", "worker"), "public": ("front", "worker", "office")}


def ensure() -> dict[str, User]:
    """The users and groups, made where they are missing (with useradd and groupadd, as system accounts)."""
    for name in _SHARED:
        _make("groupadd", ["--system", f"troth-{name}"], lambda name=name: grp.getgrnam(f"troth-{name}"))
    for role in ROLES:
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        options += ["--shell", "/usr/sbin/nologin", f"troth-{role}"]
        _make("useradd", options, lambda role=role: pwd.getpwnam(f"troth-{role}"))
    shared = {name: grp.getgrnam(f"troth-{name}").gr_gid for name in _SHARED}
    return {role: _user(role, [shared[name] for name, who in _SHARED.items() if role in who]) for role in ROLES}


def _user(role: str, shared: list[int]) -> User:
    entry = pwd.getpwnam(f"troth-{role}")
    return User(entry.pw_uid, [entry.pw_gid, *shared])


def _make(tool: str, options: list[str], look: object) -> None:
    try:
        look()  # type: ignore[operator]
        return
    except KeyError:
        pass
    try:
        subprocess.run([tool, *options], check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        raise TrothError(
            f"{tool} could not make {options[-1]}.",
            mend="Make the users by hand (docs/serve.md), or run everything as one user with --one-user.",
        ) from None


def check_reach(users: dict[str, User], source: Path) -> None:
    """See that each user can run this Python and read this code. Raises `TrothError` where one cannot."""
    for role, user in users.items():
        probe = [sys.executable, "-I", "-S", "-B", "-c", f"open({str(source / 'troth/launch/child.py')!r})"]
        try:
            done = subprocess.run(  # noqa: S603
                probe,
                user=user.ident,
                group=user.groups[0],
                extra_groups=[],
                cwd="/",
                env={},
                capture_output=True,
                check=False,
            )
        except PermissionError:
            done = None
        if done is None or done.returncode != 0:
            raise TrothError(
                f"The user troth-{role} cannot read Python or Troth's code: they lie in a folder closed to others.",
                mend="Install Troth where every user may read it, such as /opt/troth (docs/serve.md), or run all "
                "as one user with --one-user; the kernel's fences hold there, too, but are then the only ones.",
            )


def settle(site: Site, users: dict[str, User]) -> list[str]:
    """Give each part of the site's folder to those who use it, and close it to the rest. Returns, in words, what was
    left as it is because it is none of ours."""
    shared = {name: grp.getgrnam(f"troth-{name}").gr_gid for name in _SHARED}
    worker, office, clerk = users["worker"], users["office"], users["clerk"]
    ours = {0, site.root.stat().st_uid, *(user.ident for user in users.values())}
    settling = Settling(site.root, ours)
    settling.folder(site.root, 0o711)
    settling.folder(site.keys, 0o711)
    settling.give(site.config, 0, shared["data"], 0o640)
    settling.give(site.policy, 0, 0, 0o644)
    settling.give(site.site_id, 0, 0, 0o644)
    for folder in (site.seal_keys, site.sign_keys, site.dkim_keys, site.sent):
        settling.tree(folder, *worker.own, 0o700, 0o600)
    settling.give(site.mail_password, *worker.own, 0o600)
    settling.give(site.database_password, 0, shared["data"], 0o640)
    settling.tree(site.office_keys, *office.own, 0o700, 0o600)
    settling.tree(site.people_keys, worker.ident, shared["data"], 0o2770, 0o660)
    settling.tree(site.data, worker.ident, shared["data"], 0o2770, 0o660)
    settling.tree(site.spool, clerk.ident, shared["spool"], 0o2750, 0o640)
    settling.tree(site.public, worker.ident, shared["public"], 0o2750, 0o640)
    settling.tree(site.asks, *worker.own, 0o750, 0o640)
    settling.tree(site.offers, *worker.own, 0o750, 0o640)
    return settling.left


def share(site: Site) -> None:
    """Make the files that two processes write, so that neither makes them for itself alone."""
    site.sent.mkdir(mode=0o700, exist_ok=True)
    for path in (site.database, site.people_keys / "index.sqlite3", site.people_keys / "marks.sqlite3"):
        with acting_as(owner_of(path.parent)), suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o660))


def journal_readers() -> list[int]:
    """The group that may read systemd's journal, where there is one (systemd-journald.service(8))."""
    try:
        return [grp.getgrnam("systemd-journal").gr_gid]
    except KeyError:
        return []
