"""Limits of the office's connections: form of a request, deadlines, and connections at once.

waitress reads whole requests before a thread sees them and waits a minute for a silent peer: a hundred peers that send
a byte now and then hold all its connections. Here each request has a deadline, and a full listener closes the
connection idle longest; each has a limit of its own, so that the console's visitors cannot block the metrics. Sources:
RFC 9110, section 15.5.9 (408); RFC 9112, section 3.2 (one `Host`) and 6.3 (one length).
"""

import re
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import MultiSocketServer, TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

HEAD_SECONDS = 10.0
"""From the connection, or from the first byte of a request, to the end of its head."""
BODY_SECONDS = 20.0
"""From there to the end of its body: 512 KiB at most."""
UPLOAD_SECONDS = 120.0
"""The same where it brings a file."""
UPLOADS = 4
"""Requests with a file at once: each is in memory as a whole, since nothing that is uploaded may lie in a file."""
IDLE_SECONDS = 60.0
"""Between two requests of one connection."""
HEAD_BYTES = 32 * 1024
"""Longest head of a request; a longer one is answered with 431."""
TAKE_SECONDS = 30.0
TAKE_BYTES = 16 * 1024
"""Least that a peer must read of a response in each `TAKE_SECONDS`, or the rest of it."""
PLACES = 96
"""Connections of a listener at once. A console has few operators; a browser opens six."""
SHARE = 64
"""Connections of one peer before its own idle ones are closed. A proxy on this machine is one peer."""

_HOST = re.compile(rb"(?:\A|\n)host[ \t]*:", re.IGNORECASE)
_CODING = re.compile(rb"(?:\A|\n)transfer-encoding[ \t]*:", re.IGNORECASE)
_LENGTH = re.compile(rb"(?:\A|\n)content-length[ \t]*:", re.IGNORECASE)


_uploading: "WeakSet[StrictParser]" = WeakSet()


class StrictParser(HTTPRequestParser):  # type: ignore[misc]
    """Parser of HTTP/1.0 and 1.1 that requires one `Host` and one length: a proxy may read others differently. A
    request with a file may be longer, up to what the buffers hold."""

    brings_file = False

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the head. Raises `ParsingError`, which waitress answers with 400."""
        super().parse_header(header_plus)
        if self.header_bytes_received >= self.adj.max_request_header_size:
            return  # waitress's placeholder for a head that is too long, answered with 431
        if len(_HOST.findall(header_plus)) != 1 or not self.headers.get("HOST"):
            raise ParsingError("A request names one host")
        if self.proxy_netloc and self.proxy_netloc.lower() != self.headers["HOST"].lower():
            raise ParsingError("The address names another host")
        if self.version not in {"1.0", "1.1"}:
            raise ParsingError("This is not HTTP/1.1")
        if _CODING.search(header_plus) and (self.version == "1.0" or _LENGTH.search(header_plus)):
            raise ParsingError("A request has one length")
        self._make_room(self.adj)

    def _make_room(self, adjustments: Adjustments) -> None:
        """Let a browser that has signed in bring a file, while few others do. Whether it may, the view says."""
        is_form = self.headers.get("CONTENT_TYPE", "").startswith("multipart/form-data")
        is_long = adjustments.max_request_body_size <= self.content_length < adjustments.inbuf_overflow
        if is_form and is_long and "COOKIE" in self.headers and len(_uploading) < UPLOADS:
            _uploading.add(self)
            self.brings_file, self.adj = True, _Roomy(adjustments.inbuf_overflow, adjustments)


@dataclass(frozen=True, slots=True)
class _Roomy:
    """The limits of a server, but for the length of a body."""

    max_request_body_size: int
    others: Adjustments

    def __getattr__(self, name: str) -> Any:
        return getattr(self.others, name)


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection, with the times of its present request."""

    parser_class = StrictParser

    def __init__(self, *args: Any, **named: Any) -> None:
        self.since = time.monotonic()
        """When the request in progress began; for the first one, when the connection did."""
        self._reading: HTTPRequestParser | None = None
        self._in_body = False
        self._taken = 0
        self._looked, self._taken_then = self.since, 0
        super().__init__(*args, **named)

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send, and count the bytes that the peer reads."""
        sent: int = super().send(data, do_close=do_close)
        self._taken += sent
        return sent

    @property
    def waits(self) -> bool:
        """Whether no complete request is in progress."""
        return not self.requests and not self.total_outbufs_len

    def is_late(self, now: float) -> bool:
        """Return whether a deadline has passed. Called about every second; `now` is monotonic."""
        if self.total_outbufs_len:
            return self._takes_too_little(now)
        self._looked, self._taken_then = now, self._taken
        if self.requests:  # a thread is at work
            return False
        self._note_beginning(now)
        if self.request is None and self._taken:
            return bool(time.time() - self.last_activity > IDLE_SECONDS)
        if not self._in_body:
            return now - self.since > HEAD_SECONDS
        return now - self.since > (UPLOAD_SECONDS if self.request.brings_file else BODY_SECONDS)

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
        """Close the connection at once."""
        self.will_close = True
        self.handle_close()


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """One listener with a connection limit of its own."""

    channel_class = Channel

    def maintenance(self, now: float) -> None:
        """Close connections past a deadline. waitress calls it every second."""
        for channel in list(self.active_channels.values()):
            if channel.is_late(time.monotonic()):
                channel.give_up()

    def readable(self) -> bool:
        """Return whether to accept: a full listener makes room for a new connection."""
        super().readable()
        return bool(self.accepting)

    def handle_accept(self) -> None:
        """Accept the next connection, and close an idle one if the listener is full."""
        super().handle_accept()
        channels = list(self.active_channels.values())
        peers = Counter(channel.addr[0] for channel in channels)
        if len(channels) <= PLACES and max(peers.values(), default=0) <= SHARE:
            return
        waiting = [channel for channel in channels if channel.waits]
        if waiting:  # of the peer that has most
            min(waiting, key=lambda channel: (-peers[channel.addr[0]], channel.since)).give_up()


def serve_on(sockets: Sequence[socket.socket], application: Any, **limits: Any) -> MultiSocketServer:
    """Return a waitress server on these bound sockets, with `limits` by waitress's names; `run` serves until
    SystemExit."""
    adjustments = Adjustments(
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
    threads.set_thread_count(adjustments.threads)
    listeners = [
        Listener(
            application,
            places,
            _sock=sock,
            dispatcher=threads,
            adj=adjustments,
            bind_socket=False,
            sockinfo=(sock.family, sock.type, sock.proto, sock.getsockname()),
        )
        for sock in adjustments.sockets
    ]
    names = [(listener.effective_host, listener.effective_port) for listener in listeners]
    return MultiSocketServer(places, adjustments, names, threads, listeners[-1].log_info)
