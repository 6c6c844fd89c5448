"""Tell whether two hosts are one site to a browser, which then sends a cookie of one along from a page of the other.
Knows the most frequent public suffixes, and else takes the last two names for the site. Source: RFC 6265bis, section
5.2."""

import ipaddress
from collections.abc import Iterable

_SECOND_LEVEL = frozenset("ac co com edu gob go gov gv id in ltd me mil ne net nom or org plc sch".split())
"""Under a country, what is a suffix as `co.uk` is."""
_HOSTERS = frozenset(
    "github.io gitlab.io pages.dev workers.dev netlify.app vercel.app herokuapp.com azurewebsites.net cloudfront.net "
    "web.app firebaseapp.com onrender.com fly.dev blogspot.com readthedocs.io codeberg.page surge.sh".split()
)
"""Under these each name is somebody else's."""
_COUNTRY = 2


def site_of(host: str) -> str:
    """Return the registrable domain of a host, or the host itself where it has none: an address, `localhost`."""
    host = host.lower().rstrip(".")
    labels = host.split(".")
    if len(labels) < _COUNTRY + 1 or _is_address(host):
        return host
    suffix = ".".join(labels[-2:])
    is_suffix = suffix in _HOSTERS or (len(labels[-1]) == _COUNTRY and labels[-2] in _SECOND_LEVEL)
    return ".".join(labels[-3:] if is_suffix else labels[-2:])


def same_site(first: str, second: str) -> bool:
    """Whether both hosts are one site, under the same scheme."""
    return site_of(first) == site_of(second)


def apart(host: str, hosts: Iterable[str]) -> list[str]:
    """Return those of the other hosts that are not one site with this one, in order."""
    return sorted(candidate for candidate in hosts if not same_site(host, candidate))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
