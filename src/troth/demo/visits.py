"""Visits for the demo: 90 days of a small vendor's website, generated, counted by the real counter, marked as such; the
same days each time. Run by `demo.on_site`. Nothing but visits is made up, so that figures agree in every panel."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from troth.audience.counting.cells import Dim
from troth.audience.counting.commit import pack, unpack
from troth.audience.counting.counted_hit import SeenHit, SiteFacts
from troth.audience.counting.counter import Counter
from troth.audience.counting.hit import Hit, HitKind
from troth.audience.counting.name_threshold import NameThreshold
from troth.audience.models import Annotation, Day, Sheet
from troth.audience.storage.fold import CellFold
from troth.audience.storage.rollup import close_days, close_months
from troth.core import clock
from troth.worker import migrate

DAYS = 90
MARK = "Generated for the demo up to here"
"""The dashboard's note on the last generated day."""
_PAGES = {
    "/": 30,
    "/products.html": 22,
    "/index.html": 3,
    "/about.html": 8,
    "/contact.html": 6,
    "/privacy.html": 2,
    "/docs/start": 14,
    "/docs/backup": 9,
    "/docs/keyboard": 6,
    "/blog/what-is-new-in-4-2": 12,
    "/blog/why-no-cookies": 7,
    "/thanks.html": 2,
}
_NEXT = {"/": "/products.html", "/products.html": "/docs/start", "/docs/start": "/docs/backup"}
_REFERRERS = {
    "": 38,
    "https://www.google.com/": 30,
    "https://duckduckgo.com/": 7,
    "https://www.bing.com/": 5,
    "https://news.ycombinator.com/": 6,
    "https://www.reddit.com/": 4,
    "https://chatgpt.com/": 4,
    "https://blog.example.org/": 4,
    "https://forum.example.net/": 2,
}
_CAMPAIGNS = {"": 90, "?utm_source=newsletter&utm_medium=email&utm_campaign=november": 7, "?utm_campaign=fair": 3}
_COUNTRIES = {
    "DE": 34,
    "US": 20,
    "FR": 9,
    "GB": 8,
    "AT": 6,
    "CH": 6,
    "NL": 4,
    "IT": 3,
    "ES": 3,
    "PL": 3,
    "JP": 2,
    "BR": 2,
}
_LANGUAGES = {
    "DE": "de",
    "AT": "de",
    "CH": "de",
    "FR": "fr",
    "IT": "it",
    "ES": "es",
    "PL": "pl",
    "JP": "ja",
    "BR": "pt",
}
_AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
    "Safari/537.36": 34,
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Safari/605.1.15": 17,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Mobile/15E148 Safari/604.1": 18,
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile "
    "Safari/537.36": 15,
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0": 9,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 "
    "Edg/141.0.0.0": 7,
}
_RHYTHM = (2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 9, 10, 11, 11, 10, 9, 8, 8, 8, 7, 5, 3)
_WEEK = (1.15, 1.2, 1.15, 1.1, 1.0, 0.65, 0.7)
_BUSY = {40: 3.2, 41: 2.1, 42: 1.4}
"""How many days ago somebody wrote about the vendor."""
_VISITS = 60
_EVENING = 23 * 3600


def main(days: str = str(DAYS)) -> None:
    """Generate visits for the site."""
    if migrate.look().empty:
        migrate.make_changes()
    config = settings.TROTH_CONFIG
    zone = ZoneInfo(config.audience.timezone)
    fill(
        clock.now().astimezone(zone).date(),
        sorted(config.audience_hosts)[0],
        frozenset(config.audience.events),
        days=int(days),
    )


def fill(today: date, host: str, events: frozenset[str] = frozenset(), *, days: int = DAYS, seed: int = 5) -> int:
    """Count this many generated days before today, mark them, and return the number of visits. If one of the days has
    counts already, nothing is generated, so it is safe to run twice."""
    first = (today - timedelta(days=days)).toordinal()
    existing = Sheet.objects.filter(unit=Sheet.DAY, at__gte=first, at__lt=today.toordinal())
    if existing.exists() or Day.objects.filter(at__gte=first, at__lt=today.toordinal()).exists():
        return 0
    drawn, count = random.Random(seed), 0  # noqa: S311 - the same days each time
    with transaction.atomic():  # all of them, or none
        for back in range(days, 0, -1):
            count += _fill_day(today - timedelta(days=back), back, host, events, drawn)
        _mark(today - timedelta(days=1))
    close_days(today.toordinal())
    close_months(today)
    return count


def _mark(day: date) -> None:
    """Note on the dashboard that these visits were generated."""
    Annotation.objects.get_or_create(at=day.toordinal(), text=MARK)


def _fill_day(day: date, back: int, host: str, events: frozenset[str], drawn: random.Random) -> int:
    """Count the visits of one day, hour by hour."""
    many = int(_VISITS * _WEEK[day.weekday()] * _BUSY.get(back, 1.0) * (1.5 - back / 180) * drawn.uniform(0.85, 1.15))
    known_names = NameThreshold(1, [(Dim.PAGE, page) for page in _PAGES])
    counter, counted = Counter(SiteFacts(frozenset({host}), events=events), known_names, drawn.randbytes(32)), []
    midnight, hour = datetime.combine(day, datetime.min.time(), UTC), 0
    hits = sorted(
        (hit for visitor in range(many) for hit in _visit(visitor, host, events, drawn)), key=lambda hit: hit[0]
    )
    for at, sighting in hits:
        if at // 3600 != hour:
            counted.append(counter.take(midnight + timedelta(hours=hour)))
            hour = at // 3600
        counter.count(sighting, float(at))
    counted.append(counter.take(midnight + timedelta(hours=hour)))
    CellFold().fold([unpack(pack(frame)) for frame in counted if frame])
    return many


def _visit(visitor: int, host: str, events: frozenset[str], drawn: random.Random) -> Iterator[tuple[int, SeenHit]]:
    """Yield one visit's hits: second of the day, and what a front would see."""
    country, agent = _one(drawn, _COUNTRIES), _one(drawn, _AGENTS)
    referrer, campaign = _one(drawn, _REFERRERS), _one(drawn, _CAMPAIGNS)
    width = 390 if "Mobile" in agent else drawn.choice([1280, 1440, 1920])
    at = drawn.choices(range(24), _RHYTHM)[0] * 3600 + drawn.randrange(3600)
    page = _one(drawn, _PAGES)

    def seen(kind: HitKind, landing: str = "", **more: object) -> SeenHit:
        hit = Hit(kind, f"https://{host}{page}{landing}", width=width, **more)  # type: ignore[arg-type]
        return SeenHit(hit, f"2001:db8::{visitor + 1:x}", agent, _LANGUAGES.get(country, "en"), country)

    for number in range(1 if drawn.random() < 0.5 else min(12, 2 + int(drawn.lognormvariate(0.5, 0.7)))):
        if number:
            page = _NEXT.get(page, "/") if drawn.random() < 0.45 else _one(drawn, _PAGES)
        yield at, seen(HitKind.VIEW, "" if number else campaign, referrer="" if number else referrer)
        stayed = min(1_200, int(drawn.lognormvariate(3.5, 1.0)) + 1)
        if at + stayed < _EVENING and drawn.random() < 0.8:
            yield at + stayed, seen(HitKind.TIME, seconds=stayed)
        if events and page in {"/products.html", "/docs/start"} and drawn.random() < 0.12:
            yield at + stayed, seen(HitKind.EVENT, name=drawn.choice(sorted(events)))
        if page == "/products.html" and drawn.random() < 0.15:
            yield at + stayed, seen(HitKind.DOWNLOAD, name=f"https://{host}/files/plainbook-4.2.zip")
        at += stayed + 2
        if at >= _EVENING:
            break


def _one[Name](drawn: random.Random, weights: dict[Name, int]) -> Name:
    return drawn.choices(list(weights), list(weights.values()))[0]
