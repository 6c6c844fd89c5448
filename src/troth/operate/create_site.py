"""Create a site's folder for `troth init`: settings, keys and folders, completely or not at all, closed to other users.
Writes only below the requested folder; never replaces anything."""

import os
import secrets
import shlex
import shutil
import stat
import tempfile
import textwrap
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from troth.backup.recovery_key import RecoveryKey
from troth.core import clock
from troth.core.config import docs, sections
from troth.core.config.load import ConfigError, load_config
from troth.core.disk import sync_folder
from troth.core.epochs import epoch_of
from troth.core.errors import TrothError
from troth.core.purpose import Purpose
from troth.core.site import Site
from troth.gate.dkim import dns_record
from troth.vault.envelope import OpeningKey
from troth.vault.key_store import KeyStore


class ScaffoldError(TrothError):
    """A site's folder cannot be created."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something the operator does next. `lines` are to be typed or copied exactly."""

    what: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Created:
    """A new site and what to do next."""

    root: Path
    steps: list[NextStep]
    recovery: tuple[str, str] = field(repr=False)
    """The recovery key, to be written down: shown once, stored nowhere."""


def init(root: Path, *, name: str = "Example Software", url: str = "http://localhost:8080") -> Created:
    """Create a site in `root`, a new or empty folder. After an error nothing of it remains."""
    root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would follow a deliberate link
    _check_free(root)
    text = settings_text({("site", "name"): name, ("site", "url"): url, **_guessed(url)})
    parents = _make_parents(root)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{root.name}.", dir=root.parent) as beside:
            site = Site(Path(beside) / "site")
            settings = _settings(site, text)
            _folders(site)
            _keys(site, settings)
            recovery = RecoveryKey.generate()
            _write(site.recovery_key, recovery.public().text().encode(), 0o644)
            _write(site.policy, policy_text().encode(), 0o644)
            _move(site.root, root)
    except BaseException as error:
        for folder in parents:
            folder.rmdir()
        if isinstance(error, OSError):
            why = os.strerror(error.errno or 0)
            raise ScaffoldError(
                f"{root} cannot be created: {why}.", mend="Choose a folder you may write to, on a disk with free space."
            ) from None
        raise
    return Created(root, _steps(root, settings), recovery.lines())


def _check_free(root: Path) -> None:
    if root.is_dir() and not root.is_symlink():
        if Site(root).config.exists():
            mend = f"Check it with `troth doctor --site {shlex.quote(str(root))}`."
            raise ScaffoldError(f"There is already a site in {root}.", mend=mend)
        if any(root.iterdir()):
            raise ScaffoldError(f"{root} is not empty.", mend="Name a new or empty folder: nothing is replaced.")
    elif root.exists() or root.is_symlink():
        raise ScaffoldError(f"{root} is not a folder.", mend="Name a new or empty folder.")


def _make_parents(root: Path) -> list[Path]:
    """Create the folders above `root`; return those that are new, deepest first."""
    missing = [folder for folder in root.parents if not folder.exists()]
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScaffoldError(
            f"{root.parent} cannot be created: {os.strerror(error.errno or 0)}.",
            mend="Choose a folder you may write to.",
        ) from None
    return missing


def _settings(site: Site, text: str) -> sections.Config:
    """Write `troth.toml` and read it back: `serve` must accept what `init` writes."""
    site.root.mkdir(mode=0o700)
    _write(site.config, text.encode(), 0o600)
    try:
        return load_config(site.config, {})
    except ConfigError as error:
        first = error.problems[0]
        raise ScaffoldError(first.what, mend=first.mend) from None


def _folders(site: Site) -> None:
    keys = (site.keys, site.seal_keys, site.sign_keys, site.dkim_keys, site.people_keys, site.office_keys)
    for folder in (*keys, site.sent, site.data, site.spool, site.public, site.asks, site.offers):
        folder.mkdir(mode=0o700)


def _keys(site: Site, settings: sections.Config) -> None:
    try:
        epoch = epoch_of(clock.now())
    except ValueError as error:
        raise ScaffoldError(f"Keys are dated, and {error}.", mend="Set the machine's clock.") from None
    _write(site.site_id, f"{uuid.uuid4()}\n".encode(), 0o644)
    _write(site.seal_keys / f"{epoch}.key", OpeningKey.generate())
    _write(site.sign_keys / "1.key", ed25519.Ed25519PrivateKey.generate().private_bytes_raw())
    dkim = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(site.dkim_keys / f"{settings.mail.dkim_selector}.pem", dkim)
    for purpose in Purpose:
        _write(site.people_keys / f"index-{purpose.value}.key", os.urandom(32))
    _write(site.office_keys / "secret.key", secrets.token_urlsafe(48).encode())
    KeyStore.create(site.people_keys)


def _write(path: Path, data: bytes, mode: int = 0o600) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _move(finished: Path, root: Path) -> None:
    """Move the finished folder to its place, in one step if the place is new."""
    if not root.exists():
        finished.rename(root)
    else:  # it may be somebody's current folder, as after `mkdir site; cd site; troth init .`
        _move_into(finished, root)
    for folder in (root, root.parent):
        sync_folder(folder)


def _move_into(finished: Path, root: Path) -> None:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    mode = stat.S_IMODE(os.fstat(folder).st_mode)
    moved: list[str] = []
    try:
        os.fchmod(folder, 0o700)
        for entry in sorted(finished.iterdir(), key=lambda entry: entry.name == "troth.toml"):  # it makes a site
            os.rename(entry, entry.name, dst_dir_fd=folder)
            moved.append(entry.name)
    except BaseException:
        for name in moved:
            is_folder = stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
            shutil.rmtree(name, dir_fd=folder) if is_folder else os.unlink(name, dir_fd=folder)
        os.fchmod(folder, mode)
        raise
    finally:
        os.close(folder)


# -- texts ------------------------------------------------------------------------------------------------------------


def _guessed(url: str) -> dict[tuple[str, str], object]:
    """Return settings that follow from a public `url`: a sender at its domain, a web server on this machine."""
    try:
        host = (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        host = ""
    is_public = (
        "." in host and not host.replace(".", "").isdigit() and ":" not in host and not host.endswith(".localhost")
    )
    if not is_public:
        return {}
    return {("mail", "sender"): f"newsletter@{host}", ("front", "trusted_proxies"): ["127.0.0.1", "::1"]}


def settings_text(values: Mapping[tuple[str, str], object]) -> str:
    """Return a `troth.toml` with every setting: those `given` set, the others as comments with their defaults."""
    lines = [
        "# The settings of this site. Lines that begin with # are comments; settings in comments show their default.",
        "# Secrets do not belong here but in keys/. `troth doctor` checks this file.",
    ]
    for section in sections.sections():
        lines += ["", "", *_comment(docs.about(section)), f"[{section}]"]
        for setting in docs.settings(section):
            value = values.get((section, setting.name))
            lines += ["", *_comment(setting.meaning)]
            lines += [
                f"# {setting.name} = {setting.default}" if value is None else f"{setting.name} = {docs.toml(value)}"
            ]
    for section in sections.LISTS:
        lines += ["", "", *_comment(docs.about(section)), "#", f"#   [[{section}]]"]
        lines += [f"#   {setting.name} = {setting.default or '…'}" for setting in docs.settings(section)]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 110, break_on_hyphens=False)]


def policy_text(*, shop: bool = False) -> str:
    """Return the sample policy, which describes what this version of Troth does; for a site with a `shop`, with what it
    promises to buyers. The page fills in name, address and tables."""
    folder = Path(__file__).parents[1] / "policy"
    text = (folder / "default_policy.md").read_text("utf-8")
    if not shop:
        return text
    return text.replace(_BEFORE_SHOP, (folder / "default_policy_shop.md").read_text("utf-8") + "\n" + _BEFORE_SHOP, 1)


_BEFORE_SHOP = "## Card numbers\n"
"""What the section about buying stands before."""


def _steps(root: Path, settings: sections.Config) -> list[NextStep]:
    mail = settings.mail
    domain = mail.dkim_domain or mail.sender.rpartition("@")[2]
    record = dns_record(Site(root).dkim_keys / f"{mail.dkim_selector}.pem", mail.dkim_selector, domain)
    option, folder = f"--site {shlex.quote(str(root))}", shlex.quote(str(root))
    serve = [f"troth doctor {option}", f"troth serve {option}"]
    return [
        NextStep(
            "Edit the settings (docs/settings.md): who you are, your site's address, how email is sent.",
            (f"$EDITOR {folder}/troth.toml",),
        ),
        NextStep(
            "Read your privacy policy, and change what does not apply to you.",
            (f"$EDITOR {folder}/policy.md", f"troth policy check {option}"),
        ),
        NextStep(
            "If your SMTP server needs a password, put it by itself into this file.", (f"{root}/keys/mail-password",)
        ),
        NextStep(f"Publish this TXT record in the DNS of {domain}, and set up SPF and DMARC (docs/mail.md).", record),
        NextStep("Add the first operator.", (f'troth operator add "Your Name" you@{domain} {option}',)),
        NextStep("Check the site, then start it.", tuple(serve)),
        NextStep("Configure your web server.", (f"troth proxy nginx {option}", f"troth proxy caddy {option}")),
        NextStep("Back up every night to another disk (docs/backup.md).", (f"troth backup DIR {option}",)),
        NextStep(
            "Let systemd run Troth and the backups (docs/serve.md).", (f"troth systemd /etc/systemd/system {option}",)
        ),
    ]
