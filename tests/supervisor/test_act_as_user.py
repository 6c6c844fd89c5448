"""What root types on a site that another user serves leaves nothing of root's behind."""

import os
import stat
import subprocess

import pytest

from troth.backup import create
from troth.core.site import Site
from troth.operate.create_site import init
from troth.supervisor import act_as_user, roles, users


def in_a_child(act):
    """What `act` returned in a process of its own, as text; the process may become somebody else."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            os.write(writing, str(act()).encode())
            os._exit(0)
        except BaseException as error:
            os.write(writing, repr(error).encode())
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, text
    return text


def roots(site):
    """What is root's of what serving writes."""
    folders = (site.data, site.people_keys, site.spool, site.public, site.sent, site.seal_keys)
    return [path for folder in folders for path in folder.rglob("*") if path.lstat().st_uid == 0]


def test_root_becomes_the_workers_user_for_good(settled, people):
    def act():
        act_as_user.become_owner(settled)
        (settled.data / "made").touch()
        with pytest.raises(PermissionError):
            os.setresuid(0, 0, 0)
        return os.getresuid(), os.getresgid(), sorted(os.getgroups())

    worker = people["worker"]
    told = in_a_child(act)
    group = worker.groups[0]
    groups = sorted([*worker.groups, *users.journal_readers()])
    assert told == str(((worker.ident,) * 3, (group,) * 3, groups))
    made = (settled.data / "made").stat()
    assert (made.st_uid, made.st_gid) == (worker.ident, group) and stat.S_IMODE(made.st_mode) & 0o007 == 0


def test_what_root_edited_under_a_umask_of_its_own_can_be_read_again(settled, people):
    for path in (settled.config, settled.policy):
        path.unlink()
        path.write_text("edited")
        path.chmod(0o600)

    def act():
        act_as_user.become_owner(settled)
        return settled.config.read_text() + settled.policy.read_text()

    assert in_a_child(act) == "editededited"


def test_a_site_of_one_user_is_its_users(settled):
    for path in (settled.root, *settled.root.rglob("*")):
        os.lchown(path, 54321, 54322)

    def act():
        act_as_user.become_owner(settled)
        (settled.data / "made").touch()
        return os.getresuid()

    assert in_a_child(act) == str((54321,) * 3)
    made = (settled.data / "made").stat()
    assert (made.st_uid, made.st_gid) == (54321, 54322)


@pytest.mark.parametrize("role", roles.USERS)
def test_behind_a_fence_root_becomes_whom_that_process_is(settled, people, role):
    def act():
        act_as_user.become_role(settled, role)
        return os.getresuid()

    assert in_a_child(act) == str((people[role].ident,) * 3)


def test_a_site_of_roots_own_changes_nobody(tmp_path):
    site = Site(init(tmp_path / "site").root)
    assert act_as_user.owner(site) is None
    with act_as_user.as_owner(site):
        assert os.geteuid() == os.getuid()
    assert act_as_user.owner(Site(tmp_path / "nowhere")) is None


def test_for_one_act_and_then_root_again(settled, people):
    before = os.getresuid(), os.getresgid(), os.getgroups()
    with act_as_user.as_owner(settled):
        assert os.geteuid() == people["worker"].ident
        (settled.data / "made").touch()
    assert (os.getresuid(), os.getresgid(), os.getgroups()) == before
    assert roots(settled) == []


def test_a_backup_by_root_leaves_nothing_of_roots_and_proofs_may_look_at_it(settled, people, within_reach):
    from tests.cli.running import troth

    fresh = Site(init(within_reach / "other").root)
    assert troth("status", "--site", str(fresh.root)).returncode == 0  # makes the database
    users.settle(fresh, people)
    folder = within_reach / "backups"
    folder.mkdir(mode=0o700)
    users.let_look(folder, people["worker"])
    made = create.backup(fresh.root, folder)
    assert roots(fresh) == []
    assert {path.stat().st_uid for path in made.files} == {0}
    assert {(path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) for path in made.files} == {
        (people["worker"].group, 0o640)
    }
    assert (fresh.data / "backups.json").stat().st_uid == people["worker"].ident
    plain = within_reach / "plain"
    plain.mkdir()
    plain.chmod(0o755)
    for path in create.backup(fresh.root, plain).files:
        assert (path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (people["worker"].group, 0o640)


def test_a_backup_by_root_in_a_folder_of_who_serves_is_theirs(people, within_reach):
    from tests.cli.running import troth

    fresh = Site(init(within_reach / "own").root)
    assert troth("status", "--site", str(fresh.root)).returncode == 0
    subprocess.run(["chown", "-R", "54321:54321", str(fresh.root)], check=True)
    folder = within_reach / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, 54321, 54321)
    assert {path.stat().st_uid for path in create.backup(fresh.root, folder).files} == {54321}


def test_a_link_planted_where_a_backup_writes_leads_root_nowhere(settled, people, tmp_path):
    from troth.core import clock
    from troth.core.site_files import backup_index

    target = tmp_path / "precious"
    target.write_text("untouched")
    target.chmod(0o600)
    (settled.data / ".backups.new").symlink_to(target)
    with act_as_user.as_owner(settled):
        backup_index.write(settled, backup_index.Backups("", clock.now(), []))
    assert target.read_text() == "untouched"
