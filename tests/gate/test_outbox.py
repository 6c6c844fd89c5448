"""A mail is claimed, sent and written down; none goes twice unnoticed."""

import uuid
from datetime import timedelta

import pytest

from tests.worker.test_intake import drain, signup
from troth.core import clock
from troth.gate import begun_log, outbox
from troth.gate.mailer import Permanent, Sent, Temporary, Uncertain
from troth.gate.models import Delivery
from troth.gate.sent_log import SentJournal
from troth.newsletter.models import Request
from troth.vault.models import LedgerRow
from troth.worker.composers import COMPOSERS


@pytest.fixture
def queued(site):
    site.submit(signup("ada@example.com"))
    drain()
    return site


def test_a_claimed_mail_is_nobody_elses(queued):
    (job,) = outbox.claim(10, COMPOSERS)
    assert job.mail.to.reveal() == "ada@example.com"
    assert outbox.claim(10, COMPOSERS) == []
    assert outbox.record(job, Sent()) == "sent"
    assert sum(outbox.counts().values()) == Delivery.objects.count()


def test_one_ledger_row_for_a_claimed_batch(queued):
    queued.submit(signup("b@example.com"), signup("c@example.com"))
    drain()
    before = LedgerRow.objects.count()
    assert len(outbox.claim(10, COMPOSERS)) == 3
    assert LedgerRow.objects.count() == before + 1


def test_a_temporary_refusal_waits_and_is_given_up_after_three_days(queued):
    (job,) = outbox.claim(10, COMPOSERS)
    assert outbox.record(job, Temporary(451, "busy")) == "queued"
    assert outbox.claim(10, COMPOSERS) == []
    Delivery.objects.update(next_at=clock.now(), created_at=clock.now() - timedelta(days=4))
    (job,) = outbox.claim(10, COMPOSERS)
    assert outbox.record(job, Temporary(451, "busy")) == "failed"


def test_a_permanent_refusal_ends_it(queued):
    (job,) = outbox.claim(10, COMPOSERS)
    assert outbox.record(job, Permanent(550, "refused")) == "failed"


def test_an_uncertain_mail_goes_once_more_with_the_same_id(queued):
    (job,) = outbox.claim(10, COMPOSERS)
    assert outbox.record(job, Uncertain("cut_off")) == "uncertain"
    Delivery.objects.update(next_at=clock.now())
    (again,) = outbox.claim(10, COMPOSERS)
    assert again.mail.message_id == job.mail.message_id and again.mail.maybe_twice
    assert outbox.record(again, Uncertain("cut_off")) == "uncertain"
    assert Delivery.objects.get().next_at is None


def test_a_worker_killed_after_a_mail_was_begun_leaves_it_uncertain(queued):
    (job,) = outbox.claim(10, COMPOSERS)
    outbox.begin(job.delivery)
    assert outbox.recover({job.claim}, all_leases=True) == 0
    assert outbox.recover((), all_leases=True) == 1
    (again,) = outbox.claim(10, COMPOSERS)
    assert again.mail.maybe_twice
    assert outbox.record(job, Sent()) == "lost_claim"


def test_a_mail_whose_request_has_run_out_is_not_sent(queued):
    Request.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert outbox.claim(10, COMPOSERS) == []
    assert Delivery.objects.get().state == "suppressed"


def test_a_worker_killed_before_a_mail_was_begun_leaves_it_queued_as_if_never_claimed(queued):
    queued.submit(signup("b@example.com"), signup("c@example.com"))
    drain()
    begun, *others = outbox.claim(10, COMPOSERS)
    outbox.begin(begun.delivery)
    assert outbox.recover((), all_leases=True) == 1
    assert Delivery.objects.get(state="uncertain").id == begun.delivery
    for row in Delivery.objects.filter(id__in=[job.delivery for job in others]):
        assert (row.state, row.attempts, row.maybe_twice, row.claim) == ("queued", 0, False, None)
    deeds = SentJournal.of(queued).deeds()
    assert set(deeds.tried) == {begun.delivery}, "a restored copy sends the others"
    assert len(outbox.claim(10, COMPOSERS)) == 3


def test_what_was_uncertain_and_is_claimed_again_stays_so_in_the_journal_though_not_begun(queued):
    (job,) = outbox.claim(10, COMPOSERS)
    outbox.record(job, Uncertain("cut_off"))
    Delivery.objects.update(next_at=clock.now())
    (again,) = outbox.claim(10, COMPOSERS)
    assert outbox.recover((), all_leases=True) == 0
    row = Delivery.objects.get()
    assert (row.state, row.maybe_twice) == ("queued", True)
    assert set(SentJournal.of(queued).deeds().tried) == {again.delivery}


@pytest.mark.parametrize("harm", ["gone", "other boot", "torn", "cleared"])
def test_without_a_sound_record_of_this_boot_all_that_was_claimed_is_uncertain(queued, harm, monkeypatch):
    (job,) = outbox.claim(10, COMPOSERS)
    path = queued.sent / "begun"
    if harm == "gone":
        path.unlink()
    elif harm == "other boot":
        monkeypatch.setattr(outbox, "_begun", lambda: _of_another_boot(queued.sent, monkeypatch))
    elif harm == "torn":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        outbox.over([job.claim])
    assert outbox.recover((), all_leases=True) == 1
    assert Delivery.objects.get().state == "uncertain"


def _of_another_boot(folder, monkeypatch):
    monkeypatch.setattr(begun_log, "boot_id", lambda: str(uuid.uuid4()))
    return begun_log.BegunLog(folder)


def test_a_full_disk_begins_no_mail(queued, monkeypatch):
    (job,) = outbox.claim(10, COMPOSERS)
    monkeypatch.setattr(begun_log.os, "write", lambda _descriptor, _row: 0)
    with pytest.raises(OSError, match="space"):
        outbox.begin(job.delivery)


def test_what_the_relay_took_before_a_kill_is_sent_though_the_database_was_not_told(queued):
    queued.submit(signup("b@example.com"), signup("c@example.com"))
    drain()
    took, begun, _waits = outbox.claim(10, COMPOSERS)
    for job in (took, begun):
        outbox.begin(job.delivery)
    outbox.taken(took.delivery)
    assert outbox.recover((), all_leases=True) == 1
    states = dict(Delivery.objects.values_list("id", "state"))
    assert (states[took.delivery], states[begun.delivery]) == ("sent", "uncertain")
    assert sorted(states.values()) == ["queued", "sent", "uncertain"]
    deeds = SentJournal.of(queued).deeds()
    assert set(deeds.sent) == {took.delivery} and set(deeds.tried) == {begun.delivery}


def test_a_mail_that_was_not_begun_is_as_if_never_claimed(queued):
    (job,) = outbox.claim(10, COMPOSERS)
    assert outbox.record_all([(job, None)]) == ["released"]
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.claim, row.lease_until) == ("queued", 0, None, None)
    assert SentJournal.of(queued).deeds().tried == {}


def test_the_record_of_what_was_begun_keeps_only_claims_that_are_not_over(site, monkeypatch):
    monkeypatch.setattr(begun_log, "_NEEDLESS", 300)
    log, claims, mails = begun_log.BegunLog(site.sent), [uuid.uuid4() for _ in range(4)], []
    for number, claim in enumerate(claims):
        log.claim(claim)
        mails.append([uuid.uuid4() for _ in range(10)])
        for mail in mails[number]:
            log.begin(mail)
            log.sent(mail)
        if number:
            log.over(claims[number - 1])
    told = begun_log.BegunLog(site.sent).read()
    assert told.claims == {claims[3]} and told.deliveries == told.sent == set(mails[3])
    log.begin(late := uuid.uuid4())
    assert late in begun_log.BegunLog(site.sent).read().deliveries
    log.over(claims[3])
    assert begun_log.BegunLog(site.sent).read() == begun_log.Begun()
    assert (site.sent / "begun").stat().st_size == 33
