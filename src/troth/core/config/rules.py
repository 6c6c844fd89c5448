"""What each setting may be, beyond its type. Touches nothing.

No message here repeats an address that may carry a password.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from pathlib import PurePath
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from troth.core.config.reading import Reading
from troth.core.config.sections import Config, ContactSection, NewsletterSection, OfficeSection, Problem, host_port
from troth.core.purpose import Category
from troth.core.text.terminal import steers

type _Say = Callable[[str, str, str, str], None]

_RANGES: dict[tuple[str, str], tuple[float, float]] = {
    ("front", "workers"): (1, 16),
    ("front", "tickets"): (1, 1_000_000),
    ("front", "refill"): (0.001, 86_400),
    ("front", "proof_of_work"): (0, 10_000_000),
    ("front", "wait_seconds"): (0, 300),
    ("newsletter", "confirm_hours"): (1, 720),
    ("newsletter", "mails_per_address_per_day"): (1, 100),
    ("newsletter", "mails_per_domain_per_hour"): (1, 1_000_000_000),
    ("newsletter", "mails_per_new_domain_per_hour"): (1, 1_000_000_000),
    ("newsletter", "mails_alike_per_day"): (1, 1_000_000_000),
    ("contact", "keep_days"): (1, 3_650),
    ("audience", "at_least"): (1, 1_000),
    ("audience", "keep_months"): (1, 25),
    ("office", "silent_minutes"): (0, 1_440),
    ("promises", "prove_minutes"): (0, 1_440),
    ("backup", "data_days"): (1, 3_650),
    ("backup", "keys_days"): (1, 90),
    ("mail", "connections"): (1, 16),
    ("mail", "timeout_seconds"): (1, 600),
    ("spool", "signup_mib"): (1, 65_536),
    ("spool", "link_mib"): (1, 65_536),
    ("spool", "message_mib"): (1, 65_536),
    ("spool", "rights_mib"): (1, 65_536),
    ("spool", "hits_mib"): (1, 65_536),
}
"""The least and the most of each number."""
_LENGTHS = {
    ("site", "name"): (1, 100),
    ("site", "hosting"): (0, 100),
    ("controller", "name"): (0, 200),
    ("controller", "address"): (0, 300),
    ("controller", "officer"): (0, 300),
    ("controller", "authority"): (0, 200),
    ("controller", "transfers"): (0, 500),
    ("newsletter", "title"): (1, 100),
    ("newsletter", "intro"): (0, 1_000),
    ("newsletter", "consent"): (1, 500),
    ("contact", "title"): (1, 100),
    ("contact", "intro"): (0, 1_000),
    ("mail", "sender_name"): (0, 100),
}
"""The fewest and the most characters of each text that people read."""
_LABEL = r"[A-Za-z0-9_\u0080-\U0010ffff](?:[A-Za-z0-9_\u0080-\U0010ffff-]*[A-Za-z0-9_\u0080-\U0010ffff])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ADDRESS = re.compile(rf"[^\s@<>\"(),:;\\\[\]\x00-\x1f\x7f]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")
_SHORT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,58}[A-Za-z0-9])?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")


def bounds(section: str, setting: str) -> tuple[float, float] | None:
    """The least and the most that a number may be, if it is one."""
    return _RANGES.get((section, setting))


def broken(config: Config, reading: Reading) -> list[Problem]:
    """The rules that `config` breaks. What was wrong already is not told twice."""
    before = len(reading.problems)

    def say(section: str, setting: str, what: str, mend: str) -> None:
        if not reading.failed(section, setting):
            reading.add(section, setting, f"`{setting}` under [{section}] {what}", mend)

    for rule in _RULES:
        rule(config, say)
    found = reading.problems[before:]
    del reading.problems[before:]
    return found


def _numbers(config: Config, say: _Say) -> None:
    for (section, setting), (least, most) in _RANGES.items():
        value = getattr(getattr(config, section), setting)
        if not least <= value <= most:  # also refuses nan
            say(section, setting, f"is {value:g}.", f"Choose a number from {least:g} to {most:,.0f}.")


def _texts(config: Config, say: _Say) -> None:
    for (section, setting), (fewest, most) in _LENGTHS.items():
        value: str = getattr(getattr(config, section), setting)
        if not fewest <= len(value.strip()) <= most:
            what = "is empty." if not value.strip() else f"has {len(value)} characters."
            say(section, setting, what, f"Write {'at most ' if not fewest else f'{fewest} to '}{most} characters.")
        elif any(map(steers, value)):
            say(section, setting, "has a line break or another control character in it.", "Write it on one line.")


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine: `localhost`, a name under it, or a loopback address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")
"""As DNS has it, or an IPv6 address: it is written into a web server's settings and into headers."""


def _web(text: str) -> tuple[SplitResult | None, str]:
    """A whole web address, taken apart; or None and what is wrong with it."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None, "is not a whole web address."
    if url.scheme not in ("https", "http") or not url.hostname or re.search(r"[\s\x00-\x1f\"<>\\]", text):
        return None, "is not a whole web address."
    if not _HOST.fullmatch(url.hostname) and url.hostname.isascii():
        return None, "names a host with signs that no host has."
    if "@" in url.netloc:
        return None, "has a user or password in it."
    if not text.isascii():  # it goes into mails and headers as it stands
        return None, "has letters beyond ASCII: write its host as DNS has it, such as xn--bcher-kva.example."
    if url.scheme == "http" and not is_loopback(url.hostname):
        return None, "is not encrypted: http is for this machine itself only."
    return url, ""


def _site(config: Config, say: _Say) -> None:
    example = "Write it like https://www.example.com/troth, without a slash at its end."
    url, wrong = _web(config.site.url)
    if url is None:
        say("site", "url", wrong, example)
    elif config.site.url.endswith("/") or url.query or url.fragment or "?" in config.site.url:
        say("site", "url", "has a slash, a question mark or a # at its end.", example)
    elif not _PATH.fullmatch(url.path) or any(set(part) == {"."} for part in url.path.split("/") if part):
        say(
            "site", "url", "has a path with signs that Troth does not use there.", "Use letters, digits, - . _ ~ in it."
        )
    if config.site.privacy_url and _web(config.site.privacy_url)[0] is None:
        mend = "Write a whole address like https://www.example.com/privacy, or leave it empty."
        say("site", "privacy_url", _web(config.site.privacy_url)[1], mend)
    if config.site.contact and not _ADDRESS.fullmatch(config.site.contact):
        say("site", "contact", "is not an e-mail address.", "Write only the address, or leave it empty.")
    security = config.site.security
    if security and not _ADDRESS.fullmatch(security) and not (_web(security)[0] and security.startswith("https:")):
        mend = "Write an e-mail address or a page that begins with https://, or leave it empty."
        say("site", "security", "is neither an e-mail address nor a page.", mend)
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", config.site.accent):
        say("site", "accent", "is not a colour.", 'Write # and six hex digits, such as "#2f5d50".')


def _listeners(config: Config, say: _Say) -> None:
    taken: dict[tuple[str, int], str] = {}
    by_default = OfficeSection().listen
    for section, text in (("front", config.front.listen), ("office", config.office.listen)):
        try:
            host, port = host_port(text)
            if host != "localhost":
                ipaddress.ip_address(host)
        except ValueError:
            mend = "Write an address and a port: 127.0.0.1:8080, [::1]:8080, or 0.0.0.0:8080 for every network."
            say(section, "listen", "is not an address and a port.", mend)
            continue
        place = ("127.0.0.1" if host == "localhost" else host, port)
        if place in taken:
            given, other = ("front", "office") if text == by_default else (section, taken[place])
            say(given, "listen", f"is the same as under [{other}].", "Give each a port of its own.")
        taken[place] = section


def _proxies(config: Config, say: _Say) -> None:
    for text in config.front.trusted_proxies:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            mend = 'Write addresses or networks, such as ["127.0.0.1", "10.0.0.0/8", "::1"].'
            say("front", "trusted_proxies", "names something that is no address.", mend)
            continue
        if network.prefixlen == 0:
            say("front", "trusted_proxies", "trusts everybody.", "Name your web server's own address.")


def _forms(config: Config, say: _Say) -> None:
    for section in ("newsletter", "contact"):
        _form(section, getattr(config, section), say)


def _contact(config: Config, say: _Say) -> None:
    if config.contact.reply_to and not _ADDRESS.fullmatch(config.contact.reply_to):
        say("contact", "reply_to", "is not an e-mail address.", "Write only the address, or leave it empty.")


def _audience(config: Config, say: _Say) -> None:
    here = config.audience
    try:
        ZoneInfo(here.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        say("audience", "timezone", "is no time zone.", "Write one like Europe/Berlin or UTC.")
    for setting, hosts in (("hosts", here.hosts), ("spam", here.spam)):
        if not all(_DOMAIN.fullmatch(host) for host in hosts):
            say("audience", setting, "names something that is no host.", "Write hosts only: www.example.com.")
    for setting, names in (("parameters", here.parameters), ("events", here.events), ("products", here.products)):
        if not all(_SHORT_NAME.fullmatch(name) for name in names):
            mend = "Use letters, digits, spaces, - . and _ in a name, 60 at most."
            say("audience", setting, "names something that cannot be counted.", mend)
    for goal in here.goals:
        if not goal.startswith("/") and goal not in here.events:
            mend = "Name an event that stands under `events`, or a page that begins with a slash."
            say("audience", "goals", "names neither an event nor a page.", mend)
    if here.countries and not PurePath(here.countries).is_absolute():
        say("audience", "countries", "is no whole path.", "Write it from the root: /srv/countries.mmdb.")


def _form(section: str, form: NewsletterSection | ContactSection, say: _Say) -> None:
    for setting, fields in (("fields", form.fields), ("required", form.required)):
        if Category.EMAIL not in fields:
            say(section, setting, "lacks `email`.", f'Write {setting} = ["email", …].')
        if Category.MESSAGE in fields:
            say(section, setting, "names `message`.", "Take it out: the contact form has it, and no other form can.")
        if len(set(fields)) < len(fields):
            say(section, setting, "names a field twice.", "Name each once.")
    lacked = {*form.required} - {*form.fields, Category.EMAIL}  # that `email` is lacking is told above
    if extra := [field.value for field in form.required if field in lacked]:
        what = f"asks for {', '.join(extra)}, which the form does not have."
        say(section, "required", what, "Add it to `fields`, or take it out here.")
    for address in form.back:
        url, wrong = _web(address)
        if url is None or "#" in address:
            mend = 'Write whole addresses of your pages, such as ["https://www.example.com/thanks"].'
            say(section, "back", f"names a page that {wrong or 'has a # in it.'}", mend)


def _split(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None
    return url


def _relay(config: Config, say: _Say) -> None:
    mend = "Write smtps://user@host:465, smtp://user@host:587 (STARTTLS), or smtp://localhost:25."
    url = _split(config.mail.relay)
    if url is not None and url.password is not None:
        say(
            "mail",
            "relay",
            "has a password in it.",
            "Put the password alone into keys/mail-password, and take it out here.",
        )
    elif url is None or url.scheme not in ("smtp", "smtps") or not url.hostname or url.port == 0:
        say("mail", "relay", "is not the address of a mail relay.", mend)
    elif url.path not in ("", "/") or url.query or url.fragment or re.search(r"\s", config.mail.relay):
        say("mail", "relay", "has more in it than a relay's address.", mend)


def _mail(config: Config, say: _Say) -> None:
    mail = config.mail
    if not _ADDRESS.fullmatch(mail.sender):
        what = "is not an e-mail address."
        say("mail", "sender", what, "Write only the address, such as news@example.com; the name goes to `sender_name`.")
    if mail.dkim_domain and not _DOMAIN.fullmatch(mail.dkim_domain):
        say("mail", "dkim_domain", "is not a domain.", "Write one like example.com, or leave it empty.")
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", mail.dkim_selector) or ".." in mail.dkim_selector:
        say("mail", "dkim_selector", "is not a selector.", "Use small letters, digits, - and ., such as troth.")


def _office(config: Config, say: _Say) -> None:
    url, wrong = _web(config.office.url)
    example = "Write it like http://localhost:8081 or https://office.example.com."
    if url is None:
        say("office", "url", wrong, example)
    elif url.path or url.query or url.fragment or config.office.url.endswith(("/", "?", "#")):
        say("office", "url", "has more in it than scheme, name and port.", example)
    elif _is_address(url.hostname or ""):
        say("office", "url", "is an address, and passkeys belong to names.", example)
    for address in config.office.tell:
        if not _ADDRESS.fullmatch(address):
            mend = 'Write addresses alone, such as ["desk@example.com"].'
            say("office", "tell", "names something that is no e-mail address.", mend)
    if config.office.metrics:
        _metrics(config.office.metrics, say)


def _metrics(text: str, say: _Say) -> None:
    try:
        host, _ = host_port(text)
        near = is_loopback(host)
    except ValueError:
        near = False
    if not near:
        mend = "Write an address and a port of this machine, such as 127.0.0.1:9108; fetch it through a tunnel."
        say("office", "metrics", "is not an address and a port on this machine.", mend)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _database(config: Config, say: _Say) -> None:
    text = config.database.url
    if not text:
        return
    url = _split(text)
    if url is not None and url.password is not None:
        mend = "Put the password alone into keys/database-password, and take it out here."
        say("database", "url", "has a password in it.", mend)
    elif url is None or url.scheme != "postgresql" or not url.path.strip("/"):
        mend = "Write postgresql://user@host:5432/name, or leave it empty for SQLite."
        say("database", "url", "is not the address of a PostgreSQL database.", mend)


def ranges() -> Iterator[tuple[str, str, float, float]]:
    """Every number with its bounds."""
    for (section, setting), (least, most) in _RANGES.items():
        yield section, setting, least, most


_RULES = (
    _numbers,
    _texts,
    _site,
    _listeners,
    _proxies,
    _forms,
    _contact,
    _audience,
    _relay,
    _mail,
    _office,
    _database,
)
