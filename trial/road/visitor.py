"""What stands around the site in the trial: a visitor's browser that speaks TLS, and a mail relay that keeps mails.

Runs inside the trial's machine.
"""

import email
import http.client
import re
import socketserver
import ssl
import threading
import time
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from json import dumps, loads
from urllib.parse import urlencode, urlsplit

import altcha

from troth.proofs.instruments import form_parser

HOST = "www.example.com"


@dataclass(frozen=True)
class Page:
    """What came back."""

    status: int
    headers: "http.client.HTTPMessage"
    text: str


@dataclass
class Visitor:
    """A browser without scripts but one: it does the work that keeps robots out."""

    trust: ssl.SSLContext
    port: int = 443

    def ask(self, method: str, path: str, fields: list[tuple[str, str]] | None = None, who: int = 1) -> Page:
        """One request by TLS, from an address of this machine that is this visitor's."""
        near = (f"127.{who >> 8 & 255}.{who & 255}.1", 0)
        line = http.client.HTTPSConnection(HOST, self.port, context=self.trust, timeout=40, source_address=near)
        try:
            headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
            body = None
            if fields is not None:
                body, headers["Content-Type"] = urlencode(fields), "application/x-www-form-urlencoded"
            line.request(method, path, body, headers)
            answer = line.getresponse()
            return Page(answer.status, answer.headers, answer.read().decode("utf-8", "replace"))
        finally:
            line.close()

    def work(self) -> str:
        """The number that the front asks for."""
        page = self.ask("GET", "/troth/challenge")
        assert page.status == 200, (page.status, page.text[:500])
        told = loads(page.text or "{}")
        if not told:
            return ""
        found = altcha.solve_challenge(altcha.Challenge.from_dict(told))
        assert found is not None
        solution = {"counter": found.counter, "derivedKey": found.derived_key}
        return b64encode(dumps({"challenge": told, "solution": solution}).encode()).decode()

    def sign_up(self, address: str) -> int:
        """Fill in the form; the answer's status."""
        return self._fill_in("/troth/newsletter", {"email": address})

    def write(self, address: str, message: str) -> int:
        """Fill in the contact form; the answer's status."""
        return self._fill_in("/troth/contact", {"email": address, "name": "A Visitor", "message": message})

    def _fill_in(self, path: str, typed: dict[str, str]) -> int:
        shown = self.ask("GET", path)
        hidden = [(one.name, one.value) for one in form_parser.fields(shown.text) if one.name == "wording"]
        for _ in range(8):
            answer = self.ask("POST", path, [*typed.items(), *hidden, ("altcha", self.work())])
            if answer.status != 429:
                return answer.status
            time.sleep(min(20, int(answer.headers.get("Retry-After", "5"))))
        return answer.status

    def follow(self, link: str) -> int:
        """Open a link of a mail and press its button; the answer's status."""
        path = urlsplit(link).path
        assert self.ask("GET", path).status == 200
        return self.ask("POST", path, []).status


@dataclass
class Relay:
    """Takes every mail on port 2525 and keeps it: (recipient, text)."""

    mails: list[tuple[str, str]] = field(default_factory=list)

    def start(self) -> None:
        """Listen, in a thread."""
        mails = self.mails

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with suppress(ConnectionResetError):
                    self._talk()

            def _talk(self) -> None:
                recipients: list[str] = []
                self.wfile.write(b"220 relay\r\n")
                while line := self.rfile.readline():
                    word = line[:4].upper()
                    if word == b"EHLO":
                        self.wfile.write(b"250-relay\r\n250 8BITMIME\r\n")
                    elif word == b"RCPT":
                        recipients.append(line.decode().split("<")[1].split(">")[0])
                        self.wfile.write(b"250 ok\r\n")
                    elif word == b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        data = b"".join(iter(self.rfile.readline, b".\r\n"))
                        parsed = email.message_from_bytes(data, policy=policy.default)
                        part = parsed.get_body(("plain",))
                        mails.extend((one, part.get_content() if part else "") for one in recipients)
                        recipients = []
                        self.wfile.write(b"250 kept\r\n")
                    elif word == b"QUIT":
                        self.wfile.write(b"221 bye\r\n")
                        return
                    else:
                        self.wfile.write(b"250 ok\r\n")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

        threading.Thread(target=Server(("127.0.0.1", 2525), Talk).serve_forever, daemon=True).start()

    def link_to(self, address: str, act: str = "confirm", seconds: float = 60) -> str:
        """The link of a mail to this address; waits for it. Empty where none comes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for to, text in self.mails:
                found = re.search(rf"https://\S+/{act}/\S+", text)
                if to == address and found:
                    return found[0]
            time.sleep(0.2)
        return ""
