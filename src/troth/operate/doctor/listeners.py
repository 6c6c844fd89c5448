"""Check for `troth doctor` whether an address is free, ours or another program's. Loopback only."""

import errno
import http.client
import os
import socket
from collections.abc import Iterator

from troth.core.config import sections
from troth.core.networks import is_loopback
from troth.operate.doctor.finding import Finding

_PATIENCE = 10.0
_QUESTIONS = 8
_HEADER_LINE = (
    "Use the configuration that `troth proxy nginx` or `troth proxy caddy` prints. In nginx the line is: "
    "proxy_set_header X-Forwarded-For $remote_addr;"
)
_NAMES = {"front": "public server", "office": "admin server"}


def answers(host: str, port: int) -> bool:
    """Return whether a TCP connection is accepted there. `host` is this machine; nothing is sent."""
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE):
            return True
    except OSError:
        return False


def listener(section: str, listen: str, path: str) -> Iterator[Finding]:
    """Yield whether the address under `[section]` is free, or in use by us."""
    host, port = sections.host_port(listen)
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    if is_loopback(local) and answers(local, port):
        if section == "front" and _lost_intake(local, port, path):
            message = (
                f"The public server runs on {listen}, but lost its connection to intake: forms and visits are lost."
            )
            yield Finding("bad", message, "Restart Troth: `systemctl restart troth`, or stop and start `troth serve`.")
        elif _ours(section, local, port, path):
            yield Finding("ok", f"The {_NAMES[section]} runs on {listen}.")
            yield from _without_address(local, port, path) if section == "front" else ()
        else:
            mend = f"Stop that program, or change `listen` under [{section}]."
            yield Finding("bad", f"{listen} is in use by another program.", mend)
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
            yield Finding("bad", f"{listen} cannot be used: {os.strerror(error.errno or 0)}.", mend)
            return
    yield Finding("ok", f"{listen} is free for the {_NAMES[section]}.")


def _lost_intake(host: str, port: int, path: str) -> bool:
    """Return whether a front of ours reports that the clerk does not answer. Each request reaches one of the fronts."""
    for _ in range(_QUESTIONS):
        status, body = _ask(host, port, path)
        if status == 503 and body.startswith(b"the intake does not answer"):
            return True
        if status != 200:
            return False
    return False


def _without_address(host: str, port: int, path: str) -> Iterator[Finding]:
    """Warn if the web server in front does not pass on visitors' addresses. Each request reaches one of the fronts."""
    for _ in range(_QUESTIONS):
        count = _ask(host, port, path)[1].partition(b"requests without X-Forwarded-For: ")[2].strip()
        if count.isdigit():
            message = (
                "Your web server does not pass on visitors' addresses (X-Forwarded-For), so all of them share one rate "
                f"limit and count as one visitor. Requests so far: {int(count):,}."
            )
            yield Finding("warn", message, _HEADER_LINE)
            return


def _ask(host: str, port: int, path: str) -> tuple[int, bytes]:
    """Return status and beginning of the response to GET; 0 if there is none."""
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        return response.status, response.read(64)
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def _ours(section: str, host: str, port: int, path: str) -> bool:
    """Return whether it is ours: a front answers /healthz with `ok` and a number, the office redirects to sign-in."""
    if section == "front":
        status, body = _ask(host, port, path)
        return status == 200 and body.startswith(b"ok ")
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        response = connection.getresponse()
        return response.getheader("Server", "").startswith("waitress") or response.status in (302, 400)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
