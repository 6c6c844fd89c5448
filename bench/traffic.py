"""Visits as real sites have them, made from a seed: as hits for a counter, or at once as the cells that they become.

Pages by Zipf's law, visits that are mostly short and sometimes long (log-normal), a rhythm of day and week, sources,
campaigns, countries, agents, bounces, steps, time spent, events, downloads. Both ways come from the same drawn day, and
`tests/audience/storage/test_traffic.py` holds that the cells are those that counter and tally make of the hits.

    day = draw(World(), date(2026, 11, 25), hits=274_000)
    hits(day)      -> (second of the day, Seen), in order of time
    cells(day)     -> kind -> {(name, by): figures}, names as numbers of `World.names`; and by the hour
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np

from troth.audience.counting import user_agents
from troth.audience.counting.cells import PAIRED, SKETCHED, Dim
from troth.audience.counting.counted_hit import SeenHit, SiteFacts
from troth.audience.counting.hit import Hit, HitKind, language, screen
from troth.audience.counting.page_names import OTHER, Origin, origin
from troth.audience.storage.column_block import UNCOUNTED, Figures, Key
from troth.audience.storage.fold import HOURLY, MOST_ALONE, MOST_TOGETHER, kind_of

Ints = np.ndarray[Any, np.dtype[np.int64]]
HOST = "www.example.com"
_DAY = 86_400
_DENSE = 3_000_000
_LONGEST_VISIT = 40
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{1}.6 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36 "
    "Edg/{0}.0.0.0",
    "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{1}.7 "
    "Mobile/15E148 Safari/604.1",
)
_WIDTHS = (390, 768, 1280, 1920)
_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "pt", "ja", "zh", "ru", "tr", "sv", "cs", "ko")
_REFERRERS = (
    "",
    "https://www.google.com/",
    "https://www.bing.com/",
    "https://duckduckgo.com/",
    "https://t.co/",
    "https://www.reddit.com/",
    "https://news.ycombinator.com/",
    "https://chatgpt.com/",
    "https://mail.example/",
)


@dataclass(frozen=True)
class World:
    """What there is to be visited, and by whom."""

    pages: int = 5_000
    sources: int = 400
    campaigns: int = 40
    countries: int = 120
    seed: int = 5

    @cached_property
    def names(self) -> list[str]:
        """Every name there is; the place in it is the number that `cells` uses. The first is the empty name."""
        texts = {"": None, OTHER: None}
        for column in self.texts.values():
            texts.update(dict.fromkeys(column))
        return list(texts)

    @cached_property
    def texts(self) -> dict[Dim, list[str]]:
        """The names of each kind."""
        told = [user_agents.parse(agent) for agent in self.agents]
        return {
            Dim.PAGE: self.page_names,
            Dim.SOURCE: [one.source for one in self.origins],
            Dim.CHANNEL: [one.channel for one in self.origins],
            Dim.CAMPAIGN: [one.campaign for one in self.origins],
            Dim.COUNTRY: [f"{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(self.countries)],
            Dim.DEVICE: [one.device for one in told],
            Dim.BROWSER: [one.browser for one in told],
            Dim.SYSTEM: [one.system for one in told],
            Dim.LANGUAGE: [language(one) for one in _LANGUAGES],
            Dim.SCREEN: [screen(one) for one in _WIDTHS],
            Dim.EVENT: ["trial", "buy", "search"],
            Dim.DOWNLOAD: [f"/files/plainbook-{n}.zip" for n in range(20)],
            Dim.OUTBOUND: [f"partner-{n}.example" for n in range(30)],
        }

    @cached_property
    def page_names(self) -> list[str]:
        """`/`, and pages in some folders."""
        folders = ("docs", "blog", "help", "forum", "news")
        return ["/", *(f"/{folders[n % len(folders)]}/page-{n}" for n in range(1, self.pages))]

    @cached_property
    def agents(self) -> list[str]:
        """Agents of some browsers in some versions."""
        return [agent.format(version, version // 8) for version in (138, 139, 140, 141) for agent in _AGENTS]

    @cached_property
    def referrers(self) -> list[str]:
        """Where visits come from: direct, well-known ones, and many small ones."""
        return [*_REFERRERS, *(f"https://blog-{n}.example/" for n in range(self.sources - len(_REFERRERS)))]

    @cached_property
    def origins(self) -> list[Origin]:
        """What a counter makes of each source with no campaign, then of the first with each campaign."""
        plain = [origin(one, f"https://{HOST}/", {HOST}) for one in self.referrers]
        return plain + [
            origin(self.referrers[n % 9], f"https://{HOST}/?utm_campaign=c-{n}", {HOST}) for n in range(self.campaigns)
        ]

    @property
    def site(self) -> SiteFacts:
        """As a counter knows it."""
        return SiteFacts(frozenset({HOST, HOST.removeprefix("www.")}), events=frozenset(self.texts[Dim.EVENT]))

    @property
    def known(self) -> list[tuple[Dim, str]]:
        """Names that may be written from the start."""
        return [(dim, text) for dim, texts in self.texts.items() for text in texts]


@dataclass(slots=True)
class Drawn:
    """One day. Visits are in order of their start, views by visit and then by time."""

    world: World
    day: date
    visitor: Ints
    start: Ints
    about: dict[Dim, Ints]
    """For each visit, the place in `World.texts`."""
    agent: Ints
    came: Ints
    width: Ints
    """Places: in `World.agents`, in `World.origins`, of a width."""
    visit: Ints
    order: Ints
    page: Ints
    at: Ints
    stayed: Ints
    """For each view; seconds of the day, seconds."""
    deed_view: Ints
    deed_dim: Ints
    deed_name: Ints
    """What was done, during which view."""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def hits(self) -> int:
        """How many hits there are: views, times and deeds."""
        return len(self.visit) + int((self.stayed > 0).sum()) + len(self.deed_view)


_DEEDS = (Dim.EVENT, Dim.DOWNLOAD, Dim.OUTBOUND)


def _zipf(drawn: np.random.Generator, size: int, many: int, power: float) -> Ints:
    """Places from 0, the first the most frequent."""
    weights = 1.0 / np.arange(1, size + 1) ** power
    return np.searchsorted(np.cumsum(weights) / weights.sum(), drawn.random(many), side="right").clip(0, size - 1)


_RHYTHM = np.array([2, 1, 1, 1, 1, 2, 3, 5, 8, 10, 11, 11, 10, 10, 11, 11, 10, 9, 8, 8, 8, 7, 5, 3], dtype=float)
_WEEK = (1.15, 1.2, 1.15, 1.1, 1.0, 0.7, 0.7)
_HITS_A_VISIT = 4.77
"""Measured: views, times and deeds."""


def draw(world: World, day: date, hits: int) -> Drawn:
    """A day of about so many hits, more on working days."""
    drawn = np.random.default_rng([world.seed, day.toordinal(), hits])
    many = max(1, int(drawn.poisson(hits * _WEEK[day.weekday()] / _HITS_A_VISIT)))
    hour = drawn.choice(24, size=many, p=_RHYTHM / _RHYTHM.sum())
    start = np.sort((hour * 3600 + drawn.integers(0, 3600, many)).clip(0, _DAY - 5))
    came = _zipf(drawn, world.sources, many, 1.1)
    campaigned = drawn.random(many) < 0.08
    came[campaigned] = world.sources + _zipf(drawn, world.campaigns, int(campaigned.sum()), 1.0)
    country, agent = _zipf(drawn, world.countries, many, 1.2), _zipf(drawn, len(world.agents), many, 0.7)
    tongue = np.where(drawn.random(many) < 0.7, country % len(_LANGUAGES), drawn.integers(0, 3, many))
    width = drawn.integers(0, len(_WIDTHS), many)
    views = _views(drawn, many)
    visit = np.repeat(np.arange(many), views)
    begins = np.concatenate([[0], np.cumsum(views)[:-1]])
    order = np.arange(len(visit)) - begins[visit]
    page = _pages(drawn, world, order)
    stayed = _stays(drawn, len(visit))
    at = _times(start, stayed, visit, begins)
    keep = at < _DAY - 2_000  # nobody is here at midnight: it would be a second visit
    keep |= order == 0
    visit, order, page, at, stayed = (one[keep] for one in (visit, order, page, at, stayed))
    stayed = np.where(at + stayed < _DAY - 1, stayed, 0)
    about = {
        Dim.SOURCE: came, Dim.CHANNEL: came, Dim.CAMPAIGN: came, Dim.COUNTRY: country, Dim.DEVICE: agent,
        Dim.BROWSER: agent, Dim.SYSTEM: agent, Dim.LANGUAGE: tongue, Dim.SCREEN: width,
    }  # fmt: skip
    done = np.flatnonzero(drawn.random(len(visit)) < 0.06)
    dims = drawn.choice(3, size=len(done), p=[0.6, 0.15, 0.25])
    sizes = np.array([len(world.texts[dim]) for dim in _DEEDS])
    names = (drawn.random(len(done)) ** 2 * sizes[dims]).astype(np.int64)
    return Drawn(
        world, day, _visitors(drawn, start, agent), start, about, agent, came, width, visit, order, page, at, stayed,
        done, dims, names,
    )  # fmt: skip


def _views(drawn: np.random.Generator, many: int) -> Ints:
    """Most visits see one page; the others a log-normal number."""
    more = (2 + drawn.lognormal(0.9, 0.8, many)).astype(np.int64).clip(2, _LONGEST_VISIT)
    return np.where(drawn.random(many) < 0.55, 1, more)


def _pages(drawn: np.random.Generator, world: World, order: Ints) -> Ints:
    """Visits begin on the front page or deep inside, and go on among what is near."""
    page = _zipf(drawn, world.pages, len(order), 1.0)
    near = (drawn.random(len(order)) < 0.35) & (order > 0)
    shifted = np.concatenate([page[:1], page[:-1]])
    page[near] = (shifted[near] + drawn.integers(1, 8, int(near.sum()))) % world.pages
    return page


def _stays(drawn: np.random.Generator, many: int) -> Ints:
    """Seconds really looked, a third of them never told."""
    told = drawn.lognormal(3.4, 1.1, many).astype(np.int64).clip(1, 1_500)
    return np.where(drawn.random(many) < 0.67, told, 0)


def _times(start: Ints, stayed: Ints, visit: Ints, begins: Ints) -> Ints:
    """A page is left two seconds after it was looked at."""
    spent = np.cumsum(stayed + 2)
    before = np.concatenate([[0], spent[:-1]])
    return start[visit] + before - before[begins][visit]


def _visitors(drawn: np.random.Generator, start: Ints, agent: Ints) -> Ints:
    """One in eight comes again on the same day, hours later and with the same browser."""
    visitor = np.arange(len(start))
    early = np.flatnonzero(start < _DAY // 3)
    late = np.flatnonzero(start > _DAY * 0.85)
    again = min(len(early), len(late), len(start) // 8)
    for one, other in zip(early[:again], late[:again], strict=True):
        if agent[one] == agent[other]:
            visitor[other] = one
    return visitor


# -- as hits ----------------------------------------------------------------------------------------------------------


def hits(day: Drawn) -> Iterator[tuple[int, SeenHit]]:
    """The hits in order of time: second of the day, and what a front sees."""
    done: dict[int, list[int]] = {}
    for deed, view in enumerate(day.deed_view.tolist()):
        done.setdefault(view, []).append(deed)
    events: list[tuple[int, int, SeenHit]] = []
    for view, (visit, order) in enumerate(zip(day.visit.tolist(), day.order.tolist(), strict=True)):
        at = int(day.at[view])
        for place, (later, hit) in enumerate(_of_view(day, view, visit, order, done.get(view, []))):
            events.append((at + later, view * 8 + place, _seen(day, visit, hit)))
    events.sort(key=lambda one: one[:2])
    return ((at, seen) for at, _, seen in events)


def _of_view(day: Drawn, view: int, visit: int, order: int, done: list[int]) -> Iterator[tuple[int, Hit]]:
    world, url = day.world, f"https://{HOST}{day.world.page_names[day.page[view]]}"
    came = int(day.came[visit])
    referrer = world.referrers[came if came < world.sources else (came - world.sources) % 9] if order == 0 else url
    landing = f"{url}?utm_campaign=c-{came - world.sources}" if came >= world.sources and order == 0 else url
    yield 0, Hit(HitKind.VIEW, landing, referrer, _WIDTHS[day.width[visit]])
    for deed in done:
        dim = _DEEDS[day.deed_dim[deed]]
        name = world.texts[dim][day.deed_name[deed]]
        if dim is Dim.EVENT:
            yield 0, Hit(HitKind.EVENT, url, name=name)
        elif dim is Dim.DOWNLOAD:
            yield 0, Hit(HitKind.DOWNLOAD, url, name=f"https://{HOST}{name}")
        else:
            yield 0, Hit(HitKind.OUTBOUND, url, name=f"https://{name}/")
    if stayed := int(day.stayed[view]):
        yield stayed, Hit(HitKind.TIME, url, seconds=stayed)


def _seen(day: Drawn, visit: int, hit: Hit) -> SeenHit:
    who, country = int(day.visitor[visit]), day.world.texts[Dim.COUNTRY][day.about[Dim.COUNTRY][visit]]
    address = f"2001:db8::{who >> 16:x}:{who & 0xFFFF:x}"
    tongue = _LANGUAGES[day.about[Dim.LANGUAGE][visit]]
    return SeenHit(hit, address, day.world.agents[day.agent[visit]], tongue, country)


# -- as cells ---------------------------------------------------------------------------------------------------------

type Cells = dict[int, dict[Key, Figures]]


class _Summed:
    """Adds up one kind: keys are whole numbers below `space`, first comes first where there are too many."""

    def __init__(self, parts: list[tuple[Ints, int, Ints | int]], space: int) -> None:
        """`parts`: key of each increment, which of the four sums, by how much."""
        keys = np.concatenate([keys for keys, _, _ in parts])
        if space > _DENSE:
            self.keys, first, places = np.unique(keys, return_index=True, return_inverse=True)
        else:
            first = np.full(space, len(keys))
            first[keys[::-1]] = np.arange(len(keys))[::-1]
            self.keys, places = np.flatnonzero(first < len(keys)), keys
            first = first[self.keys]
        size = len(self.keys) if space > _DENSE else space
        self.sums, begin = np.zeros((4, len(self.keys)), dtype=np.int64), 0
        for of, which, amount in parts:
            here = places[begin : begin + len(of)]
            begin += len(of)
            weights = amount if isinstance(amount, np.ndarray) else None
            added = np.bincount(here, weights, minlength=size).astype(np.int64)
            self.sums[which] += (added if space > _DENSE else added[self.keys]) * (1 if weights is not None else amount)
        self.rank = np.argsort(np.argsort(first))


_VIEWS, _VISITS, _BOUNCES, _SECONDS = range(4)


class _Counting:
    """The cells of one drawn day."""

    def __init__(self, day: Drawn, *, by_hour: bool) -> None:
        self.day, self.world, self.by_hour = day, day.world, by_hour
        self.numbers = {text: place for place, text in enumerate(self.world.names)}
        self.of = {dim: np.array([self.numbers[text] for text in texts]) for dim, texts in self.world.texts.items()}
        many = len(self.world.names)
        self.space = many
        self.about = {dim: self.of[dim][places] for dim, places in day.about.items()}
        self.page = self.of[Dim.PAGE][day.page]
        self.first_view = day.order == 0
        pair = day.visit * self.space + day.page
        _, at = np.unique(pair, return_index=True)
        self.first_of_page = np.zeros(len(pair), dtype=bool)
        self.first_of_page[at] = True
        self.views_of = np.bincount(day.visit, minlength=len(day.start))
        self.bounced = self.views_of == 1
        self.cells: Cells = {}
        self.hours: Cells = {}
        self.kept: dict[int, tuple[Ints, Ints]] = {}

    # increments: key, which sum, by how much; and when

    def parts(self, dim: Dim) -> list[tuple[Ints, int, Ints | int, Ints]]:
        """What a kind of one thing is made of."""
        day, stay = self.day, self.day.stayed > 0
        if dim is Dim.PAGE:
            first = self.first_of_page
            return [
                (self.page, _VIEWS, 1, day.at),
                (self.page[first], _VISITS, 1, day.at[first]),
                (self.page[stay], _SECONDS, day.stayed[stay], (day.at + day.stayed)[stay]),
            ]
        of_visit = np.zeros(len(day.start), dtype=np.int64) if dim is Dim.ALL else self.about[dim]
        there = np.ones(len(of_visit), dtype=bool) if dim is Dim.ALL else of_visit > 0
        seen, second = there[day.visit], (day.order == 1) & there[day.visit]
        told = stay & seen
        return [
            (of_visit[day.visit[seen]], _VIEWS, 1, day.at[seen]),
            (of_visit[there], _VISITS, 1, day.start[there]),
            (of_visit[there], _BOUNCES, 1, day.start[there]),
            (of_visit[day.visit[second]], _BOUNCES, -1, day.at[second]),
            (of_visit[day.visit[told]], _SECONDS, day.stayed[told], (day.at + day.stayed)[told]),
        ]

    def alone(self, dim: Dim, parts: list[tuple[Ints, int, Ints | int, Ints]]) -> None:
        """A kind of one thing, and by the hour."""
        kind = kind_of(dim)
        visitors = self.visitors(dim) if dim in SKETCHED else {}
        summed = _Summed([part[:3] for part in parts], self.space)
        kept = summed.rank < MOST_ALONE
        self.cells[kind] = _table(summed, kept, self.numbers[OTHER], lambda key: (key, 0))
        for (name, _), figures in self.cells[kind].items():
            figures[4] = visitors.get(name, 0) if dim in SKETCHED else UNCOUNTED
        if dim in HOURLY and self.by_hour:
            there = np.zeros(self.space, dtype=bool)
            there[summed.keys[kept]] = True
            hourly = [
                (np.where(there[key], key, self.numbers[OTHER]) * 24 + at // 3600, which, amount)
                for key, which, amount, at in parts
            ]
            by = _Summed(hourly, self.space * 24)
            self.hours[kind] = _table(by, np.ones(len(by.keys), dtype=bool), 0, lambda key: divmod(key, 24))

    def visitors(self, dim: Dim) -> dict[int, int]:
        """Different visitors by name."""
        day = self.day
        if dim is Dim.EVENT:
            names, who = self.deeds(dim)[0], day.visitor[day.visit[self.deeds(dim)[1]]]
        elif dim is Dim.PAGE:
            names, who = self.page, day.visitor[day.visit]
        else:
            names = np.zeros(len(day.start), dtype=np.int64) if dim is Dim.ALL else self.about[dim]
            who = day.visitor
        pairs = np.unique(names * (len(day.start) + 1) + who)
        each, counts = np.unique(pairs // (len(day.start) + 1), return_counts=True)
        return dict(zip(each.tolist(), counts.tolist(), strict=True))

    def deeds(self, dim: Dim) -> tuple[Ints, Ints]:
        """Names of what was done of a kind, and the views it was done in."""
        chosen = self.day.deed_dim == _DEEDS.index(dim)
        return self.of[dim][self.day.deed_name[chosen]], self.day.deed_view[chosen]

    def first_deeds(self, names: Ints, views: Ints) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """Which of them were their visit's first of that name."""
        _, at = np.unique(self.day.visit[views] * self.space + names, return_index=True)
        first = np.zeros(len(names), dtype=bool)
        first[at] = True
        return first

    def together(self, one: Dim, other: Dim, parts: list[tuple[Ints, Ints, int, Ints | int]]) -> None:
        """A kind of two things."""
        rows = [(a * self.space + b, which, amount) for a, b, which, amount in parts if len(a)]
        if not rows:
            return
        # fewer keys are quicker: the second thing has few names
        summed = _Summed(rows, self.space * self.space)
        other_name = self.numbers[OTHER]
        kept = summed.rank < MOST_TOGETHER
        rest = other_name * self.space + other_name
        self.cells[kind_of(one, other)] = _table(summed, kept, rest, lambda key: divmod(key, self.space))

    def count(self) -> None:
        """All of them."""
        day = self.day
        about = {dim: names for dim, names in self.about.items()}
        for dim in (Dim.ALL, Dim.PAGE, *about):
            self.alone(dim, self.parts(dim))
        last = np.concatenate([day.visit[1:] != day.visit[:-1], [True]])
        entries = self.page[self.first_view]
        bounced = self.bounced.astype(np.int64)
        self.alone(Dim.ENTRY, [(entries, _VISITS, 1, day.start), (entries, _BOUNCES, bounced, day.start)])
        self.alone(Dim.EXIT, [(self.page[last], _VISITS, 1, day.at[last])])
        moved = np.flatnonzero((day.order > 0) & (self.page != np.concatenate([self.page[:1], self.page[:-1]])))
        self.together(Dim.STEP, Dim.STEP, [(self.page[moved - 1], self.page[moved], _VIEWS, 1)])
        for one, other in PAIRED:
            if other is Dim.EVENT:
                continue
            if one is Dim.PAGE:
                names = about[other][day.visit]
                there, first = names > 0, (names > 0) & self.first_of_page
                self.together(
                    one,
                    other,
                    [(self.page[there], names[there], _VIEWS, 1), (self.page[first], names[first], _VISITS, 1)],
                )
            elif one is Dim.ENTRY:
                there = about[other] > 0
                a, b = entries[there], about[other][there]
                self.together(one, other, [(a, b, _VISITS, 1), (a, b, _BOUNCES, bounced[there])])
            else:
                there = (about[one] > 0) & (about[other] > 0)
                a, b = about[one][there], about[other][there]
                sums: list[tuple[Ints, Ints, int, Ints | int]] = [
                    (a, b, _VIEWS, self.views_of[there]), (a, b, _VISITS, 1), (a, b, _BOUNCES, bounced[there]),
                ]  # fmt: skip
                self.together(one, other, sums)
        for dim in _DEEDS:
            self.count_deeds(dim)

    def count_deeds(self, dim: Dim) -> None:
        """Events, downloads, links that lead away."""
        names, views = self.deeds(dim)
        first, at = self.first_deeds(names, views), self.day.at[views]
        self.alone(dim, [(names, _VIEWS, 1, at), (names[first], _VISITS, 1, at[first])])
        if dim is not Dim.EVENT:
            return
        whose = {Dim.PAGE: self.page[views]} | {d: of[self.day.visit[views]] for d, of in self.about.items()}
        for one, others in whose.items():
            if (one, dim) in PAIRED:
                there = others > 0
                self.together(
                    one,
                    dim,
                    [
                        (others[there], names[there], _VIEWS, 1),
                        (others[there & first], names[there & first], _VISITS, 1),
                    ],
                )


def _table(summed: _Summed, kept: Any, rest: int, key_of: Any) -> dict[Key, Figures]:
    """Cells, those beyond what a day may have added up in one."""
    keys, columns = summed.keys, summed.sums
    cells = {
        key_of(key): [*sums, UNCOUNTED]
        for key, *sums in zip(keys[kept].tolist(), *(column[kept].tolist() for column in columns), strict=True)
    }
    if not kept.all():
        more = columns[:, ~kept].sum(axis=1).tolist()
        held = cells.setdefault(key_of(rest), [0, 0, 0, 0, UNCOUNTED])
        held[:4] = [a + b for a, b in zip(held[:4], more, strict=True)]
    return {key: figures for key, figures in cells.items() if any(figures[:4])}


def cells(day: Drawn, *, by_hour: bool = True) -> tuple[Cells, Cells]:
    """The cells of a day by kind, and those by the hour, whose second name is the hour. Visitors are counted exactly,
    where a site would estimate them."""
    counting = _Counting(day, by_hour=by_hour)
    counting.count()
    return counting.cells, counting.hours
