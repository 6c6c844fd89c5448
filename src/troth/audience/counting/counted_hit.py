"""Reduces a hit to what is counted of it: pages, sources and so on, without address and user agent. Touches nothing.

Address and user agent go into a hash whose key comes from the launcher, changes at the site's midnight and is never
written (V1).
"""

from collections.abc import Set
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from troth.audience.counting import page_names, referrer_spam
from troth.audience.counting.cells import Dim
from troth.audience.counting.hit import Hit, HitKind, language, screen
from troth.core.lazy import lazy
from troth.core.networks import SITE_DIGITS

if TYPE_CHECKING:
    from troth.audience.counting import user_agents
else:  # its patterns take long to compile, and only fronts count: they import it when they start
    user_agents = lazy("troth.audience.counting.user_agents")


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """The settings of the site."""

    hosts: Set[str]
    """The site's own hosts: hits for others are dropped, referrers from these are not sources."""
    parameters: Set[str] = frozenset()
    """Query parameters that are part of a page."""
    hash_routes: bool = False
    """Whether a fragment such as `#/docs` is a page."""
    pages: Set[str] = frozenset()
    """Listed pages, which are stored as they are."""
    events: Set[str] = frozenset()
    """Events that are counted; others are dropped."""
    products: Set[str] = frozenset()
    spam: Set[str] = frozenset()
    """Referring hosts whose hits are dropped as spam."""


@dataclass(frozen=True, slots=True, repr=False)
class SeenHit:
    """A hit as received. It has no `repr`, because it holds an address and a user agent."""

    hit: Hit
    address: str
    """As `core.networks.network_of` writes it."""
    agent: str
    languages: str = ""
    country: str = ""
    asked_not: bool = False
    """Whether the visitor opted out, by Global Privacy Control or on the site."""
    prefetched: bool = False
    elsewhere: bool = False
    """Whether a page of another site sent it."""
    proof: bool = False
    """Whether a proof sent it, which knows the published mark: it goes to a separate counter."""


class CountedHit(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, repr_omit_defaults=True):
    """What is counted of a hit. It moves between fronts in memory only."""

    visitor: bytes
    """Sixteen bytes under the day's key: see `visitor_of`. Empty for an update check, which belongs to no visit."""
    bringer: bytes
    """Eight bytes of the address under the day's key: many user agents at one address bring a name once."""
    kind: HitKind
    page: str
    name: str = ""
    """The name of an event, a download, a product and so on."""
    seconds: int = 0
    about: dict[int, str] = {}
    """The known attributes of the visit, or of the product, by `Dim.code`."""
    proof: bool = False

    def __repr__(self) -> str:
        return f"<CountedHit {self.kind.name}>"

    def sound(self) -> bool:
        """Return whether a front can have sent this to the visitor's front: another one may be compromised."""
        texts = [self.page, self.name, *self.about.values()]
        return (
            len(self.visitor) == _VISITOR
            and len(self.bringer) == _BRINGER
            and all(len(text) <= page_names.LONGEST and text.isprintable() for text in texts)
        )


ASKED = "asked"
"""Why a hit is not counted whose visitor opted out."""
_VISITOR, _BRINGER = 16, 8


def counted_hit(received: SeenHit, site: SiteFacts, day_key: bytes, listed: Set[str]) -> CountedHit | str:
    """Return what is counted of a hit, or why it is not counted. `listed`: pages that are stored as they are."""
    hit = received.hit
    if received.asked_not:
        return ASKED
    if hit.kind is HitKind.PRODUCT:
        return _update_check(received, site, day_key)
    agent = user_agents.parse(received.agent)
    if why := _why_not(received, agent, site):
        return why
    page = page_names.page(hit.url, site.parameters, routes=site.hash_routes, listed=listed)
    return CountedHit(
        visitor_of(day_key, received.address, received.agent),
        _bringer_of(day_key, received.address),
        hit.kind,
        page,
        _name(hit, page, listed),
        hit.seconds if hit.kind is HitKind.TIME else 0,
        _about(received, agent, site) if hit.kind is HitKind.VIEW else {},
        received.proof,
    )


def visitor_of(day_key: bytes, address: str, agent: str) -> bytes:
    """Return sixteen bytes that stand for a visitor until midnight."""
    return blake2b(f"{address}\0{agent}".encode(), key=day_key, digest_size=_VISITOR, person=b"troth visitor").digest()


def _bringer_of(day_key: bytes, address: str) -> bytes:
    # A household has many networks of one site, and a phone a new one each time: together they bring a name once.
    network = address[:SITE_DIGITS].encode()
    return blake2b(network, key=day_key, digest_size=_BRINGER, person=b"troth bringer").digest()


def _why_not(received: SeenHit, agent: "user_agents.Agent", site: SiteFacts) -> str:
    hit = received.hit
    if agent.dropped:
        return agent.dropped
    if received.prefetched:
        return "prefetched"
    if received.elsewhere or page_names.host(hit.url) not in site.hosts:
        return "another site"
    if referrer_spam.known(page_names.host(hit.referrer), site.spam):
        return "referrer spam"
    if hit.kind is HitKind.EVENT and hit.name not in site.events:
        return "undeclared event"
    return ""


def _about(received: SeenHit, agent: "user_agents.Agent", site: SiteFacts) -> dict[int, str]:
    """Return the known attributes of a visit."""
    origin = page_names.origin(received.hit.referrer, received.hit.url, site.hosts)
    attributes = {
        Dim.SOURCE: origin.source,
        Dim.CHANNEL: origin.channel,
        Dim.CAMPAIGN: origin.campaign,
        Dim.COUNTRY: received.country,
        Dim.DEVICE: agent.device,
        Dim.BROWSER: agent.browser,
        Dim.SYSTEM: agent.system,
        Dim.LANGUAGE: language(received.languages),
        Dim.SCREEN: screen(received.hit.width),
    }
    return {dim.code: name for dim, name in attributes.items() if name}


def _name(hit: Hit, page: str, listed: Set[str]) -> str:
    """Return the name of an action; empty for a page view and for time on page."""
    if hit.kind is HitKind.EVENT:
        return hit.name
    if hit.kind is HitKind.MISSING:
        return page
    if hit.kind is HitKind.DOWNLOAD:
        return page_names.page(hit.name, listed=listed)
    if hit.kind is HitKind.OUTBOUND:
        return page_names.mask(page_names.host(hit.name))
    return ""


def _update_check(received: SeenHit, site: SiteFacts, day_key: bytes) -> CountedHit | str:
    """Return an update check of the vendor's program: product, version and system only."""
    hit = received.hit
    version = page_names.mask(hit.version)[:20]
    if hit.name not in site.products or not version.replace(".", "").replace("-", "").isalnum():
        return "undeclared product"
    system = hit.system if hit.system in _SYSTEMS else "other"
    about = {Dim.PRODUCT.code: f"{hit.name} {version}", Dim.SYSTEM.code: system}
    bringer = _bringer_of(day_key, received.address)
    return CountedHit(b"", bringer, hit.kind, "", hit.name, about=about, proof=received.proof)


_SYSTEMS = frozenset({"linux", "windows", "macos", "android", "ios", "freebsd"})
