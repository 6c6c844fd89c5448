"""What fronts counted is added to the cells once, on either database; rows are bounded."""

import gc

import pytest
from django.db import transaction

from tests.audience.asked import totals
from tests.audience.counting.test_counter import AT, _counter, _view
from tests.audience.user_agents import CHROME
from tests.conftest import both
from troth.audience.counting.cells import ALL, Cell, Dim
from troth.audience.counting.commit import CountsRefused, MinuteCounts, pack, unpack
from troth.audience.counting.page_names import OTHER
from troth.audience.models import Day, Hour, Name, Registers, Restart, Sheet
from troth.audience.queries.queries import Period
from troth.audience.storage import fold
from troth.audience.storage.fold import CellFold, dims_of, kind_of, visitors_of
from troth.audience.storage.rollup import close_days

DAY = AT.date().toordinal()


def _counts(*seen) -> MinuteCounts:
    counter = _counter()
    for now, one in enumerate(seen):
        counter.count(one, float(now))
    return unpack(pack(counter.take(AT)))


def _day(cell: Cell) -> tuple[int, ...]:
    names = dict(Name.objects.values_list("text", "id")) | {"": 0}
    row = Day.objects.filter(kind=kind_of(cell.dim, cell.by), at=DAY, name=names[cell.name], by=names[cell.by_name])
    return row.values_list("views", "visits", "bounces", "seconds").get()


@both
def test_two_commits_add_up(site):
    folding = CellFold()
    folding.fold([_counts(_view("/docs", country="DE"), _view("/buy", country="DE"))])
    folding.fold([_counts(_view("/docs", country="DE"))])
    assert _day(ALL) == (3, 2, 1, 0)
    assert _day(Cell(Dim.PAGE, "/docs")) == (2, 2, 0, 0)
    assert _day(Cell(Dim.PAGE, "/docs", Dim.COUNTRY, "DE")) == (2, 2, 0, 0)
    assert Hour.objects.get(kind=kind_of(Dim.ALL)).at == DAY * 24 + 14


@both
def test_many_in_one_batch_are_as_many_one_by_one(site):
    some = [_counts(_view(page, address=f"203.0.113.{n}")) for n, page in enumerate(["/", "/docs", "/buy"] * 8)]
    CellFold().fold(some)
    whole = {(row.kind, row.name, row.by): (row.views, row.visits) for row in Day.objects.all()}
    Day.objects.all().delete()
    for one in some:
        CellFold().fold([one])
    assert {(row.kind, row.name, row.by): (row.views, row.visits) for row in Day.objects.all()} == whole


@both
def test_visitors_are_counted_over_commits_and_the_number_stays_when_the_registers_go(site):
    counter, folding = _counter(), CellFold()
    for n in range(300):
        counter.count(_view(address=f"198.51.100.{n % 200}", agent=CHROME), float(n))
        if n % 10 == 9:
            folding.fold([unpack(pack(counter.take(AT)))])
    assert 195 <= visitors_of(Dim.ALL, DAY, 0) <= 205
    assert close_days(DAY + 1) >= 2 and not Registers.objects.exists()
    assert 195 <= totals(Period(AT.date(), AT.date())).visitors <= 205


@both
def test_what_comes_late_never_lowers_the_number(site):
    CellFold().fold([_counts(*(_view(address=f"198.51.100.{n}") for n in range(50)))])
    close_days(DAY + 1)
    CellFold().fold([_counts(_view())])
    close_days(DAY + 1)
    assert 48 <= totals(Period(AT.date(), AT.date())).visitors <= 52


@both
def test_of_each_kind_a_day_has_so_many_rows(site, monkeypatch):
    monkeypatch.setattr(fold, "MOST_ALONE", 20)
    names = ["", *(f"/page-{n}" for n in range(100))]
    cells = [(Dim.PAGE.code, n, -1, 0, 1, 1, 0, 0) for n in range(1, 101)]
    CellFold().fold([MinuteCounts(DAY, 14, names, cells, [])])
    rows = Day.objects.filter(kind=kind_of(Dim.PAGE))
    assert rows.count() == 21 and sum(row.views for row in rows) == 100
    assert rows.get(name=Name.objects.get(text=OTHER).id).views == 80


@both
def test_a_transaction_that_was_rolled_back_added_nothing(site):
    folding = CellFold()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        folding.fold([_counts(_view("/docs"))])
        raise ZeroDivisionError
    folding.forget()
    assert not Day.objects.exists() and not Name.objects.exists()
    folding.fold([_counts(_view("/docs"))])
    assert _day(ALL) == (1, 1, 1, 0)


@both
def test_counts_that_no_counter_makes_change_nothing(site):
    bad = MinuteCounts(DAY, 14, ["", "/"], [(0, 0, -1, 0, 1, 1, 1, 0), (1, 5, -1, 0, 1, 1, 0, 0)], [])
    with pytest.raises(CountsRefused):
        CellFold().fold([_counts(_view()), bad])
    assert not Day.objects.exists()


def test_a_kind_is_both_dims():
    for one in Dim:
        assert dims_of(kind_of(one)) == (one, None)
        for other in Dim:
            assert dims_of(kind_of(one, other)) == (one, other)


def test_there_is_no_row_for_a_visitor_or_a_hit():
    """V1: nothing in the schema could hold one: numbers, names of things, and registers of a whole cell."""
    fields = {
        f"{model.__name__}.{field.name}"
        for model in (Name, Hour, Day, Sheet, Registers, Restart)
        for field in model._meta.local_concrete_fields
    }
    sums = {"kind", "at", "name", "by", "views", "visits", "bounces", "seconds"}
    assert fields == {
        *("Name.id", "Name.text"),
        *(f"Hour.{name}" for name in sums),
        *(f"Day.{name}" for name in {*sums, "visitors"}),
        *("Registers.kind", "Registers.at", "Registers.name", "Registers.data"),
        *("Sheet.unit", "Sheet.kind", "Sheet.at", "Sheet.cells", "Sheet.data"),
        *("Restart.id", "Restart.at", "Restart.hour"),
    }


@pytest.mark.parametrize("was", [True, False])
def test_after_a_batch_circles_are_looked_for_as_before_whatever_became_of_it(was):
    (gc.enable if was else gc.disable)()
    try:
        with pytest.raises(ZeroDivisionError), fold.uncollected():
            assert not gc.isenabled()
            raise ZeroDivisionError
        assert gc.isenabled() is was
    finally:
        gc.enable()
