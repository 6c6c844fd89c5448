"""Frames come back as they were written; whatever happens to the bytes, no false frame is ever read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.core import frames as journal
from troth.core.frames import FRAME_OVERHEAD, HEADER_SIZE, MARKER, MAX_BODY, Damage, Frame

# Bodies that look like frames' beginnings are where a reader would go wrong.
bodies = st.one_of(
    st.binary(max_size=80),
    st.lists(st.sampled_from([MARKER, MARKER[:2], b"\x01\x00\x00\x05", b"x"]), max_size=8).map(b"".join),
)
contents = st.lists(st.tuples(st.integers(1, 255), bodies), max_size=8)
sequences = st.integers(0, 2**64 - 1)


def written(sequence, content, offset=HEADER_SIZE):
    data = b""
    for kind, body in content:
        data += journal.frame(sequence, offset + len(data), kind, body)
    return data


def read(data, sequence=1, *, closed=True, offset=HEADER_SIZE):
    return list(journal.read(data, offset, sequence, closed=closed))


def frames(items):
    return {(item.offset, item.kind, item.body) for item in items if isinstance(item, Frame)}


def accounted(items, size):
    """Frames and damage lie one behind the other and cover every byte."""
    place = HEADER_SIZE
    for item in items:
        assert item.offset == place and item.end > place
        place = item.end
    assert place == HEADER_SIZE + size


@given(sequences, contents, st.booleans(), st.integers(0, 2**40))
def test_frames_come_back_as_they_were_written(sequence, content, closed, offset):
    found = read(written(sequence, content, offset), sequence, closed=closed, offset=offset)
    assert [(item.kind, item.body) for item in found] == content


@given(contents, st.integers(0, 7), st.data())
def test_a_flipped_bit_yields_the_other_frames_and_damage(content, bit, data):
    good = written(1, content)
    if not good:
        return
    place = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[place] ^= 1 << bit
    before, found = read(good), read(bytes(bad))
    hit = [item for item in before if item.offset <= HEADER_SIZE + place < item.end]
    assert frames(found) == frames(before) - frames(hit)
    assert [(item.offset, item.end) for item in found if isinstance(item, Damage)] == [(hit[0].offset, hit[0].end)]
    accounted(found, len(bad))


@settings(max_examples=200)
@given(contents, st.data())
def test_whatever_is_done_to_the_bytes_only_true_frames_are_read(content, data):
    good = written(1, content)
    bad = good
    for _ in range(data.draw(st.integers(1, 4))):
        begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(bad))] * 2)))
        act = data.draw(st.sampled_from(["flip", "cut", "repeat", "swap", "insert"]))
        piece = bad[begin:end]
        if act == "flip":
            bad = bad[:begin] + bytes(byte ^ 0x55 for byte in piece) + bad[end:]
        elif act == "cut":
            bad = bad[:begin] + bad[end:]
        elif act == "repeat":
            bad = bad[:end] + piece + bad[end:]
        elif act == "swap":
            bad = piece + bad[:begin] + bad[end:]
        else:
            bad = bad[:begin] + data.draw(bodies) + bad[begin:]
    found = read(bad)
    assert frames(found) <= frames(read(good))
    accounted(found, len(bad))


@given(contents, st.data())
def test_a_torn_tail_is_silent_while_the_segment_grows_and_damage_once_it_is_closed(content, data):
    good = written(1, [*content, (1, b"the last")])
    whole = len(written(1, content))
    torn = good[: data.draw(st.integers(whole + 1, len(good) - 1))]
    assert read(torn, closed=False) == read(good[:whole])
    assert read(torn)[-1] == Damage(HEADER_SIZE + whole, HEADER_SIZE + len(torn))


@given(contents.filter(bool), st.data())
def test_reading_may_begin_behind_any_frame(content, data):
    good = written(1, content)
    whole = read(good)
    start = data.draw(st.sampled_from(whole))
    assert read(good[start.end - HEADER_SIZE :], offset=start.end) == whole[whole.index(start) + 1 :]


def test_a_frame_copied_to_another_place_or_segment_does_not_verify():
    one = journal.frame(1, HEADER_SIZE, 1, b"sealed")
    assert read(one + one) == [
        Frame(HEADER_SIZE, HEADER_SIZE + len(one), 1, b"sealed"),
        Damage(HEADER_SIZE + len(one), HEADER_SIZE + 2 * len(one)),
    ]
    assert read(one, sequence=2) == [Damage(HEADER_SIZE, HEADER_SIZE + len(one))]


def test_a_length_that_claims_too_much_does_not_swallow_what_comes_after():
    first = bytearray(journal.frame(1, HEADER_SIZE, 1, b"one"))
    first[5:8] = (0xFFFFFF).to_bytes(3)
    second = journal.frame(1, HEADER_SIZE + len(first), 2, b"two")
    damaged, good = read(bytes(first) + second, closed=False)
    assert isinstance(damaged, Damage) and good.body == b"two"


def test_the_largest_body_fits_and_one_more_does_not():
    data = journal.frame(1, HEADER_SIZE, 255, bytes(MAX_BODY))
    assert len(data) == MAX_BODY + FRAME_OVERHEAD
    assert frames(read(data)) == {(HEADER_SIZE, 255, bytes(MAX_BODY))}
    for kind, body in ((1, bytes(MAX_BODY + 1)), (0, b""), (256, b""), (-1, b"")):
        with pytest.raises(ValueError, match="a frame has"):
            journal.frame(1, HEADER_SIZE, kind, body)


@given(sequences)
def test_a_segments_name_and_header_say_its_sequence(sequence):
    name = journal.segment_name(sequence)
    assert len(name) == 20 and int(name[:16], 16) == sequence
    head = journal.header(sequence)
    assert len(head) == HEADER_SIZE and head == journal.SEGMENT_MAGIC + sequence.to_bytes(8)


def test_segments_are_listed_in_order_and_other_files_ignored(tmp_path):
    for sequence in (256, 1, 2**60):
        (tmp_path / journal.segment_name(sequence)).touch()
    for name in ("1.seg", "0000000000000003.seg.part", "000000000000000G.seg", "0000000000000004.SEG", "done"):
        (tmp_path / name).touch()
    assert journal.segments(tmp_path) == [1, 256, 2**60]
