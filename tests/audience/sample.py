"""Some weeks of plausible visits to an invented vendor's site, folded as the worker does: for tests of pages, and for
pictures of them. `python -m tests.audience.filled` fills the site that TROTH_SITE names.
"""

import random
from datetime import datetime, timedelta
from math import sin

from tests.audience import counts
from troth.audience.counting.cells import Cell, Dim, Sums
from troth.audience.counting.commit import pack, unpack
from troth.audience.counting.counted_hit import CountedHit
from troth.audience.counting.counter import GroupCommit
from troth.audience.counting.hit import ACTIONS
from troth.audience.counting.registers import DayRegisters
from troth.audience.counting.visits import Visits, cells_with_visitors
from troth.audience.storage.fold import CellFold
from troth.audience.storage.rollup import close_days

PAGES = {
    "/": 30,
    "/plainbook": 22,
    "/plainbook/download": 14,
    "/docs": 12,
    "/docs/install": 9,
    "/docs/import-from-other-programs": 6,
    "/blog/plainbook-4.2": 11,
    "/blog/why-we-keep-no-accounts": 7,
    "/pricing": 13,
    "/buy": 5,
    "/thanks": 2,
    "/newsletter": 4,
    "/contact": 3,
    "/docs/reference/keyboard-shortcuts-for-every-system-that-plainbook-runs-on": 3,
    "/about": 2,
}
SOURCES = {
    ("", "direct"): 30,
    ("Google", "search"): 26,
    ("DuckDuckGo", "search"): 9,
    ("Bing", "search"): 5,
    ("Hacker News", "social"): 8,
    ("Mastodon", "social"): 5,
    ("Reddit", "social"): 4,
    ("ChatGPT", "assistant"): 5,
    ("linux-weekly.example.org", "link"): 3,
    ("forum.example.com", "link"): 3,
    ("Mail", "mail"): 4,
    ("(other)", "link"): 3,
}
COUNTRIES = {
    "DE": 28,
    "US": 22,
    "FR": 9,
    "GB": 9,
    "NL": 6,
    "AT": 5,
    "CH": 5,
    "PL": 3,
    "SE": 3,
    "JP": 2,
    "IN": 4,
    "BR": 2,
}
LANGUAGES = {"de": 34, "en": 44, "fr": 9, "nl": 5, "pl": 3, "ja": 2, "pt": 2}
BROWSERS = {"Chrome": 40, "Firefox": 28, "Safari": 20, "Edge": 10, "Opera": 2}
SYSTEMS = {("desktop", "Windows"): 32, ("desktop", "Linux"): 22, ("desktop", "macOS"): 14, ("phone", "iOS"): 12,
           ("phone", "Android"): 16, ("tablet", "iOS"): 4}  # fmt: skip
SCREENS = {"wide": 38, "large": 32, "small": 24, "medium": 6}
CAMPAIGNS = {"": 88, "release-4.2": 8, "autumn-newsletter": 4}
HOURS = [1, 1, 1, 1, 1, 2, 3, 6, 9, 11, 12, 11, 9, 10, 11, 11, 10, 8, 7, 7, 8, 7, 4, 2]
DROPPED = {"bot": 60, "headless": 6, "prefetched": 5, "referrer spam": 8, "another site": 2}


class _Day:
    """One day of visits, drawn by chance."""

    def __init__(self, at: datetime, visits: int, drawn: random.Random, *, until: int = 24, minute: int = 60) -> None:
        self.at, self.drawn, self.until, self.minute = at, drawn, until, minute
        self.sums: dict[tuple[int, int], Sums] = {}
        self.risen: dict[tuple[int, int], list] = {}
        self.registers, self.table = DayRegisters(drawn.randbytes(32)), Visits()
        self.pool: list[tuple[bytes, int]] = []
        for hour, minute in sorted(self._when() for _ in range(visits)):
            self._visit(hour, minute)
        self._not_counted(visits)

    def _when(self) -> tuple[int, int]:
        hour = self.drawn.choices(range(self.until), HOURS[: self.until])[0]
        return hour, self.drawn.randrange(self.minute if hour == self.until - 1 else 60)

    def _visit(self, hour: int, minute: int) -> None:
        now = hour * 3600.0 + minute * 60
        visitor, about, page = self.drawn.randbytes(16), self._about(), self._one(PAGES)
        if self.pool and self.pool[0][1] < now - 7200 and self.drawn.random() < 0.2:
            visitor, _ = self.pool.pop(0)  # somebody comes back
        self.pool.append((visitor, int(now)))
        while True:
            self._count(counts.view(visitor, page, about), now, hour, minute)
            seconds = int(self.drawn.expovariate(1 / 45))
            self._count(counts.stay(visitor, page, seconds), now + seconds, hour, minute)
            self._deeds(visitor, page, now + seconds, hour, minute)
            if self.drawn.random() < 0.52:
                break
            now, page = now + seconds + 1, self._one(PAGES)

    def _deeds(self, visitor: bytes, page: str, now: float, hour: int, minute: int) -> None:
        chance = self.drawn.random()
        deed = None
        if page == "/plainbook/download" and chance < 0.6:
            deed = Cell(Dim.DOWNLOAD, self._one({"/files/plainbook-4.2.dmg": 3, "/files/plainbook-4.2.exe": 5,
                                                 "/files/plainbook-4.2.tar.gz": 4}))  # fmt: skip
        elif page in {"/pricing", "/plainbook"} and chance < 0.12:
            deed = Cell(Dim.EVENT, self._one({"trial": 6, "video played": 3}))
        elif chance < 0.02:
            deed = Cell(Dim.OUTBOUND, self._one({"codeberg.example.org": 4, "wiki.example.com": 2}))
        elif chance > 0.985:
            deed = Cell(Dim.MISSING, self._one({"/docs/old-manual": 4, "/wp-login.php": 5, "/blog/feed": 2}))
        if deed is not None:
            kind = next(kind for kind, dim in ACTIONS.items() if dim is deed.dim)
            self._count(counts.hit(visitor, kind, page, name=deed.name), now, hour, minute)

    def _not_counted(self, visits: int) -> None:
        sums = self._sums(9 if self.until > 9 else 0, 0)
        for why, share in DROPPED.items():
            sums.add(Cell(Dim.DROPPED, why), views=visits * share // 100)
        sums.add(Cell(Dim.ASKED, ""), views=visits * 7 // 100)
        for version, share in {"4.2": 40, "4.1": 14, "3.9": 5}.items():
            for system, part in {"windows": 5, "linux": 3, "macos": 2}.items():
                sums.add(Cell(Dim.PRODUCT, f"plainbook {version}", Dim.SYSTEM, system), views=share * part // 10)
                sums.add(Cell(Dim.PRODUCT, "plainbook"), views=share * part // 10)

    def burst(self, visits: int, source: str) -> None:
        """Referrer spam: many, one view each, of one source."""
        for _ in range(visits):
            about = {**self._about(), Dim.SOURCE: source, Dim.CHANNEL: "link", Dim.COUNTRY: "US"}
            about.pop(Dim.CAMPAIGN, None)
            self._count(counts.view(self.drawn.randbytes(16), "/", about), 0.0, 3 % self.until, 0)

    def _about(self) -> dict[Dim, str]:
        source, channel = self._one(SOURCES)
        device, system = self._one(SYSTEMS)
        told = {
            Dim.SOURCE: source,
            Dim.CHANNEL: channel,
            Dim.CAMPAIGN: self._one(CAMPAIGNS),
            Dim.COUNTRY: self._one(COUNTRIES),
            Dim.DEVICE: device,
            Dim.BROWSER: self._one(BROWSERS),
            Dim.SYSTEM: system,
            Dim.LANGUAGE: self._one(LANGUAGES),
            Dim.SCREEN: self._one(SCREENS),
        }
        return {dim: name for dim, name in told.items() if name}

    def _one(self, weighed):
        return self.drawn.choices(list(weighed), list(weighed.values()))[0]

    def _sums(self, hour: int, minute: int) -> Sums:
        return self.sums.setdefault((hour, minute if self.minute < 60 else 0), Sums())

    def _count(self, hit: CountedHit, now: float, hour: int, minute: int) -> None:
        self._sums(hour, minute).add_all(self.table.count(hit, now))
        rises = self.registers.saw(hit.visitor, cells_with_visitors(hit))
        self.risen.setdefault((hour, minute if self.minute < 60 else 0), []).extend(rises)

    def fold(self, tally: CellFold) -> None:
        """As the worker does, in one batch."""
        day = self.at.date().isoformat()
        tally.fold([_with_minute(day, *key, sums, self.risen.get(key, [])) for key, sums in self.sums.items()])


class _AtMinute:
    """Counts with the minute that they were taken in."""

    def __init__(self, counts, minute: int) -> None:
        self._counts, self.minute = counts, minute

    def __getattr__(self, name):
        return getattr(self._counts, name)


def _with_minute(day: str, hour: int, minute: int, sums: Sums, risen: list):
    return _AtMinute(unpack(pack(GroupCommit(day, hour, sums, risen))), minute)


def fill(now: datetime, days: int = 28, visits: int = 60, spam: str = "", seed: int = 11) -> None:
    """`days` up to `now` (in the site's zone), which is not over; `visits` about as many a day, growing a little.
    `spam`: a source that brought very many on one day."""
    drawn, tally = random.Random(seed), CellFold()
    for back in range(days - 1, -1, -1):
        at = now - timedelta(days=back)
        quiet = 0.6 if at.weekday() >= 5 else 1.0
        some = visits * quiet * (1 + 0.35 * (days - back) / days + 0.12 * sin(at.toordinal()))
        some *= 2.1 if back == days // 3 else 1
        running = {"until": now.hour + 1, "minute": now.minute + 1} if back == 0 else {}
        share = sum(HOURS[: now.hour + 1]) / sum(HOURS) if back == 0 else 1
        day = _Day(at, max(1, round(some * share)), drawn, **running)
        if spam and back == 5:
            day.burst(visits * 3, spam)
        day.fold(tally)
    close_days(now.toordinal())
