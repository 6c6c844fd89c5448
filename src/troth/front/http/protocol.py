"""The HTTP protocol with limits for how long headers may take or be: uvicorn has none. Source: RFC 6585, section 5
(431); RFC 9110, section 15.5.9 (408)."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from troth.front.http import headers

HEAD_SECONDS = 10.0
"""From the first byte (or the connection) to the end of the headers."""
HEAD_BYTES = 16 * 1024
MOST_AHEAD = 16
"""Requests that may wait on one connection for the one before them; no browser and no proxy sends any ahead."""
TAKE_SECONDS = 20.0
"""An answer must be taken within this time."""
_PIECE = 2048
_PLAIN = b"".join(name + b": " + value + b"\r\n" for name, value in headers.all_of((), strict_transport=False))


class PatientProtocol(HttpToolsProtocol):
    """One connection."""

    _in_head = True
    _head_bytes = 0
    _alarm: asyncio.TimerHandle | None = None
    _untaken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wind()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwind()
        if self._untaken is not None:
            self._untaken.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came in small pieces, so that each limit is met where it is passed: one read may bring 256 KiB."""
        for start in range(0, len(data), _PIECE):
            if self.transport.is_closing():
                return
            self._take(data[start : start + _PIECE])

    def _take(self, piece: bytes) -> None:
        self._head_bytes += len(piece)
        super().data_received(piece)
        if self.transport.is_closing():
            return
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large")
        elif len(self.pipeline) > MOST_AHEAD:
            self._refuse(b"429 Too Many Requests")

    def on_message_begin(self) -> None:
        self._in_head = True
        self._wind()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Refuse a request that names no host or two, by `ValueError`: httptools answers that it is bad HTTP."""
        if self.parser.get_http_version() not in {"1.0", "1.1"}:
            raise ValueError("not HTTP/1.0 or 1.1")
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) != 1 or not hosts[0].strip():
            raise ValueError("not one host")  # RFC 9112, section 3.2
        self._in_head, self._head_bytes = False, 0
        self._unwind()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_taking()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._watch_taking()

    def _watch_taking(self) -> None:
        if self._untaken is None:
            self._untaken = self.loop.call_later(TAKE_SECONDS, self._look_at_taking)

    def _look_at_taking(self) -> None:
        self._untaken = None
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # to close it would wait for ever for the rest to be taken

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        self._refuse(b"400 Bad Request")

    def _wind(self) -> None:
        self._unwind()
        self._alarm = self.loop.call_later(HEAD_SECONDS, self._late)

    def _unwind(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _late(self) -> None:
        if not self.transport.is_closing():
            self._refuse(b"408 Request Timeout")

    def _refuse(self, status: bytes) -> None:
        body = status + b"\n"
        head = b"HTTP/1.1 %b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n" % (status, len(body))
        self.transport.write(head + _PLAIN + b"connection: close\r\n\r\n" + body)
        self._watch_taking()
        self.transport.close()
