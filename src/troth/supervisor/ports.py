"""Which TCP ports a process may connect to, for the kernel to hold it to: C code asks no tripwire (WALL 3). Where
Landlock has no rules for TCP (before Linux 6.7) the tripwire stands alone. Landlock limits neither hosts nor
datagrams."""

from urllib.parse import parse_qs, urlsplit

from troth.core.config.sections import Config, name_server_place
from troth.supervisor.roles import ProcessRole

_RESOLVER = 53
"""A long answer to a look-up of the relay's name comes by TCP."""


def of(role: ProcessRole, config: Config) -> list[int]:
    """Return the ports that a process of this role may connect to; none where its fence allows no connection."""
    if role.connects_to == "mail":
        return of_worker(config)
    if role.connects_to == "names":
        return of_name_server(config)
    return of_database(config) if role.connects_to == "database" else []


def of_database(config: Config) -> list[int]:
    """Return the database's port; none for SQLite."""
    if not config.database.url:
        return []
    url = urlsplit(config.database.url)
    return [url.port or int(parse_qs(url.query).get("port", ["5432"])[0])]


def of_name_server(config: Config) -> list[int]:
    """Return the port of the name server that is asked for the sender's records."""
    return [name_server_place(config.mail.dns_server)[1] if config.mail.dns_server else _RESOLVER]


def of_worker(config: Config) -> list[int]:
    """Return the ports of the SMTP servers, the database, the card company if there is a shop, and the resolver."""
    addresses = [config.mail.relay, *(relay.address for relay in config.relay)]
    relays = {port for address in addresses for port in _of_relay(address)}
    return sorted({_RESOLVER, *relays, *of_database(config), *_of_card_company(config)})


def _of_card_company(config: Config) -> list[int]:
    url = urlsplit(config.shop.api)
    return [url.port or (80 if url.scheme == "http" else 443)] if config.shop.enabled else []


def _of_relay(address: str) -> list[int]:
    url = urlsplit(address)
    # The door says which of them it is (`gate.doors`, which stands higher than this floor): here all that it may be.
    usual = [465] if url.scheme == "smtps" else [25, 587]
    return [url.port] if url.port else usual
