"""The worker: files what came in, sends mail, publishes. The only process that opens envelopes and signs links.

It may: read `spool/`, the sealing, signing, mail and people's keys; write the database, `public/`, `asks/`, sealing
keys; connect to the mail relay and its database, through the gate. It may not: listen, start a program, write the
spool or read the office's key. The kernel holds it to that (WALL 2, WALL 3).
"""

import fcntl
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from troth.core import django_start
from troth.core.disk import open_plain
from troth.core.errors import TrothError
from troth.core.lazy import lazy
from troth.supervisor.brief import Brief
from troth.supervisor.safe_write import acting_as, owner_of

if TYPE_CHECKING:
    from troth.worker import work
else:  # it imports models, for which Django must know the site
    work = lazy("troth.worker.work")

_EX_CONFIG = 78


def run(brief: Brief) -> None:
    """Work until SIGTERM. Ends with `EX_CONFIG` and one line where the site is not in order."""
    site = Path(brief.site)
    try:
        lock = hold_lock(site / "data" / "worker.lock")
        django_start.set_up(site)
        work.work(brief)
        os.close(lock)
    except TrothError as error:
        print(f"worker: {error} {error.mend}", file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(75 if error.retry else _EX_CONFIG)


def hold_lock(path: Path) -> int:
    """Hold the site's one worker lock until this process ends. Raises `AnotherWorker`'s words where it is held."""
    with acting_as(owner_of(path.parent)):
        descriptor = open_plain(path, os.O_RDWR | os.O_CREAT, 0o660)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise TrothError(
            "Another worker is already running for this site.",
            mend="Run `troth serve` only once per site; stop the other one.",
        ) from None
    return descriptor
