"""Listeners and lines: bound before anything else, whole packets in order, and a clear word where they cannot be."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from troth.ground.errors import TrothError
from troth.launch import lines


def test_a_listener_accepts_from_the_moment_it_is_made():
    with lines.listener("127.0.0.1", 0, "front") as made, socket.create_connection(made.getsockname()) as caller:
        accepted, _ = made.accept()
        with accepted:
            caller.sendall(b"hello")
            assert accepted.recv(5) == b"hello"


def test_a_listener_speaks_ipv6_where_the_address_does():
    try:
        made = lines.listener("::1", 0, "front")
    except TrothError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
    with made:
        assert made.family == socket.AF_INET6


def test_a_taken_address_names_the_setting_to_change():
    with lines.listener("127.0.0.1", 0, "front") as made:
        port = made.getsockname()[1]
        with pytest.raises(TrothError, match=f"127.0.0.1:{port} is taken") as error:
            lines.listener("127.0.0.1", port, "office")
    assert "[office]" in error.value.mend


def test_an_address_that_is_not_ours_names_the_setting():
    with pytest.raises(TrothError, match=r"203\.0\.113\.7:8080 cannot be listened on") as error:
        lines.listener("203.0.113.7", 8080, "front")
    assert "[front]" in error.value.mend


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not")
def test_a_port_that_needs_root_says_so():
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 81:
        pytest.skip("this machine lets everybody listen on port 81")
    code = f"""
import sys; sys.path.insert(0, {str(Path(lines.__file__).parents[2])!r})
import os
from troth.launch import lines
os.setuid(65534)
try:
    lines.listener("127.0.0.1", 81, "front")
except Exception as error:
    print(error, error.mend)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "127.0.0.1:81 needs root." in done.stdout and "[front]" in done.stdout


def test_a_line_keeps_packets_whole_and_in_order():
    one, other = lines.pair()
    with one, other:
        for size in (1, 60_016, 3):
            one.send(bytes([size % 256]) * size)
        assert [len(other.recv(70_000)) for _ in range(3)] == [1, 60_016, 3]


def test_neither_end_of_a_line_blocks_and_a_full_one_says_so():
    one, other = lines.pair()
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
    one, other = lines.pair()
    other.close()
    with one, pytest.raises(BrokenPipeError):
        one.send(b"x")


def test_a_log_that_was_opened_to_be_written_over_only_grows(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"before\n")
    with path.open("r+b", buffering=0) as log:
        lines.only_grows(log.fileno())
        os.pwrite(log.fileno(), b"after\n", 0)
    assert path.read_bytes() == b"before\nafter\n"
    near, far = lines.pair()
    lines.only_grows(near.fileno())  # not a file: left as it is
    near.close()
    far.close()
