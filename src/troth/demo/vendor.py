"""The sample vendor's website: static pages with Troth's forms embedded, and a small server for them.

    python -m troth.demo.vendor --folder DIR --port 8702 --front http://localhost:8700

Everything about it is invented. Its privacy page takes Troth's policy in each time that it is asked for, as a vendor's
web server would (docs/promises.md). May touch: the folder that it was given, one port on 127.0.0.1, and Troth's front.
"""

import argparse
import http.client
import signal
import sys
import zipfile
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

OPERATOR_EMAIL = "operator@example.com"
"""Who signs in to Admin."""
_WEBSITE = Path(__file__).parent / "website"
PAGES = (
    "index.html",
    "products.html",
    "about.html",
    "contact.html",
    "contact-thanks.html",
    "privacy.html",
    "thanks.html",
    "404.html",
)
_FILES = ("style.css", "mark.svg")
_INCLUDED = b"<!--# the policy -->"


def build(folder: Path, *, embed: str, contact: str, mail: str, front: str) -> None:
    """Write the website into `folder`. `embed` and `contact` are Troth's forms, `mail` and `front` the addresses of the
    test mail server and of Troth's own pages."""
    pages = Environment(loader=FileSystemLoader(_WEBSITE), autoescape=True, undefined=StrictUndefined)
    folder.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        # The pasted forms are the front's own HTML, not a visitor's text.
        forms = {"embed": Markup(embed), "contact": Markup(contact)}  # noqa: S704
        text = pages.get_template(name).render(**forms, mail=mail, front=front, here="")
        (folder / name).write_text(text, "utf-8")
    for name in _FILES:
        (folder / name).write_bytes((_WEBSITE / name).read_bytes())
    with zipfile.ZipFile(folder / "plainbook-4.0.zip", "w") as download:
        download.writestr("README.txt", "Plainbook is invented, and so there is nothing to install.\n")


class StaticHandler(SimpleHTTPRequestHandler):
    """Serves static files with the strict headers that Troth's form supports. `front` is the form's origin."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Example", ""

    def __init__(self, *arguments: object, front: str, directory: str) -> None:
        self._front = front
        super().__init__(*arguments, directory=directory)  # type: ignore[arg-type]

    def end_headers(self) -> None:
        """Add the headers of every page."""
        front = self._front
        self.send_header(
            "Content-Security-Policy",
            f"default-src 'none'; style-src 'self' {front}; img-src 'self'; script-src {front}; connect-src {front}; "
            f"form-action {front}; frame-ancestors 'none'; base-uri 'none'",
        )
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def do_GET(self) -> None:
        """Send a page, with the policy inserted in its place."""
        if self.path.partition("?")[0] != "/privacy.html":
            return super().do_GET()
        page = (Path(self.directory) / "privacy.html").read_bytes().replace(_INCLUDED, _policy(self._front))
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
        return None

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send the vendor's own error page."""
        if code != HTTPStatus.NOT_FOUND or self.command not in {"GET", "HEAD"}:
            return super().send_error(code, message, explain)
        page = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(page)
        return None

    def list_directory(self, path: object) -> None:
        """Refuse to list folders."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *values: object) -> None:
        """Log nothing: it would be a log of visitors."""


def _policy(front: str) -> bytes:
    """Return Troth's current policy as part of a page, or a link to it."""
    at = urlsplit(front)
    asking = http.client.HTTPConnection(at.hostname or "", at.port, timeout=5)
    try:
        asking.request("GET", f"{at.path}/privacy?embed")
        answer = asking.getresponse()
        if answer.status == HTTPStatus.OK:
            return answer.read()
    except (OSError, http.client.HTTPException):
        pass
    finally:
        asking.close()
    return f'<p><a href="{front}/privacy">What happens to what you give us</a></p>'.encode()


class _StaticServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore browsers that close the connection."""


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or SIGINT. Prints one line when ready."""
    parser = argparse.ArgumentParser(prog="python -m troth.demo.vendor", description="A sample vendor's website.")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--front", required=True, metavar="ORIGIN")
    options = parser.parse_args(argv)
    with _StaticServer(
        ("127.0.0.1", options.port), partial(StaticHandler, front=options.front, directory=options.folder)
    ) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))
        print("ready", flush=True)  # noqa: T201
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
