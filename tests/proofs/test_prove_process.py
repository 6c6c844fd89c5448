"""`troth prove` as a process of its own: kept, killed in the middle, two at once, a site that is down.

One demo for the file; the tests go in order, and the last one ends it.
"""

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from tests import forked
from tests.browser import house as houses
from tests.browser.house import TROTH

pytestmark = pytest.mark.timeout(600)
_TABLES = (
    *("vault_person", "vault_canary", "vault_record", "newsletter_subscription", "newsletter_request"),
    *("newsletter_domainhour", "contact_thread", "contact_message", "gate_delivery", "rights_rightsrequest"),
)


@pytest.fixture(scope="module")
def house():
    with houses.running() as running:
        yield running


def prove(house, *words):
    return forked.run(TROTH[-1], "prove", "--site", house.site, *words, env=os.environ, timeout=240)


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
    assert "; restarting" not in log


def test_one_that_is_killed_in_the_middle_is_cleared_up_by_the_next(house):
    process = subprocess.Popen([*TROTH, "prove", "--site", str(house.site)], stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while rows(house)["vault_canary"] < 3:
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = rows(house)
    assert left["vault_person"] == left["vault_canary"] >= 3 and left["contact_message"] >= 1
    assert told(house) == (0, {"confirmed": 0, "left": 0, "waiting": 0}, 0)
    done = prove(house, "--json", "--light")
    assert done.returncode == 0, done.stdout
    assert rows(house)["vault_person"] == 0


def told(house):
    """People, subscriptions and mails, as the shell is told."""
    done = forked.run(TROTH[-1], "status", "--json", "--site", house.site, env=os.environ)
    status = json.loads(done.stdout)
    return status["people"], status["subscriptions"], sum(status["mails"].values())


def test_under_twenty_hits_a_second_all_are_kept_and_no_figure_has_the_proofs_own_visits(house):
    with _visitors(house) as sent:
        done = [prove(house, "--json") for _ in range(2)]
        until = time.monotonic() + 120
        while len(sent) <= 200:  # a quick machine has proved twice before
            assert time.monotonic() < until, len(sent)
            time.sleep(0.1)
    for one in done:
        promises, proofs = states(one)
        assert set(promises.values()) == {"kept"}, [each for each in proofs.values() if each["state"] != "kept"]
        assert not [each["detail"] for each in proofs.values() if "first check" in each["detail"]]
    until = time.monotonic() + 30
    while (views := _views(house)) < len(sent) and time.monotonic() < until:
        time.sleep(0.5)
    assert views == len(sent)


@contextmanager
def _visitors(house):
    """Visits at twenty a second, each by a visitor of its own; yields those that were counted."""
    sent, over = list[str](), threading.Event()

    def send():
        while not over.wait(0.05):
            address = f"127.9.{len(sent) >> 8}.{len(sent) & 255}"
            with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as client:
                hit = {"k": "v", "u": "http://localhost/products.html", "w": "1280"}
                agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
                answer = client.post(f"{house.front}/hit", data=hit, headers={"user-agent": agent})
            assert answer.status_code == 204, answer.text
            sent.append(address)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield sent
    finally:
        over.set()
        thread.join()


def _views(house):
    """Views of the whole site that lie in its tables of days."""
    with closing(sqlite3.connect(house.site / "data" / "troth.sqlite3")) as database:
        today = datetime.now(UTC).date().toordinal()
        return database.execute("SELECT sum(views) FROM audience_day WHERE kind = 0 AND at >= ?", [today]).fetchone()[0]


def test_two_at_once_are_told_so_and_the_first_goes_on(house):
    lock = os.open(house.site / "data" / "prove.lock", os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = prove(house, "--json")
    finally:
        os.close(lock)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "Checks are already running." in done.stderr
    assert "Traceback" not in done.stderr


def test_the_house_itself_tries_when_somebody_asks(house):
    (house.site / "data" / "prove-asked").touch()
    until = time.monotonic() + 90
    while True:
        with closing(sqlite3.connect(house.site / "data" / "troth.sqlite3")) as database:
            newest = database.execute(
                "SELECT light, results FROM policy_proofrun WHERE ended_at IS NOT NULL ORDER BY began_at DESC LIMIT 1"
            ).fetchone()
            count = database.execute("SELECT count(*) FROM policy_proofrun").fetchone()[0]
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
    done = forked.run(TROTH[-1], "prove", "--json", "--site", kept, env=os.environ, timeout=240)
    promises, proofs = states(done)
    assert done.returncode == 1
    assert "broken" not in promises.values()
    assert proofs["policy.page"]["detail"] == "The site did not respond. Is it running?"
    assert "Is the site running?" in proofs["shared.wire"]["detail"]
    assert proofs["shared.fences"]["state"] == "unproven"
    assert proofs["purpose.wrong"]["state"] == "kept"
