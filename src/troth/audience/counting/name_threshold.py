"""Decides which names may be stored: a name from outside once several visitors bring it, until then "(other)".

An unlisted path, a referrer or a campaign can contain a person's name or any text; a listed page or a country cannot.
Memory is bounded, whatever comes. In memory only; touches nothing (V1).
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Set

from troth.audience.counting.cells import Dim
from troth.audience.counting.page_names import NAMED, OTHER

K = 3
"""Visitors who must bring a name before it is stored, by default."""
FROM_OUTSIDE = frozenset(
    {
        Dim.PAGE,
        Dim.SOURCE,
        Dim.CAMPAIGN,
        Dim.OUTBOUND,
        Dim.DOWNLOAD,
        Dim.MISSING,
        Dim.BROWSER,
        Dim.SYSTEM,
        Dim.LANGUAGE,
        Dim.PRODUCT,
    }
)
"""User agents and headers can contain made-up browsers and languages."""
_USUAL = {
    Dim.BROWSER: "Chrome Firefox Safari Edge Opera Samsung",
    Dim.SYSTEM: "Windows macOS Linux Android iOS ChromeOS",
    Dim.LANGUAGE: "ar bg bn cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv nb nl no pl pt ro ru sk sl sr "
    "sv th tr uk vi zh",
}
MOST = 10_000
"""Known names of one dimension at most; more are "(other)"."""
MOST_WAITING = 20_000
"""Names of all dimensions that wait for more visitors; the oldest is dropped first."""
MOST_BROUGHT = 1_000
"""New names of one address a day, so that made-up names neither fill the limits nor displace those of others."""


class NameThreshold:
    """The names that may be stored, and who brought those that may not yet."""

    def __init__(self, k: int = K, names: Iterable[tuple[Dim, str]] = ()) -> None:
        """`names`: those that may be stored from the start: listed pages, and names that the worker knows."""
        self._k = k
        self._known: dict[Dim, set[str]] = {dim: set() for dim in FROM_OUTSIDE}
        self._waiting: OrderedDict[tuple[Dim, str], set[bytes]] = OrderedDict()
        self._brought: Counter[bytes] = Counter()
        self.learn((Dim.SOURCE, name) for name in NAMED)
        self.learn((dim, name) for dim, usual in _USUAL.items() for name in usual.split())
        self.learn(names)

    def learn(self, names: Iterable[tuple[Dim, str]]) -> None:
        """Allow these names from now on."""
        for dim, name in names:
            if dim in FROM_OUTSIDE and len(self._known[dim]) < MOST:
                self._known[dim].add(name)
                self._waiting.pop((dim, name), None)

    def allowed(self, dim: Dim) -> Set[str]:
        """Return the allowed names of a dimension."""
        return self._known[dim]

    def stored(self, dim: Dim, name: str, bringer: bytes) -> str:
        """Return the name to count a hit under: `name`, or "(other)". `bringer`: an address under the day's key."""
        if dim not in FROM_OUTSIDE or not name or name in self._known[dim]:
            return name
        bringers = self._waiting.get((dim, name), set())
        if bringer not in bringers:
            if self._brought[bringer] >= MOST_BROUGHT:
                return OTHER
            self._brought[bringer] += 1
            self._waiting[dim, name] = bringers
            bringers.add(bringer)
        if len(bringers) >= self._k:
            self.learn([(dim, name)])
            return name if name in self._known[dim] else OTHER
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)
        return OTHER

    def new_day(self) -> None:
        """Forget who brought names; known names stay."""
        self._waiting.clear()
        self._brought.clear()
