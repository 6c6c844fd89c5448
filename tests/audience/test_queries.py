"""Every answer is that of a plain sum over all days, whichever tables it was read from."""

import random
from datetime import date, timedelta

import pytest

from tests.audience.asked import series, top, totals
from tests.conftest import both
from troth.audience.counting.cells import Dim
from troth.audience.counting.commit import MinuteCounts
from troth.audience.models import Day, Sheet
from troth.audience.queries import queries
from troth.audience.queries.queries import Drill, Period, SumTotals
from troth.audience.storage.fold import CellFold
from troth.audience.storage.rollup import close_days, close_months

FIRST, LAST = date(2026, 8, 20), date(2026, 11, 25)
NAMES = ["", "/", "/docs", "/buy", "Google", "Bing"]
PAGES, SOURCES = range(1, 4), range(4, 6)


@pytest.fixture
def filling():
    return _some_months


@pytest.fixture
def days(filling, site):
    """Some months of sums, and what they were: (day, page, source) -> views, visits."""
    return site.filled


def _some_months():
    drawn, told, folding = random.Random(7), {}, CellFold()
    counted = []
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=n)
        for page in PAGES:
            for source in SOURCES:
                views = drawn.randint(1, 9)
                told[day, NAMES[page], NAMES[source]] = views
                counted.append(_counts(day, page, source, views))
    folding.fold(counted)
    return told


def _counts(day: date, page: int, source: int, views: int) -> MinuteCounts:
    sums = (views, 1, 1, views * 3)
    cells = [
        (Dim.ALL.code, 0, -1, 0, *sums),
        (Dim.PAGE.code, page, -1, 0, *sums),
        (Dim.ENTRY.code, page, -1, 0, *sums),
        (Dim.SOURCE.code, source, -1, 0, *sums),
        (Dim.PAGE.code, page, Dim.SOURCE.code, source, *sums),
    ]
    return MinuteCounts(day.toordinal(), 10, NAMES, cells, [])


def _come_late(told) -> None:
    """More for days that are over: some of it lies in rows, some was added to its sheets."""
    for day, closes in ((FIRST, True), (date(2026, 9, 15), True), (date(2026, 10, 31), False)):
        CellFold().fold([_counts(day, 1, 4, 5)])
        told[day, NAMES[1], NAMES[4]] += 5
        if closes:
            close_days(day.toordinal() + 1)


def _last_begin(period: Period) -> date:
    """Where the last bar of the chart begins."""
    return period.last if period.days <= 92 else period.last.replace(day=1)


def _views(told, period: Period, page: str = "", source: str = "") -> int:
    return sum(
        views
        for (day, its_page, its_source), views in told.items()
        if period.first <= day <= period.last and page in ("", its_page) and source in ("", its_source)
    )


PERIODS = [
    Period(LAST, LAST),
    Period(date(2026, 11, 1), LAST),
    Period(date(2026, 9, 1), date(2026, 10, 31)),
    Period(FIRST, LAST),
    Period(date(2026, 9, 2), date(2026, 9, 29)),
    Period(date(2026, 8, 31), date(2026, 11, 1)),
]


@both
@pytest.mark.parametrize("closed", ["rows", "days", "months", "late"])
def test_sums_are_those_of_all_days(site, days, closed):
    if closed != "rows":
        assert close_days(LAST.toordinal()) and Day.objects.exists() and Sheet.objects.exists()
    if closed in {"months", "late"}:
        assert close_months(LAST) and Sheet.objects.filter(unit=Sheet.MONTH).exists()
    if closed == "late":
        _come_late(days)
    for period in PERIODS:
        assert totals(period).views == _views(days, period)
        page = totals(period, Drill(Dim.PAGE, "/docs"))
        assert page.views == _views(days, period, page="/docs") and page.bounces == page.visits
        for row in top(period, Dim.SOURCE, Drill(Dim.PAGE, "/docs")):
            assert row.totals.views == _views(days, period, page="/docs", source=row.name)
        for row in top(period, Dim.PAGE, Drill(Dim.SOURCE, "Bing")):
            assert row.totals.views == _views(days, period, page=row.name, source="Bing")
        points = series(period)
        assert sum(point.totals.views for point in points) == _views(days, period)
        assert period.days == 1 or points[-1].totals.views == _views(
            days, Period(max(period.first, _last_begin(period)), period.last)
        )


@both
def test_the_top_is_sorted_and_cut(site, days):
    rows = top(PERIODS[3], Dim.PAGE, limit=2)
    assert len(rows) == 2 and rows[0].totals.views >= rows[1].totals.views


def test_a_day_is_drawn_by_hours_a_season_by_days_a_year_by_months(site, days):
    assert len(series(PERIODS[0])) == 24 and series(PERIODS[0])[10].totals.views == _views(days, PERIODS[0])
    assert len(series(PERIODS[1])) == 25
    assert [point.label for point in series(PERIODS[3])] == ["Aug 2026", "Sep 2026", "Oct 2026", "Nov 2026"]


def test_what_is_not_counted_together_has_no_answer(site, days):
    assert top(PERIODS[0], Dim.SCREEN, Drill(Dim.BROWSER, "Chrome")) == []


def test_what_nobody_knows_is_nothing(site, days):
    assert totals(PERIODS[0], Drill(Dim.PAGE, "/nowhere")) == SumTotals(visitors=0, began=0)
    assert top(PERIODS[0], Dim.SOURCE, Drill(Dim.PAGE, "/nowhere")) == []
    assert not any(point.totals.views for point in series(PERIODS[1], Drill(Dim.PAGE, "/nowhere")))


def test_a_period_is_compared_with_as_many_days_before():
    assert Period(date(2026, 11, 1), date(2026, 11, 7)).before() == Period(date(2026, 10, 25), date(2026, 10, 31))


@both
def test_visitors_of_days_that_are_over_and_of_today_add_up(site):
    for day, risen in ((LAST - timedelta(days=3), [(0, 0, 1, 1)]), (LAST, [(0, 0, 1, 1), (0, 0, 2, 1)])):
        CellFold().fold([MinuteCounts(day.toordinal(), 9, [""], [(0, 0, -1, 0, 5, 3, 1, 0)], risen)])
    close_days(LAST.toordinal() - 1)
    assert totals(Period(LAST - timedelta(days=3), LAST - timedelta(days=3))).visitors == 1
    assert totals(Period(LAST - timedelta(days=9), LAST)).visitors == 3
    assert totals(Period(LAST, LAST)).visitors == 2


@both
def test_what_comes_late_for_a_day_that_is_over_is_no_second_visitor(site):
    folding, day = CellFold(), LAST.toordinal() - 2
    folding.fold([MinuteCounts(day, 9, [""], [(0, 0, -1, 0, 5, 3, 1, 0)], [(0, 0, n, 1) for n in range(40)])])
    close_days(LAST.toordinal())
    written = totals(Period(LAST - timedelta(days=9), LAST)).visitors
    folding.fold([MinuteCounts(day, 9, [""], [(0, 0, -1, 0, 1, 1, 1, 0)], [(0, 0, 1, 1)])])
    assert totals(Period(LAST - timedelta(days=9), LAST)).visitors == written
    assert sum(point.totals.visitors for point in series(Period(LAST - timedelta(days=9), LAST))) == written


@both
def test_two_things_together_have_sums_and_a_chart(site, days):
    page, source = Drill(Dim.PAGE, "/docs"), Drill(Dim.SOURCE, "Bing")
    for period in PERIODS:
        told = _views(days, period, page="/docs", source="Bing")
        assert totals(period, page, source).views == totals(period, source, page).views == told
        if period.days > 1:
            assert sum(point.totals.views for point in series(period, page, source)) == told
    assert totals(PERIODS[3], page, source).visitors is None
    assert top(PERIODS[3], Dim.COUNTRY, page, source) == []


@both
def test_steps_are_told_from_a_page_and_to_it(site):
    names = ["", "/", "/docs", "/buy"]
    step = Dim.STEP.code
    cells = [(step, 1, step, 2, 5, 0, 0, 0), (step, 2, step, 3, 3, 0, 0, 0), (step, 1, step, 3, 1, 0, 0, 0)]
    CellFold().fold([MinuteCounts(LAST.toordinal(), 9, names, cells, [])])
    whole = [(one.page, one.onto, one.totals.views) for one in queries.steps(PERIODS[0])]
    assert whole == [("/", "/docs", 5), ("/docs", "/buy", 3), ("/", "/buy", 1)]
    assert [one.onto for one in queries.steps(PERIODS[0], "/")] == ["/docs", "/buy"]
    assert [one.page for one in queries.steps(PERIODS[0], "/buy", onward=False)] == ["/docs", "/"]
    assert [row.name for row in top(PERIODS[0], Dim.STEP, Drill(Dim.STEP, "/docs"))] == ["/buy"]


@both
def test_names_are_looked_for_in_any_case_and_nothing_in_them_is_a_sign(site, days):
    assert [row.name for row in top(PERIODS[3], Dim.PAGE, search=["DOC"])] == ["/docs"]
    assert top(PERIODS[3], Dim.PAGE, search=["%"]) == top(PERIODS[3], Dim.PAGE, search=["_"]) == []
    assert {row.name for row in top(PERIODS[3], Dim.PAGE, search=["doc", "buy"])} == {"/docs", "/buy"}
