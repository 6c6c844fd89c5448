"""What the worker does by the clock, when the clock jumps."""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.proofs.wal import commits_kept
from tests.worker.test_intake import drain, signup
from troth.audience.counting.cells import Cell, Dim, Sums
from troth.audience.counting.commit import Counted, pack
from troth.audience.counting.counter import GroupCommit
from troth.contact.models import Thread
from troth.core import clock, ids
from troth.core.epochs import epoch_of
from troth.gate import outbox
from troth.gate.mailer import Temporary
from troth.gate.models import Delivery
from troth.newsletter.mails import CONFIRMATION
from troth.newsletter.models import Request
from troth.policy import retention
from troth.vault.errors import KeyErased
from troth.vault.keeper import keeper
from troth.vault.models import LedgerRow, Person
from troth.worker import timers
from troth.worker.intake import Intake


def run_all() -> None:
    """Every timer, once."""
    timers.started()
    intake = Intake()
    for timer in timers.TIMERS:
        timer.job(intake)


def keys(site) -> set[str]:
    """The names of the sealing keys that are there."""
    return {path.name for path in site.seal_keys.glob("*.key")}


@pytest.mark.parametrize("jump", [timedelta(days=500), timedelta(days=60), timedelta(days=-60)])
def test_a_clock_that_jumps_and_comes_back_costs_nothing(site, jump):
    site.submit(signup("ada@example.com"))
    drain()
    run_all()
    before = keys(site)
    site.submit(signup("bob@example.com"))
    with clock.hold(clock.now() + jump):
        run_all()
    assert before <= keys(site)
    assert Request.objects.count() == Person.objects.count() == 1
    assert LedgerRow.objects.filter(content=None).count() == 0
    drain()
    assert Request.objects.count() == 2
    assert keeper().store is not None


@pytest.mark.parametrize("restarted", [False, True])
def test_a_clock_400_days_ahead_for_a_minute_loses_nothing(site, restarted):
    """Conversations, keys, answers, mails that wait: whether the worker runs then or is started then."""
    site.submit(signup("ada@example.com"))
    drain()
    run_all()
    person = Person.objects.get()
    thread = Thread.objects.create(person=person, last_at=clock.now())
    waiting, before = Delivery.objects.get(), keys(site)
    with clock.hold(clock.now() + timedelta(days=400)):
        if restarted:
            run_all()
        else:
            for timer in timers.TIMERS:
                timer.job(Intake())
        assert outbox.claim(10, {CONFIRMATION.name: lambda _rows: {}}) == [], "its link seems to be over"
    assert Thread.objects.filter(id=thread.id).exists() and keeper().store.key(person.slot, person.id)
    assert Request.objects.count() == 1 and before <= keys(site)
    run_all()
    waiting.refresh_from_db()
    assert waiting.state == Delivery.State.QUEUED and waiting.next_at <= clock.now(), "sent, once the clock is back"


def test_a_mail_that_fails_while_the_clock_is_ahead_is_not_given_up(site):
    site.submit(signup("ada@example.com"))
    drain()
    run_all()
    row = Delivery.objects.get()
    with clock.hold(clock.now() + timedelta(days=400)):
        run_all()
        assert outbox._change(row, Temporary(0, "timeout"))["state"] == Delivery.State.QUEUED


def test_a_sign_up_sealed_while_the_clock_was_wrong_is_filed(site):
    with clock.hold(clock.now() + timedelta(days=400)):
        run_all()
        site.submit(signup("ada@example.com"))
    run_all()
    drain()
    request = Request.objects.get()
    assert abs(request.created_at - clock.now()) < timedelta(minutes=1)


def test_a_sign_up_sealed_for_an_epoch_to_come_is_filed_once_the_clock_is_back(site, monkeypatch):
    with clock.hold(clock.now() + timedelta(days=400)):
        run_all()
        ahead = site.key()
    monkeypatch.setattr(ids, "_last", 0)  # a front that made no id meanwhile
    site.spooled(ahead.seal(signup("ada@example.com")), kind=int(signup("ada@example.com").kind))
    run_all()
    drain()
    assert Request.objects.count() == 1


def test_a_clock_that_leaps_between_two_looks_removes_nothing(site):
    site.submit(signup("ada@example.com"))
    drain()
    run_all()
    intake = Intake()
    with clock.hold(clock.now() + timedelta(days=400)):
        for timer in timers.TIMERS:
            if timer.job is not timers.beat:
                timer.job(intake)
    assert Request.objects.count() == Person.objects.count() == 1


def test_a_clock_that_leaps_during_a_sweep_stops_it(site, monkeypatch):
    run_all()
    swept = list[object]()
    with clock.hold(clock.now()) as held:

        def sweep(_config):
            swept.append(held.move(days=400))
            return 0

        kinds = tuple(replace(kind, sweep=sweep) for kind in retention.kinds())
        monkeypatch.setattr(retention, "kinds", lambda: kinds)
        retention.sweep()
    assert len(swept) == 1


def test_a_key_goes_two_weeks_after_its_own_and_never_while_something_waits(site, monkeypatch):
    monkeypatch.setattr(timers, "steady", lambda: True)
    run_all()
    site.submit(signup("ada@example.com"))
    drain()
    old = f"{epoch_of(clock.now())}.key"
    with clock.hold(clock.now() + timedelta(days=22)):
        site.submit(signup("bob@example.com"))
        run_all()
        assert old in keys(site), "something waits in the spool"
        drain()
        run_all()
        assert old not in keys(site)


def test_who_never_confirmed_is_forgotten_key_and_all_once_the_link_and_the_grace_are_over(site, monkeypatch):
    monkeypatch.setattr(timers, "steady", lambda: True)
    site.submit(signup("ada@example.com"))
    drain()
    person = Person.objects.get()
    with clock.hold(clock.now() + timedelta(days=30)):
        run_all()
    assert Person.objects.count() == Request.objects.count() == 0
    with pytest.raises(KeyErased):
        keeper().store.key(person.slot, person.id)


def test_the_databases_log_does_not_say_for_long_what_each_visit_added(site):
    for n in range(6):
        site.submit(Counted(packed=pack(GroupCommit(clock.now().date().isoformat(), 10, _one_view(f"/page-{n}")))))
        drain()
    assert commits_kept(site.database) >= 6
    run_all()
    assert commits_kept(site.database) == 0


def test_who_reads_just_now_keeps_nobody_waiting_for_the_log_to_be_cut(site):
    site.submit(signup("ada@example.com"))
    with closing(sqlite3.connect(site.database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM vault_person").fetchone()
        drain()
        begun = time.monotonic()
        timers.cut_log(Intake())
        assert time.monotonic() - begun < 1
        assert commits_kept(site.database) > 0
    timers.cut_log(Intake())
    assert commits_kept(site.database) == 0


def _one_view(page) -> Sums:
    sums = Sums()
    sums.add(Cell(Dim.PAGE, page), views=1, visits=1)
    return sums
