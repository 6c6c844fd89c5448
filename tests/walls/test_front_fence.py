"""WALL 1: the front can neither tell nor take. Tried from behind its own fence, as whoever captured it would."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.walls.prison import SOURCE, TRIES, brief_for, run
from troth.core.sandbox import restrict

pytestmark = pytest.mark.walls
REFUSED = {"EPERM", "EACCES"}


@pytest.fixture(autouse=True)
def _kernel() -> None:
    survey = restrict.survey()
    if not survey.enough:
        pytest.fail(f"this kernel cannot hold the wall: {survey.missing()}")


def refused(found: dict[str, str]) -> None:
    """Every try was refused for want of a right, not for some other reason that would hide a hole."""
    assert found
    assert set(found.values()) <= REFUSED, found


def test_it_reads_what_is_public_and_nothing_else(folders: Path) -> None:
    paths = ["keys/secret", "keys/seal/secret", "keys/people/secret", "data/secret", "asks/secret", "troth.toml"]
    paths += ["spool/0000000000000001.seg", "policy.md", "keys/site-id"]
    code = f"root = {str(folders)!r}\n"
    code += f"for name in {paths!r}: attempt(name, lambda: open(root + '/' + name).read())\n"
    code += (
        "for name in ('keys', 'data', 'spool', ''): attempt('list ' + name, lambda: os.listdir(root + '/' + name))\n"
    )
    code += "attempt('passwd', lambda: open('/etc/passwd').read())\nattempt('tmp', lambda: os.listdir('/tmp'))\n"
    code += "attempt('proc', lambda: open('/proc/1/environ').read())\n"
    refused(run(brief_for("front", folders), code).found)
    public = f"attempt('public', lambda: open({str(folders / 'public/gen-1/open')!r}).read())"
    assert run(brief_for("front", folders), public).found == {"public": "ALLOWED"}


def test_it_writes_nowhere(folders: Path) -> None:
    code = f"""
root = {str(folders)!r}
for name in ("keys/new", "data/new", "spool/new", "public/new", "new"):
    attempt(name, lambda: open(root + "/" + name, "w"))
    attempt("mkdir " + name, lambda: os.mkdir(root + "/" + name))
frame = root + "/spool/0000000000000001.seg"
attempt("alter", lambda: open(frame, "r+b"))
attempt("append", lambda: open(frame, "ab"))
attempt("truncate", lambda: os.truncate(frame, 0))
attempt("unlink", lambda: os.unlink(frame))
attempt("rename", lambda: os.rename(frame, root + "/public/gone"))
attempt("link", lambda: os.link(frame, root + "/public/link"))
attempt("symlink", lambda: os.symlink(frame, root + "/public/link"))
attempt("chmod", lambda: os.chmod(root + "/public/gen-1/open", 0o777))
attempt("chown", lambda: os.chown(root + "/public/gen-1/open", 1, 1))
attempt("utime", lambda: os.utime(root + "/public/gen-1/open"))
attempt("tmp", lambda: open("/tmp/troth-new", "w"))
attempt("shm", lambda: open("/dev/shm/troth-new", "w"))
"""
    refused(run(brief_for("front", folders), code).found)
    assert (folders / "spool/0000000000000001.seg").read_bytes() == b"acknowledged"


@pytest.fixture
def company() -> socket.socket:
    """Someone outside who listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_it_reaches_nobody(folders: Path, company: socket.socket, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "door"))
        unix.listen()
        inherited = socket.socket(socket.AF_INET, socket.SOCK_STREAM)  # unconnected, as a captured process might find
        datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        os.set_inheritable(inherited.fileno(), True)
        code = f"""
address = {company.getsockname()!r}
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK, 40, 17):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        attempt(f"socket {{int(family)}} {{int(kind)}}", lambda: socket.socket(family, kind))
attempt("create_connection", lambda: socket.create_connection(address))
tcp = socket.socket(fileno={inherited.fileno()})
udp = socket.socket(fileno={datagram.fileno()})
attempt("connect", lambda: tcp.connect(address))
attempt("connect udp", lambda: udp.connect(address))
attempt("fast open", lambda: tcp.sendto(b"x", 0x20000000, address))
attempt("fast open, unaddressed", lambda: tcp.send(b"x", 0x20000000))
attempt("sendto", lambda: udp.sendto(b"x", address))
attempt("sendmsg", lambda: udp.sendmsg([b"x"], [], 0, address))
attempt("bind", lambda: tcp.bind(("127.0.0.1", 0)))
attempt("bind udp", lambda: udp.bind(("127.0.0.1", 0)))
attempt("datagram pair", lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
attempt("packet pair", lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
"""
        found = run(brief_for("front", folders), code, inherit=(inherited.fileno(), datagram.fileno())).found
        inherited.close()
        datagram.close()
    assert found.pop("socket 16 1", "EPERM") in REFUSED
    refused(found)


def test_it_starts_nothing(folders: Path) -> None:
    code = """
import subprocess
attempt("fork", os.fork)
attempt("vfork and exec", lambda: subprocess.Popen(["/bin/true"]))
attempt("spawn", lambda: os.posix_spawn("/bin/true", ["true"], {}))
attempt("exec", lambda: os.execv("/bin/true", ["true"]))
attempt("exec itself", lambda: os.execv(sys.executable, [sys.executable]))
"""
    refused(run(brief_for("front", folders), code).found)


def test_it_sets_no_limit_and_no_pace_for_others(folders: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as worker:
        before = resource.prlimit(worker.pid, resource.RLIMIT_NOFILE)
        code = f"""
import fcntl, resource, struct
other = {worker.pid}
near, far = socket.socketpair()
for limit in (resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_AS):
    attempt(f"limit {{limit}}", lambda: resource.prlimit(other, limit, (3, 3)))
attempt("processors", lambda: os.sched_setaffinity(other, {{0}}))
attempt("priority", lambda: os.setpriority(os.PRIO_PROCESS, other, 19))
attempt("idle", lambda: os.sched_setscheduler(other, os.SCHED_IDLE, os.sched_param(0)))
attempt("signal by a descriptor", lambda: fcntl.fcntl(near, fcntl.F_SETOWN, other))
attempt("of this kind", lambda: fcntl.fcntl(near, 10, 9))
attempt("the same by ioctl", lambda: fcntl.ioctl(near, 0x8901, struct.pack("i", other)))
attempt("cut by path", lambda: os.truncate({str(folders / "public/gen-1/open")!r}, 0))
attempt("cut by opening", lambda: os.open({str(folders / "public/gen-1/open")!r}, os.O_RDONLY | os.O_TRUNC))
def ctypes_call(*arguments):
    import ctypes
    if ctypes.CDLL(None, use_errno=True).prctl(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "")
attempt("outlive the supervisor", lambda: ctypes_call(1, 0))
"""
        try:
            refused(run(brief_for("front", folders), code).found)
            assert resource.prlimit(worker.pid, resource.RLIMIT_NOFILE) == before
        finally:
            worker.kill()


def test_it_touches_no_other_process(folders: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as worker:
        code = f"""
import ctypes, signal
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)) < 0:
        raise OSError(ctypes.get_errno(), "")
other = {worker.pid}
for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP, 0):
    attempt(f"kill {{int(number)}}", lambda: os.kill(other, number))
attempt("kill everyone", lambda: os.kill(-1, signal.SIGTERM))
attempt("kill group", lambda: os.killpg(other, signal.SIGTERM))
attempt("supervisor", lambda: os.kill(os.getppid(), signal.SIGTERM))
attempt("pidfd", lambda: os.pidfd_open(other))
attempt("ptrace", lambda: call(101, 16, other, 0, 0))
attempt("process_vm_readv", lambda: call(310, other, 0, 0, 0, 0, 0))
attempt("process_vm_writev", lambda: call(311, other, 0, 0, 0, 0, 0))
attempt("io_uring", lambda: call(425, 8, 0))
attempt("memory", lambda: open(f"/proc/{{other}}/mem", "rb"))
attempt("descriptors", lambda: os.listdir(f"/proc/{{other}}/fd"))
attempt("queue signal", lambda: call(129, other, 15, 0))
attempt("unshare", lambda: os.unshare(os.CLONE_NEWUSER))
attempt("mount", lambda: call(165, 0, 0, 0, 0, 0))
attempt("bpf", lambda: call(321, 0, 0, 0))
attempt("dumpable", lambda: call(157, 4, 1, 0, 0, 0))
"""
        try:
            refused(run(brief_for("front", folders), code).found)
            assert worker.poll() is None
        finally:
            worker.kill()


def test_landlock_alone_keeps_signals_and_abstract_sockets_in(folders: Path) -> None:
    if restrict.survey().landlock < 6:
        pytest.skip("this kernel's Landlock has no scopes (Linux 6.12); seccomp alone refuses these")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind("\0troth-test-door")
        door.listen()
        code = """
import ctypes
sys.path.insert(0, SRC)
from troth.core.sandbox import restrict
restrict._prctl(38, 1)
restrict._landlock(restrict.Fence(), restrict.survey().landlock)
attempt("signal", lambda: os.kill(os.getppid(), 0))
attempt("abstract socket", lambda: socket.socket(socket.AF_UNIX).connect("\\0troth-test-door"))
attempt("tcp", lambda: socket.socket().connect(("127.0.0.1", 9)))
print(json.dumps(found))
""".replace("SRC", repr(str(SOURCE)))
        command = [sys.executable, "-I", "-S", "-c", TRIES + code]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    refused(json.loads(done.stdout))


def test_a_call_of_the_other_bitness_or_a_newer_kernel_is_unknown(folders: Path) -> None:
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(number):
    if libc.syscall(ctypes.c_long(number), 0, 0, 0, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "")
attempt("x32 socket", lambda: call(0x40000000 + 41))
attempt("clone3", lambda: call(435))
attempt("tomorrow's call", lambda: call(480))
"""
    assert set(run(brief_for("front", folders), code).found.values()) == {"ENOSYS"}


def test_no_capability_is_left(folders: Path) -> None:
    code = """
import ctypes, struct
header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
sets = ctypes.create_string_buffer(24)
ctypes.CDLL(None).capget(header, sets)
found["capabilities"] = "none" if not any(sets.raw) else sets.raw.hex()
"""
    assert run(brief_for("front", folders), code).found == {"capabilities": "none"}


def test_threads_are_behind_the_fence_too(folders: Path) -> None:
    code = f"""
import threading
def inside():
    attempt("socket", lambda: socket.socket())
    attempt("read", lambda: open({str(folders / "keys/secret")!r}))
thread = threading.Thread(target=inside); thread.start(); thread.join()
"""
    refused(run(brief_for("front", folders), code).found)


def test_it_may_still_do_its_work(folders: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = f"""
listener = socket.socket(fileno={listener.fileno()})
import threading
def visit():
    pass
attempt("pair", lambda: [end.close() for end in socket.socketpair()])
attempt("thread", lambda: threading.Thread(target=visit).start())
attempt("random", lambda: os.urandom(8))
attempt("import", lambda: __import__("msgspec"))
attempt("crypto", lambda: __import__("cryptography.hazmat.primitives.hpke"))
listener.settimeout(30)
caller, _ = listener.accept()
attempt("answer", lambda: caller.sendall(b"hello"))
caller.close()
"""
        with socket.create_connection(listener.getsockname()) as visitor:
            found = run(brief_for("front", folders), code, inherit=(listener.fileno(),)).found
            assert visitor.recv(5) == b"hello"
    assert set(found.values()) == {"ALLOWED"}, found


def test_a_site_inside_the_codes_folder_is_refused(folders: Path) -> None:
    from troth.supervisor import apply_fence

    inside = brief_for("front", folders, path=[str(folders.parent)])
    with pytest.raises(restrict.FenceError, match="is inside"):
        apply_fence.fence(inside)


def test_where_the_kernel_cannot_hold_it_the_fence_is_not_half_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    monkeypatch.setattr(restrict, "survey", lambda: restrict.Survey("riscv64", False, 0))
    monkeypatch.setattr(restrict, "_prctl", lambda *_: taken.append("prctl"))
    monkeypatch.setattr(restrict, "drop_capabilities", lambda: taken.append("capabilities"))
    with pytest.raises(restrict.FenceError) as refusal:
        restrict.confine(restrict.Fence())
    assert not taken
    assert "best-effort" in refusal.value.mend
    lacking = restrict.confine(restrict.Fence(), best_effort=True)
    assert any("seccomp" in what for what in lacking) and any("Landlock" in what for what in lacking)


def test_a_shell_in_the_sandbox_is_as_captive(folders: Path) -> None:
    tries = f"cat {folders}/keys/secret; cat {folders}/spool/*.seg; echo x > {folders}/data/new; kill -9 {os.getpid()}"
    tries += "; exec 3<>/dev/tcp/127.0.0.1/25; cat " + str(folders / "public/gen-1/open")
    command = (
        f"from troth.supervisor.sandbox_shell import main; main(__import__('pathlib').Path({str(folders)!r}), 'front', "
    )
    command += f"['/bin/bash', '-c', {tries!r}])"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "anyone's", done.stderr
    # bash words a refusal in the reader's language: count them instead
    assert len([line for line in done.stderr.splitlines() if line]) >= 5, done.stderr
    assert not (folders / "data/new").exists()
    assert signal.SIGKILL  # this process is still here to say so
