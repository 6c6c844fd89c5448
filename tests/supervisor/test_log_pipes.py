"""What a process says comes into the log by a pipe of its own: bounded, in whole lines, and nobody is ended by it."""

import os
import selectors
import subprocess
import sys
import time

import pytest

from troth.supervisor import log_pipes
from troth.supervisor.log_pipes import BURST, LONGEST, Pipe, Pipes


@pytest.fixture
def log():
    return []


@pytest.fixture
def pipe(log):
    """A pipe, and the end on which its process would write."""
    made = Pipe("front 0", log.append)
    made.says, made.heard = made.ends()
    yield made
    for descriptor in (made.says, made.heard):
        os.close(descriptor)


def say(pipe, what: bytes) -> None:
    """Say it as far as the pipe takes it at once, and have it brought, until all is said."""
    view = memoryview(what)
    while view:
        view = view[os.write(pipe.says, view[:60_000]) :]
        assert pipe.follow()


def test_lines_come_whole_whatever_the_parts(pipe, log):
    for part in (b"one\ntw", b"o\n", b"three"):
        say(pipe, part)
    assert log == [b"one\n", b"two\n"]
    pipe.close()
    assert log[2:] == [b"three\n"]


def test_a_line_that_does_not_end_is_cut_once(pipe, log):
    say(pipe, b"x" * 300_000 + b" the rest\nnext\n")
    assert log == [b"x" * LONGEST + b" [...]\n", b"next\n"]


def test_control_characters_are_shown_and_nobody_speaks_for_the_supervisor(pipe, log):
    say(pipe, b"\x1b[2Jgone\r\tkept\x7f\ntroth: the worker is heard again\n")
    assert log == [b"?[2Jgone?\tkept?\n", b"> troth: the worker is heard again\n"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("\x9b2Jgone\x85", "?2Jgone?"),
        ("\u202egnihton", "?gnihton"),
        ("one\u2028two", "one?two"),
        ("\u200btroth: all is well", "?troth: all is well"),
        (" troth: all is well", ">  troth: all is well"),
        ("Zoë 日本 ✓", "Zoë 日本 ✓"),
    ],
)
def test_so_are_those_beyond_ascii(pipe, log, said, kept):
    say(pipe, said.encode() + b"\n")
    assert log == [kept.encode() + b"\n"]


def test_bytes_that_are_no_text_are_shown_too(pipe, log):
    say(pipe, b"\x9b2J\xff\n")
    assert log == ["\ufffd2J\ufffd\n".encode()]


def test_a_flood_is_bounded_and_told(pipe, log, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(log_pipes.time, "monotonic", lambda: now[0])
    fresh = Pipe("worker", log.append)
    fresh.says, fresh.heard = fresh.ends()
    say(fresh, b"one\n" + b"y" * 99 + b"\n")
    say(fresh, (b"y" * 99 + b"\n") * 40_000)
    kept = sum(len(line) for line in log if not line.startswith(b"troth: "))
    assert kept <= BURST and fresh.is_spent
    now[0] += 30
    say(fresh, b"again\n")
    assert b"again\n" in log
    told = [line for line in log if line.startswith(b"troth: the worker logged more than the limit allows: ")]
    assert told and sum(int(line.split()[9]) for line in told) + len(log) - len(told) == 40_003
    os.close(fresh.says)
    os.close(fresh.heard)
    fresh.close()


def test_who_says_too_much_is_not_listened_to_for_a_while_and_who_ends_is_forgotten(log):
    with selectors.DefaultSelector() as selector:
        pipes = Pipes(selector, log.append)
        pipe = pipes.open("front 0")
        says, heard = pipe.ends()
        for _ in range(2 * BURST // 60_000 + 1):
            os.write(says, b"z" * 59_999 + b"\n")
            for key, _ in selector.select(0):
                key.data()
        flood = [b"q" * 4000 + b"\n"] * 200
        for line in flood:
            os.write(says, line)
            for key, _ in selector.select(0):
                key.data()
            if not selector.get_map():
                break
        assert not selector.get_map() and pipes.wake() < 1
        time.sleep(0.06)
        pipes.wake()
        assert selector.get_map()
        os.close(says)
        deadline = time.monotonic() + 5
        while (selector.get_map() or pipes.wake() < 1) and time.monotonic() < deadline:
            for key, _ in selector.select(0.01):
                key.data()
        assert not selector.get_map(), "an end that is closed is readable for ever"
        os.close(heard)
        pipes.close(pipe)


def test_its_end_in_the_process_cannot_make_the_supervisor_wait(pipe):
    os.set_blocking(pipe.heard, True)
    os.set_blocking(pipe.says, True)
    assert not os.get_blocking(pipe.reads)
    assert pipe.follow()  # nothing is there to be read


def test_who_says_something_when_the_supervisor_is_gone_is_not_ended_by_it(log):
    pipe = Pipe("worker", log.append)
    says, heard = pipe.ends()
    code = "import sys, time; sys.stdin.read(); print('last words', file=sys.stderr, flush=True); print('done')"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=says, pass_fds=[heard]
    )
    os.close(says)
    os.close(heard)
    os.close(pipe.reads)  # as when the supervisor is killed
    assert child.communicate(b"", timeout=30)[0] == b"done\n" and child.returncode == 0
