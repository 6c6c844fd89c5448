"""What is taken out is missing from every figure as if it had never come, as far as cells know; put back, it counts."""

import random
from datetime import date, timedelta

import pytest

from tests.audience.asked import asked, series, top, totals
from tests.audience.counts import hit as counted_hit
from tests.audience.counts import stay, view
from tests.conftest import both
from troth.audience.counting.cells import ALL, SKETCHED, Cell, Dim, Sums
from troth.audience.counting.commit import pack, unpack
from troth.audience.counting.counter import GroupCommit
from troth.audience.counting.hit import HitKind
from troth.audience.counting.registers import DayRegisters
from troth.audience.counting.visits import Visits
from troth.audience.models import Day, Name, TakenOut
from troth.audience.queries import exclusions
from troth.audience.queries.periods import Period
from troth.audience.queries.queries import Drill
from troth.audience.storage.fold import CellFold
from troth.audience.storage.rollup import close_days, close_months

FIRST, LAST = date(2026, 8, 28), date(2026, 10, 4)
SPAM, BURST = "spam.example.com", Period(date(2026, 9, 10), date(2026, 9, 12))
PAGES, SOURCES, COUNTRIES = ["/", "/docs", "/buy"], ["Google", "Bing"], ["DE", "FR"]
PERIODS = [
    Period(date(2026, 9, 11), date(2026, 9, 11)),
    Period(date(2026, 9, 3), date(2026, 9, 11)),
    Period(FIRST, LAST),
]
PANELS = [Dim.PAGE, Dim.ENTRY, Dim.SOURCE, Dim.CAMPAIGN, Dim.COUNTRY, Dim.DEVICE, Dim.BROWSER, Dim.EVENT]
"""Those that know a source."""


class Counted:
    """Visits, and what would have been counted had the spam never come."""

    def __init__(self) -> None:
        self.drawn, self.tally, self.days = random.Random(5), CellFold(), {}
        for n in range((LAST - FIRST).days + 1):
            day = FIRST + timedelta(days=n)
            spam = 12 if BURST.first <= day <= BURST.last else 1
            self._fold(day, [None] * 9 + [SPAM] * spam)

    def _fold(self, day: date, sources: list) -> None:
        registers, both_kinds, good = DayRegisters(b"k" * 32), Sums(), Sums()
        rises = []
        for source in sources:
            visitor, start = self.drawn.randbytes(16), self.drawn.getstate()
            for sums in [both_kinds] if source else [both_kinds, good]:
                self.drawn.setstate(start)
                cells = self._visit(visitor, source, sums)
            rises += registers.saw(visitor, [cell for cell in cells if cell.dim in SKETCHED])
        self.tally.fold([unpack(pack(GroupCommit(day.isoformat(), 10, both_kinds, rises)))])
        self.days[day] = dict(good), dict(both_kinds)

    def _visit(self, visitor: bytes, source, sums: Sums) -> list[Cell]:
        about = {
            Dim.SOURCE: source or self.drawn.choice(SOURCES),
            Dim.CHANNEL: "link",
            Dim.CAMPAIGN: self.drawn.choice(["autumn", "spring"]),
            Dim.COUNTRY: self.drawn.choice(COUNTRIES),
            Dim.DEVICE: self.drawn.choice(["phone", "desktop"]),
            Dim.BROWSER: "Firefox",
        }
        table, now, seen = Visits(), 0.0, [ALL, *(Cell(dim, name) for dim, name in about.items())]
        for _ in range(self.drawn.randint(1, 3)):
            page = self.drawn.choice(PAGES)
            for hit, at in (
                (view(visitor, page, about), now),
                (stay(visitor, page, 20), now + 20),
                (counted_hit(visitor, HitKind.EVENT, page, name="trial"), now + 21),
            ):
                sums.add_all(table.count(hit, at))
            seen.append(Cell(Dim.PAGE, page))
            now += 30
        return seen

    def of(self, period: Period, cell: Cell, *, spam: bool) -> tuple[int, int, int]:
        """Views, visits and bounces of a cell, had the spam of the burst never come; or with it."""
        told = [0, 0, 0]
        for day, (good, everything) in self.days.items():
            if period.first <= day <= period.last:
                kept = everything if spam or not BURST.first <= day <= BURST.last else good
                told = [one + more for one, more in zip(told, kept.get(cell, (0, 0, 0, 0)), strict=False)]
        return tuple(told)


@pytest.fixture
def filling():
    return Counted


@pytest.fixture
def counted(filling, site):
    return site.filled


def _sums(found) -> tuple[int, int, int]:
    return found.views, found.visits, found.bounces


@both
@pytest.mark.parametrize("closed", [False, True])
def test_every_figure_is_as_if_it_had_never_come(counted, closed):
    if closed:
        close_days(LAST.toordinal())
        assert close_months(LAST)
    exclusions.take_out(Dim.SOURCE, SPAM, BURST)
    for period in PERIODS:
        assert _sums(totals(period)) == counted.of(period, ALL, spam=False)
        assert sum(point.totals.visits for point in series(period)) == counted.of(period, ALL, spam=False)[1]
        for dim in PANELS:
            assert not asked(period, dim).includes_excluded
            for row in top(period, dim, limit=50):
                views, visits, _ = counted.of(period, Cell(dim, row.name), spam=False)
                assert (row.totals.views, row.totals.visits) == (views, visits), (dim, row.name)
        page = totals(period, Drill(Dim.PAGE, "/docs"))
        assert (page.views, page.visits) == counted.of(period, Cell(Dim.PAGE, "/docs"), spam=False)[:2]
        began = counted.of(period, Cell(Dim.ENTRY, "/docs"), spam=False)
        assert (page.began, page.bounces) == began[1:]
        for row in top(period, Dim.SOURCE, Drill(Dim.PAGE, "/docs")):
            cell = Cell(Dim.PAGE, "/docs", Dim.SOURCE, row.name)
            assert row.totals.views == counted.of(period, cell, spam=False)[0]


@both
def test_put_back_it_counts_again_and_nothing_was_deleted(counted):
    rows = Day.objects.count()
    before = [_sums(totals(period)) for period in PERIODS]
    exclusions.take_out(Dim.SOURCE, SPAM, BURST)
    assert [_sums(totals(period)) for period in PERIODS] != before and Day.objects.count() == rows
    standing = exclusions.standing()
    assert [(one.dim, one.name, one.first, one.last) for one in standing] == [
        (Dim.SOURCE, SPAM, BURST.first, BURST.last)
    ]
    assert standing[0].visits == 36
    assert exclusions.put_back(standing[0].id) and not exclusions.put_back(standing[0].id)
    assert (
        [_sums(totals(period)) for period in PERIODS]
        == before
        == [counted.of(period, ALL, spam=True) for period in PERIODS]
    )


@both
def test_visitors_are_fewer_by_those_that_it_brought(counted):
    close_days(BURST.last.toordinal())
    whole = totals(BURST).visitors
    exclusions.take_out(Dim.SOURCE, SPAM, BURST)
    assert totals(BURST).visitors == pytest.approx(whole - 36, abs=3)
    close_days(LAST.toordinal() + 1)
    assert totals(BURST).visitors == pytest.approx(whole - 36, abs=3)
    assert sum(point.totals.visitors for point in series(BURST)) == totals(BURST).visitors


@both
def test_what_no_cell_knows_stays_and_is_told(counted):
    exclusions.take_out(Dim.SOURCE, SPAM, BURST)
    whole = counted.of(BURST, Cell(Dim.CHANNEL, "link"), spam=True)
    assert top(BURST, Dim.CHANNEL)[0].totals.visits == whole[1]
    assert asked(BURST, Dim.CHANNEL).includes_excluded
    assert asked(BURST, Dim.COUNTRY, Drill(Dim.PAGE, "/docs")).includes_excluded
    assert asked(PERIODS[0], None, Drill(Dim.PAGE, "/docs"), by_time=True).includes_excluded  # by the hour
    assert not asked(Period(FIRST, FIRST), Dim.CHANNEL).includes_excluded
    assert Dim.CHANNEL in exclusions.stays_in(Dim.SOURCE) and Dim.PAGE not in exclusions.stays_in(Dim.SOURCE)


@both
def test_what_two_have_in_common_goes_once(counted):
    exclusions.take_out(Dim.SOURCE, SPAM, BURST)
    exclusions.take_out(Dim.COUNTRY, "DE", BURST)
    left = sum(counted.of(BURST, Cell(Dim.SOURCE, source, Dim.COUNTRY, "FR"), spam=False)[1] for source in SOURCES)
    assert totals(BURST).visits == left
    assert [row.name for row in top(BURST, Dim.SOURCE)] == sorted(
        SOURCES, key=lambda one: -counted.of(BURST, Cell(Dim.SOURCE, one, Dim.COUNTRY, "FR"), spam=False)[1]
    )
    assert sum(row.totals.visits for row in top(BURST, Dim.SOURCE)) == left


def test_a_page_that_is_taken_out_takes_its_views_and_those_who_saw_it(counted):
    whole, page = totals(BURST), totals(BURST, Drill(Dim.PAGE, "/buy"))
    exclusions.take_out(Dim.PAGE, "/buy", BURST)
    assert totals(BURST).views == whole.views - page.views
    assert totals(BURST).bounces == whole.bounces - page.bounces
    assert "/buy" not in [row.name for row in top(BURST, Dim.PAGE)]
    assert totals(BURST, Drill(Dim.PAGE, "/buy")).views == 0


def test_days_of_one_thing_never_stand_twice(counted):
    for first, last in ((10, 11), (12, 12), (11, 14)):
        exclusions.take_out(Dim.SOURCE, SPAM, Period(date(2026, 9, first), date(2026, 9, last)))
    row = TakenOut.objects.get()
    assert (row.first, row.last) == (date(2026, 9, 10).toordinal(), date(2026, 9, 14).toordinal())


@pytest.mark.parametrize(
    ("dim", "name", "period"),
    [
        (Dim.BROWSER, "Firefox", BURST),
        (Dim.SOURCE, "nowhere.example.org", BURST),
        (Dim.SOURCE, "", BURST),
        (Dim.SOURCE, SPAM, Period(date(2020, 1, 1), date(2020, 1, 2))),
        (Dim.SOURCE, SPAM, Period(BURST.last, BURST.first)),
        (Dim.SOURCE, SPAM, Period(date(2020, 1, 1), LAST)),
    ],
)
def test_what_cannot_be_taken_out_is_refused(counted, dim, name, period):
    with pytest.raises(exclusions.NotTakenOut):
        exclusions.take_out(dim, name, period)
    assert not TakenOut.objects.exists()


def test_there_is_an_end_to_what_is_taken_out(counted, monkeypatch):
    monkeypatch.setattr(exclusions, "MOST", 1)
    exclusions.take_out(Dim.SOURCE, SPAM, BURST)
    with pytest.raises(exclusions.NotTakenOut, match="Restore one first"):
        exclusions.take_out(Dim.SOURCE, "Bing", BURST)
    assert Name.objects.filter(text="Bing").exists()
