"""The last half hour: by the minute for the site, by five for names, bounded, and gone after 31 minutes."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import both
from troth.audience.counting.cells import Dim
from troth.audience.counting.commit import MinuteCounts
from troth.audience.counting.page_names import OTHER
from troth.audience.models import Day, Minute, Name
from troth.audience.queries.realtime import recent
from troth.audience.queries.site_time import minute_of
from troth.audience.storage import fold
from troth.audience.storage.fold import CellFold, forget_minutes, kind_of
from troth.core import clock

NOW = datetime(2026, 11, 25, 14, 37, 20, tzinfo=UTC)


class At(MinuteCounts, frozen=True, array_like=True):
    """Counts that know their minute."""

    minute: int = 0


@pytest.fixture(autouse=True)
def _held():
    with clock.hold(NOW) as held:
        yield held


def _at(at: datetime, *pages: str, source: str = "Bing") -> At:
    names = ["", source, *pages]
    cells = [(Dim.ALL.code, 0, -1, 0, len(pages), 1, 1, 9), (Dim.SOURCE.code, 1, -1, 0, len(pages), 1, 1, 9)]
    cells += [(Dim.PAGE.code, place, -1, 0, 1, 1, 0, 9) for place in range(2, len(names))]
    cells += [(Dim.PAGE.code, place, Dim.SOURCE.code, 1, 1, 1, 0, 0) for place in range(2, len(names))]
    return At(at.date().toordinal(), at.hour, names, cells, [], at.minute)


def _rows(dim: Dim):
    return dict(Minute.objects.filter(kind=kind_of(dim)).order_by("at").values_list("at", "views"))


@both
def test_the_site_is_told_by_the_minute_and_names_by_five(site):
    folding = CellFold()
    folding.fold([_at(NOW, "/docs"), _at(NOW - timedelta(minutes=1), "/docs", "/buy")])
    folding.fold([_at(NOW, "/docs")])
    here = minute_of(NOW)
    assert _rows(Dim.ALL) == {here - 1: 2, here: 2}
    assert _rows(Dim.SOURCE) == {here - here % 5: 4}
    assert {row.at % 5 for row in Minute.objects.filter(kind=kind_of(Dim.PAGE))} == {0}
    assert {row.kind for row in Minute.objects.all()} == {kind_of(dim) for dim in (Dim.ALL, Dim.PAGE, Dim.SOURCE)}


def test_what_comes_late_out_of_the_spool_is_in_its_day_and_not_here(site):
    CellFold().fold(
        [_at(NOW - timedelta(minutes=31), "/"), _at(NOW - timedelta(days=3), "/"), _at(NOW + timedelta(minutes=2), "/")]
    )
    assert not Minute.objects.exists()
    assert Day.objects.filter(kind=kind_of(Dim.ALL)).count() == 2


@both
def test_minutes_are_gone_after_half_an_hour(site):
    CellFold().fold([_at(NOW, "/"), _at(NOW - timedelta(minutes=20), "/")])
    assert forget_minutes(NOW) == 0
    assert forget_minutes(NOW + timedelta(minutes=11)) == 3
    assert forget_minutes(NOW + timedelta(minutes=40)) == 3 and not Minute.objects.exists()
    CellFold().fold([_at(NOW, "/")])
    assert forget_minutes(NOW - timedelta(hours=1)) == 3, "a clock set back leaves nothing of what has not come"


def test_so_many_names_and_no_more(site, monkeypatch):
    monkeypatch.setattr(fold, "MOST_IN_FIVE", 3)
    folding = CellFold()
    for n in range(6):
        folding.fold([_at(NOW, f"/{n}")])
    folding.fold([_at(NOW, "/0", "/9")])
    names = dict(Name.objects.values_list("id", "text"))
    told = {names[row.name]: row.views for row in Minute.objects.filter(kind=kind_of(Dim.PAGE))}
    assert told == {"/0": 2, "/1": 1, "/2": 1, OTHER: 4}


def test_the_page_tells_the_last_half_hour(site):
    CellFold().fold(
        [_at(NOW, "/docs", "/buy"), _at(NOW - timedelta(minutes=29), "/docs"), _at(NOW - timedelta(minutes=30), "/")]
    )
    shown = recent(NOW)
    assert (shown.views, shown.visits) == (3, 2)
    assert [bar.value for bar in shown.chart.bars] == [1, *[0] * 28, 2]
    assert (shown.chart.bars[0].label, shown.chart.bars[-1].label) == ("14:08", "14:37")
    assert [(one.name, one.times) for one in shown.pages] == [("/buy", "1"), ("/docs", "1")]
    assert [(one.name, one.times) for one in shown.sources] == [("Bing", "1")]
    assert shown.since == "14:10"


def test_counts_that_know_no_minute_yet_are_those_of_the_full_hour(site):
    with clock.hold(NOW.replace(minute=5)):
        one = _at(NOW, "/")
        CellFold().fold([MinuteCounts(one.day, one.hour, one.names, one.cells, [])])
        assert list(_rows(Dim.ALL)) == [minute_of(NOW.replace(minute=0))]
