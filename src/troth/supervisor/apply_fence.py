"""Apply to a process, through the kernel, what its row of `supervisor.roles` lets it reach, and the program's own code.

To let a process reach more or less, change its row; this file is for how that is enforced.

Standard library only.
"""

import os
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

from troth.core.sandbox.restrict import Fence, FenceError
from troth.core.site import Site
from troth.supervisor import roles
from troth.supervisor.brief import Brief

_SYSTEM = tuple(map(Path, ("/usr/lib", "/lib", "/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/localtime")))
_DEVICES = tuple(map(Path, ("/dev/null", "/dev/urandom", "/usr/share/zoneinfo")))


def code(brief: Brief) -> tuple[Path, ...]:
    """Return the paths of the interpreter, its library, our packages, and the system's shared libraries."""
    library = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    places = {Path(place) for place in [*brief.path, *library, str(Path(sys.base_prefix) / "lib")] if place}
    return (*sorted(place for place in places if place.exists()), *_SYSTEM, *_DEVICES)


def fence(brief: Brief) -> Fence:
    """Return the fence of this role. Raises `FenceError` if the site is inside a folder that is read as code."""
    readable, site = code(brief), Site(Path(brief.site))
    private = Path(brief.site or brief.public).resolve()
    for place in readable:
        if private.is_relative_to(place.resolve()):
            raise FenceError(
                f"The site's folder is inside {place}, which every process can read.",
                mend="Move the site's folder elsewhere, such as /srv/troth.",
            )
    fence = roles.BY_NAME[brief.role].fence(brief, site)
    return replace(fence, read=(*readable, *fence.read))


def become(brief: Brief) -> None:
    """Change to the user that the supervisor named, for good. What it makes in a folder that two users share is for
    both, by the first of its groups; the folders above are closed to the rest."""
    if brief.user is not None:
        os.setgroups(brief.groups)
        own = brief.groups[0] if brief.groups else brief.user
        os.setresgid(own, own, own)
        os.setresuid(brief.user, brief.user, brief.user)
    os.umask(0o007 if brief.user is not None else 0o027)
