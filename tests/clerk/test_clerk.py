"""The clerk as a process: it keeps what it acknowledges, and acknowledges nothing else (WALL 4)."""

import asyncio
import contextlib
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clerk.running import LINK, SIGNUP, RunningClerk, descriptor
from troth.clerk import protocol, spent_tokens
from troth.core import frames
from troth.front.channels.clerk_client import AlreadySpent, ClerkBusy, ClerkGone, ClerkLine


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("spool", "public"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def clerk(root: Path) -> Iterator[RunningClerk]:
    made = RunningClerk(root, fronts=2)
    yield made
    made.close()


async def test_what_is_acknowledged_stands_in_the_spool(clerk: RunningClerk) -> None:
    line = ClerkLine(descriptor(clerk.front_ends[0]))
    await asyncio.gather(*(line.hand(SIGNUP, b"form %d" % number) for number in range(200)))
    assert sorted(body for _, body in clerk.frames()) == sorted(b"form %d" % number for number in range(200))
    line.close()


async def test_what_came_before_the_end_is_kept(clerk: RunningClerk) -> None:
    line = ClerkLine(descriptor(clerk.front_ends[0]))
    waiting = [asyncio.ensure_future(line.hand(SIGNUP, b"last %d" % number)) for number in range(50)]
    await asyncio.sleep(0)
    assert await asyncio.to_thread(clerk.end) == 0
    await asyncio.gather(*waiting)
    assert len(clerk.frames()) == 50
    line.close()


async def test_a_token_is_spent_once_at_all_fronts_and_after_a_kill(clerk: RunningClerk) -> None:
    lines = [ClerkLine(descriptor(end)) for end in clerk.front_ends]
    token, until = os.urandom(16), int(time.time()) + 600
    await lines[0].hand(SIGNUP, b"first", once=token, until=until)
    for line in lines:
        with pytest.raises(AlreadySpent):
            await line.hand(SIGNUP, b"again", once=token, until=until)
    clerk.kill()
    clerk.restart()
    await asyncio.sleep(0.05)  # the new clerk's greeting arrives
    with pytest.raises(AlreadySpent):
        await lines[1].hand(SIGNUP, b"again", once=token, until=until)
    assert [body for _, body in clerk.frames()] == [b"first"]
    for line in lines:
        line.close()


async def test_of_one_token_sent_many_times_at_once_one_gets_through(clerk: RunningClerk) -> None:
    lines = [ClerkLine(descriptor(end)) for end in clerk.front_ends]
    token, until = os.urandom(16), int(time.time()) + 600
    tries = [line.hand(SIGNUP, b"x", once=token, until=until) for line in lines for _ in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert results.count(None) == 1
    assert len(clerk.frames()) == 1
    for line in lines:
        line.close()


NONSENSE, FRAMES = "b'nonsense'", "number.to_bytes(8) + bytes([1]) + bytes(20) + b'x'"


@contextlib.contextmanager
def flooded(line: int, packet: str) -> Iterator[None]:
    """Three processes that send on a front's line as fast as they can, and read nothing."""
    code = f"""
import itertools, socket
line = socket.socket(fileno={line})
line.setblocking(True)
print("flooding", flush=True)
for number in itertools.count():
    line.send({packet})
"""
    command = [sys.executable, "-c", code]
    floods = [subprocess.Popen(command, pass_fds=[line], stdout=subprocess.PIPE) for _ in range(3)]
    try:
        for process in floods:
            assert process.stdout is not None
            process.stdout.readline()
        yield
    finally:
        for process in floods:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("packet", [NONSENSE, FRAMES], ids=["nonsense", "frames"])
async def test_a_front_that_floods_does_not_shut_out_another(clerk: RunningClerk, packet: str) -> None:
    line = ClerkLine(descriptor(clerk.front_ends[1]))
    with flooded(clerk.front_ends[0].fileno(), packet):
        async with asyncio.timeout(15):
            for number in range(20):
                await line.hand(LINK, b"honest %d" % number)
    line.close()


async def test_a_token_is_not_kept_for_ever_because_a_front_says_so(clerk: RunningClerk) -> None:
    line = ClerkLine(descriptor(clerk.front_ends[0]))
    await line.hand(SIGNUP, b"x", once=os.urandom(16), until=2**32 - 1)
    kept = (clerk.spool / "spent").read_bytes()
    assert int.from_bytes(kept[16:20]) <= time.time() + 4 * 60 * 60
    line.close()


def test_tokens_are_forgotten_in_their_order_where_there_are_too_many(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spent_tokens, "MOST", 3)
    held = spent_tokens.Spent(root / "spool/spent")
    tokens = [bytes([number]) * 16 for number in range(1, 6)]
    for token in tokens:
        held.add({token: int(time.time()) + 60})
    assert [held.holds(token) for token in tokens] == [False, False, True, True, True]


async def test_a_flood_of_one_kind_leaves_room_for_another(root: Path) -> None:
    clerk = RunningClerk(root, quota=20_000)
    line = ClerkLine(descriptor(clerk.front_ends[0]))
    results = await asyncio.gather(*(line.hand(SIGNUP, bytes(1000)) for _ in range(50)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, ClerkBusy)]
    assert len(refused) == 50 - 20_000 // (1000 + frames.FRAME_OVERHEAD)
    assert refused[0].retry_after > 0
    await line.hand(LINK, b"leave")
    assert (LINK, b"leave") in clerk.frames()
    clerk.kill()
    clerk.restart()
    await asyncio.sleep(0.05)  # the new clerk's greeting arrives
    with pytest.raises(ClerkBusy):  # a clerk that starts again has counted what waits
        await line.hand(SIGNUP, bytes(1000))
    line.close()
    clerk.close()


async def test_what_the_worker_has_filed_is_removed_and_makes_room(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = RunningClerk(root, quota=20_000)
    line = ClerkLine(descriptor(clerk.front_ends[0]))
    await line.hand(SIGNUP, bytes(15_000))
    first = frames.segments(clerk.spool)
    clerk.kill()
    clerk.restart()  # a clerk never goes on in a segment that another began
    await asyncio.sleep(0.05)
    await line.hand(LINK, b"opens the next segment")
    assert len(frames.segments(clerk.spool)) == 2
    clerk.worker_end.send(protocol.DONE + first[-1].to_bytes(8))
    for _ in range(100):
        if frames.segments(clerk.spool) != first[:1] and first[0] not in frames.segments(clerk.spool):
            break
        await asyncio.sleep(0.02)
    assert first[0] not in frames.segments(clerk.spool)
    await line.hand(SIGNUP, bytes(15_000))
    line.close()
    clerk.close()


async def test_the_newest_segment_stays_whatever_the_worker_says(clerk: RunningClerk) -> None:
    line = ClerkLine(descriptor(clerk.front_ends[0]))
    await line.hand(SIGNUP, b"x")
    newest = frames.segments(clerk.spool)[-1]
    clerk.worker_end.send(protocol.DONE + (2**63).to_bytes(8))
    await line.hand(SIGNUP, b"y")
    assert newest in frames.segments(clerk.spool)
    line.close()


async def test_a_worker_is_woken(clerk: RunningClerk) -> None:
    line = ClerkLine(descriptor(clerk.front_ends[0]))
    await line.hand(SIGNUP, b"x")
    readable, _, _ = select.select([clerk.worker_end], [], [], 5)  # the front is answered first
    line.close()
    assert readable and clerk.worker_end.recv(16) == protocol.WAKE


async def test_a_front_that_talks_nonsense_harms_nobody(clerk: RunningClerk) -> None:
    good = ClerkLine(descriptor(clerk.front_ends[1]))
    captured = clerk.front_ends[0]
    draw = random.Random(7)
    for size in (1, 5, 28, 29, 30, 1000, 60_000):
        try:
            captured.send(draw.randbytes(size))
        except BlockingIOError:
            await asyncio.sleep(0.05)
    captured.send(protocol.submission(1, 99, b"a kind that nobody made"))
    captured.send(protocol.submission(2, 0, b"no kind"))
    captured.send(protocol.submission(3, SIGNUP, bytes(frames.MAX_BODY + 1)))
    await good.hand(SIGNUP, b"still here")
    assert [frame for frame in clerk.frames() if frame[0] == SIGNUP] == [(SIGNUP, b"still here")]
    assert clerk.process.poll() is None
    good.close()


async def test_a_front_that_does_not_listen_holds_up_nobody(clerk: RunningClerk) -> None:
    deaf, good = clerk.front_ends[0], ClerkLine(descriptor(clerk.front_ends[1]))
    sent = 0
    while sent < 5000:
        try:
            deaf.send(protocol.submission(sent, SIGNUP, b"x"))
            sent += 1
        except BlockingIOError:
            await asyncio.sleep(0.01)
    await good.hand(SIGNUP, b"served")
    good.close()


async def test_after_a_kill_what_was_in_flight_is_refused_and_the_line_goes_on(clerk: RunningClerk) -> None:
    line = ClerkLine(descriptor(clerk.front_ends[0]))
    await line.hand(SIGNUP, b"before")
    clerk.kill()
    waiting = asyncio.ensure_future(line.hand(SIGNUP, b"between"))
    await asyncio.sleep(0.05)
    clerk.restart()
    with pytest.raises(ClerkGone):
        await waiting
    await line.hand(SIGNUP, b"after")
    bodies = [body for _, body in clerk.frames()]
    assert {b"before", b"after"} <= set(bodies)
    line.close()


async def test_thirty_kills_under_load_lose_nothing_acknowledged(clerk: RunningClerk) -> None:
    line = ClerkLine(descriptor(clerk.front_ends[0]))
    acknowledged: set[bytes] = set()
    stop = asyncio.Event()

    async def visitor(number: int) -> None:
        count = 0
        while not stop.is_set():
            body = b"%d/%d" % (number, count)
            count += 1
            try:
                await line.hand(SIGNUP, body)
                acknowledged.add(body)
            except ClerkGone:
                continue

    visitors = [asyncio.ensure_future(visitor(number)) for number in range(20)]
    draw = random.Random(11)
    for _ in range(30):
        await asyncio.sleep(draw.uniform(0.005, 0.05))
        await asyncio.to_thread(clerk.kill)
        await asyncio.to_thread(clerk.restart)
    stop.set()
    await asyncio.gather(*visitors)
    kept = {body for _, body in clerk.frames()}
    assert len(acknowledged) > 100
    assert acknowledged <= kept
    line.close()
