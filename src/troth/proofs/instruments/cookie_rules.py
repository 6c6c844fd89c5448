"""What a browser does with a cookie: whether it stores it, and with which requests it sends it, as the strictest common
browsers do, so that no proof assumes that a cookie comes back. Source: RFC 6265bis, sections 5.4, 5.7 and 5.8."""

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import SplitResult, urlsplit

from troth.core.networks import is_local_site
from troth.core.same_site import same_site, site_of


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that a browser stores."""

    name: str
    value: str
    host: str
    only_this_host: bool
    path: str
    secure: bool
    same_site: str
    """`strict`, `lax` or `none`."""


def kept(set_cookie: str, address: str) -> Cookie | None:
    """Return the cookie that a `Set-Cookie` header in a response from `address` sets; None if a browser refuses or
    deletes it."""
    at = urlsplit(address)
    host = at.hostname or ""
    try:
        (morsel,) = SimpleCookie(set_cookie).values()
    except (CookieError, ValueError):
        return None
    domain = morsel["domain"].lstrip(".").lower()
    if domain and (not _is_under(host, domain) or len(domain) < len(site_of(host))):
        return None
    secure, cross = bool(morsel["secure"]), (morsel["samesite"] or "lax").lower()
    if (secure and not _is_safe(at)) or (cross == "none" and not secure) or morsel["max-age"] in {"0", 0}:
        return None
    if morsel.key.startswith("__Host-") and (domain or morsel["path"] != "/" or not secure):
        return None
    path = morsel["path"] if morsel["path"].startswith("/") else at.path.rpartition("/")[0] or "/"
    return Cookie(morsel.key, morsel.value, domain or host, not domain, path, secure, cross)


def is_sent(cookie: Cookie, to: str, page: str) -> bool:
    """Return whether a browser sends the cookie with a request from a script on `page` to `to`."""
    at, whence = urlsplit(to), urlsplit(page)
    host = at.hostname or ""
    right = host == cookie.host if cookie.only_this_host else _is_under(host, cookie.host)
    # Same site is same scheme, too; `none` crosses by the letter, but no longer in every browser.
    is_same_site = at.scheme == whence.scheme and same_site(host, whence.hostname or "")
    return right and is_same_site and _is_below(at.path or "/", cookie.path) and (not cookie.secure or _is_safe(at))


def _is_under(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _is_below(path: str, of: str) -> bool:
    return path == of or path.startswith(of if of.endswith("/") else f"{of}/")


def _is_safe(at: SplitResult) -> bool:
    return at.scheme == "https" or is_local_site(at.hostname or "")
