"""Examine a site for `troth doctor`: list what is wrong and how to fix it, without a key or personal data. Changes
nothing. Connects only to this machine: to the listeners, and to an SMTP server or database that the settings place
here."""

import os
import resource
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from troth.core import clock, clock_jumps, frames
from troth.core.config import sections
from troth.core.config.load import ConfigError, load_config
from troth.core.config.sections import Config, SettingProblem
from troth.core.epochs import epoch_of
from troth.core.errors import TrothError
from troth.core.ids import made_at_ms
from troth.core.networks import is_loopback
from troth.core.purpose import Purpose
from troth.core.same_site import apart
from troth.core.sandbox import restrict
from troth.core.site import Site
from troth.core.site_files import backup_index, restore_marker
from troth.core.text.durations import days_span
from troth.gate import doors
from troth.gate.dkim import dns_record
from troth.gate.sender_dns import stored
from troth.operate.doctor import copies, database, listeners, permissions, shop
from troth.operate.doctor.finding import Finding, Level
from troth.policy import privacy_notice, text
from troth.supervisor import refused_calls, status_file
from troth.supervisor.safe_write import acting_as, owner_of
from troth.vault.key_store import KeyStore, path_in

_MIB = 1 << 20
_LEAST_FREE = 256 * _MIB
_LEAST_FILES = 1024
_CLOCK_SLACK_MS = 60_000
_PUBLIC = frozenset({"site-id", "recovery.pub"})
"""Files in keys/ that are not secret."""


type Look = Callable[[Site, Config], Iterator[Finding]]


def examine(root: Path, *, environ: dict[str, str] | None = None) -> list[Finding]:
    """Return all findings about the site in `root`, in the order of the examination."""
    site = Site(Path(os.path.abspath(root)))  # noqa: PTH100 - a deliberate link stays
    if not site.root.is_dir():
        return [
            Finding(
                "bad", f"{site.root} is not a folder.", "Create a site with `troth init DIR`, or name it with --site."
            )
        ]
    findings = [*_machine(), *_leapt(site), *_restored(site), *_where(site)]
    renamed: list[SettingProblem] = []
    try:
        settings = load_config(site.config, environ, warn=renamed.append)
    except ConfigError as error:
        findings += [Finding("bad", str(problem), problem.mend) for problem in error.problems]
        return findings + (list(_run(_folders, site, _nothing_set())) if _is_site(site) else [])
    findings += [Finding("warn", str(warning), warning.mend) for warning in renamed]
    findings.append(Finding("ok", "The settings in troth.toml are valid."))
    for look in (
        _sandbox,
        _refused,
        _folders,
        _owners,
        _informing,
        _closed,
        _keys,
        _people,
        _dkim,
        _sender_records,
        shop.look,
        _newest,
        _data,
        _copies,
        _disk_space,
        _backups,
        _listeners,
        _proxies,
        _choice,
        _relay,
    ):
        findings += _run(look, site, settings)
    return findings


def _is_site(site: Site) -> bool:
    """Return whether this is a site, perhaps with parts missing, and not just another folder."""
    return site.config.exists() or site.keys.is_dir()


def verdict(findings: list[Finding]) -> int:
    """Return the exit code: 1 if something is bad, else 0."""
    return int(any(finding.level == "bad" for finding in findings))


def _nothing_set() -> Config:
    return Config(site=sections.SiteSection(name="", url=""))


def _run(look: Look, site: Site, settings: Config) -> Iterator[Finding]:
    """Yield the findings of one examination. What it may not read is a finding, too."""
    try:
        yield from look(site, settings)
    except PermissionError as error:
        place = Path(error.filename or site.root)
        yield Finding(
            "bad", f"This user may not read {place}.", "Run doctor as the user that runs `troth serve`, or as root."
        )
    except TrothError as error:
        yield Finding("bad", str(error), error.mend)
    except OSError as error:
        yield Finding("bad", f"{error.filename or site.root}: {os.strerror(error.errno or 0)}.", "Check the disk.")


# -- the machine --------------------------------------------------------------------------------------------------


def _machine() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", f"Python {version}.")  # an older one would not have come this far
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < _LEAST_FILES:
        mend = (
            f"Raise it: `ulimit -n {min(most, 65536) if most > 0 else 65536}`, or LimitNOFILE= in the service's unit."
        )
        yield Finding("warn", f"A process may open only {files} files and connections: too few for a web server.", mend)
    try:
        epoch_of(clock.now())
    except ValueError as error:
        yield Finding("bad", f"The clock is wrong: {error}.", "Set the machine's clock.")


def _leapt(site: Site) -> Iterator[Finding]:
    """Report whether the clock is trusted to remove old data."""
    state = clock_jumps.doubted(site.data)
    if state:
        yield Finding("warn", clock_jumps.words(state), clock_jumps.MEND)


def _restored(site: Site) -> Iterator[Finding]:
    """Report whether a restore was interrupted, and what it left."""
    if site.restoring.exists():
        yield Finding("bad", restore_marker.WHAT, restore_marker.MEND)
    else:
        for path in restore_marker.remains(site):
            message = f"{path} is left from an interrupted restore and contains keys."
            yield Finding("warn", message, "If no restore is running, `troth serve` or the next restore removes it.")


def _where(site: Site) -> Iterator[Finding]:
    ours = Path(__file__).resolve().parents[3]
    root = site.root.resolve()
    if root.is_relative_to(ours) or (root / "src/troth").exists():
        yield Finding(
            "warn", f"{root} is inside Troth's own folder.", "Move it: an update or a clean-up could delete it."
        )
    mode = site.root.stat().st_mode
    if mode & 0o022:
        yield Finding("bad", f"Other users may write to {site.root}.", f"chmod go-w {site.root}")
    elif mode & 0o004:
        yield Finding("warn", f"Every user of this machine may list {site.root}.", f"chmod o-r {site.root}")


def _sandbox(_site: Site, settings: Config) -> Iterator[Finding]:
    can = restrict.survey()
    missing = " and ".join(can.missing())
    if can.enough:
        yield Finding("ok", f"The kernel supports the sandbox: seccomp, Landlock {can.landlock}.")
        if missing:
            message = f"The kernel does not support {missing}."
            yield Finding("warn", message, "This is sufficient; a newer kernel makes the sandbox stricter.")
    elif settings.front.sandbox == "enforce":
        mend = 'Use a newer kernel, or accept a weaker sandbox with `sandbox = "best-effort"` under [front].'
        yield Finding(
            "bad", f"Troth will not start: the kernel cannot sandbox it. It does not support {missing}.", mend
        )
    else:
        yield Finding("warn", f"THE SANDBOX IS WEAK: this kernel does not support {missing}.", "Use a newer kernel.")


def _refused(site: Site, _settings: Config) -> Iterator[Finding]:
    """Report system calls of the site's processes that the sandbox refused."""
    status = status_file.read(site.data)
    if status is None:
        return
    refused = refused_calls.calls({process.pid: process.name for process in status[1] if process.up})
    for (name, call), count in sorted((refused or {}).items()):
        message = f"The sandbox refused a system call of the {name} process: {call}, {count} times."
        mend = "After an update of Python or a library, report it as a bug; otherwise treat the process as compromised"
        mend += " (docs/wall-1.md)."
        yield Finding("warn", message, mend)


# -- folders and keys ---------------------------------------------------------------------------------------------


def _folders(site: Site, _settings: Config) -> Iterator[Finding]:
    parts = (site.keys, site.seal_keys, site.sign_keys, site.dkim_keys, site.people_keys, site.office_keys)
    missing = [
        part for part in (*parts, site.data, site.spool, site.public, site.asks, site.offers) if not part.is_dir()
    ]
    for folder in missing:
        yield Finding("bad", f"{folder} is missing.", site.mend_of(folder))
    if not site.policy.is_file():
        yield Finding("warn", "policy.md is missing.", "Restore it: it is your privacy policy.")
    if not missing:
        yield Finding("ok", "All folders exist.")


def _owners(site: Site, settings: Config) -> Iterator[Finding]:
    yield from permissions.look(site, settings)


def _informing(site: Site, settings: Config) -> Iterator[Finding]:
    """Report what the policy must say and does not."""
    try:
        problems = privacy_notice.lacking(text.read(site.policy), settings)
    except text.PolicyError:  # the database's part says so
        return
    if problems:
        more = f" And {len(problems) - 1} more: `troth policy check`." if len(problems) > 1 else ""
        yield Finding("warn", f"policy.md: {problems[0].what}{more}", problems[0].mend)


def _closed(site: Site, _settings: Config) -> Iterator[Finding]:
    """Report keys, records and submissions that other users may read."""
    readable = [path for folder in (site.keys, site.data, site.spool) for path in _reached(folder, site.root)]
    for path in readable[:5]:
        yield Finding("bad", f"Every user of this machine may read {path}.", f"chmod o-rwx {path}")
    if len(readable) > 5:
        yield Finding("bad", f"… and {len(readable) - 5} more.", f"chmod -R o-rwx {site.keys} {site.data} {site.spool}")
    for path in (site.config, site.policy):
        if path.exists() and path.stat().st_mode & 0o022:
            yield Finding("bad", f"Other users may write to {path}.", f"chmod go-w {path}")
    if not readable:
        yield Finding("ok", "Other users cannot read keys, records and submissions.")


def _reached(folder: Path, root: Path) -> Iterator[Path]:
    """Yield files below `folder` that any user may read or change, considering the folders above within the site."""
    above = [root, *reversed([part for part in folder.parents if part.is_relative_to(root) and part != root]), folder]
    if not all(part.is_dir() and part.stat().st_mode & 0o001 for part in above):
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _reached(path, root)
        elif path.name not in _PUBLIC and path.stat().st_mode & 0o006:
            yield path


def _keys(site: Site, _settings: Config) -> Iterator[Finding]:
    restore = "Restore keys/ from your backup."
    try:
        uuid.UUID(site.site_id.read_text().strip())
    except (FileNotFoundError, ValueError):
        yield Finding("bad", "keys/site-id is missing or invalid.", f"{restore} Submissions and links name the site.")
    yield from _sized(site.sign_keys, 32, "links can be neither created nor verified", restore)
    yield from _sized(site.licence_keys, 32, "no licence can be issued or revoked", restore)
    yield from _sized(site.seal_keys, 96, "submissions encrypted for it cannot be read", restore)
    with suppress(ValueError):  # a clock outside all epochs is reported above
        epoch = epoch_of(clock.now())
        if not (site.seal_keys / f"{epoch}.key").exists() and (site.public / "current").exists():
            message = f"This week's encryption key (epoch {epoch}) is missing."
            yield Finding("warn", message, "The worker creates it: is it running?")
    for purpose in Purpose:
        path = site.people_keys / f"index-{purpose.value}.key"
        if not path.exists() or path.stat().st_size != 32:
            mend = "Restore keys/people/ from your backup of the keys."
            yield Finding("bad", f"keys/people/{path.name} is missing or damaged: people cannot be found.", mend)
    secret = site.office_keys / "secret.key"
    if not secret.is_file() or len(secret.read_bytes().strip()) < 50:
        mend = "Restore it, or create a new one (all operators have to sign in again): "
        mend += f"`python3 -c 'import secrets; print(secrets.token_urlsafe(48))' > {secret}`"
        yield Finding("bad", "keys/office/secret.key is missing or too short.", mend)
    for path in (site.mail_password, *site.relay_passwords(), site.database_password):
        if path.is_file() and not path.read_text("utf-8", "replace").strip():
            yield Finding("warn", f"keys/{path.name} is empty.", "Write the password into it, or delete it.")


def _sized(folder: Path, size: int, consequence: str, mend: str) -> Iterator[Finding]:
    keys = [path for path in sorted(folder.glob("*.key")) if path.stem.isdigit()]
    for path in keys:
        if path.stat().st_size != size:
            yield Finding("bad", f"keys/{folder.name}/{path.name} is damaged: {consequence}.", mend)
    if not keys and folder.is_dir():
        yield Finding("bad", f"keys/{folder.name}/ has no key: {consequence}.", mend)


def _people(site: Site, _settings: Config) -> Iterator[Finding]:
    if not os.access(path_in(site.people_keys), os.W_OK) and path_in(site.people_keys).exists():
        message = "People's keys were not checked: this user may not open them."
        yield Finding("warn", message, "Run doctor as root.")
        return
    store = KeyStore.open(site.people_keys)
    store.close()
    yield Finding("ok", "People's keys are there.")


def _dkim(site: Site, settings: Config) -> Iterator[Finding]:
    mail = settings.mail
    path = site.dkim_keys / f"{mail.dkim_selector}.pem"
    domain = mail.dkim_domain or mail.sender.rpartition("@")[2]
    if domain in ("example.com", "example.org", "example.net"):
        message = f"Emails are sent from {mail.sender}, which is only an example."
        yield Finding("warn", message, "Set `sender` under [mail] to an address at your domain.")
    if not path.is_file():
        mend = f"Restore it, or create one (docs/mail.md): openssl genrsa -out {path} 2048"
        yield Finding(
            "warn", f"keys/dkim/{path.name} is missing: emails are not signed and often end up as spam.", mend
        )
        return
    name, value = dns_record(path, mail.dkim_selector, domain)
    yield Finding("ok", f"Emails are signed. Your DNS must have this TXT record at {name}: {value}")


def _sender_records(site: Site, settings: Config) -> Iterator[Finding]:
    """Report what the last look-up found; doctor itself asks no name server."""
    checked = stored.read(site, settings)
    for check in checked.checks if checked else ():
        level: Level = "ok" if check.state == "ok" else "bad" if check.state == "wrong" else "warn"
        yield Finding(level, check.what, f"{check.mend}\n{check.record}".strip())
    if checked is None and settings.checks_dns:
        message = "The DNS records of the sender’s domain (SPF, DKIM, DMARC) have not been checked."
        yield Finding("ok", f"{message} `troth mail check` does so, and `troth serve` every few hours.")


# -- data and backups ---------------------------------------------------------------------------------------------


def _newest(site: Site, _settings: Config) -> Iterator[Finding]:
    """Report a clock that is behind: leases, links and epochs would be wrong."""
    newest = max(frames.segments(site.spool), default=0) if site.spool.is_dir() else 0
    yield from _behind(newest, "a segment in spool/")


def _behind(newest_ms: int, message: str) -> Iterator[Finding]:
    if newest_ms > clock.timestamp_ms() + _CLOCK_SLACK_MS:
        then = datetime.fromtimestamp(newest_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        yield Finding("bad", f"The clock is behind: {message} is dated {then} (UTC).", "Set the clock.")


def _data(site: Site, settings: Config) -> Iterator[Finding]:
    with acting_as(owner_of(site.data) if site.data.is_dir() else None):  # SQLite opens files beside it by name
        findings = list(database.look(site, settings, lambda newest: _behind(made_at_ms(newest), "a record")))
    yield from findings


def _copies(site: Site, settings: Config) -> Iterator[Finding]:
    yield from copies.look(site, settings)


def _disk_space(site: Site, settings: Config) -> Iterator[Finding]:
    quotas = (settings.spool.signup_mib + settings.spool.link_mib) * _MIB
    for name, folder, least in (("spool", site.spool, quotas), ("data", site.data, 0)):
        if not folder.is_dir():
            continue
        free = shutil.disk_usage(folder).free
        if free < _LEAST_FREE:
            yield Finding("bad", f"The disk of {name}/ has {free // _MIB} MiB left.", "Free some space.")
        elif free < least:
            message = f"The disk of {name}/ has {free // _MIB} MiB left, less than the spool may need."
            yield Finding("warn", message, "Free some space, or lower the limits under [spool].")


def _backups(site: Site, settings: Config) -> Iterator[Finding]:
    """Report whether backups are made, and whether any is kept longer than promised."""
    if not site.recovery_key.exists():
        yield Finding("warn", "There is no recovery key, so backups are not possible.", "troth recovery-key new")
    if settings.backup.folder and not Path(settings.backup.folder).is_dir():
        message = f"{settings.backup.folder}, `folder` under [backup], is not a folder: the next backup will fail."
        yield Finding("bad", message, f"mkdir -m 700 {settings.backup.folder}")
    index = backup_index.read(site)
    newest = index.newest("data") if index else None
    if index is None or newest is None:
        yield Finding("warn", "There is no backup yet.", "Run `troth backup DIR` every night (docs/backup.md).")
        return
    age = (clock.now() - newest).days
    if age < -1:
        message = f"The latest backup is dated {newest:%Y-%m-%d}, in the future: the clock was ahead."
        yield Finding("warn", message, "Back up now: `troth backup DIR`.")
    elif age > 7:
        yield Finding("warn", f"The latest backup is {age} days old.", "Run `troth backup` every night.")
    else:
        yield Finding("ok", f"The latest backup is of {newest:%Y-%m-%d %H:%M} (UTC).")
    for kind, days in (("data", settings.backup.data_days), ("keys", settings.backup.keys_days)):
        oldest = index.oldest(kind)
        if oldest and (clock.now() - oldest).days > days:
            message = f"A backup of the {kind}, of {oldest:%Y-%m-%d}, is older than {days_span(days)}."
            yield Finding("bad", message, "The next `troth backup` removes it.")


# -- the neighbours -----------------------------------------------------------------------------------------------


def _listeners(_site: Site, settings: Config) -> Iterator[Finding]:
    yield from listeners.listener("front", settings.front.listen, f"{settings.site.prefix}/healthz")
    yield from listeners.listener("office", settings.office.listen, "/")


def _proxies(_site: Site, settings: Config) -> Iterator[Finding]:
    host, _ = sections.host_port(settings.front.listen)
    if settings.site.url.startswith("https://") and is_loopback(host) and not settings.front.trusted_proxies:
        message = "No web server is trusted: all visitors seem to have its address, and to be unencrypted."
        yield Finding("bad", message, 'Write trusted_proxies = ["127.0.0.1", "::1"] under [front].')
    office, _ = sections.host_port(settings.office.listen)
    if not is_loopback(office):
        message = "The admin server accepts connections from other machines."
        mend = "Set `listen` under [office] to 127.0.0.1 and use a tunnel, or make sure that a firewall protects it."
        yield Finding("warn", message, mend)


def _choice(_site: Site, settings: Config) -> Iterator[Finding]:
    if not settings.audience.enabled:
        return
    front = urlsplit(settings.site.url).hostname or ""
    if hosts := apart(front, settings.audience_hosts):
        yield Finding(
            "warn",
            f"Visitors who opt out may still be counted on {', '.join(hosts)}: browsers do not send the choice made at "
            f"{front} from other sites.",
            f'Serve Troth on your own site: url = "https://{hosts[0]}/troth" under [site], or on a subdomain of it.',
        )
    else:
        yield Finding("ok", "Opting out works on every page that is counted.")


def _relay(_site: Site, settings: Config) -> Iterator[Finding]:
    for door in doors.mail_relays(settings):
        yield _responds(door)


def _responds(door: doors.Door) -> Finding:
    if not door.is_local:
        message = f"The SMTP server {door.host}:{door.port} was not checked: doctor connects only to this machine."
        return Finding("ok", message)
    if listeners.answers(door.host, door.port):
        return Finding("ok", f"The SMTP server {door.host}:{door.port} responds.")
    setting = "`relay` under [mail]" if door.name == doors.MAIL_RELAY else "`address` under [[relay]]"
    mend = f"Start it, or change {setting}. Emails that no other server takes are queued until then."
    return Finding("warn", f"The SMTP server {door.host}:{door.port} does not respond.", mend)
