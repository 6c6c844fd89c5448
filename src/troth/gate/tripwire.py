"""The tripwire: refuses every connection except to declared doors, and logs the line of code that tried (WALL 3).

An audit hook (PEP 578) is called before Python code connects, resolves a name, binds an address, starts a program or
loads a library. All but declared doors raise `WireTripped`; the log gets the kind of attempt and the line of code,
never the destination, since a host name could carry data. A file beside the data records the same, and that the process
is armed, for the proofs.

An audit hook cannot be removed, and `arm` cannot be widened. It does not see C code that makes its own system calls, as
libpq does for the database. It guards against mistakes and libraries that phone home, not against code written to evade
it; the kernel's sandbox does.

`WireTripped` is not an `OSError`: a library that handles failed connections must not swallow it. May touch: the
resolver, for the names of declared doors; the file where it records refusals.
"""

import asyncio
import logging
import os
import socket
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from troth.core.errors import TrothError
from troth.core.networks import is_address, is_loopback
from troth.gate import tripwire_log
from troth.gate.doors import Door, DoorError

_log = logging.getLogger(__name__)
_STDLIB = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), "<frozen")
_PACKAGES = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
_INTERNET = (socket.AF_INET, socket.AF_INET6)
_FAMILIES = (-1, socket.AF_UNIX, *_INTERNET)  # -1: a descriptor that was inherited
_KIND_BITS = 0xF  # the rest of a socket's type are SOCK_NONBLOCK and SOCK_CLOEXEC (socket(2))


class WireTripped(TrothError):
    """This process tried something that is not allowed. `line` is `file:line`."""

    def __init__(self, attempt: str, line: str) -> None:
        super().__init__(
            f"Refused: {line} tried to {attempt}, which is not a declared destination.",
            mend="If it is needed, declare it in src/troth/gate/doors.py; otherwise remove the line.",
        )
        self.attempt, self.line = attempt, line


class _Wire:
    """What is declared, and the addresses that its names resolved to."""

    def __init__(self, doors: Iterable[Door]) -> None:
        self.doors = tuple(doors)
        self._names = {door.host.lower().rstrip(".") for door in self.doors}
        self._addresses: set[tuple[str, int]] = set()
        self._paths = {f"{door.host.rstrip('/')}/.s.PGSQL.{door.port}" for door in self.doors if door.host[0] == "/"}

    def learn(self, door: Door, addresses: Iterable[str]) -> None:
        self._addresses.update((address, door.port) for address in addresses)

    def may_resolve(self, host: object) -> bool:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        # An address asks nobody; connecting to it is another matter.
        return isinstance(name, str) and (name.lower().rstrip(".") in self._names or is_address(name))

    def may_reach(self, address: object) -> bool:
        if isinstance(address, str | bytes):
            return os.fsdecode(address) in self._paths
        if not (isinstance(address, tuple) and len(address) >= 2 and isinstance(address[0], str)):
            return False
        host, port = address[0].lower().rstrip("."), address[1]
        return (host, port) in self._addresses or any((door.host, door.port) == (host, port) for door in self.doors)


_wire: _Wire | None = None
_noted: Path | None = None
_arming = threading.Lock()


def arm(doors: Iterable[Door], note: Path | None = None) -> None:
    """Arm the tripwire with these doors until the process ends. `note`: the file for that and for refusals
    (`gate.tripwire_log` reads it).

    Arming again with the same doors, or fewer, changes nothing; others raise `DoorError`.
    """
    global _wire, _noted
    declared = tuple(doors)
    with _arming:
        if _wire is None:
            _wire, _noted = _Wire(declared), note
            sys.addaudithook(_hook(_wire))
            if note:
                tripwire_log.note_armed(note)
        elif not set(declared) <= set(_wire.doors):
            raise DoorError(
                "The tripwire is armed already, with other doors.", mend="Declare all doors when the process starts."
            )


def armed() -> bool:
    """Return whether the tripwire is armed in this process."""
    return _wire is not None


async def resolve(door: Door) -> list[str]:
    """Resolve the door's name and allow its addresses. Raises `OSError` if that fails.

    Once armed, only a declared door is resolved (`DoorError`); a plain door resolves to loopback addresses only.
    """
    _check_declared(door)
    entries = await asyncio.get_running_loop().getaddrinfo(door.host, door.port, type=socket.SOCK_STREAM)
    return _learned(door, [str(entry[4][0]) for entry in entries])


def resolve_now(door: Door) -> list[str]:
    """Do the same on a thread that may wait."""
    _check_declared(door)
    entries = socket.getaddrinfo(door.host, door.port, type=socket.SOCK_STREAM)
    return _learned(door, [str(entry[4][0]) for entry in entries])


def _check_declared(door: Door) -> None:
    if _wire is not None and door not in _wire.doors:
        raise DoorError(
            f"This process has not declared the destination {door.name}.", mend="Declare it when the process starts."
        )


def _learned(door: Door, resolved: Iterable[str]) -> list[str]:
    addresses = list(dict.fromkeys(resolved))
    if door.encryption == "none-loopback":
        addresses = [address for address in addresses if is_loopback(address)]
    if _wire is not None:
        _wire.learn(door, addresses)
    return addresses


@contextmanager
def overheard(doors: Iterable[Door]) -> Iterator[list[str]]:
    """Record attempts to reach anything but these doors for a while, and allow them: for proofs."""
    global _ears
    wire, places = _Wire(doors), list[str]()
    checks = {event: check for event, check in _checks(wire).items() if event in _REACHING}

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        check = checks.get(event)
        if check is not None and check(arguments):
            places.append(_culprit(sys._getframe(2)))

    if _ears is None:  # an audit hook stays for ever: one for all times
        sys.addaudithook(lambda event, arguments: _ears(event, arguments) if _ears else None)
    _ears = hear
    try:
        yield places
    finally:
        _ears = _deaf


def _deaf(_event: str, _arguments: tuple[object, ...]) -> None:
    """Ignore events."""


_ears: Callable[[str, tuple[object, ...]], None] | None = None
_REACHING = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname")


# -- the hook ---------------------------------------------------------------------------------------------------------


def _hook(wire: _Wire) -> Callable[[str, tuple[object, ...]], None]:
    checks = _checks(wire)

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        check = checks.get(event)  # every import, open and attribute passes here: one look-up and out
        if check is not None:
            attempt = check(arguments)
            if attempt:
                _refuse(attempt)

    return hear


def _checks(wire: _Wire) -> dict[str, Callable[[tuple[object, ...]], str]]:
    """Return, for each watched event, a function that names the attempt, or returns nothing if it is allowed."""
    checks: dict[str, Callable[[tuple[object, ...]], str]] = {
        "socket.connect": lambda arguments: "" if wire.may_reach(arguments[1]) else "connect to an address",
        "socket.sendto": lambda arguments: "" if wire.may_reach(arguments[1]) else "send to an address",
        # sendmsg on a connected socket names no address, and connecting was asked about before.
        "socket.sendmsg": lambda arguments: (
            "" if arguments[1] is None or wire.may_reach(arguments[1]) else "send to an address"
        ),
        "socket.getaddrinfo": lambda arguments: "" if wire.may_resolve(arguments[0]) else "look a name up",
        "socket.gethostbyname": lambda arguments: "" if wire.may_resolve(arguments[0]) else "look a name up",
        "socket.__new__": _made,
    }
    for attempt, events in _NEVER.items():
        for event in events.split():
            checks[event] = lambda _arguments, attempt=attempt: attempt  # type: ignore[misc]
    return checks


_NEVER = {
    "listen at an address": "socket.bind",
    "look an address up": "socket.gethostbyaddr socket.getnameinfo",
    "start a program": "subprocess.Popen os.exec os.posix_spawn os.spawn os.system os.fork os.forkpty pty.spawn",
    "load a library of C code": "ctypes.dlopen ctypes.dlsym ctypes.dlsym/handle",
}


def _made(arguments: tuple[object, ...]) -> str:
    family, kind = int(str(arguments[1])), int(str(arguments[2]))
    if family not in _FAMILIES:
        return "make a socket of an unusual family"
    if family in _INTERNET and kind & _KIND_BITS != socket.SOCK_STREAM:
        return "make a socket for datagrams"
    return ""


def _refuse(attempt: str) -> None:
    line = _culprit(sys._getframe(2))
    _log.error("tripwire: %s tried to %s; refused", line, attempt)
    if _noted:
        tripwire_log.note_refused(_noted, attempt, line)
    raise WireTripped(attempt, line)


def _culprit(frame: FrameType | None) -> str:
    """Return the innermost line outside the standard library."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name != __file__ and (name.startswith(_PACKAGES) or not name.startswith(_STDLIB)):
            return f"{_short(name)}:{frame.f_lineno}"
        frame = frame.f_back
    # asyncio looks names up on a thread of its own; the exception's traceback leads to who awaited it.
    return f"thread {threading.current_thread().name}"


def _short(name: str) -> str:
    """Return the path relative to the package's folder, so that no folder of this machine is logged."""
    for root in (*_PACKAGES, str(Path(__file__).parents[2])):
        if name.startswith(root):
            return name[len(root) :].lstrip("/")
    return Path(name).name
