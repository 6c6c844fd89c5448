"""A run of proofs: what hangs, fails or meets nobody is unproven, never kept; runs keep out of each other's way."""

import fcntl
import os
import time
from datetime import timedelta

import pytest
from django.db import OperationalError

from tests.proofs.scenes import ready
from troth.core import clock
from troth.core.errors import TrothError
from troth.core.purpose import Reason
from troth.policy.models import ProofRun
from troth.policy.promise import Control, Promise, Proof, Registry, State, Verdict, joined
from troth.proofs import run as prove
from troth.proofs.run import AlreadyRunning, as_json, run, verdict
from troth.vault import ledger
from troth.vault.ledger_heads import NAME as NAME_OF_HEADS
from troth.vault.models import Person

NAME = "Wilma Oddsworth-Quill"


def registry(*runs, light=True):
    proofs = tuple(Proof(f"a.{at}", "How.", "What.", light) for at, _ in enumerate(runs))
    return Registry([Promise("a.promise", "A1", "We do.", (Control("how", "troth.core.clock:now"),), proofs, "Look.")])


def promise(monkeypatch, *runs, **more):
    """Have these proofs, and no other, tried."""
    monkeypatch.setattr(prove, "PROMISES", registry(*runs, **more))
    monkeypatch.setattr(prove.registry, "RUN", {f"a.{at}": one for at, one in enumerate(runs)})


def kept(scene):
    return Verdict.kept("Tried.")


def only(site, monkeypatch, *runs, **more):
    """What a run of these proofs says."""
    ready(site)
    promise(monkeypatch, *runs, **more)
    (told,) = run(light=False)
    return told


def test_all_kept_is_kept(site, settings, monkeypatch):
    told = only(site, monkeypatch, kept, kept)
    assert (told.state, [one.state for one in told.proofs]) == ("kept", ["kept", "kept"])
    assert verdict([told]) == 0
    row = ProofRun.objects.get()
    assert row.ended_at is not None
    assert row.results["a.promise"]["a.0"]["state"] == "kept"


def test_where_the_ledger_ends_is_noted_at_the_end_of_each_run(site, settings, monkeypatch):
    only(site, monkeypatch, lambda scene: ledger.write(Reason.LIST_PEOPLE, "shell", []) and Verdict.kept("Tried."))
    number, link = ledger.head()
    assert number and (site.people_keys / NAME_OF_HEADS).read_text().split()[2:4] == [str(number), link.hex()]


def test_one_broken_breaks_the_promise(site, settings, monkeypatch):
    told = only(site, monkeypatch, kept, lambda scene: Verdict.broken("It does not."), kept)
    assert told.state == "broken"
    assert verdict([told]) == 1


@pytest.mark.parametrize(
    ("second", "state"),
    [(Verdict.kept("It does."), "kept"), (Verdict.broken("Again."), "broken"), (Verdict.unproven("Gone."), "broken")],
)
def test_a_breach_is_looked_for_once_more_by_another_visitor(site, settings, monkeypatch, second, state):
    walks = []

    def finds(scene):
        scene.shared.setdefault("visited", len(walks))
        walks.append(scene.shared["visited"])
        return Verdict.broken("It does not.") if len(walks) == 1 else second

    (told,) = only(site, monkeypatch, finds).proofs
    assert (told.state, walks) == (state, [0, 1])
    assert ("It does not." in told.detail) is (second.state is not State.BROKEN)
    assert told.detail.startswith("It does.") is (state == "kept")


def test_one_more_visitor_is_sent_for_all_proofs_of_a_run(site, settings, monkeypatch):
    walks = []

    def finds(scene):
        if "visited" not in scene.shared:
            walks.append(scene.shared.setdefault("visited", "walk"))
        return Verdict.broken("It does not.")

    assert only(site, monkeypatch, finds, finds, finds).state == "broken"
    assert len(walks) == 2


def test_a_proof_that_hangs_is_unproven_and_the_next_is_tried(site, settings, monkeypatch):
    monkeypatch.setattr(prove, "_LIMIT_SECONDS", 1)
    begun = time.monotonic()
    told = only(site, monkeypatch, lambda scene: time.sleep(60), kept)
    assert time.monotonic() - begun < 30
    assert [one.state for one in told.proofs] == ["unproven", "kept"]
    assert "did not finish within 1 seconds" in told.proofs[0].detail


def test_a_proof_that_hangs_and_catches_everything_is_stopped_all_the_same(site, settings, monkeypatch):
    monkeypatch.setattr(prove, "_LIMIT_SECONDS", 1)

    def stubborn(scene):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                time.sleep(0.1)
            except Exception:
                continue

    assert only(site, monkeypatch, stubborn).state == "unproven"


def test_a_proof_that_fails_tells_its_kind_and_place_and_nothing_that_it_held(site, settings, monkeypatch):
    def fails(scene):
        raise ValueError(f"cannot take {NAME}")

    told = only(site, monkeypatch, fails, kept)
    assert [one.state for one in told.proofs] == ["unproven", "kept"]
    assert "ValueError" in told.proofs[0].detail
    assert NAME not in str(as_json([told]))


def test_a_word_of_ours_is_told_as_it_is(site, settings, monkeypatch):
    def refuses(scene):
        raise TrothError("The front does not listen here.")

    assert only(site, monkeypatch, refuses).proofs[0].detail == "The front does not listen here."


def test_where_nobody_answers_it_is_unproven_and_says_so(site, settings, monkeypatch):
    def asks(scene):
        scene.front.get("/privacy")
        return Verdict.kept("")

    told = only(site, monkeypatch, asks)
    assert told.state == "unproven"
    assert told.proofs[0].detail == "The site did not respond. Is it running?"


def test_what_may_not_be_read_is_named_without_its_folder(site, settings, monkeypatch):
    def closed(scene):
        raise PermissionError(13, "Permission denied", "/srv/somewhere/troth.log")

    detail = only(site, monkeypatch, closed).proofs[0].detail
    assert "may not read troth.log" in detail
    assert "/srv" not in detail


def test_where_nobody_can_be_filed_everything_is_unproven(site, settings, monkeypatch):
    ready(site)
    monkeypatch.setattr("troth.newsletter.services.file_signups", lambda batch: 1 / 0)
    told = run(light=False)
    assert {one.state for one in told} == {"unproven"}
    assert all(
        "No test person could be stored (ZeroDivisionError" in proof.detail for one in told for proof in one.proofs
    )
    assert ProofRun.objects.get().ended_at is not None


def test_a_database_that_is_away_is_said_once_and_not_taken_for_a_breach(site, settings, monkeypatch):
    ready(site)
    monkeypatch.setattr(ProofRun.objects, "create", lambda **_: (_ for _ in ()).throw(OperationalError(f"no {NAME}")))
    with pytest.raises(prove.DatabaseUnavailable) as told:
        run(light=True)
    assert NAME not in str(told.value)


def test_two_at_once_are_one_too_many(site, settings, monkeypatch):
    ready(site)
    lock = os.open(site.data / "prove.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(AlreadyRunning) as told:
            run(light=True)
    finally:
        os.close(lock)
    assert "already running" in str(told.value)
    assert told.value.mend
    assert not ProofRun.objects.exists()
    assert not Person.objects.exists()


def test_a_light_run_leaves_out_what_is_tried_once_a_day(site, settings, monkeypatch):
    ready(site)
    promise(monkeypatch, kept, light=False)
    assert run(light=True) == [], "a promise that is tried once a day only is not said to be unproven every hour"


def test_a_run_of_the_future_is_forgotten_by_the_next(site, settings, monkeypatch):
    """A clock that jumped back: what was found then would stand for fresh until that day came."""
    later = clock.now() + timedelta(days=3)
    ProofRun.objects.create(light=False, began_at=later, ended_at=later, results={"a.promise": {}})
    only(site, monkeypatch, kept)
    assert [row.ended_at < clock.now() + timedelta(minutes=1) for row in ProofRun.objects.all()] == [True]


def test_the_worst_proof_speaks_for_the_promise():
    assert joined([State.KEPT, State.UNPROVEN, State.BROKEN]) is State.BROKEN
    assert joined([State.KEPT, State.STALE, State.UNPROVEN]) is State.UNPROVEN
    assert joined([]) is State.UNPROVEN


def test_old_runs_are_forgotten(site, settings, monkeypatch):
    monkeypatch.setattr(prove, "KEPT_RUNS", 2)
    for _ in range(4):
        only(site, monkeypatch, kept)
    assert ProofRun.objects.count() == 2


def test_no_canary_is_left_whatever_a_proof_does(site, settings, monkeypatch):
    def ends(scene):
        raise SystemExit(3)

    ready(site)
    promise(monkeypatch, ends)
    with pytest.raises(SystemExit):
        run(light=True)
    assert not Person.objects.exists()
