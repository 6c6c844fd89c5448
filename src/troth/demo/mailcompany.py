"""The demo's test mail server: a real SMTP server on this machine whose emails are shown on a page and not delivered.

    python -m troth.demo.mailcompany --smtp 18425 --http 18480 [--dkim-key F --dkim-selector S --dkim-domain D] [--json]

It takes every mail and delivers none. `POST /mode` makes it behave badly, so that each fault of a relay can be tried.
May touch: two ports on 127.0.0.1, and the DKIM key's file, once. Keeps the last 2,000 mails in memory; no disk.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from troth.demo import mailpages
from troth.demo.mailbox import Mailbox, Mode
from troth.gate.dkim import dns_record

_SLOW_SECONDS = 5.0


@dataclass(slots=True)
class Behaviour:
    """How the server behaves at present."""

    mode: Mode = "ok"
    seconds: float = _SLOW_SECONDS
    """How long `slow` waits before each reply to MAIL and to a whole email."""


def _hang_up(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.Transport):
        server.transport.abort()


class SmtpHandler:
    """Handles each step for aiosmtpd."""

    def __init__(self, mailbox: Mailbox, behaviour: Behaviour) -> None:
        self._mailbox, self._behaviour = mailbox, behaviour

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Remember the sender."""
        await self._dawdle()
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept any recipient, unless the mode says otherwise. Rejections quote the address, as real servers do."""
        if self._behaviour.mode == "refuse":
            return f"550 5.1.1 <{address}>: no such user here"
        if self._behaviour.mode == "tempfail":
            return f"451 4.3.0 <{address}>: try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Store the email."""
        content = envelope.original_content or b""
        for recipient in envelope.rcpt_tos:
            self._mailbox.keep(recipient, content)
        if self._behaviour.mode == "die-after-data":
            _hang_up(server)
        await self._dawdle()
        return "250 2.0.0 kept"

    async def _dawdle(self) -> None:
        if self._behaviour.mode == "slow":
            await asyncio.sleep(self._behaviour.seconds)


class Relay(SMTP):
    """An SMTP session that can end before it accepts the email."""

    def __init__(self, handler: SmtpHandler, behaviour: Behaviour, sessions: "set[Relay]") -> None:
        super().__init__(handler, hostname="mail.localhost", ident="Troth's demo", enable_SMTPUTF8=True)
        self._behaviour, self._sessions = behaviour, sessions

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the session, so that `down` can end it."""
        self._sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the session."""
        self._sessions.discard(self)
        super().connection_lost(error)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        """Close the connection instead of asking for the email, if that is the mode."""
        if self._behaviour.mode == "die-before-data":
            _hang_up(self)
            return
        await super().smtp_DATA(arg)


class MailCompany:
    """The server and its switch. `listening` is closed in the mode `down` and opened again after it."""

    def __init__(self, port: int, mailbox: Mailbox) -> None:
        self.port, self.mailbox, self.behaviour = port, mailbox, Behaviour()
        self._sessions: set[Relay] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. Port 0 chooses a port once and keeps it."""
        server = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self.port = int(server.getsockname()[1])
        self._server = await asyncio.get_running_loop().create_server(self._session, sock=server)

    async def close(self) -> None:
        """Stop listening and close every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for session in list(self._sessions):
            _hang_up(session)

    async def switch(self, mode: Mode, seconds: float) -> None:
        """Set how the relay behaves from now on."""
        self.behaviour.mode, self.behaviour.seconds = mode, seconds
        if mode == "down":
            await self.close()
        elif self._server is None:
            await self.open()

    def _session(self) -> Relay:
        return Relay(SmtpHandler(self.mailbox, self.behaviour), self.behaviour, self._sessions)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m troth.demo.mailcompany", description="A test mail server for demos."
    )
    parser.add_argument("--smtp", type=int, required=True, metavar="PORT", help="0: any free port")
    parser.add_argument("--http", type=int, required=True, metavar="PORT", help="0: any free port")
    parser.add_argument("--dkim-key", type=Path, metavar="FILE", help="the PEM file whose signatures are to be checked")
    parser.add_argument("--dkim-selector", default="troth")
    parser.add_argument("--dkim-domain", default="")
    parser.add_argument("--json", action="store_true", help="print one JSON line when ready")
    return parser.parse_args(argv)


class _Quiet(uvicorn.Server):
    """Runs uvicorn without its signal handlers: ours end the SMTP server too."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        """Capture no signals."""
        yield


async def _run(options: argparse.Namespace) -> None:
    records = (
        dict([dns_record(options.dkim_key, options.dkim_selector, options.dkim_domain)]) if options.dkim_key else {}
    )
    company = MailCompany(options.smtp, Mailbox(records))
    listener = socket.create_server(("127.0.0.1", options.http), backlog=256)
    config = uvicorn.Config(
        mailpages.app(company, ready=lambda: _ready(options.json, company.port, listener)),
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    server = _Quiet(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    async with _open(company):
        await server.serve(sockets=[listener])


@contextlib.asynccontextmanager
async def _open(company: MailCompany) -> AsyncIterator[None]:
    await company.open()
    try:
        yield
    finally:
        await company.close()


def _ready(as_json: bool, smtp: int, listener: socket.socket) -> None:
    web = f"http://localhost:{listener.getsockname()[1]}"
    line = json.dumps({"smtp": f"smtp://localhost:{smtp}", "mail": web}) if as_json else f"Mails arrive at {web}"
    print(line, flush=True)  # noqa: T201


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Returns an exit code."""
    options = _arguments(sys.argv[1:] if argv is None else argv)
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd's log quotes addresses
    asyncio.run(_run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
