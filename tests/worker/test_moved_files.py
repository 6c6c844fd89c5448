"""A database or key store that is removed or replaced while the house serves costs nothing that was acknowledged."""

import os
import shutil
import sqlite3
from contextlib import closing

import httpx
import pytest

from tests.worker import served
from tests.worker.test_intake import drain, signup
from troth.core import frames
from troth.worker.intake import FileMoved, Intake


@pytest.mark.parametrize("name", ["data/troth.sqlite3", "keys/people/slots", "keys/people/index.sqlite3"])
def test_nothing_is_called_filed_once_a_file_has_gone(site, name):
    site.submit(signup("ada@example.com"))
    intake = Intake()
    while intake.turn().moved:
        pass
    path = site.root / name
    shutil.copy(path, site.root / "copy")
    os.replace(site.root / "copy", path)
    site.submit(signup("bob@example.com"))
    with pytest.raises(FileMoved, match=path.name):
        drain_with(intake)


def drain_with(intake):
    while intake.turn().moved:
        pass


def test_without_harm_everything_is_filed(site):
    for number in range(3):
        site.submit(signup(f"p{number}@example.com"))
        drain()


@pytest.mark.walls
def test_a_removed_database_is_told_and_what_came_meanwhile_is_filed_once_it_is_back(tmp_path):
    site, front = served.make(tmp_path / "site")
    with served.serving(site, front) as house:
        assert house.sign_up("ada@example.com") == 303
        house.until(lambda told: told["people"] == 1)
        with closing(sqlite3.connect(site.database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        site.database.rename(site.data / "away")
        statuses = [house.sign_up(f"p{number}@example.com") for number in range(5)]
        assert statuses == [303] * 5
        house_log(house, "was removed or replaced while Troth was running")
        assert httpx.get(f"{front}/healthz").status_code == 200, "the fronts go on"
        looked = served.troth("status", "--site", str(site.root), check=False)
        assert looked.returncode == 1 and "is missing, but keys/people/ has" in looked.stderr
        assert not site.database.exists(), "whoever looks makes no new one"
        assert frames.segments(site.spool), "nothing was dropped"
        (site.data / "away").rename(site.database)
        house.until(lambda told: told["people"] == 6)


def house_log(house, words):
    import time

    until = time.monotonic() + 30
    while words not in served.log(house.site):
        assert time.monotonic() < until, served.log(house.site)
        time.sleep(0.1)
