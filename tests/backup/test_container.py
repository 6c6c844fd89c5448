"""A chest tells what was cut off, put in another order, changed by a bit, or is somebody else's."""

import io
import uuid

import pytest

from troth.backup.container import _BLOCK, BackupHeader, BackupKind, BackupReader, Writer
from troth.backup.errors import Altered, BackupError, Foreign, TooNew, Truncated, WrongKey
from troth.backup.recovery_key import RecoveryKey
from troth.core import clock

KEY = RecoveryKey.generate()
CONTENT = {"manifest.json": b"{}", "data/troth.sqlite3": bytes(range(256)) * 4096 * 3, "policy.md": b"# Policy\n"}


@pytest.fixture(scope="module")
def written():
    """The bytes of a chest of four blocks."""
    file = io.BytesIO()
    writer = Writer(file, BackupHeader(BackupKind.DATA, uuid.uuid4(), clock.now(), KEY.public().mark), KEY.public())
    for name, data in CONTENT.items():
        writer.member(name, iter([data]))
    writer.close()
    return file.getvalue()


def opened(tmp_path, data, key=KEY):
    path = tmp_path / "one.troth"
    path.write_bytes(data)
    with BackupReader(path, key) as reader:
        return {name: b"".join(parts) for name, parts in reader.members()}


def test_what_went_in_comes_out(tmp_path, written):
    assert opened(tmp_path, written) == CONTENT


def test_nothing_of_it_can_be_read_without_the_key(written):
    assert b"troth.sqlite3" not in written and b"# Policy" not in written
    assert CONTENT["data/troth.sqlite3"][:64] not in written


def test_cut_short_anywhere_it_is_told(tmp_path, written):
    size = len(written)
    places = {*range(0, 60), size // 3, size // 2, size - _BLOCK, size - 17, size - 1}
    for place in sorted(places):
        with pytest.raises((Truncated, Foreign)):
            opened(tmp_path, written[:place])


def test_cut_at_the_end_of_a_block_it_is_told(tmp_path, written):
    first = len(written) - sum(len(block) for block in blocks(written)[1])
    with pytest.raises(Truncated):
        opened(tmp_path, written[: first + len(blocks(written)[1][0])])


def blocks(written):
    """The head, and each block with its length."""
    start = 44 + int.from_bytes(written[42:44])
    head, found = written[:start], []
    while start < len(written):
        end = start + 4 + int.from_bytes(written[start : start + 4])
        found.append(written[start:end])
        start = end
    return head, found


@pytest.mark.parametrize("place", [*range(9, 60, 7), 300, 1100, 1300, 5000, -20, -1])
def test_a_changed_bit_is_told(tmp_path, written, place):
    changed = bytearray(written)
    changed[place] ^= 4
    with pytest.raises(BackupError):
        opened(tmp_path, bytes(changed))


def test_another_order_is_told(tmp_path, written):
    head, (one, two, *rest) = blocks(written)
    with pytest.raises(Altered):
        opened(tmp_path, b"".join((head, two, one, *rest)))
    with pytest.raises(Altered):
        opened(tmp_path, b"".join((head, two, *rest)))


def test_what_stands_behind_the_end_is_told(tmp_path, written):
    with pytest.raises(Altered):
        opened(tmp_path, written + b"more")


def test_a_foreign_file_and_a_later_format_are_told(tmp_path, written):
    with pytest.raises(Foreign, match="not a Troth backup"):
        opened(tmp_path, b"PK\x03\x04" + written)
    with pytest.raises(TooNew):
        opened(tmp_path, written[:8] + b"\x02" + written[9:])


def test_another_recovery_key_is_told(tmp_path, written):
    with pytest.raises(WrongKey, match="another recovery key"):
        opened(tmp_path, written, RecoveryKey.generate())


def test_the_recovery_key_survives_paper():
    one, two = KEY.lines()
    assert RecoveryKey.read(f"{one.lower()}-\n {two}").seed == KEY.seed
    assert RecoveryKey.read(f"{one} {two}".replace("0", "o").replace("1", "l")).seed == KEY.seed
    assert len(one) == len(two) == 34


def test_a_slip_of_the_pen_is_told():
    text = " ".join(KEY.lines())
    for place in range(0, len(text), 5):
        wrong = text[:place] + ("Z" if text[place] != "Z" else "Y") + text[place + 1 :]
        with pytest.raises(WrongKey) as told:
            RecoveryKey.read(wrong)
        assert wrong not in str(told.value)
    with pytest.raises(WrongKey, match="56"):
        RecoveryKey.read(text[:-1])
    with pytest.raises(WrongKey):
        RecoveryKey.read(text[:-1] + "!")
