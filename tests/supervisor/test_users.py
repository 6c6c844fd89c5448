"""Who owns what, where each process has a user of its own. As root, and where the users can be made."""

import grp
import os
import pwd
import shutil
import stat
import subprocess
import sys
import uuid
from functools import partial
from pathlib import Path

import pytest

from tests.front.client import Keys, make_published
from tests.supervisor.conftest import GROUPS, as_user
from troth.core.errors import TrothError
from troth.core.site import Site
from troth.front import published
from troth.operate import create_site
from troth.supervisor import roles, supervisor, users
from troth.supervisor.safe_write import User
from troth.vault.erased_list import ROW, Forgotten

PYTHON = "/usr/bin/python3"
TRY = """
import os, sys
def may(what):
    try:
        what()
    except PermissionError:
        return False
    return True
root = sys.argv[1]
for line in sys.stdin.read().splitlines():
    how, _, path = line.partition(" ")
    place = os.path.join(root, path)
    if how == "read":
        told = may(lambda: os.listdir(place) if os.path.isdir(place) else open(place, "rb").close())
    elif how == "write":
        told = may(lambda: open(place, "r+b").close())
    else:
        told = may(lambda: os.close(os.open(place + "/new-" + str(os.getuid()), os.O_CREAT | os.O_WRONLY)))
    print(int(told), line)
"""


def test_the_users_are_system_accounts_that_nobody_can_sign_in_to(people):
    assert people.keys() == set(roles.USERS)
    assert len({user.ident for user in people.values()}) == 4 and 0 not in {user.ident for user in people.values()}
    for role, user in people.items():
        entry = pwd.getpwnam(f"troth-{role}")
        assert (entry.pw_uid, entry.pw_gid) == user.own
        assert entry.pw_shell.endswith("nologin") and not Path(entry.pw_dir).exists()
    groups = {name: grp.getgrnam(f"troth-{name}").gr_gid for name in GROUPS}
    assert {role: {*user.groups} - {user.group} for role, user in people.items()} == {
        "front": {groups["public"]},
        "clerk": {groups["spool"]},
        "worker": set(groups.values()),
        "office": {groups["data"], groups["public"]},
    }
    assert {role: user.groups[0] for role, user in people.items()} == {
        "front": people["front"].group,
        "clerk": groups["spool"],
        "worker": groups["data"],
        "office": groups["data"],
    }


def test_making_them_again_changes_nothing(people):
    assert users.ensure() == people


def test_modes_are_what_the_table_says(settled):
    modes = {
        ".": 0o711,
        "troth.toml": 0o640,
        "policy.md": 0o644,
        "keys": 0o751,
        "keys/site-id": 0o644,
        "keys/mail-password": 0o600,
        "keys/database-password": 0o640,
        "keys/seal": 0o700,
        "keys/sign/1.key": 0o600,
        "keys/dkim/troth.pem": 0o600,
        "keys/office": 0o750,
        "keys/office/secret.key": 0o600,
        "keys/people": 0o770,
        "keys/people/slots": 0o660,
        "data": 0o770,
        "data/aside": 0o770,
        "data/troth.sqlite3": 0o660,
        "spool": 0o750,
        "spool/0000000000000001.seg": 0o640,
        "public": 0o750,
        "public/gen-1": 0o750,
        "public/gen-1/front.json": 0o640,
        "asks": 0o750,
        "offers": 0o750,
    }
    found = {name: stat.S_IMODE((settled.root / name).stat().st_mode) for name in modes}
    assert {name: oct(mode) for name, mode in found.items()} == {name: oct(mode) for name, mode in modes.items()}


def test_nothing_but_what_is_public_is_open_to_everybody(settled):
    open_to_all = {
        str(path.relative_to(settled.root))
        for path in settled.root.rglob("*")
        if not path.is_symlink() and path.stat().st_mode & (0o006 if path.is_file() else 0o007)
    }
    assert open_to_all == {"policy.md", "keys", "keys/site-id", "keys/recovery.pub"}
    assert stat.S_IMODE(settled.keys.stat().st_mode) & 0o006 == 0


MAY = {
    "front": {"read public", "read public/current/front.json"},
    "clerk": {"read spool", "read spool/0000000000000001.seg", "write spool/0000000000000001.seg", "make spool"},
    "worker": {
        "read public", "read public/current/front.json", "make public", "write public/current/front.json",
        "read spool", "read spool/0000000000000001.seg", "read data", "make data", "write data/troth.sqlite3",
        "read troth.toml", "read keys/seal", "make keys/seal", "read keys/sign/1.key", "write keys/sign/1.key",
        "read keys/database-password", "read keys/dkim/troth.pem", "read keys/mail-password",
        "read keys/people/slots", "write keys/people/slots",
        "make keys/people", "make asks", "read asks", "read keys", "read keys/office",
    },
    "office": {
        "read public", "read public/current/front.json", "read data", "make data", "write data/troth.sqlite3",
        "read troth.toml", "read keys/database-password", "read keys/office/secret.key", "write keys/office/secret.key",
        "read keys/office",
        "read keys/people/slots", "write keys/people/slots", "make keys/people",
    },
}  # fmt: skip
EVERYBODY = {"read keys/site-id", "read policy.md"}
ALL = {one for may in MAY.values() for one in may} | EVERYBODY
ALL |= {"read keys", "read .", "make .", "make keys", "write troth.toml", "write policy.md", "write keys/site-id"}


@pytest.mark.skipif(not Path(PYTHON).exists(), reason="needs a Python that every user can run")
@pytest.mark.parametrize("role", roles.USERS)
def test_each_user_can_do_what_its_process_must_and_nothing_else(people, settled, role):
    user = people[role]
    done = subprocess.run(
        [PYTHON, "-I", "-S", "-c", TRY, str(settled.root)],
        input="\n".join(sorted(ALL)),
        user=user.ident,
        group=user.groups[0],
        extra_groups=user.groups,
        cwd="/",
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    told = [line.partition(" ")[::2] for line in done.stdout.splitlines()]
    assert {what for _, what in told} == ALL
    assert {what for may, what in told if may == "1"} == MAY[role] | EVERYBODY


def test_settling_again_changes_nothing_and_takes_in_what_is_new(people, settled):
    before = {
        path: (path.lstat().st_uid, path.lstat().st_gid, path.lstat().st_mode) for path in settled.root.rglob("*")
    }
    (settled.data / "new").write_text("x")
    users.settle(settled, people)
    after = {path: (path.lstat().st_uid, path.lstat().st_gid, path.lstat().st_mode) for path in settled.root.rglob("*")}
    new = after.pop(settled.data / "new")
    assert after == before
    assert new[:2] == (people["worker"].ident, grp.getgrnam("troth-data").gr_gid) and stat.S_IMODE(new[2]) == 0o660


@pytest.mark.parametrize(("maker", "other"), [("worker", "office"), ("office", "worker")])
@pytest.mark.parametrize("folder", ["data", "keys/people"])
def test_what_one_makes_in_a_shared_folder_the_other_can_change(people, settled, folder, maker, other):
    path = settled.root / folder / "made-while-serving"
    assert as_user(people[maker], lambda: path.open("x").write("x"))
    assert as_user(people[other], lambda: path.open("r+").write("y"))
    assert path.read_text() == "y"
    assert not any(as_user(people[role], path.read_bytes) for role in ("front", "clerk"))


@pytest.mark.parametrize(("maker", "other"), [("worker", "office"), ("office", "worker")])
def test_who_was_erased_is_noted_by_both_whoever_was_first_and_however_they_came(people, settled, maker, other):
    """As one of them who was signed in to from a shell, too: with a user's own group, and no file for the group."""
    user, note = people[maker], partial(Forgotten(settled.people_keys).note, [(1, uuid.uuid4())])
    shell = User(user.ident, user.group, [user.group, *user.groups])
    assert as_user(shell, lambda: (os.umask(0o027), note()))
    assert as_user(people[other], note)
    path = settled.people_keys / "forgotten"
    assert path.stat().st_size == 2 * ROW and stat.S_IMODE(path.stat().st_mode) == 0o660
    assert (path.stat().st_uid, path.group()) == (user.ident, "troth-data")


def test_what_the_clerk_acknowledges_the_worker_can_read_and_nobody_can_change(people, settled):
    path = settled.spool / "0000000000000002.seg"
    assert as_user(people["clerk"], lambda: os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)))
    assert as_user(people["worker"], path.read_bytes)
    assert not any(as_user(people[role], lambda: path.write_bytes(b"")) for role in ("front", "worker", "office"))


def test_what_the_worker_publishes_the_front_can_read_and_change_nothing_of(people, settled):
    found = make_published(Keys())
    assert as_user(people["worker"], lambda: published.write(settled.public, found))
    assert as_user(people["front"], lambda: published.load(settled.public).generation)
    file = settled.public / "current" / published.FILE
    assert not as_user(people["front"], lambda: file.open("r+b"))
    assert not as_user(people["clerk"], file.read_bytes)


def test_no_folder_needs_a_set_group_id_bit_and_one_from_before_goes(people, settled):
    settled.data.chmod(0o2770)
    users.settle(settled, people)
    assert not [path for path in settled.root.rglob("*") if path.lstat().st_mode & (stat.S_ISGID | stat.S_ISUID)]


def test_a_mode_that_is_not_taken_is_an_error_and_not_passed_over(people, settled, monkeypatch):
    fchmod = os.fchmod
    settled.data.chmod(0o700)
    monkeypatch.setattr(os, "fchmod", lambda descriptor, mode: fchmod(descriptor, mode & ~0o070))
    with pytest.raises(TrothError, match="can't be given the owner and mode") as error:
        users.settle(settled, people)
    assert "owners and modes" in error.value.mend


def test_an_owner_that_cannot_be_given_is_told_with_the_reason(people, settled, monkeypatch):
    def refused(*_arguments, **_options):
        raise PermissionError(1, "refused")

    os.chown(settled.data, 0, 0)
    monkeypatch.setattr(os, "fchown", refused)
    with pytest.raises(TrothError, match="Operation not permitted"):
        users.settle(settled, people)


@pytest.mark.skipif(not Path(PYTHON).exists(), reason="needs a Python that every user can run")
def test_a_closed_folder_above_the_site_is_told(people, settled, monkeypatch):
    monkeypatch.setattr(sys, "executable", PYTHON)
    users.check_site(people, settled)
    settled.root.parent.chmod(0o700)
    with pytest.raises(TrothError, match="cannot reach") as error:
        users.check_site(people, settled)
    assert "namei -m" in error.value.mend


def test_proofs_may_look_through_a_backup_folder_that_was_roots_alone(people, within_reach):
    folder = within_reach / "backups"
    folder.mkdir(mode=0o700)
    (folder / "data-1.troth").write_bytes(b"encrypted")
    (folder / "data-1.troth").chmod(0o600)
    (folder / "other").write_text("none of ours")
    (folder / "other").chmod(0o600)
    users.let_look(folder, people["worker"])
    assert as_user(people["worker"], lambda: [os.listdir(folder), (folder / "data-1.troth").read_bytes()])
    assert not as_user(people["worker"], (folder / "other").read_bytes)
    assert not as_user(people["worker"], lambda: (folder / "x").touch())
    assert not any(as_user(people[role], lambda: os.listdir(folder)) for role in ("front", "clerk", "office"))


def test_proofs_may_look_at_the_backups_in_a_folder_that_everybody_may_list(people, within_reach):
    folder = within_reach / "backups"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "data-1.troth").touch(mode=0o600)
    (folder / "other").touch(mode=0o600)
    users.let_look(folder, people["worker"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755 and folder.stat().st_gid == 0
    assert as_user(people["worker"], lambda: [os.listdir(folder), (folder / "data-1.troth").read_bytes()])
    assert not as_user(people["worker"], (folder / "other").read_bytes)
    assert not as_user(people["office"], (folder / "data-1.troth").read_bytes)
    folder.chmod(0o777)
    (folder / "data-2.troth").touch(mode=0o600)
    users.let_look(folder, people["worker"])
    assert stat.S_IMODE((folder / "data-2.troth").stat().st_mode) == 0o600


def test_a_backup_folder_that_root_opened_to_somebody_else_stays_as_it_is(people, within_reach):
    folder = within_reach / "backups"
    folder.mkdir()
    folder.chmod(0o750)
    users.let_look(folder, people["worker"])
    assert (folder.stat().st_gid, stat.S_IMODE(folder.stat().st_mode)) == (0, 0o750)
    users.let_look(within_reach / "not-there", people["worker"])


def test_preparing_does_what_a_start_needs_root_for_and_starts_nothing(people, within_reach, monkeypatch):
    site = Site(create_site.init(within_reach / "site").root)
    monkeypatch.setattr(users, "check_reach", lambda *_: None)  # the tests' own Python may lie in root's home
    monkeypatch.setattr(users, "check_site", lambda *_: None)
    folder = within_reach / "backups"
    folder.mkdir(mode=0o700)
    settings = site.config.read_text().replace("[backup]", f'[backup]\nfolder = "{folder}"')
    site.config.write_text(settings.replace('# folder = ""', ""))
    supervisor.prepare_only(site.root)
    assert site.data.stat().st_uid == people["worker"].ident and folder.stat().st_gid == people["worker"].group
    assert list(site.spool.iterdir()) == []
    monkeypatch.setattr(supervisor.os, "geteuid", lambda: 1000)
    with pytest.raises(TrothError, match="Only root"):
        supervisor.prepare_only(site.root)


def test_a_link_in_the_folder_leads_to_no_file_outside_of_it(people, settled, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("somebody else's")
    outside.chmod(0o600)
    (settled.data / "link").symlink_to(outside)
    (settled.data / "folder").symlink_to(tmp_path)
    users.settle(settled, people)
    assert (outside.stat().st_uid, stat.S_IMODE(outside.stat().st_mode)) == (0, 0o600)


def test_a_python_that_a_user_cannot_run_is_told_before_anything_starts(people, tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copy(os.path.realpath("/bin/true"), closed / "python")
    monkeypatch.setattr(sys, "executable", str(closed / "python"))
    with pytest.raises(TrothError, match="can't read Python or Troth's code") as error:
        users.check_reach(people, tmp_path)
    assert "--one-user" in error.value.mend


@pytest.mark.skipif(not Path(PYTHON).exists(), reason="needs a Python that every user can run")
def test_code_that_a_user_cannot_read_is_told_too(people, within_reach, monkeypatch):
    source = within_reach / "source"
    (source / "troth/supervisor").mkdir(parents=True)
    (source / "troth/supervisor/child.py").touch()
    monkeypatch.setattr(sys, "executable", PYTHON)
    users.check_reach(people, source)
    (source / "troth").chmod(0o700)
    with pytest.raises(TrothError, match="can't read Python or Troth's code"):
        users.check_reach(people, source)


def test_users_that_cannot_be_made_are_told_with_a_mend(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # neither useradd nor groupadd

    def nobody(_name):
        raise KeyError

    monkeypatch.setattr(users.grp, "getgrnam", nobody)
    with pytest.raises(TrothError, match="groupadd could not create troth-data") as error:
        users.ensure()
    assert "--one-user" in error.value.mend and "--prepare" in error.value.mend


def test_what_the_tool_said_is_told(monkeypatch, tmp_path):
    tool = tmp_path / "groupadd"
    tool.write_text("#!/bin/sh\necho 'groupadd: cannot lock /etc/group' >&2; exit 10\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def nobody(_name):
        raise KeyError

    monkeypatch.setattr(users.grp, "getgrnam", nobody)
    with pytest.raises(TrothError, match="cannot lock /etc/group"):
        users.ensure()


def test_files_that_two_share_are_made_for_both_and_left_alone_if_there(tmp_path):
    site = Site(create_site.init(tmp_path / "site").root)
    site.database.write_bytes(b"kept")
    users.share(site)
    assert site.database.read_bytes() == b"kept"
    assert (site.people_keys / "index.sqlite3").read_bytes() == b""
