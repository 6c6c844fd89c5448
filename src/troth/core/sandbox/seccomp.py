"""The two seccomp programs of a fence: what a process may ask of the kernel (seccomp(2), linux/filter.h).

The first silently refuses what libraries ask although they can do without. The second lets through what is listed
(`core.sandbox.allowed_calls`, and below by arguments); the kernel logs what it refuses, for `troth doctor`. Of two
answers the kernel takes the stricter. Makes bytes only.
"""

import errno
import os
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.core.sandbox import allowed_calls
from troth.core.sandbox.call_numbers import NEWEST, NUMBERS

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_* by `platform.machine()`."""
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a process is there for, as far as it decides which calls it needs."""

    serves: bool = False
    """Accepts connections on a listener that it inherited."""
    writes: bool = False
    links: bool = False
    metadata: bool = False
    network: bool = False
    processes: bool = False


_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LD, _JEQ, _JGE, _JSET, _AND, _RET = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_CLONE_THREAD, _MSG_FASTOPEN, _AF_UNIX, _SOCK_STREAM = 0x00010000, 0x20000000, 1, 1
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_FAMILIES, _PROTOCOLS = (1, 2, 10, 16), (0, 6, 17)
"""UNIX, IPv4, IPv6, and the kernel's own word on addresses, which the resolver asks; the usual, TCP, UDP. No other
protocol: multipath TCP would pass by Landlock's rules for TCP, and VSOCK leads out of a virtual machine."""
_IOCTLS = (0x5421, 0x5450, 0x5451, 0x541B, 0x5401, 0x802C542A, 0x5413)
"""FIONBIO, FIONCLEX, FIOCLEX, FIONREAD; TCGETS, TCGETS2, TIOCGWINSZ: whether it is a terminal, and how wide."""
_TERMINAL = (0x5402, 0x5403, 0x5404, 0x540F, 0x5410, 0x5429)
"""TCSETS and its like, TIOCGPGRP, TIOCSPGRP, TIOCGSID: what a shell needs. Never TIOCSTI: typing into a terminal."""
_FCNTLS, _F_SETFL = (0, 1, 2, 3, 1030), 4
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC. Nothing by which a descriptor signals somebody."""
_LOCKS = (5, 6, 7, 36, 37, 38)
"""F_GETLK, F_SETLK, F_SETLKW; the same of an open file description."""
_PIPE_SIZE = (1031, 1032)
_PRCTLS = (15, 16, 3, 0x53564D41, 38, 39)
"""A thread's name, set and read; whether dumpable; names of memory (PR_SET_VMA, the C library); no new rights, set and
read."""
_PROGRAMS_PRCTLS = (21, 22, 23, 27)
"""PR_GET_SECCOMP, PR_SET_SECCOMP, PR_CAPBSET_READ, PR_GET_SECUREBITS: whoever is started behind a fence may take a
tighter one, and ask which rights it has, as systemd's programs do."""
_AMBIENT, _AMBIENT_IS_SET = 47, 1
"""PR_CAP_AMBIENT, of which only the question is let through."""
_SOL_SOCKET, _IP, _TCP, _IPV6, _SO_REUSEADDR = 1, 0, 6, 41, 2
_READ_OPTIONS = {_SOL_SOCKET: (2, 3, 4, 7, 8, 9, 13, 30, 38, 39), _TCP: (1,)}
"""SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE, SO_LINGER, SO_ACCEPTCONN, SO_PROTOCOL,
SO_DOMAIN; TCP_NODELAY."""
_READ_BY_CALLERS = {_SOL_SOCKET: (*_READ_OPTIONS[1], 17, 20, 21, 66, 67), _TCP: (1, 2, 4, 5, 6, 18)}
"""Besides: SO_PEERCRED, time limits; TCP_MAXSEG, TCP_KEEP*, TCP_USER_TIMEOUT."""
_SET_OPTIONS = {_SOL_SOCKET: (_SO_REUSEADDR,), _TCP: (1,)}
"""TCP_NODELAY: listener and line are others', too. SO_REUSEADDR is answered above."""
_SET_BY_CALLERS = {
    _SOL_SOCKET: (2, 7, 8, 9, 13, 16, 20, 21, 66, 67),
    _TCP: (1, 4, 5, 6, 18),
    _IP: (10, 11),
    _IPV6: (25, 26),
}
"""What libpq, asyncio and the resolver set on a socket of their own: SO_REUSEADDR, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE,
SO_LINGER, SO_PASSCRED, time limits; TCP_NODELAY, TCP_KEEP*, TCP_USER_TIMEOUT; IP_MTU_DISCOVER, IP_RECVERR,
IPV6_RECVERR, IPV6_V6ONLY."""
_UNSAID = ("clone3", "openat2")
"""Their flags are behind a pointer: the C library goes on without them."""


def programs(rights: Rights, machine: str) -> tuple[bytes, bytes]:
    """Return what answers without a word, and the list."""
    return _unsaid(rights, machine), _listed(rights, machine)


def _unsaid(rights: Rights, machine: str) -> bytes:
    numbers = NUMBERS[machine]
    program = _head(machine)
    for name in _UNSAID:
        program += _op(_JEQ, numbers[name], 0, 1) + _refuse(errno.ENOSYS)
    # A listener came listening, and its queue is not for a process to shorten: asyncio is told that it is done.
    program += _op(_JEQ, numbers["listen"], 0, 1) + _refuse(0)
    if not rights.network:  # the office's web server tries
        program += _when(numbers["setsockopt"], _not_pair(_SOL_SOCKET, _SO_REUSEADDR))
    return program + _op(_RET, _ALLOW)


def _listed(rights: Rights, machine: str) -> bytes:
    numbers = NUMBERS[machine]
    program = _head(machine)
    program += _op(_JGE, 0x40000000, 0, 1) + _refuse(errno.ENOSYS)  # x32
    program += _op(_JGE, NEWEST + 1, 0, 1) + _refuse(errno.ENOSYS)  # as if the kernel had never heard of it, either
    for name, body in _conditions(rights):
        if name in numbers:
            program += _when(numbers[name], body)
    for name in (*_UNSAID, "listen"):  # answered above, and not to be told
        program += _allow(numbers[name])
    for number in allowed_calls.allowed(
        machine,
        serves=rights.serves,
        writes=rights.writes,
        links=rights.links,
        metadata=rights.metadata,
        network=rights.network,
        processes=rights.processes,
    ):
        program += _allow(number)
    return program + _refuse()


def _conditions(rights: Rights) -> Iterator[tuple[str, bytes]]:
    """Calls that are let through with some arguments only."""
    yield "ioctl", _one_of(1, _IOCTLS + (_TERMINAL if rights.processes else ()))
    yield "fcntl", _one_of(1, _fcntls(rights))
    yield "prctl", _prctls(rights)
    yield "kill", _only(0, os.getpid())
    yield "tgkill", _only(0, os.getpid())
    yield "prlimit64", _only(0, 0)
    yield "socketpair", _only(0, _AF_UNIX) + _stream_only()
    yield "getsockopt", _pairs(_READ_BY_CALLERS if rights.network else _READ_OPTIONS)
    yield "setsockopt", _pairs(_SET_BY_CALLERS if rights.network else _SET_OPTIONS)
    if rights.network:
        yield "socket", _one_of(0, _FAMILIES) + _one_of(2, _PROTOCOLS)
        yield "sendto", _none_of(3, _MSG_FASTOPEN)  # it would connect past Landlock's rules for TCP
        yield "sendmsg", _none_of(2, _MSG_FASTOPEN)
        yield "sendmmsg", _none_of(3, _MSG_FASTOPEN)
    else:
        yield "sendto", _zero(4) + _none_of(3, _MSG_FASTOPEN)
    if rights.metadata:
        yield "utimensat", _zero(1)
    if not rights.processes:
        yield "getpgid", _only(0, 0)  # getpgrp(), where the machine has no such call
        yield "clone", _argument(0) + _op(_JSET, _CLONE_THREAD, 1, 0) + _refuse()
    if not rights.writes:
        yield "open", _none_of(1, _TO_WRITE)
        yield "openat", _none_of(2, _TO_WRITE)
    else:
        yield "open", b""
        yield "openat", b""


def _fcntls(rights: Rights) -> tuple[int, ...]:
    """O_APPEND stays on what was inherited by who writes no folder."""
    writing = (*_LOCKS, _F_SETFL) if rights.writes or rights.processes else ()
    return _FCNTLS + writing + (_PIPE_SIZE if rights.processes else ())


def _prctls(rights: Rights) -> bytes:
    """Nobody makes this process dumpable again; what it starts may say once more that it is not."""
    second_word = _argument(1) + _op(_JEQ, 0, 1, 0) + _refuse() + _op(_RET, _ALLOW)
    dumpable = _argument(0) + _op(_JEQ, PR_SET_DUMPABLE, 0, len(second_word) // 8) + second_word
    if not rights.processes:
        return dumpable + _one_of(0, _PRCTLS)
    asks = _only(1, _AMBIENT_IS_SET) + _op(_RET, _ALLOW)
    ambient = _op(_JEQ, _AMBIENT, 0, len(asks) // 8) + asks
    return dumpable + ambient + _one_of(0, _PRCTLS + _PROGRAMS_PRCTLS)


# -- instructions -----------------------------------------------------------------------------------------------------


def _op(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _head(machine: str) -> bytes:
    """End whoever calls with another machine's numbers; load the number."""
    return _op(_LD, 4) + _op(_JEQ, ARCHITECTURES[machine], 1, 0) + _op(_RET, _KILL) + _op(_LD, 0)


def _refuse(code: int = errno.EPERM) -> bytes:
    return _op(_RET, _ERRNO | code)


def _allow(number: int) -> bytes:
    return _op(_JEQ, number, 0, 1) + _op(_RET, _ALLOW)


def _argument(number: int, half: int = 0) -> bytes:
    return _op(_LD, 16 + 8 * number + 4 * half)  # struct seccomp_data: nr, arch, instruction pointer, args[6]


def _when(number: int, body: bytes) -> bytes:
    """`body` for this call only; it must end in an answer or fall through to `allow`."""
    body += _op(_RET, _ALLOW)
    return _op(_JEQ, number, 0, len(body) // 8) + body


def _only(argument: int, value: int) -> bytes:
    return _argument(argument) + _op(_JEQ, value, 1, 0) + _refuse()


def _none_of(argument: int, bits: int) -> bytes:
    return _argument(argument) + _op(_JSET, bits, 0, 1) + _refuse()


def _one_of(argument: int, values: Sequence[int]) -> bytes:
    return _argument(argument) + _among(values) + _refuse()


def _among(values: Iterable[int]) -> bytes:
    """Jump behind the one instruction that follows these where what is loaded is one of `values`."""
    listed = tuple(values)
    remaining = range(len(listed), 0, -1)
    return b"".join(_op(_JEQ, value, jump) for value, jump in zip(listed, remaining, strict=True))


def _pairs(options: Mapping[int, Sequence[int]]) -> bytes:
    """A level of options in the second argument, and one of its options in the third."""
    program = _argument(1)
    for level, names in options.items():
        body = _one_of(2, names) + _op(_RET, _ALLOW)
        program += _op(_JEQ, level, 0, len(body) // 8) + body
    return program + _refuse()


def _not_pair(level: int, name: int) -> bytes:
    """Refuse this option of this level."""
    body = _argument(2) + _op(_JEQ, name, 0, 1) + _refuse()
    return _argument(1) + _op(_JEQ, level, 0, len(body) // 8) + body


def _zero(argument: int) -> bytes:
    both = [_argument(argument, half) + _op(_JEQ, 0, 1, 0) + _refuse() for half in (0, 1)]
    return b"".join(both)


def _stream_only() -> bytes:
    # The low four bits of the type; SOCK_NONBLOCK and SOCK_CLOEXEC stand above them.
    return _argument(1) + _op(_AND, 0xF) + _op(_JEQ, _SOCK_STREAM, 1, 0) + _refuse()
