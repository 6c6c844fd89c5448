"""The dashboard's pages: who may see and change what, what they show, and what they refuse."""

import html
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.audience import sample
from tests.conftest import both
from tests.office.test_roles import sign_in
from troth.audience.console import dashboard
from troth.audience.counting import page_names
from troth.audience.counting.cells import ALL, Cell, Dim, Sums
from troth.audience.counting.commit import pack, unpack
from troth.audience.counting.counter import GroupCommit
from troth.audience.models import Annotation, Minute, Restart, TakenOut
from troth.audience.queries import annotations, exclusions
from troth.audience.queries.periods import Period
from troth.audience.queries.queries import answer
from troth.audience.storage.fold import CellFold
from troth.core import clock
from troth.core.config.sections import AudienceSection
from troth.kit.roles import Role

NOW = datetime(2026, 11, 25, 14, 37, tzinfo=UTC)
SPAM = "cheap-clicks.example.com"
BURST = NOW.date() - timedelta(days=5)


@pytest.fixture(autouse=True)
def _held():
    with clock.hold(NOW):
        yield


@pytest.fixture
def filling():
    return _sixteen_days


@pytest.fixture
def filled(filling, site):
    """The site, with visits of some days."""


def _sixteen_days():
    sample.fill(NOW, days=16, visits=12, spam=SPAM)


def words(answer) -> str:
    assert answer.status_code == 200, answer.status_code
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split()))


PAGES = ["/visitors/", "/visitors/now/", "/visitors/all/page/", "/visitors/all/step/", "/visitors/excluded/"]


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_look(filled, role):
    client = sign_in(role)
    for path in PAGES:
        assert client.get(path).status_code == 200
    assert client.get("/visitors/all/nothing/").status_code == 404
    assert client.get("/visitors/all/dropped/").status_code == 404


@pytest.mark.parametrize("role", list(Role))
def test_a_clerk_changes_nothing_of_it(filled, role):
    client, may = sign_in(role), role is not Role.CLERK
    day = BURST.isoformat()
    note = client.post("/visitors/notes/", {"day": day, "text": "Release 4.2", "back": "?period=7"})
    out = client.post("/visitors/excluded/add/", {"dim": "source", "name": SPAM, "from": day, "to": day})
    assert [note.status_code, out.status_code] == ([302, 302] if may else [403, 403])
    assert Annotation.objects.exists() == TakenOut.objects.exists() == may
    assert ("Add a note" in words(client.get("/visitors/"))) == may
    assert ("Exclude traffic" in words(client.get("/visitors/excluded/"))) == may
    if not may:
        annotations.add(BURST, "Release 4.2")
        exclusions.take_out(Dim.SOURCE, SPAM, Period(BURST, BURST))
    gone = client.post(f"/visitors/notes/{Annotation.objects.get().id}/remove/", {"back": "", "sure": "yes"})
    back = client.post(f"/visitors/excluded/{TakenOut.objects.get().id}/restore/")
    assert [gone.status_code, back.status_code] == ([302, 302] if may else [403, 403])


def test_nobody_looks_who_is_not_signed_in(site, client):
    for path in PAGES:
        assert client.get(path, HTTP_HOST="localhost").status_code == 302


def test_nothing_is_changed_by_looking(filled, desk):
    for path in (
        "/visitors/notes/",
        "/visitors/notes/1/remove/",
        "/visitors/excluded/add/",
        "/visitors/excluded/1/restore/",
    ):
        assert desk.get(path).status_code == 405
    assert desk.post("/visitors/").status_code == 405
    assert (
        desk.post("/visitors/notes/9/remove/").status_code
        == desk.post("/visitors/excluded/9/restore/").status_code
        == 404
    )


def test_before_the_first_visit_it_says_how_to_put_the_snippet_in(site, desk, settings):
    assert '<script defer src="http://127.0.0.1:18300/t.js"></script>' in words(desk.get("/visitors/"))
    off = AudienceSection(enabled=False)
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, audience=off)
    assert "Counting is turned off" in words(desk.get("/visitors/"))


@both
def test_a_filter_asks_everything_of_one_thing(filled, desk):
    whole, of_one = words(desk.get("/visitors/")), words(desk.get("/visitors/?source=Google"))
    figure = re.compile(r" Visits ([\d,]+) ")
    assert int(figure.search(of_one)[1]) < int(figure.search(whole)[1].replace(",", ""))
    assert "Source Google" in of_one and "Page flow is not counted by source" in of_one
    channels = words(desk.get("/visitors/?source=Google&tabs=channel"))
    assert "Channels are not counted by source" in channels and "Search" not in channels
    both_of_two = words(desk.get("/visitors/?source=Google&page=%2Fdocs"))
    assert "never combines three things" in both_of_two
    assert int(figure.search(both_of_two)[1]) <= int(figure.search(of_one)[1])
    assert "Not available by the hour" in words(desk.get("/visitors/?source=Google&page=%2Fdocs&period=today"))


@both
def test_taken_out_it_is_nowhere_and_put_back_it_is_there(filled, desk):
    day = BURST.isoformat()
    assert SPAM in words(desk.get("/visitors/"))
    answer = desk.post("/visitors/excluded/add/", {"dim": "source", "name": SPAM, "from": day, "to": day})
    assert answer.headers["Location"] == "/visitors/excluded/"
    assert f"{SPAM} is now excluded" in words(desk.get("/visitors/excluded/"))
    shown = words(desk.get("/visitors/"))
    assert SPAM not in shown and "excluded traffic (1 exclusion)" in shown
    assert SPAM not in words(desk.get("/visitors/all/source/"))
    assert SPAM in words(desk.get("/visitors/excluded/"))
    assert "still included here" in words(desk.get("/visitors/?tabs=channel"))
    desk.post(f"/visitors/excluded/{TakenOut.objects.get().id}/restore/")
    assert SPAM in words(desk.get("/visitors/"))


def test_what_cannot_be_taken_out_is_said_beside_the_form(filled, desk):
    typed = {"dim": "source", "name": "nowhere.example.org", "from": "2026-11-01", "to": "2026-11-02"}
    answer = desk.post("/visitors/excluded/add/", typed)
    assert answer.status_code == 422 and "No traffic with that name" in answer.content.decode()
    assert 'value="nowhere.example.org"' in answer.content.decode()
    for wrong in ({"dim": "browser"}, {"from": "soon"}, {"to": ""}):
        assert desk.post("/visitors/excluded/add/", {**typed, **wrong}).status_code == 422
    assert not TakenOut.objects.exists()


def test_a_country_is_taken_out_by_the_name_that_is_shown(filled, desk):
    desk.post(
        "/visitors/excluded/add/", {"dim": "country", "name": "germany", "from": "2026-11-10", "to": "2026-11-25"}
    )
    assert "Germany is now excluded" in words(desk.get("/visitors/excluded/"))
    assert "Germany" not in words(desk.get("/visitors/all/country/"))


@pytest.mark.parametrize(
    "typed",
    [{"text": ""}, {"text": "x" * 121}, {"text": "a\x00b"}, {"day": ""}, {"day": "2031-01-01"}, {"day": "no day"}],
)
def test_a_note_that_is_none_is_refused(filled, desk, typed):
    desk.post("/visitors/notes/", {"day": "2026-11-20", "text": "Release", "back": "", **typed})
    assert not Annotation.objects.exists()


def test_a_note_stands_at_its_day_and_leads_back_to_where_it_was_written(filled, desk):
    answer = desk.post("/visitors/notes/", {"day": "2026-11-20", "text": "Release 4.2", "back": "?period=7&show=views"})
    assert answer.headers["Location"] == "/visitors/?period=7&show=views"
    assert "Release 4.2" in words(desk.get("/visitors/"))
    assert "Release 4.2" not in words(desk.get("/visitors/?period=today"))
    answer = desk.post("/visitors/notes/", {"day": "2026-11-20", "text": "x", "back": "https://example.org/?period=7"})
    assert answer.headers["Location"] == "/visitors/?"


def test_a_day_has_room_for_some_notes(filled, desk):
    for n in range(annotations.MOST_IN_A_DAY + 1):
        desk.post("/visitors/notes/", {"day": "2026-11-20", "text": f"Note {n}", "back": ""})
    assert Annotation.objects.count() == annotations.MOST_IN_A_DAY


WHERE_OTHERS_STAND = {
    "": 9,  # page and source, each of the period and of the last half hour; country, product, two steps; the foot
    "now/": 2,
    "all/page/": 1,
    "all/page/?search=thers": 1,
    "all/source/?search=THERS": 1,
    "all/country/?search=thers": 1,
    "all/step/?search=thers": 2,
    "all/product/?search=book+oth": 1,
}


@pytest.mark.parametrize("path", WHERE_OTHERS_STAND)
def test_what_has_no_name_is_called_and_found_as_others_wherever_it_stands(site, desk, path):
    sums, other = Sums(), page_names.OTHER
    for cell in (ALL, Cell(Dim.PAGE, other), Cell(Dim.SOURCE, other), Cell(Dim.COUNTRY, other)):
        sums.add(cell, views=3, visits=3)
    for cell in (Cell(Dim.STEP, other, Dim.STEP, "/"), Cell(Dim.STEP, "/", Dim.STEP, other)):
        sums.add(cell, views=3)
    sums.add(Cell(Dim.PRODUCT, f"plainbook {other}", Dim.SYSTEM, "linux"), views=3)
    CellFold().fold([unpack(pack(GroupCommit(NOW.date().isoformat(), 14, sums, minute=37)))])
    answer = desk.get(f"/visitors/{path}")
    assert other not in html.unescape(answer.content.decode())
    assert len(re.findall(r"(?i)\bothers\b", words(answer))) == WHERE_OTHERS_STAND[path]


def test_names_from_outside_are_text_and_nothing_else(site, desk):
    bad, sums = '"><img src=x hx-get=/ onerror=a>', Sums()
    for cell in (Cell(Dim.ALL, ""), Cell(Dim.PAGE, bad), Cell(Dim.SOURCE, bad), Cell(Dim.EVENT, bad)):
        sums.add(cell, views=3, visits=3, bounces=3)
    for cell in (Cell(Dim.STEP, bad, Dim.STEP, bad), Cell(Dim.MISSING, bad), Cell(Dim.DROPPED, bad)):
        sums.add(cell, views=3)
    CellFold().fold([unpack(pack(GroupCommit(NOW.date().isoformat(), 14, sums)))])
    desk.post("/visitors/notes/", {"day": "2026-11-25", "text": bad, "back": ""})
    for path in [
        *PAGES,
        "/visitors/?page=%22%3E%3Cimg%20src%3Dx%3E",
        "/visitors/?tabs=missing",
        "/visitors/all/event/",
    ]:
        page = desk.get(path).content.decode()
        assert "<img" not in page and "onerror=a>" not in page.replace("onerror=a&gt;", "")


def test_what_was_not_counted_is_said_with_its_reason(filled, desk):
    shown = words(desk.get("/visitors/?period=7"))
    assert re.search(r"Opted out of statistics [1-9]", shown) and re.search(r"Referrer spam [1-9]", shown)


def test_a_restart_is_said_where_it_may_have_counted_twice(filled, desk):
    Restart.objects.create(at=BURST.toordinal(), hour=9)
    assert "restarted on 20 Nov at 09:00" in words(desk.get("/visitors/"))
    assert "Counting restarted" not in words(desk.get("/visitors/?period=today"))


def test_one_day_has_visitors_with_their_error_and_more_days_their_sum(filled, desk):
    assert re.search(r"Visitors \d+ (\S+ % )?estimate, (±\d|below ±1)", words(desk.get("/visitors/?period=yesterday")))
    assert "Visitors (daily uniques, added up)" in words(desk.get("/visitors/"))


def test_goals_are_told_with_their_conversion(filled, desk, settings):
    goals = AudienceSection(events=["trial"], goals=["/thanks", "trial"])
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, audience=goals)
    shown = words(desk.get("/visitors/?period=91"))
    assert re.search(r"Goals and events Conversion rate /thanks \d+ \d+ % trial \d+ \d+ %", shown)


@pytest.mark.parametrize(
    ("path", "there", "not_there"),
    [
        ("/visitors/all/page/?search=DOCS", "/docs/install", "/pricing"),
        ("/visitors/all/country/?search=germ", "Germany", "France"),
        ("/visitors/all/step/?search=pricing", "/pricing", "/about → /docs"),
        ("/visitors/all/product/?search=4.1", "plainbook 4.1", "plainbook 4.2"),
        ("/visitors/all/page/?search=%25", "No name contains", "/docs"),
        ("/visitors/all/page/?source=Google", "Visits Share Page views /", "Visit duration"),
        ("/visitors/all/exit/?source=Google", "Exit pages are not counted by source", "/docs"),
    ],
)
def test_the_long_lists_are_searched(filled, desk, path, there, not_there):
    shown = words(desk.get(path))
    assert there in shown and not_there not in shown


def test_what_changed_is_told_by_complete_days_only(site):
    from troth.audience.console.filters import parse

    sample.fill(NOW, days=20, visits=12)
    wanted = parse({"period": "7"}, NOW.date())
    found = dashboard.comparison(wanted, NOW, answer(wanted.question).totals)
    assert found.label == "12–17 Nov, complete days only"
    assert found.now.visits < answer(wanted.question).totals.visits
    today = parse({"period": "today"}, NOW.date())
    assert dashboard.comparison(today, NOW, answer(today.question).totals).label == "yesterday until 14:00"
    assert dashboard.comparison(parse({"period": "91"}, NOW.date()), NOW, answer(wanted.question).totals) is None


def test_the_last_half_hour_is_a_part_of_the_page(filled, desk):
    assert Minute.objects.exists()
    part = desk.get("/visitors/now/").content.decode()
    assert part.startswith("<section") and "Last 30 minutes" in part and "<html" not in part
