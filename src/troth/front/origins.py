"""From whose page a request comes, so that no page of another site can act for a visitor. A browser says so by
`Sec-Fetch-Site` (Fetch Metadata, section 2.3) and `Origin` (Fetch, section 3.2), an old one by the referrer at most.
Touches nothing."""

from collections.abc import Iterable, Set
from typing import NamedTuple
from urllib.parse import urlsplit


class Whence(NamedTuple):
    """What a request's headers say of the page that it comes from. Empty: nothing."""

    site: str = ""
    """`Sec-Fetch-Site`."""
    origin: str = ""
    """`null` where the browser does not want to say."""
    referrer: str = ""
    """The origin in the referrer."""

    def is_of(self, origins: Set[str], hosts: Set[str] = frozenset()) -> bool | None:
        """Whether that page is our own, one of `origins` or at one of `hosts` (without `www.`). None: nobody knows."""
        if self.site in {"same-origin", "none"}:
            return True
        if self.site or self.origin:
            return _is_among(self.origin, origins, hosts)
        return _is_among(self.referrer, origins, hosts) if self.referrer else None


def told(headers: Iterable[tuple[bytes, bytes]]) -> Whence:
    """Return what the headers (names in lower case) say."""
    values = {name: value.decode("latin-1").strip() for name, value in headers if name in _NAMES}
    site, origin = values.get(b"sec-fetch-site", "").lower(), values.get(b"origin", "").lower()
    return Whence(site, origin, _origin_of(values.get(b"referer", "")))


_NAMES = frozenset({b"sec-fetch-site", b"origin", b"referer"})


def _origin_of(address: str) -> str:
    scheme, _, remainder = address.lower().partition("://")
    return f"{scheme}://{remainder.partition('/')[0]}" if remainder else ""


def _is_among(origin: str, origins: Set[str], hosts: Set[str]) -> bool:
    return origin in origins or host_of(origin) in hosts


def host_of(origin: str) -> str:
    """Return the host of an origin, without `www.`; nothing for `null`, and for what is none."""
    try:
        split = urlsplit(origin)
        return (split.hostname or "").removeprefix("www.") if split.scheme in {"https", "http"} else ""
    except ValueError:
        return ""
