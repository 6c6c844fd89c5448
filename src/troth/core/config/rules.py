"""Check what settings may be, beyond their types. No message repeats an address, which may contain a password."""

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import PurePath
from typing import cast
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from troth.core.config import sections
from troth.core.config.reading import Reading, bare
from troth.core.config.sections import (
    Config,
    ContactSection,
    NewsletterSection,
    OfficeSection,
    SettingProblem,
    host_port,
    name_server_place,
)
from troth.core.money import DECIMALS
from troth.core.networks import is_address, is_local_site, is_loopback
from troth.core.purpose import Category
from troth.core.text.language_tags import LONGEST, is_language, usual
from troth.core.text.terminal import steers

type _Say = Callable[[str, str, str, str], None]

# A letter, a digit, `_` or anything beyond ASCII, told by what it is not: Python takes 7 ms to compile the long range.
_LETTER = r"[^\x00-/:-@\[-^`{-\x7f]"
_LABEL = rf"{_LETTER}(?:-*{_LETTER})*"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ADDRESS = re.compile(rf"[^\s@<>\"(),:;\\\[\]\x00-\x1f\x7f]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")
_SHORT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,58}[A-Za-z0-9])?")
_RELAY_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")


def ranges() -> Iterator[tuple[str, str, float, float]]:
    """Yield section, name, least and most of each number."""
    for section, field, meta in _limited():
        if meta.ge is not None:
            yield section, field.name, meta.ge, cast("float", meta.le)


def _lengths() -> Iterator[tuple[str, str, int, int]]:
    """Yield section, name, fewest and most characters of each text that people read."""
    for section, field, meta in _limited():
        if meta.max_length is not None:
            yield section, field.name, meta.min_length or 0, meta.max_length


@cache
def _limited() -> Sequence[tuple[str, msgspec.structs.FieldInfo, msgspec.Meta]]:
    return [
        (section, field, meta)
        for section, struct in sections.sections().items()
        for field in msgspec.structs.fields(struct)
        if (meta := sections.limits(field))
    ]


def broken(config: Config, reading: Reading) -> list[SettingProblem]:
    """Return the rules that `config` breaks, except those about settings that have a problem already."""
    before = len(reading.problems)

    def say(section: str, setting: str, message: str, mend: str) -> None:
        if not reading.failed(section, setting):
            reading.add(section, setting, f"`{setting}` under [{bare(section)}] {message}", mend)

    for rule in _RULES:
        rule(config, say)
    problems = reading.problems[before:]
    del reading.problems[before:]
    return problems


def _numbers(config: Config, say: _Say) -> None:
    for section, setting, least, most in ranges():
        value = getattr(getattr(config, section), setting)
        if not least <= value <= most:  # also refuses nan
            say(section, setting, f"is {value:g}.", f"Choose a number from {least:g} to {most:,.0f}.")


def _texts(config: Config, say: _Say) -> None:
    for section, setting, fewest, most in _lengths():
        value: str = getattr(getattr(config, section), setting)
        if not fewest <= len(value.strip()) <= most:
            message = "is empty." if not value.strip() else f"has {len(value)} characters."
            say(section, setting, message, f"Write {'at most ' if not fewest else f'{fewest} to '}{most} characters.")
        elif any(map(steers, value)):
            say(section, setting, "has a line break or another control character in it.", "Write it on one line.")


_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")
"""A host name in DNS, or an IPv6 address: it is written into a web server's configuration and into headers."""


def _web(text: str) -> tuple[SplitResult | None, str]:
    """Split a full web address; or return None and what is wrong with it."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None, "is not a full web address."
    if url.scheme not in ("https", "http") or not url.hostname or re.search(r"[\s\x00-\x1f\"<>\\]", text):
        return None, "is not a full web address."
    if not _HOST.fullmatch(url.hostname) and url.hostname.isascii():
        return None, "has a host with characters that no host name has."
    if "@" in url.netloc:
        return None, "has a user or password in it."
    if not text.isascii():  # it goes into mails and headers as it stands
        return None, "has non-ASCII letters: write its host in Punycode, such as xn--bcher-kva.example."
    if url.scheme == "http" and not is_local_site(url.hostname):
        return None, "is not encrypted: http is for this machine only."
    return url, ""


def _site(config: Config, say: _Say) -> None:
    example = "Write it like https://www.example.com/troth, without a slash at the end."
    url, wrong = _web(config.site.url)
    if url is None:
        say("site", "url", wrong, example)
    elif config.site.url.endswith("/") or url.query or url.fragment or "?" in config.site.url:
        say("site", "url", "has a slash, a question mark or a # at the end.", example)
    elif not _PATH.fullmatch(url.path) or any(set(part) == {"."} for part in url.path.split("/") if part):
        say("site", "url", "has a path with characters that Troth does not use.", "Use letters, digits, - . _ ~ in it.")
    if config.site.privacy_url and _web(config.site.privacy_url)[0] is None:
        mend = "Write a full address like https://www.example.com/privacy, or leave it empty."
        say("site", "privacy_url", _web(config.site.privacy_url)[1], mend)
    if config.site.contact and not _ADDRESS.fullmatch(config.site.contact):
        say("site", "contact", "is not an email address.", "Write only the address, or leave it empty.")
    security = config.site.security_contact
    if security and not _ADDRESS.fullmatch(security) and not (_web(security)[0] and security.startswith("https:")):
        mend = "Write an email address or an address that begins with https://, or leave it empty."
        say("site", "security_contact", "is neither an email address nor an https address.", mend)
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", config.site.accent):
        say("site", "accent", "is not a colour.", 'Write # and six hex digits, such as "#2f5d50".')


def _listeners(config: Config, say: _Say) -> None:
    used: dict[tuple[str, int], str] = {}
    by_default = OfficeSection().listen
    for section, text in (("front", config.front.listen), ("office", config.office.listen)):
        try:
            host, port = host_port(text)
            if host != "localhost":
                ipaddress.ip_address(host)
        except ValueError:
            mend = "Write an address and a port: 127.0.0.1:8080, [::1]:8080, or 0.0.0.0:8080 for all networks."
            say(section, "listen", "is not an address and a port.", mend)
            continue
        place = ("127.0.0.1" if host == "localhost" else host, port)
        if place in used:
            changed, unchanged = ("front", "office") if text == by_default else (section, used[place])
            say(changed, "listen", f"is the same as under [{unchanged}].", "Use a different port for each.")
        used[place] = section


def _proxies(config: Config, say: _Say) -> None:
    for text in config.front.trusted_proxies:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            mend = 'Write addresses or networks, such as ["127.0.0.1", "10.0.0.0/8", "::1"].'
            say("front", "trusted_proxies", "contains something that is not an address.", mend)
            continue
        if network.prefixlen == 0:
            say("front", "trusted_proxies", "trusts every address.", "Name your web server's own address.")


def _forms(config: Config, say: _Say) -> None:
    for section in ("newsletter", "contact"):
        _form(section, getattr(config, section), say)


def _contact(config: Config, say: _Say) -> None:
    if config.contact.reply_to and not _ADDRESS.fullmatch(config.contact.reply_to):
        say("contact", "reply_to", "is not an email address.", "Write only the address, or leave it empty.")


def _audience(config: Config, say: _Say) -> None:
    audience = config.audience
    try:
        ZoneInfo(audience.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        say("audience", "timezone", "is not a time zone.", "Write one like Europe/Berlin or UTC.")
    for setting, hosts in (("hosts", audience.hosts), ("spam_referrers", audience.spam_referrers)):
        if not all(_DOMAIN.fullmatch(host) for host in hosts):
            say("audience", setting, "contains something that is not a host.", "Write hosts only: www.example.com.")
    names_of = (
        ("query_parameters", audience.query_parameters),
        ("events", audience.events),
        ("products", audience.products),
    )
    for setting, names in names_of:
        if not all(_SHORT_NAME.fullmatch(name) for name in names):
            mend = "Use letters, digits, spaces, - . and _ in a name, at most 60 characters."
            say("audience", setting, "contains something that cannot be counted.", mend)
    for goal in audience.goals:
        if not goal.startswith("/") and goal not in audience.events:
            mend = "Name an event listed in `events`, or a page that begins with a slash."
            say("audience", "goals", "contains something that is neither an event nor a page.", mend)
    if audience.country_database and not PurePath(audience.country_database).is_absolute():
        say("audience", "country_database", "is not an absolute path.", "Begin with a slash: /srv/countries.mmdb.")


def _form(section: str, form: NewsletterSection | ContactSection, say: _Say) -> None:
    for setting, fields in (("fields", form.fields), ("required", form.required)):
        if Category.EMAIL not in fields:
            say(section, setting, "lacks `email`.", f'Write {setting} = ["email", …].')
        if Category.MESSAGE in fields:
            say(section, setting, "contains `message`.", "Remove it: only the contact form has it, and always.")
        if len(set(fields)) < len(fields):
            say(section, setting, "contains a field twice.", "Name each once.")
    missing = {*form.required} - {*form.fields, Category.EMAIL}  # a missing `email` is reported above
    if extra := [field.value for field in form.required if field in missing]:
        message = f"requires {', '.join(extra)}, which the form does not have."
        say(section, "required", message, "Add it to `fields`, or remove it here.")
    for address in form.return_urls:
        url, wrong = _web(address)
        if url is None or "#" in address:
            mend = 'Write full addresses of your pages, such as ["https://www.example.com/thanks"].'
            say(section, "return_urls", f"contains an address that {wrong or 'has a # in it.'}", mend)


def _languages(config: Config, say: _Say) -> None:
    mend, sentences = "Write a tag such as en, de or pt-BR.", {config.newsletter.consent}
    if config.newsletter.language and not is_language(config.newsletter.language):
        say("newsletter", "language", "is not a language tag.", mend)
    tags = {usual(config.newsletter.language)}
    for number, translation in enumerate(config.translation):
        section, tag, sentence = f"translation {number}", usual(translation.language), translation.consent.strip()
        if not is_language(translation.language) or len(tag) > LONGEST:
            say(section, "language", "is not a language tag.", mend)
        elif tag in tags:
            say(section, "language", "is that of an earlier sentence, too.", "Keep one sentence for each language.")
        if not 1 <= len(sentence) <= sections.LONGEST_CONSENT or any(map(steers, sentence)):
            most = sections.LONGEST_CONSENT
            say(section, "consent", "is not a sentence.", f"Write 1 to {most} characters, on one line.")
        elif sentence in sentences:
            say(section, "consent", "is the same as in another language.", "Translate it: it tells them apart.")
        tags.add(tag)
        sentences.add(sentence)
        if number == sections.MOST_TRANSLATIONS:
            say(section, "language", "is one too many.", f"Up to {number} such sections are possible.")


def _split(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None
    return url


def _relay(config: Config, say: _Say) -> None:
    _smtp_address(config.mail.relay, "keys/mail-password", partial(say, "mail", "relay"))
    for number, relay in enumerate(config.relay):
        section = f"relay {number}"
        _smtp_address(relay.address, f"keys/mail-password-{relay.name}", partial(say, section, "address"))
        if not _RELAY_NAME.fullmatch(relay.name):
            say(
                section,
                "name",
                "is not a short name.",
                "Use up to 20 lower-case letters, digits and -, such as second.",
            )
        elif relay.name in [earlier.name for earlier in config.relay[:number]]:
            say(section, "name", "is the name of an earlier one, too.", "Give each a name of its own.")
        if not 1 <= relay.connections <= sections.MOST_CONNECTIONS:
            say(
                section,
                "connections",
                f"is {relay.connections}.",
                f"Choose a number from 1 to {sections.MOST_CONNECTIONS}.",
            )
        if number == sections.MOST_RELAYS:
            say(section, "name", "is one too many.", f"Up to {number} such sections are possible.")


def _smtp_address(text: str, password_file: str, say: Callable[[str, str], None]) -> None:
    mend = "Write smtps://user@host:465, smtp://user@host:587 (STARTTLS), or smtp://localhost:25."
    url = _split(text)
    if url is not None and url.password is not None:
        say("has a password in it.", f"Put the password by itself into {password_file}, and remove it here.")
    elif url is None or url.scheme not in ("smtp", "smtps") or not url.hostname or url.port == 0:
        say("is not the address of an SMTP server.", mend)
    elif url.path not in ("", "/") or url.query or url.fragment or re.search(r"\s", text):
        say("contains more than the SMTP server's address.", mend)


def _mail(config: Config, say: _Say) -> None:
    mail = config.mail
    if not _ADDRESS.fullmatch(mail.sender):
        message = "is not an email address."
        say(
            "mail",
            "sender",
            message,
            "Write only the address, such as news@example.com; the name goes into `sender_name`.",
        )
    if mail.dkim_domain and not _DOMAIN.fullmatch(mail.dkim_domain):
        say("mail", "dkim_domain", "is not a domain.", "Write one like example.com, or leave it empty.")
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", mail.dkim_selector) or ".." in mail.dkim_selector:
        say("mail", "dkim_selector", "is not a selector.", "Use lower-case letters, digits, - and ., such as troth.")
    try:
        name_server_place(mail.dns_server or "127.0.0.1")
    except ValueError:
        mend = "Write its address, such as 192.0.2.53, or leave it empty for this machine's own."
        say("mail", "dns_server", "is not the address of a name server.", mend)


def _office(config: Config, say: _Say) -> None:
    url, wrong = _web(config.office.url)
    example = "Write it like http://localhost:8081 or https://office.example.com."
    if url is None:
        say("office", "url", wrong, example)
    elif url.path or url.query or url.fragment or config.office.url.endswith(("/", "?", "#")):
        say("office", "url", "contains more than scheme, host and port.", example)
    elif is_address(url.hostname or ""):
        say("office", "url", "is an IP address, and passkeys need a host name.", example)
    for address in config.office.notify:
        if not _ADDRESS.fullmatch(address):
            mend = 'Write only addresses, such as ["desk@example.com"].'
            say("office", "notify", "contains something that is not an email address.", mend)
    if config.office.metrics_listen:
        _metrics(config.office.metrics_listen, say)


def _metrics(text: str, say: _Say) -> None:
    try:
        host, _ = host_port(text)
        local = is_loopback(host)
    except ValueError:
        local = False
    if not local:
        mend = "Write an address and a port of this machine, such as 127.0.0.1:9108; use a tunnel to reach it."
        say("office", "metrics_listen", "is not an address and a port on this machine.", mend)


_TAX_RATE = re.compile(r"([A-Z]{2}) (\d{1,2}(?:\.\d{1,2})?)")


def _shop(config: Config, say: _Say) -> None:
    shop = config.shop
    for setting, address, example in (
        ("api", shop.api, "https://api.stripe.com"),
        ("pages", shop.pages, "https://buy.stripe.com"),
    ):
        url, wrong = _web(address)
        if url is None:
            say("shop", setting, wrong, f"Write it like {example}.")
        elif url.path or url.query or url.fragment or address.endswith(("/", "?", "#")):
            say("shop", setting, "contains more than scheme, host and port.", f"Write it like {example}.")
    if not shop.currencies or not set(shop.currencies) <= DECIMALS.keys():
        mend = 'Write three capital letters each, such as ["EUR", "USD"].'
        say("shop", "currencies", "contains something that is not a currency we know.", mend)
    countries = [fits[1] for rate in shop.tax_rates if (fits := _TAX_RATE.fullmatch(rate))]
    if len(countries) < len(shop.tax_rates) or len(set(countries)) < len(countries):
        mend = 'Write two capital letters and a rate, each country once: ["DE 19", "CH 8.1"].'
        say("shop", "tax_rates", "contains something that is not a country and its rate.", mend)
    if shop.tax == "table" and not shop.tax_rates:
        say("shop", "tax_rates", "is empty, and tax is computed by it.", 'Write rates, or tax = "none".')
    if not re.fullmatch(r"[A-Za-z0-9/-]*", shop.document_prefix):
        say("shop", "document_prefix", "has characters that no number should have.", "Use letters, digits, - and /.")
    if shop.terms_url and _web(shop.terms_url)[0] is None:
        mend = "Write a full address like https://www.example.com/terms, or leave it empty."
        say("shop", "terms_url", _web(shop.terms_url)[1], mend)


def _database(config: Config, say: _Say) -> None:
    text = config.database.url
    if not text:
        return
    url = _split(text)
    if url is not None and url.password is not None:
        mend = "Put the password by itself into keys/database-password, and remove it here."
        say("database", "url", "has a password in it.", mend)
    elif url is None or url.scheme != "postgresql" or not url.path.strip("/"):
        mend = "Write postgresql://user@host:5432/name, or leave it empty for SQLite."
        say("database", "url", "is not the address of a PostgreSQL database.", mend)


_RULES = (
    _numbers,
    _texts,
    _site,
    _listeners,
    _proxies,
    _forms,
    _languages,
    _contact,
    _shop,
    _audience,
    _relay,
    _mail,
    _office,
    _database,
)
