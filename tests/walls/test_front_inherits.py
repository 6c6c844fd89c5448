"""WALL 1, what a front inherits: no descriptor of its own leads out, and the line to the clerk alters nothing.

`test_front_fence.py` shows that it cannot open anything; here it is handed things, as a slip of ours might.
"""

import os
import socket
from pathlib import Path

import psutil
import pytest

from tests.clerk.running import RunningClerk
from tests.walls.prison import brief_for, run
from tests.worker import served
from troth.clerk import protocol
from troth.core import frames as journal

pytestmark = pytest.mark.walls
REFUSED = {"EPERM", "EACCES"}


def test_a_unix_socket_that_slipped_in_reaches_no_path(folders: Path, tmp_path: Path) -> None:
    with (
        socket.socket(socket.AF_UNIX) as door,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as letterbox,
        socket.socket(socket.AF_UNIX) as stream,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram,
    ):
        door.bind(str(tmp_path / "door"))
        door.listen()
        letterbox.bind(str(tmp_path / "letterbox"))
        letterbox.setblocking(False)
        code = f"""
stream = socket.socket(fileno={stream.fileno()})
datagram = socket.socket(fileno={datagram.fileno()})
attempt("connect", lambda: stream.connect({str(tmp_path / "door")!r}))
attempt("connect datagram", lambda: datagram.connect({str(tmp_path / "letterbox")!r}))
attempt("sendto", lambda: datagram.sendto(b"x", {str(tmp_path / "letterbox")!r}))
attempt("sendmsg", lambda: datagram.sendmsg([b"x"], [], 0, {str(tmp_path / "letterbox")!r}))
attempt("pass a descriptor", lambda: socket.send_fds(stream, [b"x"], [0]))
attempt("bind", lambda: stream.bind({str(tmp_path / "mine")!r}))
attempt("bind abstract", lambda: stream.bind("\\0troth-mine"))
"""
        found = run(brief_for("front", folders), code, inherit=(stream.fileno(), datagram.fileno())).found
        assert set(found.values()) <= REFUSED, found
        with pytest.raises(BlockingIOError):
            letterbox.recv(10)
    assert not (tmp_path / "mine").exists()


def test_a_file_that_slipped_in_for_reading_cannot_be_opened_anew_for_writing(folders: Path) -> None:
    frame = folders / "spool/0000000000000001.seg"
    descriptor = os.open(frame, os.O_RDONLY)
    try:
        code = f"""
attempt("by its descriptor", lambda: open("/proc/self/fd/{descriptor}", "r+b"))
attempt("by /dev/fd", lambda: open("/dev/fd/{descriptor}", "r+b"))
attempt("by its path", lambda: open({str(frame)!r}, "r+b"))
"""
        found = run(brief_for("front", folders), code, inherit=(descriptor,)).found
    finally:
        os.close(descriptor)
    assert set(found.values()) <= REFUSED, found
    assert frame.read_bytes() == b"acknowledged"


def test_what_it_shares_with_others_it_cannot_break(folders: Path) -> None:
    """A listener and a line outlive the front that holds them: shut down by one, they would be so for its successor."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with socket.create_server(("127.0.0.1", 0)) as listener, near, far:
        code = f"""
for name, number in (("listener", {listener.fileno()}), ("line", {near.fileno()})):
    held = socket.socket(fileno=number)
    attempt("shut down " + name, lambda: held.shutdown(socket.SHUT_RDWR))
    attempt("options of " + name, lambda: held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1))
"""
        found = run(brief_for("front", folders), code, inherit=(listener.fileno(), near.fileno())).found
        assert set(found.values()) <= REFUSED, found
        socket.create_connection(listener.getsockname(), 5).close()
        near.send(b"still here")
        assert far.recv(20) == b"still here"


def test_the_log_that_it_writes_to_keeps_what_it_has(folders: Path) -> None:
    log = os.open(folders / "troth.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(log, b"what was said before\n")
        code = f"""
import ctypes, fcntl
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)) < 0:
        raise OSError(ctypes.get_errno(), "")
attempt("cut", lambda: os.ftruncate({log}, 0))
attempt("no longer append", lambda: fcntl.fcntl({log}, fcntl.F_SETFL, 0))
attempt("punch a hole", lambda: call(285, {log}, 3, 0, 8))
attempt("punch a hole otherwise", lambda: fcntl.ioctl({log}, 0x4030582B, bytes(48)))
attempt("write over it", lambda: os.pwritev({log}, [b"forged"], 0, 0x20))
try:
    os.lseek({log}, 0, 0)
    os.pwrite({log}, b"said\\n", 0)
    os.write({log}, b"said\\n")
except OSError:
    pass
"""
        found = run(brief_for("front", folders), code, inherit=(log,)).found
    finally:
        os.close(log)
    assert set(found.values()) <= REFUSED, found
    assert (folders / "troth.log").read_bytes().startswith(b"what was said before\n")


def test_whatever_it_sends_on_its_line_what_was_acknowledged_stays(tmp_path: Path) -> None:
    for name in ("spool", "public"):
        (tmp_path / name).mkdir()
    clerk = RunningClerk(tmp_path)
    try:
        line = clerk.front_ends[0]
        line.setblocking(True)
        line.settimeout(10)
        line.send(protocol.submission(1, 1, b"acknowledged"))
        while (1, protocol.SYNCED) not in list(protocol.answers(line.recv(protocol.MAX_PACKET))):
            pass
        (segment,) = (tmp_path / "spool").glob("*.seg")
        before = segment.read_bytes()
        sequence = int(segment.stem, 16)
        for packet in (
            protocol.DONE + sequence.to_bytes(8),
            protocol.WAKE,
            protocol.HELLO,
            b"\0" * 200,
            before[:60_000],
        ):
            line.send(packet)
        line.send(protocol.submission(2, 1, b"the next"))
        while (2, protocol.SYNCED) not in list(protocol.answers(line.recv(protocol.MAX_PACKET))):
            pass
        after = segment.read_bytes()
        assert after.startswith(before)
        frames = journal.read(after[journal.HEADER_SIZE :], journal.HEADER_SIZE, sequence, closed=True)
        bodies = [found.body for found in frames if isinstance(found, journal.Frame)]
        assert bodies[0] == b"acknowledged" and b"the next" in bodies
    finally:
        clerk.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a process that is not dumpable")
def test_in_a_running_house_a_front_holds_nothing_but_its_lines(tmp_path: Path) -> None:
    site, address = served.make(tmp_path / "site")
    with served.serving(site, address) as house:
        port = int(address.rpartition(":")[2])
        children = psutil.Process(house.process.pid).children()
        fronts = [child for child in children if _listens(child.pid, port)]
        assert fronts
        for front in fronts:
            held = {os.readlink(path) for path in Path(f"/proc/{front.pid}/fd").iterdir()}
            files = {name for name in held if name.startswith("/")}
            assert files <= {"/dev/null", str(site.root / "troth.log")}, files
            assert not any(name.startswith(str(site.root)) and "troth.log" not in name for name in held)


def _listens(pid: int, port: int) -> bool:
    """Whether a process holds the listener on `port`."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}
    return any(os.readlink(path) in {f"socket:[{one}]" for one in inodes} for path in Path(f"/proc/{pid}/fd").iterdir())
