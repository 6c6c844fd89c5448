"""The ends of the ledger that runs of proofs wrote down: what was cut or made anew is seen, a restored copy is not."""

import os
import uuid

import pytest

from tests.conftest import both
from troth.core.purpose import Reason
from troth.vault import ledger
from troth.vault.ledger_heads import NAME, Heads
from troth.vault.models import LedgerHead, LedgerRow


def written(count):
    for _ in range(count):
        ledger.write(Reason.SHOW_PERSON, "worker", [uuid.uuid4()])


def cut(to):
    """As whoever can write to the database would do it: the chain that is left verifies."""
    LedgerRow.objects.filter(number__gt=to).delete()
    LedgerHead.objects.update(number=to, link=LedgerRow.objects.get(number=to).link)
    assert ledger.verify_chain() == []


@both
def test_a_ledger_that_was_cut_and_written_again_is_not_what_an_earlier_run_had_seen(site):
    heads = Heads(site.people_keys)
    assert heads.faults() == []
    written(5)
    heads.note()
    written(3)
    assert heads.faults() == []
    cut(2)
    assert [fault.number for fault in heads.faults()] == [5]
    written(9)  # as long as before, and longer
    assert ledger.verify_chain() == []
    assert [fault.number for fault in heads.faults()] == [5]


def test_a_row_whose_content_was_forgotten_in_time_is_still_that_row(site):
    written(2)
    heads = Heads(site.people_keys)
    heads.note()
    LedgerRow.objects.update(content=None, salt=None, ends_at="2020-01-01")
    assert heads.faults() == []


def test_a_restored_copy_is_an_older_ledger_by_right_and_is_asked_for_what_it_has(site):
    heads = Heads(site.people_keys)
    written(3)
    heads.note()
    written(4)
    heads.note()
    cut(5)
    heads.note(restored=True)
    assert heads.faults() == []
    assert heads.restored().number == 5
    written(4)
    heads.note()
    assert heads.faults() == []
    cut(2)  # nobody restored that
    assert {fault.number for fault in heads.faults()} == {3, 5, 9}


def test_a_line_that_was_changed_or_taken_out_is_seen_and_a_torn_one_is_not_believed(site):
    heads, path = Heads(site.people_keys), site.people_keys / NAME
    for _ in range(3):
        written(2)
        heads.note()
    whole = path.read_text()
    path.write_text(whole + "2026-11-25T09:00:00+00:00 run 99 ab")
    assert heads.faults() == []
    written(1)
    heads.note()
    assert heads.faults() == [] and len(path.read_text().splitlines()) == 4
    first, second, *rest = path.read_text().splitlines(keepends=True)
    for changed in (
        [second, *rest],
        [first, *rest],
        [first.replace(" run 2 ", " restored 2 "), second, *rest],
        ["x\n"],
    ):
        path.write_text("".join(changed))
        assert [fault.number for fault in heads.faults()] == [0], changed


def test_a_link_that_lies_there_is_not_followed(site, tmp_path):
    (site.people_keys / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        Heads(site.people_keys).note()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_belongs_to_whom_the_folder_belongs(site):
    os.chown(site.people_keys, 4711, 4712)
    Heads(site.people_keys).note()
    there = (site.people_keys / NAME).stat()
    assert (there.st_uid, there.st_gid) == (4711, 4712)
