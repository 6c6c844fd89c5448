"""Counting, in the front: a hit becomes sums, and registers that rise; the visitor behind it is forgotten at once.

Everything in here is memory. What is taken out of it, once for each group commit, is sealed to the worker. The address
and the agent go into a keyed hash and are not kept; the key comes from the launcher, changes at the site's midnight and
is never written (V1). Touches nothing.

A hit is counted in two steps, because a visitor belongs to one front and the hit may have come to another:
`Counter.told` says what of it is counted, without address and agent; `Counter.add` counts that, at the visitor's front.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

import msgspec

from troth.audience.counting import page_names, referrer_spam, user_agents
from troth.audience.counting.cells import ALL, DIMS, OF_A_VISIT, SKETCHED, Cell, Dim, Sums
from troth.audience.counting.hit import DIMS as DEEDS
from troth.audience.counting.hit import Hit, HitKind, language, screen
from troth.audience.counting.name_threshold import Known
from troth.audience.counting.page_names import Origin
from troth.audience.counting.registers import Registers, Rise
from troth.audience.counting.visits import Visits
from troth.core.networks import SITE_DIGITS


@dataclass(frozen=True, slots=True)
class Site:
    """What the operator said of the site."""

    hosts: Set[str]
    """The site's own hosts: a hit for another is dropped, a referrer from one is no source."""
    parameters: Set[str] = frozenset()
    """Query parameters that are part of a page."""
    hash_routes: bool = False
    """Whether a fragment such as `#/docs` is a page of its own."""
    pages: Set[str] = frozenset()
    """Pages that the operator listed: written as they are."""
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
    """As `core.networks.network_of` writes it."""
    agent: str
    languages: str = ""
    country: str = ""
    asked_not: bool = False
    """Global Privacy Control, or the visitor's own choice: not counted."""
    prefetched: bool = False
    elsewhere: bool = False
    """Sent by a page of another site."""
    proof: bool = False
    """Sent by a proof, which knows the published mark: counted by a counter of its own."""


class Told(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, repr_omit_defaults=True):
    """What of a hit is counted. It travels from front to front in memory, never further."""

    visitor: bytes
    """Sixteen bytes under the day's key: `visitor_of`."""
    bringer: bytes
    """Eight bytes under the day's key, of the address alone: one visitor with many agents brings a name once."""
    kind: HitKind
    page: str
    name: str = ""
    """Of an event, a download and the like."""
    seconds: int = 0
    about: dict[int, str] = {}
    """By `Dim.code`, what is known of a visit, without what is not."""
    proof: bool = False

    def __repr__(self) -> str:
        return f"<Told {self.kind.name}>"

    def sound(self) -> bool:
        """Whether `Counter.told` can have said this: it may come from a front that is captured."""
        texts = [self.page, self.name, *self.about.values()]
        return (
            len(self.visitor) == _VISITOR
            and len(self.bringer) == _BRINGER
            and all(len(text) <= page_names.LONGEST and text.isprintable() for text in texts)
        )


@dataclass(slots=True)
class Taken:
    """What one group commit carries: sums of one minute, and the registers that rose."""

    day: str
    hour: int
    sums: Sums
    risen: list[Rise] = field(default_factory=list)
    minute: int = 0
    fresh: bool = False
    """The first since this front began, or since something was lost: whoever was here may be counted again."""
    proof: bool = False
    """Of a proof's invented visitor, and of nobody else."""


_VISITOR, _BRINGER = 16, 8


def visitor_of(day_key: bytes, address: str, agent: str) -> bytes:
    """Sixteen bytes that stand for a visitor until midnight."""
    return blake2b(f"{address}\0{agent}".encode(), key=day_key, digest_size=_VISITOR, person=b"troth visitor").digest()


def _bringer_of(day_key: bytes, address: str) -> bytes:
    # A household has many networks of its site, a telephone a new one each time it comes: together they bring one name.
    site = address[:SITE_DIGITS].encode()
    return blake2b(site, key=day_key, digest_size=_BRINGER, person=b"troth bringer").digest()


class Counter:
    """All that one front counts. `day_key` is that of the day of the first hit; `proof`: of invented visitors."""

    def __init__(self, site: Site, known: Known, day_key: bytes, *, proof: bool = False) -> None:
        self.site, self.known, self._day_key, self._proof = site, known, day_key, proof
        self._visits, self._registers = Visits(), Registers(day_key)
        self._sums, self._risen, self._fresh = Sums(), list[Rise](), True

    def new_day(self, day_key: bytes) -> None:
        """Midnight: whoever comes now has never been here. What was counted is to be taken out before."""
        self._day_key = day_key
        self._visits.forget()
        self.known.new_day()
        self._registers = Registers(day_key)

    def take(self, at: datetime) -> Taken | None:
        """What has been counted since the last time; `at` is in the minute that it belongs to, in the site's zone."""
        if not len(self._sums) and not self._risen:
            return None
        taken = Taken(at.date().isoformat(), at.hour, self._sums, self._risen, at.minute, self._fresh, self._proof)
        self._sums, self._risen, self._fresh = Sums(), [], False
        return taken

    def lost(self) -> None:
        """What was taken out is not known to be safe: begin as after a restart, without what was counted since, so that
        no sum takes back what was never added, and no register that was not written counts as risen."""
        self._sums, self._risen = Sums(), []
        self._visits.forget()
        self._registers = Registers(self._day_key)
        self._fresh = True

    def tidy(self, now: float) -> None:
        """Forget the visits that have ended."""
        self._visits.tidy(now)

    def count(self, seen: Seen, now: float) -> str:
        """Count a hit. Returns why it was not, or nothing. `now`: seconds of a clock that only goes on."""
        told = self.told(seen)
        if isinstance(told, str):
            return told
        self.add(told, now)
        return ""

    # -- what of a hit is counted -----------------------------------------------------------------------------------

    def told(self, seen: Seen) -> Told | str:
        """What of a hit is to be added; or why nothing is, which is counted here; or "" where all of it was."""
        if seen.asked_not:
            self._sums.add(Cell(Dim.ASKED, ""), views=1)
            return "asked"
        hit = seen.hit
        if hit.kind is HitKind.PRODUCT:
            return self._count_product(hit, seen.address)
        agent = user_agents.told(seen.agent)
        if why := self._why_not(seen, agent):
            return self.dropped(why)
        visitor, bringer = visitor_of(self._day_key, seen.address, seen.agent), _bringer_of(self._day_key, seen.address)
        listed = self.known.names(Dim.PAGE)
        page = page_names.page(hit.url, self.site.parameters, routes=self.site.hash_routes, listed=listed)
        if hit.kind is HitKind.VIEW:
            return Told(visitor, bringer, hit.kind, page, about=self._about(seen, agent), proof=self._proof)
        if hit.kind is HitKind.TIME:
            return Told(visitor, bringer, hit.kind, page, seconds=hit.seconds, proof=self._proof)
        return Told(visitor, bringer, hit.kind, page, _deed(hit, page, listed), proof=self._proof)

    def dropped(self, why: str) -> str:
        """Count what is not counted, by the reason, which it returns."""
        self._sums.add(Cell(Dim.DROPPED, why), views=1)
        return why

    def _why_not(self, seen: Seen, agent: user_agents.Agent) -> str:
        hit = seen.hit
        if agent.dropped:
            return agent.dropped
        if seen.prefetched:
            return "prefetched"
        if seen.elsewhere or page_names.host(hit.url) not in self.site.hosts:
            return "another site"
        if referrer_spam.known(page_names.host(hit.referrer), self.site.spam):
            return "referrer spam"
        if hit.kind is HitKind.EVENT and hit.name not in self.site.events:
            return "undeclared event"
        return ""

    def _about(self, seen: Seen, agent: user_agents.Agent) -> dict[int, str]:
        """What is known of a visit, without what is not."""
        origin = page_names.origin(seen.hit.referrer, seen.hit.url, self.site.hosts)
        told = {
            **_from(origin),
            Dim.COUNTRY: seen.country,
            Dim.DEVICE: agent.device,
            Dim.BROWSER: agent.browser,
            Dim.SYSTEM: agent.system,
            Dim.LANGUAGE: language(seen.languages),
            Dim.SCREEN: screen(seen.hit.width),
        }
        return {dim.code: name for dim, name in told.items() if name}

    def _count_product(self, hit: Hit, address: str) -> str:
        """The vendor's program: product, version and system, nothing of who runs it."""
        version = page_names.mask(hit.version)[:20]
        if hit.name not in self.site.products or not version.replace(".", "").replace("-", "").isalnum():
            return self.dropped("undeclared product")
        # A version comes from outside, too: a program could put into it who runs it.
        named = self.known.told(Dim.PRODUCT, f"{hit.name} {version}", _bringer_of(self._day_key, address))
        if named == page_names.OTHER:
            named = f"{hit.name} {page_names.OTHER}"
        system = hit.system if hit.system in _SYSTEMS else "other"
        self._sums.add(Cell(Dim.PRODUCT, hit.name), views=1)
        self._sums.add(Cell(Dim.PRODUCT, named, Dim.SYSTEM, system), views=1)
        return ""

    # -- counting it ------------------------------------------------------------------------------------------------

    def add(self, told: Told, now: float) -> None:
        """Count at the visitor's own front. `now`: seconds of a clock that only goes on."""
        page = self.known.told(Dim.PAGE, told.page, told.bringer)
        if told.kind is HitKind.VIEW:
            self._add_view(told, page, now)
        elif told.kind is HitKind.TIME:
            self._visits.stayed(told.visitor, page, told.seconds, now, self._sums)
        elif told.kind in DEEDS:
            self._add_deed(told, page, now)

    def _add_view(self, told: Told, page: str, now: float) -> None:
        about = {
            dim: self.known.told(dim, name, told.bringer)
            for dim, name in ((DIMS[code], name) for code, name in told.about.items() if 0 <= code < len(DIMS))
            if dim in OF_A_VISIT
        }
        self._visits.view(told.visitor, page, about, now, self._sums)
        self._see(told.visitor, [ALL, Cell(Dim.PAGE, page), *(Cell(dim, name) for dim, name in about.items())])

    def _add_deed(self, told: Told, page: str, now: float) -> None:
        dim = DEEDS[told.kind]
        cell = Cell(dim, self.known.told(dim, told.name, told.bringer))
        if cell.name:
            self._visits.did(told.visitor, cell, page, now, self._sums)
            self._see(told.visitor, [cell])

    def _see(self, visitor: bytes, cells: list[Cell]) -> None:
        self._risen += self._registers.saw(visitor, [cell for cell in cells if cell.dim in SKETCHED])


_SYSTEMS = frozenset({"linux", "windows", "macos", "android", "ios", "freebsd"})


def _from(origin: Origin) -> Mapping[Dim, str]:
    return {Dim.SOURCE: origin.source, Dim.CHANNEL: origin.channel, Dim.CAMPAIGN: origin.campaign}


def _deed(hit: Hit, page: str, listed: Set[str]) -> str:
    """The name of what was done."""
    if hit.kind is HitKind.MISSING:
        return page
    if hit.kind is HitKind.DOWNLOAD:
        return page_names.page(hit.name, listed=listed)
    if hit.kind is HitKind.OUTBOUND:
        return page_names.mask(page_names.host(hit.name))
    return hit.name
