"""What a process behind its fence was refused stands in the kernel's log, and is found there by its process id."""

import os
from collections import Counter

import pytest

from tests.walls.prison import brief_for, run
from troth.supervisor import refused_calls

LINE = (
    'audit: type=1326 audit(1700000000.1:2): auid=4294967295 uid=993 gid=989 ses=4294967295 pid={} comm="python" '
    'exe="/usr/bin/python3" sig=0 arch=c000003e syscall={} compat=0 ip=0x7f code=0x50000'
)


@pytest.fixture
def log(tmp_path, monkeypatch):
    """The kernel's log, with nothing of auditd's."""
    monkeypatch.setattr(refused_calls, "_KERNEL", tmp_path / "kmsg")
    monkeypatch.setattr(refused_calls, "_AUDITD", tmp_path / "audit.log")
    monkeypatch.setattr(refused_calls, "_lines", lambda: (tmp_path / "kmsg").read_text().splitlines())
    monkeypatch.setattr(refused_calls.platform, "machine", lambda: "x86_64")
    return tmp_path / "kmsg"


def test_calls_are_named_and_counted_for_each_process_of_the_site(log):
    log.write_text(
        "\n".join([LINE.format(7, 41), LINE.format(7, 41), LINE.format(8, 101), LINE.format(9, 62), "other"])
    )
    assert refused_calls.calls({7: "front 0", 8: "worker"}) == Counter(
        {("front 0", "socket"): 2, ("worker", "ptrace"): 1}
    )


def test_a_number_that_nobody_knows_is_told_as_it_is(log):
    log.write_text(LINE.format(7, 999))
    assert refused_calls.calls({7: "front 0"}) == Counter({("front 0", "number 999"): 1})


def test_where_there_is_no_log_to_read_nothing_is_claimed(tmp_path, monkeypatch):
    monkeypatch.setattr(refused_calls, "_KERNEL", tmp_path / "none")
    assert refused_calls.calls({7: "front 0"}) is None


@pytest.mark.walls
def test_this_kernel_writes_it_down(tmp_path):
    """With what the front is refused for real. A kernel without audit, and who is not root, have no such log."""
    (tmp_path / "public").mkdir()
    code = "attempt('socket', socket.socket)\nfound['pid'] = str(os.getpid())"
    pid = int(run(brief_for("front", tmp_path), code).found["pid"])
    found = refused_calls.calls({pid: "front 0"})
    if found is None or os.geteuid() != 0:
        pytest.skip("the kernel's log cannot be read here")
    if not any("audit" in line for line in refused_calls._lines()):
        pytest.skip("this kernel writes no audit lines")
    assert found["front 0", "socket"] == 1
