"""Doors: the destinations that Troth may connect to, each declared with its operator and what may pass.

Deny by default: doors are created from the settings here and nowhere else; the tripwire refuses every other
destination. A door to another machine is always encrypted (C3). Reads settings; opens nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from troth.core.config.sections import Config, DatabaseSection, MailSection, RelaySection, name_server_place
from troth.core.errors import TrothError
from troth.core.networks import is_loopback
from troth.core.purpose import Category, Purpose

type Encryption = Literal["tls", "starttls", "none-loopback", "none-public"]
MAIL_RELAY = "mail-relay"
"""The door of the relay under [mail]; those of further relays are called `mail-relay-<name>`."""
CARD_COMPANY = "card-company"
_EVERYTHING = frozenset(Category)
_POSTGRES = ("postgresql", "postgres")


class DoorError(TrothError):
    """A destination that is not declared, or that is declared in an unsupported way."""


@dataclass(frozen=True, slots=True)
class Door:
    """One declared destination."""

    name: str
    """The name used in the log and the data map: `mail-relay`, `database`."""
    who: str
    """The recipient, as the privacy policy names it."""
    purpose: Purpose
    categories: frozenset[Category]
    """Which contact details may pass."""
    host: str
    """A host name or address; the path of its folder for a socket in the file system."""
    port: int
    encryption: Encryption
    """`none-loopback`: unencrypted, and therefore only on this machine. `none-public`: unencrypted, and therefore only
    for what is public anyway: no detail may pass."""

    @property
    def carries_mail(self) -> bool:
        """Whether it is a mail relay's."""
        return self.name == MAIL_RELAY or self.name.startswith(f"{MAIL_RELAY}-")

    def __post_init__(self) -> None:
        if self.encryption == "none-loopback" and not self.is_local:
            raise DoorError(
                f"The connection {self.name} would leave this machine without encryption.",
                mend="For email, use smtps:// or STARTTLS (smtp:// to another host). For a database on another "
                "machine, use sslmode=verify-full.",
            )
        if self.encryption == "none-public" and self.categories:
            raise DoorError(f"The connection {self.name} would carry details without encryption.")

    @property
    def is_local(self) -> bool:
        """Return whether the connection stays on this machine."""
        return _stays_here(self.host)


def _stays_here(host: str) -> bool:
    return host.startswith("/") or is_loopback(host)  # a path is the folder of a socket


def mail_relay(mail: MailSection) -> Door:
    """Return the door for mail. Raises `DoorError` if `relay` has none of the three supported forms."""
    return _mail_door(MAIL_RELAY, mail.relay, "`relay` under [mail]", "keys/mail-password")


def further_relay(relay: RelaySection) -> Door:
    """Return the door of a further relay. Raises `DoorError` as `mail_relay` does."""
    password_file = f"keys/mail-password-{relay.name}"
    return _mail_door(f"{MAIL_RELAY}-{relay.name}", relay.address, "`address` under [[relay]]", password_file)


def mail_relays(config: Config) -> tuple[Door, ...]:
    """Return the doors for mail: of the relay under [mail], then of each further one."""
    return (mail_relay(config.mail), *map(further_relay, config.relay))


def _mail_door(name: str, address: str, setting: str, password_file: str) -> Door:
    url = _split(address, setting)
    if url.scheme not in ("smtp", "smtps") or not url.hostname or url.path not in ("", "/") or url.query:
        raise DoorError(
            f"{setting} is not the address of an SMTP server.",
            mend="Write smtps://user@host:465, smtp://user@host:587, or smtp://localhost:25.",
        )
    if url.password is not None:
        raise DoorError(
            f"{setting} contains a password.",
            mend=f"Put the password into the file {password_file}, on a line of its own.",
        )
    encryption: Encryption = "starttls"
    if url.scheme == "smtps":
        encryption = "tls"
    elif is_loopback(url.hostname):
        encryption = "none-loopback"
    usual = {"tls": 465, "starttls": 587, "none-loopback": 25}[encryption]
    return Door(
        name=name,
        who=f"the mail relay {url.hostname}",
        purpose=Purpose.ADMINISTRATION,
        categories=frozenset({Category.EMAIL}),
        host=url.hostname,
        port=url.port or usual,
        encryption=encryption,
    )


def relay_user(address: str) -> str | None:
    """Return the user name in a relay's address, if there is one."""
    user = urlsplit(address).username
    return unquote(user) if user else None


def database(section: DatabaseSection) -> Door | None:
    """Return the database's door; None for SQLite. Raises `DoorError` if it is on another machine and not encrypted."""
    if not section.url:
        return None
    url = _split(section.url, "`url` under [database]")
    options = parse_qs(url.query)
    host = unquote(url.hostname or "") or options.get("host", ["/var/run/postgresql"])[0]
    if url.scheme not in _POSTGRES:
        raise DoorError(
            "`url` under [database] is not a PostgreSQL address.",
            mend="Write postgresql://user@host:5432/name, or leave it empty for SQLite.",
        )
    local = _stays_here(host)
    if not local and options.get("sslmode", [""])[0] != "verify-full":
        raise DoorError(
            "The database is on another machine, and the connection to it would not be encrypted and verified.",
            mend="Add ?sslmode=verify-full&sslrootcert=/path/to/ca.pem to `url` under [database].",
        )
    return Door(
        name="database",
        who="the database",
        purpose=Purpose.ADMINISTRATION,
        categories=_EVERYTHING,
        host=host,
        port=url.port or int(options.get("port", ["5432"])[0]),
        encryption="none-loopback" if local else "tls",
    )


def name_server(place: str) -> Door:
    """Return the door for questions to a name server: `192.0.2.53`, `192.0.2.53:5353` or `[2001:db8::53]:53`.

    For the process that looks up the sender's own records (`gate.sender_dns.main`), which holds nobody's details; the
    worker and the office have no such door. Raises `DoorError` if it is no address.
    """
    try:
        host, port = name_server_place(place)
    except ValueError:
        raise DoorError(
            "`dns_server` under [mail] is not the address of a name server.",
            mend="Write its address, such as 192.0.2.53, or leave it empty for this machine's own.",
        ) from None
    return Door(
        name="name-server",
        who="the name server",
        purpose=Purpose.ADMINISTRATION,
        categories=frozenset(),
        host=host,
        port=port,
        encryption="none-public",
    )


def card_company(address: str) -> Door:
    """Return the door to the card company's API: `https://api.stripe.com`, or a stand-in at `http://localhost:8706`. No
    contact detail passes: buyers give theirs on the card company's own page. Raises `DoorError`."""
    url = _split(address, "`api` under [shop]")
    local = url.scheme == "http" and is_loopback(url.hostname or "")
    if not url.hostname or url.path not in ("", "/") or not (local or url.scheme == "https"):
        raise DoorError("`api` under [shop] is not an https:// address.", mend="Write https://api.stripe.com.")
    return Door(
        name=CARD_COMPANY,
        who=f"the card company {url.hostname}",
        purpose=Purpose.ADMINISTRATION,
        categories=frozenset(),
        host=url.hostname,
        port=url.port or (80 if local else 443),
        encryption="none-loopback" if local else "tls",
    )


def declared(config: Config) -> tuple[Door, ...]:
    """Return all doors of this site: the worker's."""
    local_door = database(config.database)
    seller = (card_company(config.shop.api),) if config.shop.enabled else ()
    return (*mail_relays(config), *((local_door,) if local_door else ()), *seller)


def for_office(config: Config) -> tuple[Door, ...]:
    """Return the office's doors: its database, unless that is a file."""
    local_door = database(config.database)
    return (local_door,) if local_door else ()


def named(doors: Collection[Door], name: str) -> Door:
    """Return the door of this name. Raises `DoorError` if it is not declared."""
    for door in doors:
        if door.name == name:
            return door
    raise DoorError(
        f"There is no declared destination called {name}.",
        mend="Declare it in src/troth/gate/doors.py: recipient, purpose, allowed data and encryption.",
    )


def _split(text: str, setting: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port  # raises for a port that is no number
    except ValueError:
        raise DoorError(f"{setting} is not a complete address.", mend="Write it as scheme://user@host:port.") from None
    return url
