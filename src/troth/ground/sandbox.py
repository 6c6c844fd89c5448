"""Fences that the kernel holds: seccomp for what a process may ask, Landlock for what it may reach (WALL 1).

A fence is taken by a process for itself, before it imports anything beyond the standard library, and cannot be put
down again. The tables below are system call numbers of Linux on x86-64 and, from the same kernel's headers, on aarch64;
the second has not been tried on such a machine.

Sources: seccomp(2), landlock(7), prctl(2), capset(2). Standard library only.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from troth.ground.errors import TrothError

_libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38


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
        """In words, what this kernel cannot do; the first ones are below the minimum."""
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


# What nobody behind a fence may do: look into other processes, slow them down or limit them, go around the fence, or
# touch the machine. Landlock knows nothing of a file's owner, mode, times and watchers, and before Linux 6.2 nothing
# of truncate(2): by path, nobody changes any of them.
_NEVER = (
    "ptrace process_vm_readv process_vm_writev pidfd_getfd pidfd_open pidfd_send_signal kcmp io_uring_setup "
    "io_uring_enter io_uring_register bpf perf_event_open userfaultfd add_key request_key keyctl mount umount2 "
    "move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr pivot_root chroot unshare setns "
    "open_by_handle_at init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff acct "
    "syslog shmget shmat shmctl msgget msgsnd msgrcv msgctl semget semop semtimedop semctl mq_open mq_unlink "
    "rt_sigqueueinfo rt_tgsigqueueinfo tkill memfd_create memfd_secret process_madvise process_mrelease fanotify_init "
    "inotify_init inotify_init1 inotify_add_watch quotactl settimeofday clock_settime adjtimex clock_adjtime "
    "sethostname setdomainname personality vhangup setpriority ioprio_set sched_setaffinity sched_setscheduler "
    "sched_setparam sched_setattr migrate_pages move_pages truncate mknod mknodat chmod fchmodat fchmodat2 chown "
    "link linkat lchown fchownat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr utime utimes "
    "futimesat"
).split()
_NETWORK = "socket connect bind sendmsg sendmmsg shutdown".split()
_PROCESSES = "execve execveat fork vfork".split()
_WRITING = "creat ftruncate fallocate pwritev2".split()
_METADATA = "fchmod fchown".split()
_LINKS = "symlink symlinkat".split()

_X86_64 = {
    "sendto": 44, "sendmsg": 46, "socket": 41, "connect": 42, "bind": 49, "socketpair": 53, "clone": 56, "fork": 57,
    "vfork": 58, "execve": 59, "kill": 62, "semget": 64, "semop": 65, "shmget": 29, "shmat": 30, "shmctl": 31,
    "msgget": 68, "msgsnd": 69, "msgrcv": 70, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94,
    "ptrace": 101, "syslog": 103, "utime": 132, "mknod": 133, "personality": 135, "vhangup": 153, "pivot_root": 155,
    "prctl": 157, "adjtimex": 159, "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166,
    "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171, "init_module": 175,
    "delete_module": 176, "quotactl": 179, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197,
    "lremovexattr": 198, "fremovexattr": 199, "tkill": 200, "semtimedop": 220, "clock_settime": 227, "tgkill": 234,
    "utimes": 235, "mq_open": 240, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250,
    "mknodat": 259, "fchownat": 260, "futimesat": 261, "fchmodat": 268, "unshare": 272, "utimensat": 280,
    "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297, "perf_event_open": 298, "fanotify_init": 300,
    "open_by_handle_at": 304, "clock_adjtime": 305, "sendmmsg": 307, "setns": 308, "process_vm_readv": 310,
    "process_vm_writev": 311, "kcmp": 312, "finit_module": 313, "memfd_create": 319, "kexec_file_load": 320,
    "bpf": 321, "execveat": 322, "userfaultfd": 323, "ioctl": 16, "truncate": 76, "ftruncate": 77, "fallocate": 285,
    "open": 2, "creat": 85, "openat": 257, "fcntl": 72, "setsockopt": 54, "shutdown": 48, "prlimit64": 302,
    "inotify_init": 253, "inotify_add_watch": 254, "inotify_init1": 294, "ioprio_set": 251, "setpriority": 141,
    "sched_setparam": 142, "sched_setscheduler": 144, "sched_setaffinity": 203, "sched_setattr": 314,
    "migrate_pages": 256, "move_pages": 279, "semctl": 66, "msgctl": 71, "mq_unlink": 241, "pwritev2": 328,
    "link": 86, "symlink": 88, "linkat": 265, "symlinkat": 266,
}  # fmt: skip
_AARCH64 = {
    "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
    "ioctl": 29, "mknodat": 33, "umount2": 39, "mount": 40, "pivot_root": 41, "chroot": 51, "fchmod": 52,
    "fchmodat": 53, "fchownat": 54, "fchown": 55, "vhangup": 58, "quotactl": 60, "utimensat": 88, "acct": 89,
    "personality": 92, "unshare": 97, "kexec_load": 104, "init_module": 105, "delete_module": 106,
    "clock_settime": 112, "syslog": 116, "ptrace": 117, "kill": 129, "tkill": 130, "tgkill": 131,
    "rt_sigqueueinfo": 138, "reboot": 142, "sethostname": 161, "setdomainname": 162, "prctl": 167,
    "settimeofday": 170, "adjtimex": 171, "mq_open": 180, "msgget": 186, "msgrcv": 188, "msgsnd": 189, "semget": 190,
    "semtimedop": 192, "semop": 193, "shmget": 194, "shmctl": 195, "shmat": 196, "socket": 198, "socketpair": 199,
    "bind": 200, "connect": 203, "sendto": 206, "sendmsg": 211, "add_key": 217, "request_key": 218, "keyctl": 219,
    "clone": 220, "execve": 221, "swapon": 224, "swapoff": 225, "rt_tgsigqueueinfo": 240, "perf_event_open": 241,
    "fanotify_init": 262, "open_by_handle_at": 265, "clock_adjtime": 266, "setns": 268, "sendmmsg": 269,
    "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "finit_module": 273, "memfd_create": 279,
    "bpf": 280, "execveat": 281, "userfaultfd": 282, "kexec_file_load": 294, "truncate": 45, "ftruncate": 46,
    "fallocate": 47, "openat": 56, "fcntl": 25, "setsockopt": 208, "shutdown": 210, "prlimit64": 261,
    "inotify_add_watch": 27, "inotify_init1": 26, "ioprio_set": 30, "setpriority": 140, "sched_setparam": 118,
    "sched_setscheduler": 119, "sched_setaffinity": 122, "sched_setattr": 274, "migrate_pages": 238, "move_pages": 239,
    "semctl": 191, "msgctl": 187, "mq_unlink": 181, "pwritev2": 287,
    "symlinkat": 36, "linkat": 37,
}  # fmt: skip
_SHARED = {  # From 424 on, both machines count alike.
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_open": 434, "clone3": 435, "openat2": 437, "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442,
    "memfd_secret": 447, "process_mrelease": 448, "fchmodat2": 452,
}  # fmt: skip
_MACHINES = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}
_NEWEST_KNOWN = 462
"""Calls that this list has never heard of are answered as if the kernel had not, either."""

_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_CLONE_THREAD, _MSG_FASTOPEN, _AF_UNIX, _SOCK_STREAM = 0x00010000, 0x20000000, 1, 1
_ONLY_SELF_SIGNALS = (8, 10, 15, 1024, 1026)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX: a descriptor that signals somebody else; F_SETLEASE, F_NOTIFY: one that waits on a
path."""
_NOBODYS_IOCTLS = (0x5412, 0x541C, 0x8901, 0x8902, 0x5452)
"""TIOCSTI, TIOCLINUX: typing into a terminal; FIOSETOWN, SIOCSPGRP, FIOASYNC: the signals of above."""
_RESERVING = (0x40305828, 0x40305829, 0x4030582A, 0x4030582B, 0x40305839)
"""FS_IOC_RESVSP and its like: fallocate() by another name."""
_F_SETFL, _TO_WRITE = 4, os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_IPPROTO_TCP, _TCP_NODELAY = 6, 1
_FAMILIES, _PROTOCOLS = (1, 2, 10, 16), (0, 6, 17)
"""UNIX, IPv4, IPv6, and the kernel's own word on addresses, which the resolver asks; the usual, TCP, UDP. No other
protocol: multipath TCP would pass by Landlock's rules for TCP, and VSOCK leads out of a virtual machine."""


def _op(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _refuse(code: int = errno.EPERM) -> bytes:
    return _op(_RET, _ERRNO | code)


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
    left = range(len(values), 0, -1)  # how many instructions lie between a match and what comes after the refusal
    return _argument(argument) + b"".join(_op(_JEQ, v, n) for v, n in zip(values, left, strict=True)) + _refuse()


def _never(argument: int, value: int) -> bytes:
    return _argument(argument) + _op(_JEQ, value, 0, 1) + _refuse()


def _zero(argument: int) -> bytes:
    both = [_argument(argument, half) + _op(_JEQ, 0, 1, 0) + _refuse() for half in (0, 1)]
    return b"".join(both)


def _filter(fence: Fence, architecture: int, calls: dict[str, int]) -> bytes:
    """The seccomp program for `fence`. Each conditional block ends the program for its own call."""
    denied = [*_NEVER]
    denied += [] if fence.network else _NETWORK
    denied += [] if fence.processes else _PROCESSES
    denied += [] if fence.write else _WRITING
    denied += [] if fence.metadata else _METADATA
    denied += [] if fence.links else _LINKS
    program = _op(_LD, 4) + _op(_JEQ, architecture, 1, 0) + _op(_RET, _KILL) + _op(_LD, 0)
    program += _op(_JGE, 0x40000000, 0, 1) + _refuse(errno.ENOSYS)  # x32
    program += _op(_JGE, _NEWEST_KNOWN + 1, 0, 1) + _refuse(errno.ENOSYS)
    for name in denied:
        if name in calls:  # aarch64 lacks some old calls altogether
            program += _op(_JEQ, calls[name], 0, 1) + _refuse()
    for name in ("clone3", "openat2"):  # their flags are behind a pointer
        program += _op(_JEQ, calls[name], 0, 1) + _refuse(errno.ENOSYS)
    for name, body in _conditions(fence):
        if name in calls:
            program += _when(calls[name], body)
    return program + _op(_RET, _ALLOW)


def _conditions(fence: Fence) -> Iterator[tuple[str, bytes]]:
    """Calls that are allowed with some arguments only."""
    ioctls = _NOBODYS_IOCTLS + (() if fence.write else _RESERVING)
    yield "socketpair", _only(0, _AF_UNIX) + _stream_only()
    yield "ioctl", b"".join(_never(1, command) for command in ioctls)
    flags = () if fence.write else (_F_SETFL,)  # O_APPEND on the log stays
    yield "fcntl", b"".join(_never(1, command) for command in (*_ONLY_SELF_SIGNALS, *flags))
    yield "kill", _only(0, os.getpid())
    yield "tgkill", _only(0, os.getpid())
    yield "prlimit64", _only(0, 0)
    yield "prctl", _never(0, PR_SET_PDEATHSIG) + _not_dumpable()
    yield "utimensat", _zero(1) if fence.metadata else _refuse()
    if fence.network:
        yield "socket", _one_of(0, _FAMILIES) + _one_of(2, _PROTOCOLS)
    else:
        yield "sendto", _zero(4) + _none_of(3, _MSG_FASTOPEN)
        yield "setsockopt", _only(1, _IPPROTO_TCP) + _only(2, _TCP_NODELAY)  # listener and line are others', too
    if not fence.processes:
        yield "clone", _argument(0) + _op(_JSET, _CLONE_THREAD, 1, 0) + _refuse()
    if not fence.write:
        yield "open", _none_of(1, _TO_WRITE)
        yield "openat", _none_of(2, _TO_WRITE)


def _not_dumpable() -> bytes:
    """Nobody makes this process dumpable again; what it starts may say once more that it is not."""
    again = _argument(1) + _op(_JEQ, 0, 1, 0) + _refuse()
    return _argument(0) + _op(_JEQ, PR_SET_DUMPABLE, 0, len(again) // 8) + again


def _stream_only() -> bytes:
    # The low four bits of the type; SOCK_NONBLOCK and SOCK_CLOEXEC stand above them. BPF_ALU | BPF_AND | BPF_K = 0x54.
    return _argument(1) + _op(0x54, 0xF) + _op(_JEQ, _SOCK_STREAM, 1, 0) + _refuse()


def _call(number: int, *arguments: object) -> int:
    result: int = _libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}): {os.strerror(ctypes.get_errno())}")


def survey() -> Survey:
    """What this kernel can hold. Asks; changes nothing."""
    machine = platform.machine()
    try:
        landlock = _call(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    except OSError:
        landlock = 0
    # A filter with a null program faults where filters exist and is unknown where they do not.
    faulted = _libc.prctl(22, ctypes.c_ulong(2), None, 0, 0) != 0 and ctypes.get_errno() == errno.EFAULT
    return Survey(machine, faulted and machine in _MACHINES, landlock)


def die_with_parent(signal: int) -> None:
    """Have the kernel send `signal` to this process when its parent ends. After any change of user."""
    _prctl(PR_SET_PDEATHSIG, signal)


def no_dumps() -> None:
    """Have nobody but root look into this process, and the kernel write no core of it, however it ends."""
    _prctl(PR_SET_DUMPABLE, 0)


CAP_KILL, CAP_SETGID, CAP_SETUID = 5, 6, 7
_PR_CAPBSET_READ, _PR_CAPBSET_DROP = 23, 24


def drop_capabilities() -> None:
    """Give up every capability: user 0 without them is a user like others, who happens to own root's files."""
    _set_capabilities(())


def keep_capabilities(*kept: int) -> None:
    """Give up every capability but these, for this process and, where it may, for all that it will start (capset(2),
    capabilities(7))."""
    with suppress(OSError):  # who may not narrow the bounding set, as in a container, narrows its own alone
        for number in range(64):
            if number not in kept and _libc.prctl(_PR_CAPBSET_READ, ctypes.c_ulong(number), 0, 0, 0) == 1:
                _prctl(_PR_CAPBSET_DROP, number)
    _set_capabilities(kept)


def _set_capabilities(kept: Iterable[int]) -> None:
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
    bits = sum(1 << number for number in kept)  # all of them below 32: the second words are nought
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
            f"This kernel cannot hold the wall: it lacks {' and '.join(can.missing())}.",
            mend='Use a newer kernel, or accept a weaker wall with `sandbox = "best-effort"` under [front].',
        )
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    no_dumps()
    drop_capabilities()
    if can.landlock:
        _landlock(fence, can.landlock)
    if can.seccomp:
        _seccomp(fence, *_MACHINES[can.machine])
    return can.missing()


def _seccomp(fence: Fence, architecture: int, calls: dict[str, int]) -> None:
    program = _filter(fence, architecture, calls | _SHARED)
    code = ctypes.create_string_buffer(program, len(program))
    descriptor = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    number = {0xC000003E: 317, 0xC00000B7: 277}[architecture]
    tsync = 1
    _call(number, ctypes.c_uint(1), ctypes.c_uint(tsync), ctypes.create_string_buffer(descriptor, len(descriptor)))


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
