"""What a captured or dying process says on a line ends no line: empty packets, halves, repeats, floods."""

import asyncio
import contextlib
import os
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clerk.running import LINK, SIGNUP, RunningClerk, descriptor
from troth.clerk import protocol
from troth.front.channels import clerk_client
from troth.front.channels.clerk_client import ClerkGone, ClerkLine
from troth.front.channels.peers import Peers
from troth.supervisor import sockets

GOOD = protocol.submission(7, SIGNUP, b"form")
PACKETS = {
    "empty": [b""],
    "many empty": [b""] * 1000,
    "a half": [GOOD[: len(GOOD) // 2]],
    "a head alone": [GOOD[:29]],
    "another kind": [protocol.submission(7, 99, b"form")],
    "the worker's words": [protocol.DONE + (2**64 - 1).to_bytes(8), protocol.ROTATE, protocol.WAKE],
    "the clerk's words": [protocol.HELLO, protocol.answer(7, protocol.SYNCED)],
    "too long": [GOOD + bytes(protocol.MAX_PACKET)],
    "pings": [protocol.ping(7)] * 1000,
    "noise": [random.Random(seed).randbytes(seed % 70) for seed in range(1000)],
}


@pytest.fixture
def clerk(tmp_path: Path) -> Iterator[RunningClerk]:
    for name in ("spool", "public"):
        (tmp_path / name).mkdir()
    running = RunningClerk(tmp_path, fronts=2)
    yield running
    running.close()


def say(line: socket.socket, packets: list[bytes]) -> None:
    """Send all, and take what is answered so that no answer stands in the way."""
    for packet in packets:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                line.send(packet)
                break
            except BlockingIOError:
                time.sleep(0.001)
    with contextlib.suppress(BlockingIOError):
        while line.recv(65536):
            pass


@pytest.mark.parametrize("packets", PACKETS.values(), ids=PACKETS)
async def test_a_front_after_a_captured_one_is_heard(clerk: RunningClerk, packets: list[bytes]) -> None:
    say(clerk.front_ends[0], packets)
    await asyncio.sleep(0.1)
    lines_now = [ClerkLine(descriptor(end)) for end in clerk.front_ends]
    for line in lines_now:
        await line.ping()
        await line.hand(SIGNUP, b"honest")
        line.close()
    assert clerk.process.poll() is None
    kept = [body for _, body in clerk.frames()]
    assert kept.count(b"honest") == 2
    assert all(len(body) < 1000 for body in kept), "a packet that was cut is none"


def until_new_segment(clerk: RunningClerk) -> None:
    until = time.monotonic() + 5
    while len(list(clerk.spool.glob("*"))) < 3:  # the new segment, the old one, the tokens
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("packets", [[b""], [b""] * 1000, [protocol.DONE], [b"D" * 9000]], ids=len)
async def test_the_worker_is_heard_after_nonsense(clerk: RunningClerk, packets: list[bytes]) -> None:
    line = ClerkLine(descriptor(clerk.front_ends[0]))
    await line.hand(SIGNUP, b"x")
    say(clerk.worker_end, [*packets, protocol.ROTATE])
    until_new_segment(clerk)
    line.close()


async def test_a_clerk_that_is_gone_for_good_is_told_from_an_empty_packet() -> None:
    ours, theirs = sockets.pair()
    theirs.send(b"")
    assert protocol.receive(ours) == b""
    with pytest.raises(BlockingIOError):
        protocol.receive(ours)
    theirs.close()
    assert protocol.receive(ours) is None
    ours.close()


async def test_an_empty_packet_of_the_clerks_does_not_end_the_front() -> None:
    ours, theirs = sockets.pair()
    line = ClerkLine(ours.detach())
    handed = asyncio.ensure_future(line.hand(SIGNUP, b"form"))
    await asyncio.sleep(0.01)
    number = int.from_bytes(theirs.recv(65536)[:8])
    for packet in (b"", b"x", protocol.answer(number, protocol.SYNCED)[:5], protocol.answer(number, protocol.SYNCED)):
        theirs.send(packet)
    await asyncio.wait_for(handed, 5)
    line.close()
    theirs.close()


async def test_nobody_waits_for_ever_on_a_line_that_is_full_and_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerk_client, "_SECONDS", 0.3)
    monkeypatch.setattr(clerk_client, "_PING_SECONDS", 0.3)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    line = ClerkLine(ours.detach())
    tries = [line.hand(LINK, bytes(1000)) for _ in range(50)]
    async with asyncio.timeout(5):
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert all(isinstance(result, ClerkGone) for result in results)
        with pytest.raises(ClerkGone):
            await line.ping()
    line.close()
    theirs.close()


async def test_a_peer_that_sends_nothing_or_too_much_is_heard_afterwards() -> None:
    (_, mine), (theirs, _) = sockets.mesh(2)
    assert mine is not None and theirs is not None
    peers = Peers(0, [None, mine.detach()])
    for packet in (b"", bytes(20_000), os.urandom(8_192), b"\x00", b"\x01", b"\x02"):
        theirs.send(packet)
    await asyncio.sleep(0.05)
    place = peers._lines[1]
    theirs.send(b"")
    await asyncio.sleep(0.05)
    assert asyncio.get_running_loop().remove_reader(place), "the line is still listened to"
    peers.close()
    theirs.close()
