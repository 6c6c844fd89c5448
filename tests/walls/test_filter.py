"""The seccomp program itself, read by a small interpreter: each answer, on both machines, whatever Landlock adds.

Behind the real fence two layers refuse most things (`test_front_fence.py`); here each call is asked of this one alone.
Source of the instructions: linux/filter.h, linux/bpf_common.h.
"""

import errno
import os
import struct

import pytest

from troth.ground import sandbox
from troth.ground.sandbox import Fence

NEVER = (
    "ptrace process_vm_readv process_vm_writev pidfd_getfd pidfd_open pidfd_send_signal io_uring_setup io_uring_enter "
)
NEVER += "bpf userfaultfd mount unshare setns chroot keyctl open_by_handle_at shmget mq_open memfd_create kexec_load "
NEVER += "rt_sigqueueinfo rt_tgsigqueueinfo tkill perf_event_open finit_module clock_settime"
RIGHTS = {
    "network": "socket connect bind sendmsg sendmmsg",
    "processes": "execve execveat fork vfork",
    "metadata": "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat setxattr utimensat mknod mknodat",
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
    without, having = asker(machine, Fence()), asker(machine, Fence(**{right: True}))  # type: ignore[arg-type]
    for name in RIGHTS[right].split():
        if name in MACHINES[machine]:
            assert without(name) == errno.EPERM, name
            assert having(name) == ALLOWED, name


def test_sending_goes_to_who_is_connected_and_never_opens(machine: str) -> None:
    call = asker(machine, Fence())
    assert call("sendto", 3, 0x1000, 5, 0x4000, 0, 0) == ALLOWED
    assert call("sendto", 3, 0x1000, 5, 0x4000, 0x7FFF0000, 16) == errno.EPERM
    assert call("sendto", 3, 0x1000, 5, 0x4000, 1 << 40, 16) == errno.EPERM  # an address above four gigabytes
    assert call("sendto", 3, 0x1000, 5, 0x20000000, 0, 0) == errno.EPERM


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
