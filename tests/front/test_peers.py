"""Whichever front a hit comes to, it is counted at its visitor's, and answered when it is on the disk there."""

import asyncio
import socket

import pytest

from troth.audience.counting.counted_hit import CountedHit
from troth.audience.counting.hit import HitKind
from troth.front.channels.clerk_client import ClerkBusy, ClerkGone
from troth.front.channels.peers import Peers
from troth.supervisor.sockets import mesh

TOLD = CountedHit(b"v" * 16, b"b" * 8, HitKind.VIEW, "/docs", about={7: "Bing"})


class Other:
    """A front that keeps what it is asked to count; `refuse` and `settle` say what becomes of it."""

    def __init__(self, number, lines):
        self.peers = Peers(number, [line and line.detach() for line in lines])
        self.counted, self.refuse, self.settled = [], None, None
        self.peers.serve(self._count)

    def _count(self, told):
        if self.refuse:
            raise self.refuse
        self.counted.append(told)
        self.settled = asyncio.get_running_loop().create_future()
        return self.settled


@pytest.fixture
async def two():
    ends = mesh(2)
    fronts = [Other(number, lines) for number, lines in enumerate(ends)]
    yield fronts
    for front in fronts:
        front.peers.close()


async def _asked(other, count=1):
    for _ in range(500):
        if len(other.counted) >= count:
            return
        await asyncio.sleep(0.002)
    raise AssertionError("the other front was not asked")


async def test_a_hit_is_counted_there_and_answered_once_it_is_kept(two):
    handing = asyncio.create_task(two[0].peers.hand(1, TOLD))
    await _asked(two[1])
    assert two[1].counted == [TOLD] and not handing.done()
    two[1].settled.set_result(None)
    assert await handing is None


async def test_what_was_lost_there_is_lost_here(two):
    handing = asyncio.create_task(two[0].peers.hand(1, TOLD))
    await _asked(two[1])
    two[1].settled.set_exception(ClerkGone("gone"))
    with pytest.raises(ClerkGone):
        await handing


async def test_a_front_that_has_no_room_says_so(two):
    two[1].refuse = ClerkBusy(5)
    with pytest.raises(ClerkBusy):
        await two[0].peers.hand(1, TOLD)


async def test_a_front_that_begins_anew_has_lost_what_it_was_asked(two):
    handing = asyncio.create_task(two[0].peers.hand(1, TOLD))
    await _asked(two[1])
    two[1].peers.serve(two[1]._count)  # says hello
    with pytest.raises(ClerkGone):
        await handing


@pytest.mark.parametrize(
    "packet",
    [
        b"\x00",
        b"\x00" + bytes(8) + b"\xc1",
        b"\x00" + bytes(8) + b"\x91" * 4_000,
        b"\x09" * 20,
        b"\x01" + bytes(9) + b"x",
        b"\x01" + bytes(8) + b"\x00",
    ],
)
async def test_what_a_captured_front_says_is_dropped_and_the_line_goes_on(packet):
    ends = mesh(2)
    captured: socket.socket = ends[1][0]
    other = Other(0, ends[0])
    captured.send(packet)
    await asyncio.sleep(0.02)
    assert other.counted == []
    other.peers.close()
    captured.close()


@pytest.mark.parametrize(
    "told",
    [
        CountedHit(b"v", b"b" * 8, HitKind.VIEW, "/docs"),
        CountedHit(b"v" * 16, b"", HitKind.VIEW, "/docs"),
        CountedHit(b"v" * 16, b"b" * 8, HitKind.VIEW, "/" + "x" * 500),
        CountedHit(b"v" * 16, b"b" * 8, HitKind.VIEW, "/", about={7: "a\nb"}),
    ],
)
async def test_what_no_counter_tells_is_not_counted(two, told):
    handing = asyncio.create_task(two[0].peers.hand(1, told))
    await asyncio.sleep(0.02)
    assert two[1].counted == []
    handing.cancel()


async def test_answers_that_come_late_or_from_another_line_change_nothing(two):
    handing = asyncio.create_task(two[0].peers.hand(1, TOLD))
    await _asked(two[1])
    two[1].peers._send(0, b"\x01" + (999).to_bytes(8) + b"\x00")
    await asyncio.sleep(0.02)
    assert not handing.done()
    two[1].settled.set_result(None)
    await handing
