"""Counts hits in the front: each becomes sums and raised registers; address and user agent are discarded at once.

Everything here is in memory; each group commit takes a batch out and seals it to the worker. Address and agent go into
a hash whose key comes from the launcher, changes at the site's midnight and is never written (V1). Touches nothing.

Counting has two steps, because each visitor belongs to one front and a hit may reach another: `Counter.told` reduces a
hit to what is counted, without address and agent; `Counter.add` counts that at the visitor's front.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from troth.audience.counting import page_names, referrer_spam
from troth.audience.counting.cells import ALL, DIMS, OF_A_VISIT, SKETCHED, Cell, Dim, Sums
from troth.audience.counting.hit import DIMS as DEEDS
from troth.audience.counting.hit import Hit, HitKind, language, screen
from troth.audience.counting.name_threshold import NameThreshold
from troth.audience.counting.page_names import Origin
from troth.audience.counting.registers import DayRegisters, Rise
from troth.audience.counting.visits import Visits
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
    """Sixteen bytes under the day's key: see `visitor_of`."""
    bringer: bytes
    """Eight bytes of the address under the day's key: many user agents at one address bring a name once."""
    kind: HitKind
    page: str
    name: str = ""
    """The name of an event, a download and so on."""
    seconds: int = 0
    about: dict[int, str] = {}
    """The known attributes of the visit, by `Dim.code`."""
    proof: bool = False

    def __repr__(self) -> str:
        return f"<Told {self.kind.name}>"

    def sound(self) -> bool:
        """Return whether `Counter.told` can have produced this: another front may be compromised."""
        texts = [self.page, self.name, *self.about.values()]
        return (
            len(self.visitor) == _VISITOR
            and len(self.bringer) == _BRINGER
            and all(len(text) <= page_names.LONGEST and text.isprintable() for text in texts)
        )


@dataclass(slots=True)
class GroupCommit:
    """The batch of one group commit: the sums of one minute, and the raised registers."""

    day: str
    hour: int
    sums: Sums
    risen: list[Rise] = field(default_factory=list)
    minute: int = 0
    fresh: bool = False
    """Whether it is the first since a start or a loss, so that current visitors may be counted twice."""
    proof: bool = False
    """Whether it holds hits of a proof's invented visitor, and no others."""


_VISITOR, _BRINGER = 16, 8


def visitor_of(day_key: bytes, address: str, agent: str) -> bytes:
    """Return sixteen bytes that stand for a visitor until midnight."""
    return blake2b(f"{address}\0{agent}".encode(), key=day_key, digest_size=_VISITOR, person=b"troth visitor").digest()


def _bringer_of(day_key: bytes, address: str) -> bytes:
    # A household has many networks of one site, and a phone a new one each time: together they bring a name once.
    site = address[:SITE_DIGITS].encode()
    return blake2b(site, key=day_key, digest_size=_BRINGER, person=b"troth bringer").digest()


class Counter:
    """Counts the hits of one front. `day_key`: of the first hit's day; `proof`: for invented visitors."""

    def __init__(self, site: SiteFacts, names: NameThreshold, day_key: bytes, *, proof: bool = False) -> None:
        self.site, self.known, self._day_key, self._proof = site, names, day_key, proof
        self._visits, self._registers = Visits(), DayRegisters(day_key)
        self._sums, self._risen, self._fresh = Sums(), list[Rise](), True

    def new_day(self, day_key: bytes) -> None:
        """Start a new day, to which every visitor is new. Call `take` before."""
        self._day_key = day_key
        self._visits.forget()
        self.known.new_day()
        self._registers = DayRegisters(day_key)

    def take(self, at: datetime) -> GroupCommit | None:
        """Return the batch since the last call, or None. `at`: a moment of its minute, in the site's zone."""
        if not len(self._sums) and not self._risen:
            return None
        batch = GroupCommit(
            at.date().isoformat(), at.hour, self._sums, self._risen, at.minute, self._fresh, self._proof
        )
        self._sums, self._risen, self._fresh = Sums(), [], False
        return batch

    def lost(self) -> None:
        """Start over, because a batch may be lost: otherwise sums would subtract what was never added, and registers
        that were never written would count as raised."""
        self._sums, self._risen = Sums(), []
        self._visits.forget()
        self._registers = DayRegisters(self._day_key)
        self._fresh = True

    def tidy(self, now: float) -> None:
        """Forget the visits that have ended."""
        self._visits.tidy(now)

    def count(self, received: SeenHit, now: float) -> str:
        """Count a hit; return why it was not counted, or "". `now`: monotonic seconds."""
        countable = self.told(received)
        if isinstance(countable, str):
            return countable
        self.add(countable, now)
        return ""

    # -- reducing a hit --------------------------------------------------------------------------------------------

    def told(self, received: SeenHit) -> CountedHit | str:
        """Return what to count of a hit; or why nothing, which is counted here; or "" where all of it was."""
        if received.asked_not:
            self._sums.add(Cell(Dim.ASKED, ""), views=1)
            return "asked"
        hit = received.hit
        if hit.kind is HitKind.PRODUCT:
            return self._count_product(hit, received.address)
        agent = user_agents.told(received.agent)
        if why := self._why_not(received, agent):
            return self.dropped(why)
        visitor, bringer = (
            visitor_of(self._day_key, received.address, received.agent),
            _bringer_of(self._day_key, received.address),
        )
        listed = self.known.names(Dim.PAGE)
        page = page_names.page(hit.url, self.site.parameters, routes=self.site.hash_routes, listed=listed)
        if hit.kind is HitKind.VIEW:
            return CountedHit(visitor, bringer, hit.kind, page, about=self._about(received, agent), proof=self._proof)
        if hit.kind is HitKind.TIME:
            return CountedHit(visitor, bringer, hit.kind, page, seconds=hit.seconds, proof=self._proof)
        return CountedHit(visitor, bringer, hit.kind, page, _deed(hit, page, listed), proof=self._proof)

    def dropped(self, why: str) -> str:
        """Count a dropped hit by its reason, and return the reason."""
        self._sums.add(Cell(Dim.DROPPED, why), views=1)
        return why

    def _why_not(self, received: SeenHit, agent: "user_agents.Agent") -> str:
        hit = received.hit
        if agent.dropped:
            return agent.dropped
        if received.prefetched:
            return "prefetched"
        if received.elsewhere or page_names.host(hit.url) not in self.site.hosts:
            return "another site"
        if referrer_spam.known(page_names.host(hit.referrer), self.site.spam):
            return "referrer spam"
        if hit.kind is HitKind.EVENT and hit.name not in self.site.events:
            return "undeclared event"
        return ""

    def _about(self, received: SeenHit, agent: "user_agents.Agent") -> dict[int, str]:
        """Return the known attributes of a visit."""
        origin = page_names.origin(received.hit.referrer, received.hit.url, self.site.hosts)
        attributes = {
            **_from(origin),
            Dim.COUNTRY: received.country,
            Dim.DEVICE: agent.device,
            Dim.BROWSER: agent.browser,
            Dim.SYSTEM: agent.system,
            Dim.LANGUAGE: language(received.languages),
            Dim.SCREEN: screen(received.hit.width),
        }
        return {dim.code: name for dim, name in attributes.items() if name}

    def _count_product(self, hit: Hit, address: str) -> str:
        """Count an update check of the vendor's program: product, version and system only."""
        version = page_names.mask(hit.version)[:20]
        if hit.name not in self.site.products or not version.replace(".", "").replace("-", "").isalnum():
            return self.dropped("undeclared product")
        # A version comes from outside, too: a program could put a user's name into it.
        named = self.known.told(Dim.PRODUCT, f"{hit.name} {version}", _bringer_of(self._day_key, address))
        if named == page_names.OTHER:
            named = f"{hit.name} {page_names.OTHER}"
        system = hit.system if hit.system in _SYSTEMS else "other"
        self._sums.add(Cell(Dim.PRODUCT, hit.name), views=1)
        self._sums.add(Cell(Dim.PRODUCT, named, Dim.SYSTEM, system), views=1)
        return ""

    # -- counting it ------------------------------------------------------------------------------------------------

    def add(self, countable: CountedHit, now: float) -> None:
        """Count a reduced hit, at the visitor's front. `now`: monotonic seconds."""
        page = self.known.told(Dim.PAGE, countable.page, countable.bringer)
        if countable.kind is HitKind.VIEW:
            self._add_view(countable, page, now)
        elif countable.kind is HitKind.TIME:
            self._visits.stayed(countable.visitor, page, countable.seconds, now, self._sums)
        elif countable.kind in DEEDS:
            self._add_deed(countable, page, now)

    def _add_view(self, countable: CountedHit, page: str, now: float) -> None:
        about = {
            dim: self.known.told(dim, name, countable.bringer)
            for dim, name in ((DIMS[code], name) for code, name in countable.about.items() if 0 <= code < len(DIMS))
            if dim in OF_A_VISIT
        }
        self._visits.view(countable.visitor, page, about, now, self._sums)
        self._see(countable.visitor, [ALL, Cell(Dim.PAGE, page), *(Cell(dim, name) for dim, name in about.items())])

    def _add_deed(self, countable: CountedHit, page: str, now: float) -> None:
        dim = DEEDS[countable.kind]
        cell = Cell(dim, self.known.told(dim, countable.name, countable.bringer))
        if cell.name:
            self._visits.did(countable.visitor, cell, page, now, self._sums)
            self._see(countable.visitor, [cell])

    def _see(self, visitor: bytes, cells: list[Cell]) -> None:
        self._risen += self._registers.saw(visitor, [cell for cell in cells if cell.dim in SKETCHED])


_SYSTEMS = frozenset({"linux", "windows", "macos", "android", "ios", "freebsd"})


def _from(origin: Origin) -> Mapping[Dim, str]:
    return {Dim.SOURCE: origin.source, Dim.CHANNEL: origin.channel, Dim.CAMPAIGN: origin.campaign}


def _deed(hit: Hit, page: str, listed: Set[str]) -> str:
    """Return the name of an action."""
    if hit.kind is HitKind.MISSING:
        return page
    if hit.kind is HitKind.DOWNLOAD:
        return page_names.page(hit.name, listed=listed)
    if hit.kind is HitKind.OUTBOUND:
        return page_names.mask(page_names.host(hit.name))
    return hit.name
