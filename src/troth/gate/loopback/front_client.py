"""Requests to our own front, as a visitor makes them, for the proofs. To this machine only.

May touch: the network, through the door `own-front`, to the loopback only (WALL 3).
"""

import base64
import http.client
import ipaddress
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from urllib.parse import urlencode

import altcha

from troth.core.config import sections
from troth.core.config.sections import Config
from troth.core.networks import is_loopback
from troth.gate.doors import DoorError

_PATIENCE = 10.0
_MOST = 1 << 20
_MOST_WAIT = 35


def _own_address() -> str:
    return f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(255)}.{1 + secrets.randbelow(254)}"


def _group() -> str:
    """Return a documentation /64 (RFC 3849). Its bytes are searched for, so none is a line end or zero."""
    drawn = [secrets.choice(_BYTES) for _ in range(4)]
    return "2001:db8:{:02x}{:02x}:{:02x}{:02x}".format(*drawn)


_BYTES = [number for number in range(1, 256) if number != ord("\n")]


_OWN_ADDRESS = _own_address()
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class FrontAnswer:
    """What came back. `headers` by small name; the last of several."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode("utf-8", "replace")


class OwnFront:
    """The front of this site. `patience`: seconds to wait at most where it asks to slow down. Raises `DoorError` where
    it listens beyond this machine only, `OSError` where it is down."""

    @property
    def place(self) -> tuple[str, int]:
        """Return address and port."""
        return self._host, self._port

    def __init__(self, settings: Config, *, patience: int = 35) -> None:
        host, port = sections.host_port(settings.front.listen)
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - told apart, not bound
        self._port, self._prefix = port, settings.site.prefix
        self._own, self._group = _OWN_ADDRESS, _group()
        self._most_wait = min(_MOST_WAIT, patience)
        address = ipaddress.ip_address("127.0.0.1" if self._host == "localhost" else self._host)
        trusted = [ipaddress.ip_network(network, strict=False) for network in settings.front.trusted_proxies]
        self._is_behind = any(address in network for network in trusted)
        if not is_loopback(self._host):
            raise DoorError(
                "The public server does not listen on a local address of this machine.",
                mend="Let it listen on 127.0.0.1, behind your web server, so that it can be checked from here.",
            )

    def elsewhere(self) -> "OwnFront":
        """Return a client from another address, as another visitor; the same if this process may not choose one."""
        client = copy(self)
        client._own = _own_address()
        client._group = _group()
        return client

    @property
    def visitor(self) -> str:
        """Return this visitor's address at `/hit`, as the vendor's web server writes it."""
        return f"{self._group}::1" if self._is_behind else self._own

    def hit(self, body: bytes, headers: Mapping[str, str]) -> FrontAnswer:
        """Send a hit by POST as the tracking script does, always from the same address."""
        kind = {"Content-Type": _FORM}
        behind = {"X-Forwarded-For": self.visitor, "X-Forwarded-Proto": "https"} if self._is_behind else {}
        return self._ask("POST", "/hit", body, {**kind, **behind, **headers})

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> FrontAnswer:
        """Get a page by its path below the prefix."""
        return self._ask("GET", path, b"", dict(headers or {}))

    def post(
        self, path: str, fields: Sequence[tuple[str, str]], headers: Mapping[str, str] | None = None
    ) -> FrontAnswer:
        """Send a form by POST; a field may occur twice. If the front limits the rate, wait once."""
        body = urlencode(fields).encode()
        sent = {"Content-Type": _FORM, **(headers or {})}
        answer = self._ask("POST", path, body, sent)
        if answer.status == 429 and answer.headers.get("retry-after", "").isdigit():
            wait = int(answer.headers["retry-after"])
            if wait <= self._most_wait:  # the front slows everybody down, us too
                time.sleep(wait)
                answer = self._ask("POST", path, body, sent)
        return answer

    def send(self, path: str, body: bytes, headers: Mapping[str, str]) -> FrontAnswer:
        """Send any body by POST."""
        return self._ask("POST", path, body, dict(headers))

    def work(self) -> str:
        """Solve the proof of work, as a browser does; empty if none is required."""
        challenge = json.loads(self.get("/challenge").body or b"{}")
        if not challenge:
            return ""
        solution = altcha.solve_challenge(altcha.Challenge.from_dict(challenge))
        if solution is None:
            raise OSError("the front's challenge has no answer")
        solved = {"challenge": challenge, "solution": {"counter": solution.counter, "derivedKey": solution.derived_key}}
        return base64.b64encode(json.dumps(solved).encode()).decode()

    def _as_from_outside(self) -> dict[str, str]:
        """Return the proxy's headers of a visitor: encrypted, from a documentation address (RFC 3849)."""
        if not self._is_behind:
            return {}
        return {"X-Forwarded-For": f"{_group()}::1", "X-Forwarded-Proto": "https"}

    def _connected(self) -> http.client.HTTPConnection:
        """Connect from a loopback address of this process's own, so that the rate limit treats it as one more visitor;
        from the usual one if the sandbox allows no other."""
        if self._host in ("127.0.0.1", "localhost") and not self._is_behind:
            asking = http.client.HTTPConnection(self._host, self._port, _PATIENCE, source_address=(self._own, 0))
            try:
                asking.connect()
            except PermissionError:
                asking.close()
            else:
                return asking
        return http.client.HTTPConnection(self._host, self._port, timeout=_PATIENCE)

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> FrontAnswer:
        headers = {"Accept": "text/html", **self._as_from_outside(), **headers}
        asking = self._connected()
        try:
            asking.request(method, f"{self._prefix}{path}", body or None, headers)
            answer = asking.getresponse()
            received = {name.lower(): value for name, value in answer.getheaders()}
            return FrontAnswer(answer.status, received, answer.read(_MOST))
        except http.client.HTTPException as error:
            raise OSError("the front's answer is no HTTP") from error
        finally:
            asking.close()
