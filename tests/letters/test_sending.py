"""A mail is claimed, sent and written down; none goes twice unnoticed."""

from datetime import timedelta

import pytest

pytest.importorskip("troth.gate.mail")

from tests.worker.test_intake import drain, signup
from troth.gate.mail import Permanent, Sent, Temporary, Uncertain
from troth.ground import clock
from troth.letters import sending
from troth.letters.models import Delivery, Request
from troth.vault.models import LedgerRow


@pytest.fixture
def queued(site):
    site.submit(signup("ada@example.com"))
    drain()
    return site


def test_a_claimed_mail_is_nobody_elses(queued):
    (job,) = sending.claim(10)
    assert job.mail.to.reveal() == "ada@example.com"
    assert sending.claim(10) == []
    assert sending.record(job, Sent()) == "sent"
    assert sending.adds_up()


def test_one_ledger_row_for_a_claimed_batch(queued):
    queued.submit(signup("b@example.com"), signup("c@example.com"))
    drain()
    before = LedgerRow.objects.count()
    assert len(sending.claim(10)) == 3
    assert LedgerRow.objects.count() == before + 1


def test_a_temporary_refusal_waits_and_is_given_up_after_three_days(queued):
    (job,) = sending.claim(10)
    assert sending.record(job, Temporary(451, "busy")) == "queued"
    assert sending.claim(10) == []
    Delivery.objects.update(next_at=clock.now(), created_at=clock.now() - timedelta(days=4))
    (job,) = sending.claim(10)
    assert sending.record(job, Temporary(451, "busy")) == "failed"


def test_a_permanent_refusal_ends_it(queued):
    (job,) = sending.claim(10)
    assert sending.record(job, Permanent(550, "refused")) == "failed"


def test_an_uncertain_mail_goes_once_more_with_the_same_id(queued):
    (job,) = sending.claim(10)
    assert sending.record(job, Uncertain("cut_off")) == "uncertain"
    Delivery.objects.update(next_at=clock.now())
    (again,) = sending.claim(10)
    assert again.mail.message_id == job.mail.message_id and again.mail.maybe_twice
    assert sending.record(again, Uncertain("cut_off")) == "uncertain"
    assert Delivery.objects.get().next_at is None


def test_a_worker_killed_between_claim_and_record_leaves_the_mail_uncertain(queued):
    (job,) = sending.claim(10)
    assert sending.recover({job.delivery}, all_leases=True) == 0
    assert sending.recover((), all_leases=True) == 1
    (again,) = sending.claim(10)
    assert again.mail.maybe_twice
    assert sending.record(job, Sent()) == "lost_claim"


def test_a_mail_whose_request_has_run_out_is_not_sent(queued):
    Request.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert sending.claim(10) == []
    assert Delivery.objects.get().state == "suppressed"
