"""Bars: as tall as their number, and a day without anything is still a day."""

from hypothesis import given
from hypothesis import strategies as st

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
