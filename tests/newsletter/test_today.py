"""What needs the operator now: told when it is so, in the right number, and only then."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import both
from tests.newsletter import test_services as acts
from troth.core import clock, ids
from troth.gate.models import Delivery
from troth.newsletter.models import Subscription
from troth.office.today import today
from troth.vault.models import AsideItem, LedgerRow, WorkerState

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def held(site, monkeypatch):
    """A site whose worker beat just now, and a clock that stands."""
    monkeypatch.setattr(ids, "_last", 0)
    with clock.hold(NOW) as held:
        WorkerState.objects.create(id=1, started_at=NOW, beat_at=NOW)
        yield held


def needs():
    return [(need.level, need.what) for need in today().needs]


def aside(count, **more):
    for offset in range(count):
        AsideItem.objects.create(segment=1, offset=offset, size=1, reason="damaged", **more)


@both
def test_a_site_in_order_needs_nobody(held):
    told = today()
    assert told.needs == () and told.worker_alive and told.lag == "Nothing"
    assert (told.confirmed, told.waiting, told.queued, told.uncertain, told.failed, told.failed_items) == (0,) * 6


def test_a_silent_worker_is_told_after_a_minute(held):
    held.move(seconds=59)
    assert needs() == [] and today().worker_alive
    held.move(seconds=2)
    assert needs() == [("bad", "The worker is not responding.")] and not today().worker_alive


def test_a_site_that_was_never_served_is_not_silent(held):
    WorkerState.objects.all().delete()
    assert needs() == [] and today().beat_at is None and not today().worker_alive


@pytest.mark.parametrize(("count", "words"), [(1, "1 submission could not"), (3, "3 submissions could not")])
def test_what_waits_aside_is_told(held, count, words):
    aside(count)
    ((level, what),) = needs()
    assert level == "bad" and what.startswith(words)
    AsideItem.objects.update(filed_at=NOW)
    assert needs() == []


@pytest.mark.parametrize(
    ("state", "one", "two"),
    [
        ("failed", "1 email was rejected permanently.", "2 emails were rejected permanently."),
        ("uncertain", "1 email: delivery unknown.", "2 emails: delivery unknown."),
    ],
)
def test_mails_that_failed_or_may_have_gone_are_told(held, state, one, two):
    acts.sign_up(acts.signup("a@example.com"), acts.signup("b@example.com"))
    Delivery.objects.filter(id=Delivery.objects.first().id).update(state=state)
    assert needs() == [("warn", one)]
    Delivery.objects.update(state=state)
    assert needs() == [("warn", two)]
    assert getattr(today(), state) == 2


def test_every_need_says_what_to_do_and_the_worst_come_first(held):
    acts.sign_up(*[acts.signup(f"{name}@example.com") for name in "ab"])
    for state, delivery in zip(("failed", "uncertain"), Delivery.objects.all(), strict=True):
        Delivery.objects.filter(id=delivery.id).update(state=state)
    aside(1)
    held.move(minutes=5)
    told = today().needs
    assert [need.level for need in told] == ["bad", "bad", "warn", "warn"]
    assert all(need.mend.endswith(".") for need in told)


def test_the_spools_lag_is_told_by_size_and_age(held):
    WorkerState.objects.update(spool_bytes_waiting=3 << 20, spool_oldest_at=NOW - timedelta(seconds=90))
    assert today().lag == "3,072 KiB, oldest 90 s"
    WorkerState.objects.update(spool_oldest_at=NOW + timedelta(seconds=90))  # the clock fell back
    assert today().lag == "3,072 KiB, oldest 0 s"
    WorkerState.objects.update(spool_bytes_waiting=5, spool_oldest_at=None)
    assert today().lag == "1 KiB"


@both
def test_confirmed_people_are_counted_by_day_week_and_month(held):
    acts.sign_up(*[acts.signup(f"a{number}@example.com") for number in range(5)])
    ages = (0, 6, 8, 29, 31)
    for subscription, days in zip(Subscription.objects.all(), ages, strict=True):
        at = NOW - timedelta(days=days)
        Subscription.objects.filter(id=subscription.id).update(state="confirmed", confirmed_at=at)
    told = today()
    assert (told.confirmed, told.confirmed_7, told.confirmed_30, told.waiting) == (5, 2, 4, 0)
    assert told.queued == 5


def test_nobody_is_opened(held):
    acts.sign_up(acts.signup())
    before = LedgerRow.objects.count()
    today()
    assert LedgerRow.objects.count() == before
