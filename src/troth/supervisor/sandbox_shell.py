"""`troth sandbox ROLE -- COMMAND`: a program inside the fence of one of Troth's processes, and for root as its user, to
try it. Unlike the role itself it may start programs, and read those of the system; all stay behind the fence."""

import os
from dataclasses import replace
from pathlib import Path

from troth.core.errors import TrothError
from troth.core.sandbox import restrict
from troth.core.site import Site
from troth.supervisor import act_as_user, apply_fence, roles
from troth.supervisor.brief import Brief
from troth.supervisor.supervisor import import_path


def main(site_root: Path, role: str, argv: list[str]) -> int:
    """Replace this process by `argv` (a shell, if empty), fenced as `role`. Returns only where that fails."""
    if role not in roles.SERVING:
        raise TrothError(f"There is no process called {role}.", mend=f"Choose one of {', '.join(roles.SERVING)}.")
    site = Site(site_root.resolve())
    root = str(site.root) if roles.BY_NAME[role].sees_site else ""
    brief = Brief(role=role, public=str(site.public), site=root, path=import_path())
    fence = apply_fence.fence(brief)
    read = (*fence.read, *roles.PROGRAMS)
    os.chdir("/")
    act_as_user.become_role(site, role)
    restrict.confine(replace(fence, processes=True, read=read))
    command = argv or ["/bin/sh"]
    environment = {name: os.environ[name] for name in ("PATH", "TERM", "LANG") if name in os.environ}
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - what the operator asked for, behind the fence
    except OSError as error:
        raise TrothError(f"{command[0]} can't be run in the sandbox: {os.strerror(error.errno or 0)}.") from None
