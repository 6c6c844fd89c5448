"""A relay that is down, slow, refuses, or dies: the worker's loop, the gate's post, and a real mail company that errs.

The clock is moved to where the next try is due; everything else is real.
"""

import asyncio

import pytest

from tests.demo.test_mailcompany import running
from tests.gate.relays import settings
from tests.worker.test_intake import drain, signup
from troth.core import clock
from troth.gate.mailer import Post
from troth.gate.models import Delivery
from troth.worker import timers
from troth.worker.loop import Worker

ADDRESS = "ada@example.com"


@pytest.fixture(scope="module")
def company():
    with running() as made:
        yield made


async def work_until(post, done, seconds=15.0):
    """Run a worker until `done(delivery)`, then stop it."""
    worker = Worker(post, None, connections=2)
    await worker.on_thread(timers.started)
    running_worker = asyncio.create_task(worker.run())
    try:
        for _ in range(int(seconds / 0.05)):
            await asyncio.sleep(0.05)
            if done(await worker.on_thread(Delivery.objects.get)):
                break
    finally:
        worker.stop()
        await asyncio.wait_for(running_worker, 30)


def one_try(company, mode, seconds=0.0, timeout=2.0):
    """What becomes of the one mail in one try with the company in this mode."""
    company.mode(mode, seconds or 5)
    before = Delivery.objects.get().attempts

    async def trying():
        async with Post(settings(company.smtp, timeout_seconds=timeout), None) as post:
            await work_until(post, lambda row: row.attempts > before and row.state != Delivery.State.SENDING)

    asyncio.run(trying())
    return Delivery.objects.get()


def received(company):
    return [mail for mail in company.mails() if mail["recipient"] == ADDRESS]


@pytest.fixture
def queued(site, company):
    """One sign-up whose mail is due."""
    company.mode("ok")
    company.web.delete("/messages")
    site.submit(signup(ADDRESS))
    drain()
    return Delivery.objects.get()


@pytest.mark.parametrize(
    ("mode", "reason"),
    [("down", "unreachable"), ("tempfail", "relay-busy"), ("die-before-data", "connection-lost"), ("slow", "timeout")],
)
def test_a_relay_that_cannot_at_present_is_tried_again_and_gets_the_mail_once(company, queued, mode, reason):
    row = one_try(company, mode)
    assert (row.state, row.reason, row.maybe_twice) == (Delivery.State.QUEUED, reason, False)
    assert row.next_at is not None and row.next_at > clock.now()
    assert received(company) == []
    with clock.hold(row.next_at):
        row = one_try(company, "ok")
    assert (row.state, row.maybe_twice, row.attempts) == (Delivery.State.SENT, False, 2)
    assert len(received(company)) == 1


def test_a_relay_that_refuses_for_good_is_not_asked_again(company, queued):
    row = one_try(company, "refuse")
    assert (row.state, row.reason, row.code, row.next_at) == (Delivery.State.FAILED, "no-such-address", 550, None)
    assert received(company) == []


def test_a_relay_that_dies_after_data_gets_it_once_more_marked_and_never_a_third_time(company, queued):
    row = one_try(company, "die-after-data")
    assert (row.state, row.maybe_twice) == (Delivery.State.UNCERTAIN, False)
    with clock.hold(row.next_at):
        row = one_try(company, "die-after-data")
    assert (row.state, row.maybe_twice, row.next_at) == (Delivery.State.UNCERTAIN, True, None)
    first, second = received(company)
    assert first["raw"].lower().count("message-id:") == 1
    assert queued.message_id in first["raw"] and queued.message_id in second["raw"]
    assert "twice" not in first["raw"] and "twice" in second["raw"]


def test_a_worker_that_is_told_to_stop_finishes_the_mail_in_hand(company, queued):
    company.mode("slow", 1)

    async def stopped_in_between():
        async with Post(settings(company.smtp, timeout_seconds=10), None) as post:
            await work_until(post, lambda row: row.state == Delivery.State.SENDING)

    asyncio.run(stopped_in_between())
    assert Delivery.objects.get().state == Delivery.State.SENT
    assert len(received(company)) == 1
