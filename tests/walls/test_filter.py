"""The seccomp program itself, read by a small interpreter: each answer, on both machines, whatever Landlock adds.

Behind the real fence two layers refuse most things (`test_front_fence.py`); here each call is asked of this one alone.
Source of the instructions: linux/filter.h, linux/bpf_common.h.
"""

import errno
import os
import struct
from pathlib import Path

import pytest

from troth.ground import sandbox
from troth.ground.sandbox import Fence

NEVER = (
    "ptrace process_vm_readv process_vm_writev pidfd_getfd pidfd_open pidfd_send_signal io_uring_setup io_uring_enter "
)
NEVER += "bpf userfaultfd mount unshare setns chroot keyctl open_by_handle_at shmget mq_open memfd_create kexec_load "
NEVER += "rt_sigqueueinfo rt_tgsigqueueinfo tkill perf_event_open finit_module clock_settime truncate setpriority "
NEVER += "sched_setaffinity sched_setscheduler sched_setparam sched_setattr ioprio_set migrate_pages move_pages semctl "
NEVER += "msgctl mq_unlink inotify_init inotify_init1 inotify_add_watch process_mrelease "
NEVER += "chmod fchmodat fchmodat2 chown lchown fchownat setxattr lsetxattr fsetxattr utime mknod mknodat link linkat"
RIGHTS = {
    "network": "socket connect bind sendmsg sendmmsg shutdown",
    "write": "ftruncate fallocate pwritev2 creat",
    "processes": "execve execveat fork vfork",
    "metadata": "fchmod fchown",
    "links": "symlink symlinkat",
}
MACHINES = {"x86_64": sandbox._X86_64 | sandbox._SHARED, "aarch64": sandbox._AARCH64 | sandbox._SHARED}
ALLOWED = 0


def ask(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the kernel would answer: 0 for yes, an errno, or -1 for an end of the process."""
    full = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=iIQ6Q", number if number < 2**31 else number - 2**32, architecture, 0, *full)
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    at, held = 0, 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x20:
            held = int.from_bytes(data[value : value + 4], "little")
        elif code == 0x54:
            held &= value
        elif code == 0x06:
            return {0x7FFF0000: 0, 0x80000000: -1}.get(value, value & 0xFFFF)
        else:
            true = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[code]
            at += yes if true else no


@pytest.fixture(params=sorted(MACHINES))
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def asker(machine: str, fence: Fence):  # type: ignore[no-untyped-def]
    """A function that asks the filter of `fence` about a call by name."""
    architecture, calls = sandbox._MACHINES[machine]
    program = sandbox._filter(fence, architecture, calls | sandbox._SHARED)
    return lambda name, *arguments: ask(program, architecture, MACHINES[machine][name], *arguments)


def test_a_call_with_the_other_machines_numbers_ends_the_process(machine: str) -> None:
    architecture, calls = sandbox._MACHINES[machine]
    program = sandbox._filter(Fence(), architecture, calls | sandbox._SHARED)
    assert ask(program, 0x40000003, 1) == -1  # i386


@pytest.mark.parametrize("number", [0x40000000, 0x40000000 + 41, 463, 500, 0xFFFFFFFF])
def test_x32_and_unknown_calls_do_not_exist(machine: str, number: int) -> None:
    architecture, calls = sandbox._MACHINES[machine]
    program = sandbox._filter(Fence(), architecture, calls | sandbox._SHARED)
    assert ask(program, architecture, number) == errno.ENOSYS


def test_what_nobody_may_is_refused_whatever_the_fence_allows(machine: str) -> None:
    widest = asker(machine, Fence(network=True, processes=True, metadata=True))
    for name in NEVER.split():
        if name in MACHINES[machine]:
            assert widest(name) == errno.EPERM, name


@pytest.mark.parametrize("right", sorted(RIGHTS))
def test_a_right_that_is_not_given_is_not_there(machine: str, right: str) -> None:
    given = {right: [Path("/srv")] if right in ("write", "links") else True}
    without, having = asker(machine, Fence()), asker(machine, Fence(**given))  # type: ignore[arg-type]
    for name in RIGHTS[right].split():
        if name in MACHINES[machine]:
            assert without(name) == errno.EPERM, name
            assert having(name, 1, 1) == ALLOWED, name  # a socket: of this machine, a stream


def test_sending_goes_to_who_is_connected_and_never_opens(machine: str) -> None:
    call = asker(machine, Fence())
    assert call("sendto", 3, 0x1000, 5, 0x4000, 0, 0) == ALLOWED
    assert call("sendto", 3, 0x1000, 5, 0x4000, 0x7FFF0000, 16) == errno.EPERM
    assert call("sendto", 3, 0x1000, 5, 0x4000, 1 << 40, 16) == errno.EPERM  # an address above four gigabytes
    assert call("sendto", 3, 0x1000, 5, 0x20000000, 0, 0) == errno.EPERM


def test_who_may_connect_speaks_the_usual_protocols(machine: str) -> None:
    call = asker(machine, Fence(network=True))
    for family, kind, protocol in [(1, 1, 0), (2, 1, 6), (10, 2, 17), (2, 2, 0), (16, 3, 0)]:
        assert call("socket", family, kind, protocol) == ALLOWED
    for family, kind, protocol in [
        (40, 1, 0),
        (17, 3, 0),
        (43, 1, 0),
        (2, 1, 262),
        (2, 1, 132),
        (10, 3, 1),
        (38, 5, 0),
    ]:
        assert call("socket", family, kind, protocol) == errno.EPERM


def test_pairs_are_local_streams(machine: str) -> None:
    call = asker(machine, Fence())
    assert call("socketpair", 1, 1 | 0o2000000 | 0o4000) == ALLOWED
    for family, kind in [(1, 2), (1, 5), (1, 3), (2, 1), (16, 1)]:
        assert call("socketpair", family, kind) == errno.EPERM


def test_a_clone_is_a_thread(machine: str) -> None:
    call = asker(machine, Fence())
    assert call("clone", 0x00010000 | 0x100) == ALLOWED
    assert call("clone", 17) == errno.EPERM
    assert call("clone3") == errno.ENOSYS
    assert call("openat2") == errno.ENOSYS  # as with clone3, what it asks for is behind a pointer


def test_signals_go_to_oneself(machine: str) -> None:
    call = asker(machine, Fence(network=True, metadata=True))
    for name in ("kill", "tgkill"):
        assert call(name, os.getpid(), 15) == ALLOWED
        assert call(name, 1, 15) == errno.EPERM
        assert call(name, 2**32 - 1, 9) == errno.EPERM


def test_a_terminal_cannot_be_typed_into_and_memory_stays_closed(machine: str) -> None:
    call = asker(machine, Fence(processes=True))
    assert call("ioctl", 0, 0x5413) == ALLOWED
    assert call("ioctl", 0, 0x5412) == errno.EPERM
    assert call("prctl", 15) == ALLOWED
    assert call("prctl", 4, 1) == errno.EPERM
    assert call("prctl", 1, 0) == errno.EPERM  # nobody outlives the supervisor


def test_no_descriptor_is_made_to_signal_somebody(machine: str) -> None:
    call = asker(machine, Fence(network=True, processes=True, write=[Path("/srv")]))
    for owner in (8, 10, 15, 1024, 1026):  # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY
        assert call("fcntl", 3, owner, 1) == errno.EPERM
    for owner in (0x8901, 0x8902, 0x5452):  # FIOSETOWN, SIOCSPGRP, FIOASYNC
        assert call("ioctl", 3, owner) == errno.EPERM
    for usual in (1, 2, 3, 4, 1030):
        assert call("fcntl", 3, usual) == ALLOWED


def test_the_limits_of_others_are_not_to_be_set(machine: str) -> None:
    call = asker(machine, Fence(network=True, processes=True, write=[Path("/srv")]))
    assert call("prlimit64", 0, 7) == ALLOWED
    assert call("prlimit64", 1, 7) == errno.EPERM


def test_who_writes_no_folder_opens_nothing_to_write_and_cuts_nothing(machine: str) -> None:
    front, clerk = asker(machine, Fence()), asker(machine, Fence(write=[Path("/srv")]))
    for flags in (1, 2, 0o100, 0o1000, 0o2000001, 0o20200000 | 2):
        assert front("openat", 0, 0x1000, flags) == errno.EPERM
        assert clerk("openat", 0, 0x1000, flags) == ALLOWED
    assert front("openat", 0, 0x1000, 0o2000000) == ALLOWED
    assert front("fcntl", 2, 4, 0) == errno.EPERM  # F_SETFL: a log that is appended to stays so
    for command in (0x40305828, 0x40305829, 0x4030582A, 0x4030582B, 0x40305839):
        assert front("ioctl", 2, command) == errno.EPERM


def test_options_are_not_set_on_what_is_shared(machine: str) -> None:
    call = asker(machine, Fence())
    assert call("setsockopt", 3, 6, 1) == ALLOWED  # TCP_NODELAY
    for level, option in [(1, 26), (1, 8), (6, 23), (0, 1), (6, 2)]:
        assert call("setsockopt", 3, level, option) == errno.EPERM
    assert asker(machine, Fence(network=True))("setsockopt", 3, 1, 9) == ALLOWED


def test_times_are_set_through_a_descriptor_only(machine: str) -> None:
    call = asker(machine, Fence(metadata=True))
    assert call("utimensat", 3, 0) == ALLOWED
    assert call("utimensat", 3, 0x1000) == errno.EPERM
    assert call("utimensat", 3, 1 << 40) == errno.EPERM
    assert asker(machine, Fence())("utimensat", 3, 0) == errno.EPERM
