"""Reads the site's own pages from a sitemap or a list: these are counted by name, however few visitors they have. A
sitemap is untrusted: no document type, no entities, limited bytes and pages. Source of the format: the sitemaps.org
protocol, version 0.9."""

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
from troth.audience.queries.periods import Period
from troth.audience.queries.queries import Query, answer
from troth.core import clock
from troth.core.errors import TrothError

LARGEST = 50 * 1024 * 1024
"""Bytes of a sitemap, as the protocol has it."""
_LONGEST_KEPT = timedelta(days=800)
_LONGEST_ADDRESS = 2_048


class PagesError(TrothError):
    """A file that is not a list of pages."""


@dataclass(slots=True)
class Listed:
    """The pages that a file lists."""

    addresses: dict[str, set[str]] = field(default_factory=dict)
    """The addresses of each page as it is counted, without their host."""
    elsewhere: int = 0
    """Number of addresses of other sites, which are skipped."""
    sitemaps: list[str] = field(default_factory=list)
    """Other sitemaps that it refers to. Nothing is fetched."""

    @property
    def pages(self) -> set[str]:
        """Return the pages as they are counted."""
        return set(self.addresses)

    @property
    def merged(self) -> dict[str, list[str]]:
        """Return the pages that several addresses share."""
        return {page: sorted(addresses) for page, addresses in sorted(self.addresses.items()) if len(addresses) > 1}

    def take(self, more: "Listed") -> None:
        """Add the pages of another file."""
        for page, addresses in more.addresses.items():
            self.addresses.setdefault(page, set()).update(addresses)
        self.elsewhere += more.elsewhere
        self.sitemaps += more.sitemaps


@dataclass(frozen=True, slots=True)
class PageListChange:
    """What a new list changes."""

    new: list[str]
    gone: list[str]
    stays: int
    left_out: int
    """Pages beyond the number that can be counted by name."""


def own_pages() -> frozenset[str]:
    """Return the listed pages, which are counted by name whoever reads them."""
    return frozenset(OwnPage.objects.values_list("path", flat=True))


def known_names(pages: Iterable[str] = ()) -> list[tuple[Dim, str]]:
    """Return the names to start a `Known` with: the listed pages, `pages`, and names that were written before."""
    names = [(Dim.PAGE, path) for path in sorted({*own_pages(), *pages})]
    today = clock.now().date()
    period = Period(today - _LONGEST_KEPT, today)
    for dim in sorted(FROM_OUTSIDE):
        top = answer(Query(period, dim=dim, limit=MOST)).rows
        names += [(dim, row.name) for row in top if row.name not in {"", page_names.OTHER}]
    return names


def read(data: bytes, hosts: Set[str], parameters: Set[str] = frozenset(), *, routes: bool = False) -> Listed:
    """Read a sitemap, or a plain list with a path or an address a line. Raises `PagesError`."""
    if len(data) > LARGEST:
        raise PagesError("The list is too long.", mend=f"Split it: at most {LARGEST >> 20} MiB a file.")
    listed = Listed()
    is_xml = data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    for address in _sitemap(data, listed) if is_xml else _lines(data):
        _take(address.strip(), listed, hosts, parameters, routes)
    return listed


def store(pages: Iterable[str], *, dry_run: bool = False) -> PageListChange:
    """Replace the listed pages with these; return what changes."""
    ordered = sorted(set(pages), key=lambda path: (path.count("/"), path))
    accepted, current = set(ordered[:MOST]), own_pages()
    new, removed = sorted(accepted - current), sorted(current - accepted)
    if not dry_run:
        with transaction.atomic():
            OwnPage.objects.bulk_create([OwnPage(path=path) for path in new], batch_size=400, ignore_conflicts=True)
            for start in range(0, len(removed), 400):
                OwnPage.objects.filter(path__in=removed[start : start + 400]).delete()
    return PageListChange(new, removed, len(accepted & current), len(ordered) - len(accepted))


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
        raise PagesError("The list is not UTF-8 text.", mend="Write one path a line, such as /docs.") from None
    pages = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith(("#", "/", "https://", "http://")):
            raise PagesError(f"Line {number} is not a page.", mend="Write a path that begins with / or a full address.")
    return pages


def _sitemap(data: bytes, listed: Listed) -> list[str]:
    """Return the `loc` of each `url`; those of each `sitemap` go to `listed`."""
    reading = _Reading(listed)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler, parser.EndElementHandler = reading.begin, reading.end
    parser.CharacterDataHandler = reading.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise PagesError(
            f"Line {error.lineno} of the sitemap is not well-formed.", mend="Generate the sitemap again, then retry."
        ) from None
    except (ValueError, LookupError):
        raise PagesError("The sitemap's encoding is unknown.", mend="Save it as UTF-8.") from None
    return reading.addresses


def _refuse(*_: object) -> None:
    raise PagesError("The sitemap declares a document type.", mend="Remove <!DOCTYPE>: a sitemap needs none.")


class _Reading:
    """Collects the addresses while the parser reads."""

    def __init__(self, listed: Listed) -> None:
        self.addresses: list[str] = []
        self._listed, self._path, self._text = listed, list[str](), list[str]()

    def begin(self, name: str, _attributes: object) -> None:
        if len(self._path) > 20:
            raise PagesError("The sitemap is nested too deeply.", mend="A sitemap has urlset, url and loc only.")
        self._path.append(name.rpartition(" ")[2])
        self._text.clear()

    def text(self, data: str) -> None:
        if self._path[-1] == "loc" and sum(map(len, self._text)) <= _LONGEST_ADDRESS:
            self._text.append(data)

    def end(self, _name: str) -> None:
        if self._path[-2:] == ["url", "loc"]:
            self.addresses.append("".join(self._text).strip())
        elif self._path[-2:] == ["sitemap", "loc"]:
            self._listed.sitemaps.append("".join(self._text).strip())
        self._path.pop()
        self._text.clear()
