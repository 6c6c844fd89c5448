"""A restore that is killed at any step of its swap: the site is as it was, or is restored, and never something between.

`tests.backup.killer` does the restoring and the killing, with real processes: at some of the steps, and at every one in
`make trial` (`TROTH_EVERY_STEP=1`).
"""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.backup.drill import House


def one_in(number):
    """The killer's option for one step in so many."""
    return f"every={1 if os.environ.get('TROTH_EVERY_STEP') else number}"


class NoCompany:
    port = 9


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A site with three people that was backed up; later one came and one was erased."""
    folder = tmp_path_factory.mktemp("killed")
    house = House(folder, NoCompany())
    filled(house)
    return house


def filled(house):
    house.serve()
    for name in ("ada", "bob", "cyd"):
        house.sign_up(f"{name}@example.com")
    house.inside("import time\nwhile Person.objects.count() < 3: time.sleep(0.05)")
    house.stop()
    (house.data, house.keys) = house.backup(house.root.parent / "first")
    house.serve()
    house.sign_up("dan@example.com")
    house.inside("import time\nwhile Person.objects.count() < 4: time.sleep(0.05)")
    house.erase("bob@example.com")
    house.stop()
    (_, house.later_keys) = house.backup(house.root.parent / "later")


def killed_at_each_step(house, before, place, files, options=""):
    """What the killer told, step by step; the last one was not killed."""
    command = [sys.executable, "-m", "tests.backup.killer", before, place, house.paper, options, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert steps[-1]["killed"] is None and "refused" not in steps[-1]["told"], steps[-1]
    return steps


def neither_half_nor_twice(steps, was, now):
    """Killed wherever: what may serve is whole; what may not says so, and the next restore tells what an unkilled one
    does. `was`, `now`: who is found before and after; who came last may lie in the spool still, and is filed again."""
    whole = steps[-1]
    assert whole["before"]["found"] in (now, [*now, "dan"])
    now = whole["before"]["found"]
    for one in steps[:-1]:
        if one["serves"]:
            assert one["before"]["found"] in (was, now), one
        elif one["marker"]:
            assert any("started but not finished" in what for what in one["doctor"]), one
        assert one["after"]["found"] == now, one
        assert one["after"]["serves"] and one["after"]["left"] == [], one
        assert one["after"]["mails"] == whole["before"]["mails"], one
    return [one for one in steps[:-1] if one["marker"]]


@pytest.mark.parametrize(
    "options", ["--replace", f"--replace undo=10 {one_in(4)}"], ids=["in the swap", "while it is undone"]
)
def test_over_a_site_that_is_there(kept, tmp_path, options):
    steps = killed_at_each_step(kept, kept.root, tmp_path / "site", [kept.data, kept.keys], options)
    half = neither_half_nor_twice(steps, ["ada", "cyd", "dan"], ["ada", "cyd"])
    assert len(half) >= (3 if "undo" in options else 8), "keys and database were between two places"
    whole = steps[-1]
    for one in half:
        told = dict(one["again"])
        if "dan" in whole["before"]["found"]:
            # He was filed again from the spool, under a new key. A killed restore may have done so before, and its key,
            # which nobody uses, is told as somebody lost: one too many rather than one too few.
            told["lost"] = min(told["lost"], whole["told"]["lost"])
        assert told == whole["told"], one


def test_with_the_keys_alone_lost(kept, tmp_path):
    """The records are mended in a copy: a try that is killed leaves them as they were."""
    before = tmp_path / "before"
    shutil.copytree(kept.root, before, symlinks=True)
    shutil.rmtree(before / "keys")
    steps = killed_at_each_step(kept, before, tmp_path / "site", [kept.later_keys], one_in(2))
    for one in neither_half_nor_twice(steps, [], ["ada", "cyd", "dan"]):
        assert one["again"] == steps[-1]["told"], one


def test_keys_that_are_older_than_the_records_are_refused_and_the_records_stay_as_they_were(kept, tmp_path):
    site = tmp_path / "site"
    shutil.copytree(kept.root, site, symlinks=True)
    shutil.rmtree(site / "keys")
    before = (site / "data" / "troth.sqlite3").read_bytes()
    assert "do not belong together" in kept.restore(kept.keys, to=site, code=1)
    assert (site / "data" / "troth.sqlite3").read_bytes() == before and not (site / "keys").exists()


@pytest.mark.parametrize("there", [True, False], ids=["an empty folder", "no folder"])
def test_into(kept, tmp_path, there):
    """Here the journal of what was sent is lost: what may have gone is held, after however many tries."""
    before = tmp_path / "before"
    if there:
        before.mkdir()
    steps = killed_at_each_step(kept, before, tmp_path / "site", [kept.data, kept.keys], one_in(3))
    assert set(steps[-1]["before"]["mails"]) == {"held"}
    for one in neither_half_nor_twice(steps, [], ["ada", "bob", "cyd"]):
        assert one["again"] == steps[-1]["told"], one


@pytest.mark.postgres
def test_with_postgresql_before_and_after_its_commit(tmp_path, postgres_server, postgresql_template):
    postgres_server.execute(f"CREATE DATABASE killed TEMPLATE {postgresql_template}")
    house = House(tmp_path, NoCompany(), postgres_server.at("killed"))
    filled(house)
    steps = killed_at_each_step(
        house, house.root, tmp_path / "copy", [house.data, house.keys], f"--replace {one_in(4)}"
    )
    for one in neither_half_nor_twice(steps, ["ada", "cyd", "dan"], ["ada", "cyd"]):
        ended = "had already finished" in one["again"].get("refused", "")
        assert ended or one["again"]["people"] == steps[-1]["told"]["people"], one
