"""`troth licence` on a site: keys, and a licence key whose verdict is the exit code."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tests.cli.running import troth
from tests.shop.licence_vectors import ID, TERMS
from troth.core.site import Site
from troth.operate import create_site
from troth.shop.licences import revocation_file, signing


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return Site(create_site.init(tmp_path_factory.mktemp("licences") / "site").root)


def run(*words, site, **more):
    return troth("licence", *map(str, words), "--site", str(site.root), **more)


def test_keys_are_made_listed_and_changed_and_licences_judged(site, tmp_path):
    file = tmp_path / "licence.txt"
    file.write_text("no licence key")
    without = run("verify", file, site=site)
    assert (without.returncode, without.stdout) == (1, "")
    assert "no key for licences" in without.stderr
    assert run("keys", site=site).stdout.startswith("There is no key yet")

    public = run("new-key", site=site).stdout.strip()
    terms = replace(TERMS, valid_until=date(2100, 1, 1))
    file.write_text(signing.sign(ID, terms, signing.current(signing.load(site))))
    good = run("verify", file, "--json", site=site)
    assert good.returncode == 0, good.stderr
    answer = json.loads(good.stdout)
    assert (answer["valid"], answer["id"], answer["valid_until"], answer["seats"]) == (True, ID, "2100-01-01", 5)
    assert f"✓ Licence {ID} is valid." in run("verify", file, "--product", "editor", site=site).stdout

    other = run("verify", file, "--product", "viewer", "--json", site=site)
    assert (other.returncode, json.loads(other.stdout)) == (1, {"valid": False, "reason": "other-product"})

    second = run("new-key", site=site)
    assert "troth licence use-key" in second.stderr
    states = [(row["public"], row["state"]) for row in json.loads(run("keys", "--json", site=site).stdout)]
    assert states == [(public, "signs"), (second.stdout.strip(), "next")]
    assert run("new-key", site=site).returncode == 1
    assert "key 2" in run("use-key", site=site).stdout
    assert run("use-key", site=site).returncode == 1
    assert run("verify", file, site=site).returncode == 0, "an earlier key's licences stay valid"
    assert [line.split()[-1] for line in run("keys", site=site).stdout.splitlines()] == ["earlier", "signs"]

    keys = signing.load(site)
    revocation_file.update(site.public, [ID], keys, datetime(2026, 11, 30, tzinfo=UTC))
    revoked = run("verify", file, site=site)
    assert (revoked.returncode, revoked.stderr) == (1, "")
    assert revoked.stdout == "✗ This licence was revoked: its purchase was refunded or cancelled.\n"


def test_a_file_that_is_not_there_is_one_sentence(site, tmp_path):
    signing.load(site) or signing.make(site)
    done = run("verify", tmp_path / "none", site=site)
    assert done.returncode == 1
    assert "cannot be read: No such file" in done.stderr
    assert "Traceback" not in done.stderr
