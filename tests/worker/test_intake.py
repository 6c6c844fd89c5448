"""Intake files what was acknowledged, once, whatever stands in the spool."""

import hashlib
import uuid

import pytest

from tests.conftest import both
from troth.core import frames as journal
from troth.core.personal import EmailAddress, PersonName
from troth.core.purpose import Reason
from troth.core.signed_links import Act
from troth.gate.models import Delivery
from troth.newsletter.entry import LinkUsed, Signup
from troth.newsletter.models import Request, Subscription
from troth.supervisor.status_file import BEAT
from troth.vault import ledger, signing_keys
from troth.vault.envelope import SealingKey
from troth.vault.errors import KeyStoreError, WrongPurpose
from troth.vault.keeper import keeper
from troth.vault.models import AsideItem, LedgerRow, Person, Position
from troth.worker import intake, timers
from troth.worker.intake import AnotherWorker, Intake, NotNow, SpoolPosition, _move, position

WORDING = hashlib.sha256(b"yes").digest()


def signup(address, name="Ada Example"):
    return Signup(EmailAddress(address), PersonName(name), wording=WORDING)


def drain():
    intake, finished = Intake(), []
    while (done := intake.turn()).moved:
        finished.append(done.finished)
    return [sequence for sequence in finished if sequence]


def confirm_link(request):
    return LinkUsed(int(Act.CONFIRM), signing_keys.signer().sign(Act.CONFIRM, request.id, request.expires_at))


def leave_link(subscription):
    return LinkUsed(int(Act.UNSUBSCRIBE), signing_keys.signer().sign(Act.UNSUBSCRIBE, subscription.id))


@both
def test_a_signup_is_filed_and_can_be_found(site):
    site.submit(signup("Ada@Example.com"))
    site.next_segment()
    assert drain() == [1]
    person = keeper().find("worker", EmailAddress(" ada@EXAMPLE.com "))
    assert person == Person.objects.get().id
    opened = keeper().open_records(Reason.SHOW_PERSON, actor="worker", person_ids=[person])
    assert opened[person][0].name.reveal() == "Ada Example"
    assert Subscription.objects.get().state == "waiting"
    assert Delivery.objects.get().state == "queued"
    assert ledger.verify_chain() == []


@both
def test_confirming_and_leaving_by_link(site):
    site.submit(signup("ada@example.com"))
    drain()
    request = Request.objects.get()
    link = confirm_link(request)
    site.submit(link, link)
    drain()
    assert Subscription.objects.get().state == "confirmed"
    site.submit(signup("ada@example.com", "Ada Newer"))
    drain()
    person = Person.objects.get().id
    shown = keeper().open_records(Reason.SHOW_PERSON, actor="worker", person_ids=[person])[person]
    assert [one.name.reveal() for one in shown] == ["Ada Example"]
    newer = Request.objects.get(state="open")
    site.submit(confirm_link(newer))
    drain()
    shown = keeper().open_records(Reason.SHOW_PERSON, actor="worker", person_ids=[person])[person]
    assert [one.name.reveal() for one in shown] == ["Ada Newer"]
    site.submit(leave_link(Subscription.objects.get()))
    drain()
    assert Subscription.objects.get().state == "left"


def test_an_old_confirm_link_does_not_bring_back_who_left(site):
    site.submit(signup("ada@example.com"))
    drain()
    link = confirm_link(Request.objects.get())
    site.submit(leave_link(Subscription.objects.get()), link)
    drain()
    assert Subscription.objects.get().state == "left"


def test_a_forged_link_changes_nothing(site):
    site.submit(signup("ada@example.com"))
    drain()
    link = confirm_link(Request.objects.get())
    site.submit(LinkUsed(link.act, link.link[:-8] + "AAAAAAAA"), LinkUsed(99, link.link))
    drain()
    assert Subscription.objects.get().state == "waiting"


@both
def test_a_replayed_envelope_is_filed_once(site):
    envelope = site.key().seal(signup("ada@example.com"))
    site.spooled(envelope, envelope)
    drain()
    site.spooled(envelope)
    drain()
    assert Request.objects.count() == 1


def test_a_frame_read_again_after_a_crash_before_the_commit_meets_the_same_person(site, monkeypatch):
    site.submit(signup("ada@example.com"))
    with monkeypatch.context() as patched:
        patched.setattr("troth.worker.intake._move", _crash)
        with pytest.raises(KeyboardInterrupt):
            Intake().turn()
    assert Person.objects.count() == 0
    drain()
    assert Person.objects.count() == 1
    assert (site.people_keys / "slots").stat().st_size == 128


def _crash(*_):
    raise KeyboardInterrupt


def test_a_second_worker_finds_the_position_moved(site):
    site.submit(signup("ada@example.com"))
    drain()
    with pytest.raises(AnotherWorker):
        _move(SpoolPosition(0, 0), SpoolPosition(5, 5))


def test_a_thousand_signups_of_one_victim_give_two_mails(site):
    site.submit(*[signup("victim@example.com") for _ in range(1000)])
    drain()
    assert Person.objects.count() == 1
    assert Delivery.objects.filter(state="queued").count() == 2
    assert Delivery.objects.filter(state="suppressed").count() == 998


def test_a_bit_flip_costs_one_frame_and_is_shown(site):
    site.submit(signup("a@example.com"), signup("b@example.com"), signup("c@example.com"))
    path = site.spool / journal.segment_name(1)
    data = bytearray(path.read_bytes())
    frames = list(journal.read(bytes(data[16:]), 16, 1, closed=True))
    data[frames[1].offset + 100] ^= 1
    path.write_bytes(data)
    site.next_segment()
    drain()
    assert Person.objects.count() == 2
    assert AsideItem.objects.get().reason == "damaged"


def test_a_truncated_closed_segment_is_shown_and_passed(site):
    site.submit(signup("a@example.com"), signup("b@example.com"))
    path = site.spool / journal.segment_name(1)
    path.write_bytes(path.read_bytes()[:-10])
    site.next_segment()
    site.submit(signup("c@example.com"))
    drain()
    assert Person.objects.count() == 2
    assert Position.objects.get().segment == 2


def test_what_lacks_its_key_waits_and_is_filed_when_the_key_is_back(site):
    site.submit(signup("a@example.com"))
    path = next(site.seal_keys.glob("*.key"))
    private = path.read_bytes()
    path.unlink()
    drain()
    assert AsideItem.objects.get().reason == "no_key"
    path.write_bytes(private)
    assert Intake().retry_aside()["filed"] == 1
    assert Person.objects.count() == 1
    assert list((site.data / "aside").iterdir()) == []


def test_an_envelope_of_another_site_is_set_aside(site):
    key = site.key()
    site.spooled(SealingKey(uuid.uuid4(), key.epoch, key.public).seal(signup("a@example.com")))
    site.spooled(b"nonsense")
    drain()
    assert [item.reason for item in AsideItem.objects.all()] == ["unopenable", "unopenable"]
    assert Person.objects.count() == 0


def test_a_record_does_not_open_for_the_other_purpose(site):
    site.submit(signup("a@example.com"))
    drain()
    with pytest.raises(WrongPurpose):
        keeper().open_records(Reason.SHOW_PERSON, actor="worker", person_ids=[Person.objects.get().id], kind="consent")


def test_tampering_with_the_ledger_is_found(site):
    for number in range(3):
        site.submit(signup(f"a{number}@example.com"))
        drain()
    LedgerRow.objects.filter(number=2).update(content=b"other")
    assert [(fault.number, fault.what) for fault in ledger.verify_chain()] == [(2, "altered")]
    LedgerRow.objects.filter(number=3).delete()
    assert {fault.what for fault in ledger.verify_chain()} == {"altered", "end differs"}


def test_nothing_typed_is_readable_on_disk(site):
    site.submit(signup("grep-me@example.com", "Grepped Person"))
    drain()
    for path in site.root.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"grep-me" not in data and b"Grepped" not in data, path


def test_a_locked_database_is_waited_for_and_nothing_is_lost(site):
    import sqlite3

    from django.db import connection

    site.submit(signup("a@example.com"))
    connection.ensure_connection()
    connection.connection.execute("PRAGMA busy_timeout=100")
    held = sqlite3.connect(site.database, isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    with pytest.raises(NotNow):
        Intake().turn()
    held.execute("ROLLBACK")
    held.close()
    drain()
    assert Person.objects.count() == 1


@pytest.mark.postgres
def test_a_postgresql_that_was_down_costs_nothing(site, postgres_server):
    from django.db import close_old_connections

    site.submit(signup("a@example.com"))
    worker = Intake()
    postgres_server.stop()
    try:
        with pytest.raises(NotNow):
            worker.turn()
    finally:
        postgres_server.start()
    close_old_connections()
    drain()
    assert Person.objects.count() == 1


# -- one entry that cannot be filed never stands before the rest -------------------------------------------------------


@pytest.mark.parametrize("error", [PermissionError(13, "of root's"), KeyStoreError("one slot is damaged")])
def test_what_ails_one_entry_holds_up_nobody_else_and_is_filed_once_it_is_mended(site, monkeypatch, error):
    real = intake._FILERS[Signup]

    def file(came):
        if any(one.entry.email.reveal() == "ada@example.com" for one in came):
            raise error
        return real(came)

    site.submit(signup("ada@example.com"), signup("bob@example.com"))
    with monkeypatch.context() as broken:
        broken.setitem(intake._FILERS, Signup, file)
        drain()
    assert Person.objects.count() == 1
    assert [row.reason for row in AsideItem.objects.all()] == [AsideItem.Reason.REFUSED]
    Intake().retry_aside()
    assert Person.objects.count() == 2 and not AsideItem.objects.filter(filed_at=None).exists()


def test_a_key_store_that_is_gone_and_a_full_disk_ail_all_and_set_nothing_aside(site, monkeypatch):
    site.submit(signup("ada@example.com"))
    worker = Intake()
    worker.turn()  # comes to the segment
    before = position()
    for error in (OSError(28, "No space left on device"), KeyStoreError("gone")):

        def refuse(_came, error=error):
            raise error

        monkeypatch.setitem(intake._FILERS, Signup, refuse)
        if isinstance(error, KeyStoreError):
            (site.people_keys / "slots").rename(site.people_keys / "lost")
        with pytest.raises((NotNow, KeyStoreError)):
            worker.turn()
        assert worker.waits
    assert not AsideItem.objects.exists() and position() == before


def test_a_worker_that_cannot_file_is_as_good_as_silent(site, monkeypatch):
    def refuse(_came):
        raise OSError(28, "No space left on device")

    timers.started()
    site.submit(signup("ada@example.com"))
    worker = Intake()
    worker.turn()
    timers.beat(worker)
    assert (site.data / BEAT).exists()
    (site.data / BEAT).unlink()
    with monkeypatch.context() as broken:
        broken.setitem(intake._FILERS, Signup, refuse)
        with pytest.raises(NotNow):
            worker.turn()
        timers.beat(worker)
        assert not (site.data / BEAT).exists()
    worker.turn()
    timers.beat(worker)
    assert (site.data / BEAT).exists()
