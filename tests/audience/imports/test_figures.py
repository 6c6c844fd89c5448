"""GoatCounter's and Plausible's exports become day cells as far as they know; what they lack stays empty."""

import csv
import gzip
import io
import zipfile
from collections import Counter

import pytest

from tests.audience.imports.logged import DAY, NOW, combined, ground, log, take
from tests.conftest import both
from troth.audience.counting.cells import ALL, Cell, Dim
from troth.audience.imports import days, exports, plausible
from troth.audience.imports.log_files import LogError
from troth.audience.models import Day, Hour, Import, Name, OwnPage
from troth.audience.storage.fold import kind_of

HEAD = [
    *("2Path", "Title", "Event", "UserAgent", "Browser", "System", "Session", "Bot", "Referrer", "Referrer scheme"),
    *("Screen size", "Location", "FirstVisit", "Date"),
]


def _goat(path="/docs", session="s1", at="2026-11-20T14:30:00Z", **more):
    told = {
        "2Path": path,
        "Title": "Wilma's page",
        "Event": "false",
        "Browser": "Firefox 143",
        "System": "Windows 11",
        "Session": session,
        "Bot": "0",
        "Screen size": "1920,1080,1",
        "Location": "DE-BY",
        "FirstVisit": "true",
        "Date": at,
        **more,
    }
    return [told.get(name, "") for name in HEAD]


def _csv(path, *rows, head=HEAD):
    text = io.StringIO()
    csv.writer(text).writerows([head, *rows])
    path.write_text(text.getvalue(), "utf-8")
    return path


def _zip(path, **tables):
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in tables.items():
            packed.writestr(f"imported_{name}_20261101_20261124.csv", text.replace("DAY", f"{DAY:%Y-%m-%d}"))
    return path


VISITORS = "date,visitors,pageviews,bounces,visits,visit_duration\nDAY,40,120,10,50,6000\n"
PAGES = (
    '"date","hostname","page","visits","visitors","pageviews","total_time_on_page"\n'
    '"DAY","example.com","/docs",30,28,60,900\n"DAY","www.example.com","/wilma-oddsworth",1,1,2,9\n'
    '"DAY","example.org","/elsewhere",5,5,5,5\n'
)


def _take(path, on=None, *, also=False, dry_run=False):
    on = on or ground(at_least=3)
    kind = exports.kind_of(path)
    job = exports.examine(path, kind, on, also=also, tell=lambda *_: None)
    return job, exports.carry_out(job, on, dry_run=dry_run)


def _sums(cell=ALL):
    names = dict(Name.objects.values_list("text", "id")) | {"": 0}
    row = Day.objects.filter(
        kind=kind_of(cell.dim, cell.by),
        at=DAY.toordinal(),
        name=names.get(cell.name, -1),
        by=names.get(cell.by_name, -1),
    )
    return row.values_list("views", "visits", "bounces", "seconds", "visitors").first()


# -- GoatCounter ------------------------------------------------------------------------------------------------------


@both
def test_goatcounters_rows_are_visits_of_sessions(site, tmp_path):
    path = _csv(
        tmp_path / "export.csv",
        _goat("/docs", **{"Referrer": "www.google.com", "Referrer scheme": "h"}),
        _goat("/buy", at="2026-11-20T14:32:00Z"),
        _goat("/docs", "s2", at="2026-11-20T15:00:00+01:00", **{"Referrer": "Hacker News", "Referrer scheme": "g"}),
        _goat("trial", "s2", at="2026-11-20T15:01:00+01:00", Event="true"),
        _goat("unknown", "s2", Event="true"),
        _goat("/docs", "s3", Bot="3"),
    )
    job, done = _take(path, ground())
    assert done.counts == {"views": 3, "events": 1, "undeclared event": 1, "bot": 1}
    assert _sums() == (3, 2, 1, 0, 2)
    assert _sums(Cell(Dim.SOURCE, "Google"))[:2] == (2, 1)
    assert _sums(Cell(Dim.CHANNEL, "social"))[:2] == (1, 1)
    assert _sums(Cell(Dim.STEP, "/docs", Dim.STEP, "/buy"))[0] == 1
    assert _sums(Cell(Dim.COUNTRY, "DE"))[0] == 3
    assert _sums(Cell(Dim.BROWSER, "Firefox"))[0] == _sums(Cell(Dim.SYSTEM, "Windows"))[0] == 3
    assert _sums(Cell(Dim.EVENT, "trial"))[:2] == (1, 1)
    assert _sums(Cell(Dim.DEVICE, "desktop")) is None
    assert {row.at - DAY.toordinal() * 24 for row in Hour.objects.filter(kind=kind_of(Dim.ALL))} == {14}
    assert "languages" in job.lacks
    assert not Name.objects.filter(text__icontains="wilma").exists()


def test_version_one_has_the_agent_whole(site, tmp_path):
    from tests.audience.user_agents import IPHONE

    head = ["1Path", *HEAD[1:]]
    del head[head.index("System")]
    row = _goat(Browser=IPHONE)
    del row[HEAD.index("System")]
    _take(_csv(tmp_path / "export.csv", row, head=head), ground())
    assert _sums(Cell(Dim.BROWSER, "Safari"))[0] == _sums(Cell(Dim.SYSTEM, "iOS"))[0] == 1


def test_a_packed_export_in_any_order_is_the_same(site, tmp_path):
    rows = [_goat(page, at=f"2026-11-20T14:{n:02}:00Z") for n, page in enumerate(["/a", "/b", "/a", "/c"])]
    _take(_csv(tmp_path / "a.csv", *rows), ground())
    wanted = sorted(Day.objects.filter(by=0).values_list("kind", "name", "views", "visits"))
    Day.objects.all().delete()
    Import.objects.all().delete()
    packed = tmp_path / "b.csv.gz"
    packed.write_bytes(gzip.compress(_csv(tmp_path / "b.csv", *reversed(rows)).read_bytes()))
    _take(packed, ground())
    assert sorted(Day.objects.filter(by=0).values_list("kind", "name", "views", "visits")) == wanted


def test_bad_rows_of_goatcounter_are_told_by_number(site, tmp_path):
    path = _csv(
        tmp_path / "export.csv",
        _goat(),
        _goat(at="yesterday"),
        _goat(at="2026-11-20T14:30:00"),
        _goat(at="2031-01-01T00:00:00Z"),
        ["Wilma"],
        _goat("/a\nb"),
        _goat(at="2019-01-01T00:00:00Z"),
    )
    job, done = _take(path, ground())
    assert done.counts == {"views": 2}
    assert [line for line, _ in job.export.bad.first] == [3, 4, 5, 6, 9]


@pytest.mark.parametrize("first", ["3Path", "2Path,Titel", "2Path"])
def test_another_version_is_refused(site, tmp_path, first):
    path = tmp_path / "export.csv"
    path.write_text(first + "\nx\n")
    with pytest.raises(LogError, match="version 1 or 2"):
        _take(path)


def test_without_sessions_each_view_is_a_visit(site, tmp_path):
    _take(_csv(tmp_path / "export.csv", _goat(session=""), _goat("/b", session="0")), ground())
    assert _sums()[:2] == (2, 2)


def test_without_sessions_nobody_knows_who_brought_a_name_and_it_is_not_written(site, tmp_path):
    OwnPage.objects.create(path="/own")
    rows = [_goat(page, session="") for page in ("/wilma-oddsworth", "/own") for _ in range(9)]
    _take(_csv(tmp_path / "export.csv", *rows))
    assert not Name.objects.filter(text__contains="wilma").exists()
    assert _sums(Cell(Dim.PAGE, "(other)"))[0] == _sums(Cell(Dim.PAGE, "/own"))[0] == 9


def test_sessions_that_one_visitor_can_have_had_one_after_the_other_bring_no_name(site, tmp_path):
    hours = [(f"s{hour}", f"2026-11-20T{hour:02}:30:00Z") for hour in range(2, 24, 4)]
    alone = [_goat("/wilma-oddsworth", *session) for session in hours]
    beside = [_goat("/known", f"t{n}") for n in range(3)]
    _take(_csv(tmp_path / "export.csv", *alone, *beside))
    assert not Name.objects.filter(text__contains="wilma").exists()
    assert Name.objects.filter(text="/known").exists()


# -- Plausible --------------------------------------------------------------------------------------------------------


@both
def test_plausibles_sums_are_sums_of_the_day(site, tmp_path):
    head = "date,{},visitors,visits,visit_duration,bounces,pageviews\nDAY,"
    path = _zip(
        tmp_path / "export.zip",
        visitors=VISITORS,
        pages=PAGES,
        entry_pages="date,entry_page,visitors,entrances,visit_duration,bounces,pageviews\nDAY,/docs,20,22,100,4,50\n",
        exit_pages="date,exit_page,visitors,visit_duration,exits,bounces,pageviews\nDAY,/docs,20,100,21,4,50\n",
        sources="date,source,referrer,utm_source,utm_medium,utm_campaign,utm_content,utm_term,"
        "pageviews,visitors,visits,visit_duration,bounces\n"
        "DAY,Google,google.com,,,,,,60,20,22,3000,5\nDAY,Direct / None,,,,,,,30,10,10,90,1\n"
        "DAY,letter,,letter,email,spring,,,30,10,12,90,1\n",
        locations=head.format("country,region,city") + "DE,DE-BY,1,20,20,1,1,40\nDAY,DE,DE-BE,2,10,10,1,1,20\n",
        devices=head.format("device") + "Mobile,20,20,1,1,40\nDAY,Laptop,5,5,1,1,9\nDAY,Desktop,5,5,1,1,9\n",
        browsers=head.format("browser,browser_version") + "Microsoft Edge,140,20,20,1,1,40\n",
        operating_systems=head.format("operating_system,operating_system_version") + "GNU/Linux,,20,20,1,1,40\n",
        custom_events="date,name,link_url,path,visitors,events\nDAY,trial,,,9,12\nDAY,Outbound Link: Click,"
        "https://www.example.org/x,,4,5\nDAY,404,,/gone,3,3\nDAY,Secret,,,3,7\n"
        "DAY,File Download,https://example.com/a.zip,,3,3\n",
        goals="date,goal\nDAY,x\n",
    )
    job, done = _take(path)
    assert done.counts == {"views": 120, "visits": 50}
    assert _sums() == (120, 50, 10, 6000, 40)
    assert _sums(Cell(Dim.PAGE, "/docs")) == (60, 30, 0, 900, 28)
    assert _sums(Cell(Dim.PAGE, "(other)")) == (2, 1, 0, 9, 1)
    assert _sums(Cell(Dim.ENTRY, "/docs"))[1:3] == (22, 4)
    assert _sums(Cell(Dim.EXIT, "/docs"))[1] == 21
    assert _sums(Cell(Dim.SOURCE, "Google")) == (60, 22, 5, 3000, 20)
    assert _sums(Cell(Dim.CHANNEL, "search"))[1] == 22
    assert _sums(Cell(Dim.CHANNEL, "mail"))[1] == 12
    assert _sums(Cell(Dim.CHANNEL, "direct"))[1] == 10
    assert _sums(Cell(Dim.CAMPAIGN, "spring"))[1] == 12
    assert _sums(Cell(Dim.COUNTRY, "DE")) == (60, 30, 2, 2, 30)
    assert _sums(Cell(Dim.DEVICE, "desktop"))[1] == 10
    assert _sums(Cell(Dim.BROWSER, "Edge"))[1] == _sums(Cell(Dim.SYSTEM, "Linux"))[1] == 20
    assert _sums(Cell(Dim.EVENT, "trial")) == (12, 9, 0, 0, 9)
    assert _sums(Cell(Dim.OUTBOUND, "example.org"))[0] == 5
    assert _sums(Cell(Dim.MISSING, "/gone"))[0] == _sums(Cell(Dim.DOWNLOAD, "/a.zip"))[0] == 3
    assert _sums(Cell(Dim.DROPPED, "undeclared event"))[0] == 7
    assert not Hour.objects.exists()
    assert not Name.objects.filter(text__contains="wilma").exists()
    assert job.unread == ["goals"]
    assert "hours" in job.lacks


def test_an_own_page_is_written_though_one_person_read_it(site, tmp_path):
    OwnPage.objects.create(path="/wilma-oddsworth")
    _take(_zip(tmp_path / "export.zip", visitors=VISITORS, pages=PAGES))
    assert _sums(Cell(Dim.PAGE, "/wilma-oddsworth"))[0] == 2


def test_sums_of_any_size_are_taken_whole(site, tmp_path):
    _take(_zip(tmp_path / "export.zip", visitors=VISITORS.replace("6000", "7654321")))
    assert _sums() == (120, 50, 10, 7654321, 40)


def test_an_export_is_taken_in_once_and_beside_others_only_if_asked(site, tmp_path):
    take(log(tmp_path / "access.log", combined()))
    path = _zip(tmp_path / "export.zip", visitors=VISITORS)
    job, _ = _take(path)
    assert job.plan.left == {DAY.toordinal(): days.OTHER}
    _take(path, also=True)
    assert _sums() == (121, 51, 11, 6000, 41)
    _take(path, also=True)
    assert _sums()[0] == 121


@pytest.mark.parametrize(
    "row",
    ["DAY,-1,1,1,1,1", "DAY,x,1,1,1,1", "DAY,1,99999999999,1,1,1", "2026-02-31,1,1,1,1,1", "2031-01-01,1,1,1,1,1", "x"],
)
def test_a_row_that_says_nothing_is_bad(site, tmp_path, row):
    job, _ = _take(_zip(tmp_path / "export.zip", visitors=VISITORS + row + "\n"), dry_run=True)
    assert sum(job.export.bad.reasons.values()) == 1
    assert job.export.bad.first[0][0] == 3


def _bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("imported_visitors.csv", VISITORS.replace("DAY", f"{DAY:%Y-%m-%d}") + "0" * (96 << 20))


def _many(path):
    with zipfile.ZipFile(path, "w") as packed:
        for number in range(300):
            packed.writestr(f"{number}.csv", "")


def _lying(path):
    """The directory names a small size; the content is large."""
    _bomb(path)
    data = path.read_bytes()
    size = (len(VISITORS.replace("DAY", f"{DAY:%Y-%m-%d}")) + (96 << 20)).to_bytes(4, "little")
    assert data.count(size) == 2
    path.write_bytes(data.replace(size, (200).to_bytes(4, "little")))


def _cut(path):
    _zip(path, visitors=VISITORS)
    path.write_bytes(path.read_bytes()[:-30])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_bomb, "far too much"),
        (_many, "far too much"),
        (_lying, "damaged or truncated|no figures"),
        (_cut, "damaged or truncated"),
    ],
)
def test_a_bad_zip_is_refused(site, tmp_path, make, said):
    path = tmp_path / "export.zip"
    make(path)
    with pytest.raises(LogError, match=said):
        _take(path)
    assert not Import.objects.exists()


def test_a_table_that_is_none_is_refused(site, tmp_path):
    for text in ("", "hello\n1\n", "date,visitors\n" + '"' + "x" * 200_000):
        with pytest.raises(LogError):
            _take(_zip(tmp_path / "export.zip", visitors=text))


def test_whose_export_it_is_is_found_out(tmp_path):
    found = Counter(
        exports.kind_of(path)
        for path in (
            _csv(tmp_path / "a", _goat()),
            _zip(tmp_path / "b", visitors=VISITORS),
            log(tmp_path / "c", combined(at=NOW)),
        )
    )
    assert found == {"goatcounter": 1, "plausible": 1, "": 1}
    assert plausible.is_one(b"PK\x03\x04")
