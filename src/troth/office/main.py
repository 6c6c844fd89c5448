"""The office: the operators' console, Django behind waitress on a listener that was bound before the sandbox started.

It may: read and write the database, the people's key store and its indexes; read its own key, `troth.toml` and what is
published. It may not: make a socket, connect anywhere but to its database, start a program, read a sealing, signing or
mail key, or write anything outside `data/` and the key store. The kernel holds it to that (WALL 2, WALL 3).
"""

import logging
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections as databases

from troth.core import django_start
from troth.core.lazy import lazy
from troth.core.site import Site
from troth.gate import doors, tripwire, tripwire_log
from troth.kit import uploads
from troth.office import connections
from troth.supervisor.brief import Brief

if TYPE_CHECKING:
    from troth.office import metrics
else:  # it imports models, for which Django must know the site
    metrics = lazy("troth.office.metrics")

_THREADS = 4
_LIMIT = 512 * 1024
"""Bytes of a request's body: the console has no larger form without a file."""
_LIMIT_WITH_FILE = uploads.LARGEST + _LIMIT
"""With one. Beyond this, waitress would put a body into a temporary file, which the sandbox refuses."""


def run(brief: Brief) -> None:
    """Serve until SIGTERM, then finish the requests in progress."""
    _check_secret(Site(Path(brief.site)))
    django_start.set_up(Path(brief.site))
    assert brief.listener is not None
    signal.signal(signal.SIGTERM, _end)
    logging.getLogger("waitress").setLevel(logging.WARNING)
    sockets = [socket.socket(fileno=number) for number in (brief.listener, brief.metrics) if number is not None]
    server = connections.serve_on(
        sockets,
        metrics.beside(get_wsgi_application(), _port(sockets[1]) if len(sockets) > 1 else None),
        threads=_THREADS,
        url_scheme=urlsplit(settings.TROTH_CONFIG.office.url).scheme,
        max_request_body_size=_LIMIT,
        inbuf_overflow=_LIMIT_WITH_FILE,
    )
    # Any further connection attempt is written to the log, whatever the kernel answers. Armed only now, because
    # waitress formats its own address with the resolver, without a query.
    tripwire.arm(doors.for_office(settings.TROTH_CONFIG), tripwire_log.path(settings.TROTH_SITE.data, "office"))
    brief.tell_ready()
    server.run()  # until SystemExit; then its threads finish their requests
    databases.close_all()


def _check_secret(site: Site) -> None:
    """Exit if the key file is missing: authenticators added under a temporary key would be lost with it."""
    secret = site.office_keys / "secret.key"
    if not secret.is_file() or len(secret.read_bytes().strip()) < 50:
        error = (
            "office: keys/office/secret.key is missing or too short. Restore it from your backup, or create a new one"
        )
        print(f"{error}; `troth doctor` explains how.", file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(78)  # EX_CONFIG (sysexits.h): starting again will not help


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
