"""The worker: files what came in, sends mail, publishes. The only process that opens envelopes and signs links.

It may: read `spool/`, the sealing, signing, mail and people's keys; write the database, `public/`, `asks/`, sealing
keys; connect to the mail relay and its database, through the gate. It may not: listen, start a program, write the
spool or read the office's key. The kernel holds it to that (WALL 2, WALL 3).
"""

import asyncio
import fcntl
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from troth.core.disk import open_plain
from troth.core.errors import TrothError
from troth.supervisor.brief import Brief
from troth.supervisor.safe_write import acting_as, owner_of

if TYPE_CHECKING:
    from troth.core.site import Site

_EX_CONFIG = 78


def run(brief: Brief) -> None:
    """Work until SIGTERM. Ends with `EX_CONFIG` and one line where the site is not in order."""
    os.environ["TROTH_SITE"] = brief.site
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.django_settings"
    try:
        lock = hold_lock(Path(brief.site) / "data" / "worker.lock")
        _work(brief)
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


def _check_database(site: "Site") -> None:
    """A database that is gone is not made anew: SQLite would, in silence, with nothing in it. The supervisor made it
    before anything served; it tries again every few seconds, and meanwhile what comes in waits in the spool."""
    from django.db import connection

    if connection.vendor == "sqlite" and not (site.database.is_file() and site.database.stat().st_size):
        from troth.worker.intake import FileMoved

        raise FileMoved(site.database)


def _work(brief: Brief) -> None:
    import django

    django.setup()
    from django.conf import settings

    from troth.gate import mailer, tripwire, tripwire_log
    from troth.rights.holdings import dealt_with
    from troth.vault.keeper import keeper
    from troth.worker import log, publish, timers
    from troth.worker.loop import Worker

    log.set_up(json=not brief.terminal)
    config, site = settings.TROTH_CONFIG, settings.TROTH_SITE
    _check_database(site)
    tripwire.arm(mailer.doors(config), tripwire_log.path(site.data, "worker"))
    keeper().check()
    keeper().disarm_strangers(dealt_with)
    timers.started()
    publish.publish()
    line = None
    if brief.clerk is not None:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fileno=brief.clerk)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        key, password = mailer.dkim_key(site, config.mail), mailer.password(site)
        async with mailer.Post(config.mail, key, password, leaks=mailer.leaks(config)) as post:
            worker = Worker(post, line, connections=config.mail.connections)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, worker.stop)
            brief.tell_ready()
            await worker.run()

    asyncio.run(work())
