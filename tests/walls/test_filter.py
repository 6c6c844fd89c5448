"""The seccomp programs themselves, read by a small interpreter: each answer, on both machines, whatever Landlock adds.

Behind the real fence two layers refuse most things (`test_front_fence.py`); here each call is asked of this one alone.
Source of the instructions: linux/filter.h, linux/bpf_common.h.
"""

import errno
import os
import re
import struct
import subprocess
from pathlib import Path

import pytest

from troth.core.sandbox import allowed_calls, seccomp
from troth.core.sandbox.call_numbers import NEWEST, NUMBERS
from troth.core.sandbox.seccomp import Rights

WIDEST = Rights(serves=True, writes=True, links=True, metadata=True, network=True, processes=True)
ROLES = {
    "front": Rights(serves=True),
    "clerk": Rights(writes=True),
    "office": Rights(serves=True, writes=True, metadata=True),
    "office with PostgreSQL": Rights(serves=True, writes=True, metadata=True, network=True),
    "worker": Rights(writes=True, links=True, metadata=True, network=True),
    "prove": Rights(serves=True, writes=True, metadata=True, network=True, processes=True),
}
NEVER = (
    "ptrace process_vm_readv process_vm_writev pidfd_getfd pidfd_open pidfd_send_signal io_uring_setup io_uring_enter "
    "io_uring_register io_setup io_submit io_pgetevents io_getevents io_cancel io_destroy preadv2 pwritev2 vmsplice "
    "bpf userfaultfd mount unshare setns chroot keyctl open_by_handle_at name_to_handle_at shmget mq_open memfd_create "
    "memfd_secret kexec_load rt_sigqueueinfo rt_tgsigqueueinfo tkill perf_event_open finit_module clock_settime "
    "truncate setpriority sched_setaffinity sched_setscheduler sched_setparam sched_setattr ioprio_set migrate_pages "
    "move_pages semctl msgctl mq_unlink inotify_init inotify_init1 inotify_add_watch fanotify_init process_mrelease "
    "process_madvise kcmp quotactl personality syslog modify_ldt iopl ioperm uselib vhangup swapon reboot acct "
    "chmod fchmodat fchmodat2 chown lchown fchownat setxattr lsetxattr fsetxattr utime mknod mknodat link linkat creat "
    "statmount listmount lsm_set_self_attr mbind set_mempolicy pkey_alloc remap_file_pages get_robust_list"
).split()
NOT_WITHOUT = {
    "serves": "accept accept4",
    "network": "socket connect bind sendmsg sendmmsg shutdown recvmsg recvmmsg",
    "writes": "ftruncate fallocate fsync mkdirat unlinkat renameat2 renameat",
    "processes": "execve wait4 setsid timer_create seccomp landlock_restrict_self",
    "metadata": "fchmod fchown",
    "links": "symlinkat",
}
WORKING = (
    "read write readv writev pread64 pwrite64 close close_range lseek fstat newfstatat statx faccessat faccessat2 "
    "getdents64 getcwd readlinkat mmap munmap mprotect mremap madvise brk futex futex_waitv set_robust_list rseq "
    "membarrier sched_yield sched_getaffinity getcpu exit exit_group restart_syscall ppoll pselect6 epoll_create1 "
    "epoll_ctl epoll_pwait epoll_pwait2 pipe2 dup3 rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack nanosleep "
    "clock_nanosleep clock_gettime gettimeofday getrusage getrandom getpid gettid getuid geteuid uname sysinfo "
    "recvfrom getsockname getpeername openat"
).split()
"""What the C library, Python and SQLite of Debian 12 and 13 call, besides what is asked with arguments below."""
INSTEAD = {
    "access": "faccessat", "alarm": "setitimer", "arch_prctl": "prctl", "dup2": "dup3", "epoll_create": "epoll_create1",
    "epoll_wait": "epoll_pwait", "eventfd": "eventfd2", "fork": "clone", "getdents": "getdents64", "getpgrp": "getpgid",
    "lstat": "newfstatat", "mkdir": "mkdirat", "open": "openat", "pause": "ppoll", "pipe": "pipe2", "poll": "ppoll",
    "readlink": "readlinkat", "rename": "renameat", "rmdir": "unlinkat", "select": "pselect6", "signalfd": "signalfd4",
    "stat": "newfstatat", "symlink": "symlinkat", "time": "gettimeofday", "unlink": "unlinkat", "vfork": "clone",
}  # fmt: skip
"""What aarch64 has no longer, and what the C library calls there in its place."""
ALLOWED = 0


def answer(program: bytes, architecture: int, number: int, arguments: tuple[int, ...]) -> int:
    """What one program returns: the whole word."""
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
            return int(value)
        else:
            true = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[code]
            at += yes if true else no


def ask(rights: Rights, machine: str, number: int, *arguments: int, architecture: int = 0) -> int:
    """What the kernel would answer of both: 0 for yes, an errno, -1 for an end of the process, -2 for "done" unsaid."""
    where = architecture or seccomp.ARCHITECTURES[machine]
    words = [answer(program, where, number, arguments) for program in seccomp.programs(rights, machine)]
    strictest = min(words, key=lambda word: ((word & 0xFFFF0000) ^ 0x80000000, -words.index(word)))
    return {0x7FFF0000: ALLOWED, 0x80000000: -1, 0x00050000: -2}.get(strictest, strictest & 0xFFFF)


@pytest.fixture(params=sorted(seccomp.ARCHITECTURES))
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def asker(machine: str, rights: Rights):  # type: ignore[no-untyped-def]
    """A function that asks the fence of `rights` about a call by name."""
    return lambda name, *arguments: ask(rights, machine, NUMBERS[machine][name], *arguments)


def there(names: list[str], machine: str) -> list[str]:
    """Those that this machine has: it may lack old ones altogether."""
    return [name for name in names if name in NUMBERS[machine]]


# -- the list ---------------------------------------------------------------------------------------------------------


def test_a_call_with_the_other_machines_numbers_ends_the_process(machine: str) -> None:
    assert ask(Rights(), machine, 1, architecture=0x40000003) == -1  # i386


@pytest.mark.parametrize("number", [0x40000000, 0x40000000 + 41, NEWEST + 1, 500, 0xFFFFFFFF])
def test_x32_and_unknown_calls_do_not_exist(machine: str, number: int) -> None:
    assert ask(WIDEST, machine, number) == errno.ENOSYS


def test_what_nobody_may_is_refused_whatever_the_fence_allows(machine: str) -> None:
    widest = asker(machine, WIDEST)
    assert {name: widest(name) for name in there(NEVER, machine)} == dict.fromkeys(there(NEVER, machine), errno.EPERM)


def test_what_is_in_no_list_is_refused(machine: str) -> None:
    """Whatever the list forgets is closed, not open: of all that the kernel has, less than half is let through."""
    for rights in ROLES.values():
        call, conditional = asker(machine, rights), {name for name, _ in seccomp._conditions(rights)}
        listed = {
            *allowed_calls.allowed(
                machine,
                serves=rights.serves,
                writes=rights.writes,
                links=rights.links,
                metadata=rights.metadata,
                network=rights.network,
                processes=rights.processes,
            )
        }
        rest = [name for name, number in NUMBERS[machine].items() if number not in listed and name not in conditional]
        answers = {name: call(name) for name in rest if name not in ("clone3", "openat2", "listen")}
        assert set(answers.values()) == {errno.EPERM} and len(rest) > len(NUMBERS[machine]) / 3


def test_every_name_in_the_list_is_a_call_and_only_old_ones_are_missing_elsewhere(machine: str) -> None:
    """A name that no table has would be left out without a word."""
    parts = (value for name, value in vars(allowed_calls).items() if name.startswith("_") and isinstance(value, str))
    listed = {word for part in parts if "/" not in part and "." not in part for word in part.split()}
    listed |= {name for name, _ in seccomp._conditions(WIDEST)} | set(seccomp._UNSAID)
    assert {"read", "accept4", "fsync", "symlinkat", "fchown", "connect", "execve", "openat"} <= listed
    assert listed - set(NUMBERS[machine]) == ({} if machine == "x86_64" else INSTEAD).keys()
    for rights in ROLES.values():
        old, new = asker("x86_64", rights), asker(machine, rights)
        assert [
            name
            for name in INSTEAD
            if old(name) == ALLOWED and ALLOWED not in (new(INSTEAD[name]), new(INSTEAD[name], 15))
        ] == []


@pytest.mark.parametrize("role", ROLES)
def test_what_a_process_needs_to_be_there_is_let_through(machine: str, role: str) -> None:
    call = asker(machine, ROLES[role])
    assert {name: call(name) for name in there(WORKING, machine)} == dict.fromkeys(there(WORKING, machine), ALLOWED)


@pytest.mark.parametrize("right", sorted(NOT_WITHOUT))
def test_a_right_that_is_not_given_is_not_there(machine: str, right: str) -> None:
    without, having = asker(machine, Rights()), asker(machine, Rights(**{right: True}))
    for name in there(NOT_WITHOUT[right].split(), machine):
        assert without(name) == errno.EPERM, name
        assert having(name, 1, 1) == ALLOWED, name  # a socket: of this machine, a stream


def _header(machine: str) -> dict[str, int]:
    """The kernel's own table, where its headers lie here (Debian's linux-libc-dev)."""
    generic, x86 = Path("/usr/include/asm-generic/unistd.h"), Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if machine == "x86_64":
        if not x86.exists():
            pytest.skip("no headers of the kernel here")
        return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", x86.read_text())}
    wants = "RENAMEAT NEW_STAT SET_GET_RLIMIT TIME32_SYSCALLS SYS_CLONE3 MEMFD_SECRET".split()
    command = ["cpp", "-dM", *[f"-D__ARCH_WANT_{name}" for name in wants], "-include", str(generic), "/dev/null"]
    try:
        defined = dict(re.findall(r"#define (__NR\w+) (\w+)", subprocess.run(command, **_QUIET).stdout))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no headers of the kernel here, or no compiler that reads them")
    found = {name.removeprefix("__NR_"): defined.get(value, value) for name, value in defined.items()}
    return {name: int(value) for name, value in found.items() if value.isdigit() and not name.startswith("__NR")}


_QUIET = {"capture_output": True, "text": True, "check": True}


def test_the_numbers_are_the_kernels(machine: str) -> None:
    theirs = {name: number for name, number in _header(machine).items() if number <= NEWEST}
    theirs = {name: number for name, number in theirs.items() if name not in ("syscalls", "arch_specific_syscall")}
    assert len(theirs) > 250
    ours = NUMBERS[machine]
    assert {name: ours.get(name) for name in theirs} == theirs
    assert len(set(ours.values())) == len(ours)


# -- by arguments -----------------------------------------------------------------------------------------------------


def test_sending_goes_to_who_is_connected_and_never_opens(machine: str) -> None:
    call = asker(machine, Rights())
    assert call("sendto", 3, 0x1000, 5, 0x4000, 0, 0) == ALLOWED
    assert call("sendto", 3, 0x1000, 5, 0x4000, 0x7FFF0000, 16) == errno.EPERM
    assert call("sendto", 3, 0x1000, 5, 0x4000, 1 << 40, 16) == errno.EPERM  # an address above four gigabytes
    assert call("sendto", 3, 0x1000, 5, 0x20000000, 0, 0) == errno.EPERM
    caller = asker(machine, Rights(network=True))  # it connects by connect(), where Landlock looks
    assert caller("sendto", 3, 0x1000, 5, 0x4000, 0x7FFF0000, 16) == ALLOWED
    assert caller("sendto", 3, 0x1000, 5, 0x20000000, 0x7FFF0000, 16) == errno.EPERM
    assert caller("sendmsg", 3, 0x1000, 0x20000000) == caller("sendmmsg", 3, 0, 1, 0x20000000) == errno.EPERM


def test_who_may_connect_speaks_the_usual_protocols(machine: str) -> None:
    call = asker(machine, Rights(network=True))
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
    call = asker(machine, Rights())
    assert call("socketpair", 1, 1 | 0o2000000 | 0o4000) == ALLOWED
    for family, kind in [(1, 2), (1, 5), (1, 3), (2, 1), (16, 1)]:
        assert call("socketpair", family, kind) == errno.EPERM


def test_a_clone_is_a_thread(machine: str) -> None:
    call = asker(machine, Rights())
    assert call("clone", 0x00010000 | 0x100) == ALLOWED
    assert call("clone", 17) == errno.EPERM
    assert call("clone3") == errno.ENOSYS
    assert call("openat2") == errno.ENOSYS  # as with clone3, what it asks for is behind a pointer
    assert asker(machine, Rights(processes=True))("clone", 17) == ALLOWED


def test_a_listener_stays_as_long_as_it_was_made(machine: str) -> None:
    for rights in ROLES.values():
        assert asker(machine, rights)("listen", 3, 0) == -2  # told that it is done, and nothing is


def test_signals_go_to_oneself(machine: str) -> None:
    call = asker(machine, WIDEST)
    for name in ("kill", "tgkill"):
        assert call(name, os.getpid(), 15) == ALLOWED
        assert call(name, 1, 15) == errno.EPERM
        assert call(name, 2**32 - 1, 9) == errno.EPERM


def test_of_terminals_and_the_process_itself_little_is_asked(machine: str) -> None:
    call, widest = asker(machine, Rights()), asker(machine, WIDEST)
    for known in (0x5421, 0x5450, 0x5451, 0x541B, 0x5401, 0x5413):  # FIONBIO, FIO(N)CLEX, FIONREAD, TCGETS, TIOCGWINSZ
        assert call("ioctl", 0, known) == ALLOWED
    for other in (0x5412, 0x541C, 0x8901, 0x8902, 0x5452, 0x8914, 0x40305828, 0x4030582A, 0x40049409):
        assert call("ioctl", 0, other) == widest("ioctl", 0, other) == errno.EPERM
    assert (call("ioctl", 0, 0x5402), widest("ioctl", 0, 0x5402)) == (errno.EPERM, ALLOWED)
    assert call("prctl", 15) == ALLOWED
    for option in (1, 22, 24, 28, 35, 36, 57, 59, 65):  # PDEATHSIG, SECCOMP, CAPBSET_DROP, SECUREBITS, SET_MM, …
        assert call("prctl", option) == errno.EPERM
    assert (widest("prctl", 4, 0), widest("prctl", 4, 1)) == (ALLOWED, errno.EPERM)
    assert widest("prctl", 1, 0) == errno.EPERM  # nobody outlives the supervisor


def test_a_program_that_is_started_asks_for_its_rights_and_changes_none(machine: str) -> None:
    """`journalctl`, in which proofs search the log, asks at each start."""
    call, widest = asker(machine, Rights()), asker(machine, WIDEST)
    assert widest("prctl", 27) == widest("prctl", 47, 1) == widest("prctl", 23) == ALLOWED
    assert call("prctl", 27) == call("prctl", 47, 1) == errno.EPERM
    for raises in (2, 3, 4, 0, 1 << 32):  # PR_CAP_AMBIENT_RAISE, _LOWER, _CLEAR_ALL
        assert widest("prctl", 47, raises) == errno.EPERM
    assert widest("prctl", 28) == widest("prctl", 8) == errno.EPERM  # PR_SET_SECUREBITS, PR_SET_KEEPCAPS


def test_no_descriptor_is_made_to_signal_somebody(machine: str) -> None:
    call = asker(machine, WIDEST)
    for owner in (8, 10, 15, 1024, 1026, 1033):  # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY, F_ADD_SEALS
        assert call("fcntl", 3, owner, 1) == errno.EPERM
    for usual in (0, 1, 2, 3, 4, 6, 1030):
        assert call("fcntl", 3, usual) == ALLOWED


def test_a_process_asks_for_its_own_group_and_no_others(machine: str) -> None:
    call = asker(machine, Rights())
    assert (call("getpgid", 0), call("getpgid", 1), call("getpgid", os.getpid())) == (ALLOWED, errno.EPERM, errno.EPERM)


def test_the_limits_of_others_are_not_to_be_set(machine: str) -> None:
    call = asker(machine, WIDEST)
    assert call("prlimit64", 0, 7) == ALLOWED
    assert call("prlimit64", 1, 7) == errno.EPERM


def test_who_writes_no_folder_opens_nothing_to_write_and_cuts_nothing(machine: str) -> None:
    front, clerk = asker(machine, Rights(serves=True)), asker(machine, Rights(writes=True))
    for flags in (1, 2, 0o100, 0o1000, 0o2000001, 0o20200000 | 2):
        assert front("openat", 0, 0x1000, flags) == errno.EPERM
        assert clerk("openat", 0, 0x1000, flags) == ALLOWED
    assert front("openat", 0, 0x1000, 0o2000000) == ALLOWED
    assert front("fcntl", 2, 4, 0) == errno.EPERM  # F_SETFL: what is appended to stays so


def test_options_are_few_and_not_set_on_what_is_shared(machine: str) -> None:
    call, caller = asker(machine, Rights()), asker(machine, Rights(network=True))
    assert call("setsockopt", 3, 6, 1) == ALLOWED  # TCP_NODELAY
    for level, option in [(1, 26), (1, 8), (1, 2), (6, 23), (0, 1), (6, 2), (41, 26)]:
        assert call("setsockopt", 3, level, option) == errno.EPERM
    for level, option in [(1, 9), (1, 2), (6, 1), (6, 4), (0, 11)]:
        assert caller("setsockopt", 3, level, option) == ALLOWED
    for level, option in [(1, 26), (1, 12), (1, 36), (6, 30), (6, 31), (0, 1), (41, 1), (263, 1)]:
        assert caller("setsockopt", 3, level, option) == errno.EPERM
    for level, option in [(1, 3), (1, 4), (1, 38)]:
        assert call("getsockopt", 3, level, option) == caller("getsockopt", 3, level, option) == ALLOWED
    for level, option in [(1, 77), (1, 17), (0, 4)]:  # SO_PEERPIDFD, SO_PEERCRED
        assert call("getsockopt", 3, level, option) == errno.EPERM


def test_times_are_set_through_a_descriptor_only(machine: str) -> None:
    call = asker(machine, Rights(metadata=True))
    assert call("utimensat", 3, 0) == ALLOWED
    assert call("utimensat", 3, 0x1000) == errno.EPERM
    assert call("utimensat", 3, 1 << 40) == errno.EPERM
    assert asker(machine, Rights())("utimensat", 3, 0) == errno.EPERM
