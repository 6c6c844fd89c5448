"""The demo as tests use it: started on ports of its own, with its addresses, its mails and its end."""

import contextlib
import email
import email.policy
import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_READY_SECONDS = 90
_LOUD = re.compile(r"; restarting|Traceback|left_out|tripwire|\"level\": \"(error|critical)\"")
TROTH = [sys.executable, "-c", "from troth.cli import main; main()"]
"""The `troth` command, of this very interpreter."""


@dataclass(frozen=True)
class Mail:
    """A mail as the mail company shows it."""

    recipient: str
    subject: str
    raw: str

    @property
    def text(self) -> str:
        message = email.message_from_string(self.raw, policy=email.policy.default)
        return message.get_body(("plain",)).get_content()

    @property
    def headers(self):
        return email.message_from_string(self.raw, policy=email.policy.default)

    def link(self, act: str) -> str:
        """The mail's link for `confirm` or `unsubscribe`."""
        found = re.search(rf"https?://\S+/{act}/[A-Za-z0-9_.~-]+", self.text)
        assert found, self.text
        return found[0]


@dataclass(frozen=True)
class House:
    """A running demo."""

    process: subprocess.Popen
    site: Path
    front: str
    office: str
    vendor: str
    mail: str
    sign_in: str

    def was_quiet(self) -> None:
        """Nothing ended, failed or was left out of a line, in all that the house did: a process that dies and is
        started again may hide a fault from every other test."""
        for log in (self.site.parent / "demo.log", self.site / "troth.log"):
            if not log.exists():  # the test ended the house itself
                continue
            bad = [line for line in log.read_text().splitlines() if _LOUD.search(line)]
            assert not bad, f"{log.name}: {bad[:5]}"

    def mails(self, address: str) -> list[Mail]:
        """What came for this address, oldest first."""
        told = httpx.get(f"{self.mail}/messages.json").json()
        found = [Mail(one["recipient"], one["subject"], one["raw"]) for one in told]
        return [mail for mail in found if mail.recipient == address]

    def mail_for(self, address: str, *, count: int = 1) -> Mail:
        """The `count`th mail for this address; waits for it."""
        until = time.monotonic() + 15
        while len(found := self.mails(address)) < count:
            assert time.monotonic() < until, f"no mail came; {len(found)} of {count}"
            time.sleep(0.1)
        return found[count - 1]


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody had a moment ago, in a range of this test process's own."""
    own = 18_000 + 100 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 10)
    for base in range(own, own + 100, count):
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in range(base, base + count):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return base
    raise OSError("no ports in a row are free")


def start(base: int) -> House:
    """`troth demo --json`, until its line is there."""
    process = subprocess.Popen(
        [*TROTH, "demo", "--json", "--port-base", str(base), "--days", "0"],
        env={**os.environ, "TROTH_PROMISES__PROVE_MINUTES": "0"},  # no canary comes and goes in the pages under test
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ready, _, _ = select.select([process.stdout], [], [], _READY_SECONDS)
    line = process.stdout.readline() if ready else ""
    if not line:
        process.terminate()
        raise AssertionError(f"the demo did not start: {process.communicate(timeout=60)[1]}")
    told = json.loads(line)
    return House(process, Path(told.pop("site")), **told)


@contextmanager
def running() -> Iterator[House]:
    """A demo for as long as the block runs."""
    house = start(free_ports(6))
    try:
        yield house
        house.was_quiet()
    finally:
        house.process.terminate()
        try:
            house.process.communicate(timeout=60)
        finally:
            house.process.kill()
