"""Whoever visited is nowhere: not on the disk, not in a backup, not in the worker's or the office's memory; after load,
after each process was killed, after the end (V1)."""

import ipaddress
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from bench.site import running

_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 "
_VISITORS = 12


class _Visitors:
    """Canaries: each with an agent and an address of its own."""

    def __init__(self) -> None:
        self.marks = ["".join(secrets.choice("ghjkmnpqrstvwxz") for _ in range(14)) for _ in range(_VISITORS)]
        self.addresses = [f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1" for _ in range(_VISITORS)]

    def forms(self) -> list[bytes]:
        """What must lie nowhere."""
        found = []
        for mark, address in zip(self.marks, self.addresses, strict=True):
            packed = ipaddress.ip_address(address).packed[:8]
            found += [mark.encode(), mark.encode().hex().encode(), mark.encode("utf-16-le")]
            found += [address.encode(), packed, packed.hex().encode()]
        return found

    def walk(self, base: str) -> int:
        """Each looks at three pages; how many hits were answered."""
        answered = 0
        for page in ("/", "/docs", "/buy"):
            for mark, address in zip(self.marks, self.addresses, strict=True):
                told = {"user-agent": _AGENT + mark, "x-forwarded-for": address, "accept-language": "en"}
                data = {"k": "v", "u": f"{base}{page}?q={mark}", "r": f"https://{mark}.example.org/{mark}"}
                try:
                    answered += httpx.post(f"{base}/hit", data=data, headers=told).status_code == 204
                except httpx.TransportError:
                    continue
        return answered


@pytest.fixture(scope="module")
def house():
    with running(proof=False, fronts=2) as site:
        base = f"http://127.0.0.1:{site.port}"
        _until(lambda: all(httpx.get(f"{base}/t.js").status_code == 200 for _ in range(20)))
        yield site, base


def _until(done, seconds=30):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def _on_the_disk(root: Path, forms: list[bytes]) -> list[str]:
    held = re.compile(b"|".join(re.escape(form) for form in forms))
    return [
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and held.search(path.read_bytes())
    ]


def _in_memory(pid: int, forms: list[bytes]) -> int:
    """How many of the forms are in a process's memory. Skips where this test may not read it."""
    held, found = re.compile(b"|".join(re.escape(form) for form in forms)), 0
    try:
        with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
            for line in maps:
                span, mode = line.split()[:2]
                if not mode.startswith("rw"):
                    continue
                begin, end = (int(one, 16) for one in span.split("-"))
                try:
                    memory.seek(begin)
                    found += len(held.findall(memory.read(end - begin)))
                except (OSError, ValueError, OverflowError):
                    continue
    except PermissionError:
        pytest.skip("another process's memory may not be read here")
    return found


def _children(site, *roles):
    return [one for one in site.supervisor._children if one.brief.role in roles and one.process]


def test_after_load_they_are_not_on_the_disk_nor_in_the_memory_of_worker_and_office(house):
    site, base = house
    visitors = _Visitors()
    assert visitors.walk(base) == 3 * _VISITORS
    assert _on_the_disk(site.root, visitors.forms()) == []  # sealed, in the spool
    time.sleep(2)
    assert _on_the_disk(site.root, visitors.forms()) == []
    for child in _children(site, "worker", "office", "clerk"):
        assert _in_memory(child.process.pid, visitors.forms()) == 0, child.brief.role


def test_the_search_of_memory_finds_what_is_there(house):
    site, _ = house
    (worker,) = _children(site, "worker")
    assert _in_memory(worker.process.pid, [str(site.root).encode()]) > 0
    mark = secrets.token_hex(20).encode()
    assert _in_memory(os.getpid(), [mark]) > 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("role", ["front", "clerk", "worker", "office"])
def test_when_a_process_ends_it_leaves_nobody_behind(house, role, how):
    site, base = house
    visitors = _Visitors()
    assert visitors.walk(base)
    for child in _children(site, role):
        os.kill(child.process.pid, how)
    until = time.monotonic() + 3
    while time.monotonic() < until:
        site.supervisor._turn(0.1)
    _until(lambda: httpx.get(f"{base}/healthz").status_code == 200)
    assert _on_the_disk(site.root, visitors.forms()) == []
    assert all(child.process.poll() is None for child in _children(site, role))
    for child in _children(site, "worker", "office"):
        assert _in_memory(child.process.pid, visitors.forms()) == 0


def test_they_are_in_no_backup(house, tmp_path):
    site, base = house
    visitors = _Visitors()
    assert visitors.walk(base) == 3 * _VISITORS
    time.sleep(2)
    told = [sys.executable, "-c", "from troth.cli import main; main()", "backup", str(tmp_path)]
    done = subprocess.run([*told, "--site", str(site.root)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert any(path.is_file() for path in tmp_path.rglob("*"))
    assert _on_the_disk(tmp_path, visitors.forms()) == []


def test_what_is_not_there_would_be_found(house, tmp_path):
    visitors = _Visitors()
    for form in visitors.forms():
        (tmp_path / "held").write_bytes(b"x" * 9_000 + form + b"y")
        assert _on_the_disk(tmp_path, visitors.forms()) == ["held"]
