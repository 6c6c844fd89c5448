"""Looks up the sender's DNS records once, writes down what it found, and ends: a process of its own.

It has no key but DKIM's, whose public half it compares, and reads no stored data: what it asks and learns is public. It
may connect to the name servers, by TCP, and write `data/sender-dns/`.
"""

import sys
from contextlib import suppress
from pathlib import Path

from troth.core.config.load import load_config
from troth.core.config.sections import Config
from troth.core.errors import TrothError
from troth.core.site import Site
from troth.gate import dkim, tripwire
from troth.gate.doors import Door
from troth.gate.sender_dns import name_server, stored
from troth.gate.sender_dns.examine import RecordCheck, SenderSetup, examine
from troth.supervisor.brief import Brief
from troth.supervisor.safe_write import owner_of


def run(brief: Brief) -> None:
    """Look up the records of the site in the brief. Exits with 1 where the result could not be stored."""
    site = Site(Path(brief.site))
    config = load_config(site.config)
    servers = name_server.doors(config)
    tripwire.arm(servers)
    try:
        stored.write(site, config, look_up(site, config, servers))
    except (OSError, TrothError) as error:
        print(f"dns: the sender's records were not checked ({type(error).__name__})", file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(1)


def keep(site: Site, config: Config, checks: list[RecordCheck]) -> None:
    """Store what was found out, for the pages that show it, as the user whose folder it is; if the site has run."""
    with suppress(OSError):
        stored.write(site, config, checks, owner_of(site.sender_dns))


def look_up(site: Site, config: Config, servers: list[Door] | None = None) -> list[RecordCheck]:
    """Return what DNS says about the sender now. Raises `TrothError` where the DKIM key cannot be used."""
    path = site.dkim_keys / f"{config.mail.dkim_selector}.pem"
    domain = config.mail.dkim_domain or config.mail.sender.rpartition("@")[2]
    record = dkim.dns_record(path, config.mail.dkim_selector, domain) if path.exists() else None
    names = name_server.NameServers(servers or name_server.doors(config))
    return examine(SenderSetup.of(config, record), names)
