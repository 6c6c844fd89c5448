"""`troth init`: a site that is whole and closed, or nothing at all."""

import os
import stat
import uuid
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.cli.running import troth
from troth.core import clock
from troth.core.config import sections
from troth.core.config.load import load_config
from troth.core.epochs import epoch_of
from troth.core.site import Site
from troth.operate import create_site
from troth.operate.create_site import ScaffoldError
from troth.operate.doctor import examine
from troth.vault.key_store import KeyStore

OPEN = {"policy.md": 0o644, "keys/site-id": 0o644, "keys/recovery.pub": 0o644}


def everything(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


@pytest.fixture
def made(tmp_path):
    return Site(create_site.init(tmp_path / "site", name="Example Ltd", url="https://www.example.com/troth").root)


def test_it_makes_every_folder_and_key(made):
    epoch = epoch_of(clock.now())
    assert everything(made.root) == sorted(
        ["asks", "data", "keys", "offers", "policy.md", "public", "spool", "troth.toml"]
        + [f"keys/{name}" for name in ("dkim", "office", "people", "recovery.pub", "seal", "sent", "sign", "site-id")]
        + ["keys/dkim/troth.pem", "keys/office/secret.key", f"keys/seal/{epoch}.key", "keys/sign/1.key"]
        + [f"keys/people/{name}" for name in ("slots", "index-administration.key", "index-identification.key")]
    )
    assert uuid.UUID(made.site_id.read_text().strip()).version == 4
    assert (made.seal_keys / f"{epoch}.key").stat().st_size == 96
    assert (made.sign_keys / "1.key").stat().st_size == 32
    assert load_pem_private_key((made.dkim_keys / "troth.pem").read_bytes(), None).key_size == 2048
    assert len((made.office_keys / "secret.key").read_bytes()) >= 50
    KeyStore.open(made.people_keys).close()


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_nobody_else_may_read_or_write_anything_that_matters_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        root = create_site.init(tmp_path / "site").root
    finally:
        os.umask(before)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    for path in root.rglob("*"):
        name, mode = str(path.relative_to(root)), stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o022 == 0 or name == "keys/people/slots", name  # the folders above it are closed
        assert mode & 0o007 == OPEN.get(name, 0) & 0o007 & ~umask, name
        assert not path.is_dir() or mode == 0o700, name


def test_two_sites_share_no_secret(tmp_path):
    one, other = (create_site.init(tmp_path / name).root for name in ("one", "other"))
    files = [path for path in one.rglob("*") if path.is_file() and path.name not in ("troth.toml", "policy.md")]
    assert len(files) == 9
    for path in files:
        assert path.read_bytes() != (other / path.relative_to(one)).read_bytes(), path


def test_its_settings_are_those_that_were_asked_for_and_everything_else_is_the_default(made):
    read = load_config(made.config, {})
    assert (read.site.name, read.site.url) == ("Example Ltd", "https://www.example.com/troth")
    assert read.mail.sender == "newsletter@example.com"
    assert read.front.trusted_proxies == ["127.0.0.1", "::1"]
    plain = sections.Config(site=read.site)
    for section in ("newsletter", "office", "database", "spool"):
        assert getattr(read, section) == getattr(plain, section)


def test_every_setting_stands_in_the_file_and_each_default_may_be_uncommented(made):
    text = made.config.read_text()
    for section, struct in sections.sections().items():
        assert f"\n[{section}]\n" in text
        for name in struct.__struct_fields__:
            assert f"\n{name} = " in text or f"\n# {name} = " in text, name
    lines = [
        line[2:] if line.startswith("# ") and " = " in line and line[2:].split(" = ")[0].isidentifier() else line
        for line in text.splitlines()
    ]
    made.config.write_text("\n".join(lines))
    assert load_config(made.config, {}).spool == sections.SpoolSection()


@pytest.mark.parametrize("name", ['A "quoted" name', "Bücher \\ Söhne", "株式会社", "[x] = 1 # y"])
def test_any_name_is_written_so_that_it_is_read_back(tmp_path, name):
    made = Site(create_site.init(tmp_path / "site", name=name).root)
    assert load_config(made.config, {}).site.name == name
    assert "{{ vendor }}" in made.policy.read_text()  # the page fills it in, so that a new name is there at once


@pytest.mark.parametrize(
    ("url", "sender", "proxies"),
    [
        ("http://localhost:8080", "newsletter@example.com", []),
        ("http://127.0.0.1:8080", "newsletter@example.com", []),
        ("https://shop.example.org", "newsletter@shop.example.org", ["127.0.0.1", "::1"]),
        ("https://[2001:db8::1]", "newsletter@example.com", []),
    ],
)
def test_what_follows_from_the_address_is_guessed_and_nothing_else(tmp_path, url, sender, proxies):
    read = load_config(Site(create_site.init(tmp_path / "site", url=url).root).config, {})
    assert (read.mail.sender, read.front.trusted_proxies) == (sender, proxies)


def test_a_new_site_has_nothing_bad_about_it(made):
    bad = [finding for finding in examine.examine(made.root, environ={}) if finding.level == "bad"]
    assert bad == []


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_a_folder_with_anything_in_it_is_refused_and_left_as_it_is(tmp_path):
    (tmp_path / "mine").write_text("x")
    with pytest.raises(ScaffoldError, match="is not empty") as error:
        create_site.init(tmp_path)
    assert error.value.mend and everything(tmp_path) == ["mine"]
    (tmp_path / "mine").rename(tmp_path / ".hidden")
    with pytest.raises(ScaffoldError, match="is not empty"):
        create_site.init(tmp_path)
    assert everything(tmp_path) == [".hidden"]


def test_a_site_that_is_there_is_refused_and_keeps_its_keys(made):
    before = {path: path.read_bytes() for path in made.root.rglob("*") if path.is_file()}
    with pytest.raises(ScaffoldError, match=r"already a site in"):
        create_site.init(made.root)
    assert {path: path.read_bytes() for path in made.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("kind", ["file", "link", "broken link"])
def test_what_is_no_folder_is_refused(tmp_path, kind):
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("x")
    else:
        place.symlink_to(tmp_path / "target")
        if kind == "link":
            (tmp_path / "target").mkdir()
    with pytest.raises(ScaffoldError, match="is not a folder"):
        create_site.init(place)
    assert place.is_symlink() or place.read_text() == "x"
    assert not (tmp_path / "target").exists() or everything(tmp_path / "target") == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"name": ""}, "is empty"),
        ({"url": "example.com"}, "web address"),
        ({"url": "http://www.example.com"}, "encrypt"),
    ],
)
def test_settings_that_serve_would_refuse_make_nothing(tmp_path, settings, words):
    with pytest.raises(ScaffoldError, match=words) as error:
        create_site.init(tmp_path / "a" / "b" / "site", **settings)
    assert error.value.mend and everything(tmp_path) == []


@pytest.mark.parametrize("empty_folder_is_there", [False, True])
@pytest.mark.parametrize("step", ["_folders", "_keys", "_write", "_move", "policy_text"])
def test_after_a_failure_at_any_step_nothing_is_left(tmp_path, monkeypatch, step, empty_folder_is_there):
    root = tmp_path / "above" / "site"
    if empty_folder_is_there:
        root.mkdir(parents=True)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(create_site, step, full)
    with pytest.raises(ScaffoldError, match="No space left on device"):
        create_site.init(root)
    assert everything(tmp_path) == (["above", "above/site"] if empty_folder_is_there else [])


def test_a_move_that_fails_half_way_into_an_empty_folder_takes_everything_back(tmp_path, monkeypatch):
    from pathlib import Path

    root = tmp_path / "site"
    root.mkdir(mode=0o755)
    rename = os.rename

    def failing(path, target, **folders):
        if Path(path).name == "public":
            raise OSError(5, "Input/output error")
        return rename(path, target, **folders)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(ScaffoldError, match="Input/output error"):
        create_site.init(root)
    assert everything(tmp_path) == ["site"] and stat.S_IMODE(root.stat().st_mode) == 0o755


def test_an_interruption_leaves_nothing_either(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(create_site, "_keys", interrupted)
    with pytest.raises(KeyboardInterrupt):
        create_site.init(tmp_path / "above" / "site")
    assert everything(tmp_path) == []


def test_a_clock_that_is_far_off_is_told_and_makes_nothing(tmp_path):
    with clock.hold(datetime(1980, 1, 1, tzinfo=UTC)), pytest.raises(ScaffoldError, match="1980") as error:
        create_site.init(tmp_path / "site")
    assert "clock" in error.value.mend and everything(tmp_path) == []


# -- as a command -----------------------------------------------------------------------------------------------------


def test_the_command_says_what_to_do_next(tmp_path):
    done = troth("init", "my site", "--url", "https://www.example.com", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    root = tmp_path / "my site"
    for words in (
        f"Created a new site in {root}",
        f"$EDITOR '{root}'/troth.toml",
        "keys/mail-password",
        "troth._domainkey.example.com",
        "v=DKIM1",
        f"troth operator add \"Your Name\" you@example.com --site '{root}'",
        f"troth doctor --site '{root}'",
        f"troth serve --site '{root}'",
        f"troth proxy nginx --site '{root}'",
        "The recovery key opens",
        f"troth backup DIR --site '{root}'",
    ):
        assert words in done.stdout, words
    assert "PRIVATE KEY" not in done.stdout


def test_in_the_folder_where_one_stands(tmp_path):
    done = troth("init", ".", cwd=tmp_path)
    assert done.returncode == 0 and Site(tmp_path).config.exists()
    again = troth("init", ".", cwd=tmp_path)
    assert again.returncode == 1 and "already" in again.stderr and again.stdout == ""
    assert "Traceback" not in again.stderr
