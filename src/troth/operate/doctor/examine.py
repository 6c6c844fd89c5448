"""`troth doctor`: looks a site over and says what is wrong and how to mend it.

Reads everything in the site's folder; changes nothing. Connects to this machine itself only: to the listeners, to a
relay or a database that the settings place here. Shows no key and opens nobody's details.
"""

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

from troth.core import backup_index, clock, clock_jumps, frames, restore_marker
from troth.core.config import sections
from troth.core.config.load import ConfigError, load_config
from troth.core.config.sections import Config, Problem
from troth.core.epochs import epoch_of
from troth.core.errors import TrothError
from troth.core.ids import made_at_ms
from troth.core.purpose import Purpose
from troth.core.same_site import apart
from troth.core.sandbox import restrict
from troth.core.site import Site
from troth.operate.doctor.finding import Finding
from troth.supervisor import refused_calls, status_file
from troth.supervisor.safe_write import acting_as, owner_of

_MIB = 1 << 20
_LEAST_FREE = 256 * _MIB
_LEAST_FILES = 1024
_CLOCK_SLACK_MS = 60_000
_PUBLIC = frozenset({"site-id", "recovery.pub"})
"""What lies in keys/ and is no secret."""


type Look = Callable[[Site, Config], Iterator[Finding]]


def examine(root: Path, *, environ: dict[str, str] | None = None) -> list[Finding]:
    """Everything that can be said about the site in `root`, in the order of the examination."""
    site = Site(Path(os.path.abspath(root)))  # noqa: PTH100 - a link that is there by intent stays
    if not site.root.is_dir():
        return [
            Finding("bad", f"{site.root} is no folder.", "Make a site with `troth init DIR`, or name it with --site.")
        ]
    findings = [*_machine(), *_leapt(site), *_restored(site), *_where(site)]
    renamed: list[Problem] = []
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
        _newest,
        _data,
        _copies,
        _room,
        _backups,
        _listeners,
        _proxies,
        _choice,
        _relay,
    ):
        findings += _run(look, site, settings)
    return findings


def _is_site(site: Site) -> bool:
    """Whether somebody made a site here, and something of it is lost; or whether it is just another folder."""
    return site.config.exists() or site.keys.is_dir()


def verdict(found: list[Finding]) -> int:
    """The exit code: 1 where something is bad, else 0."""
    return int(any(finding.level == "bad" for finding in found))


def _nothing_set() -> Config:
    return Config(site=sections.SiteSection(name="", url=""))


def _run(look: Look, site: Site, settings: Config) -> Iterator[Finding]:
    """One look's findings. What it may not read is a finding, too."""
    try:
        yield from look(site, settings)
    except PermissionError as error:
        place = Path(error.filename or site.root)
        yield Finding(
            "bad", f"{place} may not be read by this user.", "Run doctor as the user that serves, or as root."
        )
    except TrothError as error:
        yield Finding("bad", str(error), error.mend)
    except OSError as error:
        yield Finding("bad", f"{error.filename or site.root}: {os.strerror(error.errno or 0)}.", "Look at the disk.")


# -- the machine --------------------------------------------------------------------------------------------------


def _machine() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", f"Python {version}.")  # an older one would not have come this far
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < _LEAST_FILES:
        mend = (
            f"Raise it: `ulimit -n {min(most, 65536) if most > 0 else 65536}`, or LimitNOFILE= in the service's unit."
        )
        yield Finding(
            "warn", f"A process may have {files} files and connections open at once: few for a web server.", mend
        )
    try:
        epoch_of(clock.now())
    except ValueError as error:
        yield Finding("bad", f"The clock is wrong: {error}.", "Set the machine's clock.")


def _leapt(site: Site) -> Iterator[Finding]:
    """Whether the clock is believed before anything is removed by its time."""
    state = clock_jumps.doubted(site.data)
    if state:
        yield Finding("warn", clock_jumps.words(state), clock_jumps.MEND)


def _restored(site: Site) -> Iterator[Finding]:
    """Whether a restore was stopped, and what it left."""
    if site.restoring.exists():
        yield Finding("bad", restore_marker.WHAT, restore_marker.MEND)
    else:
        for path in restore_marker.remains(site):
            what = f"{path} is left from a restore that was stopped, and holds keys."
            yield Finding("warn", what, "Is none at work just now, `troth serve` removes it, and so does the next one.")


def _where(site: Site) -> Iterator[Finding]:
    ours = Path(__file__).resolve().parents[3]
    root = site.root.resolve()
    if root.is_relative_to(ours) or (root / "src/troth").exists():
        yield Finding(
            "warn", f"{root} lies in Troth's own folder.", "Move it: an update or a clean-up could take it along."
        )
    mode = site.root.stat().st_mode
    if mode & 0o022:
        yield Finding("bad", f"Others may write to {site.root}.", f"chmod go-w {site.root}")
    elif mode & 0o004:
        yield Finding("warn", f"Everybody on this machine may list {site.root}.", f"chmod o-r {site.root}")


def _sandbox(_site: Site, settings: Config) -> Iterator[Finding]:
    can = restrict.survey()
    lacks = " and ".join(can.missing())
    if can.enough:
        yield Finding("ok", f"The kernel holds the walls: seccomp, Landlock {can.landlock}.")
        if lacks:
            yield Finding("warn", f"It lacks {lacks}.", "A newer kernel holds the walls tighter; this one suffices.")
    elif settings.front.sandbox == "enforce":
        mend = 'Use a newer kernel, or accept a weaker wall with `sandbox = "best-effort"` under [front].'
        yield Finding("bad", f"The kernel cannot hold the walls, and nothing will start: it lacks {lacks}.", mend)
    else:
        yield Finding("warn", f"THE WALLS ARE WEAK: this kernel lacks {lacks}.", "Use a newer kernel.")


def _refused(site: Site, _settings: Config) -> Iterator[Finding]:
    """Whether a process of the site asked the kernel for what it never needs."""
    told = status_file.read(site.data)
    if told is None:
        return
    found = refused_calls.calls({one.pid: one.name for one in told[1] if one.up})
    for (name, call), count in sorted((found or {}).items()):
        what = f"The {name} asked the kernel for what is not in its list, and was refused: {call}, {count} times."
        mend = "After an update of Python or a library, tell us; else take it for captured (docs/wall-1.md)."
        yield Finding("warn", what, mend)


# -- folders and keys ---------------------------------------------------------------------------------------------


def _folders(site: Site, _settings: Config) -> Iterator[Finding]:
    parts = (site.keys, site.seal_keys, site.sign_keys, site.dkim_keys, site.people_keys, site.office_keys)
    missing = [
        part for part in (*parts, site.data, site.spool, site.public, site.asks, site.offers) if not part.is_dir()
    ]
    for folder in missing:
        yield Finding("bad", f"{folder} is missing.", site.mend_of(folder))
    if not site.policy.is_file():
        yield Finding("warn", "policy.md is missing.", "Put it back: it is what you promise your visitors.")
    if not missing:
        yield Finding("ok", "Every folder is there.")


def _owners(site: Site, settings: Config) -> Iterator[Finding]:
    from troth.operate.doctor import folders

    yield from folders.look(site, settings)


def _informing(site: Site, settings: Config) -> Iterator[Finding]:
    """Whether the policy says all that people must be told."""
    from troth.policy import privacy_notice, text

    try:
        lacking = privacy_notice.lacking(text.read(site.policy), settings)
    except text.PolicyError:  # the database's part says so
        return
    if lacking:
        more = f" And {len(lacking) - 1} more: `troth policy check`." if len(lacking) > 1 else ""
        yield Finding("warn", f"policy.md: {lacking[0].what}{more}", lacking[0].mend)


def _closed(site: Site, _settings: Config) -> Iterator[Finding]:
    """Nobody but who needs them may reach keys, records and frames."""
    open_ones = [path for folder in (site.keys, site.data, site.spool) for path in _reached(folder, site.root)]
    for path in open_ones[:5]:
        yield Finding("bad", f"Everybody on this machine may read {path}.", f"chmod o-rwx {path}")
    if len(open_ones) > 5:
        yield Finding(
            "bad", f"… and {len(open_ones) - 5} more.", f"chmod -R o-rwx {site.keys} {site.data} {site.spool}"
        )
    for path in (site.config, site.policy):
        if path.exists() and path.stat().st_mode & 0o022:
            yield Finding("bad", f"Others may write to {path}.", f"chmod go-w {path}")
    if not open_ones:
        yield Finding("ok", "Keys, records and frames are closed to other users.")


def _reached(folder: Path, root: Path) -> Iterator[Path]:
    """Files below `folder` that any user may read or change, given the folders above them within the site."""
    above = [root, *reversed([part for part in folder.parents if part.is_relative_to(root) and part != root]), folder]
    if not all(part.is_dir() and part.stat().st_mode & 0o001 for part in above):
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _reached(path, root)
        elif path.name not in _PUBLIC and path.stat().st_mode & 0o006:
            yield path


def _keys(site: Site, _settings: Config) -> Iterator[Finding]:
    before = "Put keys/ back from your backup."
    try:
        uuid.UUID(site.site_id.read_text().strip())
    except (FileNotFoundError, ValueError):
        yield Finding("bad", "keys/site-id is missing or not an id.", f"{before} Envelopes and links name the site.")
    yield from _sized(site.sign_keys, 32, "links can be neither made nor checked", before)
    yield from _sized(site.seal_keys, 96, "what was sealed for it cannot be opened", before)
    with suppress(ValueError):  # a clock outside of all epochs is told above
        epoch = epoch_of(clock.now())
        if not (site.seal_keys / f"{epoch}.key").exists() and (site.public / "current").exists():
            what = f"This week's sealing key (epoch {epoch}) is not there."
            yield Finding("warn", what, "The worker makes it: is it running?")
    for purpose in Purpose:
        path = site.people_keys / f"index-{purpose.value}.key"
        if not path.exists() or path.stat().st_size != 32:
            mend = "Put keys/people/ back from the key store's own backup."
            yield Finding("bad", f"keys/people/{path.name} is missing or not whole: nobody can be found.", mend)
    secret = site.office_keys / "secret.key"
    if not secret.is_file() or len(secret.read_bytes().strip()) < 50:
        mend = "Put it back, or make a new one (all operators sign in again): "
        mend += f"`python3 -c 'import secrets; print(secrets.token_urlsafe(48))' > {secret}`"
        yield Finding("bad", "keys/office/secret.key is missing or too short.", mend)
    spare = (site.mail_password, site.database_password)
    for path in spare:
        if path.is_file() and not path.read_text("utf-8", "replace").strip():
            yield Finding("warn", f"keys/{path.name} is empty.", "Write the password into it, or remove it.")


def _sized(folder: Path, size: int, otherwise: str, mend: str) -> Iterator[Finding]:
    keys = [path for path in sorted(folder.glob("*.key")) if path.stem.isdigit()]
    for path in keys:
        if path.stat().st_size != size:
            yield Finding("bad", f"keys/{folder.name}/{path.name} is not whole: {otherwise}.", mend)
    if not keys and folder.is_dir():
        yield Finding("bad", f"keys/{folder.name}/ has no key: {otherwise}.", mend)


def _people(site: Site, _settings: Config) -> Iterator[Finding]:
    from troth.vault.key_store import KeyStore, path_in

    if not os.access(path_in(site.people_keys), os.W_OK) and path_in(site.people_keys).exists():
        yield Finding("warn", "The people's key store was not tried: this user may not open it.", "Run doctor as root.")
        return
    store = KeyStore.open(site.people_keys)
    store.close()
    yield Finding("ok", "The people's key store is there.")


def _dkim(site: Site, settings: Config) -> Iterator[Finding]:
    from troth.gate.dkim import dns_record

    mail = settings.mail
    path = site.dkim_keys / f"{mail.dkim_selector}.pem"
    domain = mail.dkim_domain or mail.sender.rpartition("@")[2]
    if domain in ("example.com", "example.org", "example.net"):
        what = f"Mails come from {mail.sender}, which is nobody's address."
        yield Finding("warn", what, "Set `sender` under [mail] to an address at your domain.")
    if not path.is_file():
        mend = f"Put it back, or make one (docs/mail.md): openssl genrsa -out {path} 2048"
        yield Finding(
            "warn", f"keys/dkim/{path.name} is missing: mails go out unsigned and are often taken for spam.", mend
        )
        return
    name, value = dns_record(path, mail.dkim_selector, domain)
    yield Finding("ok", f"Mails are signed. DNS must have at {name} this TXT record: {value}")


# -- what was kept ------------------------------------------------------------------------------------------------


def _newest(site: Site, _settings: Config) -> Iterator[Finding]:
    """A clock that fell behind makes leases, links and epochs wrong."""
    newest = max(frames.segments(site.spool), default=0) if site.spool.is_dir() else 0
    yield from _behind(newest, "a segment in spool/")


def _behind(newest_ms: int, what: str) -> Iterator[Finding]:
    if newest_ms > clock.timestamp_ms() + _CLOCK_SLACK_MS:
        then = datetime.fromtimestamp(newest_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        yield Finding("bad", f"The clock is behind: {what} was made at {then} (UTC).", "Set the clock.")


def _data(site: Site, settings: Config) -> Iterator[Finding]:
    from troth.operate.doctor import database

    with acting_as(owner_of(site.data) if site.data.is_dir() else None):  # SQLite opens by name what lies beside it
        found = list(database.look(site, settings, lambda newest: _behind(made_at_ms(newest), "a record")))
    yield from found


def _copies(site: Site, settings: Config) -> Iterator[Finding]:
    from troth.operate.doctor import copies

    yield from copies.look(site, settings)


def _room(site: Site, settings: Config) -> Iterator[Finding]:
    quotas = (settings.spool.signup_mib + settings.spool.link_mib) * _MIB
    for name, folder, least in (("spool", site.spool, quotas), ("data", site.data, 0)):
        if not folder.is_dir():
            continue
        free = shutil.disk_usage(folder).free
        if free < _LEAST_FREE:
            yield Finding("bad", f"The disk under {name}/ has {free // _MIB} MiB left.", "Make room.")
        elif free < least:
            what = f"The disk under {name}/ has {free // _MIB} MiB left, less than the spool may take."
            yield Finding("warn", what, "Make room, or lower the limits under [spool].")


def _backups(site: Site, settings: Config) -> Iterator[Finding]:
    """Whether there is a way back, and whether nothing lies in backups that was promised to be gone."""
    if not site.recovery_key.exists():
        yield Finding("warn", "There is no recovery key, so no backup can be made.", "troth recovery-key new")
    if settings.backup.folder and not Path(settings.backup.folder).is_dir():
        what = f"{settings.backup.folder}, `folder` under [backup], is no folder: the next backup will fail."
        yield Finding("bad", what, f"mkdir -m 700 {settings.backup.folder}")
    known = backup_index.read(site)
    newest = known.newest("data") if known else None
    if known is None or newest is None:
        yield Finding("warn", "No backup was ever made.", "`troth backup DIR`, each night (docs/backup.md).")
        return
    age = (clock.now() - newest).days
    if age < -1:
        what = f"The newest backup says it is of {newest:%Y-%m-%d}, which is yet to come: the clock was ahead."
        yield Finding("warn", what, "Make one now: `troth backup DIR`.")
    elif age > 7:
        yield Finding("warn", f"The newest backup is {age} days old.", "Let `troth backup` run each night.")
    else:
        yield Finding("ok", f"The newest backup is of {newest:%Y-%m-%d %H:%M} (UTC).")
    for kind, days in (("data", settings.backup.data_days), ("keys", settings.backup.keys_days)):
        oldest = known.oldest(kind)
        if oldest and (clock.now() - oldest).days > days:
            what = f"A backup of the {kind} is of {oldest:%Y-%m-%d}, which is longer than {days} days."
            yield Finding("bad", what, "`troth backup` removes it when it makes the next one.")


# -- the neighbours -----------------------------------------------------------------------------------------------


def _listeners(_site: Site, settings: Config) -> Iterator[Finding]:
    from troth.operate.doctor import listeners

    yield from listeners.listener("front", settings.front.listen, f"{settings.site.prefix}/healthz")
    yield from listeners.listener("office", settings.office.listen, "/")


def _proxies(_site: Site, settings: Config) -> Iterator[Finding]:
    from troth.core.config.rules import is_loopback

    host, _ = sections.host_port(settings.front.listen)
    if settings.site.url.startswith("https://") and is_loopback(host) and not settings.front.trusted_proxies:
        what = "No web server is trusted: visitors who come through it look like one, and unencrypted."
        yield Finding("bad", what, 'Write trusted_proxies = ["127.0.0.1", "::1"] under [front].')
    office, _ = sections.host_port(settings.office.listen)
    if not is_loopback(office):
        what = "The office listens beyond this machine."
        yield Finding(
            "warn", what, "Listen on 127.0.0.1 under [office] and come through a tunnel, or see that no one else can."
        )


def _choice(_site: Site, settings: Config) -> Iterator[Finding]:
    if not settings.audience.enabled:
        return
    front = urlsplit(settings.site.url).hostname or ""
    if far := apart(front, settings.audience_hosts):
        yield Finding(
            "warn",
            f"Whoever chooses not to be counted may be counted all the same on {', '.join(far)}: browsers keep the "
            f"choice that is made at {front} from other sites.",
            f'Serve Troth below your own site: url = "https://{far[0]}/troth" under [site], or at a name under it.',
        )
    else:
        yield Finding("ok", "A choice not to be counted reaches the front from every page that is counted.")


def _relay(_site: Site, settings: Config) -> Iterator[Finding]:
    from troth.gate.doors import is_loopback, mail_relay
    from troth.operate.doctor import listeners

    door = mail_relay(settings.mail)
    if not is_loopback(door.host):
        yield Finding(
            "ok", f"The mail relay {door.host}:{door.port} was not tried: doctor does not leave this machine."
        )
    elif listeners.answers(door.host, door.port):
        yield Finding("ok", f"The mail relay on {door.host}:{door.port} answers.")
    else:
        mend = "Start it, or change `relay` under [mail]. Mails wait until then."
        yield Finding("warn", f"Nobody answers at the mail relay {door.host}:{door.port}.", mend)
