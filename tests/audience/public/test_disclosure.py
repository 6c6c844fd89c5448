"""What the public page hides cannot be had from what it shows: tried by somebody who knows the rule and every name.

The attacker inverts the rule: of all weeks that a small site can have, those that would have been shown alike. What a
hidden row can be in them is all that they learn.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import msgspec
import pytest

from troth.audience.public import disclosure
from troth.audience.public.disclosure import Exact, ShownRow, ShownWeek, StatisticsPage

COUNTRIES, DEVICES = "ABC", ("desktop", "mobile")
type World = dict[str, dict[str, int]]


def worlds(most: int) -> Iterator[World]:
    """Every week of up to so many visits from each of three countries, by two kinds of device."""
    for visits in product(range(most + 1), repeat=3):
        for desktop in range(sum(visits) + 1):
            devices = dict(zip(DEVICES, (desktop, sum(visits) - desktop), strict=True))
            yield {"countries": dict(zip(COUNTRIES, visits, strict=True)), "devices": devices}


def week_of(world: World, step: int) -> ShownWeek:
    """What is shown of it. All on one day: that says the most about the total."""
    tables = {name: [Exact(one, visits) for one, visits in rows.items()] for name, rows in world.items()}
    return disclosure.week("2026-11-16", [sum(world["countries"].values())], tables, step)


def names(told: ShownWeek, table: str) -> set[str]:
    return {row.name for row in told.tables[table]}


def answers_left(step: int, most: int, told_of) -> int:
    """How many different values a hidden row can have, at the least, for who sees what `told_of` tells."""
    alike = defaultdict(list)
    for world in worlds(most):
        alike[msgspec.json.encode(told_of(world, step))].append(world)
    least = most + 1
    for same in alike.values():
        told = week_of(same[0], step)
        for table, rows in same[0].items():
            for name in rows.keys() - names(told, table):
                can_be = {world[table][name] for world in same}
                if can_be != {0}:  # that nobody came is no secret of anybody's
                    least = min(least, len(can_be))
    return least


def test_a_hidden_row_could_always_be_three_things_at_least():
    assert answers_left(disclosure.STEP, 14, week_of) == 3


def test_a_step_of_three_would_let_a_row_be_found_out():
    assert answers_left(3, 8, week_of) == 1


def test_an_exact_total_beside_it_would_let_a_row_be_found_out():
    def with_total(world: World, step: int) -> object:
        exact = {name: visits for name, visits in world["countries"].items() if visits >= step}
        return exact, sum(world["countries"].values())

    assert answers_left(disclosure.STEP, 9, with_total) == 1


def test_two_pages_tell_of_each_week_no_more_than_one_does():
    def left(weeks: int) -> int:
        single = [(a, b) for a in range(10) for b in range(10)]
        alike = defaultdict(list)
        for world in product(single, repeat=weeks):
            told = [
                disclosure.week(str(n), [a + b], {"countries": [Exact("A", a), Exact("B", b)]}, disclosure.STEP)
                for n, (a, b) in enumerate(world)
            ]
            pages = [StatisticsPage(step=5, at_least=3, weeks=told[n:]) for n in range(weeks)]
            seen = [(page.rows("countries"), page.days) for page in pages]
            alike[msgspec.json.encode(seen)].append(world)
        hidden = [
            {world[0][0] for world in same} for same in alike.values() if any(0 < world[0][0] < 5 for world in same)
        ]
        return min(len(can_be) for can_be in hidden if can_be != {0})

    assert left(2) >= left(1) >= 3


@pytest.mark.parametrize("step", [5, 10, 25])
def test_no_figure_is_anything_but_a_multiple_of_the_step(step):
    told = disclosure.week("2026-11-16", [12, 3, 99, 0, 5, 24, 1000], {"pages": [Exact("/", 99), Exact("/a", 4)]}, step)
    assert {count % step for count in told.days} == {0}
    assert {row.visits % step for row in told.tables["pages"]} == {0} and names(told, "pages") == {"/"}


def test_the_order_of_rows_does_not_tell_which_of_two_is_more():
    rows = [Exact("B", 14), Exact("A", 10), Exact("C", 12)]
    for order in (rows, rows[::-1]):
        told = disclosure.week("2026-11-16", [36], {"sources": order}, 5)
        assert told.tables["sources"] == [ShownRow("A", 10), ShownRow("B", 10), ShownRow("C", 10)]


def test_a_row_of_few_people_is_hidden_and_never_alone():
    rows = [Exact("A", 300), Exact("B", 200), Exact("C", 100), Exact("D", 40, several=False)]
    told = disclosure.week("2026-11-16", [640], {"countries": rows}, 5)
    assert names(told, "countries") == {"A", "B"}


def test_a_second_row_is_hidden_where_a_table_that_hides_nothing_tells_the_total_too_closely():
    countries = [Exact("B", 20), Exact("A", 15), Exact("C", 1)]
    for devices, left in (([9, 9, 9, 9], {"B"}), ([12, 12, 12], {"A", "B"})):
        # Four times 5 to 9 is 36 at most, and B and A are 35: C would be one visit, or nothing.
        rows = [Exact(f"device {n}", visits) for n, visits in enumerate(devices)]
        told = disclosure.week("2026-11-16", [36] + 6 * [0], {"devices": rows, "countries": countries}, 5)
        assert names(told, "countries") == left


def test_the_step_is_five_or_what_the_operator_asks_for_in_fives():
    assert [disclosure.step_of(at_least) for at_least in (1, 3, 5, 6, 10, 11, 1000)] == [5, 5, 5, 10, 10, 15, 1000]


def test_a_page_adds_up_what_its_weeks_show_and_shows_the_most():
    weeks = [
        disclosure.week(f"2026-11-{2 + 7 * n:02}", [70] * 7, {"pages": [Exact(f"/{m}", 30 + m) for m in range(15)]}, 5)
        for n in range(3)
    ]
    page = StatisticsPage(step=5, at_least=3, weeks=weeks)
    assert page.rows("pages")[0] == ShownRow("/10", 120) and len(page.rows("pages")) == 10
    assert page.rows("sources") == [] and len(page.days) == 21
