"""What was last found out about the sender's DNS records: written by the process that asks, read by the others.

    data/sender-dns/records.json    {"at": seconds, "setup": hash, "checks": [...]}; public facts, and about nobody
    data/dns-asked                  made by the office: somebody wants them checked now

May touch: these two files.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec

from troth.core import clock
from troth.core.config.sections import Config
from troth.core.disk import read_plain
from troth.core.site import Site
from troth.gate.sender_dns.examine import RecordCheck
from troth.supervisor.safe_write import SharedFolder, User
from troth.supervisor.status_file import DNS_ASKED

_NAME, _MOST = "records.json", 1 << 16
_COUNTS_FOR = timedelta(days=7)


class CheckedRecords(msgspec.Struct, frozen=True):
    """One run. `setup`: a hash of the settings that it depends on."""

    at: datetime
    setup: str
    checks: tuple[RecordCheck, ...]


def setup_hash(config: Config) -> str:
    """Return a hash of the settings that the records have to agree with."""
    mail = config.mail
    parts = (
        mail.sender,
        mail.dkim_domain,
        mail.dkim_selector,
        mail.relay,
        *(relay.address for relay in config.relay),
        config.site.url,
    )
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def write(site: Site, config: Config, checks: list[RecordCheck], user: User | None = None) -> None:
    """Store a run. `user`: whose folder it is, where that is not this process's user. Raises `OSError`."""
    checked = CheckedRecords(clock.now(), setup_hash(config), tuple(checks))
    SharedFolder(site.sender_dns, user).write(_NAME, msgspec.json.encode(checked))


def read(site: Site, config: Config) -> CheckedRecords | None:
    """Return the last run; None where there is none of the last days for these settings, or nothing is checked."""
    if not config.checks_dns:
        return None
    try:
        checked = msgspec.json.decode(read_plain(site.sender_dns / _NAME, _MOST), type=CheckedRecords)
    except (OSError, msgspec.MsgspecError):
        return None
    recent = clock.now() - checked.at < _COUNTS_FOR
    return checked if recent and checked.setup == setup_hash(config) else None


def ask(site: Site) -> None:
    """Have the records checked now: the supervisor looks every second. Raises `OSError` if the disk refuses."""
    (site.data / DNS_ASKED).touch()


def asked(site: Site) -> bool:
    """Return whether a check was requested and has not begun."""
    return Path(site.data / DNS_ASKED).exists()
