"""Decides what a logged request counts as: a page view, a 404, a download, or nothing and why. Touches nothing.

Only what a person sees as a page is a page view: not images, scripts, feeds or redirects. The rules of live counting
apply as well: `audience.counting.counted_hit` drops bots, other sites and referrer spam.
"""

import re
from functools import lru_cache

from troth.audience.counting.hit import HitKind
from troth.audience.imports.log_formats import LoggedRequest

_DOWNLOAD = re.compile(r"zip|dmg|exe|msi|pkg|deb|rpm|gz|xz|7z|appimage|pdf|csv|apk|iso")
"""As in the snippet."""
_PAGE = re.compile(r"x?html?|shtml|php\d?|aspx?|jspx?|cgi|cfm|md")
_FEED = re.compile(r"(?:^|/)(?:feeds?|rss|atom)(?:/.*)?$|/comments/feed/?$")
_ENDING = re.compile(r"\.([A-Za-z0-9]{1,10})$")
_THERE, _GONE = frozenset({200, 304}), frozenset({404, 410})


class Sorting:
    """Sorts requests. `prefix`: the path under which Troth answers on the vendor's host."""

    def __init__(self, prefix: str = "") -> None:
        self._own = (f"{prefix}/",) if prefix else ("/hit", "/t.js")
        self._kind = lru_cache(maxsize=8_192)(self._kind_of)

    def sort(self, request: LoggedRequest) -> HitKind | str:
        """Return what a request counts as, or why it does not."""
        if request.method != "GET":
            return "not a GET"
        path = request.target.partition("?")[0]
        kind = self._kind(path)
        if not isinstance(kind, HitKind):
            return kind
        if request.status in _THERE:
            return kind if kind is HitKind.VIEW or request.status == 200 else "redirect or error"
        return HitKind.MISSING if request.status in _GONE and kind is HitKind.VIEW else "redirect or error"

    def _kind_of(self, path: str) -> HitKind | str:
        """Return what a path counts as."""
        if not path.startswith("/") or path.startswith("/.well-known/"):
            return "not a page"
        if path.startswith(self._own):
            return "Troth's own pages"
        ending = _ENDING.search(path)
        if ending is None:
            return "not a page" if _FEED.search(path) else HitKind.VIEW
        suffix = ending[1].lower()
        if _PAGE.fullmatch(suffix) or suffix.isdigit():  # /releases/4.1
            return HitKind.VIEW
        return HitKind.DOWNLOAD if _DOWNLOAD.fullmatch(suffix) else "not a page"
