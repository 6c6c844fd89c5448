"""Mutants: every promise has some, every proof one that must turn it red; a sample is tried, all of them by
`make mutants`, which writes down what was killed."""

import json
import subprocess
import sys

import pytest

from tests.mutants import digests, run
from tests.mutants.breach import Edit, Mutant, OutOfDate, proofs
from tests.mutants.listed import BY_PROMISE, MUTANTS, PROMISE_OF
from tests.mutants.run import judge, try_all
from tests.mutants.throwaway import SOURCE
from troth.policy.promises import KILLED, PROMISES, breaches_seen

SAMPLE = ("control", "name-in-the-log-of-one-only", "hidden-recipient")
NAMED = {
    "name-in-the-log",
    "form-asks-more",
    "keeper-opens-for-any-purpose",
    "hidden-recipient",
    "carries-anothers-details-in-base64",
    "hashed-address-to-a-third-host",
    "name-in-the-log-of-one-only",
    "card-number-kept-in-an-error",
    "policy-edited-on-disk",
}
"""Those that were asked for by name."""


def test_every_promise_has_three_mutants_at_least():
    assert set(BY_PROMISE) == set(PROMISES.ids)
    assert all(len(found) >= 3 for found in BY_PROMISE.values())
    assert set(MUTANTS) >= NAMED
    assert len(MUTANTS) == sum(len(found) for found in BY_PROMISE.values())


def test_every_proof_says_what_it_misses():
    """A trial is taken for more than it is where nothing says what it cannot see."""
    assert [proof.id for promise in PROMISES for proof in promise.proofs if not proof.misses] == []


def test_every_proof_has_a_mutant_that_must_turn_it_red():
    seen = {name for mutant in MUTANTS.values() for name in mutant.must}
    assert seen == set(PROMISE_OF)
    assert {name for mutant in MUTANTS.values() for name in mutant.may} <= set(PROMISE_OF)


def test_a_mutant_is_a_breach_of_the_promise_that_it_stands_under():
    for promise, found in BY_PROMISE.items():
        for mutant in found:
            assert mutant.must, mutant.id
            assert promise in {PROMISE_OF[name] for name in mutant.must}, mutant.id


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda one: one.id)
def test_the_text_that_a_mutant_replaces_is_there_once(mutant):
    for edit in mutant.edits:
        assert (SOURCE / edit.file).read_text().count(edit.old) == 1
        assert edit.old != edit.new
    assert mutant.edits or mutant.on_site


def test_a_mutant_uses_no_name_that_is_not_there(tmp_path):
    """A breach that ends in a `NameError` shows nothing of the proof that turns red."""
    for mutant in MUTANTS.values():
        for name in {edit.file for edit in mutant.edits if edit.file.endswith(".py")}:
            path = tmp_path / mutant.id / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text((SOURCE / name).read_text())
        for edit in mutant.edits:
            path = tmp_path / mutant.id / edit.file
            if path.exists():
                path.write_text(path.read_text().replace(edit.old, edit.new))
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select=F821", "--output-format=concise", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_mutant_whose_text_is_gone_is_out_of_date(tmp_path):
    (tmp_path / "a.py").write_text("one = 1\n")
    with pytest.raises(OutOfDate):
        Mutant("x", "", proofs("a"), (Edit("a.py", "two", "three"),)).apply(tmp_path)
    with pytest.raises(OutOfDate):
        Mutant("x", "", proofs("a"), (Edit("none.py", "two", "three"),)).apply(tmp_path)


ONE = Mutant("x", "", proofs("a.one"), may=proofs("a.may"))


@pytest.mark.parametrize(
    ("states", "fault"),
    [
        ({"a.one": "broken", "a.may": "kept", "a.two": "kept"}, ""),
        ({"a.one": "broken", "a.may": "broken", "a.two": "kept"}, ""),
        ({"a.one": "broken", "a.may": "unproven", "a.two": "kept"}, ""),
        ({"a.one": "kept", "a.may": "kept", "a.two": "kept"}, "not seen by a.one (kept)"),
        ({"a.one": "unproven", "a.may": "broken", "a.two": "kept"}, "not seen by a.one (unproven)"),
        ({"a.may": "broken"}, "not seen by a.one (None)"),
        ({"a.one": "broken", "a.two": "broken"}, "unexpected: a.two broken"),
        ({"a.one": "broken", "a.two": "unproven"}, "unexpected: a.two unproven"),
    ],
)
def test_a_proof_that_lies_is_found_out_and_so_is_one_that_cries_wolf(states, fault):
    assert judge(ONE, states) == fault


def test_what_was_killed_is_that_of_these_proofs_and_these_mutants():
    """Where this fails: `python -m tests.mutants --changed`; read what it says before you commit `killed.json`."""
    told = json.loads(KILLED.read_text())
    assert told["digests"] == {promise: digests.digest_of(promise) for promise in BY_PROMISE}
    assert set(told["killed"]) == set(PROMISES.ids)
    assert {name for names in told["killed"].values() for name in names} == set(MUTANTS)


def test_of_every_promise_a_breach_is_known_to_be_seen():
    assert all(breaches_seen(promise) for promise in PROMISES.ids)


def test_without_a_killed_mutant_nothing_is_backed(tmp_path, monkeypatch):
    monkeypatch.setattr("troth.policy.promises.KILLED", tmp_path / "none.json")
    assert breaches_seen("a.one") == []
    (tmp_path / "some.json").write_text('{"killed": {"a.one": {"x": "A field more."}, "a.two": {}}}')
    monkeypatch.setattr("troth.policy.promises.KILLED", tmp_path / "some.json")
    assert breaches_seen("a.one") == ["A field more."] and breaches_seen("a.two") == breaches_seen("a.three") == []


@pytest.mark.timeout(600)
def test_a_sample_of_them_is_seen_and_without_a_breach_nothing_is():
    found = try_all(run.chosen(SAMPLE), lambda tried, done: None)
    assert {one.id: one.fault for one in found} == dict.fromkeys(SAMPLE, "")
