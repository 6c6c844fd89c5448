"""How a promise stands: by its newest proofs, by their age, and never better than they found it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import both
from tests.proofs.runs import write_run
from troth.core import clock
from troth.policy import status
from troth.policy.promise import Proof, State
from troth.policy.promises import PROMISES
from troth.policy.status import LastResult, proof_state

pytestmark = pytest.mark.usefixtures("site")
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture
def held():
    with clock.hold(NOON) as held:
        yield held


def now(*, stale=False):
    found = status.standings(status.newest(), clock.now(), stale=stale)
    return {one.promise.id: one.state.value for one in found}


@both
def test_before_anything_was_tried_nothing_is_kept(held):
    assert set(now().values()) == {"unproven"}
    assert status.holds(status.standings({}, NOON)) is None


@both
def test_what_was_found_kept_today_is_kept_and_a_day_later_it_is_not(held):
    write_run()
    assert set(now().values()) == {"kept"}
    held.move(hours=23, minutes=59)
    assert set(now().values()) == {"kept"}
    held.move(hours=1, minutes=2)
    assert set(now().values()) == {"stale"}


def test_what_is_tried_every_hour_is_stale_after_a_day_although_the_daily_is_given_an_hour_more():
    quick, daily = Proof("a.a", "", ""), Proof("a.b", "", "", light=False)
    found = LastResult(State.KEPT, "", NOON)
    at = NOON + timedelta(hours=24, minutes=30)
    assert (proof_state(quick, found, at), proof_state(daily, found, at)) == (State.STALE, State.KEPT)
    assert proof_state(daily, found, NOON + timedelta(hours=25)) is State.STALE


def test_one_broken_proof_breaks_its_promise_and_no_other(held):
    write_run(contact_forms="broken")
    told = now()
    assert told.pop("contact.basic") == "broken"
    assert set(told.values()) == {"kept"}


def test_what_is_broken_stays_broken_however_old_until_it_is_tried_again(held):
    write_run(contact_forms="broken")
    held.move(days=3)
    assert now()["contact.basic"] == "broken"
    write_run(light=True)
    assert now()["contact.basic"] in {"kept", "stale"}


def test_a_light_run_renews_what_it_tried_and_leaves_the_rest_as_old_as_it_is(held, monkeypatch):
    first = PROMISES["contact.basic"].proofs[0]
    object.__setattr__(first, "light", False)
    try:
        write_run()
        held.move(hours=20)
        write_run(light=True)
        standing = next(
            one for one in status.standings(status.newest(), clock.now()) if one.promise.id == "contact.basic"
        )
        assert standing.at == NOON, "as old as the oldest of its proofs"
        held.move(hours=6)
        assert now()["contact.basic"] == "stale" and now()["contact.purpose"] == "kept"
    finally:
        object.__setattr__(first, "light", True)


def test_a_run_from_the_future_proves_nothing_today(held):
    write_run()
    held.move(hours=-5)
    assert set(now().values()) == {"stale"}


def test_a_clock_a_few_seconds_behind_is_no_future(held):
    write_run()
    held.move(seconds=-30)
    assert set(now().values()) == {"kept"}


def test_a_run_that_never_ended_counts_for_nothing(held):
    write_run(ended=False)
    assert set(now().values()) == {"unproven"}


def test_a_run_of_a_month_ago_is_forgotten(held):
    write_run(ago=timedelta(days=31))
    assert set(now().values()) == {"unproven"}


def test_a_proof_that_was_added_since_makes_its_promise_unproven(held):
    run = write_run()
    del run.results["contact.basic"]["contact.forms"]
    run.save()
    assert now()["contact.basic"] == "unproven"


def test_what_is_given_to_the_front_says_how_long_it_holds(held):
    write_run()
    since, until = status.holds(status.standings(status.newest(), clock.now()))
    assert since <= NOON < until == NOON + status.FRESH


def test_seen_as_stale_nothing_is_kept_and_what_is_broken_stays_so(held):
    write_run(contact_forms="broken", cards_masked="unproven")
    told = now(stale=True)
    assert (told.pop("contact.basic"), told.pop("cards.not-kept")) == ("broken", "unproven")
    assert set(told.values()) == {"stale"}


def test_a_run_is_under_way_until_it_ends_or_was_given_up(held):
    assert status.under_way() is None
    run = write_run(ended=False)
    assert status.under_way() == run
    held.move(minutes=31)
    assert status.under_way() is None, "killed in the middle"
    write_run(ended=False)
    held.move(seconds=5)
    write_run()
    assert status.under_way() is None
