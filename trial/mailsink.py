"""A real SMTP server that keeps nothing of a mail but who got it and which it was, one line each.

python -m trial.mailsink PORT FILE [SECONDS]

`SECONDS`: how long it takes to answer to a mail, half of it before the line is written and half of it after.
"""

import asyncio
import re
import signal
import sys
from email.utils import parseaddr

from aiosmtpd.smtp import SMTP, Envelope, Session

_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


class Sink:
    """What aiosmtpd calls."""

    def __init__(self, path: str, seconds: float) -> None:
        self._half = seconds / 2
        self._file = open(path, "a", buffering=1)  # noqa: SIM115 - lives as long as the process

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer PIPELINING, so that commands and contents leave together, and kills fall between them."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Write the line before the answer: from then on the mail counts as delivered."""
        assert isinstance(envelope.content, bytes)
        found = _ID.search(envelope.content)
        if self._half:
            await asyncio.sleep(self._half)
        for recipient in envelope.rcpt_tos:
            self._file.write(f"{parseaddr(recipient)[1]} {found[1].decode() if found else '-'}\n")
        if self._half:
            await asyncio.sleep(self._half)
        return "250 OK"


async def main(port: int, path: str, seconds: float = 0) -> None:
    """Serve until SIGTERM."""
    sink, loop, end = Sink(path, seconds), asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, end.set)
    server = await loop.create_server(lambda: SMTP(sink, enable_SMTPUTF8=True), "127.0.0.1", port)
    print("ready", flush=True)
    await end.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], *map(float, sys.argv[3:])))
