"""Declare every setting of `troth.toml`: its name, type, range, default and meaning.

The structs below are the whole list. A field's docstring and its range (`Meta`) become the comment in a new
`troth.toml`, the row in docs/settings.md and the check when the file is read. Touches nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from troth.core.networks import is_local_site
from troth.core.purpose import Category

MOST_CONNECTIONS = 16
"""So many connections to one relay at a time at most."""


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """One problem with the settings. `place` is `file:line`, or the environment variable that it came from."""

    place: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class SiteSection(_Section, frozen=True):
    """Who the vendor is and where the public pages are."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    """The vendor's name, as visitors read it."""
    url: str
    """Where visitors reach Troth, including its path: `https://www.example.com/troth`. No trailing slash."""
    privacy_url: str = ""
    """The vendor's privacy policy. Empty: Troth's own page, `/privacy`."""
    contact: str = ""
    """The email address for questions about personal data. Empty: `reply_to` under [contact], or else `sender` under
    [mail]."""
    security_contact: str = ""
    """Where to report a vulnerability, for `security.txt`: an email address or an https address. Empty: the same as
    `contact`."""
    hosting: Annotated[str, Meta(max_length=100)] = ""
    """The hosting company, as the policy names it: `Example Hosting Ltd`."""
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
    """The controller: who is responsible for people's data, as the policy names them (GDPR, article 13). Their email
    address is `contact` under [site]."""

    name: Annotated[str, Meta(max_length=200)] = ""
    """The person or company responsible, with its legal form. Empty: `name` under [site]."""
    address: Annotated[str, Meta(max_length=300)] = ""
    """Their postal address, on one line: `1 Example Row, 12345 Exampleton, Exampleland`."""
    data_protection_officer: Annotated[str, Meta(max_length=300)] = ""
    """The data protection officer and how to reach them. Empty: there is none."""
    authority: Annotated[str, Meta(max_length=200)] = ""
    """The supervisory authority that people may complain to. Empty: that of the country where they live or work."""
    transfers: Annotated[str, Meta(max_length=500)] = ""
    """A sentence: whether data is transferred outside the European Economic Area, and under which safeguards."""


class FrontSection(_Section, frozen=True):
    """The public server: the process that visitors reach."""

    listen: str = "127.0.0.1:8080"
    """Address and port that your web server passes requests to."""
    workers: Annotated[int, Meta(ge=1, le=16)] = 1
    """How many processes serve visitors."""
    sandbox: Literal["enforce", "best-effort"] = "enforce"
    """`enforce`: do not start where the kernel cannot sandbox the public server. `best-effort`: start anyway."""
    trusted_proxies: list[str] = []
    """Web servers (addresses or networks) whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted:
    `["127.0.0.1"]`."""
    burst: Annotated[int, Meta(ge=1, le=1_000_000)] = 10
    """Form submissions that one address may make at once; after that, one every `refill_seconds`."""
    refill_seconds: Annotated[float, Meta(ge=0.001, le=86_400)] = 30.0
    """Seconds until an address that has used up its burst may submit again."""
    proof_of_work: Annotated[int, Meta(ge=0, le=10_000_000)] = 40_000
    """Guesses that a visitor's browser makes on average before it may submit; 0: none."""
    wait_seconds: Annotated[int, Meta(ge=0, le=300)] = 8
    """How long visitors without JavaScript wait instead."""


class NewsletterSection(_Section, frozen=True):
    """The newsletter form."""

    title: Annotated[str, Meta(min_length=1, max_length=100)] = "Newsletter"
    """The form's heading, also used in the confirmation email."""
    intro: Annotated[str, Meta(max_length=1_000)] = "News about our products, about once a month."
    """A sentence or two under the heading: what subscribers get, and how often."""
    consent: Annotated[str, Meta(min_length=1, max_length=500)] = (
        "Send me the newsletter. I can unsubscribe at any time with one click."
    )
    """The consent sentence beside the button; its hash is stored with each sign-up. A form that was pasted into a page
    with an earlier sentence still works, and the hash of that sentence is stored."""
    language: Annotated[str, Meta(max_length=35)] = ""
    """The language of `consent`, as a tag: `en`. Whoever signs up with that sentence is a subscriber of that language,
    and a campaign can go to one language only. Empty: not recorded. Other languages: [[translation]]."""
    fields: list[Category] = msgspec.field(default_factory=lambda: [Category.EMAIL, Category.NAME])
    """The contact details that the form asks for. `email` must be among them."""
    required: list[Category] = msgspec.field(default_factory=lambda: [Category.EMAIL])
    """Which of these are required. `email` must be among them."""
    return_urls: list[str] = []
    """Pages of your own site that the form may return to, as full URLs."""
    confirm_hours: Annotated[int, Meta(ge=1, le=720)] = 48
    """How long the link in the confirmation email is valid."""
    emails_per_address_per_day: Annotated[int, Meta(ge=1, le=100)] = 2
    """Confirmation emails that one address gets in a day at most, whoever asks for them."""
    emails_per_domain_per_hour: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 500
    """Confirmation emails sent to the addresses of one domain in an hour; more wait."""
    emails_per_new_domain_per_hour: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 50
    """The same for unconfirmed addresses, except at providers that many people share."""
    similar_addresses_per_day: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 3
    """Unconfirmed addresses that differ only in digits and punctuation which get their email at once in a day; more
    wait."""
    campaign_emails_per_hour: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0
    """Emails of campaigns that leave in an hour, as your SMTP provider allows; more wait. 0: no limit."""
    campaign_emails_per_domain_per_hour: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0
    """The same to the addresses of one domain. 0: no limit."""


class ContactSection(_Section, frozen=True):
    """The contact form."""

    enabled: bool = True
    """`false`: there is no contact form."""
    title: Annotated[str, Meta(min_length=1, max_length=100)] = "Contact us"
    """The form's heading."""
    intro: Annotated[str, Meta(max_length=1_000)] = "A person reads every message and replies by email."
    """A sentence or two under the heading: who replies, and how soon."""
    fields: list[Category] = msgspec.field(default_factory=lambda: [Category.EMAIL, Category.NAME])
    """The contact details that the form asks for, besides the message. `email` must be among them."""
    required: list[Category] = msgspec.field(default_factory=lambda: [Category.EMAIL])
    """Which of these are required. `email` must be among them."""
    return_urls: list[str] = []
    """Pages of your own site that the form may return to, as full URLs."""
    reply_to: str = ""
    """Where responses to your replies go. Empty: to `sender` under [mail]."""
    keep_days: Annotated[int, Meta(ge=1, le=3_650)] = 365
    """Days that a conversation is kept after its last message."""


class ShopSection(_Section, frozen=True):
    """Selling through a card company. Buyers enter their card on its pages, never on yours."""

    enabled: bool = False
    """`true`: products are sold (docs/shop.md). To sell no more, take the products off sale and leave it on: as long as
    invoices are kept, your policy has to say so."""
    api: str = "https://api.stripe.com"
    """The card company's API."""
    pages: str = "https://buy.stripe.com"
    """Where its payment pages are: buyers are sent nowhere else."""
    currencies: list[str] = msgspec.field(default_factory=lambda: ["EUR"])
    """The currencies that prices may have, such as `["EUR", "USD", "JPY"]`."""
    tax: Literal["none", "company", "table"] = "none"
    """Who computes tax. `company`: the card company, by its automatic tax. `table`: by `tax_rates`, contained in the
    price. `none`: nobody."""
    tax_included: bool = True
    """Whether prices contain the tax that the card company computes. `false`: it is added."""
    tax_rates: list[str] = []
    """For `table`: country and rate in percent, such as `["DE 19", "FR 20", "CH 8.1"]`. Other countries: no tax."""
    document_prefix: Annotated[str, Meta(max_length=10)] = ""
    """What the numbers of invoices and credit notes begin with: `EX-` makes EX-2026-00001."""
    terms_url: str = ""
    """Your terms of sale, linked beside the button to buy. Empty: no link."""
    reconcile_minutes: Annotated[int, Meta(ge=1, le=1_440)] = 15
    """Minutes between two comparisons with the card company."""


PURCHASED = "/buy/thanks"
"""The page to which buyers come back once they have paid."""


class AudienceSection(_Section, frozen=True):
    """Visitor statistics: totals only. What is counted, and under which names."""

    enabled: bool = True
    """`false`: nothing is counted, and there is no tracking script."""
    hosts: list[str] = []
    """The site's own hosts, such as `["www.example.com"]`; visits to other sites are ignored. Empty: the host of `url`
    under [site]."""
    timezone: str = "UTC"
    """The site's time zone: `Europe/Berlin`. Its midnight begins a new day, on which no visitor is recognised."""
    query_parameters: list[str] = []
    """Query parameters that are part of a page's address, such as `["version"]`. All others are dropped."""
    hash_routes: bool = False
    """`true`: an address with `#/` or `#!` is a page of its own, as in a single-page application."""
    events: list[str] = []
    """Custom events to count, such as `["trial"]`. Others are ignored."""
    goals: list[str] = []
    """What you want visitors to reach: names of events, or pages such as `/thanks`."""
    products: list[str] = []
    """Your programs, which may report product, version and operating system when they check for updates."""
    spam_referrers: list[str] = []
    """Hosts whose links are spam, such as `["cheap-clicks.example"]`, with their subdomains: visits from them are not
    counted. Troth already knows many (`audience/counting/referrer_spam.py`)."""
    min_visitors: Annotated[int, Meta(ge=1, le=1_000)] = 3
    """Visitors who must bring a name from outside (an unlisted path, a referrer, a campaign) before it is stored."""
    country_database: str = ""
    """A database of countries (MMDB) on this machine. Empty: countries are not counted."""
    keep_months: Annotated[int, Meta(ge=1, le=25)] = 25
    """Months that statistics are kept."""
    public: bool = False
    """`true`: a public page shows part of the statistics."""
    report: Literal["never", "weekly", "monthly"] = "never"
    """How often the addresses in `notify` under [office] get the statistics by email."""


class MailSection(_Section, frozen=True):
    """How email is sent."""

    relay: str = "smtp://localhost:25"
    """The SMTP server: `smtps://user@host:465` (TLS), `smtp://user@host:587` (STARTTLS), or `smtp://localhost:25` on
    this machine only."""
    sender: str = "newsletter@example.com"
    """The address that emails are sent from."""
    sender_name: Annotated[str, Meta(max_length=100)] = ""
    """The sender's name. Empty: the vendor's name."""
    dkim_domain: str = ""
    """The domain that signs emails. Empty: the domain of `sender`."""
    dkim_selector: str = "troth"
    """Which key signs: `keys/dkim/<selector>.pem`, published in DNS as `<selector>._domainkey.<domain>`."""
    connections: Annotated[int, Meta(ge=1, le=MOST_CONNECTIONS)] = 4
    """Connections to the SMTP server at the same time."""
    timeout_seconds: Annotated[float, Meta(ge=1, le=600)] = 20.0
    """How long to wait for each reply of the SMTP server."""
    check_dns: bool = True
    """`true`: look up the SPF, DKIM and DMARC records of `sender` every few hours, and start no campaign while one is
    missing or wrong. A site that only this machine reaches is not checked."""
    dns_server: str = ""
    """The name server to ask, by TCP: `192.0.2.53`. Empty: this machine's, as `/etc/resolv.conf` names it."""


class RelaySection(_Section, frozen=True):
    """A further SMTP server, beside `relay` under [mail]: one such section for each. Emails go to those that work and
    are least busy; one that fails is left alone for a while."""

    name: str
    """A short name of your own, such as `second`. Its password, if it requires one, is in
    `keys/mail-password-<name>`."""
    address: str
    """As `relay` under [mail]: `smtps://user@host:465`."""
    connections: Annotated[int, Meta(ge=1, le=MOST_CONNECTIONS)] = 4
    """Connections to it at the same time."""


class TranslationSection(_Section, frozen=True):
    """The newsletter's consent sentence in another language, for a form on a page in that language
    (`troth embed newsletter --language de`): one such section for each. Whoever signs up with it is a subscriber of
    that language."""

    language: str
    """The language, as a tag: `de`, `pt-BR`."""
    consent: str
    """The sentence, as `consent` under [newsletter]."""


class OfficeSection(_Section, frozen=True):
    """The admin pages."""

    listen: str = "127.0.0.1:8081"
    """Address and port of the admin server. Keep it off the internet: use a tunnel or a private network."""
    url: str = "http://localhost:8081"
    """Where your team opens the admin pages. Use a host name: passkeys do not work with an IP address."""
    notify: list[str] = []
    """Email addresses to notify of new messages and of problems. These emails contain no personal data."""
    silent_minutes: Annotated[int, Meta(ge=0, le=1_440)] = 10
    """Minutes without a sign of life from the worker before an alarm is sent; 0: no alarm."""
    metrics_listen: str = ""
    """Address and port for Prometheus, on this machine only: `127.0.0.1:9108`. Empty: no metrics."""


class DatabaseSection(_Section, frozen=True):
    """Where records are stored."""

    url: str = ""
    """Empty: SQLite in `data/`. Otherwise `postgresql://user@host:5432/name`, with the password in
    `keys/database-password`."""


class SpoolSection(_Section, frozen=True):
    """How much may wait for the worker, in MiB for each kind of submission."""

    signup_mib: Annotated[int, Meta(ge=1, le=65_536)] = 64
    """Newsletter sign-ups. The default holds about 40,000."""
    link_mib: Annotated[int, Meta(ge=1, le=65_536)] = 32
    """Confirmations and one-click unsubscribes."""
    message_mib: Annotated[int, Meta(ge=1, le=65_536)] = 128
    """Contact messages. The default holds about 6,000 of the longest."""
    rights_mib: Annotated[int, Meta(ge=1, le=65_536)] = 16
    """Requests about personal data."""
    notice_mib: Annotated[int, Meta(ge=1, le=65_536)] = 32
    """The card company's notices. The default holds about 3,000."""
    hits_mib: Annotated[int, Meta(ge=1, le=65_536)] = 64
    """Visitor statistics. The default holds about 25,000 batches of many visits each."""


class PromisesSection(_Section, frozen=True):
    """How often the promises of the policy are tested."""

    prove_minutes: Annotated[int, Meta(ge=0, le=1_440)] = 60
    """Minutes between quick checks; full checks run daily and at each start. 0: only when you ask."""


class BackupSection(_Section, frozen=True):
    """How long backups are kept. Deleted people are gone from backups with the last earlier backup of the keys."""

    data_days: Annotated[int, Meta(ge=1, le=3_650)] = 90
    """Days until a backup of the data is removed."""
    keys_days: Annotated[int, Meta(ge=1, le=90)] = 14
    """Days until a backup of people's keys is removed: until then it could bring a deleted person back."""
    folder: str = ""
    """The folder for backups, which System status shows. Empty: name it at each `troth backup`."""


class Config(_Section, frozen=True):
    """All of `troth.toml`."""

    site: SiteSection
    controller: ControllerSection = ControllerSection()
    front: FrontSection = FrontSection()
    newsletter: NewsletterSection = NewsletterSection()
    contact: ContactSection = ContactSection()
    shop: ShopSection = ShopSection()
    audience: AudienceSection = AudienceSection()
    mail: MailSection = MailSection()
    relay: tuple[RelaySection, ...] = ()
    translation: tuple[TranslationSection, ...] = ()
    office: OfficeSection = OfficeSection()
    database: DatabaseSection = DatabaseSection()
    spool: SpoolSection = SpoolSection()
    promises: PromisesSection = PromisesSection()
    backup: BackupSection = BackupSection()

    @property
    def audience_hosts(self) -> frozenset[str]:
        """Return the site's own hosts, in lower case, without `www.`."""
        hosts = self.audience.hosts or [urlsplit(self.site.url).hostname or ""]
        return frozenset(host.lower().removeprefix("www.") for host in hosts)

    @property
    def goals(self) -> tuple[str, ...]:
        """Return what visitors are to reach: `goals` under [audience], and a purchase where something is sold."""
        return (*self.audience.goals, *([PURCHASED] if self.shop.enabled else []))

    @property
    def audience_pages(self) -> frozenset[str]:
        """Return the pages among the goals."""
        return frozenset(goal for goal in self.goals if goal.startswith("/"))

    @property
    def zone(self) -> ZoneInfo:
        """Return the site's time zone."""
        return ZoneInfo(self.audience.timezone)

    @property
    def checks_dns(self) -> bool:
        """Return whether the sender's DNS records are checked: not those of a site that only this machine reaches."""
        return self.mail.check_dns and not is_local_site(urlsplit(self.site.url).hostname or "")

    @property
    def controller_name(self) -> str:
        """Return the controller's name."""
        return self.controller.name or self.site.name

    @property
    def contact_address(self) -> str:
        """Return the email address for questions about personal data."""
        return self.site.contact or self.contact.reply_to or self.mail.sender


LISTS: Mapping[str, type[msgspec.Struct]] = {"relay": RelaySection, "translation": TranslationSection}
"""Sections that a file may have several of, each under its name in double brackets: `[[relay]]`."""
MOST_RELAYS = 8
"""So many sections `[[relay]]` at most."""
MOST_TRANSLATIONS = 40
"""So many sections `[[translation]]` at most."""
LONGEST_CONSENT = 500
"""Characters of a consent sentence."""
ENVIRONMENT = "TROTH_"
"""`TROTH_FRONT__LISTEN` in the environment is `listen` under `[front]`."""
RENAMED = {
    ("site", "security"): "security_contact",
    ("controller", "officer"): "data_protection_officer",
    ("front", "tickets"): "burst",
    ("front", "refill"): "refill_seconds",
    ("newsletter", "back"): "return_urls",
    ("newsletter", "mails_per_address_per_day"): "emails_per_address_per_day",
    ("newsletter", "mails_per_domain_per_hour"): "emails_per_domain_per_hour",
    ("newsletter", "mails_per_new_domain_per_hour"): "emails_per_new_domain_per_hour",
    ("newsletter", "mails_alike_per_day"): "similar_addresses_per_day",
    ("contact", "back"): "return_urls",
    ("audience", "at_least"): "min_visitors",
    ("audience", "countries"): "country_database",
    ("audience", "parameters"): "query_parameters",
    ("audience", "spam"): "spam_referrers",
    ("office", "metrics"): "metrics_listen",
    ("office", "tell"): "notify",
}
"""Section and earlier name of a setting, and its name now. The earlier name is read with a warning in this version."""


@cache
def sections() -> Mapping[str, type[msgspec.Struct]]:
    """Return the struct of each section, in the order of the file."""
    return {field.name: field.type for field in msgspec.structs.fields(Config) if field.name not in LISTS}


def setting_type(field: msgspec.structs.FieldInfo) -> Any:
    """Return a setting's type without its range."""
    return get_args(field.type)[0] if get_origin(field.type) is Annotated else field.type


def limits(field: msgspec.structs.FieldInfo) -> Meta | None:
    """Return the range declared beside a setting: of a number's value, or of a text's length."""
    metas = [meta for meta in get_args(field.type) if isinstance(meta, Meta)]
    return metas[0] if metas else None


def host_port(listen: str) -> tuple[str, int]:
    """Split `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080` into address and port. Raise `ValueError` otherwise."""
    host, colon, port = listen.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not bare or (":" in bare) != (bare != host) or not (port.isascii() and port.isdigit()):
        raise ValueError("not an address and a port")
    if not 1 <= int(port) <= 65535:
        raise ValueError("a port lies between 1 and 65535")
    return bare, int(port)


def name_server_place(text: str) -> tuple[str, int]:
    """Split `192.0.2.53`, `2001:db8::53`, `192.0.2.53:5353` or `[2001:db8::53]:5353` into address and port. Raise
    `ValueError` where the host is no address."""
    host, port = host_port(text) if text.startswith("[") or text.count(":") == 1 else (text, 53)
    return str(ip_address(host)), port
