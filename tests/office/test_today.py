"""Today: counts and states, and what needs the operator."""

import re
from datetime import timedelta

import pytest

from tests.conftest import both
from tests.worker.test_intake import confirm_link, drain, leave_link
from troth.core import clock
from troth.gate.models import Delivery
from troth.newsletter.models import Request, Subscription
from troth.office import today
from troth.vault.models import AsideItem, WorkerState


def words(desk):
    return re.sub(r"<[^>]+>|\s+", " ", desk.get("/").content.decode())


@both
def test_a_new_site_needs_nothing(desk):
    told = words(desk)
    assert "All clear" in told
    assert "not started yet" in told


def test_who_confirmed_and_left_again_is_counted_alike_by_figures_and_chart(desk, people, site):
    people("a@example.com")
    people("b@example.com")
    for request in Request.objects.all():
        site.submit(confirm_link(request))
    drain()
    site.submit(leave_link(Subscription.objects.first()))
    drain()
    found = today.today()
    assert (found.confirmed, found.confirmed_7, found.confirmed_30, found.chart.total) == (1, 2, 2, 2)


@pytest.mark.parametrize(("days", "seven", "thirty"), [(6, 1, 1), (8, 0, 1), (31, 0, 0)])
def test_the_figures_keep_to_their_days(desk, people, days, seven, thirty):
    people()
    Subscription.objects.update(state="confirmed", confirmed_at=clock.now() - timedelta(days=days))
    found = today.today()
    assert (found.confirmed, found.confirmed_7, found.confirmed_30) == (1, seven, thirty)


def test_a_silent_worker_is_said_with_what_to_do(desk):
    long_ago = clock.now() - timedelta(seconds=61)
    WorkerState.objects.create(id=1, started_at=long_ago, beat_at=long_ago)
    told = words(desk)
    assert "The worker is not responding" in told
    assert "troth doctor" in told
    WorkerState.objects.update(beat_at=clock.now())
    assert "All clear" in words(desk)


def test_what_was_set_aside_failed_or_is_uncertain_is_said(desk, people):
    AsideItem.objects.create(segment=1, offset=0, size=9, reason=AsideItem.Reason.values[0], kept=True)
    people()
    Delivery.objects.update(state="failed")
    told = words(desk)
    assert "1 submission could not be processed" in told
    assert "1 email was rejected permanently" in told
    Delivery.objects.update(state="uncertain")
    assert "1 email: delivery unknown" in words(desk)


def test_why_mails_wait_is_said_with_what_to_do_about_it(desk, people):
    people()
    Delivery.objects.update(state="queued", reason="auth")
    told = words(desk)
    assert "1 email is waiting: the SMTP server rejects the user name or password." in told
    assert "keys/mail-password" in told


def test_a_mail_that_only_needs_patience_needs_nobody(desk, people):
    people()
    Delivery.objects.update(state="queued", reason="relay-busy")
    assert "All clear" in words(desk)


def test_why_mails_were_refused_is_said(desk, people):
    people()
    Delivery.objects.update(state="failed", reason="policy")
    told = words(desk)
    assert "1 email was rejected permanently." in told
    assert "1: rejected by the SMTP server&#x27;s policy. Check DKIM" in told
