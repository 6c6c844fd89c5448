"""Bad input and bad luck for the whole house, under `troth serve`: each gets a clear word, and nothing is lost."""

import re
import signal
import socket
import sqlite3
import time
from pathlib import Path

import psutil
import pytest

from bench.site import free_port
from tests.worker import served
from troth.core import frames as journal


@pytest.fixture
def house(tmp_path: Path):
    """A site that serves."""
    site, front = served.make(tmp_path / "site")
    with served.serving(site, front) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory):
    """A site that serves, for tests that leave it as any other may find it."""
    site, front = served.make(tmp_path_factory.mktemp("shared") / "site")
    with served.serving(site, front) as running:
        yield running


def test_a_flipped_bit_in_the_spool_costs_one_form_and_is_shown(house):
    held = sqlite3.connect(house.site.database, isolation_level=None, timeout=10)
    held.execute("BEGIN EXCLUSIVE")
    for number in range(6):
        assert house.sign_up(f"p{number}@example.com") == 303
    (segment,) = [path for path in house.site.spool.glob("*.seg") if path.stat().st_size > journal.HEADER_SIZE]
    data = bytearray(segment.read_bytes())
    frames = list(
        journal.read(bytes(data[journal.HEADER_SIZE :]), journal.HEADER_SIZE, int(segment.stem, 16), closed=True)
    )
    data[frames[2].offset + 40] ^= 1
    segment.write_bytes(data)  # as a failing disk would: what the clerk has open stays as it is
    held.execute("ROLLBACK")
    held.close()
    house.until(lambda status: status["people"] == 5 and status["failed_items"] == {"damaged": 1})
    listed = served.troth("failed", "list", "--site", str(house.site.root)).stdout
    assert "damaged on disk" in listed and "example.com" not in listed
    assert house.sign_up("after@example.com") == 303
    house.until(lambda status: status["people"] == 6)


def test_a_second_house_on_the_same_site_is_refused_and_the_first_goes_on(shared):
    people = shared.status()["people"]
    elsewhere = {name: f"127.0.0.1:{free_port()}" for name in ("TROTH_FRONT__LISTEN", "TROTH_OFFICE__LISTEN")}
    said = served.refused(shared.site, **elsewhere)
    assert "Another worker is already running for this site" in said
    assert "only once per site" in said
    assert shared.sign_up("first@example.com") == 303
    shared.until(lambda status: status["people"] == people + 1)


def test_a_port_that_is_taken_is_named(shared):
    said = served.refused(shared.site)
    assert "is taken by another program" in said and "[front]" in said


def test_a_setting_from_the_environment_holds_for_every_process(tmp_path):
    import httpx

    site, front = served.make(tmp_path / "site")
    with served.serving(site, front, TROTH_NEWSLETTER__TITLE="Said by the environment"):
        page = httpx.get(f"{front}/newsletter").text
    assert "Said by the environment" in page


def test_a_body_that_comes_drop_by_drop_is_given_up_and_holds_up_nobody(shared):
    people = shared.status()["people"]
    port = int(shared.front.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(
            b"POST /newsletter HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 1000\r\n\r\nemail="
        )
        assert shared.sign_up("meanwhile@example.com") == 303
        slow.settimeout(60)
        begun, answer = time.monotonic(), b""
        try:
            while time.monotonic() - begun < 60 and not (answer := answer + slow.recv(1000)).startswith(
                b"HTTP/1.1 408"
            ):
                assert answer == b"" or answer.startswith(b"HTTP"), answer
                if not answer:
                    break
        except ConnectionError:
            pass
    assert time.monotonic() - begun < 60
    shared.until(lambda status: status["people"] == people + 1)


def test_nothing_of_a_hostile_form_is_kept_or_said(house):
    import httpx

    typed = {"email": "ada@example.com\r\nBcc: eve@example.com", "name": "<script>alert(1)</script>"}
    for data in (typed, {**typed, "password": "x"}, {"email": ["a@example.com", "b@example.com"]}):
        assert 400 <= httpx.post(f"{house.front}/newsletter", data=data).status_code < 500
    huge = httpx.post(f"{house.front}/newsletter", content=b"email=" + b"a" * 10_000_000)
    assert huge.status_code in (413, 415)
    assert not any(path.stat().st_size > journal.HEADER_SIZE for path in house.site.spool.glob("*.seg"))
    assert not re.search("ada@|eve@|alert", served.log(house.site))


def test_the_house_ends_in_order_and_what_was_in_hand_is_there_after_the_next_start(tmp_path):
    site, front = served.make(tmp_path / "site")
    with served.serving(site, front) as house:
        worker = _the_worker(house)
        worker.send_signal(signal.SIGSTOP)
        for number in range(5):
            assert house.sign_up(f"p{number}@example.com") == 303
        worker.kill()
    with served.serving(site, front) as house:
        house.until(lambda status: status["people"] == 5)


def _the_worker(house) -> psutil.Process:
    """The process that holds the worker's lock."""
    inode = (house.site.data / "worker.lock").stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        if f":{inode} " in line:
            return psutil.Process(int(line.split()[4]))
    raise AssertionError("nobody holds the worker's lock")
