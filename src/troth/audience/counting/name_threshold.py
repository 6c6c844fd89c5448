"""Which names may be written: a name from outside only once several visitors brought it, until then it is "(other)".

A path that nobody knows, a referrer, a campaign can carry one person's name or a text of somebody's own; a page of the
site, a country, a browser cannot. Bounded, whatever is thrown at it. In memory only; touches nothing (V1).
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Set

from troth.audience.counting.cells import Dim
from troth.audience.counting.page_names import NAMED, OTHER

K = 3
"""Visitors who must bring a name before it is written, unless the operator says otherwise."""
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
"""An agent can name a browser that nobody else has, and a header a language that nobody speaks."""
_USUAL = {
    Dim.BROWSER: "Chrome Firefox Safari Edge Opera Samsung",
    Dim.SYSTEM: "Windows macOS Linux Android iOS ChromeOS",
    Dim.LANGUAGE: "ar bg bn cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv nb nl no pl pt ro ru sk sl sr "
    "sv th tr uk vi zh",
}
MOST = 10_000
"""Names of one kind that are known at most; what comes beyond is "(other)"."""
MOST_WAITING = 20_000
"""Names, of all kinds, that wait for more visitors; the one that waited longest goes first."""
MOST_BROUGHT = 1_000
"""New names that one address brings in a day: whoever makes names up by the thousand neither uses up what may be known
nor drives out what others brought."""


class Known:
    """The names that may be written, and who has brought those that may not yet be."""

    def __init__(self, k: int = K, names: Iterable[tuple[Dim, str]] = ()) -> None:
        """`names`: what may be written from the start: the site's own pages, and what the worker knows already."""
        self._k = k
        self._known: dict[Dim, set[str]] = {dim: set() for dim in FROM_OUTSIDE}
        self._waiting: OrderedDict[tuple[Dim, str], set[bytes]] = OrderedDict()
        self._brought: Counter[bytes] = Counter()
        self.learn((Dim.SOURCE, name) for name in NAMED)
        self.learn((dim, name) for dim, usual in _USUAL.items() for name in usual.split())
        self.learn(names)

    def learn(self, names: Iterable[tuple[Dim, str]]) -> None:
        """These may be written from now on."""
        for dim, name in names:
            if dim in FROM_OUTSIDE and len(self._known[dim]) < MOST:
                self._known[dim].add(name)
                self._waiting.pop((dim, name), None)

    def names(self, dim: Dim) -> Set[str]:
        """The names of one kind that may be written."""
        return self._known[dim]

    def told(self, dim: Dim, name: str, bringer: bytes) -> str:
        """The name under which a hit is counted that `bringer`, an address under the day's key, brought."""
        if dim not in FROM_OUTSIDE or not name or name in self._known[dim]:
            return name
        brought = self._waiting.get((dim, name), set())
        if bringer not in brought:
            if self._brought[bringer] >= MOST_BROUGHT:
                return OTHER
            self._brought[bringer] += 1
            self._waiting[dim, name] = brought
            brought.add(bringer)
        if len(brought) >= self._k:
            self.learn([(dim, name)])
            return name if name in self._known[dim] else OTHER
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)
        return OTHER

    def new_day(self) -> None:
        """Forget who brought what: those visitors have no key any more. The names that were known stay."""
        self._waiting.clear()
        self._brought.clear()
