"""Bars and columns: as tall as their number, and a day without anything is still a day."""

from hypothesis import given
from hypothesis import strategies as st

from troth.kit import charts
from troth.kit.charts import bars


def test_no_days_are_no_bars():
    chart = bars("Nothing", [])
    assert (chart.bars, chart.total, chart.most) == ((), 0, 0)
    assert chart.width > 0


def test_days_without_anything_leave_a_hairline():
    chart = bars("Quiet", [("1 Nov", 0), ("2 Nov", 0)])
    assert [bar.height for bar in chart.bars] == [1.5, 1.5]
    assert chart.most == 0


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_every_bar_stands_in_the_picture_and_the_highest_fills_it(values):
    chart = bars("Any", [(str(number), value) for number, value in enumerate(values)])
    assert chart.total == sum(values)
    assert chart.most == max(values)
    for bar in chart.bars:
        assert 0 < bar.height <= chart.height
        assert abs(bar.y + bar.height - chart.height) < 0.02
        assert 0 <= bar.x <= chart.width - chart.bar_width + 1e-9
    if max(values) > 0:
        assert max(bar.height for bar in chart.bars) == chart.height
    assert sorted(values) == [bar.value for bar in sorted(chart.bars, key=lambda bar: (bar.height, bar.value))]


def _columns(values, before=()):
    told = [
        charts.ColumnItem(f"day {n}", value, str(value), before=before[n] if before else None)
        for n, value in enumerate(values)
    ]
    return charts.columns("Visits by day", told, str)


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=100))
def test_columns_stay_within_their_slots_and_below_the_top(values):
    drawn = _columns(values)
    assert len(drawn.columns) == len(values)
    for one in drawn.columns:
        assert one.slot_x <= one.x and one.x + one.width <= one.slot_x + one.slot + 0.01
        assert drawn.top - 0.01 <= one.y and one.y + one.height <= drawn.floor + 0.01
        assert (one.height > 0) == (one.item.value > 0)
    assert 2 <= len(drawn.up) <= 5
    assert len(drawn.across) <= 10 and 1 <= sum(not tick.wide for tick in drawn.across) <= 3
    assert [tick.at for tick in drawn.across] == sorted(tick.at for tick in drawn.across)


def test_the_axis_is_of_round_numbers():
    assert [tick.label for tick in _columns([618, 3]).up] == ["0.0", "200.0", "400.0", "600.0", "800.0"]
    assert [tick.label for tick in _columns([0, 0]).up] == ["0.0", "1.0"]
    assert [tick.label for tick in _columns([3]).up] == ["0.0", "1.0", "2.0", "3.0"]


def test_the_period_before_is_one_line():
    drawn = _columns([1, 2, 3], [3, 2, 1])
    assert [(one.x2, one.y2) for one in drawn.before[:-1]] == [(one.x1, one.y1) for one in drawn.before[1:]]
    assert len(drawn.before) == 2 and drawn.before[0].y1 < drawn.before[-1].y2
    assert _columns([1, 2, 3]).before == ()
