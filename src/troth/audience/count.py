"""Counting, in the front: a hit becomes sums, and registers that rise; the visitor behind it is forgotten at once.

Everything in here is memory. What is taken out of it, once for each group commit, is sealed to the worker. The address
and the agent go into a keyed hash and are not kept; the key comes from the launcher, changes at the site's midnight and
is never written (V1). Touches nothing.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from troth.audience import agents, names
from troth.audience.cells import ALL, SKETCHED, Cell, Dim, Sums
from troth.audience.hit import DIMS, Hit, HitKind, language, screen
from troth.audience.known import Known
from troth.audience.names import Origin
from troth.audience.registers import Registers, Rise
from troth.audience.visits import Visits


@dataclass(frozen=True, slots=True)
class Site:
    """What the operator said of the site."""

    hosts: Set[str]
    """The site's own hosts: a hit for another is dropped, a referrer from one is no source."""
    parameters: Set[str] = frozenset()
    """Query parameters that are part of a page."""
    events: Set[str] = frozenset()
    """Events that are counted; others are dropped."""
    products: Set[str] = frozenset()
    spam: Set[str] = frozenset()
    """Hosts whose referrers are no visits."""


@dataclass(frozen=True, slots=True, repr=False)
class Seen:
    """A hit with what came with it. It has no `repr`: it knows an address and an agent."""

    hit: Hit
    address: str
    agent: str
    languages: str = ""
    country: str = ""
    asked_not: bool = False
    """Global Privacy Control, or the visitor's own choice: not counted."""
    prefetched: bool = False


@dataclass(slots=True)
class Taken:
    """What one group commit carries: sums of one hour, and the registers that rose."""

    day: str
    hour: int
    sums: Sums
    risen: list[Rise] = field(default_factory=list)


def visitor_of(day_key: bytes, address: str, agent: str) -> bytes:
    """Sixteen bytes that stand for a visitor until midnight."""
    return blake2b(f"{address}\0{agent}".encode(), key=day_key, digest_size=16, person=b"troth visitor").digest()


class Counter:
    """All that one front counts. `day_key` is that of the day of the first hit."""

    def __init__(self, site: Site, known: Known, day_key: bytes) -> None:
        self._site, self._known, self._day_key = site, known, day_key
        self._visits, self._registers = Visits(), Registers(day_key)
        self._sums, self._risen = Sums(), list[Rise]()

    def new_day(self, day_key: bytes) -> None:
        """Midnight: whoever comes now has never been here. What was counted is to be taken out before."""
        self._day_key = day_key
        self._visits.forget()
        self._known.new_day()
        self._registers = Registers(day_key)

    def take(self, at: datetime) -> Taken | None:
        """What has been counted since the last time; `at` is in the hour that it belongs to, in the site's zone."""
        if not len(self._sums) and not self._risen:
            return None
        taken = Taken(at.date().isoformat(), at.hour, self._sums, self._risen)
        self._sums, self._risen = Sums(), []
        return taken

    def tidy(self, now: float) -> None:
        """Forget the visits that have ended."""
        self._visits.tidy(now)

    def count(self, seen: Seen, now: float) -> str:
        """Count a hit. Returns why it was not, or nothing. `now`: seconds of a clock that only goes on."""
        if seen.asked_not:
            self._sums.add(Cell(Dim.ASKED, ""), views=1)
            return "asked"
        hit = seen.hit
        if hit.kind is HitKind.PRODUCT:
            return self._count_product(hit)
        agent = agents.told(seen.agent)
        if why := self._why_not(seen, agent):
            self._sums.add(Cell(Dim.DROPPED, why), views=1)
            return why
        visitor = visitor_of(self._day_key, seen.address, seen.agent)
        page = self._known.told(Dim.PAGE, names.page(hit.url, self._site.parameters), visitor)
        if hit.kind is HitKind.VIEW:
            self._count_view(seen, agent, visitor, page, now)
        elif hit.kind is HitKind.TIME:
            self._visits.stayed(visitor, page, hit.seconds, now, self._sums)
        else:
            self._count_deed(hit, visitor, page, now)
        return ""

    # -- one kind each ----------------------------------------------------------------------------------------------

    def _why_not(self, seen: Seen, agent: agents.Agent) -> str:
        hit = seen.hit
        if agent.dropped:
            return agent.dropped
        if seen.prefetched:
            return "prefetched"
        if names.host(hit.url) not in self._site.hosts:
            return "another site"
        if names.host(hit.referrer) in self._site.spam:
            return "referrer spam"
        if hit.kind is HitKind.EVENT and hit.name not in self._site.events:
            return "undeclared event"
        return ""

    def _count_view(self, seen: Seen, agent: agents.Agent, visitor: bytes, page: str, now: float) -> None:
        about = self._about(seen, agent, visitor)
        self._visits.view(visitor, page, about, now, self._sums)
        self._see(visitor, [ALL, Cell(Dim.PAGE, page), *(Cell(dim, name) for dim, name in about.items())])

    def _about(self, seen: Seen, agent: agents.Agent, visitor: bytes) -> Mapping[Dim, str]:
        """What is known of a visit, without what is not."""
        origin = names.origin(seen.hit.referrer, seen.hit.url, self._site.hosts)
        told = {
            **_from(origin),
            Dim.COUNTRY: seen.country,
            Dim.DEVICE: agent.device,
            Dim.BROWSER: agent.browser,
            Dim.SYSTEM: agent.system,
            Dim.LANGUAGE: language(seen.languages),
            Dim.SCREEN: screen(seen.hit.width),
        }
        return {dim: self._known.told(dim, name, visitor) for dim, name in told.items() if name}

    def _count_deed(self, hit: Hit, visitor: bytes, page: str, now: float) -> None:
        dim = DIMS[hit.kind]
        name = hit.name
        if dim is Dim.MISSING:
            name = names.page(hit.url, self._site.parameters)
        elif dim is Dim.DOWNLOAD:
            name = names.page(hit.name)
        elif dim is Dim.OUTBOUND:
            name = names.mask(names.host(hit.name))
        cell = Cell(dim, self._known.told(dim, name, visitor))
        if cell.name:
            self._visits.did(visitor, cell, page, now, self._sums)
            self._see(visitor, [cell])

    def _count_product(self, hit: Hit) -> str:
        """The vendor's program: product, version and system, nothing of who runs it."""
        version = names.mask(hit.version)[:20]
        if hit.name not in self._site.products or not version.replace(".", "").replace("-", "").isalnum():
            self._sums.add(Cell(Dim.DROPPED, "undeclared product"), views=1)
            return "undeclared product"
        system = hit.system if hit.system in _SYSTEMS else "other"
        self._sums.add(Cell(Dim.PRODUCT, hit.name), views=1)
        self._sums.add(Cell(Dim.PRODUCT, f"{hit.name} {version}", Dim.SYSTEM, system), views=1)
        return ""

    def _see(self, visitor: bytes, cells: list[Cell]) -> None:
        self._risen += self._registers.saw(visitor, [cell for cell in cells if cell.dim in SKETCHED])


_SYSTEMS = frozenset({"linux", "windows", "macos", "android", "ios", "freebsd"})


def _from(origin: Origin) -> dict[Dim, str]:
    return {Dim.SOURCE: origin.source, Dim.CHANNEL: origin.channel, Dim.CAMPAIGN: origin.campaign}
