"""The first thing every process runs: it reads its orders, takes its fence, and only then imports what it works with.

Started as `python -I -S -c`: no environment, site-packages, `.pth` file or user's code comes before the fence (WALL 1).
Until `import_module` below, everything imported is the standard library's or needs nothing else.
"""

import importlib
import os
import signal
import sys

from troth.core.sandbox import restrict
from troth.supervisor import apply_fence, quiet_errors, roles
from troth.supervisor.brief import receive


def main(descriptor: int) -> None:
    """Become the process that the brief on `descriptor` describes. Does not return until that process ends."""
    brief = receive(descriptor)
    role = roles.BY_NAME[brief.role]
    restrict.name_process(f"troth-{brief.role}")
    apply_fence.become(brief)
    restrict.die_with_parent(signal.SIGKILL if role.dies_at_once else signal.SIGTERM)
    if brief.parent != os.getppid():  # it went before we could ask to go with it
        return
    try:
        lacking = restrict.confine(apply_fence.fence(brief), best_effort=brief.sandbox == "best-effort")
    except restrict.FenceError as error:
        print(f"{brief.role}: {error} {error.mend}", file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(78)  # EX_CONFIG (sysexits.h): starting again will not help
    for lack in lacking:
        print(f"{brief.role}: ISOLATION IS WEAKER HERE: no {lack}", file=sys.stderr, flush=True)  # noqa: T201
    os.environ.update(brief.settings)  # it is empty otherwise: what was set at the supervisor holds for all, or none
    sys.path[:0] = brief.path
    for name in role.kept_out:
        sys.modules[name] = None  # type: ignore[assignment]  # whoever imports it is refused
    sys.dont_write_bytecode = True
    if role.hides_messages:
        quiet_errors.take_over(brief.role)
    importlib.import_module(role.module).run(brief)
