"""The spool's files: full disks, torn tails, numbers that never run back."""

import itertools
import os
from pathlib import Path

import pytest

from tests.clerk.running import disk_of
from troth.clerk import spool_writer as module
from troth.clerk.spent_tokens import Spent
from troth.clerk.spool_writer import Spool, SpoolFull
from troth.core import frames

QUOTAS = {1: 1 << 24, 2: 1 << 24}


def bodies(folder: Path) -> list[bytes]:
    found = []
    for sequence in frames.segments(folder):
        data = (folder / frames.segment_name(sequence)).read_bytes()[frames.HEADER_SIZE :]
        items = frames.read(data, frames.HEADER_SIZE, sequence, closed=False)
        found += [item.body for item in items if isinstance(item, frames.Frame)]
    return found


def test_a_full_disk_keeps_nothing_of_the_batch_and_all_of_what_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FULL_RETRY_SECONDS", 0.0)
    spool = Spool(tmp_path, QUOTAS)
    spool.append([(1, b"kept")])
    with disk_of(2000), pytest.raises(SpoolFull):
        spool.append([(1, b"a" * 1000), (1, b"b" * 3000)])
    assert bodies(tmp_path) == [b"kept"]
    spool.append([(1, b"room again")])
    assert bodies(tmp_path) == [b"kept", b"room again"]


def test_while_the_disk_is_full_it_is_not_asked_again_at_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, QUOTAS)
    with disk_of(10), pytest.raises(SpoolFull):
        spool.append([(1, b"x" * 100)])
    with pytest.raises(SpoolFull):
        spool.append([(1, b"y")])


def test_a_torn_tail_is_left_behind_and_the_next_clerk_begins_a_segment(tmp_path: Path) -> None:
    Spool(tmp_path, QUOTAS).append([(1, b"whole"), (1, b"torn")])
    path = tmp_path / frames.segment_name(frames.segments(tmp_path)[0])
    os.truncate(path, path.stat().st_size - 2)
    second = Spool(tmp_path, QUOTAS)
    second.append([(1, b"next")])
    assert bodies(tmp_path) == [b"whole", b"next"]
    assert len(frames.segments(tmp_path)) == 2


def test_numbers_go_on_after_a_restart_and_after_the_folder_was_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(1_800_000_000_000_000_000, 10_000_000)  # ns; 10 ms between restarts
    monkeypatch.setattr(module.time, "time_ns", lambda: next(clock))
    first = Spool(tmp_path, QUOTAS)
    first.append([(1, b"x")])
    one = frames.segments(tmp_path)[-1]
    first.remove_through(2**60)
    assert frames.segments(tmp_path) == [one]
    second = Spool(tmp_path, QUOTAS)
    second.append([(1, b"x")])
    two = frames.segments(tmp_path)[-1]
    assert two > one
    for path in tmp_path.iterdir():
        path.unlink()
    third = Spool(tmp_path, QUOTAS)
    third.append([(1, b"x")])
    assert frames.segments(tmp_path)[-1] > one


def test_segments_turn_over_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROTATE_BYTES", 1000)
    spool = Spool(tmp_path, QUOTAS)
    for _ in range(5):
        spool.append([(1, b"x" * 600)])
    assert len(frames.segments(tmp_path)) == 3


def test_room_counts_what_waits_by_kind(tmp_path: Path) -> None:
    spool = Spool(tmp_path, {1: 1000, 2: 500})
    spool.append([(1, b"x" * 100)])
    assert spool.room(1) == 1000 - 100 - frames.FRAME_OVERHEAD
    assert spool.room(2) == 500
    assert spool.room(3) == 0
    assert Spool(tmp_path, {1: 1000}).room(1) == spool.room(1)


def test_tokens_survive_a_restart_and_half_a_record(tmp_path: Path) -> None:
    path = tmp_path / "spent"
    spent = Spent(path)
    spent.add({b"a" * 16: 2**32 - 1, b"b" * 16: 1})
    with path.open("ab") as file:
        file.write(b"half")
    again = Spent(path)
    assert again.holds(b"a" * 16)
    assert not again.holds(b"b" * 16)  # its time has run out
    again.add({b"c" * 16: 2**32 - 1})
    assert Spent(path).holds(b"c" * 16)


def test_a_token_is_spent_even_where_the_disk_is_full(tmp_path: Path) -> None:
    spent = Spent(tmp_path / "spent")
    with disk_of(30):
        spent.add({b"a" * 16: 2**32 - 1, b"b" * 16: 2**32 - 1})
        assert spent.holds(b"a" * 16) and spent.holds(b"b" * 16)
    spent.add({b"c" * 16: 2**32 - 1})
    assert Spent(tmp_path / "spent").holds(b"c" * 16)


def test_a_segment_with_frames_can_be_closed_at_once_and_then_removed_whoever_wrote_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path, QUOTAS)
    spool.rotate()
    assert frames.segments(tmp_path) == []  # nothing there, nothing begun
    spool.append([(1, b"erased")])
    read = frames.segments(tmp_path)[-1]
    spool.remove_through(read)
    assert bodies(tmp_path) == [b"erased"]
    spool.rotate()
    spool.rotate()
    assert len(frames.segments(tmp_path)) == 2
    spool.remove_through(read)
    assert bodies(tmp_path) == []
    spool.append([(1, b"next")])
    again = Spool(tmp_path, QUOTAS)  # a clerk that starts again
    again.rotate()
    again.remove_through(frames.segments(tmp_path)[-2])
    assert bodies(tmp_path) == []
