"""Generated cells are those that counter and tally make of the same hits, each of them; a seed says the same again."""

from datetime import date, datetime, timedelta

from bench.traffic import World, cells, draw, hits
from troth.audience.counting.cells import DIMS
from troth.audience.counting.commit import pack, unpack
from troth.audience.counting.counter import Counter
from troth.audience.counting.name_threshold import NameThreshold
from troth.audience.models import Name
from troth.audience.models import Sheet as Kept
from troth.audience.storage.column_block import ColumnBlock
from troth.audience.storage.fold import CellFold, dims_of
from troth.audience.storage.rollup import close_days

DAY = date(2026, 11, 25)
WORLD = World(pages=200, sources=40, campaigns=5, countries=12)


def _counted(world: World, drawn) -> None:
    """The hits, as they would come to a front, folded every ten minutes."""
    counter, folding, due = Counter(world.site, NameThreshold(3, world.known), b"k" * 32), CellFold(), 600
    midnight = datetime.combine(DAY, datetime.min.time())
    for at, seen in hits(drawn):
        while at >= due:
            if taken := counter.take(midnight + timedelta(seconds=due - 1)):
                folding.fold([unpack(pack(taken))])
            due += 600
        assert counter.count(seen, float(at)) == ""
    if taken := counter.take(midnight + timedelta(seconds=due - 1)):
        folding.fold([unpack(pack(taken))])
    close_days(DAY.toordinal() + 1)


def _told(world: World, by_kind) -> dict[tuple[str, str, str], tuple[int, ...]]:
    found = {}
    for kind, there in by_kind.items():
        one, other = dims_of(kind)
        for (name, by), figures in there.items():
            second = world.names[by] if other else str(by)
            found[f"{one} {other}", world.names[name], second] = tuple(figures[:4])
    return found


def _kept(unit: int) -> dict[tuple[str, str, str], tuple[int, ...]]:
    texts = dict(Name.objects.values_list("id", "text")) | {0: ""}
    found = {}
    for row in Kept.objects.filter(unit=unit):
        one, other = dims_of(row.kind)
        for (name, by), figures in ColumnBlock(bytes(row.data)):
            second = texts[by] if other else str(by)
            found[f"{one} {other}", texts[name], second] = tuple(figures[:4])
    return found


def test_cells_are_those_of_the_hits(site):
    drawn = draw(WORLD, DAY, 3_000)
    _counted(WORLD, drawn)
    by_day, by_hour = cells(drawn)
    assert _kept(Kept.DAY) == _told(WORLD, by_day)
    assert _kept(Kept.HOURS) == _told(WORLD, by_hour)
    assert {dims_of(kind)[0] for kind in by_day} >= {*DIMS[:11]}


def test_a_seed_says_the_same_again_and_another_something_else():
    one, again, other = (draw(World(seed=seed), DAY, 2_000) for seed in (5, 5, 6))
    assert cells(one) == cells(again) != cells(other)
    assert list(hits(one))[:50] == list(hits(again))[:50]


def test_a_day_has_about_as_many_hits_as_were_asked_for():
    week = [draw(World(), DAY + timedelta(days=n), 20_000).hits for n in range(7)]
    assert 0.95 < sum(week) / 140_000 < 1.05 and max(week) > 1.4 * min(week)
