"""Can two hits of one visitor be paired by what lies on the disk? (V1)

Visitors with one agent, each from an address of their own, walk through a site in an order drawn by lot; after each hit
the spool is copied. A classifier learns from one half of the visitors which pairs of hits are of one visitor, and is
tried on the other half. It gets

    sealed    what lies on the disk: the sizes of both frames, the time and the number of frames between them
    opened    the same, and what the site's own key shows: for honesty. Steps and exits say which page a visit went on
              from, and a second view that it is no first; nobody but the worker has that key, and what it opens is in
              its memory alone

and tells for each the area under the ROC curve (0.5: by chance; 1: always right).

    python -m trial.linkage [--visitors 300] [--hits 4] [--seed 0]

Prints one JSON line to stdout; ends with 1 where the sealed ones can be paired (beyond 0.55).
"""

import argparse
import json
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
from numpy.typing import NDArray

from bench.site import Running, running
from troth.audience.counting.cells import ALL, Cell, Dim
from troth.audience.counting.commit import Counted, cells_of, unpack
from troth.core import frames
from troth.core.entry import Kind
from troth.core.site import Site
from troth.vault.envelope import OpeningKey, read_head

MOST = 0.55
"""Beyond this the trial fails."""
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
_PAGES = [f"/{name}" for name in ("", "docs", "buy", "news", "team", "jobs", "help", "terms", "blog", "press")]
_SOURCES = ["", "https://www.google.com/", "https://www.bing.com/", "https://news.ycombinator.com/"]
_LANGUAGES = ["en", "de", "fr", "es", "it"]
type Numbers = NDArray[np.float64]
type Cells = dict[Cell, tuple[int, int, int, int]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the spool had after a hit, and whose hit it was."""

    visitor: int
    order: int
    at: float
    size: int
    cells: Cells


# -- the walk ---------------------------------------------------------------------------------------------------------


def walked(site: Running, visitors: int, hits: int, draw: random.Random) -> list[Seen]:
    """Hits of so many visitors, so many each, by lot; after each the spool is copied."""
    order = [number for number in range(visitors) for _ in range(hits)]
    draw.shuffle(order)
    about = [(draw.choice(_SOURCES), draw.choice(_LANGUAGES)) for _ in range(visitors)]
    spool, base, found = _Copies(Site(site.root)), f"http://127.0.0.1:{site.port}", list[Seen]()
    with httpx.Client() as client:
        while client.post(f"{base}/hit", data={"k": "v", "u": base}, headers={"user-agent": _AGENT}).status_code != 204:
            time.sleep(0.2)  # the first generation is not there yet
        time.sleep(1.0)
        spool.fresh()
        for number, visitor in enumerate(order):
            source, language = about[visitor]
            body = urlencode({"k": "v", "u": f"{base}{draw.choice(_PAGES)}", "r": source, "w": 1280})
            address = f"2001:db8:{visitor >> 16:x}:{visitor & 0xFFFF:x}::1"
            told = {"user-agent": _AGENT, "accept-language": language, "x-forwarded-for": address}
            form = {"content-type": "application/x-www-form-urlencoded"}
            client.post(f"{base}/hit", content=body, headers={**told, **form}).raise_for_status()
            at = time.monotonic()
            ((size, cells),) = spool.fresh()
            found.append(Seen(visitor, number, at, size, cells))
    return found


class _Copies:
    """Copies of what the spool got since the last look."""

    def __init__(self, site: Site) -> None:
        self._site, self._end = site, (0, 0)
        self._keys: dict[int, OpeningKey] = {}

    def fresh(self) -> list[tuple[int, Cells]]:
        """Size and content of each new frame of visits."""
        found = []
        for sequence in frames.segments(self._site.spool):
            if sequence < self._end[0]:
                continue
            start = max(self._end[1], frames.HEADER_SIZE) if sequence == self._end[0] else frames.HEADER_SIZE
            data = (self._site.spool / frames.segment_name(sequence)).read_bytes()[start:]
            for one in frames.read(data, start, sequence, closed=False):
                self._end = sequence, one.end
                if isinstance(one, frames.Frame) and one.kind == Kind.HITS:
                    found.append((len(one.body), self._opened(one.body)))
        return found

    def _opened(self, body: bytes) -> Cells:
        epoch = read_head(body).epoch
        if epoch not in self._keys:
            site_id = uuid.UUID(self._site.site_id.read_text().strip())
            self._keys[epoch] = OpeningKey(site_id, epoch, (self._site.seal_keys / f"{epoch}.key").read_bytes())
        return dict(cells_of(unpack(self._keys[epoch].open(body, Counted).packed)))


# -- pairs ------------------------------------------------------------------------------------------------------------


def sealed(one: Seen, other: Seen) -> list[float]:
    """What lies on the disk says of two hits."""
    gap, frames = other.at - one.at, other.order - one.order
    return [one.size, other.size, float(one.size == other.size), gap, frames, np.log1p(gap), np.log1p(frames)]


def opened(one: Seen, other: Seen) -> list[float]:
    """And what the site's key shows."""
    page, fresh = _name(one.cells, Dim.PAGE), other.cells.get(ALL, (0, 0, 0, 0))[1]
    came_from = {cell.name for cell, sums in other.cells.items() if cell.dim is Dim.EXIT and sums[1] < 0}
    alike = [float(_name(one.cells, dim) == _name(other.cells, dim)) for dim in (Dim.SOURCE, Dim.CHANNEL, Dim.LANGUAGE)]
    goes_on = float(not fresh)
    follows = float(page in came_from)
    return [*sealed(one, other), goes_on, follows, *alike, goes_on * np.prod(alike), follows * np.prod(alike)]


def _name(cells: Cells, dim: Dim) -> str:
    return next((cell.name for cell, sums in cells.items() if cell.dim is dim and cell.by is None and sums[0] > 0), "")


def pairs(seen: Sequence[Seen], draw: random.Random) -> Iterator[tuple[Seen, Seen, bool]]:
    """Every pair of one visitor, and as many of two, whose hits lie as they fell."""
    by_visitor: dict[int, list[Seen]] = {}
    for one in seen:
        by_visitor.setdefault(one.visitor, []).append(one)
    for hits in by_visitor.values():
        for one, other in combinations(hits, 2):
            yield one, other, True
            while True:
                first, second = sorted(draw.sample(seen, 2), key=lambda hit: hit.order)
                if first.visitor != second.visitor:
                    break
            yield first, second, False


# -- the classifier ---------------------------------------------------------------------------------------------------


def learnt(features: Numbers, truth: Numbers) -> Numbers:
    """Weights of a logistic regression, by gradient descent, with a little ridge."""
    weights = np.zeros(features.shape[1])
    for _ in range(3_000):
        guess = 1 / (1 + np.exp(-(features @ weights)))
        weights -= 0.5 * (features.T @ (guess - truth) / len(truth) + 1e-3 * weights)
    return weights


def area(scores: Numbers, truth: Numbers) -> float:
    """The area under the ROC curve; ties count half."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    yes = int(truth.sum())
    no = len(truth) - yes
    return float((ranks[truth == 1].sum() - yes * (yes + 1) / 2) / (yes * no))


def judged(seen: Sequence[Seen], look: Callable[[Seen, Seen], list[float]], draw: random.Random) -> float:
    """Learn from the visitors with even numbers, and be tried on the others."""
    halves = []
    for half in (0, 1):
        found = list(pairs([one for one in seen if one.visitor % 2 == half], draw))
        truth = np.array([float(same) for _, _, same in found])
        halves.append((np.array([look(one, other) for one, other, _ in found], dtype=float), truth))
    (train, told), (test, truth) = halves
    mean, spread = train.mean(axis=0), train.std(axis=0)
    spread[spread == 0] = 1

    def scaled(features: Numbers) -> Numbers:
        even = (features - mean) / spread
        return np.hstack([np.ones((len(even), 1)), even, even**2])

    return area(scaled(test) @ learnt(scaled(train), told), truth)


def tried(visitors: int, hits: int, seed: int) -> dict[str, Any]:
    """The whole trial."""
    draw = random.Random(seed)
    with running(proof=False, more="[audience]\nmin_visitors = 1") as site:
        seen = walked(site, visitors, hits, draw)
    found = {"sealed": judged(seen, sealed, draw), "opened": judged(seen, opened, draw)}
    return {
        "trial": "linkage",
        "held": found["sealed"] <= MOST,
        "visitors": visitors,
        "hits": len(seen),
        "pairs_of_one": visitors * hits * (hits - 1) // 2,
        "sizes": sorted({one.size for one in seen}),
        "auc_sealed": round(found["sealed"], 3),
        "auc_opened": round(found["opened"], 3),
    }


def main() -> int:
    """Run the trial; 0 where sealed frames cannot be paired."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--visitors", type=int, default=300)
    options.add_argument("--hits", type=int, default=4)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    told = tried(chosen.visitors, chosen.hits, chosen.seed)
    print(json.dumps(told))
    return 0 if told["held"] else 1


if __name__ == "__main__":
    sys.exit(main())
