"""Looking through what lies about: found in every form, at every place; what is closed is never taken for clean."""

import base64
import gzip
import hashlib
import ipaddress
import os
import random
import threading
from urllib.parse import quote

import pytest

from tests.conftest import both
from troth.core.purpose import BASIC
from troth.gate.loopback import front_client
from troth.proofs import visitors
from troth.proofs.instruments import search
from troth.proofs.instruments.encodings import LEAST, forms, texts_of
from troth.proofs.instruments.fake_people import invent
from troth.proofs.instruments.search import files_of, in_files

ADDRESS = "Quillon.Marsh77@oddsworth-lanterns.example"


def found(tmp_path, content, text=ADDRESS):
    (tmp_path / "a").mkdir(exist_ok=True)
    path = tmp_path / "a" / "file"
    path.write_bytes(content)
    return in_files(files_of(tmp_path), tmp_path, forms([text])).places


@pytest.mark.parametrize(
    "wrapped",
    [
        ADDRESS.encode(),
        ADDRESS.lower().encode(),
        ADDRESS.encode("utf-16-le"),
        ADDRESS.encode().hex().encode(),
        quote(ADDRESS, "").encode(),
        *(base64.b64encode(b"x" * shift + ADDRESS.encode() + b"more") for shift in range(3)),
        *(base64.urlsafe_b64encode(b"?" * shift + ADDRESS.encode()) for shift in range(3)),
        *(
            hashlib.new(name, ADDRESS.lower().encode()).hexdigest().encode()
            for name in ("md5", "sha1", "sha256", "sha512")
        ),
        hashlib.sha256(ADDRESS.lower().encode()).digest(),
        base64.b64encode(hashlib.sha256(ADDRESS.encode()).digest()),
    ],
)
def test_a_detail_is_found_however_it_was_wrapped(tmp_path, wrapped):
    assert found(tmp_path, os.urandom(5000) + wrapped + os.urandom(5000)) == ("a/file",)


@pytest.mark.parametrize(
    "wrapped", ["Aïcha Ælfström", "A\\u00efcha \\u00c6lfstr\\u00f6m", "A&#239;cha &#198;lfstr&#246;m"]
)
def test_a_name_beyond_ascii_is_found_as_programs_write_it(tmp_path, wrapped):
    assert found(tmp_path, wrapped.encode(), "Aïcha Ælfström") == ("a/file",)
    assert found(tmp_path, "Aïcha Ælfström".encode("latin-1"), "Aïcha Ælfström") == ("a/file",)


def test_what_gzip_packed_is_unpacked(tmp_path):
    (tmp_path / "old.log.1.gz").write_bytes(gzip.compress(b"one line\n" * 400 + ADDRESS.encode()))
    assert in_files(files_of(tmp_path), tmp_path, forms([ADDRESS])).places == ("old.log.1.gz",)


def test_nothing_is_found_where_nothing_is(tmp_path):
    for number in range(30):
        (tmp_path / f"noise{number}").write_bytes(os.urandom(100_000))
    sought = forms(text for seed in range(12) for text in vars_of(invent(random.Random(seed))))
    looked = in_files(files_of(tmp_path), tmp_path, sought)
    assert (looked.files, looked.size, looked.places) == (30, 3_000_000, ())
    assert min(map(len, sought)) >= LEAST


def vars_of(made):
    return [getattr(made, category.value) for category in BASIC]


def test_a_folder_that_may_not_be_read_is_an_error_and_not_an_empty_one(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()

    def closed(top, onerror=None, **more):
        onerror(PermissionError(13, "Permission denied", str(tmp_path / "closed")))
        return iter(())

    monkeypatch.setattr(os, "walk", closed)
    with pytest.raises(PermissionError):
        list(files_of(tmp_path))


def test_a_file_that_may_not_be_read_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert [path.name for path in files_of(tmp_path)] == ["file"]
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tmp_path / "file").chmod(0)
    with pytest.raises(PermissionError):
        in_files(files_of(tmp_path), tmp_path, [b"something else"])


def test_a_file_that_goes_away_meanwhile_is_left_out(tmp_path):
    (tmp_path / "there").write_bytes(ADDRESS.encode())
    paths = [tmp_path / "there", tmp_path / "gone"]
    assert in_files(paths, tmp_path, forms([ADDRESS])).places == ("there",)


def test_what_is_left_out_is_left_out(tmp_path):
    for name in ("keys", "data"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_bytes(b"1")
    assert [path.parent.name for path in files_of(tmp_path, but=[tmp_path / "keys"])] == ["data"]


def test_a_place_outside_the_site_is_told_by_its_name_alone(tmp_path):
    assert search.named(tmp_path / "x" / "y.log", tmp_path / "site") == "y.log"


@both
def test_a_detail_in_a_table_is_found(site, settings):
    from troth.newsletter.models import DomainHour
    from troth.policy.models import PolicyVersion

    PolicyVersion.objects.create(number=1, text=f"Write to {ADDRESS}.", digest="0" * 64)
    DomainHour.objects.create(domain=hashlib.sha256(ADDRESS.lower().encode()).digest(), hour=1, mails=1)
    sought = forms([ADDRESS])
    if settings.TROTH_CONFIG.database.url or _is_postgresql():
        assert search.in_postgresql(sought).places == ("table newsletter_domainhour", "table policy_policyversion")
    else:
        assert "data/troth.sqlite3" in {
            path.removesuffix("-wal") for path in in_files(files_of(site.root), site.root, sought).places
        }


def _is_postgresql():
    from django.db import connection

    return connection.vendor == "postgresql"


def test_one_text_among_many_is_found_wherever_it_stands_and_the_rest_is_not_waited_for():
    sought = search._patterns(forms([ADDRESS]))
    noise = [os.urandom(200_000).hex().encode() for _ in range(12)]
    assert not search._any_contains(noise, sought)
    for place in (0, 6, 12):
        told = [*noise[:place], ADDRESS.encode() + b"\n", *noise[place:]]
        assert search._any_contains(told, sought)
    assert not search._any_contains([], sought)


def test_what_a_line_s_end_leaves_of_a_text_is_sought_only_if_it_could_stand_nowhere_else(tmp_path):
    form = b"\x20\x01\x0d\xb8\x11\x22\x33\x0a" + bytes(7) + b"\x01"  # an address, as bytes
    (tmp_path / "innocent").write_bytes(b"SQLite format 3\0" + bytes(40) + b"\x01" + bytes(9))
    assert in_files([tmp_path / "innocent"], tmp_path, [form]).places == ()
    digest = b"\x8f\x01\xaa\xbb\x13\x55\x0a\x91\x02\x03\x44\x99\xfe\x10\x72\x31"
    (tmp_path / "kept").write_bytes(b"..." + digest + b"...")
    assert in_files([tmp_path / "kept"], tmp_path, [form, digest]).places == ("kept",)


def test_an_invented_address_has_no_line_s_end_and_is_sought_in_long_forms_only():
    for _ in range(3_000):
        packed = ipaddress.ip_address(f"{front_client._group()}::1").packed
        assert b"\n" not in packed and 0 not in packed[4:8]
    for address in ("127.12.3.44", "2001:db8:1122:3344::1"):
        sought = visitors._forms_of_address(address)
        assert address.encode() in sought
        assert all(len(one) >= 16 for one in sought if one.isalnum() and one != address.encode())
    assert len(visitors._forms_of_address("127.12.3.44")) == 1  # eight digits stand in some id by chance


def test_lines_of_a_text_are_looked_for_by_themselves():
    from troth.core.personal import PostalAddress

    assert texts_of([PostalAddress("Lantern Lane 77\n10115 Berlin")])[1:] == ["Lantern Lane 77", "10115 Berlin"]


def test_a_journal_that_cannot_be_read_is_an_error(monkeypatch):
    monkeypatch.setattr(search.shutil, "which", lambda name, path: None)
    with pytest.raises(FileNotFoundError):
        search.in_journal("troth.service", [b"something else"])
    monkeypatch.setattr(search.shutil, "which", lambda name, path: "/bin/true")
    with pytest.raises(PermissionError):  # nothing is said: it was not let in
        search.in_journal("troth.service", [b"something else"])


def test_a_line_in_the_journal_is_found(tmp_path, monkeypatch):
    journal = tmp_path / "journalctl"
    ours = 'case "$*" in *--namespace=\\**) ;; *) exit 1 ;; esac'  # a unit may log apart from the others
    journal.write_text(f"#!/bin/sh\n{ours}\necho took in\necho signed up: {ADDRESS}\n")
    journal.chmod(0o755)
    monkeypatch.setattr(
        search.shutil, "which", lambda name, path: str(journal) if name == "journalctl" else "/bin/grep"
    )
    assert search.in_journal("troth.service", forms([ADDRESS])) == 1
    assert search.in_journal("troth.service", forms(["somebody.else@example.org"])) == 0


def test_a_search_that_cannot_begin_is_an_error_at_once_and_waits_for_nobody(monkeypatch):
    much = [b"x" * 100] * 5_000  # more than a pipe holds: whoever feeds it would wait for ever

    def refused(*_arguments, **_named):
        raise PermissionError(13, "may not be started")

    monkeypatch.setattr(search.subprocess, "Popen", refused)
    before = threading.active_count()
    descriptors = len(os.listdir("/proc/self/fd"))
    with pytest.raises(PermissionError):
        search._any_contains([b"text"], search._patterns(much))
    assert threading.active_count() == before and len(os.listdir("/proc/self/fd")) == descriptors


def test_a_search_writes_nowhere(monkeypatch):
    """Behind a fence that only reads, /dev/null cannot be opened to be written."""
    real = os.open

    def opened(path, flags, *more, **named):
        assert not flags & (os.O_WRONLY | os.O_RDWR), path
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", opened)
    assert search._any_contains([b"a secret text\n"], b"secret text\n")
