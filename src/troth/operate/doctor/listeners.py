"""What `troth doctor` asks on this machine: whether a listener is free, ours or somebody else's. Loopback only."""

import errno
import http.client
import os
import socket
from collections.abc import Iterator

from troth.core.config import sections
from troth.core.config.rules import is_loopback
from troth.operate.doctor.finding import Finding

_PATIENCE = 10.0
_QUESTIONS = 8


def answers(host: str, port: int) -> bool:
    """Whether somebody accepts a TCP connection there. `host` is this machine; nothing is sent."""
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE):
            return True
    except OSError:
        return False


def listener(section: str, listen: str, path: str) -> Iterator[Finding]:
    """Whether the address under `[section]` can be had, or is had by us already."""
    host, port = sections.host_port(listen)
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - told apart, not bound
    if is_loopback(near) and answers(near, port):
        if section == "front" and _deaf(near, port, path):
            what = f"The front serves on {listen}, but its line to the clerk is dead: forms and hits are not kept."
            yield Finding("bad", what, "Restart Troth: `systemctl restart troth`, or end and start `troth serve`.")
        elif _ours(section, near, port, path):
            yield Finding("ok", f"The {section} serves on {listen}.")
        else:
            mend = f"Stop that one, or change `listen` under [{section}]."
            yield Finding("bad", f"{listen} is taken by another program.", mend)
        return
    yield from _free(section, host, port, listen)


def _free(section: str, host: str, port: int, listen: str) -> Iterator[Finding]:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            mend = f"Change `listen` under [{section}]."
            if error.errno == errno.EACCES:
                mend = f"Use a port above 1023 for `listen` under [{section}], behind your web server."
            yield Finding("bad", f"{listen} cannot be had: {os.strerror(error.errno or 0)}.", mend)
            return
    yield Finding("ok", f"{listen} is free for the {section}.")


def _deaf(host: str, port: int, path: str) -> bool:
    """Whether a front of ours says that the clerk does not answer it. Each question reaches one of the fronts."""
    for _ in range(_QUESTIONS):
        status, told = _ask(host, port, path)
        if status == 503 and told.startswith(b"the intake does not answer"):
            return True
        if status != 200:
            return False
    return False


def _ask(host: str, port: int, path: str) -> tuple[int, bytes]:
    """Status and beginning of the answer to GET; 0 where there is none."""
    asked = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        asked.request("GET", path, headers={"Host": host})
        answer = asked.getresponse()
        return answer.status, answer.read(64)
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        asked.close()


def _ours(section: str, host: str, port: int, path: str) -> bool:
    """The front answers /healthz with `ok` and a number; the office sends whoever is not signed in to its sign-in."""
    if section == "front":
        status, told = _ask(host, port, path)
        return status == 200 and told.startswith(b"ok ")
    asked = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        asked.request("GET", path, headers={"Host": "localhost"})
        answer = asked.getresponse()
        return answer.getheader("Server", "").startswith("waitress") or answer.status in (302, 400)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()
