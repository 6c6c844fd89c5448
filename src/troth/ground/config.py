"""`troth.toml`: typed, closed, and every error names the file, the line and the mend."""

from pathlib import Path
from typing import Literal

import msgspec

from troth.ground.errors import TrothError
from troth.ground.purpose import Category


class ConfigError(TrothError):
    """A setting that is unknown, missing or wrong. `str(error)` names file and line."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class SiteSection(_Section, frozen=True):
    """Who the vendor is and where the public pages live."""

    name: str
    """The vendor's name, as visitors read it."""
    url: str
    """Where visitors reach the front, prefix and all: `https://www.example.com/troth`. No trailing slash."""
    privacy_url: str = ""
    """The vendor's privacy policy. Empty: the front's own `/privacy`, once it has one."""
    accent: str = "#2f5d50"
    """The vendor's colour on public pages, `#rrggbb`."""


class FrontSection(_Section, frozen=True):
    """The process that meets visitors."""

    listen: str = "127.0.0.1:8080"
    workers: int = 1
    """How many fronts, 1 to 16."""
    sandbox: Literal["enforce", "best-effort"] = "enforce"
    """`enforce`: where the kernel cannot confine the front, it does not start."""
    trusted_proxies: list[str] = []
    """Addresses whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    tickets: int = 10
    """Form submissions one address may make in a burst; then one each `refill` seconds."""
    refill: float = 30.0
    proof_of_work: int = 40_000
    """Guesses a visitor's browser makes on average before it may submit; 0 turns it off."""
    wait_seconds: int = 8
    """What the way without JavaScript waits instead."""


class NewsletterSection(_Section, frozen=True):
    """The newsletter form."""

    title: str = "Newsletter"
    intro: str = "News about our products, about once a month."
    consent: str = "Send me the newsletter. I can leave at any time with one click."
    """The sentence beside the button; its hash is kept with each sign-up."""
    fields: list[Category] = msgspec.field(default_factory=lambda: [Category.EMAIL, Category.NAME])
    """Which basic contact details the form asks for. `email` must be among them."""
    required: list[Category] = msgspec.field(default_factory=lambda: [Category.EMAIL])
    back: list[str] = []
    """Pages of the vendor's site to which the form may return, whole URLs."""
    confirm_hours: int = 48
    """How long the link in the confirmation mail works."""
    mails_per_address_per_day: int = 2
    mails_per_domain_per_hour: int = 500


class MailSection(_Section, frozen=True):
    """How mail leaves."""

    relay: str = "smtp://localhost:25"
    """`smtps://user@host:465` (TLS), `smtp://user@host:587` (STARTTLS), `smtp://localhost:25` (loopback only)."""
    sender: str = "newsletter@example.com"
    sender_name: str = ""
    """Empty: the vendor's name."""
    dkim_domain: str = ""
    """Empty: the domain of `sender`."""
    dkim_selector: str = "troth"
    connections: int = 4
    """How many connections to the relay at once, 1 to 16."""
    timeout_seconds: float = 20.0


class OfficeSection(_Section, frozen=True):
    """The operators' console."""

    listen: str = "127.0.0.1:8081"
    url: str = "http://localhost:8081"
    """Where operators reach it. A name, not an address: passkeys belong to names."""


class DatabaseSection(_Section, frozen=True):
    """Where records are kept."""

    url: str = ""
    """Empty: SQLite in `data/`. Otherwise `postgresql://user@host:5432/name`."""


class SpoolSection(_Section, frozen=True):
    """How much may wait between front and worker, in MiB for each kind of frame."""

    signup_mib: int = 64
    link_mib: int = 32


class Config(_Section, frozen=True):
    """All of `troth.toml`."""

    site: SiteSection
    front: FrontSection = FrontSection()
    newsletter: NewsletterSection = NewsletterSection()
    mail: MailSection = MailSection()
    office: OfficeSection = OfficeSection()
    database: DatabaseSection = DatabaseSection()
    spool: SpoolSection = SpoolSection()


def load(path: Path) -> Config:
    """The settings in `path`, with `TROTH_<SECTION>__<SETTING>` from the environment laid over them.

    Raises `ConfigError` for anything unknown, missing, of the wrong type or out of range.
    """
    raise NotImplementedError
