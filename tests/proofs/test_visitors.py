"""What the proofs of V1 and V2 take for a breach, and what they do not. The breaches of the program are mutants."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from tests.audience.asked import series, top, totals
from tests.conftest import both
from tests.proofs.scenes import scene
from troth.audience.counting.cells import ALL, Cell, Dim, Sums
from troth.audience.counting.commit import Counted, pack, unpack
from troth.audience.counting.counter import GroupCommit
from troth.audience.counting.registers import Rise
from troth.audience.models import Day, Hour, Minute, Registers, Restart
from troth.audience.public import report
from troth.audience.queries.queries import Period
from troth.audience.services import file_counts
from troth.audience.storage import rollup as closes
from troth.audience.storage.read import of_proofs
from troth.core import clock
from troth.core.entry import came
from troth.core.ids import new_id
from troth.gate.loopback.front_client import FrontAnswer
from troth.policy import data_map
from troth.policy.promise import State
from troth.proofs import visitors
from troth.proofs.instruments import spool_and_tables, sqlite_wal, test_visitor
from troth.proofs.instruments.spool_and_tables import Book, OpenedFrame
from troth.proofs.instruments.test_visitor import SentHit, SiteVisit

NOTHING = Book((0, 0), {}, {}, {}, {})


def frame(*cells, risen=(), day="2026-11-25", proof=True):
    sums = Sums()
    for cell, views in cells:
        sums.add(cell, views=views, visits=1)
    packed = pack(GroupCommit(day, 9, sums, list(risen), proof=proof))
    return OpenedFrame(packed, unpack(packed))


def hit(what, *frames, headers=()):
    return SentHit(what, FrontAnswer(204, dict(headers), b""), list(frames))


def judged(site, settings, proof, told):
    with scene(site, settings) as here:
        here.shared["visited"] = told
        return proof(here)


AGAIN = [hit("again", frame((ALL, 1), (Cell(Dim.PAGE, "(other)"), 1))) for _ in range(test_visitor.AGAIN - 1)]


def test_a_frame_with_two_hits_is_not_taken_for_one():
    assert hit("again", frame((ALL, 1))).alone
    assert not hit("again", frame((ALL, 2))).alone
    assert not hit("again", frame((ALL, 1), (Cell(Dim.ASKED, ""), 1))).alone
    assert not hit("again", frame((ALL, 1)), frame((ALL, 1))).alone
    assert not hit("stayed", frame((ALL, 1))).alone


def test_sums_alone_are_let_pass_and_a_register_of_a_second_hit_is_not(site, settings):
    told = SiteVisit(marks=["kmnpqrstvwxz"], address="2001:db8:1:2::1", language="qzx", hits=AGAIN)
    assert judged(site, settings, visitors.spool_holds_totals, told).state is State.KEPT
    rose = hit("again", frame((ALL, 1), risen=[Rise(ALL, 7, 3)]))
    found = judged(site, settings, visitors.spool_holds_totals, replace(told, hits=[*AGAIN, rose]))
    assert found.state is State.BROKEN and "register" in found.detail


@pytest.mark.parametrize(
    "other",
    [
        Cell(Dim.SOURCE, "kmnpqrstvwxz.example.org"),
        Cell(Dim.DEVICE, "20010db800010002"),
        Cell(Dim.PAGE, "/a/page/that/is/not/known"),
        Cell(Dim.LANGUAGE, "qzx"),
    ],
)
def test_a_name_that_it_brought_is_a_breach(site, settings, other):
    told = SiteVisit(marks=["kmnpqrstvwxz"], address="2001:db8:1:2::1", language="qzx")
    told.hits = [*AGAIN, hit("first", frame((ALL, 1), (other, 1)))]
    assert judged(site, settings, visitors.spool_holds_totals, told).state is State.BROKEN


def test_where_others_came_in_the_same_moments_it_is_not_proven(site, settings):
    busy = [hit("again", frame((ALL, 3))) for _ in range(test_visitor.AGAIN - 1)]
    told = SiteVisit(marks=["kmnpqrstvwxz"], address="2001:db8:1:2::1", language="qzx", hits=busy)
    assert judged(site, settings, visitors.spool_holds_totals, told).state is State.UNPROVEN


@pytest.mark.parametrize("table", ["vault_seenentry", "audience_day", "audience_anything"])
def test_a_row_for_each_hit_is_a_breach_in_whatever_table(site, settings, table, monkeypatch):
    monkeypatch.setattr(sqlite_wal, "is_cut", lambda _: True)
    once, often = (replace(NOTHING, counts={table: count}) for count in (3, 3 + test_visitor.AGAIN - 1))
    told = SiteVisit(hits=AGAIN, address="2001:db8:1:2::1", books=[NOTHING, once, often, often])
    found = judged(site, settings, visitors.hits_leave_no_rows, told)
    assert found.state is State.BROKEN and table in found.detail
    told.books = [NOTHING, once, once, once]
    assert judged(site, settings, visitors.hits_leave_no_rows, told).state is State.KEPT


def test_a_line_of_the_log_for_each_hit_is_a_breach(site, settings, monkeypatch):
    monkeypatch.setattr(sqlite_wal, "is_cut", lambda _: True)
    told = SiteVisit(
        hits=AGAIN, address="2001:db8:1:2::1", books=[NOTHING] * 4, lines=[3, 3, 3 + test_visitor.AGAIN - 1, 90]
    )
    found = judged(site, settings, visitors.hits_leave_no_rows, told)
    assert found.state is State.BROKEN and "19 lines" in found.detail
    told.lines = [3, 3, 5, 90]
    assert judged(site, settings, visitors.hits_leave_no_rows, told).state is State.KEPT


def test_a_log_of_commits_that_nobody_cuts_is_a_breach_and_one_that_is_read_just_now_is_none(
    site, settings, monkeypatch
):
    monkeypatch.setattr(sqlite_wal, "CUT_SECONDS", 0.3)
    told = SiteVisit(hits=AGAIN, address="2001:db8:1:2::1", books=[NOTHING] * 4)
    with closing(sqlite3.connect(site.database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM audience_day").fetchone()
        Day.objects.create(kind=0, at=739_000, name=0, by=0)
        assert judged(site, settings, visitors.hits_leave_no_rows, told).state is State.KEPT
    found = judged(site, settings, visitors.hits_leave_no_rows, told)
    assert found.state is State.BROKEN and "SQLite" in found.detail


def test_who_asked_is_one_number(site, settings):
    asked = frame((Cell(Dim.ASKED, ""), 1))
    plain = OpenedFrame(asked.packed, unpack(pack(_only_asked())))
    told = SiteVisit(address="2001:db8:1:2::1", hits=[hit("signal", plain), hit("choice", plain)])
    assert judged(site, settings, visitors.opt_outs_are_not_counted, told).state is State.KEPT
    told.hits[1] = hit("choice", frame((ALL, 1)))
    assert judged(site, settings, visitors.opt_outs_are_not_counted, told).state is State.BROKEN


def _only_asked():
    sums = Sums()
    sums.add(Cell(Dim.ASKED, ""), views=1)
    return GroupCommit("2026-11-25", 9, sums)


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("data/day-key", False),
        ("data/visits.json", False),
        ("spool/map", False),
        ("public/visits.msgpack", False),
        ("keys/day.key", False),
        ("visits.db", False),
        ("data/troth.sqlite3-wal", True),
        ("data/aside/000001a214147a11-00000010.sealed", True),
        ("spool/000001a214147a11.seg", True),
        ("public/gen-000000000002/front.msgpack", True),
        ("keys/seal/46.key", True),
        ("countries.mmdb", True),
        ("troth.log.1", True),
    ],
)
def test_a_file_lies_where_one_is_declared(site, settings, name, declared):
    with scene(site, settings) as here:
        assert visitors._is_declared(here, name) is declared


@both
def test_the_database_is_asked_itself(site, settings):
    with scene(site, settings) as here:
        assert visitors.tables_are_declared(here).state is State.KEPT
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE audience_visitor (id INTEGER)")
            assert visitors.tables_are_declared(here).state is State.BROKEN
            cursor.execute("DROP TABLE audience_visitor")
            cursor.execute("ALTER TABLE audience_hour ADD COLUMN agent VARCHAR(9)")
            assert visitors.tables_are_declared(here).state is State.BROKEN
            cursor.execute("ALTER TABLE audience_hour DROP COLUMN agent")


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ("front=0 event=serving", True),
        ("front=1 event=published generation=12 held_back=3", True),
        ("front=0 event=unhandled exception=ValueError at=front/app.py:12", True),
        ("front=0 event=library by=uvicorn.error level=WARNING at=h11_impl:99", True),
        ("front=0 event=hit page=/docs?x=1", False),
        ("front=0 visitor came from 192.0.2.7", False),
        ("{'3f0c6a9e1b2d4f708192a3b4c5d6e7f8': '/'}", False),
        ("{b'\\x8f\\x01\\xaa\\xbb\\x00': '/'}", False),
        ('{"process": "worker", "signups": 1, "event": "processed"}', True),
    ],
)
def test_a_front_has_few_words(site, settings, monkeypatch, line, good):
    monkeypatch.setattr("troth.proofs.instruments.file_scan.lines_of_log", lambda here: [line])
    with scene(site, settings) as here:
        assert (visitors.log_has_no_visits(here).state is State.KEPT) is good


def test_everything_that_is_counted_is_in_the_policys_table(site, settings):
    named = [dim for dims in data_map.COUNTED.values() for dim in dims]
    assert sorted(named) == sorted(Dim)
    shown = dict(data_map.counted(settings.TROTH_CONFIG))
    assert "25 months" in shown.values() and "Country" not in shown
    assert not [one for one in data_map.undeclared(settings.TROTH_CONFIG) if "visits by" in one]


@both
def test_what_an_invented_visitor_brings_is_in_no_figure_and_leaves_no_row(site, settings):
    zone, today = settings.TROTH_CONFIG.zone, clock.now().astimezone(settings.TROTH_CONFIG.zone).date()
    cells = ((ALL, 1), (Cell(Dim.PAGE, "/docs"), 1))
    rose = [Rise(ALL, 7, 3), Rise(Cell(Dim.PAGE, "/docs"), 9, 2)]

    def brought(proof):
        packed = frame(*cells, risen=rose, day=today.isoformat(), proof=proof).packed
        file_counts([came(new_id(), Counted(packed=packed))], zone)

    def figures():
        day = Period(today, today)
        rows = [list(model.objects.order_by("pk").values()) for model in (Day, Hour, Registers, Restart, Minute)]
        return totals(day), top(day, Dim.PAGE), series(day), rows, report.made(day)

    brought(proof=False)
    before = figures()
    assert before[0].views == 1 and before[0].visitors == 1
    brought(proof=True)
    brought(proof=True)
    assert figures() == before
    with of_proofs():
        assert top(Period(today, today), Dim.PAGE)[0].totals.views == 2
    closes.close_days(today.toordinal() + 1)
    assert Day.with_proofs.filter(at__lt=0).count() == 2
    assert closes.oldest(zone).days.date() <= today
    closes.forget(clock.now() + timedelta(days=1), zone, 25)
    assert Day.with_proofs.filter(at__lt=0).count() == 2
    spool_and_tables.remove()
    assert not Day.with_proofs.filter(at__lt=0).exists() and not Registers.with_proofs.filter(at__lt=0).exists()


def test_what_grows_while_the_invented_visitor_does_nothing_grows_by_others(site, settings, monkeypatch):
    monkeypatch.setattr(sqlite_wal, "is_cut", lambda _: True)
    books = [replace(NOTHING, counts={"newsletter_request": count}) for count in (3, 3, 90, 177)]
    told = SiteVisit(hits=AGAIN, address="2001:db8:1:2::1", books=books, lines=[3, 3, 60, 120])
    assert judged(site, settings, visitors.hits_leave_no_rows, told).state is State.BROKEN
    told.idle, told.idle_lines = (books[2], books[3]), 55
    found = judged(site, settings, visitors.hits_leave_no_rows, told)
    assert found.state is State.KEPT and "newsletter_request" in found.detail
    told.idle, told.idle_lines = (books[2], books[2]), 0
    assert judged(site, settings, visitors.hits_leave_no_rows, told).state is State.BROKEN


def test_the_office_may_show_less_only_where_the_operator_took_something_out(site, settings):
    key = (spool_and_tables.kind_of(Dim.PAGE), 739_000, 5, 0)
    told = SiteVisit(shown_views={Dim.PAGE: 4}, stored_rows={key: (4, 1, 0, 0)}, address="2001:db8:1:2::1")
    with scene(site, settings, light=False) as here:
        here.shared["visited"] = told
        assert visitors.figures_match_tables(here).state is State.KEPT
        told.shown_views = {Dim.PAGE: 3}
        assert visitors.figures_match_tables(here).state is State.BROKEN
        told.taken_out = True
        assert visitors.figures_match_tables(here).state is State.KEPT
        told.shown_views = {Dim.PAGE: 5}
        assert visitors.figures_match_tables(here).state is State.BROKEN


def test_a_quick_run_asks_of_the_figures_at_one_moment(site, settings):
    with scene(site, settings) as here:
        assert visitors.figures_match_tables(here).state is State.KEPT


def test_what_was_lost_in_the_fold_is_seen():
    cell = Cell(Dim.PAGE, "/docs")
    day = spool_and_tables.day_of_proofs(datetime(2026, 11, 25, tzinfo=UTC).toordinal())
    key = (spool_and_tables.kind_of(Dim.PAGE), day, 5, 0)
    wanted = spool_and_tables.as_rows([frame((cell, 2))], {"/docs": 5, "(other)": 6}, {key: (9, 9, 0, 0)})
    assert wanted == {key: (2, 1, 0, 0)}
    assert spool_and_tables.gained({key: (7, 8, 0, 0)}, {key: (9, 9, 0, 0)}) == wanted
    full = spool_and_tables.as_rows([frame((cell, 2))], {"/docs": 5, "(other)": 6}, {})
    assert full == {(*key[:2], 6, 0): (2, 1, 0, 0)}
