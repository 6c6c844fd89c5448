"""Listeners and lines: bound before anything else, whole packets in order, and a clear word where they cannot be."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from troth.core.errors import TrothError
from troth.supervisor import sockets


def test_a_listener_accepts_from_the_moment_it_is_made():
    with sockets.listener("127.0.0.1", 0, "front") as made, socket.create_connection(made.getsockname()) as caller:
        accepted, _ = made.accept()
        with accepted:
            caller.sendall(b"hello")
            assert accepted.recv(5) == b"hello"


def test_a_listener_speaks_ipv6_where_the_address_does():
    try:
        made = sockets.listener("::1", 0, "front")
    except TrothError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
    with made:
        assert made.family == socket.AF_INET6


def test_a_taken_address_names_the_setting_to_change():
    with sockets.listener("127.0.0.1", 0, "front") as made:
        port = made.getsockname()[1]
        with pytest.raises(TrothError, match=f"127.0.0.1:{port} is taken") as error:
            sockets.listener("127.0.0.1", port, "office")
    assert "[office]" in error.value.mend


def test_an_address_that_is_not_ours_names_the_setting():
    with pytest.raises(TrothError, match=r"203\.0\.113\.7:8080 can't be used") as error:
        sockets.listener("203.0.113.7", 8080, "front")
    assert "[front]" in error.value.mend


@pytest.fixture
def three():
    """Three listeners at one address."""
    with sockets.listener("127.0.0.1", 0, "front") as free:
        port = free.getsockname()[1]
    made = sockets.listeners("127.0.0.1", port, "front", 3)
    yield made
    for one in made:
        one.close()


def callers(three, count):
    """So many callers, and how many of them wait at each listener; those are then taken."""
    calls = [socket.create_connection(three[0].getsockname()) for _ in range(count)]
    waiting = []
    for one in three:
        one.setblocking(False)
        waiting.append(0)
        while True:
            try:
                one.accept()[0].close()
            except BlockingIOError:
                break
            waiting[-1] += 1
    for call in calls:
        call.close()
    return waiting


def test_each_front_has_a_listener_and_callers_of_its_own(three):
    assert len({one.getsockname() for one in three}) == 1
    waiting = callers(three, 60)
    assert sum(waiting) == 60 and min(waiting) > 0


def test_callers_come_to_the_fronts_that_serve_and_to_all_where_none_does(three):
    sockets.steer(three, [0, 2])
    waiting = callers(three, 40)
    assert waiting[1] == 0 and min(waiting[0], waiting[2]) > 0 and sum(waiting) == 40
    sockets.steer(three, [1])
    assert callers(three, 10) == [0, 10, 0]
    sockets.steer(three, [])
    assert min(callers(three, 60)) > 0


def test_who_waits_for_a_front_that_died_is_still_there_when_it_is_back(three):
    sockets.steer(three, [1])
    with socket.create_connection(three[0].getsockname()):
        sockets.steer(three, [0, 2])
        three[1].settimeout(5)
        three[1].accept()[0].close()


def test_an_address_of_several_is_not_shared_with_another_program(three):
    port = three[0].getsockname()[1]
    with pytest.raises(TrothError, match=f"127.0.0.1:{port} is taken"):
        sockets.listeners("127.0.0.1", port, "front", 2)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not")
def test_a_port_that_needs_root_says_so():
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 81:
        pytest.skip("this machine lets everybody listen on port 81")
    code = f"""
import sys; sys.path.insert(0, {str(Path(sockets.__file__).parents[2])!r})
import os
from troth.supervisor import sockets
os.setuid(65534)
try:
    sockets.listener("127.0.0.1", 81, "front")
except Exception as error:
    print(error, error.mend)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "127.0.0.1:81 needs root." in done.stdout and "[front]" in done.stdout


def test_a_line_keeps_packets_whole_and_in_order():
    one, other = sockets.pair()
    with one, other:
        for size in (1, 60_016, 3):
            one.send(bytes([size % 256]) * size)
        assert [len(other.recv(70_000)) for _ in range(3)] == [1, 60_016, 3]


def test_neither_end_of_a_line_blocks_and_a_full_one_says_so():
    one, other = sockets.pair()
    with one, other:
        with pytest.raises(BlockingIOError):
            other.recv(1)
        sent = 0
        with pytest.raises(BlockingIOError):
            while sent < 10_000:
                one.send(bytes(60_000))
                sent += 1
        assert sent >= 2  # more than one frame waits while the other end restarts


def test_a_line_whose_other_end_is_gone_says_so():
    one, other = sockets.pair()
    other.close()
    with one, pytest.raises(BrokenPipeError):
        one.send(b"x")


def test_a_log_that_was_opened_to_be_written_over_only_grows(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"before\n")
    with path.open("r+b", buffering=0) as log:
        sockets.only_grows(log.fileno())
        os.pwrite(log.fileno(), b"after\n", 0)
    assert path.read_bytes() == b"before\nafter\n"
    near, far = sockets.pair()
    sockets.only_grows(near.fileno())  # not a file: left as it is
    near.close()
    far.close()
