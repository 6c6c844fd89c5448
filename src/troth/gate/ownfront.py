"""Asking our own front, as a visitor would, to see whether it keeps what is promised. To this machine only.

May touch: the network, by the door `own-front`, which leads to the loopback and nowhere else (WALL 3).
"""

import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from troth.gate.doors import DoorError, is_loopback
from troth.ground import config
from troth.ground.config import Config

_PATIENCE = 10.0
_MOST = 1 << 20
_MOST_WAIT = 35
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers` by small name; the last of several."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


class OwnFront:
    """The front of this site. Raises `DoorError` where it listens beyond this machine only, `OSError` where it is
    down."""

    def __init__(self, settings: Config) -> None:
        host, port = config.host_port(settings.front.listen)
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - told apart, not bound
        self._port, self._prefix = port, settings.site.prefix
        if not is_loopback(self._host):
            raise DoorError(
                "The front does not listen on this machine's own address.",
                mend="Let it listen on 127.0.0.1, behind your web server, so that it can be tried from here.",
            )

    def get(self, path: str) -> Answer:
        """GET a page, by its path below the prefix."""
        return self._ask("GET", path, b"", {})

    def post(self, path: str, fields: list[tuple[str, str]]) -> Answer:
        """POST a form; a field may come twice."""
        body = urlencode(fields).encode()
        answer = self._ask("POST", path, body, {"Content-Type": _FORM})
        if answer.status == 429 and answer.headers.get("retry-after", "").isdigit():
            wait = int(answer.headers["retry-after"])
            if wait <= _MOST_WAIT:  # the front slows everybody down, us too
                time.sleep(wait)
                answer = self._ask("POST", path, body, {"Content-Type": _FORM})
        return answer

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        asking = http.client.HTTPConnection(self._host, self._port, timeout=_PATIENCE)
        try:
            asking.request(method, f"{self._prefix}{path}", body or None, {"Accept": "text/html", **headers})
            answer = asking.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read(_MOST))
        except http.client.HTTPException as error:
            raise OSError("the front's answer is no HTTP") from error
        finally:
            asking.close()
