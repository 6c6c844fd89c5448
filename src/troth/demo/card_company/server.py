"""The server: a process for each connection, which ends with it, and one that sends notices and lets time pass.

A card number is read from its connection by a process that ends right after the answer; the process that listens never
reads anything. So no number is in any memory once the buyer has their answer.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import socketserver
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from troth.core.sandbox import restrict
from troth.demo.card_company import api, checkout, control, pages, webhooks
from troth.demo.card_company.account import Account
from troth.demo.card_company.api import ConnectionLost
from troth.demo.card_company.errors import ApiError
from troth.demo.card_company.pages import Page
from troth.demo.card_company.storage import Storage

_LARGEST_BODY = 1 << 20
_IDLE_SECONDS = 60
_LONGEST_PAUSE = 3600


class Server(socketserver.ForkingMixIn, HTTPServer):
    """Listens on loopback; forks for each connection."""

    max_children = 500
    block_on_close = False
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, port: int, state: Path) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.state = state
        self._wake_end, self._waking_end = os.pipe()
        os.set_blocking(self._waking_end, False)

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://localhost:{self.server_address[1]}"

    def wake(self) -> None:
        """Tell the process that sends notices that something may be due."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._waking_end, b".")

    def start_clerk(self) -> int:
        """Start the process that sends notices and lets time pass; return its id."""
        process = os.fork()
        if process:
            return process
        _end_with_parent()
        self.socket.close()
        with contextlib.suppress(KeyboardInterrupt):
            self._pass_time()
        os._exit(0)

    def _pass_time(self) -> None:
        storage = Storage(self.state)
        while True:
            work(storage, self.state)
            ready, _, _ = select.select([self._wake_end], [], [], _pause(storage))
            if ready:
                os.read(self._wake_end, 65536)

    def end_children(self) -> None:
        """End the processes of all connections."""
        for process in list(self.active_children or ()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
                os.waitpid(process, 0)


def _end_with_parent() -> None:
    """Let this process end when it is told to, and when the one that listens is killed."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    restrict.die_with_parent(signal.SIGTERM)


def _pause(storage: Storage) -> float:
    """Return the seconds until something is due."""
    statement = (
        "SELECT min(due) FROM (SELECT due FROM timers UNION ALL"
        " SELECT due FROM deliveries WHERE state IN ('pending', 'held'))"
    )
    due = storage.rows(statement)[0][0]
    ahead = int(storage.setting("ahead", "0"))
    return _LONGEST_PAUSE if due is None else min(_LONGEST_PAUSE, max(0.0, due - ahead - time.time()))


def work(storage: Storage, state: Path) -> int:
    """Do everything that is due, in one process at a time; return how much that was."""
    account = Account(storage)
    account.told = webhooks.tell
    with _alone(state):
        done = 0
        while step := checkout.run_timers(account) + webhooks.send_due(account):
            done += step
        return done


@contextlib.contextmanager
def _alone(state: Path) -> Iterator[None]:
    with state.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, in a process of its own."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "CardCompany", ""
    timeout = _IDLE_SECONDS
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Open the state: each process has a connection of its own."""
        _end_with_parent()
        super().setup()
        self._company = cast(Server, self.server)
        self._storage = Storage(self._company.state)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a request may hold a card number."""

    def handle(self) -> None:
        """Answer until the other side goes away."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle()

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    do_POST = do_DELETE = do_GET

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if urlsplit(f"//{self.headers.get('Host', '')}").hostname not in ("localhost", "127.0.0.1"):
            return self._send(421, "This server is for this machine only.\n", {})
        if not length.isdecimal() or int(length) > _LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return self._send(413, "The body is too large, or has no length.\n", {})
        body = self.rfile.read(int(length))
        parts = urlsplit(self.path)
        if parts.path.startswith("/v1/"):
            return self._answer_api(parts.path, parts.query, body)
        if parts.path.startswith("/_control/"):
            return self._answer_control(parts.path.removeprefix("/_control/"), body)
        return self._answer_page(parts.path, parts.query, body)

    def _answer_api(self, path: str, query: str, body: bytes) -> None:
        encoded = body.decode("utf-8", "replace") if self.command == "POST" else query
        request = api.Request(
            self.command, path, encoded, {name.title(): value for name, value in self.headers.items()}
        )
        try:
            result = api.answer(self._storage, request)
        except ConnectionLost:
            self.close_connection = True
            return
        finally:
            self._company.wake()
        self._send(result.status, result.body, {"Content-Type": "application/json"} | result.headers)

    def _answer_control(self, name: str, body: bytes) -> None:
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._storage.rows("SELECT 1 FROM keys WHERE key = ? AND permissions = '[\"*\"]'", key) == []:
            return self._send(403, json.dumps({"error": "The secret key is needed."}), {})
        if name == "work":
            return self._send(200, json.dumps({"done": work(self._storage, self._company.state)}), {})
        try:
            status, value = control.answer(self._account(), self.command, name, body)
        except (ApiError, ValueError, KeyError) as error:
            status, value = 422, {"error": str(error)}
        self._company.wake()
        return self._send(status, json.dumps(value), {"Content-Type": "application/json"})

    def _answer_page(self, path: str, query: str, body: bytes) -> None:
        """Answer a browser. After a POST the connection ends, and with it the process that read it."""
        try:
            with self._storage.transaction():
                if self.command == "POST":
                    self.close_connection = True
                    page = pages.post(self._account(), path, body.decode("utf-8", "replace"))
                else:
                    page = pages.get(self._account(), path, query)
        except ApiError as error:
            page = pages.refused(error)
        self._company.wake()
        self._send_page(page)

    def _send_page(self, page: Page) -> None:
        more = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        self._send(page.status, page.body, page.headers | more)

    def _account(self) -> Account:
        account = Account(self._storage)
        account.told = webhooks.tell
        return account

    def _send(self, status: int, body: str, headers: dict[str, str]) -> None:
        content = body.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
