"""Whoever owns a folder decides what its names lead to. Root writes there all the same, and nothing else is touched.

At every name that root writes, reads or changes in a folder of another user's stands a trap; then root does its work.
"""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from troth.backup import create, database_snapshot, swap
from troth.core import clock
from troth.core.disk import open_plain, write_synced
from troth.core.errors import TrothError
from troth.core.site import Site
from troth.core.site_files import backup_index
from troth.operate import create_site
from troth.supervisor import safe_write, status_file, users
from troth.supervisor.policy_copy import Mirror
from troth.supervisor.safe_write import SharedFolder, User, acting_as, owner_of
from troth.supervisor.status_file import StatusFile, Timetable
from troth.worker.main import hold_lock

NAMES = {
    "data": (
        "house.json .house.json.new policy-copy.md .policy-copy.md.new prove-asked beat worker.lock backup.lock "
        "version backups.json .backups.new troth.sqlite3 troth.sqlite3-wal troth.sqlite3-shm aside"
    ),
    "keys/people": "forgotten proving index.sqlite3 index.sqlite3-wal index.sqlite3-shm marks.sqlite3 more.key",
    "keys/seal": ".1.new 1.key",
    "keys/sent": "00000001.log",
    "spool": "0000000000000001.seg",
    "public": "current .current.new",
}


class Outside:
    """A folder of root's with a file in it that nobody has any business with."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.victim = folder, folder / "victim"
        folder.mkdir(mode=0o700)
        self.victim.write_bytes(b"root's own")
        self.victim.chmod(0o600)

    def check(self) -> None:
        """It is as it was, and has no company."""
        found = self.victim.stat()
        assert self.victim.read_bytes() == b"root's own"
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, 0, 0o600)
        assert [path.name for path in self.folder.iterdir()] == ["victim"]
        assert self.folder.stat().st_uid == 0 and stat.S_IMODE(self.folder.stat().st_mode) == 0o700


TRAPS = {
    "a link to a file": lambda path, outside: path.symlink_to(outside.victim),
    "a link to a folder": lambda path, outside: path.symlink_to(outside.folder),
    "a link to nothing yet": lambda path, outside: path.symlink_to(outside.folder / "new"),
    "a second name": lambda path, outside: os.link(outside.victim, path),
    "a pipe": lambda path, outside: os.mkfifo(path),
    "a socket": lambda path, outside: _socket_at(path),
    "a folder": lambda path, outside: path.mkdir(),
}


def _socket_at(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{os.open(path.parent, os.O_PATH)}/{path.name}")


@pytest.fixture
def outside(within_reach):
    return Outside(within_reach / "outside")


@pytest.fixture
def site(people, within_reach):
    """A site that has been settled once: its folders are others'."""
    made = Site(create_site.init(within_reach / "site").root)
    assert users.settle(made, people) == []
    return made


@pytest.fixture
def nothing_waits():
    """A pipe without a writer would keep whoever opens it waiting."""
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits"))
    signal.alarm(20)
    yield
    signal.alarm(0)


def plant(site: Site, outside: Outside, trap: str, owner: dict[str, User]) -> None:
    """The trap at every name, as who owns the folder would put it."""
    for folder, names in NAMES.items():
        for name in names.split():
            path = site.root / folder / name
            path.unlink(missing_ok=True)
            TRAPS[trap](path, outside)
            if not path.is_symlink() and trap != "a second name":
                os.chown(path, *owner["worker"].own)


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.usefixtures("nothing_waits")
def test_what_root_does_at_a_start_and_while_serving_touches_nothing_outside(people, site, outside, trap):
    plant(site, outside, trap, people)
    worker = people["worker"]
    with suppress(OSError):
        users.share(site)
    left = users.settle(site, people)
    StatusFile(site.data, 10, user=worker).write([])
    StatusFile(site.data, 10, user=worker).alarm()
    Timetable(site.data, 0, worker).due()
    Mirror(site.policy, site.policy_copy, worker).follow()
    outside.check()
    if trap == "a second name":
        assert any(line.startswith("keys/seal/1.key has another hard link") for line in left), left
    if trap in ("a pipe", "a socket"):
        assert any(line.startswith("keys/seal/1.key is not a regular file") for line in left), left
    if trap != "a folder":  # a folder is in the way; a full disk would be, too
        assert stat.S_ISREG((site.data / status_file.HOUSE).lstat().st_mode)
        assert site.policy_copy.read_bytes() == site.policy.read_bytes() and not site.policy_copy.is_symlink()
        assert site.policy_copy.stat().st_uid == worker.ident and os.geteuid() == 0


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.usefixtures("nothing_waits")
def test_commands_that_root_types_touch_nothing_outside(people, site, outside, trap):
    plant(site, outside, trap, people)
    refused = (OSError, TrothError)
    with suppress(*refused):
        os.close(hold_lock(site.data / "worker.lock"))
    with suppress(*refused), create._one_at_a_time(site):
        pass
    with suppress(*refused), acting_as(owner_of(site.data)):
        backup_index.write(site, backup_index.Backups("/nowhere", clock.now(), []))
    with (
        suppress(*refused, database_snapshot.sqlite3.Error),
        database_snapshot.copied_sqlite(site.database, create.silent),
    ):
        pass
    with suppress(*refused, database_snapshot.sqlite3.Error):
        create.suppression_marks(site.people_keys / "index.sqlite3")
    for path in (site.people_keys / "forgotten", site.seal_keys / "1.key", site.data / "troth.sqlite3"):
        with suppress(OSError):
            assert create._bytes_of(path) != b"root's own", "it would lie in a backup that others restore"
    outside.check()


@pytest.mark.parametrize("trap", [name for name in TRAPS if name != "a folder"])
@pytest.mark.usefixtures("nothing_waits")
def test_a_restore_moves_what_was_set_aside_into_the_sites_own_folder(people, site, outside, trap):
    plant(site, outside, trap, people)
    stage = Site(site.root / ".restore-1")
    stage.aside.mkdir(parents=True)
    (stage.aside / "1-2.sealed").write_bytes(b"sealed")
    swap.Swap(site, stage)._move_aside()
    outside.check()
    assert (site.aside / "1-2.sealed").read_bytes() == b"sealed" and not site.aside.is_symlink()


def test_what_bears_our_names_is_replaced_for_those_who_read_it(people, site):
    folder = SharedFolder(site.data, people["worker"])
    for content in (b"one", b"two"):
        folder.write("house.json", content)
        assert folder.read("house.json", 2) == content[:2]
    found = (site.data / "house.json").stat()
    assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (people["worker"].ident, 0o640)
    assert found.st_gid == site.data.stat().st_gid  # by which the office reads it


def test_a_name_that_changes_while_root_looks_leads_nowhere(people, site, outside):
    """The race that a check by name would lose: the entry is a file at one moment, and a link at the next."""
    done = threading.Event()

    def swap_again_and_again() -> None:
        for number in range(1500):
            path, beside = site.data / "swapped", site.data / f".swap-{number}"
            beside.touch() if number % 2 else beside.symlink_to(outside.victim)
            beside.replace(path)
        done.set()

    swapper = threading.Thread(target=swap_again_and_again)
    swapper.start()
    while not done.is_set():
        users.settle(site, people)
    swapper.join()
    outside.check()


def test_a_file_of_nobody_of_the_site_is_left_as_it_is_and_told(people, site):
    theirs = site.data / "theirs"
    theirs.write_text("somebody else's")
    os.chown(theirs, 64_321, 64_321)
    theirs.chmod(0o600)
    assert [line for line in users.settle(site, people) if line.startswith("data/theirs belongs to no user")]
    assert (theirs.stat().st_uid, stat.S_IMODE(theirs.stat().st_mode)) == (64_321, 0o600)


def test_a_folder_that_root_has_moved_to_another_disk_is_settled_there(people, site, within_reach):
    moved = within_reach / "bigger-disk"
    site.data.rename(moved)
    site.data.symlink_to(moved)
    (moved / "new").touch(mode=0o600)
    assert users.settle(site, people) == []
    assert (moved / "new").stat().st_uid == people["worker"].ident


def test_acting_as_another_has_no_more_rights_than_they_and_ends(people, outside):
    before = (os.geteuid(), os.getegid(), os.getgroups())
    with acting_as(people["worker"]), pytest.raises(PermissionError):
        outside.victim.read_bytes()
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before


def test_who_is_not_root_is_nobody_else(tmp_path, monkeypatch):
    monkeypatch.setattr(safe_write.os, "geteuid", lambda: 1000)
    assert owner_of(tmp_path) is None


@pytest.mark.parametrize("trap", ["a link to a file", "a link to nothing yet", "a second name", "a pipe", "a socket"])
@pytest.mark.usefixtures("nothing_waits")
def test_a_plain_file_is_opened_and_nothing_else_is_not_even_cut(tmp_path, trap):
    outside = Outside(tmp_path / "outside") if os.geteuid() == 0 else pytest.skip("the check is of root's files")
    TRAPS[trap](tmp_path / "name", outside)
    for flags in (
        os.O_RDONLY,
        os.O_RDWR | os.O_CREAT,
        os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
        os.O_WRONLY | os.O_APPEND,
    ):
        with pytest.raises(OSError):
            open_plain(tmp_path / "name", flags)
    write_synced(tmp_path / "name", b"ours")
    assert (tmp_path / "name").read_bytes() == b"ours" and not (tmp_path / "name").is_symlink()
    outside.check()


def test_root_keeps_what_it_takes_to_become_others_and_to_signal_them_and_nothing_more():
    if os.geteuid() != 0:
        pytest.skip("only root has something to give up")
    code = (
        "import os, subprocess, sys; from troth.core.sandbox import restrict as s\n"
        "s.keep_capabilities(s.CAP_SETUID, s.CAP_SETGID, s.CAP_KILL)\n"
        "said = [line.split() for line in open('/proc/self/status')]\n"
        "print(*[line[1] for line in said if line[0] in ('CapPrm:', 'CapEff:', 'CapBnd:')], flush=True)\n"
        "print(subprocess.run(['id', '-u'], user=65534, group=65534, extra_groups=[], capture_output=True).stdout)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told == ["00000000000000e0"] * 3 + ["b'65534\\n'"]
