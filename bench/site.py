"""A throwaway site with all its processes, for benchmarks and trials."""

import base64
import hashlib
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import altcha

from troth.operate import create_site
from troth.supervisor.supervisor import Supervisor

CONSENT = "Send me the newsletter. I can leave at any time with one click."


def free_port() -> int:
    """A TCP port on loopback that nobody had a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@dataclass
class Running:
    """A site that serves."""

    root: Path
    port: int
    supervisor: Supervisor

    def bodies(self, count: int, *, proof: bool, tag: str = "p") -> list[str]:
        """`count` filled forms of invented people, each with a solved proof of work where `proof`."""
        wording = hashlib.sha256(CONSENT.encode()).hexdigest()
        made = []
        for number in range(count):
            typed = {"email": f"{tag}{number}@example.com", "name": f"Person {number}", "wording": wording}
            if proof:
                typed["altcha"] = self._proof()
            made.append(urlencode(typed))
        return made

    def _proof(self) -> str:
        secret = bytes.fromhex(self._front_brief().secrets["altcha"])
        challenge = altcha.create_challenge(
            "SHA-256", 1, counter=0, expires_at=int(time.time()) + 1000, hmac_secret=secret
        )
        solution = altcha.solve_challenge(challenge)
        assert solution is not None
        return base64.b64encode(json.dumps(altcha.Payload(challenge, solution).to_dict()).encode()).decode()

    def _front_brief(self):  # type: ignore[no-untyped-def]
        return next(child.brief for child in self.supervisor._children if child.brief.role == "front")


def settings(
    port: int,
    office: int,
    *,
    smtp: int,
    proof: bool,
    fronts: int = 1,
    database: str = "",
    tell: Sequence[str] = (),
    more: str = "",
) -> str:
    """A `troth.toml` whose limits are out of the way of a load generator on one address."""
    return f"""
[site]
name = "Example Software"
url = "http://127.0.0.1:{port}"
[front]
listen = "127.0.0.1:{port}"
workers = {fronts}
trusted_proxies = ["127.0.0.1"]
burst = 1000000
refill_seconds = 0.001
proof_of_work = {1 if proof else 0}
[newsletter]
consent = "{CONSENT}"
emails_per_domain_per_hour = 100000000
emails_per_new_domain_per_hour = 100000000
similar_addresses_per_day = 100000000
[mail]
relay = "smtp://localhost:{smtp}"
sender = "news@example.com"
[office]
listen = "127.0.0.1:{office}"
url = "http://localhost:{office}"
notify = {json.dumps(list(tell))}
[database]
url = "{database}"
[promises]
prove_minutes = 0
[spool]
signup_mib = 1024
hits_mib = 1024
{more}
"""


@contextmanager
def running(
    *,
    proof: bool = True,
    fronts: int = 1,
    smtp: int = 9,
    database: str = "",
    tell: Sequence[str] = (),
    more: str = "",
) -> Iterator[Running]:
    """Make a site, start it, give it, end it, remove it. Without `smtp` mails wait for a relay that is not there.
    `more`: sections of its settings."""
    folder = Path(tempfile.mkdtemp(prefix="troth-bench-"))
    port, office = free_port(), free_port()
    try:
        create_site.init(folder / "site", name="Example Software", url=f"http://127.0.0.1:{port}")
        root = folder / "site"
        (root / "troth.toml").write_text(
            settings(port, office, smtp=smtp, proof=proof, fronts=fronts, database=database, tell=tell, more=more)
        )
        supervisor = Supervisor(root, quiet=True, one_user=True)
        supervisor.start()
        try:
            supervisor.wait_ready(60)
            yield Running(root, port, supervisor)
        finally:
            supervisor.stop()
    finally:
        if os.environ.get("TROTH_KEEP"):
            print(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
