"""Logs become the sums that live counting would have made, once, whatever order, overlap or kill; and nothing else."""

import gzip
import os
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections

from tests.audience.asked import totals
from tests.audience.imports.logged import DAY, NOW, caddy, combined, days_later, ground, log, looked, nginx, take
from tests.audience.user_agents import CHROME, FIREFOX, IPHONE
from tests.conftest import both
from troth.audience.counting.cells import ALL, Cell, Dim
from troth.audience.imports import days, log_files, server_logs
from troth.audience.models import Day, Hour, Import, ImportedDay, Name, OwnPage, Registers, Sheet
from troth.audience.queries.queries import Period
from troth.audience.storage.fold import kind_of
from troth.audience.storage.rollup import close_days, close_months

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def _sums(cell=ALL, day=DAY):
    names = dict(Name.objects.values_list("text", "id")) | {"": 0}
    if cell.name not in names or cell.by_name not in names:
        return None
    row = Day.objects.filter(
        kind=kind_of(cell.dim, cell.by), at=day.toordinal(), name=names[cell.name], by=names[cell.by_name]
    )
    return row.values_list("views", "visits", "bounces", "visitors").first()


def _table():
    """All sums, with the names in place of their numbers; no visitors: they are estimates under a random key."""
    names = dict(Name.objects.values_list("id", "text")) | {0: ""}
    return {
        (row.kind, row.at, names[row.name], names[row.by]): (row.views, row.visits, row.bounces, row.seconds)
        for row in Day.objects.all()
    }


def _minutes(number) -> datetime:
    return DAY + timedelta(minutes=number)


@both
def test_visits_steps_and_visitors_come_out_of_a_log(site, tmp_path):
    path = log(
        tmp_path / "access.log",
        combined("/docs?secret=1", _minutes(0), referrer="https://www.google.de/"),
        combined("/buy", _minutes(1)),
        combined("/docs", _minutes(2), address="203.0.113.8", agent=IPHONE),
        combined("/docs", _minutes(50), address="203.0.113.8", agent=IPHONE),
    )
    done = take(path, on=ground(country={"203.0.113.8": "FR"}.get))
    assert (done.counts, done.days) == ({"views": 4}, [DAY.toordinal()])
    assert _sums() == (4, 3, 2, 2)
    assert _sums(Cell(Dim.PAGE, "/docs")) == (3, 3, 0, 2)
    assert _sums(Cell(Dim.STEP, "/docs", Dim.STEP, "/buy"))[0] == 1
    assert _sums(Cell(Dim.SOURCE, "Google")) == (2, 1, 0, 1)
    assert _sums(Cell(Dim.COUNTRY, "FR")) == (2, 2, 2, 1)
    assert _sums(Cell(Dim.DEVICE, "phone"))[0] == 2
    assert {row.at - DAY.toordinal() * 24 for row in Hour.objects.all()} == {14, 15}


@pytest.mark.parametrize("form", [combined, caddy, nginx])
def test_every_form_gives_the_same_sums(site, tmp_path, form):
    take(log(tmp_path / "a", *(form(page, _minutes(n)) for n, page in enumerate(["/", "/docs", "/", "/x.css"]))))
    assert _sums() == (3, 1, 0, 1)


def test_only_what_a_person_sees_as_a_page_is_a_view(site, tmp_path):
    lines = {
        "/": 200,
        "/docs/": 304,
        "/release/4.1": 200,
        "/old.html": 200,
        "/app.js": 200,
        "/photo.jpeg": 200,
        "/feed": 200,
        "/blog/feed/": 200,
        "/feed.xml": 200,
        "/moved": 301,
        "/secret": 403,
        "/broken": 500,
        "/gone": 404,
        "/gone.png": 404,
        "/files/plainbook-4.1.zip": 200,
        "/part.zip": 206,
        "/.well-known/security.txt": 200,
        "/hit?k=v": 200,
        "*": 200,
    }
    done = take(
        log(
            tmp_path / "access.log",
            *(combined(target, status=status) for target, status in lines.items()),
            combined("/form", method="POST"),
            combined("/docs", method="HEAD"),
            combined("/docs", agent=BOT),
            combined("/docs", agent=""),
            combined("/elsewhere", before="www.example.org "),
        )
    )
    assert done.counts == {
        "views": 4,
        "404s": 1,
        "downloads": 1,
        "not a page": 8,
        "redirect or error": 4,
        "Troth's own pages": 1,
        "not a GET": 2,
        "bot": 1,
        "no agent": 1,
        "another site": 1,
    }
    assert _sums()[0] == 4
    assert _sums(Cell(Dim.MISSING, "/gone"))[0] == 1
    assert _sums(Cell(Dim.DOWNLOAD, "/files/plainbook-4.1.zip"))[0] == 1
    assert _sums(Cell(Dim.DROPPED, "bot"))[0] == 1


def test_who_asked_not_to_be_counted_is_one_of_a_sum(site, tmp_path):
    take(log(tmp_path / "access.log", caddy("/a", Sec_Gpc="1"), caddy("/b", Sec_Purpose="prefetch")))
    assert (_sums(), _sums(Cell(Dim.ASKED, ""))[0], _sums(Cell(Dim.DROPPED, "prefetched"))[0]) == (None, 1, 1)


def test_a_name_from_outside_is_written_once_enough_visitors_brought_it(site, tmp_path):
    OwnPage.objects.create(path="/own")
    take(
        log(
            tmp_path / "access.log",
            *(combined("/known", _minutes(n), address=f"203.0.113.{n}") for n in range(4)),
            combined("/wilma-oddsworth", _minutes(5)),
            combined("/own", _minutes(6)),
        ),
        on=ground(at_least=3),
    )
    assert not Name.objects.filter(text__contains="wilma").exists()
    assert _sums(Cell(Dim.PAGE, "/known"))[0] == 2
    assert _sums(Cell(Dim.PAGE, "/own"))[0] == 1
    assert _sums(Cell(Dim.PAGE, "(other)"))[0] == 3


def test_one_visitor_with_many_addresses_of_one_network_is_one_and_brings_no_name(site, tmp_path):
    one = [combined("/wilma-oddsworth", _minutes(n), address=f"2001:db8:1:2::{n:x}") for n in range(9)]
    written = ["::ffff:203.0.113.9", "203.0.113.9", "::FFFF:cb00:7109"]
    mapped = [combined("/fred-oddsworth", _minutes(n), address=one) for n, one in enumerate(written)]
    take(log(tmp_path / "access.log", *one, *mapped), on=ground(at_least=3))
    assert not Name.objects.filter(text__contains="oddsworth").exists()
    assert _sums()[:2] == (12, 2)


def test_nothing_of_a_line_is_written(site, tmp_path):
    take(
        log(
            tmp_path / "wilmas.log",
            *(
                combined(f"/d?mail=wilma@oddsworth.example.com&n={n}", _minutes(n), address="203.0.113.77")
                for n in range(9)
            ),
        )
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = [name for (name,) in cursor.fetchall() if name.startswith("audience_")]
        kept = str([cursor.execute(f"SELECT * FROM {table}").fetchall() for table in tables])
    files = b"".join(one.read_bytes() for one in site.data.iterdir() if one.is_file())
    assert "audience_day" in tables and _sums()[0] == 9
    for secret in ("203.0.113", "Mozilla", "wilma", "oddsworth"):
        assert secret not in kept and secret.encode() not in files, secret
    assert not Registers.objects.exists()


# -- order and overlap ------------------------------------------------------------------------------------------------


def _week(days=6, each=40, seed=3) -> list[str]:
    """Some days of some visitors, in order of time."""
    chance = random.Random(seed)
    moments = sorted(chance.randrange(days * 86_400) for _ in range(days * each))
    begin = datetime(2026, 11, 10, tzinfo=UTC)
    agents = (CHROME, FIREFOX, IPHONE)
    return [
        combined(
            chance.choice(["/", "/docs", "/buy", "/x.css"]),
            begin + timedelta(seconds=moment),
            address=f"203.0.113.{chance.randrange(20)}",
            agent=chance.choice(agents),
        )
        for moment in moments
    ]


def _orders(lines):
    third = len(lines) // 3
    parts = lines[:third], lines[third : 2 * third], lines[2 * third :]
    yield "whole", [lines]
    yield "days shuffled in one file", [[*parts[2], *parts[0], *parts[1]]]
    yield "three files, named in any order", [parts[1], parts[2], parts[0]]
    yield "two servers", [lines[::2], lines[1::2]]
    yield "overlapping files", [lines[: 2 * third], lines[third:]]
    yield "a copy beside it", [lines, [*lines, ""]]
    late = list(lines)
    late[10], late[11] = late[11], late[10]
    yield "a line that came late", [late]


@pytest.mark.parametrize("order", [name for name, _ in _orders([""] * 30)])
def test_whatever_the_order_the_sums_are_the_same(site, tmp_path, order):
    lines = _week()
    take(log(tmp_path / "whole.log", *lines))
    wanted = _table()
    for model in (Day, Hour, ImportedDay, Import):
        model.objects.all().delete()
    files = dict(_orders(lines))[order]
    take(*(log(tmp_path / f"{n}.log", *some) for n, some in enumerate(files)))
    if order == "a line that came late":
        assert sum(sums[0] for sums in _table().values()) == sum(sums[0] for sums in wanted.values())
    else:
        assert _table() == wanted


def test_a_file_in_no_order_is_refused_before_anything_is_written(site, tmp_path, monkeypatch):
    monkeypatch.setattr(log_files, "MOST_RUNS", 20)
    lines = _week()
    random.Random(1).shuffle(lines)
    with pytest.raises(log_files.LogError, match="not in order of time"):
        take(log(tmp_path / "access.log", *lines))
    assert not Import.objects.exists()


def test_packed_files_are_read_in_order_too(site, tmp_path):
    lines = _week()
    take(log(tmp_path / "whole.log", *lines))
    wanted = _table()
    for model in (Day, Hour, ImportedDay, Import):
        model.objects.all().delete()
    path = tmp_path / "shuffled"
    path.write_bytes(gzip.compress("\n".join([*lines[120:], *lines[:120]]).encode()))
    take(path)
    assert _table() == wanted


# -- days -------------------------------------------------------------------------------------------------------------


@both
def test_a_file_is_taken_in_once(site, tmp_path):
    path = log(tmp_path / "access.log", combined(), combined("/buy", days_later(1)))
    take(path)
    once = _table()
    again = looked(path)
    assert (again.plan.days, set(again.plan.left.values())) == ({}, {days.BEFORE})
    assert looked(path, also=True).plan.days == {}
    take(path, also=True)
    assert _table() == once
    assert Import.objects.get().finished_at is not None


def test_days_with_figures_need_to_be_asked_for(site, tmp_path):
    take(log(tmp_path / "a.log", combined()))
    Day.objects.create(kind=kind_of(Dim.DROPPED), at=days_later(1).toordinal(), name=0, by=0, views=1)
    other = log(tmp_path / "b.log", *(combined("/b", days_later(n)) for n in range(3)))
    left = looked(other).plan
    assert left.left == {DAY.toordinal(): days.OTHER, DAY.toordinal() + 1: days.LIVE}
    assert set(left.days) == {DAY.toordinal() + 2}
    done = take(other)
    assert done.counts == {"views": 1, "on skipped days": 2}
    assert _sums()[0] == 1
    take(other, also=True)
    assert _sums() == (2, 2, 2, 2)
    assert _sums(day=days_later(2))[0] == 1


def test_today_and_what_is_no_longer_kept_are_left_out(site, tmp_path):
    path = log(
        tmp_path / "access.log",
        *(combined(at=NOW - timedelta(hours=1)), combined(), combined(at=NOW.replace(year=2023))),
    )
    job = looked(path)
    assert set(job.plan.days) == {DAY.toordinal()}
    assert job.plan.left == {NOW.toordinal(): days.NOT_OVER}
    assert job.files[0].bad.reasons == {"older than the retention period": 1}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])
@pytest.mark.parametrize("around", [date(2026, 3, 29), date(2026, 3, 8), date(2025, 11, 2), date(2026, 4, 5)])
def test_each_line_is_on_its_day_in_the_sites_zone_also_where_clocks_are_put_on(site, tmp_path, zone, around):
    begin = datetime(around.year, around.month, around.day, tzinfo=UTC) - timedelta(days=1)
    moments = [begin + timedelta(minutes=15 * n) for n in range(4 * 72)]
    take(
        log(
            tmp_path / "access.log", *(combined(at=at, address=f"203.0.113.{n % 200}") for n, at in enumerate(moments))
        ),
        on=ground(zone=zone),
    )
    wanted, hours = {}, {}
    for at in moments:
        local = at.astimezone(ZoneInfo(zone))
        wanted[local.toordinal()] = wanted.get(local.toordinal(), 0) + 1
        hour = local.toordinal() * 24 + local.hour
        hours[hour] = hours.get(hour, 0) + 1
    assert dict(Day.objects.filter(kind=kind_of(Dim.ALL)).values_list("at", "views")) == wanted
    assert dict(Hour.objects.filter(kind=kind_of(Dim.ALL)).values_list("at", "views")) == hours


def test_a_visitor_is_another_one_after_midnight(site, tmp_path):
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    take(
        log(
            tmp_path / "access.log",
            combined("/a", midnight - timedelta(minutes=1)),
            combined("/b", midnight + timedelta(minutes=1)),
        )
    )
    assert (_sums(), _sums(day=midnight)) == ((1, 1, 1, 1), (1, 1, 1, 1))


@both
def test_a_month_that_was_added_up_is_added_up_anew(site, tmp_path):
    take(log(tmp_path / "a.log", combined(at=datetime(2026, 9, 2, 12, tzinfo=UTC))))
    close_days(NOW.toordinal())
    close_months(NOW.date())
    take(log(tmp_path / "b.log", *(combined(at=datetime(2026, month, 5, 12, tzinfo=UTC)) for month in (3, 9))))
    year = totals(Period(date(2026, 1, 1), date(2026, 12, 31)))
    assert (year.views, year.visitors) == (3, 3)
    close_days(NOW.toordinal())
    close_months(NOW.date())
    assert totals(Period(date(2026, 1, 1), date(2026, 12, 31))) == year
    assert Sheet.objects.filter(unit=Sheet.MONTH, kind=kind_of(Dim.ALL)).exists()


def test_a_dry_run_counts_and_writes_nothing(site, tmp_path):
    done = take(log(tmp_path / "access.log", combined(), combined("/x.css")), dry_run=True)
    assert (done.counts, done.days) == ({"views": 1, "not a page": 1}, [DAY.toordinal()])
    assert not any(model.objects.exists() for model in (Day, Hour, Name, Import, ImportedDay))


@both
def test_of_two_imports_at_once_one_is_refused_and_nothing_is_counted_twice(site, tmp_path):
    path = log(tmp_path / "access.log", combined())
    job = looked(path)
    take(path)
    with pytest.raises(days.ImportRefused):
        server_logs.carry_out(job, ground(), dry_run=False, tell=lambda *_: None)
    assert _sums()[0] == 1


# -- killed -----------------------------------------------------------------------------------------------------------

_CHILD = """
import sys
from pathlib import Path
from troth.operate import site_session
site_session.in_site(Path(sys.argv[1]))
from tests.audience.imports.logged import take
take(Path(sys.argv[2]))
"""


def _days_in(database) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as reading, suppress(sqlite3.OperationalError):
        return reading.execute("SELECT COUNT(*) FROM audience_importedday").fetchone()[0]
    return 0


def test_killed_at_any_moment_and_run_again_it_counts_once(site, tmp_path):
    """Real processes, really killed as days come in; the last one ends by itself."""
    from troth.operate import create_site

    root, path = tmp_path / "killed", log(tmp_path / "access.log", *_week(days=14, each=300))
    create_site.init(root, name="Example Software", url="http://127.0.0.1:18398")
    take(path)
    wanted, database = _table(), root / "data" / "troth.sqlite3"
    kills, chance = [], random.Random(5)
    for _ in range(10):
        child = subprocess.Popen([sys.executable, "-c", _CHILD, str(root), str(path)], cwd=os.getcwd())
        enough = (_days_in(database) if database.exists() else 0) + chance.randrange(1, 4)
        while child.poll() is None and (not database.exists() or _days_in(database) < enough):
            time.sleep(0.005)
        time.sleep(chance.random() * 0.05)
        child.kill()
        if child.wait() == 0:
            break
        kills.append(_days_in(database))
    assert child.returncode == 0, kills
    assert len(kills) >= 3 and 0 < kills[0] < 14, kills
    connections.close_all()
    connection.settings_dict["NAME"] = str(database)
    assert _table() == wanted
    assert Import.objects.get().finished_at is not None
