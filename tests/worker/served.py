"""A real site under `troth serve`, as an operator runs it, for tests of the whole house."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.site import CONSENT, free_port, settings
from tests import forked, new_site
from tests.browser.house import TROTH
from troth.core.site import Site


@dataclass(frozen=True)
class Served:
    """A site and the process that serves it."""

    site: Site
    front: str
    process: subprocess.Popen[bytes]

    def sign_up(self, address: str) -> int:
        """Fill in the form; the status of the answer."""
        import hashlib

        wording = hashlib.sha256(CONSENT.encode()).hexdigest()
        data = {"email": address, "name": "Ada Example", "wording": wording}
        return httpx.post(f"{self.front}/newsletter", data=data, follow_redirects=False).status_code

    def status(self) -> dict[str, object]:
        """`troth status --json`."""
        told: dict[str, object] = json.loads(troth("status", "--json", "--site", str(self.site.root)).stdout)
        return told

    def until(self, done: "object", seconds: float = 30) -> dict[str, object]:
        """The status, once `done(status)` is true."""
        end = time.monotonic() + seconds
        while not done(told := self.status()):  # type: ignore[operator]
            assert time.monotonic() < end, (told, log(self.site))
        return told


def troth(*words: str, check: bool = True, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours."""
    done = forked.run(TROTH[-1], *words, env={**os.environ, **environ}, timeout=90)
    if check:
        done.check_returncode()
    return done


def make(root: Path, *, smtp: int = 9) -> tuple[Site, str]:
    """A new site on free ports, and its front's address."""
    port = free_port()
    new_site.create(root, name="Example Software", url=f"http://127.0.0.1:{port}")
    (root / "troth.toml").write_text(settings(port, free_port(), smtp=smtp, proof=False))
    return Site(root), f"http://127.0.0.1:{port}"


def log(site: Site) -> str:
    """What the house said so far."""
    path = site.root / "troth.log"
    return path.read_text("utf-8", "replace") if path.exists() else ""


@contextmanager
def serving(site: Site, front: str, **environ: str) -> Iterator[Served]:
    """`troth serve` for as long as the block runs; it must end with 0."""
    before = len(log(site))
    with (site.root / "troth.log").open("ab") as said:
        command = [*TROTH, "serve", "--one-user", "--site", str(site.root)]
        process = subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, **environ})
    served = Served(site, front, process)
    try:
        _wait(served, before)
        yield served
    finally:
        process.terminate()
        try:
            process.wait(60)
        finally:
            process.kill()
    assert process.returncode == 0, log(site)


def _wait(served: Served, before: int) -> None:
    """Until every process is ready, as the house itself says: the front answers long before worker and office do.
    `before`: so much of the log is of earlier runs."""
    end = time.monotonic() + 90
    while not ("troth: serving" in (said := log(served.site)[before:]) and _answers(served)):
        assert served.process.poll() is None, said
        assert time.monotonic() < end, said
        time.sleep(0.1)


def _answers(served: Served) -> bool:
    try:
        return httpx.get(f"{served.front}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def refused(site: Site, **environ: str) -> str:
    """What `troth serve` says where it must not start; it says it in one line and a mend, and makes nothing up."""
    done = troth("serve", "--one-user", "--site", str(site.root), check=False, **environ)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr


if __name__ == "__main__":
    sys.exit("for tests")
