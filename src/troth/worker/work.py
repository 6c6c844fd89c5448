"""What the worker does from its start to SIGTERM, once it holds the site's lock and Django knows the site."""

import asyncio
import signal
import socket

from django.conf import settings
from django.db import connection

from troth.core.site import Site
from troth.gate import mailer, tripwire, tripwire_log
from troth.rights.holdings import dealt_with
from troth.shop import company
from troth.supervisor.brief import Brief
from troth.vault.keeper import keeper
from troth.worker import log, publish, timers
from troth.worker.intake import FileMoved
from troth.worker.loop import Worker


def work(brief: Brief) -> None:
    """Publish, file and send until SIGTERM or SIGINT. Raises `TrothError` where the site is not in order."""
    log.set_up(json=not brief.terminal)
    config, site = settings.TROTH_CONFIG, settings.TROTH_SITE
    _check_database(site)
    company.load()
    tripwire.arm(mailer.doors(config), tripwire_log.path(site.data, "worker"))
    keeper().check()
    keeper().disarm_strangers(dealt_with)
    site.sender_dns.mkdir(mode=0o770, exist_ok=True)  # for the process that looks the records up, which may make none
    timers.started()
    publish.publish()
    line = None
    if brief.clerk is not None:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fileno=brief.clerk)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        key, password = mailer.dkim_key(site, config.mail), mailer.password(site)
        further, passwords = config.relay, mailer.passwords(site, config)
        async with mailer.Post(
            config.mail, key, password, leaks=mailer.leaks(config), further=further, passwords=passwords
        ) as post:
            connections = config.mail.connections + sum(relay.connections for relay in further)
            worker = Worker(post, line, connections=connections)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, worker.stop)
            brief.tell_ready()
            await worker.run()

    asyncio.run(work())


def _check_database(site: Site) -> None:
    """Raise `FileMoved` where the database is gone, which SQLite would make anew, empty. The supervisor tries again
    every few seconds; meanwhile what comes in waits in the spool."""
    if connection.vendor == "sqlite" and not (site.database.is_file() and site.database.stat().st_size):
        raise FileMoved(site.database)
