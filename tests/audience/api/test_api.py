"""The API: a token in the header gets figures as JSON or CSV, and everything else gets a reason."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.audience.figures import day_of, days_up_to, fold
from tests.audience.public.test_public import zoned
from tests.conftest import both
from troth.audience.api import endpoints, openapi, tokens
from troth.audience.counting.cells import Cell, Dim
from troth.audience.models import ApiToken
from troth.audience.queries import answers
from troth.core import clock
from troth.office import api as office_api

NOW = datetime(2026, 11, 25, 13, 30, tzinfo=UTC)
TODAY = NOW.date()
BASE = "/api/v1/statistics"


@pytest.fixture
def held():
    """The clock stands."""
    with clock.hold(NOW) as held:
        yield held


@pytest.fixture
def figures(site, held, monkeypatch):
    """Forty days: 20 visits each, 12 on /docs, 8 on /; one page whose name is a formula."""
    monkeypatch.setattr(office_api, "_buckets", office_api.Buckets(10_000, 0.001))
    days = []
    for day in days_up_to(TODAY, 40):
        cells = day_of({"/docs": 12, "/": 7, "=HYPERLINK(1)": 1}, source={"Bing": 15, "Google": 5})
        cells[Cell(Dim.PAGE, "/docs", Dim.SOURCE, "Bing")] = (20, 10, 3, 100)
        days.append((day, cells))
    fold(days)
    return tokens.add("a test")


def asked(token: str, path: str, **headers: str):
    """One question, as a program asks it."""
    return Client(SERVER_NAME="localhost").get(path, headers={"authorization": f"Bearer {token}", **headers})


@both
def test_totals_are_the_sums_beside_those_before(figures):
    told = asked(figures, f"{BASE}/totals?first=2026-11-24&last=2026-11-25").json()
    assert told["period"] == {"first": "2026-11-24", "last": "2026-11-25"}
    assert told["figures"]["visits"] == told["before"]["visits"] == 40
    assert told["figures"]["views"] == 80 and told["figures"]["bounce_rate"] == 0.5
    assert told["figures"]["seconds_a_visit"] == 10.0
    assert told["visitors_summed"] is True and told["about"] is None


def test_without_a_period_it_is_the_last_four_weeks(figures):
    told = asked(figures, f"{BASE}/totals").json()
    assert told["period"] == {"first": "2026-10-29", "last": "2026-11-25"}
    assert told["figures"]["visits"] == 28 * 20


@pytest.mark.parametrize(
    ("query", "unit", "first", "count"),
    [
        ("first=2026-11-25&last=2026-11-25", "hour", "2026-11-25T00", 24),
        ("first=2026-11-19&last=2026-11-25", "day", "2026-11-19", 7),
        ("first=2026-01-01&last=2026-11-25", "month", "2026-01", 11),
    ],
)
def test_a_series_says_what_each_point_is(figures, query, unit, first, count):
    told = asked(figures, f"{BASE}/series?{query}").json()
    assert told["unit"] == unit and told["points"][0]["at"] == first and len(told["points"]) == count
    assert sum(one["visits"] for one in told["points"]) == {"hour": 20, "day": 140, "month": 800}[unit]


@both
def test_the_top_of_a_kind_and_of_one_thing(figures):
    told = asked(figures, f"{BASE}/top/page?limit=2").json()
    assert [one["name"] for one in told["rows"]] == ["/docs", "/"] and told["more"] is True
    drilled = asked(figures, f"{BASE}/top/source?about=page&name=/docs").json()
    assert [(one["name"], one["visits"]) for one in drilled["rows"]] == [("Bing", 280)] and drilled["more"] is False
    turned = asked(figures, f"{BASE}/top/page?about=source&name=Bing").json()
    assert [one["name"] for one in turned["rows"]] == ["/docs"]


def test_the_last_day_is_the_one_that_runs_in_the_sites_zone(figures):
    told = asked(figures, f"{BASE}/last-day").json()
    assert told["day"] == "2026-11-25" and told["zone"] == "UTC"
    assert told["hours"][10]["visits"] == 20 and told["pages"][0]["name"] == "/docs"


def test_csv_has_a_heading_and_no_cell_is_a_formula(figures):
    answer = asked(figures, f"{BASE}/top/page?format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows[0] == ["name", "views", "visits", "visitors", "bounce_rate", "seconds_a_visit"]
    assert rows[1][:3] == ["/docs", "672", "336"]
    assert rows[3][0] == "'=HYPERLINK(1)"
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("place", ["totals", "series", "top/page", "last-day"])
def test_every_answer_has_a_csv(figures, place):
    rows = list(csv.reader(io.StringIO(asked(figures, f"{BASE}/{place}?format=csv").content.decode())))
    assert len(rows) > 1 and {len(row) for row in rows} == {len(rows[0])}


# -- refusals ---------------------------------------------------------------------------------------------------------


def is_problem(answer, status: int) -> dict:
    """The refusal's problem details (RFC 9457)."""
    assert answer.status_code == status, answer.content
    assert answer.headers["content-type"] == "application/problem+json"
    told = json.loads(answer.content)
    assert told["status"] == status and told["title"] and told["detail"]
    return told


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer troth_", "Bearer troth_" + "a" * 43, "Basic dHJvdGg6", "troth_" + "b" * 43]
)
def test_without_a_token_that_works_there_is_no_figure(figures, header):
    headers = {} if header is None else {"authorization": header}
    answer = Client(SERVER_NAME="localhost").get(f"{BASE}/totals", headers=headers)
    is_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_in_an_address_opens_nothing_and_is_not_said_back(figures):
    for name in ("token", "access_token", "api_key"):
        answer = Client(SERVER_NAME="localhost").get(f"{BASE}/totals?{name}={figures}")
        is_problem(answer, 401)
        beside = asked(figures, f"{BASE}/totals?{name}={figures}")
        assert "Authorization" in is_problem(beside, 400)["mend"]
        assert figures not in answer.content.decode() + beside.content.decode()


def test_a_session_of_the_office_opens_nothing(figures):
    from tests.office.test_roles import sign_in
    from troth.kit.roles import Role

    is_problem(sign_in(Role.OWNER).get(f"{BASE}/totals"), 401)


def test_an_ended_token_is_refused_from_the_next_question_on(figures):
    assert asked(figures, f"{BASE}/totals").status_code == 200
    tokens.end("a test")
    is_problem(asked(figures, f"{BASE}/totals"), 401)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("totals?first=yesterday", "first"),
        ("totals?last=2026-13-01", "last"),
        ("totals?first=2026-11-01&first=2026-11-02", "first"),
        ("top/page?limit=0", "limit"),
        ("top/page?limit=1001", "limit"),
        ("top/page?limit=ten", "limit"),
        ("top/people", "dim"),
        ("top/page?about=person&name=x", "about"),
        ("top/page?about=source&name=", "name"),
        ("totals?format=xml", "format"),
        ("totals?limit=3", None),
        ("top/page?dim=source", None),
    ],
)
def test_a_parameter_that_is_wrong_is_named(figures, query, parameter):
    assert is_problem(asked(figures, f"{BASE}/{query}"), 400).get("parameter") == parameter


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("totals?first=2026-11-20&last=2026-11-19", "first"),
        ("totals?last=2026-11-26", "last"),
        ("totals?first=1999-12-31&last=2000-01-05", "first"),
        ("totals?last=1999-12-31", "last"),
        ("series?first=2001-01-01", "first"),
        ("totals?about=page", "name"),
        ("totals?name=/docs", "about"),
        ("top/browser?about=language&name=en", "about"),
        ("top/step", "about"),
    ],
)
def test_a_question_that_makes_no_sense_says_what_would(figures, query, parameter):
    told = is_problem(asked(figures, f"{BASE}/{query}"), 422)
    assert told["parameter"] == parameter and told["mend"]


@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v2/statistics/totals", f"{BASE}/people", f"{BASE}/totals/"])
def test_what_is_not_there_says_where_to_look(figures, path):
    assert "openapi.json" in is_problem(asked(figures, path), 404)["mend"]


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "options"])
def test_statistics_are_read_only_and_no_other_origin_may_ask(figures, method):
    ask = getattr(Client(SERVER_NAME="localhost"), method)
    headers = {"authorization": f"Bearer {figures}", "origin": "https://www.example.com"}
    answer = ask(f"{BASE}/totals", headers=headers)
    is_problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_a_foreign_host_is_refused_before_anything_else(figures):
    answer = Client(SERVER_NAME="evil.example").get(f"{BASE}/totals", headers={"authorization": f"Bearer {figures}"})
    assert answer.status_code == 400


def test_who_asks_too_fast_waits_and_others_do_not(figures, monkeypatch):
    monkeypatch.setattr(office_api, "_buckets", office_api.Buckets(3, 60))
    other = tokens.add("another")
    assert [asked(figures, f"{BASE}/totals").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = asked(figures, f"{BASE}/totals")
    is_problem(refused, 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert asked(other, f"{BASE}/totals").status_code == 200


def test_strangers_who_ask_too_fast_shut_nobody_out(figures, monkeypatch):
    monkeypatch.setattr(office_api, "_buckets", office_api.Buckets(3, 60))
    guesses = [asked(f"troth_{n:043}", f"{BASE}/totals").status_code for n in range(5)]
    assert guesses == [401, 401, 401, 429, 429]
    assert asked(figures, f"{BASE}/totals").status_code == 200


def test_a_database_that_is_away_is_said_as_such(figures, monkeypatch):
    def away(*_):
        raise OperationalError("could not connect to 192.0.2.7")

    monkeypatch.setattr(tokens, "known", away)
    answer = asked(figures, f"{BASE}/totals")
    is_problem(answer, 503)
    assert answer.headers["retry-after"] == "10" and b"192.0.2.7" not in answer.content


# -- what it leaves behind, and what it cannot reach ------------------------------------------------------------------


def test_there_is_no_session_and_no_cookie(figures):
    from django.contrib.sessions.models import Session

    answer = asked(figures, f"{BASE}/totals", cookie="office=made-up; csrf=made-up")
    assert answer.status_code == 200 and not answer.cookies
    assert not Session.objects.exists()


def test_an_unchanged_answer_is_not_sent_again(figures):
    first = asked(figures, f"{BASE}/totals")
    again = asked(figures, f"{BASE}/totals", **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == again.headers["cache-control"] == "private, no-cache"
    fold([(TODAY, day_of({"/docs": 1}))])
    changed = asked(figures, f"{BASE}/totals", **{"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200


def test_a_token_is_kept_as_its_digest_and_its_use_by_the_day(figures, held):
    kept = ApiToken.objects.get()
    assert bytes(kept.digest) == tokens.digest_of(figures) and kept.used_on is None
    asked(figures, f"{BASE}/totals")
    assert ApiToken.objects.get().used_on == TODAY
    with CaptureQueriesContext(connection) as queries:
        asked(figures, f"{BASE}/last-day")
    assert not [one for one in queries if one["sql"].startswith("UPDATE")]
    held.move(days=1)
    asked(figures, f"{BASE}/totals")
    assert ApiToken.objects.get().used_on == TODAY + timedelta(days=1)


@both
def test_only_tables_of_the_audience_are_read(figures):
    with CaptureQueriesContext(connection) as queries:
        for endpoint in endpoints.ENDPOINTS:
            path = endpoint.path.replace("{dim}", "page")
            assert asked(figures, path).status_code == 200
            if endpoint.parameters is not endpoints.LastDayParameters:
                assert asked(figures, f"{path}?about=source&name=Bing").status_code == 200
    tables = {found for one in queries for found in re.findall(r"(?:FROM|JOIN|UPDATE|INTO) \"?(\w+)", one["sql"])}
    assert tables and {name for name in tables if not name.startswith("audience_")} == set()


def test_no_answer_has_a_field_for_a_person():
    _, schemas = openapi.msgspec.json.schema_components([one.answer for one in endpoints.ENDPOINTS])
    fields = {name for schema in schemas.values() for name in schema.get("properties", {})}
    words = re.compile(r"mail|phone|address|person|people|visitor$|agent|_id$|^id$|^ip", re.IGNORECASE)
    assert fields and not [name for name in fields if words.search(name)]


def test_names_of_one_kind_may_be_had_by_another_either_way(figures):
    told = is_problem(asked(figures, f"{BASE}/top/system?about=country&name=DE"), 422)
    assert "browser" in told["mend"] and "system" not in told["mend"]


def test_a_period_begins_at_the_sites_midnight(figures, held, settings):
    held.at = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    assert answers.period().last == date(2026, 11, 25)
    zoned(settings, timezone="Europe/Berlin")
    assert answers.period().last == date(2026, 11, 26)
