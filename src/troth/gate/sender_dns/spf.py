"""Sender Policy Framework (RFC 7208): which machines may send email that comes from a domain.

`check` is the RFC's `check_host` for one address. Not supported, and treated as matching nothing: macros and `ptr`,
which need the sender's address or its name. Touches nothing but the name servers that it is given.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

from troth.gate.sender_dns.name_server import NameServers

type Result = Literal["pass", "fail", "softfail", "neutral", "none"]
type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST_LOOKUPS, _MOST_VOID = 10, 2
"""Mechanisms that ask the DNS, and those of them that get no record (RFC 7208, section 4.6.4)."""
_QUALIFIERS: dict[str, Result] = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_DOMAIN = r"[^\s/:=]*(?:%\{[^}\s]+\}|[A-Za-z0-9-])\.?"
_MECHANISMS = {
    "all": r"",
    "include": rf":(?P<domain>{_DOMAIN})",
    "exists": rf":(?P<domain>{_DOMAIN})",
    "ptr": rf"(?::(?P<domain>{_DOMAIN}))?",
    "a": rf"(?::(?P<domain>{_DOMAIN}))?(?:/(?P<v4>\d{{1,2}}))?(?://(?P<v6>\d{{1,3}}))?",
    "mx": rf"(?::(?P<domain>{_DOMAIN}))?(?:/(?P<v4>\d{{1,2}}))?(?://(?P<v6>\d{{1,3}}))?",
    "ip4": r":(?P<network>[0-9.]+(?:/\d{1,2})?)",
    "ip6": r":(?P<network>[0-9A-Fa-f:.]+(?:/\d{1,3})?)",
}
_START = re.compile(r"(?P<qualifier>[+?~-]?)(?P<name>[A-Za-z][A-Za-z0-9]*)(?P<rest>[:/].*)?")
_MODIFIER = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_.-]*)=(?P<value>\S*)")


class SpfFault(Exception):
    """The record cannot be used: mail servers take it as a permanent error. The message says why, for operators."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One mechanism of a record, such as `~include:example.net`."""

    result: Result
    """What a match means."""
    name: str
    domain: str
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
    prefixes: tuple[int, int]
    """Leading bits of IPv4 and IPv6 addresses that have to match."""


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """A record: mechanisms in their order, and the domain whose record counts where none matches."""

    mechanisms: tuple[Mechanism, ...]
    redirect: str

    @property
    def names_somebody(self) -> bool:
        """Whether it is not for all machines that it says they may not send."""
        return bool(self.redirect) or not self.mechanisms or any(row.result != "fail" for row in self.mechanisms)

    @property
    def delegates(self) -> bool:
        """Whether another domain's record says more."""
        return bool(self.redirect) or any(row.name in ("include", "exists", "ptr") for row in self.mechanisms)


def records(texts: list[str]) -> list[str]:
    """Return the SPF records among a domain's TXT records (RFC 7208, section 4.5)."""
    return [text for text in texts if re.match(r"v=spf1(?: |$)", text, re.IGNORECASE)]


def parse(text: str) -> SpfRecord:
    """Parse one record. Raises `SpfFault`: one wrong term spoils all of them (RFC 7208, section 4.6)."""
    mechanisms, redirects = list[Mechanism](), list[str]()
    for term in text.split(" ")[1:]:
        modifier = _MODIFIER.fullmatch(term)
        if modifier:
            if modifier["name"].lower() == "redirect":
                redirects.append(modifier["value"])
        elif term:
            mechanisms.append(_mechanism(term))
    if len(redirects) > 1 or "" in redirects:
        raise SpfFault("`redirect=` is empty or stands there twice")
    has_all = any(row.name == "all" for row in mechanisms)
    return SpfRecord(tuple(mechanisms), "" if has_all or not redirects else redirects[0])


def _mechanism(term: str) -> Mechanism:
    start = _START.fullmatch(term)
    name = start["name"].lower() if start else ""
    rest = re.fullmatch(_MECHANISMS.get(name, "(?!)"), (start["rest"] or "") if start else "")
    if start is None or rest is None:
        raise SpfFault(f"`{term}` is not valid in it")
    parts = {"domain": "", "v4": "", "v6": "", "network": "", **{k: v or "" for k, v in rest.groupdict().items()}}
    try:
        network = ipaddress.ip_network(parts["network"], strict=False) if parts["network"] else None
    except ValueError:
        network = None
    prefixes = int(parts["v4"] or 32), int(parts["v6"] or 128)
    wrong_network = parts["network"] and (network is None or f"ip{network.version}" != name)
    if wrong_network or prefixes[0] > 32 or prefixes[1] > 128:
        raise SpfFault(f"`{term}` has no valid address range")
    return Mechanism(_QUALIFIERS[start["qualifier"] or "+"], name, parts["domain"], network, prefixes)


@dataclass(slots=True)
class _Check:
    names: NameServers
    lookups: int = 0
    empty: int = 0

    def result(self, domain: str, address: Address) -> Result:
        texts = records(self.names.texts(domain))
        if not texts:
            return "none"
        if len(texts) > 1:
            raise SpfFault(f"{domain} has {len(texts)} SPF records")
        record = parse(texts[0])
        for mechanism in record.mechanisms:
            if self._matches(mechanism, domain, address):
                return mechanism.result
        if not record.redirect:
            return "neutral"
        self._count()
        redirected = self.result(record.redirect, address)
        if redirected == "none":
            raise SpfFault(f"`redirect={record.redirect}` leads to a domain without an SPF record")
        return redirected

    def _matches(self, mechanism: Mechanism, domain: str, address: Address) -> bool:
        target = mechanism.domain or domain
        if mechanism.name == "all":
            return True
        if mechanism.network is not None:
            return address in mechanism.network
        self._count()
        if mechanism.name == "ptr" or "%" in target:
            return False
        if mechanism.name == "include":
            included = self.result(target, address)
            if included == "none":
                raise SpfFault(f"`include:{target}` names a domain without an SPF record")
            return included == "pass"
        hosts = [target] if mechanism.name != "mx" else self._some(self.names.mail_hosts(target))
        if len(hosts) > MOST_LOOKUPS:
            raise SpfFault(f"`mx:{target}` names more than {MOST_LOOKUPS} mail servers")
        places = [place for host in hosts for place in self._some(self.names.addresses(host))]
        if mechanism.name == "exists":
            return bool(places)
        return any(_close(address, ipaddress.ip_address(place), mechanism.prefixes) for place in places)

    def _count(self) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise SpfFault(f"it needs more than {MOST_LOOKUPS} further lookups")

    def _some(self, answers: list[str]) -> list[str]:
        self.empty += not answers
        if self.empty > _MOST_VOID:
            raise SpfFault(f"more than {_MOST_VOID} of the names in it have no record")
        return answers


def _close(address: Address, other: Address, prefixes: tuple[int, int]) -> bool:
    if address.version != other.version:
        return False
    bits = prefixes[0] if address.version == 4 else prefixes[1]
    return address in ipaddress.ip_network(f"{other}/{bits}", strict=False)


def check(domain: str, address: Address, names: NameServers) -> Result:
    """Return whether `address` may send for `domain`. Raises `SpfFault` (a permanent error), `NotAnswered`."""
    return _Check(names).result(domain, address)
