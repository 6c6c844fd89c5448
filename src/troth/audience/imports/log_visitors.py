"""Whose request a logged line is, where it names several addresses; and whether all of them look like one visitor.

The rule is that of the front (`front.http.trusted_proxies`): of the addresses in the order in which the request passed
them, the right-most that is no proxy of the vendor's. Proxies are those under `trusted_proxies` and whoever is on this
machine or in a private network; what stands left of the one who is taken is only claimed. Addresses stay in memory
(V1). Touches nothing.
"""

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
"""This machine, and networks that no visitor comes from over the internet (RFC 6890)."""
NOBODY = frozenset({"", "-", "unix:", "unknown"})
"""What stands in place of an address where there is none: a socket of this machine, a proxy that does not say."""
_NAME = re.compile(r"(?=[^.]*[A-Za-z_-]|.*\.[A-Za-z])[\w-]+(?:\.[\w-]+)+\.?", re.ASCII)


def is_name(text: str) -> bool:
    """Whether it is a host's name, as servers write that look names up."""
    return bool(_NAME.fullmatch(text))


def visitor(hops: Sequence[str], trusted: Sequence[Network] = ()) -> str:
    """The visitor's among the addresses that a request passed, the nearest last; or a host's name, or nothing."""
    taken = ""
    for hop in reversed(hops):
        address = parse(hop)
        if address is None and hop not in NOBODY:
            return taken or (hop if is_name(hop) else "")
        if address is not None:
            taken = hop
            if not _is_in(address, (*_NEAR, *trusted)):
                break
    return taken


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


_MANY_KNOWN = 10_000
_FEW = 20
"""Requests below which half of them may well be one visitor's."""


class Visitors:
    """Tells visitors apart, and notes what looks wrong. `trusted`: the proxies that the operator named."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted: list[Network] = [ipaddress.ip_network(text, strict=False) for text in trusted]
        self._by: Counter[str] = Counter()
        self._all = self._nobody = self._forwarded = self._claimed = 0

    def of(self, hops: Sequence[str]) -> tuple[str, str]:
        """Digits that stand for the visitor, and the address as written."""
        told = visitor(hops, self._trusted)
        address = parse(told)
        digits = network_of(address) if address else _of_name(told)
        self._note(hops, told, digits)
        return digits, told

    def _note(self, hops: Sequence[str], told: str, digits: str) -> None:
        self._all += 1
        self._nobody += not told
        if len(hops) > 1 and told:
            place = len(hops) - 1 - [*reversed(hops)].index(told)
            self._forwarded += place < len(hops) - 1
            self._claimed += any(hop not in NOBODY for hop in hops[:place])
        if digits in self._by or len(self._by) < _MANY_KNOWN:
            self._by[digits] += 1

    def remarks(self) -> list[str]:
        """What the operator has to know of these lines; no address among it."""
        said = []
        if self._forwarded:
            said.append(
                f"{self._forwarded:,} requests came by a proxy: the visitor is the right-most address that is neither "
                "private nor under trusted_proxies in [front]."
            )
        if self._claimed:
            said.append(
                f"{self._claimed:,} requests name further addresses that are not believed, since they came from one "
                "that is no known proxy. If it is yours, name it under trusted_proxies in [front] and run this again."
            )
        if self._nobody:
            said.append(f"{self._nobody:,} requests have no address: all of one user agent are one visitor.")
        most = max(self._by.values(), default=0)
        if self._all > 1 and most == self._all > self._nobody:
            said.append(f"All {self._all:,} requests come from one address: is it your proxy? {_MEND}")
        elif self._all >= _FEW and most * 2 > self._all and most > self._nobody:
            said.append(f"{most:,} of {self._all:,} requests come from one address: is it your proxy? {_MEND}")
        return said


_MEND = (
    "If so, all visitors behind it are one for each user agent. Log the visitor's address (X-Forwarded-For), and name "
    "the proxy under trusted_proxies in [front]."
)


def _of_name(name: str) -> str:
    """As many digits for a host's name as for an address: the first of them stand for its network elsewhere."""
    return blake2b(name.lower().encode(), digest_size=8).hexdigest() if name else ""
