"""Fences that the kernel holds: seccomp for what a process may ask, Landlock for what it may reach (WALL 1).

A process takes its fence before it imports anything beyond the standard library, and cannot put it down again. For
x86-64 and aarch64; the second has not been tried on such a machine. Standard library only. Sources: seccomp(2),
landlock(7), prctl(2), capset(2).
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from troth.core.errors import TrothError
from troth.core.sandbox import seccomp
from troth.core.sandbox.call_numbers import NUMBERS
from troth.core.sandbox.seccomp import PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG

_libc = ctypes.CDLL(None, use_errno=True)


class FenceError(TrothError):
    """The kernel cannot hold the fence that was asked for."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What this kernel can hold. `landlock` is its ABI version, 0 without it."""

    machine: str
    seccomp: bool
    landlock: int

    @property
    def enough(self) -> bool:
        """Seccomp and Landlock's filesystem rules: the minimum on which the front starts."""
        return self.seccomp and self.landlock >= 1

    def missing(self) -> list[str]:
        """Return in words what this kernel cannot do; the first ones are below the minimum."""
        lacks = []
        if not self.seccomp:
            lacks.append(f"seccomp filters (kernel or machine {self.machine} without them)")
        if self.landlock < 1:
            lacks.append("Landlock (Linux 5.13 or later, with landlock in the list of security modules)")
        elif self.landlock < 6:
            lacks.append(
                f"Landlock's {'TCP rules and ' if self.landlock < 4 else ''}signal scope (Linux 6.12 or later)"
            )
        return lacks


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """What a process may still do once the fence is up. Everything not named is refused."""

    read: Sequence[Path] = ()
    """Files and whole folders it may read. Those that do not exist are left out."""
    serves: bool = False
    """May accept connections on a listener that it inherited."""
    write: Sequence[Path] = ()
    """Folders in which it may read, write, make and remove files. With none, no file can be opened to be written, cut
    or emptied, and what was inherited, such as the log, only grows."""
    network: bool = False
    """May make sockets and connect."""
    tcp_ports: Sequence[int] | None = None
    """With `network`: the TCP ports it may connect to, where the kernel can hold it to them; None for any."""
    processes: bool = False
    """May start other programs."""
    links: Sequence[Path] = ()
    """Folders of `write` in which it may make symbolic links. With none, it makes no second name of anything."""
    metadata: bool = False
    """May change owners, modes and times of files that it can open: by descriptor, as Landlock does not hold paths."""


def _call(number: int, *arguments: object) -> int:
    result: int = _libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}): {os.strerror(ctypes.get_errno())}")


def survey() -> Survey:
    """Return what this kernel can hold. Asks; changes nothing."""
    machine = platform.machine()
    try:
        landlock = _call(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    except OSError:
        landlock = 0
    # A filter with a null program faults where filters exist and is unknown where they do not.
    faulted = _libc.prctl(22, ctypes.c_ulong(2), None, 0, 0) != 0 and ctypes.get_errno() == errno.EFAULT
    return Survey(machine, faulted and machine in seccomp.ARCHITECTURES, landlock)


def die_with_parent(signal: int) -> None:
    """Have the kernel send `signal` to this process when its parent ends. After any change of user."""
    _prctl(PR_SET_PDEATHSIG, signal)


def name_process(name: str) -> None:
    """Give this process a name by which `ps` and the kernel's log call it: 15 letters at most."""
    if _libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NAME)")


def no_dumps() -> None:
    """Have nobody but root look into this process, and the kernel write no core of it, however it ends."""
    _prctl(PR_SET_DUMPABLE, 0)


CAP_KILL, CAP_SETGID, CAP_SETUID = 5, 6, 7
_PR_SET_NAME, _PR_CAPBSET_READ, _PR_CAPBSET_DROP = 15, 23, 24


def drop_capabilities() -> None:
    """Give up every capability: user 0 without them is a user like others, who happens to own root's files."""
    _set_capabilities(())


def keep_capabilities(*capabilities: int) -> None:
    """Give up every capability but these, for this process and all that it starts (capset(2), capabilities(7))."""
    with suppress(OSError):  # who may not narrow the bounding set, as in a container, narrows its own alone
        for number in range(64):
            if number not in capabilities and _libc.prctl(_PR_CAPBSET_READ, ctypes.c_ulong(number), 0, 0, 0) == 1:
                _prctl(_PR_CAPBSET_DROP, number)
    _set_capabilities(capabilities)


def _set_capabilities(capabilities: Iterable[int]) -> None:
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
    bits = sum(1 << number for number in capabilities)  # all of them below 32: the second words are nought
    both = struct.pack("=6I", bits, bits, 0, 0, 0, 0)
    if _libc.capset(header, ctypes.create_string_buffer(both, 24)) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def confine(fence: Fence, *, best_effort: bool = False) -> list[str]:
    """Take `fence` for this process and every thread and child it will have. Returns what could not be held, in words.

    Raises `FenceError` where the kernel lacks the minimum, unless `best_effort`.
    """
    can = survey()
    if not can.enough and not best_effort:
        raise FenceError(
            f"This kernel can't isolate the processes: it lacks {' and '.join(can.missing())}.",
            mend='Use a newer kernel, or accept weaker isolation with `sandbox = "best-effort"` under [front].',
        )
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    no_dumps()
    drop_capabilities()
    if can.landlock:
        _landlock(fence, can.landlock)
    if can.seccomp:
        _seccomp(fence, can.machine)
    return can.missing()


_SET_MODE_FILTER, _TSYNC, _LOG = 1, 1, 2


def _seccomp(fence: Fence, machine: str) -> None:
    rights = seccomp.Rights(
        serves=fence.serves,
        writes=bool(fence.write),
        links=bool(fence.links),
        metadata=fence.metadata,
        network=fence.network,
        processes=fence.processes,
    )
    unsaid, listed = seccomp.programs(rights, machine)
    _load(unsaid, machine, _TSYNC)
    _load(listed, machine, _TSYNC | _LOG)  # the last one: behind it nobody loads another


def _load(program: bytes, machine: str, flags: int) -> None:
    code = ctypes.create_string_buffer(program, len(program))
    descriptor = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    argument = ctypes.create_string_buffer(descriptor, len(descriptor))
    _call(NUMBERS[machine]["seccomp"], ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(flags), argument)


_FS_EXECUTE, _FS_WRITE, _FS_READ, _FS_READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_FS_REFER, _FS_TRUNCATE, _FS_IOCTL = 1 << 13, 1 << 14, 1 << 15
_FS_FILE_ONLY = _FS_EXECUTE | _FS_WRITE | _FS_READ | _FS_TRUNCATE
_MAKE_SPECIAL = (1 << 6) | (1 << 9) | (1 << 10) | (1 << 11) | (1 << 12)
"""Devices, sockets, pipes and symbolic links."""
_MAKE_LINK = 1 << 12


def _landlock(fence: Fence, abi: int) -> None:
    handled = (1 << 13) - 1
    handled |= (_FS_REFER if abi >= 2 else 0) | (_FS_TRUNCATE if abi >= 3 else 0) | (_FS_IOCTL if abi >= 5 else 0)
    tcp = 0b11 if abi >= 4 and (not fence.network or fence.tcp_ports is not None) else 0
    scoped = 0b11 if abi >= 6 else 0
    attributes = struct.pack("=QQQ", handled, tcp, scoped)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = _call(444, ctypes.create_string_buffer(attributes, len(attributes)), ctypes.c_size_t(len(attributes)), 0)
    try:
        reading = _FS_READ | _FS_READ_DIR | (_FS_EXECUTE if fence.processes else 0)
        _allow(ruleset, fence.read, reading)
        writing = handled & ~_FS_EXECUTE & ~_MAKE_SPECIAL & ~_FS_IOCTL
        _allow(ruleset, fence.write, writing)
        _allow(ruleset, fence.links, writing | _MAKE_LINK)
        for port in fence.tcp_ports or () if tcp else ():
            _call(445, ruleset, 2, ctypes.create_string_buffer(struct.pack("=QQ", 0b10, port)), 0)
        _call(446, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, paths: Iterable[Path], access: int) -> None:
    for path in paths:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            rights = access if path.is_dir() else access & _FS_FILE_ONLY
            _call(445, ruleset, 1, ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor)), 0)
        finally:
            os.close(descriptor)
