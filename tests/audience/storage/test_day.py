"""A day made by a script, counted by plain code that knows every visitor, is the day that the dashboard tells.

The plain code keeps what a counter may not: who did what, hit by hit. From that it cuts visits, afterwards, and counts
them; nothing of it is shared with the counter.
"""

import random
from collections import Counter as Plain
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.audience.asked import series, top, totals
from tests.audience.user_agents import CHROME, FIREFOX, IPHONE
from tests.conftest import both
from troth.audience.counting.cells import Dim
from troth.audience.counting.commit import pack, unpack
from troth.audience.counting.counted_hit import SeenHit, SiteFacts
from troth.audience.counting.counter import Counter
from troth.audience.counting.hit import Hit, HitKind
from troth.audience.counting.hyperloglog import PRECISION, WIDE, error
from troth.audience.counting.name_threshold import NameThreshold
from troth.audience.models import Day, Hour, Name, Registers, Sheet
from troth.audience.queries.queries import Drill, PanelRow, Period
from troth.audience.storage.fold import CellFold
from troth.audience.storage.rollup import close_days

DAY = date(2026, 11, 24)
PERIOD = Period(DAY, DAY)
PAGES = ["/", *(f"/page-{n}" for n in range(1, 40))]
COUNTRIES = ["DE", "FR", "JP"]
AGENTS = [CHROME, FIREFOX, IPHONE]
SITE = SiteFacts(frozenset({"example.com"}), events=frozenset({"trial"}))
GAP = 1800


@dataclass(frozen=True)
class Deed:
    """What one visitor did: `what` is `view`, `time` or `trial`; all times in seconds."""

    at: int
    who: int
    what: str
    page: str
    seconds: int = 0

    def seen(self) -> SeenHit:
        kind = {"view": HitKind.VIEW, "time": HitKind.TIME, "trial": HitKind.EVENT}[self.what]
        hit = Hit(kind, f"https://example.com{self.page}", name="trial", seconds=self.seconds)
        address = f"2001:db8::{self.who // 3 + 1:x}"
        return SeenHit(hit, address, AGENTS[self.who % 3], country=_country(self.who))


def _country(who: int) -> str:
    return COUNTRIES[who * 7 % 3]


# -- plain code -------------------------------------------------------------------------------------------------------


@dataclass
class Stay:
    """One view, and how long it was looked at."""

    at: int
    page: str
    seconds: int = 0


@dataclass
class Visit:
    """One visit, whole."""

    who: int
    stays: list[Stay] = field(default_factory=list)
    trials: int = 0
    last: int = 0


def _visits(script: list[Deed]) -> tuple[list[Visit], int]:
    """All visits of a day, and the trials that belong to none."""
    by_visitor, made, stray = defaultdict(list), [], 0
    for deed in script:
        by_visitor[deed.who].append(deed)
    for who, deeds in by_visitor.items():
        visit = None
        for deed in deeds:
            if visit and deed.at - visit.last > GAP:
                visit = None
            if deed.what == "view":
                if visit is None:
                    made.append(visit := Visit(who))
                visit.stays.append(Stay(deed.at, deed.page))
                visit.last = deed.at
            elif deed.what == "trial":
                stray += visit is None
                if visit:
                    visit.trials += 1
                    visit.last = deed.at
            elif visit and visit.stays[-1].page == deed.page and min(deed.seconds, 1800) > visit.stays[-1].seconds:
                visit.stays[-1].seconds = min(deed.seconds, 1800)
                visit.last = deed.at
    return made, stray


def _told(script: list[Deed]) -> dict[str, object]:
    """The day, counted by what visits there were."""
    visits, stray = _visits(script)
    stays = [stay for visit in visits for stay in visit.stays]
    steps = Plain(
        (one.page, other.page) for visit in visits for one, other in pairwise(visit.stays) if one.page != other.page
    )
    return {
        "views": len(stays),
        "visits": len(visits),
        "bounces": sum(len(visit.stays) == 1 for visit in visits),
        "seconds": sum(stay.seconds for stay in stays),
        "page views": Plain(stay.page for stay in stays),
        "page visits": Plain(page for visit in visits for page in {stay.page for stay in visit.stays}),
        "page seconds": +Plain(page for stay in stays for page in [stay.page] * stay.seconds),
        "entries": Plain(visit.stays[0].page for visit in visits),
        "bounced entries": +Plain(visit.stays[0].page for visit in visits if len(visit.stays) == 1),
        "exits": Plain(visit.stays[-1].page for visit in visits),
        "steps": steps,
        "countries": Plain(_country(visit.who) for visit in visits),
        "countries of /": Plain(_country(visit.who) for visit in visits if any(s.page == "/" for s in visit.stays)),
        "trials": sum(visit.trials for visit in visits) + stray,
        "visits with a trial": sum(visit.trials > 0 for visit in visits),
        "hours": [sum(stay.at // 3600 == hour for stay in stays) for hour in range(24)],
    }


# -- the dashboard ----------------------------------------------------------------------------------------------------


def _answered() -> dict[str, object]:
    whole = totals(PERIOD)
    pages, entries = top(PERIOD, Dim.PAGE, limit=100), top(PERIOD, Dim.ENTRY, limit=100)
    steps = {
        (page, row.name): row.totals.views
        for page in PAGES
        for row in top(PERIOD, Dim.STEP, Drill(Dim.STEP, page), limit=100)
    }
    trial = totals(PERIOD, Drill(Dim.EVENT, "trial"))
    return {
        "views": whole.views,
        "visits": whole.visits,
        "bounces": whole.bounces,
        "seconds": whole.seconds,
        "page views": {row.name: row.totals.views for row in pages},
        "page visits": _by_visits(pages),
        "page seconds": {row.name: row.totals.seconds for row in pages if row.totals.seconds},
        "entries": _by_visits(entries),
        "bounced entries": {row.name: row.totals.bounces for row in entries if row.totals.bounces},
        "exits": _by_visits(top(PERIOD, Dim.EXIT, limit=100)),
        "steps": steps,
        "countries": _by_visits(top(PERIOD, Dim.COUNTRY)),
        "countries of /": _by_visits(top(PERIOD, Dim.COUNTRY, Drill(Dim.PAGE, "/"))),
        "trials": trial.views,
        "visits with a trial": trial.visits,
        "hours": [point.totals.views for point in series(PERIOD)],
    }


def _by_visits(rows: list[PanelRow]) -> dict[str, int]:
    return {row.name: row.totals.visits for row in rows if row.totals.visits}


def _count(script: list[Deed], fronts: int = 1, key: bytes = b"k" * 32) -> None:
    """The script through as many counters, each with its own visitors, emptied every ten minutes, into the tables."""
    counters = [Counter(SITE, NameThreshold(3, [(Dim.PAGE, page) for page in PAGES]), key) for _ in range(fronts)]
    folding, midnight, due = CellFold(), datetime.combine(DAY, datetime.min.time()), 600

    def empty(at: int) -> None:
        taken = [counter.take(midnight + timedelta(seconds=at)) for counter in counters]
        folding.fold([unpack(pack(one)) for one in taken if one])

    for deed in script:
        if deed.at >= due:
            empty(due - 1)
            due = (deed.at // 600 + 1) * 600
        counters[deed.who % fronts].count(deed.seen(), float(deed.at))
    empty(due - 1)


def _script(seed: int, visitors: int) -> list[Deed]:
    """A day of so many visitors, some of whom come again, look long, leave a page open, try the product."""
    drawn, made = random.Random(seed), list[Deed]()
    for who in range(visitors):
        at = drawn.randrange(0, 70_000)
        for _ in range(drawn.choice([1, 1, 1, 2])):
            for _ in range(min(30, int(drawn.lognormvariate(0.6, 0.9)) + 1)):
                page = PAGES[min(len(PAGES) - 1, int(drawn.paretovariate(0.9)) - 1)]
                made.append(Deed(at, who, "view", page))
                stayed = int(drawn.lognormvariate(3.3, 1.3))
                for told in sorted({stayed // 3, stayed // 2, stayed} - {0}):
                    if drawn.random() < 0.8:
                        made.append(Deed(at + min(told, 1700), who, "time", page, told))
                if drawn.random() < 0.08:
                    made.append(Deed(at + min(stayed, 1700), who, "trial", page))
                at += min(stayed, 1700) + drawn.choice([1, 2, 5, 60, GAP - 1, GAP, GAP + 1])
            at += drawn.randrange(60, 4 * 3600)
    return sorted((deed for deed in made if deed.at < 86_400), key=lambda deed: deed.at)


@both
@pytest.mark.parametrize(("seed", "fronts"), [(1, 1), (2, 3)])
def test_a_day_is_what_it_was(site, seed, fronts):
    script = _script(seed, 1_200)
    _count(script, fronts)
    told = _told(script)
    assert told["visits"] > 1_200 and 0 < told["bounces"] < told["visits"] and len(told["steps"]) > 50
    for _ in range(2):
        assert _answered() == told
        close_days(DAY.toordinal() + 1)


@pytest.mark.parametrize("seed", range(4))
def test_different_visitors_are_told_within_the_error_that_is_stated(site, seed):
    """Four times the standard error: a right sketch passes every time with these keys, and one of 20,000 with others;
    one whose registers were a quarter of what is stated, or that counts visits, does not."""
    assert error(WIDE) < 0.009 and error(PRECISION) < 0.024, "what docs and dashboard state"
    script = _script(seed, 3_000)
    _count(script, fronts=3, key=bytes([seed]) * 32)
    there = {deed.who for deed in script if deed.what == "view"}
    of_page = {deed.who for deed in script if deed.what == "view" and deed.page == "/"}
    for _ in range(2):
        assert abs(totals(PERIOD).visitors / len(there) - 1) < 4 * error(WIDE)
        assert abs(totals(PERIOD, Drill(Dim.PAGE, "/")).visitors / len(of_page) - 1) < 4 * error(PRECISION)
        close_days(DAY.toordinal() + 1)
    assert totals(PERIOD).visits > len(there) * 1.1


def test_three_fronts_side_by_side_say_what_one_says(site):
    script, told = _script(7, 400), []
    for fronts in (1, 3):
        for model in (Day, Hour, Registers, Sheet, Name):
            model.objects.all().delete()
        _count(script, fronts)
        told.append((_answered(), totals(PERIOD).visitors))
    assert told[0] == told[1]


_DEED = st.tuples(
    st.sampled_from([0, 1, 30, 600, GAP - 1, GAP, GAP + 1, 4_000]),
    st.integers(0, 3),
    st.sampled_from(["view", "view", "view", "time", "trial"]),
    st.sampled_from(PAGES[:3]),
    st.sampled_from([1, 20, 40, 1_800, 5_000]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_DEED, min_size=1, max_size=25), st.sampled_from([1, 3]), st.booleans())
def test_any_small_day_is_what_it_was(site, drawn, fronts, closed):
    for model in (Day, Hour, Registers, Sheet):
        model.objects.all().delete()
    at, script = 0, list[Deed]()
    for gap, who, what, page, seconds in drawn:
        at = min(at + gap, 86_399)
        script.append(Deed(at, who, what, page, seconds))
    _count(script, fronts)
    if closed:
        close_days(DAY.toordinal() + 1)
    assert _answered() == _told(script)
