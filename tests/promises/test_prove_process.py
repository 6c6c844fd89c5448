"""`troth prove` as a process of its own: kept, killed in the middle, two at once, a site that is down.

One demo for the file; the tests go in order, and the last one ends it.
"""

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import httpx
import pytest

from tests.browser import house as houses
from tests.browser.house import TROTH

pytestmark = pytest.mark.timeout(600)
_TABLES = ("vault_person", "vault_record", "letters_subscription", "letters_request", "inbox_thread", "inbox_message",
           "gate_delivery", "letters_domainhour", "promises_rightsrequest")  # fmt: skip


@pytest.fixture(scope="module")
def house():
    with houses.running() as running:
        yield running


def prove(house, *words):
    command = [*TROTH, "prove", "--site", str(house.site), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def states(done):
    told = json.loads(done.stdout)["promises"]
    return {one["id"]: one["state"] for one in told}, {proof["id"]: proof for one in told for proof in one["proofs"]}


def rows(house):
    with closing(sqlite3.connect(house.site / "data" / "troth.sqlite3")) as database:
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in _TABLES}


def test_all_five_are_kept_and_nothing_of_it_is_left(house):
    before = rows(house)
    done = prove(house, "--json")
    promises, proofs = states(done)
    assert set(promises.values()) == {"kept"}, [one for one in proofs.values() if one["state"] != "kept"]
    assert done.returncode == 0
    assert done.stderr == ""
    assert rows(house) == before
    assert set(proofs["shared.wire"]) == {"id", "state", "detail", "ms"}


def test_nobody_was_mailed(house):
    assert prove(house, "--json", "--light").returncode == 0
    assert httpx.get(f"{house.mail}/messages.json").json() == []
    log = (house.site / "troth.log").read_text()
    assert "Traceback" not in log
    assert "starting it again" not in log


def test_one_that_is_killed_in_the_middle_is_cleared_up_by_the_next(house):
    waiting = house.site / "keys" / "people" / "proving"
    process = subprocess.Popen([*TROTH, "prove", "--site", str(house.site)], stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not waiting.exists() or waiting.stat().st_size < 16 * 3:
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert rows(house)["vault_person"] >= 2  # an id stands there before its person is committed
    done = prove(house, "--json", "--light")
    assert done.returncode == 0, done.stdout
    assert not waiting.exists()
    assert rows(house)["vault_person"] == 0


def test_two_at_once_are_told_so_and_the_first_goes_on(house):
    lock = os.open(house.site / "data" / "prove.lock", os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = prove(house, "--json")
    finally:
        os.close(lock)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "Proofs are being run just now." in done.stderr
    assert "Traceback" not in done.stderr


def test_the_house_itself_tries_when_somebody_asks(house):
    (house.site / "data" / "prove-asked").touch()
    until = time.monotonic() + 90
    while True:
        with closing(sqlite3.connect(house.site / "data" / "troth.sqlite3")) as database:
            newest = database.execute(
                "SELECT light, results FROM promises_proofrun WHERE ended_at IS NOT NULL ORDER BY began_at DESC LIMIT 1"
            ).fetchone()
            count = database.execute("SELECT count(*) FROM promises_proofrun").fetchone()[0]
        if count >= 5 and newest[0] == 0:
            break
        assert time.monotonic() < until
        time.sleep(0.2)
    found = {name: proof for proofs in json.loads(newest[1]).values() for name, proof in proofs.items()}
    assert [(name, one["detail"]) for name, one in found.items() if one["state"] != "kept"] == []


def test_a_site_that_is_down_is_unproven_in_clear_words_and_not_broken(house, tmp_path):
    kept = house.site.rename(tmp_path / "site")  # the demo removes its folder at the end
    house.process.terminate()
    house.process.communicate(timeout=60)
    done = subprocess.run(
        [*TROTH, "prove", "--json", "--site", str(kept)], capture_output=True, text=True, timeout=240, check=False
    )
    promises, proofs = states(done)
    assert done.returncode == 1
    assert "broken" not in promises.values()
    assert proofs["policy.page"]["detail"] == "The site did not answer: is it being served?"
    assert "is the site being served?" in proofs["shared.wire"]["detail"]
    assert proofs["shared.fences"]["state"] == "unproven"
    assert proofs["purpose.wrong"]["state"] == "kept"
