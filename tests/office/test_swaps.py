"""What htmx may put into a page: a page. A file is fetched by the browser itself, and is inert wherever it opens."""

import json

import pytest

from tests.office.conftest import PAGES, browser
from tests.office.test_people import Tags
from troth.audience.api import tokens

HTMX = {"HX-Request": "true"}
WHOLE = [path for path in PAGES if path != "/account/codes/"]
"""Those that are there for an operator without recovery codes, too."""


def test_a_page_is_answered_as_ever(desk):
    for path in WHOLE:
        answer = desk.client.get(path, headers=HTMX)
        assert (answer.status_code, "HX-Redirect" in answer.headers) == (200, False)
        assert answer.content.startswith(b"<!doctype html>")
    assert desk.client.get("/nothing", headers=HTMX).status_code == 404
    assert "HX-Redirect" not in desk.client.post("/look/", {"look": "dark"}, headers=HTMX).headers


def test_a_file_is_fetched_without_htmx(desk, people):
    who = people()
    for path, typed in ((f"/people/{who}/export/", {"form": "html"}), ("/people/export.csv", {})):
        answer = desk.client.post(path, typed, headers=HTMX)
        assert (answer.status_code, answer.content, answer.headers["HX-Refresh"]) == (204, b"", "true")
        assert "Content-Disposition" not in answer.headers
    answer = desk.client.get("/api/v1/openapi.json?a=%3Cb%3E", headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["HX-Redirect"] == "/api/v1/openapi.json?a=%3Cb%3E"


def test_who_is_signed_out_meanwhile_loads_the_whole_page_again(operator):
    for path in ("/", "/visitors/now/"):
        answer = browser().get(path, headers=HTMX)
        assert (answer.status_code, answer.headers["HX-Refresh"]) == (204, "true")
        assert "Location" not in answer.headers


def test_a_file_runs_nothing_loads_nothing_and_is_what_it_says(desk, people):
    who = people(name="<script src=/x></script>")
    token = {"Authorization": f"Bearer {tokens.add('test')}"}
    files = [
        desk.post(f"/people/{who}/export/", {"form": "html"}),
        desk.post(f"/people/{who}/export/", {"form": "json"}),
        desk.post("/people/export.csv"),
        desk.client.get("/api/v1/openapi.json"),
        desk.client.get("/api/v1/statistics/top/page?format=csv", headers=token),
        desk.client.get("/api/v1/statistics/nothing", headers=token),
    ]
    for answer in files:
        assert "sandbox" in answer.headers["Content-Security-Policy"], answer
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    json.loads(files[1].content)


@pytest.mark.parametrize("path", [*WHOLE, "/visitors/", "/newsletter/", "/newsletter/topics/"])
def test_as_it_is_delivered_htmx_does_nothing_with_a_page(desk, path):
    page = desk.get(path).content.decode()
    tags = Tags(page).found
    (body,) = [attrs for tag, attrs in tags if tag == "body"]
    assert "hx-ignore" in body
    named = {(name, value) for tag, attrs in tags if tag != "body" for name, value in attrs.items() if "hx-" in name}
    assert named <= {("hx-boost", "false")}
    scripts = [attrs["src"].rpartition("/")[2] for tag, attrs in tags if tag == "script"]
    assert scripts == ["htmx.js", "htmx_guard.js", "console.js", "draft.js"]
