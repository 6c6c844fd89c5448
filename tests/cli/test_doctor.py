"""`troth doctor`: nothing to say about a healthy site, and what is wrong, with its mend, about each broken one."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import threading
import uuid
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from bench.site import free_port
from tests.cli.running import troth
from troth.core import clock, frames
from troth.core.site import Site
from troth.operate import create_site
from troth.operate.doctor import examine
from troth.policy import text as policy
from troth.vault.key_store import KeyStore, path_in


@pytest.fixture
def site(tmp_path):
    """A new site with ports of its own and a relay that answers."""
    made = Site(create_site.init(tmp_path / "site").root)
    with socket.create_server(("127.0.0.1", 0)) as relay:
        port = free_port()
        made.config.write_text(
            f'[site]\nname = "Example Software"\nurl = "http://127.0.0.1:{port}"\n'
            f'[front]\nlisten = "127.0.0.1:{port}"\n'
            f'[mail]\nrelay = "smtp://localhost:{relay.getsockname()[1]}"\nsender = "news@vendor.example"\n'
            f'[office]\nlisten = "127.0.0.1:{free_port()}"\n'
        )
        yield made


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A migrated database, made as `troth status` makes it."""
    root = create_site.init(tmp_path_factory.mktemp("database") / "site").root
    assert troth("status", "--site", str(root)).returncode == 0
    with contextlib.closing(sqlite3.connect(root / "data/troth.sqlite3")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return root / "data/troth.sqlite3"


def examined(site, **environ):
    found = examine.examine(site.root, environ=environ)
    for finding in found:
        assert finding.what and (finding.level == "ok") == (finding.mend == ""), finding
    return found


def wrong(site, level="bad", **environ):
    """What is wrong: (what, mend)."""
    return [(one.what, one.mend) for one in examined(site, **environ) if one.level == level]


def only(found, what, mend=""):
    """The one thing that is wrong."""
    ((told, mended),) = found
    assert what in told and mend in mended, (told, mended)


def change(site, old, new):
    text = site.config.read_text()
    assert old in text
    site.config.write_text(text.replace(old, new))


# -- healthy ----------------------------------------------------------------------------------------------------------


def test_a_healthy_site_has_nothing_wrong(site):
    found = examined(site)
    assert [one for one in found if one.level == "bad"] == [] and examine.verdict(found) == 0
    told = " ".join(one.what for one in found)
    for words in ("All folders exist", "Other users cannot read", "keys are there", "no database yet", "is free"):
        assert words in told, words
    assert "PRIVATE" not in told


def test_looking_changes_nothing(site, database):
    shutil.copy(database, site.database)
    before = {path: path.read_bytes() if path.is_file() else None for path in site.root.rglob("*")}
    examined(site)
    after = {path: path.read_bytes() if path.is_file() else None for path in site.root.rglob("*")}
    beside = {site.database.with_name(f"troth.sqlite3-{end}") for end in ("wal", "shm")}  # SQLite's own, while it reads
    assert {path: data for path, data in after.items() if path not in beside} == before


def test_a_database_that_fits_is_up_to_date(site, database):
    shutil.copy(database, site.database)
    assert wrong(site) == []
    assert "The database is up to date." in [one.what for one in examined(site)]


# -- broken -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["keys/office/secret.key", "keys/dkim/troth.pem", "keys/mail-password"])
def test_a_pipe_in_a_keys_place_keeps_nobody_waiting(site, name):
    path = site.root / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits"))
    signal.alarm(60)
    told = [one.what for one in examined(site)]
    signal.alarm(0)
    assert name == "keys/mail-password" or any(name in one and "missing" in one for one in told)


def test_no_folder_and_no_site(tmp_path):
    only(wrong(Site(tmp_path / "none")), "is not a folder", "troth init")
    (tmp_path / "empty").mkdir()
    only(wrong(Site(tmp_path / "empty")), "does not exist", "troth init")


def test_wrong_settings_are_told_by_line(site):
    site.config.write_text(site.config.read_text() + "[front2]\nx = 1\n")
    only(wrong(site), f"{site.config}:11: There is no section [front2]", "Did you mean [front]?")
    only(wrong(site, TROTH_FRONT__WORKERS="99")[-1:], "TROTH_FRONT__WORKERS: `workers` under [front] is 99", "1 to 16")


@pytest.mark.parametrize("part", ["keys/seal", "keys/office", "spool", "public", "data", "asks"])
def test_a_missing_folder(site, part):
    shutil.rmtree(site.root / part)
    told = wrong(site)
    assert told[0][0] == f"{site.root / part} is missing."
    precious = part.startswith("keys") or part == "data"
    assert told[0][1].startswith("Put it back from your backup" if precious else f"mkdir -m 700 {site.root / part}")
    assert len(told) == 1 or part.startswith("keys")


@pytest.mark.parametrize(
    ("path", "content", "what"),
    [
        ("keys/site-id", None, "keys/site-id is missing or invalid"),
        ("keys/site-id", b"x", "keys/site-id is missing or invalid"),
        ("keys/sign/1.key", None, "keys/sign/ has no key"),
        ("keys/sign/1.key", b"x", "keys/sign/1.key is damaged"),
        ("keys/seal/{epoch}.key", bytes(95), "is damaged: submissions encrypted for it cannot be read"),
        ("keys/people/index-administration.key", None, "index-administration.key is missing or damaged"),
        ("keys/people/index-identification.key", bytes(31), "index-identification.key is missing or damaged"),
        ("keys/office/secret.key", b"short", "keys/office/secret.key is missing or too short"),
        ("keys/people/slots", None, "key store (keys/people/slots) is missing"),
        ("keys/people/slots", bytes(64), "is not a key store"),
        ("keys/dkim/troth.pem", b"x", "The DKIM key troth.pem is not an unencrypted private key"),
    ],
)
def test_a_lost_or_wrong_key_file(site, path, content, what):
    place = site.root / path.format(epoch=examine.epoch_of(clock.now()))
    assert place.exists()
    place.unlink() if content is None else place.write_bytes(content)
    ((told, mend),) = wrong(site)
    assert what in told and ("backup" in mend or "estore it" in mend or "ut it back" in mend), (told, mend)


def test_mails_that_cannot_be_signed_are_a_warning(site):
    (site.dkim_keys / "troth.pem").unlink()
    unsigned = [one for one in wrong(site, "warn") if "no backup yet" not in one[0]]
    only(unsigned[-1:], "emails are not signed", "openssl genrsa")


def test_an_empty_password_file_is_a_warning(site):
    site.mail_password.write_text("\n")
    assert ("keys/mail-password is empty.", "Write the password into it, or delete it.") in wrong(site, "warn")


def test_keys_that_everybody_may_read(site):
    for folder in (site.root, site.keys, site.sign_keys):
        folder.chmod(0o711)
    (site.sign_keys / "1.key").chmod(0o644)
    only(wrong(site), f"Every user of this machine may read {site.sign_keys}/1.key", "chmod o-rwx")
    site.keys.chmod(0o700)
    assert wrong(site) == []


def test_a_folder_or_settings_that_others_may_write(site):
    site.root.chmod(0o777)
    only(wrong(site)[:1], f"Other users may write to {site.root}", "chmod go-w")
    site.root.chmod(0o755)
    assert "may list" in wrong(site, "warn")[0][0]
    site.root.chmod(0o700)
    site.config.chmod(0o666)
    only(wrong(site), f"Other users may write to {site.config}", "chmod go-w")


def test_a_database_that_is_damaged(site):
    site.database.write_bytes(b"this is no database" * 100)
    only(wrong(site), "reports an error (DatabaseError)", "backup")


@pytest.mark.parametrize("room", ["vault", "newsletter", "office", "gate", "contact", "policy", "rights"])
def test_a_database_of_a_later_version(site, database, room):
    shutil.copy(database, site.database)
    with contextlib.closing(sqlite3.connect(site.database)) as connection, connection:
        row = "INSERT INTO django_migrations (app, name, applied) VALUES (?, '0099_later', '2026')"
        connection.execute(row, (room,))
    only(wrong(site), "changed by a later version of Troth (0099_later)", "Use the version")


@pytest.mark.parametrize("room", ["vault", "newsletter", "office", "gate", "contact", "policy", "rights"])
def test_a_database_that_wants_a_change(site, database, room):
    shutil.copy(database, site.database)
    with contextlib.closing(sqlite3.connect(site.database)) as connection, connection:
        connection.execute("DELETE FROM django_migrations WHERE app = ? AND name LIKE '0001%'", (room,))
    only(wrong(site), "The database is not up to date (1 changes missing)", "troth upgrade")


def with_somebody(site, database, store, made=None):
    shutil.copy(database, site.database)
    with contextlib.closing(sqlite3.connect(site.database)) as connection, connection:
        person = made or uuid.UUID(int=0x0197 << 112 | 7 << 76 | 2 << 62)
        connection.execute(
            "INSERT INTO vault_person (id, slot, created_at) VALUES (?, 0, '2026-03-01 00:00:00')", (person.hex,)
        )
        connection.execute("INSERT INTO vault_storemark (id, store) VALUES (1, ?)", (store.hex,))


def test_a_key_store_of_other_data(site, database):
    store = KeyStore.open(site.people_keys)
    store.close()
    with_somebody(site, database, store.id)
    assert wrong(site) == []
    path_in(site.people_keys).unlink()
    KeyStore.create(site.people_keys)
    only(wrong(site), "do not match the database", "backups that belong together")


def used(site):
    """Somebody's key lies in the key store."""
    store = KeyStore.open(site.people_keys)
    store.allot([uuid.uuid4()])
    store.close()


def test_a_database_that_was_lost_is_not_taken_for_a_new_sites(site, database):
    used(site)
    only(wrong(site), "The database is lost", "troth restore")
    shutil.copy(database, site.database)
    only(wrong(site), "The database is lost", "troth restore")


def test_a_site_without_an_operator_is_told_how_to_add_one(site, database):
    shutil.copy(database, site.database)
    assert ("Nobody has access to the admin pages yet.", "troth operator add NAME EMAIL") in wrong(site, "warn")


def tried(site, number, *, light, **states):
    """A run of proofs, `number` hours after the first."""
    results = {name: {f"{name}.one": {"id": f"{name}.one", "state": state, "detail": "It was found."}}
               for name, state in states.items()}  # fmt: skip
    with contextlib.closing(sqlite3.connect(site.database)) as connection, connection:
        connection.execute(
            "INSERT INTO policy_proofrun (id, light, began_at, ended_at, results) VALUES (?, ?, ?, ?, ?)",
            (uuid.uuid4().hex, light, "2026-03-01", f"2026-03-01 {number:02}:00:00", json.dumps(results)),
        )


def test_a_promise_that_is_broken_is_bad_until_it_was_found_whole_again(site, database):
    shutil.copy(database, site.database)
    tried(site, 1, light=False, kept="broken", other="kept", third="unproven")
    only(wrong(site), "The promise kept is broken: It was found.", "troth prove")
    assert ("third is not proven") in " ".join(what for what, _ in wrong(site, "warn"))
    assert examine.verdict(examined(site)) == 1
    tried(site, 2, light=True, other="kept")  # what a quick run does not try stands as it was found last
    only(wrong(site), "The promise kept is broken", "docs/proofs.md")
    tried(site, 3, light=False, kept="kept", other="kept", third="kept")
    assert wrong(site) == [] and examine.verdict(examined(site)) == 0
    assert "The last proofs found every promise kept." in [one.what for one in examined(site)]


def test_why_mails_wait_is_told_with_what_to_do(site, database):
    shutil.copy(database, site.database)
    with contextlib.closing(sqlite3.connect(site.database)) as connection, connection:
        connection.execute(
            "INSERT INTO gate_delivery (id, kind, about, bulk, state, attempts, maybe_twice, released, tripped,"
            " message_id, reason, created_at)"
            " VALUES (?, 'notice', ?, 0, 'queued', 1, 0, 0, '', '', 'auth', '2026-03-01 00:00:00')",
            (uuid.uuid4().hex, uuid.uuid4().hex),
        )
    told = [one for one in wrong(site, "warn") if "email is waiting" in one[0]]
    only(told, "1 email is waiting: the SMTP server rejects the user name or password.", "keys/mail-password")


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("old", "new", "what", "mend"),
    [
        ("/postgres", "/nowhere", "has no database with the name", "createdb"),
        ("troth@", "nobody@", "does not know the user", "createuser"),
        (":{port}", ":{free}", "No database responds at `url`", "Start PostgreSQL"),
    ],
)
def test_a_postgresql_that_lets_nobody_in_is_told_with_the_mend(site, postgres_server, old, new, what, mend):
    port = str(urlsplit(postgres_server.url).port)
    url = postgres_server.url.replace(old.format(port=port), new.format(free=free_port()))
    site.config.write_text(f'{site.config.read_text()}[database]\nurl = "{url}"\n')
    only(wrong(site), what, mend)


def test_a_folder_for_backups_that_is_not_there_is_told_before_the_night(site):
    where = site.root / "nowhere"
    site.config.write_text(f'{site.config.read_text()}[backup]\nfolder = "{where}"\n')
    only(wrong(site), "is not a folder: the next backup will fail", f"mkdir -m 700 {where}")


def test_a_clock_that_fell_behind_a_segment_or_a_record(site, database):
    ahead = int((clock.now() + timedelta(days=2)).timestamp() * 1000)
    segment = site.spool / frames.segment_name(ahead)
    segment.touch()
    only(wrong(site), "The clock is behind: a segment in spool/", "Set the clock.")
    segment.unlink()
    store = KeyStore.open(site.people_keys)
    store.close()
    with_somebody(site, database, store.id, uuid.UUID(int=ahead << 80 | 7 << 76 | 2 << 62))
    only(wrong(site), "The clock is behind: a record", "Set the clock.")


def test_a_clock_that_is_far_off(site):
    with clock.hold(datetime(1980, 1, 1, tzinfo=UTC)):
        assert any("1980" in what and mend == "Set the machine's clock." for what, mend in wrong(site))


def test_items_that_wait_aside_are_a_warning(site, database):
    shutil.copy(database, site.database)
    with contextlib.closing(sqlite3.connect(site.database)) as connection, connection:
        connection.execute(
            "INSERT INTO vault_asideitem (id, segment, offset, size, kind, reason, kept, created_at)"
            " VALUES (?, 1, 16, 1, 0, 'damaged', 0, '2026-03-01 00:00:00')",
            (uuid.uuid4().hex,),
        )
    assert ("Failed items: 1.", "They could not be processed: `troth failed list` says why.") in wrong(site, "warn")


def test_a_disk_that_is_nearly_full(site, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1 << 40, 1 << 40, 5 << 20))
    assert [what for what, _ in wrong(site)] == [f"The disk of {name}/ has 5 MiB left." for name in ("spool", "data")]


def test_a_port_that_somebody_else_has(site):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        change(site, '[front]\nlisten = "127.0.0.1:', f'[front]\nlisten = "127.0.0.1:{port}"\n#')

        def hang_up():
            for _ in range(2):
                other.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        told = wrong(site)
    assert any(f"127.0.0.1:{port} is in use by another program" in what for what, _ in told)


class _Front(BaseHTTPRequestHandler):
    answers: ClassVar = [(200, b"ok 7")]

    def do_GET(self):
        status, told = self.answers[0]
        self.answers[:] = self.answers[1:] + self.answers[:1]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def answering(site, monkeypatch, *answers):
    """Fronts on the site's address that answer in turn."""
    monkeypatch.setattr(_Front, "answers", list(answers))
    with HTTPServer(("127.0.0.1", 0), _Front) as front:
        thread = threading.Thread(target=front.serve_forever, daemon=True)
        thread.start()
        text = site.config.read_text().splitlines()
        text = [f'listen = "127.0.0.1:{front.server_port}"' if line.startswith("listen") else line for line in text[:5]]
        site.config.write_text("\n".join(text))
        yield front.server_port
        front.shutdown()


def test_a_front_of_ours_is_known(site, monkeypatch):
    with answering(site, monkeypatch, (200, b"ok 7")) as port:
        assert f"The public server runs on 127.0.0.1:{port}." in [one.what for one in examined(site)]


def test_one_front_of_several_that_the_clerk_does_not_answer(site, monkeypatch):
    with answering(site, monkeypatch, (200, b"ok 7"), (503, b"the intake does not answer: nothing is kept")):
        ((_, mend),) = [found for found in wrong(site) if "lost its connection to intake" in found[0]]
        assert "systemctl restart" in mend


def test_a_web_server_that_passes_on_no_address_is_a_warning(site, monkeypatch):
    missing = b"ok 7\nrequests without X-Forwarded-For: 1234\n"
    with answering(site, monkeypatch, (200, b"ok 7"), (200, missing)):
        ((told, mend),) = [found for found in wrong(site, "warn") if "X-Forwarded-For" in found[0]]
    assert "1,234" in told and "proxy_set_header X-Forwarded-For" in mend


def test_a_relay_that_does_not_answer_is_a_warning(site):
    change(site, "smtp://localhost:", f'smtp://localhost:{free_port()}"\nsender_name = "')
    assert any("The SMTP server" in what for what, _ in wrong(site, "warn"))


def test_a_public_address_without_a_trusted_web_server(site):
    change(site, 'url = "http://127.0.0.1', 'url = "https://www.example.com/troth"\naccent = "#000000" # ')
    only(wrong(site), "No web server is trusted", "trusted_proxies")


def test_an_office_that_is_open_to_the_network_is_a_warning(site):
    change(site, '[office]\nlisten = "127.0.0.1', '[office]\nlisten = "0.0.0.0')
    assert any("admin server accepts connections from other machines" in what for what, _ in wrong(site, "warn"))


def test_a_kernel_that_cannot_hold_the_walls(site, monkeypatch):
    from troth.core.sandbox import restrict

    weak = restrict.Survey("x86_64", True, 0)
    monkeypatch.setattr(restrict, "survey", lambda: weak)
    only(wrong(site), "Troth will not start: the kernel cannot sandbox it", "best-effort")
    change(site, "[front]\n", '[front]\nsandbox = "best-effort"\n')
    assert wrong(site) == [] and any("THE SANDBOX IS WEAK" in what for what, _ in wrong(site, "warn"))


def test_a_site_in_troths_own_folder_is_a_warning(site):
    (site.root / "src/troth").mkdir(parents=True)
    assert any("is inside Troth's own folder" in what for what, _ in wrong(site, "warn"))


# -- as a command -----------------------------------------------------------------------------------------------------


def test_the_command_ends_with_1_where_something_is_bad_and_says_it_in_words_and_json(site):
    done = troth("doctor", "--site", str(site.root))
    assert (done.returncode, done.stderr) == (0, "") and "✓ All folders exist." in done.stdout
    site.site_id.unlink()
    done = troth("doctor", "--site", str(site.root))
    assert done.returncode == 1 and "✗ keys/site-id is missing" in done.stdout and "→ Restore keys/ from" in done.stdout
    done = troth("doctor", "--site", str(site.root), "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1 and [one["level"] for one in told].count("bad") == 1
    assert all(one.keys() == {"level", "what", "mend"} for one in told)


# -- the policy -------------------------------------------------------------------------------------------------------


def publish(site, database, text):
    shutil.copy(database, site.database)
    with contextlib.closing(sqlite3.connect(site.database)) as connection, connection:
        row = (1, text, policy.parse(text).digest, "{}", "Said.", "shell", "2026-11-25 12:00:00", "")
        names = "number, text, digest, tables, said, by, published_at, link"
        connection.execute(f"INSERT INTO policy_policyversion ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def test_a_policy_that_is_published_as_it_lies_there_is_well(site, database):
    publish(site, database, site.policy.read_text())
    assert wrong(site) == []
    what = "The published policy, version 1, matches policy.md."
    assert what in [one.what for one in examined(site)]


def test_a_policy_that_does_not_say_all_that_people_must_be_told(site, database):
    publish(site, database, site.policy.read_text())
    found = [one for one in wrong(site, "warn") if "GDPR" in one[0]]
    only(found, "postal address is missing (GDPR, article 13(1)(a)). And 1 more", "Under [controller] in troth.toml")


def test_a_policy_that_is_edited_and_not_published(site, database):
    publish(site, database, site.policy.read_text())
    site.policy.write_text(site.policy.read_text() + "More.\n")
    found = [one for one in wrong(site, "warn") if "policy" in one[0] and "GDPR" not in one[0]]
    only(found, "unpublished changes: visitors read version 1", "troth policy publish")


def test_a_policy_that_was_never_published(site, database):
    shutil.copy(database, site.database)
    found = [one for one in wrong(site, "warn") if "policy" in one[0] and "GDPR" not in one[0]]
    only(found, "No policy is published yet", "troth policy check")


def test_a_policy_that_cannot_be_read(site, database):
    publish(site, database, site.policy.read_text())
    site.policy.write_bytes(b"\xff")
    only(wrong(site), "policy.md:1 is not UTF-8", "Save it as UTF-8")


def test_what_waits_in_the_spool_is_told_and_how_bad_it_is(site, database, monkeypatch):
    shutil.copy(database, site.database)
    segment = site.spool / frames.segment_name(clock.timestamp_ms())
    segment.write_bytes(frames.header(1) + b"x" * 5000)
    monkeypatch.setattr("troth.operate.doctor.database._MOMENT", 0.3)
    assert any("wait to be processed: 4 KiB" in what and "serve" in mend for what, mend in wrong(site, "warn"))
    with contextlib.closing(sqlite3.connect(site.database)) as connection:
        now = clock.now().replace(tzinfo=None).isoformat(" ")
        connection.execute(
            "INSERT INTO vault_workerstate (id, started_at, beat_at, spool_bytes_waiting) VALUES (1, ?, ?, 0)",
            (now, now),
        )
        connection.commit()
    assert any("wait to be processed" in what and "cannot process them" in mend for what, mend in wrong(site))
    segment.unlink()
    assert not any("wait to be processed" in what for what, _ in wrong(site))


def test_an_erasure_that_is_late_is_told(site, database):
    shutil.copy(database, site.database)
    with contextlib.closing(sqlite3.connect(site.database)) as connection:
        asked = (clock.now() - timedelta(minutes=11)).replace(tzinfo=None).isoformat(" ")
        row = (uuid.uuid4().hex, "person", asked, "")
        connection.execute("INSERT INTO vault_erasure (id, asked_by, asked_at, receipt) VALUES (?, ?, ?, ?)", row)
        connection.commit()
    assert any("Overdue deletions: 1," in what for what, _ in wrong(site))


@pytest.mark.parametrize(("hosts", "apart"), [('"example.com", "shop.example.org"', "shop.example.org"), ("", "")])
def test_pages_of_another_site_than_the_front_s(site, hosts, apart):
    change(site, 'url = "http://127.0.0.1', 'url = "https://troth.example.com/troth"\naccent = "#000000" # ')
    change(site, "[office]", f"[audience]\nhosts = [{hosts}]\n[office]")
    told = [(what, mend) for what, mend in wrong(site, "warn") if "opt out" in what]
    if not apart:
        assert not told
    else:
        only(told, "may still be counted on shop.example.org:", "Serve Troth on your own site")


# -- the shop --------------------------------------------------------------------------------------------------------


@pytest.fixture
def selling(site, database):
    shutil.copy(database, site.database)
    site.config.write_text(f"{site.config.read_text()}[shop]\nenabled = true\n")
    site.card_company_key.write_text("rk_test_0123456789")
    site.card_company_secrets.write_text("whsec_0123456789")
    return site


def of_the_shop(site, level="warn"):
    words = ("card company", "shop", "Orders that", "offered")
    return [(what, mend) for what, mend in wrong(site, level) if any(word in what + mend for word in words)]


def test_a_shop_that_is_in_order(selling):
    assert of_the_shop(selling) == of_the_shop(selling, "bad") == []
    assert any("it connects to api.stripe.com, port 443" in finding.what for finding in examined(selling))


def test_a_shop_without_keys(selling):
    selling.card_company_key.unlink()
    only(of_the_shop(selling, "bad"), "keys/card-company-key is missing", "troth shop key")
    selling.card_company_key.write_text("sk_test_0123456789")
    selling.card_company_secrets.write_text("\n")
    only(of_the_shop(selling, "bad"), "keys/card-company-secrets is missing or empty", "troth shop secret")
    only(of_the_shop(selling), "not restricted", "restricted key")


@pytest.mark.parametrize(
    ("row", "what", "mend"),
    [
        ("INSERT INTO shop_refusednotice (day, reason, count) VALUES (date('now'), 'no_secret', 7)",
         "refused in two days: 7; there is no signing secret", "troth shop secret"),
        ("INSERT INTO shop_question VALUES ('cs_1', 'checkout', 1, 3, '2026-11-30', 'key_refused', '2026-11-30')",
         "could not be asked about: 1 (key_refused)", "permissions"),
        ("INSERT INTO shop_comparison (id, orders, differing, problem, next_at) VALUES (1, 9, 2, '', '2026-11-30')",
         "do not agree with the card company: 2", "troth reconcile"),
        ("INSERT INTO shop_comparison (id, orders, differing, problem, next_at) VALUES (1, 9, 0, 'busy', '2026-11-30')",
         "could not be compared with the card company (busy)", "again"),
    ],
)  # fmt: skip
def test_what_the_database_says_of_a_shop(selling, row, what, mend):
    with contextlib.closing(sqlite3.connect(selling.database)) as connection:
        connection.execute(row)
        connection.commit()
    only(of_the_shop(selling), what, mend)
