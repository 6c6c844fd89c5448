"""The packets between front and clerk, and between worker and clerk. Standard library only.

front to clerk    number 8 | kind 1 | until 4 | once 16 | body        (once: zeros where there is none)
                  number 8                                            a ping: answered with SYNCED, nothing is kept
clerk to front    (number 8 | result 1) ...                           or HELLO, once, when a clerk has started
clerk to worker   WAKE: there is something new
worker to clerk   DONE | sequence 8: every segment up to this one may go
                  ROTATE: begin a new segment now, so that the newest one may go, too, once it is read

Both ends of each line outlive the processes that use them (the supervisor holds them), so a packet may come from a
process that is captured, or half of one that died: what is no packet of these is ignored, and never ends a line.
"""

import os
import select
import socket
from collections.abc import Iterator
from typing import NamedTuple

MAX_PACKET = 64_000
HELLO = b"H"
WAKE = b"W"
DONE = b"D"
ROTATE = b"R"
SYNCED, SPENT, FULL, BAD, GONE = range(1, 6)
"""Results. `GONE` is never sent: a front gives it to what was in flight when a clerk went."""
_HEAD = 29
_PING = 8
_POLLRDHUP = 0x2000
"""poll(2): the other end is closed. Python's `select` names it on no platform."""
_NO_TOKEN = bytes(16)


class Submission(NamedTuple):
    """One frame that a front hands over."""

    number: int
    kind: int
    until: int
    once: bytes | None
    body: bytes


def first_number() -> int:
    """Return a random number to count from, so that answers to a front that died fit nothing of its successor's."""
    return int.from_bytes(os.urandom(8))


def submission(number: int, kind: int, body: bytes, once: bytes | None = None, until: int = 0) -> bytes:
    """Return the packet that hands over a frame. `once` has 16 bytes."""
    if once is not None and len(once) != 16:
        raise ValueError("a once token has 16 bytes")
    return number.to_bytes(8) + bytes([kind]) + until.to_bytes(4) + (once or _NO_TOKEN) + body


def parse(packet: bytes) -> Submission | None:
    """Return the submission in a packet from a front, which may be captured; None where it is none. A packet is
    received with room for `MAX_PACKET + 1` bytes, so that a cut one is known."""
    if not _HEAD < len(packet) <= MAX_PACKET:
        return None
    once = packet[13:29]
    return Submission(
        int.from_bytes(packet[:8]),
        packet[8],
        int.from_bytes(packet[9:13]),
        None if once == _NO_TOKEN else once,
        packet[_HEAD:],
    )


def ping(number: int) -> bytes:
    """Return the packet that asks whether anybody is there."""
    return number.to_bytes(8)


def pinged(packet: bytes) -> int | None:
    """Return the number of a ping; None where the packet is none."""
    return int.from_bytes(packet) if len(packet) == _PING else None


def receive(line: socket.socket, most: int = MAX_PACKET + 1) -> bytes | None:
    """Return the next packet, which may be empty; None at the end of the line, which reads alike (recv(2)): poll(2)
    tells them apart. Raises `BlockingIOError` where none waits."""
    packet = line.recv(most)
    return None if not packet and _ended(line) else packet


def _ended(line: socket.socket) -> bool:
    poll = select.poll()
    poll.register(line, _POLLRDHUP)
    return any(events & (_POLLRDHUP | select.POLLHUP) for _, events in poll.poll(0))


def answer(number: int, result: int) -> bytes:
    """Return one answer; several may be joined to one packet."""
    return number.to_bytes(8) + bytes([result])


def answers(packet: bytes) -> Iterator[tuple[int, int]]:
    """Yield the (number, result) pairs of a packet from the clerk."""
    for at in range(0, len(packet) - 8, 9):
        yield int.from_bytes(packet[at : at + 8]), packet[at + 8]
