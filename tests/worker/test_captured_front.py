"""What a captured front may put into the spool: none of it stops intake, fills the disk or keeps a key alive."""

import os
from datetime import timedelta

import pytest

from tests.conftest import both
from tests.worker.test_intake import confirm_link, drain, signup
from troth.core import clock
from troth.core.epochs import ends_at, epoch_of
from troth.core.ids import new_id
from troth.newsletter import services as letters
from troth.newsletter.entry import Signup
from troth.newsletter.models import Request, Subscription
from troth.vault.envelope import OpeningKey
from troth.vault.models import AsideItem, Person, Position, Record
from troth.worker import failed_items, intake, publish
from troth.worker.intake import Intake, NotNow

ANYTHING = [OverflowError, AttributeError, RecursionError, IndexError, ArithmeticError, RuntimeError]


def head(epoch, schema=1, purpose=1):
    """The head of an envelope, as anyone can write it, and no envelope behind it."""
    return bytes([1, purpose]) + epoch.to_bytes(2) + bytes([schema]) + new_id().bytes + os.urandom(1200)


@pytest.mark.parametrize("error", ANYTHING)
def test_an_entry_that_trips_over_a_mistake_of_ours_waits_aside(site, monkeypatch, error):
    file = letters.file_signups

    def trips(batch):
        if any(one.entry.email.reveal().startswith("poison") for one in batch):
            raise error("somebody's detail")
        return file(batch)

    monkeypatch.setitem(intake._FILERS, Signup, trips)
    site.submit(signup("ada@example.com"), signup("poison@example.com"), signup("bob@example.com"))
    drain()
    assert Person.objects.count() == 2
    assert AsideItem.objects.get().reason == AsideItem.Reason.REFUSED
    monkeypatch.undo()


@both
def test_a_damaged_record_holds_up_nobody_but_its_person(site):
    site.submit(signup("ada@example.com"))
    drain()
    site.submit(signup("ada@example.com", "Ada Newer"))
    drain()
    Record.objects.filter(kind="details").update(box=b"\x01" + bytes(60))
    site.submit(confirm_link(Request.objects.order_by("created_at", "id").last()), signup("bob@example.com"))
    drain()
    assert Person.objects.count() == 2
    assert AsideItem.objects.get().reason == AsideItem.Reason.REFUSED


def test_epochs_that_have_not_come_are_not_kept_alive_by_forged_envelopes(site):
    site.submit(signup("ada@example.com"))
    drain()
    epoch = epoch_of(clock.now())
    site.spooled(*(head(later) for later in range(epoch + 1, epoch + 4)))
    site.next_segment()
    drain()
    assert list(AsideItem.objects.order_by("offset").values_list("epoch", flat=True)) == [epoch + 1, None, None]
    with clock.hold(ends_at(epoch) + timedelta(hours=1)):
        publish.ensure_key(epoch + 1)
        publish.publish()
        Intake().retry_aside()
        assert not AsideItem.objects.filter(epoch=epoch + 1).exists()


def test_junk_is_kept_up_to_a_limit_and_counted_beyond(site, monkeypatch):
    epoch = epoch_of(clock.now())
    monkeypatch.setattr(failed_items, "MOST_JUNK", 10)
    site.submit(signup("ada@example.com"))
    site.spooled(*(head(epoch) for _ in range(30)))
    site.submit(signup("bob@example.com"))
    drain()
    assert Person.objects.count() == 2 and Subscription.objects.count() == 2
    assert len(list((site.data / "aside").iterdir())) == AsideItem.objects.filter(kept=True).count() == 10


def _signups(site, count):
    site.submit(*(signup(f"visitor{n}@example.com") for n in range(count)))


@pytest.mark.parametrize("fault", ["wrong", "lost"])
def test_what_an_honest_front_made_is_never_junk_whatever_ails_the_key(site, monkeypatch, fault):
    """WALL 4: with a wrong or a lost key all of it waits, aside as far as there is room, then in the spool."""
    monkeypatch.setattr(failed_items, "MOST_JUNK", 2)
    monkeypatch.setattr(failed_items, "MOST_WAITING", 5)
    monkeypatch.setattr(intake, "BATCH", 3)
    _signups(site, 12)
    path = site.seal_keys / f"{epoch_of(clock.now())}.key"
    right = path.read_bytes()
    path.write_bytes(OpeningKey.generate()) if fault == "wrong" else path.unlink()
    with pytest.raises(NotNow) as waits:
        drain()
    assert "keys/seal/" in waits.value.cause.mend and AsideItem.objects.filter(kept=True).count() <= 5
    path.write_bytes(right)
    Intake().retry_aside()
    drain()
    assert Person.objects.count() == 12


def test_what_a_newer_version_made_waits_and_is_not_junk(site, monkeypatch):
    epoch = epoch_of(clock.now())
    monkeypatch.setattr(failed_items, "MOST_JUNK", 2)
    site.submit(signup("ada@example.com"))
    site.spooled(*(head(epoch, schema=200) for _ in range(8)))
    drain()
    assert AsideItem.objects.filter(kept=True).count() == 8


def test_a_spool_that_was_emptied_while_the_clock_ran_ahead_is_read_all_the_same(site):
    """Numbers of segments follow the clock where a spool is new: what comes later may carry a lower one."""
    site.submit(signup("ada@example.com"))
    drain()
    Position.objects.update(segment=1 << 50, offset=4096)
    site.submit(signup("bob@example.com"))
    drain()
    assert Person.objects.count() == 2
    assert Position.objects.get().segment < 1 << 50
