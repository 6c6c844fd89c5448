"""What the tripwire writes down: who is armed, what was refused by which line, and never a destination."""

import json
import os
import subprocess
import sys

import pytest

from troth.core.purpose import Purpose
from troth.gate import tripwire, tripwire_log
from troth.gate.doors import Door

ARMED = """
import socket, sys
from pathlib import Path
from troth.gate import tripwire
tripwire.arm([], Path(sys.argv[1]))
try:
    socket.create_connection(("secret-host.example.org", 25))
except tripwire.WireTripped:
    print("refused")
"""


def test_an_attempt_is_noted_with_its_line_and_without_its_destination(tmp_path):
    note = tripwire_log.path(tmp_path, "worker")
    done = subprocess.run([sys.executable, "-c", ARMED, str(note)], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"
    pid, refused = tripwire_log.read(note)
    assert pid > 0
    assert [one.attempt for one in refused] == ["look a name up | <string>:7"]
    assert "secret-host" not in note.read_text()


def test_who_armed_last_is_named(tmp_path):
    note = tripwire_log.path(tmp_path, "office")
    assert tripwire_log.read(note) == (0, [])
    tripwire_log.note_armed(note)
    pid, refused = tripwire_log.read(note)
    assert (pid, refused) == (__import__("os").getpid(), [])


def test_what_is_torn_or_foreign_in_it_is_left_out(tmp_path):
    note = tmp_path / "wire-worker"
    note.write_bytes(b"armed 12 77\nrefused x connect | a.py:1\nrefused 5 connect | b.py:2\n\xff\xfe\narmed 9")
    pid, refused = tripwire_log.read(note)
    assert pid == 77
    assert [(one.at_ms, one.attempt) for one in refused] == [(5, "connect | b.py:2")]


@pytest.mark.parametrize("plant", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.mkdir()])
def test_what_was_planted_in_its_place_is_not_read(tmp_path, plant):
    note = tripwire_log.path(tmp_path, "office")
    plant(note)
    tripwire_log.note_armed(note)
    tripwire_log.note_refused(note, "connect to an address", "x.py:1")
    assert tripwire_log.read(note) == (0, [])


def test_a_flood_does_not_fill_the_disk(tmp_path):
    note = tmp_path / "wire-worker"
    note.write_bytes(b"refused 5 connect to an address | newsletter/services.py:12\n" * 20_000)
    size = note.stat().st_size
    tripwire_log.note_refused(note, "connect to an address", "b.py:2")
    assert note.stat().st_size == size
    tripwire_log.note_armed(note)
    assert note.stat().st_size < 20_000
    assert tripwire_log.read(note)[0] > 0


def test_where_nothing_may_be_written_the_refusal_stands(tmp_path):
    tripwire_log.note_refused(tmp_path / "none" / "wire-worker", "connect", "a.py:1")
    assert not (tmp_path / "none").exists()


OVERHEARD = """
import json, socket, sys
from troth.gate import tripwire
from troth.gate.doors import Door
from troth.core.purpose import Purpose
listening = socket.create_server(("127.0.0.1", 0))
port = listening.getsockname()[1]
ours = Door("own", "", Purpose.ADMINISTRATION, frozenset(), "127.0.0.1", port, "none-loopback")
def reach(port):
    try:
        socket.socket().connect(("127.0.0.1", port))
    except OSError:
        pass
with tripwire.overheard([ours]) as places:
    reach(port)
    first = len(places)
    reach(9)
reach(9)
print(json.dumps([first, places]))
"""


def test_a_proof_overhears_who_is_reached_beyond_its_own_doors_and_stops_nobody():
    done = subprocess.run([sys.executable, "-c", OVERHEARD], capture_output=True, text=True, check=True)
    first, places = json.loads(done.stdout)
    assert first == 0
    assert places == ["<string>:11"]


def test_a_door_is_what_it_was():
    door = Door("own", "", Purpose.ADMINISTRATION, frozenset(), "127.0.0.1", 5, "none-loopback")
    assert tripwire._Wire([door]).may_reach(("127.0.0.1", 5))
