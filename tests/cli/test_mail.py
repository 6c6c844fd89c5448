"""`troth mail check` against a name server on this machine, and the process that does the same behind its fence."""

import json
import time

import pytest

from tests.cli.running import troth
from tests.gate.name_servers import serving, txt
from tests.worker import served
from troth.core.config.load import load_config
from troth.core.site import Site
from troth.gate import dkim
from troth.gate.sender_dns import stored
from troth.operate import create_site


def made(folder, place, url="https://www.example.com"):
    """A new site that asks this name server; gives it and the records that it needs."""
    site = Site(create_site.init(folder).root)
    site.config.write_text(
        f'[site]\nname = "Example"\nurl = "{url}"\n[mail]\nsender = "news@vendor.example"\ndns_server = "{place}"\n'
    )
    return site, dkim.dns_record(site.dkim_keys / "troth.pem", "troth", "vendor.example")


def test_it_prints_what_to_publish_and_then_that_all_is_well(tmp_path):
    with serving({}) as (place, zone):
        site, (name, value) = made(tmp_path / "site", place)
        done = troth("mail", "check", "--site", site.root)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        shown = " ".join(done.stdout.split())
        assert f'{name} TXT "{value}"' in shown and '_dmarc.vendor.example TXT "v=DMARC1; p=none"' in shown
        zone.records.update(
            {
                ("vendor.example", "TXT"): [txt("v=spf1 a:www.example.com ~all")],
                (name, "TXT"): [txt(value[:255], value[255:])],
                ("_dmarc.vendor.example", "TXT"): [txt("v=DMARC1; p=none")],
            }
        )
        site.sender_dns.mkdir()
        done = troth("mail", "check", "--json", "--site", site.root)
        assert done.returncode == 0
        assert [(row["kind"], row["state"]) for row in json.loads(done.stdout)] == [
            ("SPF", "ok"), ("DKIM", "ok"), ("DMARC", "ok"),
        ]  # fmt: skip
        kept = stored.read(site, load_config(site.config))
        assert kept is not None and {check.state for check in kept.checks} == {"ok"}
        assert f"The DKIM record at {name} matches" in troth("doctor", "--site", site.root).stdout


@pytest.mark.walls
def test_a_served_site_has_them_looked_up_by_a_process_of_their_own(tmp_path):
    with serving({}) as (place, zone):
        site, front = served.make(tmp_path / "site")
        text = site.config.read_text().replace("[mail]", f'[mail]\ndns_server = "{place}"')
        lines = [
            'url = "https://www.example.com"' if line.startswith('url = "http://127') else line
            for line in text.split("\n")
        ]
        site.config.write_text("\n".join(lines))
        with served.serving(site, front):
            until = time.monotonic() + 40
            while (kept := stored.read(site, load_config(site.config))) is None:
                assert time.monotonic() < until, served.log(site)
                time.sleep(0.2)
            assert {check.state for check in kept.checks} == {"wrong"}
            assert ("troth._domainkey.example.com", "TXT") in zone.asked
        assert "tripwire" not in served.log(site)
