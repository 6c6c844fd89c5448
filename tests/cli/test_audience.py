"""`troth audience`: what it prints, how it ends, and that nothing of a visitor is printed."""

import gzip
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.audience.imports.logged import combined, log
from tests.audience.user_agents import CHROME
from tests.cli.running import troth
from troth.audience.counting.geoip import CountryDatabase
from troth.core import clock

SECRETS = ("203.0.113", "Mozilla", "wilma", "oddsworth")


@pytest.fixture
def root(root):
    _set(root, 'hosts = ["www.example.com"]\ntimezone = "Europe/Berlin"')
    return root


def _set(root, lines, section="audience"):
    config = root / "troth.toml"
    config.write_text(config.read_text().replace(f"\n[{section}]\n", f"\n[{section}]\n{lines}\n"))


def _days_ago(days):
    """Noon of that day, as the site counts days."""
    return clock.now().astimezone(ZoneInfo("Europe/Berlin")).replace(hour=12, minute=0) - timedelta(days=days)


@pytest.fixture
def access_log(tmp_path):
    return log(
        tmp_path / "access.log",
        *(combined(f"/docs?mail=wilma@oddsworth.example.com&n={n}", _days_ago(3)) for n in range(4)),
        "wilma was here",
        combined("/x.css", _days_ago(2)),
        combined("/buy", clock.now()),
    )


def _ran(*words):
    done = troth("audience", *words)
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr, secret
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_log_is_taken_in_and_said(root, access_log):
    done = _ran("import", str(access_log), "--site", str(root))
    assert done.returncode == 0, done.stderr
    assert "is a combined log: 7 lines" in done.stderr
    assert "Imported: 2 days" in done.stderr and "4  views" in done.stderr
    assert "line 5: not in this format" in done.stderr
    assert "is not over" in done.stderr
    again = _ran("import", str(access_log), "--site", str(root))
    assert again.returncode == 3
    assert "Imported: no day" in again.stderr and "was imported before" in again.stderr


def test_for_scripts_it_is_json(root, access_log):
    packed = access_log.with_suffix(".gz")
    packed.write_bytes(gzip.compress(access_log.read_bytes()))
    done = _ran("import", str(packed), "--site", str(root), "--json", "--dry-run")
    (told,) = json.loads(done.stdout)
    assert (told["written"], told["formats"], told["bad_lines"]) == (False, ["combined"], 1)
    assert told["counts"] == {"views": 4, "not a page": 1, "on skipped days": 1}
    assert told["bad"] == [{"file": str(packed), "line": 5, "why": "not in this format"}]
    assert done.stderr == ""
    (taken,) = json.loads(_ran("import", str(packed), "--site", str(root), "--json").stdout)
    assert (taken["written"], taken["days"]) == (True, told["days"])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--format", "klingon"), 2, "One of"),
        (("--format", "caddy"), 1, "no lines that can be counted"),
        (("--format", "plausible"), 1, "damaged or truncated"),
        (("--format", "goatcounter"), 1, "version 1 or 2"),
    ],
)
def test_a_wrong_format_is_one_sentence(root, access_log, words, code, said):
    done = _ran("import", str(access_log), "--site", str(root), *words)
    assert done.returncode == code
    assert said in done.stderr


def test_a_file_that_is_not_there_is_one_sentence(root):
    done = _ran("import", "/nowhere/access.log", "--site", str(root))
    assert done.returncode == 1
    assert "cannot be read" in done.stderr


def test_countries_are_looked_up_in_a_database_made_of_ranges(root, tmp_path, access_log):
    lists = tmp_path / "ranges.tsv.gz"
    lists.write_bytes(gzip.compress(b"203.0.113.0\t203.0.113.255\tDE\n2001:db8::\t2001:db8::ffff\tFR\n"))
    made = tmp_path / "countries.mmdb"
    assert _ran("countries", str(lists), "--to", str(made)).returncode == 0
    assert CountryDatabase.at(made).of("203.0.113.9") == "DE"
    assert _ran("countries", str(lists), "--to", str(made)).returncode == 1
    _set(root, f'country_database = "{made}"')
    assert _ran("import", str(access_log), "--site", str(root)).returncode == 0
    with closing(sqlite3.connect(root / "data" / "troth.sqlite3")) as reading:
        assert reading.execute("SELECT text FROM audience_name WHERE text = 'DE'").fetchone() == ("DE",)
    made.unlink()
    assert "cannot be read" in _ran("import", str(access_log), "--site", str(root)).stderr


@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_where_all_visitors_look_like_one_it_is_said(root, tmp_path, dry):
    line = combined("/docs", _days_ago(3), address="192.0.2.200")
    log = tmp_path / "access.log"
    log.write_text("".join(f'{line} "203.0.113.{n}"\n' for n in range(3)))
    done = _ran("import", str(log), "--site", str(root), "--json", *dry)
    assert [words[:36] for words in json.loads(done.stdout)[0]["remarks"]] == [
        "3 requests name further addresses th",
        "All 3 requests come from one address",
    ]
    if dry:
        _set(root, 'trusted_proxies = ["192.0.2.200"]', section="front")
        said = _ran("import", str(log), "--site", str(root), "--dry-run").stderr
        assert "3 requests came through a proxy" in said and "one address" not in said


def test_own_pages_are_stored_and_what_changed_is_said(root, tmp_path):
    pages = tmp_path / "pages.txt"
    pages.write_text("/\n/docs\n/old\nhttps://example.org/\n")
    done = _ran("pages", str(pages), "--site", str(root))
    assert (done.returncode, done.stdout) == (0, "+ /\n+ /docs\n+ /old\n")
    assert "1 addresses of other sites" in done.stderr
    sitemap = tmp_path / "sitemap.xml.gz"
    urls = "".join(f"<url><loc>https://www.example.com{path}</loc></url>" for path in ("/", "/docs", "/new"))
    sitemap.write_bytes(gzip.compress(f"<urlset>{urls}</urlset>".encode()))
    told = json.loads(_ran("pages", str(sitemap), "--site", str(root), "--json", "--dry-run").stdout)
    assert (told["written"], told["new"], told["gone"], told["stays"]) == (False, ["/new"], ["/old"], 2)
    done = _ran("pages", str(sitemap), "--site", str(root))
    assert (done.stdout, "1 new, 1 removed, 2 unchanged" in done.stderr) == ("+ /new\n- /old\n", True)


def test_where_two_addresses_are_one_page_it_is_said(root, tmp_path):
    pages = tmp_path / "pages.txt"
    pages.write_text("/get?id=1\n/get?id=2\nhttps://www.example.com/docs\nhttp://example.com/docs\n/docs#install\n")
    done = _ran("pages", str(pages), "--site", str(root))
    assert "2 addresses count as one page, /get: /get?id=1, /get?id=2\n" in done.stderr
    assert "`query_parameters` under [audience]" in done.stderr
    told = json.loads(_ran("pages", str(pages), "--site", str(root), "--json").stdout)
    assert told["merged"] == {"/get": ["/get?id=1", "/get?id=2"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!DOCTYPE x><urlset/>", "document type"),
        (
            "<sitemapindex><sitemap><loc>https://www.example.com/1.xml</loc></sitemap></sitemapindex>",
            "downloads nothing",
        ),
        ("https://example.org/\n", "It lists no page of this site"),
        ("wilma\n", "Line 1 is not a page"),
    ],
)
def test_a_list_that_is_none_is_one_sentence(root, tmp_path, text, said):
    (tmp_path / "pages").write_text(text)
    done = _ran("pages", str(tmp_path / "pages"), "--site", str(root))
    assert done.returncode == 1
    assert said in done.stderr


def test_the_agent_is_one_that_would_be_found():
    assert SECRETS[1] in CHROME
