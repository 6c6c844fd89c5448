"""What is over is bound and adds up, whatever comes late; what is too old goes; midnight is that of the site."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction

from tests.audience.asked import series, top, totals
from tests.audience.counting.test_counter import _counter, _view
from tests.conftest import both
from troth.audience.counting.cells import Dim
from troth.audience.counting.commit import MinuteCounts, pack, unpack
from troth.audience.models import Day, Hour, Name, Registers, Restart, Sheet
from troth.audience.queries.queries import Drill, Period
from troth.audience.storage import rollup
from troth.audience.storage.fold import CellFold
from troth.audience.storage.rollup import close, close_days, close_months, forget, oldest, site_day

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 25)
NOON = datetime(2026, 11, 25, 12, tzinfo=BERLIN)


def _counts(day: date, name: str = "/", views: int = 2, hour: int = 9, risen=()) -> MinuteCounts:
    cells = [(Dim.ALL.code, 0, -1, 0, views, 1, 1, 7), (Dim.PAGE.code, 1, -1, 0, views, 1, 0, 7)]
    return MinuteCounts(day.toordinal(), hour, ["", name], cells, list(risen))


def _all() -> Period:
    return Period(TODAY - timedelta(days=1000), TODAY)


# -- days and months --------------------------------------------------------------------------------------------------


@both
def test_a_day_that_is_over_lies_in_sheets_and_answers_as_before(site):
    CellFold().fold([_counts(TODAY - timedelta(days=1)), _counts(TODAY)])
    before = (
        totals(_all()),
        top(_all(), Dim.PAGE),
        series(Period(TODAY - timedelta(days=1), TODAY - timedelta(days=1))),
    )
    assert close(NOON, BERLIN) > 0
    assert {row.at for row in Day.objects.all()} == {TODAY.toordinal()}
    assert {row.at // 24 for row in Hour.objects.all()} == {TODAY.toordinal()}
    after = (
        totals(_all()),
        top(_all(), Dim.PAGE),
        series(Period(TODAY - timedelta(days=1), TODAY - timedelta(days=1))),
    )
    assert after == before and before[2][9].totals.views == 2


@both
def test_closing_twice_or_three_times_changes_nothing(site):
    for n in range(80):
        CellFold().fold([_counts(TODAY - timedelta(days=n))])
    close(NOON, BERLIN)
    once = list(Sheet.objects.order_by("unit", "kind", "at").values_list("unit", "kind", "at", "data"))
    assert close(NOON, BERLIN) == close(NOON, BERLIN) == 0
    assert list(Sheet.objects.order_by("unit", "kind", "at").values_list("unit", "kind", "at", "data")) == once
    assert {unit for unit, *_ in once} == {Sheet.HOURS, Sheet.DAY, Sheet.MONTH}


@both
def test_what_comes_late_is_in_the_day_and_in_the_month_once(site):
    late = date(2026, 9, 10)
    for n in range(100):
        CellFold().fold([_counts(TODAY - timedelta(days=n))])
    close(NOON, BERLIN)
    for again in range(1, 4):
        CellFold().fold([_counts(late, views=10, hour=11)])
        for _ in range(2):  # while it lies in rows, and when it was added
            assert totals(Period(late, late)).views == 2 + 10 * again
            assert totals(Period(date(2026, 9, 1), date(2026, 9, 30))).views == 60 + 10 * again
            assert totals(_all(), Drill(Dim.PAGE, "/")).views == 200 + 10 * again
            assert top(_all(), Dim.PAGE)[0].totals.views == 200 + 10 * again
            assert series(Period(late, late))[11].totals.views == 10 * again
            close(NOON, BERLIN)


@both
def test_what_is_later_than_a_month_that_was_closed_without_it_is_in_it(site):
    """Nothing was there of August when September was closed."""
    CellFold().fold([_counts(date(2026, 7, 5)), _counts(date(2026, 9, 5))])
    close(NOON, BERLIN)
    CellFold().fold([_counts(date(2026, 8, 5), name="/new"), _counts(date(2026, 6, 5))])
    for _ in range(3):
        assert totals(Period(date(2026, 8, 1), date(2026, 8, 31))).views == 2
        assert totals(Period(date(2026, 6, 1), date(2026, 9, 30))).views == 8
        assert [row.name for row in top(Period(date(2026, 8, 1), date(2026, 9, 30)), Dim.PAGE)] == ["/", "/new"]
        close(NOON, BERLIN)


@both
def test_visitors_who_come_late_never_lower_the_number_and_a_month_has_its_days(site):
    day = date(2026, 9, 10)
    CellFold().fold([_counts(day, risen=[(0, 0, n, 1) for n in range(40)])])
    close(NOON, BERLIN)
    counted = totals(Period(day, day)).visitors
    month = Period(date(2026, 9, 1), date(2026, 9, 30))
    assert 38 <= counted <= 42 and totals(month).visitors == counted
    CellFold().fold([_counts(day, risen=[(0, 0, n, 1) for n in range(5)])])
    close(NOON, BERLIN)
    assert totals(Period(day, day)).visitors == counted == totals(month).visitors
    CellFold().fold([_counts(day, risen=[(0, 0, n, 1) for n in range(90)])])
    close(NOON, BERLIN)
    assert 85 <= totals(Period(day, day)).visitors == totals(month).visitors <= 95


@both
def test_of_a_day_that_is_over_only_numbers_stay(site):
    """V1: the registers go with the day."""
    CellFold().fold([_counts(TODAY - timedelta(days=1), risen=[(0, 0, 7, 1)]), _counts(TODAY, risen=[(0, 0, 7, 1)])])
    close(NOON, BERLIN)
    assert {row.at for row in Registers.objects.all()} == {TODAY.toordinal()}
    assert totals(_all()).visitors == 2


@both
def test_a_day_is_not_closed_before_all_of_it_was_folded(site):
    yesterday = TODAY - timedelta(days=1)
    CellFold().fold([_counts(yesterday, risen=[(0, 0, 7, 1)])])
    assert close(NOON, BERLIN, folded=NOON - timedelta(hours=14)) == 0 and Registers.objects.exists()
    assert close(NOON, BERLIN, folded=NOON + timedelta(days=3)) > 0 and not Registers.objects.exists()


@both
def test_a_clock_that_ran_ahead_makes_it_early_and_never_wrong(site):
    CellFold().fold([_counts(TODAY), _counts(date(2026, 11, 3))])
    close(NOON + timedelta(days=400), BERLIN)
    CellFold().fold([_counts(TODAY), _counts(date(2026, 11, 20))])
    for at in (NOON, NOON - timedelta(days=500), NOON + timedelta(days=30)):
        assert totals(_all()).views == 8 and totals(Period(date(2026, 11, 1), date(2026, 11, 30))).views == 8
        assert totals(Period(TODAY, TODAY)).views == 4
        close(at, BERLIN)


@both
def test_a_closing_that_was_cut_off_is_done_again(site, monkeypatch):
    CellFold().fold([_counts(TODAY - timedelta(days=1))])
    real, calls = rollup._write, []

    def cut(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise ZeroDivisionError
        real(*arguments)

    monkeypatch.setattr(rollup, "_write", cut)
    with pytest.raises(ZeroDivisionError):
        close(NOON, BERLIN)
    assert totals(_all()).views == 2 and totals(_all(), Drill(Dim.PAGE, "/")).views == 2
    close(NOON, BERLIN)
    assert totals(_all()).views == 2 and totals(_all(), Drill(Dim.PAGE, "/")).views == 2
    assert not Day.objects.exists()


@pytest.mark.postgres
def test_who_folds_while_a_day_is_closed_is_counted(site):
    """The sum is added to while the row is being taken away: it waits, and is a row of its own afterwards."""
    import threading

    CellFold().fold([_counts(TODAY - timedelta(days=1))])

    def fold() -> None:
        try:
            CellFold().fold([_counts(TODAY - timedelta(days=1), views=5)])
        finally:
            connection.close()

    with transaction.atomic():
        rollup._close_day(0, (TODAY - timedelta(days=1)).toordinal())
        folding = threading.Thread(target=fold)
        folding.start()
        folding.join(0.3)
        assert folding.is_alive()
    folding.join()
    assert totals(_all()).views == 7
    close_days(TODAY.toordinal())
    assert totals(_all()).views == 7


@both
def test_a_folder_does_not_remember_days_for_ever_and_of_a_day_that_is_over_it_knows_the_cells(site, monkeypatch):
    monkeypatch.setattr("troth.audience.storage.fold.MOST_ALONE", 3)
    folding = CellFold()
    for n in range(10):
        folding.fold([_counts(TODAY - timedelta(days=n), name=f"/{n}")])
    assert len(folding._rows) <= 4
    for n in range(5):
        folding.fold([_counts(TODAY - timedelta(days=3), name=f"/more-{n}")])
    close_days(TODAY.toordinal())
    folding.forget()
    for n in range(5):
        folding.fold([_counts(TODAY - timedelta(days=3), name=f"/again-{n}")])
    day = Period(TODAY - timedelta(days=3), TODAY - timedelta(days=3))
    rows = {row.name: row.totals.views for row in top(day, Dim.PAGE)}
    assert rows == {"/3": 2, "/more-0": 2, "/more-1": 2, "(other)": 16}


# -- midnight ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("Europe/Berlin", "2026-03-28T22:59:59", date(2026, 3, 28)),
        ("Europe/Berlin", "2026-03-28T23:00:00", date(2026, 3, 29)),
        ("Europe/Berlin", "2026-03-29T21:59:59", date(2026, 3, 29)),  # a day of 23 hours
        ("Europe/Berlin", "2026-03-29T22:00:00", date(2026, 3, 30)),
        ("Europe/Berlin", "2026-10-24T22:00:00", date(2026, 10, 25)),
        ("Europe/Berlin", "2026-10-25T22:59:59", date(2026, 10, 25)),  # a day of 25 hours
        ("Europe/Berlin", "2026-10-25T23:00:00", date(2026, 10, 26)),
        ("America/Santiago", "2026-09-06T03:59:59", date(2026, 9, 5)),  # midnight does not happen there on that day
        ("America/Santiago", "2026-09-06T04:00:00", date(2026, 9, 6)),
        ("Asia/Kathmandu", "2026-11-24T18:14:59", date(2026, 11, 24)),
        ("Asia/Kathmandu", "2026-11-24T18:15:00", date(2026, 11, 25)),
        ("Pacific/Kiritimati", "2026-11-24T10:00:00", date(2026, 11, 25)),
    ],
)
def test_the_site_has_its_own_midnight(zone, at, day):
    assert site_day(datetime.fromisoformat(at).replace(tzinfo=UTC), ZoneInfo(zone)) == day


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_a_day_of_23_or_25_hours_is_whole(site, day, hours):
    """A view in each hour that passes. The hour that comes twice has both, the one that does not come is empty."""
    begin = datetime.combine(day, datetime.min.time(), BERLIN).astimezone(UTC)
    counter, folding, n = _counter(), CellFold(), 0
    while site_day(at := begin + timedelta(hours=n), BERLIN) == day:
        counter.count(_view(address=f"203.0.113.{n}"), n * 3600.0)
        folding.fold([unpack(pack(counter.take(at.astimezone(BERLIN))))])
        n += 1
    assert n == hours
    bars = {23: {2: 0}, 24: {}, 25: {2: 2}}[hours]
    for _ in range(2):
        assert totals(Period(day, day)).views == hours
        assert [point.totals.views for point in series(Period(day, day))] == [bars.get(hour, 1) for hour in range(24)]
        close(at + rollup.GRACE, BERLIN)
        assert not Day.objects.exists() and not Hour.objects.exists()


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_day_is_closed_a_quarter_of_an_hour_after_its_end_however_long_it_was(site, day):
    CellFold().fold([_counts(day)])
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), BERLIN).astimezone(UTC)
    assert close(end + rollup.GRACE - timedelta(seconds=1), BERLIN) == 0
    assert close(end + rollup.GRACE, BERLIN) > 0


# -- what is old ------------------------------------------------------------------------------------------------------


@both
def test_what_is_older_than_it_may_be_goes_and_nothing_else(site):
    first = date(2024, 8, 1)
    folding = CellFold()
    folding.fold([_counts(first + timedelta(days=n), name=f"/{n // 30}") for n in range((TODAY - first).days + 1)])
    close(NOON, BERLIN)
    assert forget(NOON, BERLIN, 25) > 0 and forget(NOON, BERLIN, 25) == 0
    kept = date(2024, 10, 25)
    assert oldest(BERLIN).days == datetime(2024, 10, 25, tzinfo=BERLIN)
    assert oldest(BERLIN).months == datetime(2024, 11, 1, tzinfo=BERLIN)
    assert oldest(BERLIN).hours == datetime(2026, 8, 17, tzinfo=BERLIN)
    assert totals(Period(first, TODAY)).views == 2 * ((TODAY - kept).days + 1)
    assert totals(Period(kept, date(2024, 12, 31))).views == 2 * 68
    assert "/0" not in Name.objects.values_list("text", flat=True)
    assert {row.name for row in top(Period(first, TODAY), Dim.PAGE, limit=100)} == set(
        Name.objects.exclude(text="(other)").values_list("text", flat=True)
    )
    assert close(NOON, BERLIN) == 0 and forget(NOON, BERLIN, 25) == 0


@both
def test_a_name_that_went_may_come_again_to_the_same_folder(site):
    folding = CellFold()
    folding.fold([_counts(date(2024, 1, 5), name="/again"), _counts(TODAY)])
    close(NOON, BERLIN)
    forget(NOON, BERLIN, 25)
    assert not Name.objects.filter(text="/again").exists()
    folding.fold([_counts(TODAY, name="/again")])
    assert {row.name for row in top(Period(TODAY, TODAY), Dim.PAGE)} == {"/", "/again"}


@both
def test_rows_that_were_never_bound_go_with_their_time_too(site):
    CellFold().fold([_counts(date(2024, 1, 5), risen=[(0, 0, 7, 1)])])
    Restart.objects.create(at=date(2024, 1, 5).toordinal(), hour=12)
    forget(NOON, BERLIN, 25)
    for model in (Day, Hour, Registers, Restart):
        assert not model.objects.exists()
    assert oldest(BERLIN).days is None


@pytest.mark.parametrize(
    ("today", "keep", "day", "month"),
    [
        (date(2026, 11, 25), 25, date(2024, 10, 25), date(2024, 11, 1)),
        (date(2026, 11, 1), 25, date(2024, 10, 1), date(2024, 10, 1)),
        (date(2026, 3, 31), 1, date(2026, 3, 1), date(2026, 3, 1)),
        (date(2026, 12, 31), 1, date(2026, 12, 1), date(2026, 12, 1)),
    ],
)
def test_so_many_months_back_is_a_day(today, keep, day, month):
    noon = datetime.combine(today, datetime.min.time(), BERLIN) + timedelta(hours=12)
    limits = rollup.RollupLimits.of(noon, BERLIN, keep)
    assert date.fromordinal(limits.day) == day and limits.month == month.year * 12 + month.month - 1


@both
def test_months_are_closed_for_the_days_that_there_are(site):
    assert close_months(TODAY) == 0 and oldest(BERLIN).months is None
