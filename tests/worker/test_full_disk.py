"""A disk that is full while the worker files: nothing is half filed, and everything is once there is room.

The disk is played by RLIMIT_FSIZE, a limit on how long any file may grow: whichever file the batch needs next fails.
"""

import errno

import pytest

from tests.clerk.running import disk_of
from tests.worker.test_intake import drain, signup
from troth.core.personal import EmailAddress
from troth.gate.models import Delivery
from troth.newsletter.models import Request
from troth.vault.keeper import keeper
from troth.vault.models import Person
from troth.worker import failed_items
from troth.worker.intake import Intake, NotNow

COUNT = 60


@pytest.mark.parametrize("size", [64, 1_000, 4_096, 20_000, 40_000, 60_000])
def test_a_batch_that_finds_the_disk_full_waits_and_is_then_filed_once(site, size):
    site.submit(*(signup(f"p{number}@example.com") for number in range(COUNT)))
    intake = Intake()
    keeper().check()
    with disk_of(size), pytest.raises(NotNow):
        while intake.turn().moved:
            pass
    assert Request.objects.count() == Delivery.objects.count()
    drain()
    assert Request.objects.count() == Person.objects.count() == Delivery.objects.count() == COUNT
    assert keeper().find("worker", EmailAddress("p7@example.com")) is not None


def test_what_cannot_be_set_aside_for_want_of_room_is_not_passed_over(site, monkeypatch):
    site.spooled(b"no envelope", kind=1)
    site.submit(signup("ada@example.com"))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(NotNow):
        patch.setattr(failed_items, "write_synced", full)
        drain()
    assert Request.objects.count() == 0
    drain()
    assert Request.objects.count() == 1
    assert len(list((site.data / "aside").iterdir())) == 1
