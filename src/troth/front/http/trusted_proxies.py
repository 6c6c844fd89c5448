"""Decide once who is asking: an address becomes a keyed hash for the token buckets, and whether the connection is
private, before anything else sees the request; it lives in local variables of `judge` and goes with them (V1, C3).
`X-Forwarded-For` and `X-Forwarded-Proto` are believed only from peers that the operator named."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from troth.core.networks import Address, bytes_of, parse

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Caller:
    """What the rest of the front knows about whoever is asking."""

    bucket: bytes
    """Keyed hash of the address (IPv6: of its /64): the same for one visitor until the front restarts."""
    private: bool
    """Encrypted on its way, or from this machine itself (B1)."""
    unnamed_proxy: bool = False
    """Came from loopback with forwarding headers, from a proxy that is not in `trusted_proxies`."""


class Proxies:
    """Judges requests. `trusted`: addresses or networks; `key`: up to 64 bytes."""

    def __init__(self, trusted: Iterable[str], key: bytes) -> None:
        self._trusted: list[Network] = [ipaddress.ip_network(text, strict=False) for text in trusted]
        self._key = key
        self.without_address = 0
        """Requests for which a trusted web server sent forwarding headers, and no `X-Forwarded-For`: their visitors all
        seem to have the web server's address."""

    def judge(self, peer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> Caller:
        """Return the facts about a request from `peer` (an address) with `headers` (names in lower case)."""
        address = parse(peer or "")
        forwarded = [value for name, value in headers if name in _FORWARDING]
        if address is None:
            return Caller(self._hash(b"?"), private=False)
        if not self._trusts(address):
            unnamed = address.is_loopback and bool(forwarded)
            return Caller(self._hash(bytes_of(address)), address.is_loopback and not unnamed, unnamed)
        chain = b",".join(value for name, value in headers if name == b"x-forwarded-for")
        proto = b",".join(value for name, value in headers if name == b"x-forwarded-proto")
        self.without_address += bool(forwarded and not chain)
        visitor = self._visitor(address, chain)
        private = proto.strip().lower() == b"https" or (not proto and visitor.is_loopback)
        return Caller(self._hash(bytes_of(visitor)), private)

    def visitor(self, peer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> Address | None:
        """Return the address that a hit came from, kept only while it is counted (V1); None if unknown."""
        address = parse(peer or "")
        if address is None or not self._trusts(address):
            return address
        return self._visitor(address, b",".join(value for name, value in headers if name == b"x-forwarded-for"))

    def bucket(self, address: Address) -> bytes:
        """Return the keyed hash of an address, as `Caller.bucket`."""
        return self._hash(bytes_of(address))

    def _visitor(self, peer: Address, chain: bytes) -> Address:
        """The right-most hop that is not a proxy of ours: everything left of it is only claimed."""
        visitor = peer
        for hop in reversed(chain[-_LONGEST:].split(b",")):
            address = parse(hop.decode("latin-1").strip())
            if address is None:
                return visitor
            visitor = address
            if not self._trusts(address):
                return visitor
        return visitor

    def _trusts(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._trusted)

    def _hash(self, data: bytes) -> bytes:
        return blake2b(data, key=self._key, digest_size=16).digest()


_FORWARDING = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"forwarded", b"x-real-ip"})
