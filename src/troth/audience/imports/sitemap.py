"""The site's own pages, out of its sitemap or a list: these are counted by name, however few visitors they have.

A sitemap comes from outside and is read as hostile: no document type, no entity, so many bytes, so many pages. May
touch: this room's tables. Source of the format: the sitemaps.org protocol, version 0.9.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit
from xml.parsers import expat  # document types are refused, so nothing expands

from django.db import transaction

from troth.audience.counting import page_names
from troth.audience.counting.cells import Dim
from troth.audience.counting.name_threshold import FROM_OUTSIDE, MOST
from troth.audience.models import OwnPage
from troth.audience.queries import queries
from troth.audience.queries.periods import Period
from troth.core import clock
from troth.core.errors import TrothError

LARGEST = 50 * 1024 * 1024
"""Bytes of a sitemap, as the protocol has it."""
_LONGEST_KEPT = timedelta(days=800)
_LONGEST_ADDRESS = 2_048


class PagesError(TrothError):
    """A file that is no list of pages."""


@dataclass(slots=True)
class Listed:
    """What a file names."""

    addresses: dict[str, set[str]] = field(default_factory=dict)
    """By the page as it is counted, the addresses that are it, without their host."""
    elsewhere: int = 0
    """Addresses of other sites: not taken."""
    sitemaps: list[str] = field(default_factory=list)
    """Other sitemaps that it refers to. Nothing is fetched."""

    @property
    def pages(self) -> set[str]:
        """The pages, as they are counted."""
        return set(self.addresses)

    @property
    def merged(self) -> dict[str, list[str]]:
        """The pages that more than one address is."""
        return {page: sorted(some) for page, some in sorted(self.addresses.items()) if len(some) > 1}

    def take(self, other: "Listed") -> None:
        """What another file names, too."""
        for page, some in other.addresses.items():
            self.addresses.setdefault(page, set()).update(some)
        self.elsewhere += other.elsewhere
        self.sitemaps += other.sitemaps


@dataclass(frozen=True, slots=True)
class Change:
    """What a new list changes."""

    new: list[str]
    gone: list[str]
    stays: int
    left_out: int
    """Pages beyond the number that can be counted by name."""


def own_pages() -> frozenset[str]:
    """The pages that may be written whoever reads them, as `names.page` writes them."""
    return frozenset(OwnPage.objects.values_list("path", flat=True))


def known_names(pages: Iterable[str] = ()) -> list[tuple[Dim, str]]:
    """What a `Known` begins with: the site's own pages and `pages`, and what was written already because enough had
    brought it."""
    known = [(Dim.PAGE, path) for path in sorted({*own_pages(), *pages})]
    today = clock.now().date()
    kept = Period(today - _LONGEST_KEPT, today)
    for dim in sorted(FROM_OUTSIDE):
        known += [
            (dim, row.name) for row in queries.top(kept, dim, limit=MOST) if row.name not in {"", page_names.OTHER}
        ]
    return known


def read(data: bytes, hosts: Set[str], parameters: Set[str] = frozenset(), *, routes: bool = False) -> Listed:
    """What a sitemap, or a plain list with a path or an address a line, names. Raises `PagesError`."""
    if len(data) > LARGEST:
        raise PagesError("The list is too long.", mend=f"At most {LARGEST >> 20} MiB; split it.")
    listed = Listed()
    is_xml = data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    for address in _sitemap(data, listed) if is_xml else _lines(data):
        _take(address.strip(), listed, hosts, parameters, routes)
    return listed


def store(pages: Iterable[str], *, dry_run: bool = False) -> Change:
    """Make these the site's own pages, and no others; what that changes."""
    wanted = sorted(set(pages), key=lambda path: (path.count("/"), path))
    taken, there = set(wanted[:MOST]), own_pages()
    new, gone = sorted(taken - there), sorted(there - taken)
    if not dry_run:
        with transaction.atomic():
            OwnPage.objects.bulk_create([OwnPage(path=path) for path in new], batch_size=400, ignore_conflicts=True)
            for start in range(0, len(gone), 400):
                OwnPage.objects.filter(path__in=gone[start : start + 400]).delete()
    return Change(new, gone, len(taken & there), len(wanted) - len(taken))


def _take(address: str, listed: Listed, hosts: Set[str], parameters: Set[str], routes: bool) -> None:
    if not address or len(address) > _LONGEST_ADDRESS:
        return
    if not address.startswith("/") and page_names.host(address) not in hosts:
        listed.elsewhere += 1
        return
    split = urlsplit(address)
    own = urlunsplit(("", "", split.path or "/", split.query, split.fragment if routes else ""))
    listed.addresses.setdefault(page_names.plain_page(address, parameters, routes=routes), set()).add(own)


def _lines(data: bytes) -> list[str]:
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise PagesError("The list is no UTF-8 text.", mend="A path a line, such as /docs.") from None
    found = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith(("#", "/", "https://", "http://")):
            raise PagesError(f"Line {number} is no page.", mend="Write a path that begins with / or a whole address.")
    return found


def _sitemap(data: bytes, listed: Listed) -> list[str]:
    """The `loc` of each `url`; those of each `sitemap` go to `listed`."""
    reading = _Reading(listed)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler, parser.EndElementHandler = reading.begin, reading.end
    parser.CharacterDataHandler = reading.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise PagesError(
            f"Line {error.lineno} of the sitemap is not well-formed.", mend="Make the sitemap anew, then try again."
        ) from None
    except (ValueError, LookupError):
        raise PagesError("The sitemap's encoding is not known.", mend="Write it in UTF-8.") from None
    return reading.found


def _refuse(*_: object) -> None:
    raise PagesError("The sitemap declares a document type.", mend="A sitemap needs none: leave <!DOCTYPE> out.")


class _Reading:
    """Where the parser stands: how deep, in whose `loc`."""

    def __init__(self, listed: Listed) -> None:
        self.found: list[str] = []
        self._listed, self._path, self._text = listed, list[str](), list[str]()

    def begin(self, name: str, _attributes: object) -> None:
        if len(self._path) > 20:
            raise PagesError("The sitemap is nested too deeply.", mend="A sitemap is urlset, url, loc.")
        self._path.append(name.rpartition(" ")[2])
        self._text.clear()

    def text(self, data: str) -> None:
        if self._path[-1] == "loc" and sum(map(len, self._text)) <= _LONGEST_ADDRESS:
            self._text.append(data)

    def end(self, _name: str) -> None:
        if self._path[-2:] == ["url", "loc"]:
            self.found.append("".join(self._text).strip())
        elif self._path[-2:] == ["sitemap", "loc"]:
            self._listed.sitemaps.append("".join(self._text).strip())
        self._path.pop()
        self._text.clear()
