"""`troth.toml`: typed, closed, and every error names the file, the line and the mend.

The structs below are the whole list of settings. Their docstrings are what `troth init` writes into a new `troth.toml`
and what docs/settings.md says, so there is one place to change. Reads the file that it is given; writes nothing.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from troth.core.purpose import Category


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the settings. `place` is `file:line`, or the variable of the environment it came from."""

    place: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class SiteSection(_Section, frozen=True):
    """Who the vendor is and where the public pages live."""

    name: str
    """The vendor's name, as visitors read it."""
    url: str
    """Where visitors reach the front, prefix and all: `https://www.example.com/troth`. No trailing slash."""
    privacy_url: str = ""
    """The vendor's privacy policy. Empty: the front's own `/privacy`."""
    contact: str = ""
    """Where people write about what is kept of them: an e-mail address. Empty: `reply_to` under [contact], or else
    `sender` under [mail]."""
    security: str = ""
    """Where somebody reports a hole, for `security.txt`: an e-mail or a web address. Empty: the same as `contact`."""
    hosting: str = ""
    """Who runs the machine, as the policy names them: `Example Hosting Ltd`."""
    accent: str = "#2f5d50"
    """The vendor's colour on public pages, `#rrggbb`."""

    @property
    def prefix(self) -> str:
        """The path part of `url`: empty or `/troth`."""
        return urlsplit(self.url).path

    @property
    def policy_url(self) -> str:
        """Where visitors read the privacy policy."""
        return self.privacy_url or f"{self.url}/privacy"


class ControllerSection(_Section, frozen=True):
    """Who is responsible for people's data, as the policy says it (GDPR, article 13). They are written to at `contact`
    under [site]."""

    name: str = ""
    """Who is responsible: a person or a company, with its legal form. Empty: `name` under [site]."""
    address: str = ""
    """Their postal address, on one line: `1 Example Row, 12345 Exampleton, Exampleland`."""
    officer: str = ""
    """The data-protection officer and how to reach them. Empty: there is none."""
    authority: str = ""
    """The authority to which people may complain. Empty: that of the country where they live or work."""
    transfers: str = ""
    """A sentence: whether data goes outside of the European Economic Area, and by which safeguards."""


class FrontSection(_Section, frozen=True):
    """The process that meets visitors."""

    listen: str = "127.0.0.1:8080"
    """Address and port that the vendor's web server passes requests to."""
    workers: int = 1
    """How many fronts, 1 to 16."""
    sandbox: Literal["enforce", "best-effort"] = "enforce"
    """`enforce`: where the kernel cannot confine the front, it does not start."""
    trusted_proxies: list[str] = []
    """Addresses or networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed: `["127.0.0.1"]`."""
    tickets: int = 10
    """Form submissions one address may make in a burst; then one each `refill` seconds."""
    refill: float = 30.0
    """Seconds until an address that has used up its burst may submit once more."""
    proof_of_work: int = 40_000
    """Guesses a visitor's browser makes on average before it may submit; 0 turns it off."""
    wait_seconds: int = 8
    """What the way without JavaScript waits instead."""


class NewsletterSection(_Section, frozen=True):
    """The newsletter form."""

    title: str = "Newsletter"
    """The form's heading, also in the confirmation mail."""
    intro: str = "News about our products, about once a month."
    """A sentence or two under the heading: what one will get, and how often."""
    consent: str = "Send me the newsletter. I can leave at any time with one click."
    """The sentence beside the button; its hash is kept with each sign-up. A form that was pasted with an earlier one is
    taken, with the hash of that."""
    fields: list[Category] = msgspec.field(default_factory=lambda: [Category.EMAIL, Category.NAME])
    """Which basic contact details the form asks for. `email` must be among them."""
    required: list[Category] = msgspec.field(default_factory=lambda: [Category.EMAIL])
    """Which of these must be filled in. `email` must be among them."""
    back: list[str] = []
    """Pages of the vendor's site to which the form may return, whole URLs."""
    confirm_hours: int = 48
    """How long the link in the confirmation mail works."""
    mails_per_address_per_day: int = 2
    """How many confirmation mails one address gets in a day, whoever asks for them."""
    mails_per_domain_per_hour: int = 500
    """How many confirmation mails go to the addresses of one domain in an hour; more wait."""
    mails_per_new_domain_per_hour: int = 50
    """The same for addresses that nobody has confirmed, where it is no provider's domain that many people share."""
    mails_alike_per_day: int = 3
    """How many unconfirmed addresses alike but for digits and signs are mailed in a day at once; more wait."""


class ContactSection(_Section, frozen=True):
    """The contact form."""

    enabled: bool = True
    """`false`: there is no contact form."""
    title: str = "Write to us"
    """The form's heading."""
    intro: str = "A person reads it and answers by mail."
    """A sentence or two under the heading: who answers, and how soon."""
    fields: list[Category] = msgspec.field(default_factory=lambda: [Category.EMAIL, Category.NAME])
    """Which contact details it asks for, besides the message. `email` must be among them."""
    required: list[Category] = msgspec.field(default_factory=lambda: [Category.EMAIL])
    """Which of these must be filled in. `email` must be among them."""
    back: list[str] = []
    """Pages of the vendor's site to which the form may return, whole URLs."""
    reply_to: str = ""
    """Where a reply to an answer goes. Empty: to `sender` under [mail]."""
    keep_days: int = 365
    """How long a conversation is kept after its last message."""


class AudienceSection(_Section, frozen=True):
    """Visitor statistics: sums about nobody. What is counted, and under which names."""

    enabled: bool = True
    """`false`: nothing is counted, and there is no snippet."""
    hosts: list[str] = []
    """The site's own hosts, such as `["www.example.com"]`; hits of other sites are dropped. Empty: that of `url` under
    [site]."""
    timezone: str = "UTC"
    """Where the site's day begins: `Europe/Berlin`. A visitor is nobody's acquaintance after midnight there."""
    parameters: list[str] = []
    """Query parameters that are part of a page's address, such as `["version"]`. All others are left out."""
    hash_routes: bool = False
    """`true`: what follows `#/` or `#!` in an address is a page of its own. For a site whose program keeps its pages
    there."""
    events: list[str] = []
    """Named events that are counted, such as `["trial"]`. Others are dropped."""
    goals: list[str] = []
    """What you want visitors to reach: names of events, or pages such as `/thanks`."""
    products: list[str] = []
    """Your programs, which may tell product, version and system when they look for an update."""
    spam: list[str] = []
    """Hosts whose links are no visits, such as `["cheap-clicks.example"]`; with all that lies under them. Known
    spammers that Troth brings along (`audience/counting/referrer_spam.py`) are left out in any case."""
    at_least: int = 3
    """How many visitors must bring a name from outside (a path nobody listed, a link, a campaign) before it is
    written."""
    countries: str = ""
    """A database of countries (MMDB) on this machine; without it there are no countries."""
    keep_months: int = 25
    """Months that statistics are kept."""
    public: bool = False
    """`true`: a part of the statistics is a page that everybody may read."""
    report: Literal["never", "weekly", "monthly"] = "never"
    """How often those under `tell` in [office] get the figures by mail."""


class MailSection(_Section, frozen=True):
    """How mail leaves."""

    relay: str = "smtp://localhost:25"
    """`smtps://user@host:465` (TLS), `smtp://user@host:587` (STARTTLS), `smtp://localhost:25` (loopback only)."""
    sender: str = "newsletter@example.com"
    """The address that mails come from."""
    sender_name: str = ""
    """Empty: the vendor's name."""
    dkim_domain: str = ""
    """Empty: the domain of `sender`."""
    dkim_selector: str = "troth"
    """Which key signs: `keys/dkim/<selector>.pem`, published in DNS as `<selector>._domainkey.<domain>`."""
    connections: int = 4
    """How many connections to the relay at once, 1 to 16."""
    timeout_seconds: float = 20.0
    """How long each step of the talk with the relay may take."""


class OfficeSection(_Section, frozen=True):
    """The operators' console."""

    listen: str = "127.0.0.1:8081"
    """Address and port of the console. Keep it off the internet: reach it through a tunnel or a private network."""
    url: str = "http://localhost:8081"
    """Where operators reach it. A name, not an address: passkeys belong to names."""
    tell: list[str] = []
    """Addresses that get a mail when a message has come or something is wrong. No mail to them carries a detail."""
    silent_minutes: int = 10
    """An alarm goes out when the worker has been silent for so long; 0 turns it off."""
    metrics: str = ""
    """Address and port for Prometheus, on this machine only: `127.0.0.1:9108`. Empty: none."""


class DatabaseSection(_Section, frozen=True):
    """Where records are kept."""

    url: str = ""
    """Empty: SQLite in `data/`. Otherwise `postgresql://user@host:5432/name`, its password in
    `keys/database-password`."""


class SpoolSection(_Section, frozen=True):
    """How much may wait between front and worker, in MiB for each kind of frame."""

    signup_mib: int = 64
    """Newsletter forms. About 40,000 fit by default."""
    link_mib: int = 32
    """Confirmations and one-click unsubscribes."""
    message_mib: int = 128
    """Contact forms. About 6,000 of the longest fit by default."""
    rights_mib: int = 16
    """Questions about what is kept."""
    hits_mib: int = 64
    """Visitor statistics, as sums. About 25,000 group commits fit by default, of many hits each."""


class PromisesSection(_Section, frozen=True):
    """How often what the policy promises is tried."""

    prove_minutes: int = 60
    """Minutes between two light trials; a full one comes once a day and at the start. 0: only when you ask."""


class BackupSection(_Section, frozen=True):
    """How long backups live. What is erased is gone from the keys' backups when the last of them has gone."""

    data_days: int = 90
    """Days until a backup of the data is removed."""
    keys_days: int = 14
    """Days until a backup of the people's keys is removed: until then it could bring an erased person back."""
    folder: str = ""
    """Where backups go; the office shows what lies there."""


class Config(_Section, frozen=True):
    """All of `troth.toml`."""

    site: SiteSection
    controller: ControllerSection = ControllerSection()
    front: FrontSection = FrontSection()
    newsletter: NewsletterSection = NewsletterSection()
    contact: ContactSection = ContactSection()
    audience: AudienceSection = AudienceSection()
    mail: MailSection = MailSection()
    office: OfficeSection = OfficeSection()
    database: DatabaseSection = DatabaseSection()
    spool: SpoolSection = SpoolSection()
    promises: PromisesSection = PromisesSection()
    backup: BackupSection = BackupSection()

    @property
    def audience_hosts(self) -> frozenset[str]:
        """The site's own hosts, in small letters, without `www.`."""
        named = self.audience.hosts or [urlsplit(self.site.url).hostname or ""]
        return frozenset(host.lower().removeprefix("www.") for host in named)

    @property
    def audience_pages(self) -> frozenset[str]:
        """The pages that stand among the goals."""
        return frozenset(goal for goal in self.audience.goals if goal.startswith("/"))

    @property
    def zone(self) -> ZoneInfo:
        """Where the site's day begins."""
        return ZoneInfo(self.audience.timezone)

    @property
    def controller_name(self) -> str:
        """Who is responsible for people's data."""
        return self.controller.name or self.site.name

    @property
    def contact_address(self) -> str:
        """Where people write about what is kept of them."""
        return self.site.contact or self.contact.reply_to or self.mail.sender


ENVIRONMENT = "TROTH_"
"""`TROTH_FRONT__LISTEN` in the environment is `listen` under `[front]`."""


def sections() -> dict[str, type[msgspec.Struct]]:
    """The struct of each section, in the order of the file."""
    return {field.name: field.type for field in msgspec.structs.fields(Config)}


def host_port(listen: str) -> tuple[str, int]:
    """`127.0.0.1:8080`, `[::1]:8080` or `localhost:8080` as address and port. `ValueError` for anything else."""
    host, colon, port = listen.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not bare or (":" in bare) != (bare != host) or not (port.isascii() and port.isdigit()):
        raise ValueError("not an address and a port")
    if not 1 <= int(port) <= 65535:
        raise ValueError("a port lies between 1 and 65535")
    return bare, int(port)
