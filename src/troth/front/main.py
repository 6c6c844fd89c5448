"""The front: the process that meets visitors.

It may: accept connections on the listener it inherited, read its code and `public/`, seal with the site's public key,
and hand frames to the clerk over the socket pair it inherited. It may not, and the kernel holds it to that: open a
socket or connect, start a program, write a file, read `keys/`, `data/` or `spool/`. It holds public keys, two secrets
that live as long as the launcher (one signs proof-of-work challenges, one hashes addresses in memory), and the key of
the day, by which visitors are counted until midnight. With its like it exchanges what is to be counted, over socket
pairs that all inherited. It keeps no access log. WALL 1.
"""

import asyncio
import contextlib
import gc
import logging
import os
import socket
from asyncio import selector_events
from collections.abc import Iterator
from pathlib import Path
from signal import SIGINT, SIGTERM, signal

import email_validator  # noqa: F401 - lazy in `core.contact_details`: not at the first visitor's form
import uvicorn
from starlette.types import Receive, Scope, Send

from troth.audience.counting import user_agents  # noqa: F401 - lazy in `counted_hit`: not at the first visitor's hit
from troth.audience.counting.geoip import CountriesError, CountryDatabase
from troth.front.app import Front
from troth.front.channels.clerk_client import ClerkLine
from troth.front.channels.peers import Peers
from troth.front.hits.counting import Counting
from troth.front.http import log
from troth.front.http.log import LogEvent, tell
from troth.front.http.protocol import PatientProtocol
from troth.supervisor.brief import Brief
from troth.supervisor.day_key import DayKey

_GRACE_SECONDS = 10
_PROBE_BYTES = 1 << 20
_LOOP_STOPPED = "Event loop stopped before Future completed."


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it serves and ends quietly on SIGTERM instead of dying of it."""

    def __init__(self, config: uvicorn.Config, brief: Brief) -> None:
        super().__init__(config)
        self._brief = brief

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        tell(LogEvent.SERVING)
        self._brief.tell_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal(number, self.handle_exit) for number in (SIGTERM, SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal(number, handler)


def run(brief: Brief) -> None:
    """Serve until SIGTERM, then finish what is in hand and return. Also returns when the clerk's line ends."""
    log.take_over(brief.number)
    _write_by_send()
    gc.collect()
    gc.freeze()  # what is loaded now stays: the collector need not walk it again
    try:
        asyncio.run(_serve(brief))
    except RuntimeError as error:
        if str(error) != _LOOP_STOPPED:
            raise
        # ClerkLine stops the loop when its last other holder is gone: without a clerk there is nothing to serve for.
        tell(LogEvent.CLERK_LINE_ENDED)
    else:
        tell(LogEvent.STOPPED)


def _write_by_send() -> None:
    """Have asyncio write by send(): the fence refuses sendmsg(), which could carry an address (WALL 1)."""
    if not hasattr(selector_events, "_HAS_SENDMSG"):
        raise RuntimeError("this Python's asyncio cannot be told to write by send(); the front does not start")
    selector_events._HAS_SENDMSG = False


async def _serve(brief: Brief) -> None:
    if brief.listener is None or brief.clerk is None:
        raise ValueError("a front's brief names a listener and a clerk")
    await _probe_writing()
    line = ClerkLine(brief.clerk)
    peers = Peers(brief.number, brief.peers)
    counting = Counting(DayKey.of(bytes.fromhex(brief.secrets["day"])), brief.keys, line, peers)
    server = _Server(_config(), brief)
    front = Front(
        Path(brief.public),
        brief.secrets,
        line,
        crowd=lambda: len(server.server_state.connections),
        counting=counting,
        countries=_countries(brief),
    )
    server.config.loaded_app = front
    tasks = [asyncio.create_task(front.follow()), asyncio.create_task(counting.run())]
    try:
        await server.serve(sockets=[socket.socket(fileno=brief.listener)])
    finally:
        for task in tasks:
            task.cancel()
        peers.close()
        line.close()


def _countries(brief: Brief) -> CountryDatabase | None:
    """The database of countries, read into memory; without one, or with a broken one, there are no countries."""
    if brief.countries is None:
        return None
    try:
        return CountryDatabase.inherited(brief.countries)
    except CountriesError:
        tell(LogEvent.COUNTRIES_UNREADABLE)
        return None
    finally:
        os.close(brief.countries)


def _config() -> uvicorn.Config:
    config = uvicorn.Config(
        _nothing,
        loop="asyncio",
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    config.load()
    return config


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands where the application will: it is made after the server that it asks for its crowd."""


async def _probe_writing() -> None:
    """Send more than a socket buffer holds through a transport, so that a refused system call shows now, not later."""
    local, remote = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    reader, writer = await asyncio.open_connection(sock=remote)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=local)
    transport.write(bytes(_PROBE_BYTES // 2))
    transport.write(bytes(_PROBE_BYTES // 2))
    transport.close()
    async with asyncio.timeout(5):
        data = await reader.read(-1)
    writer.close()
    if len(data) != _PROBE_BYTES:
        raise RuntimeError("asyncio cannot write behind this fence")
