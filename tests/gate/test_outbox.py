"""A mail is claimed, sent and written down; none goes twice unnoticed."""

from datetime import timedelta

import pytest

from tests.worker.test_intake import drain, signup
from troth.core import clock
from troth.gate import outbox
from troth.gate.mailer import Permanent, Sent, Temporary, Uncertain
from troth.gate.models import Delivery
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


def test_a_worker_killed_between_claim_and_record_leaves_the_mail_uncertain(queued):
    (job,) = outbox.claim(10, COMPOSERS)
    assert outbox.recover({job.delivery}, all_leases=True) == 0
    assert outbox.recover((), all_leases=True) == 1
    (again,) = outbox.claim(10, COMPOSERS)
    assert again.mail.maybe_twice
    assert outbox.record(job, Sent()) == "lost_claim"


def test_a_mail_whose_request_has_run_out_is_not_sent(queued):
    Request.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert outbox.claim(10, COMPOSERS) == []
    assert Delivery.objects.get().state == "suppressed"
