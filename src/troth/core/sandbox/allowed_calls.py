"""Which system calls a fence lets through, by what a process is there for; it refuses all others. Recorded while the
tests had the processes do everything (`tests/walls/recorded.py` does it again), with what other releases of the C
library, Python, SQLite, libpq and OpenSSL call instead. Calls that depend on arguments stand in
`core.sandbox.seccomp`."""

from collections.abc import Iterator

from troth.core.sandbox.call_numbers import NUMBERS

_RUNNING = (
    # files and descriptors that are there: Landlock says which may be opened
    "read readv pread64 preadv write writev pwrite64 pwritev lseek close close_range dup dup2 dup3 pipe pipe2 "
    "stat fstat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getcwd getdents getdents64 "
    # memory
    "mmap munmap mprotect mremap madvise brk msync mincore map_shadow_stack mseal "
    # threads and what they wait for
    "futex futex_waitv futex_wake futex_wait futex_requeue set_robust_list set_tid_address rseq membarrier sched_yield "
    "sched_getaffinity sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min getcpu "
    "exit exit_group restart_syscall "
    "poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
    "eventfd eventfd2 "
    # signals to itself, as far as they have no arguments that decide
    "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait rt_sigpending rt_sigsuspend sigaltstack pause "
    # time, chance and itself
    "nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times getrusage getrlimit getrandom "
    "getpid gettid getppid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp uname sysinfo "
    # sockets that are there
    "recvfrom getsockname getpeername"
)
_SERVING = "accept accept4"
_WRITING = (
    "fsync fdatasync ftruncate fallocate fadvise64 sync_file_range flock umask mkdir mkdirat rmdir unlink unlinkat "
    "rename renameat renameat2 statfs fstatfs"
)
_LINKS = "symlink symlinkat"
_METADATA = "fchmod fchown"
_NETWORK = "connect bind shutdown recvmsg recvmmsg"
_PROGRAMS = (
    "execve execveat fork vfork clone wait4 waitid chdir fchdir setpgid getpgid setsid getsid setrlimit arch_prctl "
    "statfs fstatfs flock umask fadvise64 sendfile copy_file_range splice tee alarm setitimer getitimer timer_create "
    "timer_settime timer_gettime timer_getoverrun timer_delete timerfd_create timerfd_settime timerfd_gettime "
    "getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr getpriority capget capset seccomp "
    "landlock_create_ruleset landlock_add_rule landlock_restrict_self mlock munlock mlock2 recvmsg signalfd signalfd4 "
    "setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid"
)
"""What a program of the system may call that somebody starts behind a fence: to be there, not to do more."""


def allowed(
    machine: str, *, serves: bool, writes: bool, links: bool, metadata: bool, network: bool, processes: bool
) -> Iterator[int]:
    """Return the numbers of the calls that are let through whatever their arguments."""
    names = [_RUNNING]
    names += [_SERVING] if serves else []
    names += [_WRITING] if writes else []
    names += [_LINKS] if links else []
    names += [_METADATA] if metadata else []
    names += [_NETWORK] if network else []
    names += [_PROGRAMS] if processes else []
    numbers = NUMBERS[machine]
    # A machine may lack old calls altogether.
    return iter(sorted({numbers[name] for name in " ".join(names).split() if name in numbers}))
