"""What a stopped restore leaves: nothing serves a half-restored site, and what is left of a whole one goes."""

import fcntl
import os

import pytest

from troth.core.errors import TrothError
from troth.core.site import Site
from troth.core.site_files import restore_marker


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path / "site")
    made.data.mkdir(parents=True)
    for left in (made.root / ".restore-17", made.root / restore_marker.BEFORE, tmp_path / ".site.restore"):
        (left / "keys").mkdir(parents=True)
        (left / "keys" / "slots").write_bytes(b"secret")
    return made


def test_while_the_marker_is_there_nothing_serves_and_nothing_is_removed(site):
    site.restoring.write_text("")
    with pytest.raises(TrothError, match="nothing runs"):
        restore_marker.check(site)
    assert restore_marker.clear(site) == [] and len(restore_marker.remains(site)) == 3


def test_without_it_what_was_left_goes(site):
    restore_marker.check(site)
    assert len(restore_marker.clear(site)) == 3
    assert restore_marker.remains(site) == [] and list(site.root.parent.glob(".*")) == []


def test_a_restore_that_is_at_work_keeps_its_stage(site):
    lock = os.open(site.data / "worker.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert restore_marker.clear(site) == [] and len(restore_marker.remains(site)) == 3
    os.close(lock)
    assert len(restore_marker.clear(site)) == 3
