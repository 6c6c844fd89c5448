"""Finds the visitor's address in a logged request that names several: the right-most that is no proxy, as in
`front.http.trusted_proxies`. Proxies are those under `trusted_proxies`, this machine and private networks. Reports what
looks wrong. Addresses stay in memory (V1)."""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from troth.core.networks import Address, network_of, parse

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NEAR = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
"""This machine, and networks that are not on the internet (RFC 6890)."""
NOBODY = frozenset({"", "-", "unix:", "unknown"})
"""What logs write instead of an address: a local socket, a proxy that hides it."""
_NAME = re.compile(r"(?=[^.]*[A-Za-z_-]|.*\.[A-Za-z])[\w-]+(?:\.[\w-]+)+\.?", re.ASCII)


def is_name(text: str) -> bool:
    """Return whether text is a host name, as servers log that look names up."""
    return bool(_NAME.fullmatch(text))


def visitor(hops: Sequence[str], trusted: Sequence[Network] = ()) -> str:
    """Return the visitor's address or host name, or nothing, from a request's hops, the nearest last."""
    nearest = ""
    for hop in reversed(hops):
        address = parse(hop)
        if address is None and hop not in NOBODY:
            return nearest or (hop if is_name(hop) else "")
        if address is not None:
            nearest = hop
            if not _is_in(address, (*_NEAR, *trusted)):
                break
    return nearest


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


_MANY_KNOWN = 10_000
_FEW = 20
"""Requests below which half of them may well be one visitor's."""


class Visitors:
    """Tells visitors apart, and notes what looks wrong. `trusted`: the configured proxies."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted: list[Network] = [ipaddress.ip_network(text, strict=False) for text in trusted]
        self._by: Counter[str] = Counter()
        self._all = self._nobody = self._forwarded = self._claimed = 0

    def of(self, hops: Sequence[str]) -> tuple[str, str]:
        """Return digits that stand for the visitor, and the address as logged."""
        logged = visitor(hops, self._trusted)
        address = parse(logged)
        digits = network_of(address) if address else _of_name(logged)
        self._note(hops, logged, digits)
        return digits, logged

    def _note(self, hops: Sequence[str], logged: str, digits: str) -> None:
        self._all += 1
        self._nobody += not logged
        if len(hops) > 1 and logged:
            place = len(hops) - 1 - [*reversed(hops)].index(logged)
            self._forwarded += place < len(hops) - 1
            self._claimed += any(hop not in NOBODY for hop in hops[:place])
        if digits in self._by or len(self._by) < _MANY_KNOWN:
            self._by[digits] += 1

    def remarks(self) -> list[str]:
        """Return what the operator should know of these lines, without addresses."""
        remarks = []
        if self._forwarded:
            remarks.append(
                f"{self._forwarded:,} requests came through a proxy: the visitor is the right-most address that is "
                "neither private nor under trusted_proxies in [front]."
            )
        if self._claimed:
            remarks.append(
                f"{self._claimed:,} requests name further addresses that were ignored, because the sender is not a "
                "known proxy. If it is your proxy, add it to trusted_proxies in [front] and run this again."
            )
        if self._nobody:
            remarks.append(
                f"{self._nobody:,} requests have no address: those with the same user agent count as one visitor."
            )
        most = max(self._by.values(), default=0)
        if self._all > 1 and most == self._all > self._nobody:
            remarks.append(f"All {self._all:,} requests come from one address. Is it your proxy? {_FIX}")
        elif self._all >= _FEW and most * 2 > self._all and most > self._nobody:
            remarks.append(f"{most:,} of {self._all:,} requests come from one address. Is it your proxy? {_FIX}")
        return remarks


_FIX = (
    "If so, all visitors behind it with the same user agent count as one. Log the visitor's address "
    "(X-Forwarded-For), and add the proxy to trusted_proxies in [front]."
)


def _of_name(name: str) -> str:
    """Return digits for a host name, as many as for an address."""
    return blake2b(name.lower().encode(), digest_size=8).hexdigest() if name else ""
