"""What a restore refuses, each with a word of its own, and that nothing is half done."""

import resource
import shutil
import sqlite3
import subprocess
import sys

import pytest

from tests.backup.drill import TROTH, House, MailCompany


class NoCompany:
    port = 9


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A site with three people that was backed up twice, and another site."""
    folder = tmp_path_factory.mktemp("bad")
    house = House(folder, NoCompany())
    house.serve()
    for name in ("ada", "bob", "cyd"):
        house.sign_up(f"{name}@example.com")
    house.inside("import time\nwhile Person.objects.count() < 3: time.sleep(0.05)")
    house.stop()
    (house.data, house.keys) = house.backup(folder / "first")
    return house


def everything(root):
    """Every file of a site and its bytes; locks and the office's own time aside."""
    return {
        path.relative_to(root): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.endswith((".lock", "-shm", "-wal"))
    }


def refused(house, tmp_path, *sources, options=(), key=None):
    """Restore into a new folder, which must fail and leave nothing; what it said."""
    place = tmp_path / "new"
    words = ["restore", *sources, "--to", place, "--recovery-key", key or house.paper, *options]
    said = house.troth(*words, code=1)
    assert not place.exists() and not list(tmp_path.glob(".new*"))
    return said


def test_a_pair_restores(kept, tmp_path):
    told = kept.restore(kept.data.parent, to=tmp_path / "new")
    assert told["people"] == 3 and told["mails"] == {"held": 3}
    found = kept.inside(
        "tell([bool(who(f'{one}@example.com')) for one in ('ada', 'bob', 'cyd', 'dan')])", tmp_path / "new"
    )
    assert found == [True, True, True, False]


def test_restored_once_more_what_may_have_gone_is_still_held(kept, tmp_path):
    kept.restore(kept.data.parent, to=tmp_path / "new")
    told = kept.restore(kept.data.parent, to=tmp_path / "new", options=["--replace"])
    assert told["people"] == 3 and told["mails"] == {"held": 3}


def test_moved_with_the_site_at_rest_the_queue_goes_on(kept, tmp_path):
    told = kept.restore(kept.data.parent, to=tmp_path / "new", options=["--moved"])
    assert told["people"] == 3 and "held" not in told["mails"]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.999])
def test_a_truncated_backup_is_told(kept, tmp_path, share):
    cut = tmp_path / "data.troth"
    raw = kept.data.read_bytes()
    cut.write_bytes(raw[: int(len(raw) * share)])
    said = refused(kept, tmp_path, cut, kept.keys)
    assert "cut off" in said or "not a Troth backup" in said


@pytest.mark.parametrize("which", ["data", "keys"])
def test_a_changed_bit_is_told(kept, tmp_path, which):
    raw = bytearray(getattr(kept, which).read_bytes())
    raw[len(raw) // 2] ^= 1
    changed = tmp_path / "changed.troth"
    changed.write_bytes(raw)
    other = kept.keys if which == "data" else kept.data
    assert "is damaged, or was changed" in refused(kept, tmp_path, changed, other)


def test_the_wrong_key_is_told(kept, tmp_path):
    from troth.backup.recovery_key import RecoveryKey

    paper = tmp_path / "other"
    paper.write_text("\n".join(RecoveryKey.generate().lines()))
    assert "another recovery key" in refused(kept, tmp_path, kept.data.parent, key=paper)


def test_the_data_alone_are_not_enough(kept, tmp_path):
    assert "Name both" in refused(kept, tmp_path, kept.data)


def test_older_keys_than_data_are_told(kept, tmp_path):
    older = House(tmp_path, NoCompany())
    older.serve()
    older.inside(
        "import time\nfrom troth.vault.models import StoreMark\nwhile not StoreMark.objects.exists(): time.sleep(0.05)"
    )
    older.stop()
    (_, keys) = older.backup(tmp_path / "one")
    older.serve()
    older.sign_up("ada@example.com")
    older.inside("import time\nwhile Person.objects.count() < 1: time.sleep(0.05)")
    older.stop()
    (data, _) = older.backup(tmp_path / "two")
    assert "older than the data backup" in refused(older, tmp_path, data, keys)
    other_site = kept.keys
    assert "of different sites" in refused(older, tmp_path, data, other_site)
    before = everything(kept.root)
    said = older.troth(
        "restore", tmp_path / "two", "--to", kept.root, "--recovery-key", older.paper, "--replace", code=1
    )
    assert "another site" in said and everything(kept.root) == before


def test_a_later_versions_backup_is_told(kept, tmp_path):
    (tmp_path / "copy").mkdir()
    shutil.copytree(kept.root, tmp_path / "copy" / "site")
    with sqlite3.connect(tmp_path / "copy/site/data/troth.sqlite3") as connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('vault', '9999_later', '2030-01-01')"
        )
    connection.close()
    kept.troth("backup", tmp_path, "--site", tmp_path / "copy/site", "--json")
    assert "later version" in refused(kept, tmp_path, tmp_path)
    said = subprocess.run(
        [TROTH, "serve", "--one-user", "--site", tmp_path / "copy/site"], capture_output=True, text=True, check=False
    )
    assert said.returncode == 1 and "later version" in said.stderr


def test_an_older_versions_backup_is_brought_up_to_date(kept, tmp_path):
    shutil.copytree(kept.root, tmp_path / "site")
    database = tmp_path / "site/data/troth.sqlite3"
    kept.inside(
        "from django.core.management import call_command; call_command('migrate', 'mfa', '0001', verbosity=0)",
        tmp_path / "site",
    )
    kept.troth("backup", tmp_path, "--site", tmp_path / "site", "--json")
    assert kept.restore(tmp_path, to=tmp_path / "new")["people"] == 3
    with sqlite3.connect(tmp_path / "new/data/troth.sqlite3") as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM django_migrations WHERE app = 'mfa'")}
    connection.close()
    assert len(names) > 1 and database.exists()


def test_records_are_not_replaced_unasked_and_a_served_site_not_at_all(kept, tmp_path):
    before = everything(kept.root)
    assert "already has records" in kept.restore(kept.data.parent, code=1)
    assert everything(kept.root) == before
    kept.serve()
    try:
        assert "is running" in kept.restore(kept.data.parent, options=["--replace"], code=1)
    finally:
        kept.stop()


def test_a_foreign_folder_is_left_alone(kept, tmp_path):
    place = tmp_path / "photos"
    place.mkdir()
    (place / "one.jpg").write_bytes(b"picture")
    assert "neither empty nor a site" in kept.restore(kept.data.parent, to=place, code=1)
    assert [path.name for path in place.iterdir()] == ["one.jpg"]


def limited(size):
    """Files may grow to `size` bytes and no further, as on a full disk."""
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("share", [0.002, 0.5, 0.998])
def test_a_full_disk_leaves_no_half_backup(kept, tmp_path, share):
    size = int(kept.data.stat().st_size * share)  # too small for a key, for the copy, for the end of the backup
    done = subprocess.run(
        [TROTH, "backup", tmp_path, "--site", kept.root],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: limited(size),
    )
    assert done.returncode == 1 and "disk is full" in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []
    assert not list(kept.root.glob("data/.backup*"))


def test_a_full_disk_leaves_no_half_site(kept, tmp_path):
    done = subprocess.run(
        [TROTH, "restore", kept.data.parent, "--to", tmp_path / "new", "--recovery-key", kept.paper],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: limited(200_000),
    )
    assert done.returncode == 1 and "full" in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_restore_that_was_stopped_in_the_swap_is_told_and_finished(kept, tmp_path):
    kept.restore(kept.data.parent, to=tmp_path / "new")
    place = tmp_path / "new"
    (place / "restoring").write_text("")
    (place / "keys").rename(place / ".keys-before")
    said = subprocess.run([TROTH, "serve", "--one-user", "--site", place], capture_output=True, text=True, check=False)
    assert said.returncode == 1 and "not finished" in said.stderr
    assert kept.restore(kept.data.parent, to=place, options=["--replace"])["people"] == 3
    assert not (place / "restoring").exists() and not (place / ".keys-before").exists()


def test_old_backups_of_this_site_expire_and_nothing_else_does(kept, tmp_path):
    (tmp_path / "data-2020-01-01T000000Z.troth").write_bytes(b"somebody's own file")
    kept.backup(tmp_path)
    code = (
        "from troth.backup import create; from pathlib import Path; from datetime import timedelta\n"
        "from django.conf import settings\n"
        "from troth.core import clock_jumps\n"
        "with clock.hold(clock.now() + timedelta(days=DAYS)):\n"
        "  clock_jumps.accept(settings.TROTH_SITE.data)\n"
        f"  tell(create.expire(settings.TROTH_SITE, settings.TROTH_CONFIG, Path({str(tmp_path)!r})))"
    )
    assert [name[:4] for name in kept.inside(code.replace("DAYS", "15"))] == ["keys"]
    assert [name[:4] for name in kept.inside(code.replace("DAYS", "91"))] == ["data"]
    assert [path.name for path in tmp_path.iterdir()] == ["data-2020-01-01T000000Z.troth"]


def test_a_backup_made_while_the_clock_was_ahead_outlasts_its_time_by_nothing(kept, tmp_path):
    code = (
        "from troth.backup import create; from pathlib import Path; from datetime import timedelta\n"
        "from troth.core import clock_jumps\n"
        "from troth.core.site_files import backup_index\n"
        "site, begin = settings.TROTH_SITE, clock.now()\n"
        "def at(days, call):\n"
        "  with clock.hold(begin + timedelta(days=days)):\n"
        "    clock_jumps.accept(site.data)\n"
        "    return call()\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "expire = lambda: create.expire(site, settings.TROTH_CONFIG, folder)\n"
        "at(400, lambda: create.backup(site.root, folder))\n"
        "gone = [at(days, expire) for days in (0, 13, 15, 91)]\n"
        "clock_jumps.accept(site.data)\n"
        "tell(gone)"
    )
    gone = kept.inside("from django.conf import settings\n" + code)
    assert [[name[:4] for name in each] for each in gone] == [[], [], ["keys"], ["data"]]
    assert list(tmp_path.iterdir()) == []


def test_an_upgrade_wants_a_backup_and_serve_wants_an_upgrade(kept, tmp_path):
    shutil.copytree(kept.root, tmp_path / "site")
    place = tmp_path / "site"
    kept.inside(
        "from django.core.management import call_command; call_command('migrate', 'mfa', '0001', verbosity=0)", place
    )
    said = subprocess.run([TROTH, "serve", "--one-user", "--site", place], capture_output=True, text=True, check=False)
    assert said.returncode == 1 and "troth upgrade" in said.stderr, said.stderr
    assert "no backup folder is set" in kept.troth("upgrade", "--site", place, code=1)
    (tmp_path / "backups").mkdir()
    with (place / "troth.toml").open("a") as file:
        file.write(f'[backup]\nfolder = "{tmp_path / "backups"}"\n')
    said = kept.troth("upgrade", "--site", place)
    assert "Backed up first" in said and "mfa.0002" in said
    assert len(list((tmp_path / "backups").glob("*.troth"))) == 2
    assert "nothing was changed" in kept.troth("upgrade", "--site", place)


def test_a_new_recovery_key_opens_the_next_backup_and_the_older_one_those_before(kept, tmp_path):
    shutil.copytree(kept.root, tmp_path / "site")
    shown = kept.troth("recovery-key", "new", "--site", tmp_path / "site")
    lines = [line.strip() for line in shown.splitlines() if line.startswith("   ") and "troth" not in line]
    paper = tmp_path / "paper"
    paper.write_text("\n".join(lines))
    assert "is correct" in kept.troth("recovery-key", "check", "--site", tmp_path / "site", "--recovery-key", paper)
    assert "not this site's" in kept.troth(
        "recovery-key", "check", "--site", tmp_path / "site", "--recovery-key", kept.paper, code=1
    )
    (tmp_path / "b").mkdir()
    kept.troth("backup", tmp_path / "b", "--site", tmp_path / "site", "--json")
    assert "another recovery key" in refused(kept, tmp_path, tmp_path / "b")
    kept.troth("restore", tmp_path / "b", "--to", tmp_path / "new", "--recovery-key", paper)
    for path in (tmp_path / "site").rglob("*"):
        if path.is_file():
            assert lines[0].encode() not in path.read_bytes()


def test_neither_half_has_an_index_and_the_data_have_no_key(kept, tmp_path):
    from troth.backup.container import BackupReader
    from troth.backup.recovery_key import RecoveryKey

    key = RecoveryKey.read(kept.paper.read_text())
    with BackupReader(kept.data, key) as reader:
        data = {name for name, _ in reader.members()}
    with BackupReader(kept.keys, key) as reader:
        keys = {name for name, _ in reader.members()}
    assert not [name for name in data if name.startswith("keys")]
    assert not [name for name in keys | data if "index.sqlite3" in name or "marks" in name]
    assert {"keys/people/slots", "suppressed", "keys/sign/1.key", "keys/office/secret.key"} <= keys
    assert sys.version_info >= (3, 12) and MailCompany
