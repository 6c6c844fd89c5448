"""`troth doctor` on owners and modes: what those who serve cannot use is said before an entry waits for it."""

import os
import sys
from pathlib import Path

import pytest

from troth.core.config.sections import BackupSection, Config, SiteSection
from troth.operate.doctor import permissions
from troth.supervisor import users

NAME = Config(site=SiteSection(name="Example", url="http://localhost"))
PYTHON = "/usr/bin/python3"


@pytest.fixture(autouse=True)
def reach(monkeypatch):
    """The tests' own Python may lie in root's home, where the users cannot come."""
    monkeypatch.setattr(users, "check_reach", lambda *_: None)
    monkeypatch.setattr(users, "check_site", lambda *_: None)


def bad(site, settings=NAME, level="bad"):
    return [one for one in permissions.look(site, settings) if one.level == level]


def test_a_settled_site_is_right(settled):
    assert [one.level for one in permissions.look(settled, NAME)] == ["ok"]


@pytest.mark.parametrize(
    "name", ["keys/people/forgotten", "data/prove.lock", "spool/0000000000000002.seg", "keys/sent/x"]
)
def test_what_root_left_by_a_command_is_seen(settled, name):
    (settled.root / name).write_bytes(b"")
    (one,) = bad(settled)
    assert f"{settled.root / name} belongs to root" in one.what
    assert one.mend == f"troth serve --prepare --site {settled.root}"


def test_what_the_supervisor_writes_for_the_others_is_roots(settled, people):
    for name in ("house.json", "policy-copy.md", ".house.json.new"):
        (settled.data / name).write_text("{}")
        os.chown(settled.data / name, 0, people["worker"].groups[0])
    assert bad(settled) == []


def test_a_file_that_one_of_two_cannot_use(settled, people):
    path = settled.data / "troth.sqlite3"
    os.chown(path, people["worker"].ident, people["worker"].group)
    assert "one of two processes that share it cannot use it" in bad(settled)[0].what


@pytest.mark.parametrize(
    ("name", "mode"), [("data", 0o700), ("keys/people", 0o700), ("spool", 0o700), ("public", 0o700), ("keys", 0o700)]
)
def test_a_folder_that_lacks_what_serving_needs(settled, name, mode):
    (settled.root / name).chmod(mode)
    (one,) = bad(settled)
    assert f"{settled.root / name} has mode 0700, and needs" in one.what


def test_of_very_many_some_are_named(settled):
    for number in range(50):
        (settled.data / f"left-{number}").touch()
    assert [one.what for one in bad(settled)][-1] == "… and more." and len(bad(settled)) == 6


def test_a_site_of_one_user_has_no_file_of_another(settled):
    for path in (settled.root, *settled.root.rglob("*")):
        os.lchown(path, 54321, 54321)
    assert bad(settled) == []
    (settled.people_keys / "forgotten").touch()
    (one,) = bad(settled)
    assert "belongs to root, but user 54321 serves this site" in one.what and "chown -R user 54321" not in one.mend


@pytest.mark.skipif(not Path(PYTHON).exists(), reason="needs a Python that every user can run")
def test_a_backup_folder_that_proofs_cannot_look_through(settled, people, within_reach, monkeypatch):
    monkeypatch.setattr(sys, "executable", PYTHON)
    folder = within_reach / "backups"
    folder.mkdir(mode=0o700)
    settings = Config(site=NAME.site, backup=BackupSection(folder=str(folder)))
    (one,) = bad(settled, settings, "warn")
    assert "proofs cannot read" in one.what and f"chgrp -R troth-worker {folder}" in one.mend
    users.let_look(folder, people["worker"])
    assert bad(settled, settings, "warn") == []
    (folder / "data-1.troth").touch(mode=0o600)
    (one,) = bad(settled, settings, "warn")
    assert "proofs cannot read" in one.what
