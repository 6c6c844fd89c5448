"""The office's connections: what a request must be, how long it may take, and how many there may be at once.

waitress reads whole requests before a thread sees them, and by itself gives up only on who is silent for a minute: who
sends a byte now and then holds a connection for ever, and a hundred of them hold all. Here each request has a deadline,
and where all places of a listener are taken, who has waited longest without asking anything makes room. Each listener
has places of its own, so that nobody at the office's keeps figures from being read. Touches the sockets it is given.
Source of the limits: RFC 9110, section 15.5.9 (408); of one `Host`: RFC 9112, section 3.2; of one length: section 6.3.
"""

import re
import socket
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import MultiSocketServer, TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

HEAD_SECONDS = 10.0
"""From the connection, or from the request's first byte, to the end of its head."""
BODY_SECONDS = 20.0
"""From there to the end of its body: 512 KiB at most."""
IDLE_SECONDS = 60.0
"""Between two requests of one connection."""
HEAD_BYTES = 32 * 1024
"""Of a request's head at most; more is answered with 431."""
TAKE_SECONDS = 30.0
TAKE_BYTES = 16 * 1024
"""So much of an answer must be taken in each such time, or what is left of it."""
PLACES = 96
"""Connections at once that a listener has. A console has few operators; a browser opens six."""
SHARE = 64
"""Of those, one peer may have so many before its own make room. A proxy on this machine is one peer."""

_HOST = re.compile(rb"(?:\A|\n)host[ \t]*:", re.IGNORECASE)
_CODING = re.compile(rb"(?:\A|\n)transfer-encoding[ \t]*:", re.IGNORECASE)
_LENGTH = re.compile(rb"(?:\A|\n)content-length[ \t]*:", re.IGNORECASE)


class StrictParser(HTTPRequestParser):  # type: ignore[misc]
    """A request of HTTP/1.0 or 1.1 with one `Host` and one length. What names two hosts or none, or ends in two places,
    means something else to a proxy."""

    def parse_header(self, header_plus: bytes) -> None:
        """Raises `ParsingError`, which waitress answers with 400."""
        super().parse_header(header_plus)
        if self.header_bytes_received >= self.adj.max_request_header_size:
            return  # a stand-in of waitress's for a head that is too long; what came is answered with 431
        if len(_HOST.findall(header_plus)) != 1 or not self.headers.get("HOST"):
            raise ParsingError("A request names one host")
        if self.proxy_netloc and self.proxy_netloc.lower() != self.headers["HOST"].lower():
            raise ParsingError("The address names another host")
        if self.version not in {"1.0", "1.1"}:
            raise ParsingError("This is not HTTP/1.1")
        if _CODING.search(header_plus) and (self.version == "1.0" or _LENGTH.search(header_plus)):
            raise ParsingError("A request has one length")


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection, and since when it does what it does."""

    parser_class = StrictParser

    def __init__(self, *args: Any, **named: Any) -> None:
        self.since = time.monotonic()
        """When the request began that is being read; of the first, when the connection did."""
        self._reading: HTTPRequestParser | None = None
        self._in_body = False
        self._taken = 0
        self._looked, self._taken_then = self.since, 0
        super().__init__(*args, **named)

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Count what is taken of an answer."""
        sent: int = super().send(data, do_close=do_close)
        self._taken += sent
        return sent

    @property
    def waits(self) -> bool:
        """Whether it asks nothing: a request is not whole, or none has begun."""
        return not self.requests and not self.total_outbufs_len

    def is_late(self, now: float) -> bool:
        """Whether its time is over. To be asked every second or so; `now` is monotonic."""
        if self.total_outbufs_len:
            return self._takes_too_little(now)
        self._looked, self._taken_then = now, self._taken
        if self.requests:  # a thread is at work
            return False
        self._note_beginning(now)
        if self.request is None and self._taken:
            return bool(time.time() - self.last_activity > IDLE_SECONDS)
        return now - self.since > (BODY_SECONDS if self._in_body else HEAD_SECONDS)

    def _note_beginning(self, now: float) -> None:
        if self.request is not self._reading:
            self._reading, self._in_body = self.request, False
            if self._taken:
                self.since = now
        if self.request is not None and self.request.headers_finished and not self._in_body:
            self._in_body, self.since = True, now

    def _takes_too_little(self, now: float) -> bool:
        if now - self._looked <= TAKE_SECONDS:
            return False
        little = self._taken - self._taken_then < TAKE_BYTES
        self._looked, self._taken_then = now, self._taken
        return little

    def give_up(self) -> None:
        """Close it, whatever it is at."""
        self.will_close = True
        self.handle_close()


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """One listener with places of its own."""

    channel_class = Channel

    def maintenance(self, now: float) -> None:
        """Close whose time is over. waitress calls it every second."""
        for channel in list(self.active_channels.values()):
            if channel.is_late(time.monotonic()):
                channel.give_up()

    def readable(self) -> bool:
        """Always: for a new connection room is made."""
        super().readable()
        return bool(self.accepting)

    def handle_accept(self) -> None:
        """Take the next connection, and make room for it."""
        super().handle_accept()
        channels = list(self.active_channels.values())
        peers = Counter(channel.addr[0] for channel in channels)
        if len(channels) <= PLACES and max(peers.values(), default=0) <= SHARE:
            return
        waiting = [channel for channel in channels if channel.waits]
        if waiting:  # of the peer that has most
            min(waiting, key=lambda channel: (-peers[channel.addr[0]], channel.since)).give_up()


def serve_on(sockets: Sequence[socket.socket], application: Any, **limits: Any) -> MultiSocketServer:
    """waitress on these bound sockets, with `limits` as it names them. Its `run` serves until SystemExit."""
    how = Adjustments(
        sockets=list(sockets),
        cleanup_interval=1,
        asyncore_use_poll=True,
        connection_limit=1 << 20,  # each listener has its own
        clear_untrusted_proxy_headers=True,
        max_request_header_size=HEAD_BYTES,
        ident=None,
        **limits,
    )
    places: dict[int, Any] = {}
    threads = ThreadedTaskDispatcher()
    threads.set_thread_count(how.threads)
    listeners = [
        Listener(
            application,
            places,
            _sock=one,
            dispatcher=threads,
            adj=how,
            bind_socket=False,
            sockinfo=(one.family, one.type, one.proto, one.getsockname()),
        )
        for one in how.sockets
    ]
    names = [(one.effective_host, one.effective_port) for one in listeners]
    return MultiSocketServer(places, how, names, threads, listeners[-1].log_info)
