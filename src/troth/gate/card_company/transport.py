"""HTTP to the card company's API for Stripe's client: through the declared door, and without a look at the environment.

No proxy variables, no .netrc, no redirects; a new connection for each call. May touch: the network, through the door
`card-company`.
"""

import http.client
import socket
import ssl
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

import stripe

from troth.gate import tripwire
from troth.gate.doors import Door

_LARGEST_ANSWER = 4 << 20


class _Plain(http.client.HTTPConnection):
    """Not encrypted, and therefore on this machine only."""

    def __init__(self, door: Door, timeout: float) -> None:
        super().__init__(door.host, door.port, timeout=timeout)
        self._door, self._seconds = door, timeout

    def connect(self) -> None:
        """Connect to one of the door's addresses."""
        self.sock = _connected(self._door, self._seconds)


class _Encrypted(http.client.HTTPSConnection):
    """Encrypted; certificate and name are checked."""

    def __init__(self, door: Door, timeout: float, tls: ssl.SSLContext) -> None:
        super().__init__(door.host, door.port, timeout=timeout, context=tls)
        self._door, self._seconds, self._tls = door, timeout, tls

    def connect(self) -> None:
        """Connect to one of the door's addresses, and ask for its certificate by the name that was declared."""
        self.sock = self._tls.wrap_socket(_connected(self._door, self._seconds), server_hostname=self._door.host)


def _connected(door: Door, timeout: float) -> socket.socket:
    """Return a connection to the first address that answers: those alone that the tripwire lets pass (WALL 3)."""
    failure: OSError = ConnectionError("The name has no address.")
    for address in tripwire.resolve_now(door):
        try:
            return socket.create_connection((address, door.port), timeout)
        except OSError as error:
            failure = error
    raise failure


def _tls() -> ssl.SSLContext:
    """Return a context that verifies certificates and names, with TLS 1.2 or later."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


NoConnection = stripe.APIConnectionError
"""What `DoorClient.request` raises where there is no answer."""


class DoorClient(stripe.HTTPClient):
    """Speaks HTTP with one host."""

    name = "troth"

    def __init__(self, door: Door, timeout: float) -> None:
        super().__init__()
        self._door, self._timeout = door, timeout
        self._tls = None if door.encryption == "none-loopback" else _tls()

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, *, _usage: Any = None
    ) -> tuple[str, int, Mapping[str, str]]:
        """Ask once. Raises `stripe.APIConnectionError`, which the client may try again with the same key."""
        parts = urlsplit(url)
        if parts.hostname != self._door.host:
            raise stripe.APIConnectionError("This address is not the card company's.", should_retry=False)  # type: ignore[no-untyped-call]
        connection = self._connection()
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            body = post_data.encode() if isinstance(post_data, str) else post_data
            connection.request(method.upper(), target, body, dict(headers or {}))
            response = connection.getresponse()
            content = response.read(_LARGEST_ANSWER).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            _lost(error)
        finally:
            connection.close()
        return content, response.status, {name.lower(): value for name, value in response.getheaders()}

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return _Plain(self._door, self._timeout)
        return _Encrypted(self._door, self._timeout, self._tls)

    def close(self) -> None:
        """Close nothing: no connection outlives its call."""


def _lost(error: Exception) -> NoReturn:
    words = f"No answer ({type(error).__name__})."
    raise stripe.APIConnectionError(words, should_retry=True) from None  # type: ignore[no-untyped-call]
