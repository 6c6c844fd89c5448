"""Every kind of process, one row each: what it runs, as which user, what it may reach, and how it is ended.

To add a process, add its row here and hand it its sockets in `supervisor.supervisor`. Everything else follows: its
system user, its fence, `troth sandbox`, the order in which processes end, and the words that people read.

Standard library only: a child reads its row before its fence is up (WALL 1).
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from troth.core.clock_jumps import BOOT_ID
from troth.core.sandbox.restrict import Fence
from troth.core.site import Site
from troth.supervisor.brief import Brief

PROGRAMS = (
    *map(Path, ("/bin", "/usr/bin", "/usr/local/bin", "/etc/alternatives", sys.executable)),
    Path(sys.base_prefix) / "bin",
    Path(sys.executable).parent.parent / "pyvenv.cfg",
)
"""What a process needs to start a program of the system, or this Python."""
_FOR_TERMINALS = ("rich",)
"""What `structlog` imports where it is installed, to write in colours, and no process of ours asks for."""
_NAMES_AND_TRUST = tuple(map(Path, ("/etc", "/usr/share/ca-certificates", "/run/systemd/resolve", "/dev/null")))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRole:
    """One kind of process."""

    name: str
    label: str
    """What people read."""
    module: str
    """Its `run(brief)` is the process."""
    user: str
    """The role whose system user it runs as."""
    fence: Callable[[Brief, Site], Fence]
    """What it may reach besides the program's own code, which every process reads."""
    shares: tuple[str, ...] = ()
    """Groups of its user (`troth-data`, ...): the folders of the site that it shares with other users."""
    makes_files_for: str = ""
    """The one of these groups that its new files belong to. What the worker publishes says by its mode who reads it."""
    sees_site: bool = True
    """Whether its brief names the site's folder."""
    uses_packages: bool = True
    """Whether it may import installed packages; otherwise Troth's own code alone."""
    kept_out: tuple[str, ...] = ()
    """Packages that it has no use for, although they lie where its own do: importing one is refused."""
    reads_environment: bool = False
    """Whether settings from the supervisor's environment are handed to it."""
    connects_to: Literal["", "database", "mail", "names"] = ""
    """Whose TCP ports it may connect to; `mail` includes the database's; `names` are name servers."""
    dies_at_once: bool = False
    """Whether it is killed, and not asked to end, when the supervisor has gone."""
    hides_messages: bool = True
    """Whether an error of a library is logged without its message (`supervisor.quiet_errors`)."""
    tripwire: bool = False
    """Whether it notes each refused connection under `data/` (`gate.tripwire_log`)."""
    stops: int | None = None
    """Its place in the order in which processes end; None for a task, which ends by itself."""
    seconds: float = 10.0
    """How long it may take to finish after SIGTERM; of a task: how long it may run at all."""


def _front(brief: Brief, _site: Site) -> Fence:
    return Fence(read=(Path(brief.public),), serves=True)


def _clerk(_brief: Brief, site: Site) -> Fence:
    return Fence(read=(), write=(site.spool,))


def _office(brief: Brief, site: Site) -> Fence:
    return Fence(
        read=(site.config, site.site_id, site.database_password, site.office_keys, site.people_keys, site.public),
        serves=True,
        write=(site.data, site.people_keys),
        network=bool(brief.ports),
        tcp_ports=brief.ports or None,
        metadata=True,
    )


def _worker_task(brief: Brief, site: Site) -> Fence:
    return Fence(
        read=(*_NAMES_AND_TRUST, BOOT_ID, site.config, site.policy, site.keys, site.spool, site.offers),
        write=(site.data, site.public, site.asks, site.seal_keys, site.people_keys, site.sent),
        network=True,
        tcp_ports=brief.ports or None,
        metadata=True,
    )


def _worker(brief: Brief, site: Site) -> Fence:
    return replace(_worker_task(brief, site), links=(site.public,))  # `current` is one


def _dns(brief: Brief, site: Site) -> Fence:
    # Neither the database nor a key but DKIM's: what it asks and learns is public.
    return Fence(
        read=(*_NAMES_AND_TRUST, site.config, site.dkim_keys),
        write=(site.sender_dns,),
        network=True,
        tcp_ports=brief.ports,
        metadata=True,
    )


def _prove(brief: Brief, site: Site) -> Fence:
    # It looks everywhere, and tries from inside what the front may do: so it may start programs.
    return Fence(
        read=(*_NAMES_AND_TRUST, *PROGRAMS, site.root, Path("/proc"), *map(Path, brief.looks)),
        write=(site.data, site.people_keys),
        serves=True,
        network=True,
        tcp_ports=brief.ports,
        processes=True,
        metadata=True,
    )


ROLES = (
    ProcessRole(
        name="front",
        label="public server",
        module="troth.front.main",
        user="front",
        fence=_front,
        shares=("public",),
        sees_site=False,
        kept_out=("typer", "yaml", "pydantic", "pydantic_core", "rich", "django", "allauth", "psycopg"),
        dies_at_once=True,
        stops=0,  # first nothing new comes in
    ),
    ProcessRole(
        name="clerk",
        label="intake",
        module="troth.clerk.main",
        user="clerk",
        fence=_clerk,
        shares=("spool",),
        makes_files_for="spool",
        uses_packages=False,
        stops=2,  # then what came in is kept
    ),
    ProcessRole(
        name="worker",
        label="worker",
        module="troth.worker.main",
        user="worker",
        fence=_worker,
        shares=("data", "spool", "public"),
        makes_files_for="data",
        kept_out=_FOR_TERMINALS,
        reads_environment=True,
        connects_to="mail",
        tripwire=True,
        stops=3,  # then what it has begun is finished
        seconds=30.0,
    ),
    ProcessRole(
        name="office",
        label="admin server",
        module="troth.office.main",
        user="office",
        fence=_office,
        shares=("data", "public"),
        makes_files_for="data",
        reads_environment=True,
        connects_to="database",
        tripwire=True,
        stops=1,
    ),
    ProcessRole(
        name="migrate",
        label="database upgrade",
        module="troth.worker.migrate",
        user="worker",
        fence=_worker_task,
        reads_environment=True,
        connects_to="mail",
        hides_messages=False,  # before a site serves, its operator needs the database's own words
        seconds=600.0,
    ),
    ProcessRole(
        name="alarm",
        label="alarm email",
        module="troth.worker.alarm",
        user="worker",
        fence=_worker_task,
        kept_out=_FOR_TERMINALS,
        reads_environment=True,
        connects_to="mail",
        seconds=300.0,
    ),
    ProcessRole(
        name="dns",
        label="check of the sender’s DNS records",
        module="troth.gate.sender_dns.main",
        user="worker",
        fence=_dns,
        kept_out=(*_FOR_TERMINALS, "django", "psycopg"),
        reads_environment=True,
        connects_to="names",
        seconds=120.0,
    ),
    ProcessRole(
        name="prove",
        label="run of the checks",
        module="troth.proofs.main",
        user="worker",
        fence=_prove,
        kept_out=_FOR_TERMINALS,
        reads_environment=True,
        connects_to="mail",
        seconds=1800.0,
    ),
)
"""Where several start together, in the order in which they start, the fronts last."""

BY_NAME = {role.name: role for role in ROLES}
SERVING = tuple(role.name for role in ROLES if role.stops is not None)
"""The roles that run as long as the site is served."""
STOP_ORDER = tuple(sorted(SERVING, key=lambda name: BY_NAME[name].stops or 0))
USERS = tuple(role.name for role in ROLES if role.user == role.name)
"""The roles that have a system user of their own, `troth-<name>`."""
SHARED = tuple(sorted({group for role in ROLES for group in role.shares}))
"""The folders that users share, each by a group of its own, `troth-<name>`."""
TRIPWIRES = tuple(role.name for role in ROLES if role.tripwire)


def label_of(process: str) -> str:
    """Return what people read for a process as `house.json` names it: `front 1` is `public server 2`."""
    name, _, number = process.partition(" ")
    label = BY_NAME[name].label if name in BY_NAME else name
    return f"{label} {int(number) + 1}" if number.isdigit() else label
