"""Addresses as peers, proxies and logs write them, and how much of one is one visitor's. Touches nothing."""

import ipaddress
from socket import AF_INET, AF_INET6, inet_pton

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_address(text: str) -> bool:
    """Return whether `text` is an IP address alone."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Return whether a connection to `host` stays on this machine: `localhost` or a loopback address."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_local_site(host: str) -> bool:
    """Return whether a browser keeps what it asks of `host` on this machine (RFC 6761, section 6.3).

    Browsers do so for names under `localhost`, too; others may ask a name server for them.
    """
    return is_loopback(host) or host.lower().rstrip(".").endswith(".localhost")


def parse(text: str) -> Address | None:
    """Parse an address: `1.2.3.4`, `1.2.3.4:5`, `2001:db8::1`, `[2001:db8::1]:5`; None for anything else."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    text = text.partition("%")[0]
    try:
        # The C library reads an address in a tenth of the time that `ip_address` takes for a text.
        address = ipaddress.ip_address(inet_pton(AF_INET6 if ":" in text else AF_INET, text))
    except (OSError, ValueError):
        return None
    return _of_ipv4(address) if isinstance(address, ipaddress.IPv6Address) else address


_TRANSLATED = ipaddress.IPv6Address("64:ff9b::").packed[:12]
"""Before an IPv4 address, where a network speaks IPv6 within and translates at its edge (RFC 6052, RFC 7755)."""


def _of_ipv4(address: ipaddress.IPv6Address) -> Address:
    """The IPv4 address that this one stands for: otherwise all of IPv4 would share one /64, and be one visitor."""
    if address.packed[:12] == _TRANSLATED:
        return ipaddress.IPv4Address(address.packed[12:])
    return address.ipv4_mapped or address


def bytes_of(address: Address) -> bytes:
    """Return what one visitor has of addresses: the address itself, of IPv6 its /64."""
    # One household or server has a whole /64; an address of it costs nothing.
    return address.packed if address.version == 4 else address.packed[:8]


def network_of(address: Address) -> str:
    """Return the same as hexadecimal digits."""
    return bytes_of(address).hex()


SITE_DIGITS = 12
"""Of `network_of`, the digits that one site's networks have in common: of IPv6 a /48 (RFC 6177); of IPv4, all eight."""
