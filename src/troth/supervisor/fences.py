"""What each process may reach: the table in section 2 of the design, as the kernel gets it.

Standard library only.
"""

import os
import sys
import sysconfig
from pathlib import Path

from troth.core.clock_jumps import BOOT_ID
from troth.core.sandbox.restrict import Fence, FenceError
from troth.core.site import Site
from troth.supervisor.brief import Brief

_SYSTEM = tuple(map(Path, ("/usr/lib", "/lib", "/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/localtime")))
_DEVICES = tuple(map(Path, ("/dev/null", "/dev/urandom", "/usr/share/zoneinfo")))
_NAMES_AND_TRUST = tuple(map(Path, ("/etc", "/usr/share/ca-certificates", "/run/systemd/resolve", "/dev/null")))

PROGRAMS = (
    *map(Path, ("/bin", "/usr/bin", "/usr/local/bin", "/etc/alternatives", sys.executable)),
    Path(sys.base_prefix) / "bin",
    Path(sys.executable).parent.parent / "pyvenv.cfg",
)
"""What one needs to start a program of the system, or this Python."""


def code(brief: Brief) -> tuple[Path, ...]:
    """The interpreter, its library, our packages, and the system's shared libraries."""
    library = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    places = {Path(place) for place in [*brief.path, *library, str(Path(sys.base_prefix) / "lib")] if place}
    return (*sorted(place for place in places if place.exists()), *_SYSTEM, *_DEVICES)


def fence(brief: Brief) -> Fence:
    """The fence of this role. `FenceError` where the site lies inside a folder that the role may read as code."""
    readable, site = code(brief), Site(Path(brief.site))
    private = Path(brief.site or brief.public).resolve()
    for place in readable:
        if private.is_relative_to(place.resolve()):
            raise FenceError(
                f"The site's folder lies inside {place}, which every process reads as its code.",
                mend="Move the site's folder to a place of its own, such as /srv/troth.",
            )
    if brief.role == "front":
        return Fence(read=(*readable, Path(brief.public)), serves=True)
    if brief.role == "clerk":
        return Fence(read=readable, write=(site.spool,))
    if brief.role == "office":
        office = (site.office_keys, site.people_keys)
        return Fence(
            read=(*readable, site.config, site.site_id, site.database_password, *office, site.public),
            serves=True,
            write=(site.data, site.people_keys),
            network=bool(brief.ports),
            tcp_ports=brief.ports or None,
            metadata=True,
        )
    if brief.role == "prove":
        # It looks everywhere, and tries from inside what the front may do: so it may start programs.
        return Fence(
            read=(*readable, *_NAMES_AND_TRUST, *PROGRAMS, site.root, Path("/proc"), *map(Path, brief.looks)),
            write=(site.data, site.people_keys),
            serves=True,
            network=True,
            tcp_ports=brief.ports,
            processes=True,
            metadata=True,
        )
    return Fence(
        read=(*readable, *_NAMES_AND_TRUST, BOOT_ID, site.config, site.policy, site.keys, site.spool, site.offers),
        write=(site.data, site.public, site.asks, site.seal_keys, site.people_keys, site.sent),
        links=(site.public,) if brief.role == "worker" else (),  # `current` is one
        network=True,
        tcp_ports=brief.ports or None,
        metadata=True,
    )


def become(brief: Brief) -> None:
    """Change to the user that the supervisor named, for good. What it makes in a folder that two users share is for
    both, by the first of its groups; the folders above are closed to the rest."""
    if brief.user is not None:
        os.setgroups(brief.groups)
        own = brief.groups[0] if brief.groups else brief.user
        os.setresgid(own, own, own)
        os.setresuid(brief.user, brief.user, brief.user)
    os.umask(0o007 if brief.user is not None else 0o027)
