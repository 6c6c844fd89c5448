"""What the children inherit: listeners bound before any privilege is dropped, and the socket pairs between them. The
supervisor keeps them open, so that a child that dies leaves its callers a queue, not an error. Standard library
only."""

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
import stat
import struct
from collections.abc import Sequence

from troth.core.errors import TrothError

_BACKLOG = 1024
_BUFFER = 4 << 20


_ATTACH_CBPF = 51
"""SO_ATTACH_REUSEPORT_CBPF (socket(7))."""
_LOAD_RANDOM, _MODULO, _JUMP_IF, _RETURN = (0x20, 0xFFFFF000 + 56), 0x94, 0x15, 0x06


def listener(host: str, port: int, setting: str) -> socket.socket:
    """Return a listening TCP socket. Raises `TrothError` that names `setting` where the address cannot be had."""
    bound = _bound(host, port, setting, shared=False)
    bound.listen(_BACKLOG)
    return bound


def listeners(host: str, port: int, setting: str, count: int) -> list[socket.socket]:
    """Return so many listening TCP sockets at one address, each with callers of its own: what a front does to its
    listener does not concern the others. Raises as `listener` does."""
    if count == 1:
        return [listener(host, port, setting)]
    _bound(host, port, setting, shared=False).close()  # those below would share it with whoever has it
    bound = [_bound(host, port, setting, shared=True) for _ in range(count)]
    for each_listener in bound:  # in their order, by which `steer` knows them
        each_listener.listen(_BACKLOG)
    return bound


def steer(doors: Sequence[socket.socket], serving: Sequence[int]) -> None:
    """Have new callers come to these listeners alone, by their number in `made`; none: to any. Who waits in a queue
    stays there. Where the kernel cannot, it spreads callers over all."""
    numbers = list(serving) or list(range(len(doors)))
    if len(doors) < 2:
        return
    steps = [(_LOAD_RANDOM[0], 0, 0, _LOAD_RANDOM[1]), (_MODULO, 0, 0, len(numbers))]
    for place, number in enumerate(numbers[:-1]):
        steps += [(_JUMP_IF, 0, 1, place), (_RETURN, 0, 0, number)]
    steps.append((_RETURN, 0, 0, numbers[-1]))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    with contextlib.suppress(OSError):
        doors[0].setsockopt(socket.SOL_SOCKET, _ATTACH_CBPF, program)


def _bound(host: str, port: int, setting: str, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise _refused(host, port, setting, error) from None
    return bound


def _refused(host: str, port: int, setting: str, error: OSError) -> TrothError:
    if error.errno == errno.EADDRINUSE:
        return TrothError(
            f"{host}:{port} is taken by another program.",
            mend=f"Stop that one, or change `listen` under [{setting}].",
        )
    if error.errno == errno.EACCES:
        return TrothError(
            f"{host}:{port} needs root.",
            mend=f"Use a port above 1023 for `listen` under [{setting}], behind your proxy.",
        )
    return TrothError(
        f"{host}:{port} can't be used: {os.strerror(error.errno or 0)}.",
        mend=f"Change `listen` under [{setting}].",
    )


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two ends of a line that keeps packets whole and in order."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
        for option in (32, socket.SO_SNDBUF):  # SO_SNDBUFFORCE goes beyond the system's limit where we are root
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
                break
    return ends


def mesh(count: int) -> list[list[socket.socket | None]]:
    """Connect each of so many with each other: `mesh[a][b]` is the end of `a` whose other end is `mesh[b][a]`."""
    ends: list[list[socket.socket | None]] = [[None] * count for _ in range(count)]
    for first in range(count):
        for second in range(first):
            ends[first][second], ends[second][first] = pair()
    return ends


def only_grows(log: int) -> None:
    """Have what is written to `log`, where it is a file, go to its end: the fence keeps a front from changing that."""
    if stat.S_ISREG(os.fstat(log).st_mode):
        fcntl.fcntl(log, fcntl.F_SETFL, fcntl.fcntl(log, fcntl.F_GETFL) | os.O_APPEND)
